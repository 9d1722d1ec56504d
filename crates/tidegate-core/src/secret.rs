//! A secret is a value that may be used and never shown.
//!
//! The type makes the wrong thing hard rather than forbidden: there is no `Display`, no `Serialize` and no
//! comparison, `Debug` prints a placeholder, and the memory is overwritten when the value is dropped. Every
//! place that truly needs the bytes says so with [`Secret::expose`], so that one search finds them all.
//!
//! What it does not do: it cannot erase copies that were made before the value arrived here (the environment
//! of the process, a page of the operating system's file cache), nor does it keep the memory out of a swap file.

use std::fmt;

use zeroize::Zeroizing;

/// Key material of a source or a destination; erased from memory on drop and never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over. A `String` or `Vec` is moved, not copied, so that no second copy stays behind.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves. They must not reach a log line, an error message or an answer.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing in it. An empty key would let everybody sign, so every verifier refuses it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_neither_the_bytes_nor_their_number() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(format!("{:#?}", Some(&secret)), "Some(\n    Secret(…),\n)");
    }

    #[test]
    fn exposes_exactly_what_it_was_given() {
        assert_eq!(Secret::new(vec![0, 255, 10]).expose(), [0, 255, 10]);
        assert!(Secret::new("").is_empty());
    }
}
