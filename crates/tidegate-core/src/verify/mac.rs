//! Keyed hashes (RFC 2104) and the one comparison that all of them share.
//!
//! Two things must not be visible from outside through time: how many bytes of a forged signature were right,
//! and which of several secrets made a genuine one. So every secret's tag is computed for every request, each
//! tag is compared with each signature by `subtle`, and nothing returns early. The cost is one pass over the
//! body for each secret, whatever the number of signatures, which keeps a stranger from buying more work with a
//! longer header.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::encoding::Signature;
use super::key::{self, KeyError};
use crate::secret::Secret;

/// Most signatures that are read from one header. Senders list one for each of their current secrets; more
/// than this is no rotation.
pub const MAX_SIGNATURES: usize = 16;

/// The hash behind an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// HMAC-SHA-256, 32 bytes.
    Sha256,
    /// HMAC-SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// Length of a tag in bytes.
    pub(super) fn tag_len(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }
}

/// One key, already mixed into the hash's starting state so that a request pays only for its own bytes.
#[derive(Clone)]
pub(super) enum MacKey {
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl MacKey {
    /// `None` for an empty key, which HMAC itself would accept, and for a key of zero bytes only: HMAC fills
    /// short keys up with zeros (RFC 2104, 2), so that such a key is the empty one under another name.
    pub(super) fn new(algorithm: Algorithm, key: &[u8]) -> Option<MacKey> {
        if key.iter().all(|byte| *byte == 0) {
            return None;
        }
        match algorithm {
            Algorithm::Sha256 => Hmac::new_from_slice(key).ok().map(MacKey::Sha256),
            Algorithm::Sha512 => Hmac::new_from_slice(key).ok().map(MacKey::Sha512),
        }
    }

    /// The tag over the parts of the signed content, put one after the other.
    pub(super) fn tag(&self, content: &[&[u8]]) -> Signature {
        match self {
            MacKey::Sha256(state) => finish(state.clone(), content),
            MacKey::Sha512(state) => finish(state.clone(), content),
        }
    }
}

fn finish<M: Mac>(mut state: M, content: &[&[u8]]) -> Signature {
    for part in content {
        state.update(part);
    }
    let tag = state.finalize().into_bytes();
    // The largest hash here fills the buffer exactly, so the cut never happens.
    Signature::truncated(&tag)
}

/// The keys of a source together with their places in the configuration.
pub(super) struct MacKeys(Vec<(u32, MacKey)>);

impl MacKeys {
    /// One key for each secret, whose bytes are the key as they are.
    pub(super) fn from_secrets(
        provider: &'static str,
        algorithm: Algorithm,
        secrets: &[Secret],
    ) -> Result<MacKeys, KeyError> {
        key::check_secrets(provider, secrets)?;
        let mut keys = MacKeys::empty();
        for (index, secret) in secrets.iter().enumerate() {
            keys.push(index, algorithm, secret.expose())?;
        }
        Ok(keys)
    }

    /// No keys: matches nothing until some are pushed.
    pub(super) fn empty() -> MacKeys {
        MacKeys(Vec::new())
    }

    /// Adds the key of the secret at `index`.
    pub(super) fn push(&mut self, index: usize, algorithm: Algorithm, key: &[u8]) -> Result<(), KeyError> {
        let key = MacKey::new(algorithm, key).ok_or(KeyError::Empty { index })?;
        let place = u32::try_from(index).map_err(|_| KeyError::TooManySecrets { count: index })?;
        self.0.push((place, key));
        Ok(())
    }

    /// The place of a secret that made one of the `signatures`, or `None`.
    ///
    /// Takes the same time for every outcome that has the same number of keys, signatures and bytes.
    pub(super) fn matching(&self, content: &[&[u8]], signatures: &[Signature]) -> Option<usize> {
        let mut found = Choice::from(0);
        let mut winner = 0_u32;
        for (index, key) in &self.0 {
            let tag = key.tag(content);
            for signature in signatures {
                let equal = tag.as_slice().ct_eq(signature.as_slice());
                winner = u32::conditional_select(&winner, index, equal & !found);
                found |= equal;
            }
        }
        bool::from(found).then_some(winner as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, MacKey, MacKeys};
    use crate::secret::Secret;

    fn tag(algorithm: Algorithm, key: &[u8], content: &[&[u8]]) -> String {
        hex::encode(MacKey::new(algorithm, key).unwrap().tag(content).as_slice())
    }

    /// RFC 4231, test cases 1, 2, 3 and 6 (a key longer than the block).
    #[test]
    fn rfc_4231() {
        let cases: [(&[u8], &[u8], &str, &str); 4] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ),
        ];
        for (key, data, sha256, sha512) in cases {
            assert_eq!(tag(Algorithm::Sha256, key, &[data]), sha256);
            assert_eq!(tag(Algorithm::Sha512, key, &[data]), sha512);
        }
    }

    #[test]
    fn parts_are_hashed_as_one_text() {
        let whole = tag(Algorithm::Sha256, b"k", &[b"one.two"]);
        assert_eq!(tag(Algorithm::Sha256, b"k", &[b"one", b".", b"", b"two"]), whole);
    }

    #[test]
    fn an_empty_key_is_no_key_under_any_name() {
        for key in [&b""[..], b"\0", &[0; 32], &[0; 200]] {
            assert!(MacKey::new(Algorithm::Sha256, key).is_none());
        }
        assert!(MacKey::new(Algorithm::Sha256, b"\0k").is_some());
    }

    #[test]
    fn names_the_secret_that_matched_and_nothing_else() {
        let secrets = ["a", "b", "c"].map(Secret::new);
        let keys = MacKeys::from_secrets("test", Algorithm::Sha256, &secrets).unwrap();
        let made_by = |key: &[u8]| MacKey::new(Algorithm::Sha256, key).unwrap().tag(&[b"body"]);
        let signatures = [made_by(b"x"), made_by(b"c"), made_by(b"b")];
        assert_eq!(keys.matching(&[b"body"], &signatures), Some(1), "the first secret in the list wins");
        assert_eq!(keys.matching(&[b"body"], &signatures[..2]), Some(2));
        assert_eq!(keys.matching(&[b"body"], &signatures[..1]), None);
        assert_eq!(keys.matching(&[b"body"], &[]), None);
        assert_eq!(MacKeys::empty().matching(&[b"body"], &signatures), None);
    }
}
