//! Time and randomness: read here, handed on as arguments everywhere else.

use jiff::Timestamp;

/// The current time.
#[expect(clippy::disallowed_methods, reason = "this is the place where the clock is read")]
pub fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `N` bytes from the operating system's random number generator.
///
/// # Panics
/// When the operating system has no randomness to give, which on Linux does not happen after boot.
#[expect(clippy::expect_used, reason = "ids that can be guessed would be worse than no process")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
