//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

/// How long a condition may take to become true before the test is given up.
///
/// Long, since it is only ever used up by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Yields until `condition` holds; `what` is said when it never does.
///
/// # Panics
/// When the condition does not hold within [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what} ({caller})");
            tokio::task::yield_now().await;
        }
    }
}
