//! Signatures as text: hex and base64, decoded into a buffer of fixed size.
//!
//! Decoding is exact. A signature has one accepted spelling per encoding wherever the provider's documentation
//! allows that, so that nobody can vary a captured header without breaking it: lower-case hex only, base64 with
//! the prescribed padding and with zero bits at the end.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD_INDIFFERENT};

/// Size of the largest signature in bytes: HMAC-SHA-512 and Ed25519.
pub(super) const MAX_SIGNATURE_BYTES: usize = 64;

/// How a signature is written in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Hexadecimal with lower-case letters, as Stripe, GitHub and Slack write it.
    LowerHex,
    /// Hexadecimal in either case, for senders whose spelling is not documented.
    Hex,
    /// Base64 with `+` and `/`, padded (RFC 4648, 4).
    Base64,
    /// Base64 with `-` and `_` (RFC 4648, 5); padding is accepted and not needed.
    Base64Url,
}

/// The raw bytes of a signature or of a computed tag.
#[derive(Clone, Copy)]
pub(super) struct Signature {
    bytes: [u8; MAX_SIGNATURE_BYTES],
    len: usize,
}

impl Signature {
    /// Takes the first [`MAX_SIGNATURE_BYTES`] bytes of a hash's output.
    pub(super) fn truncated(source: &[u8]) -> Signature {
        let len = source.len().min(MAX_SIGNATURE_BYTES);
        let mut bytes = [0; MAX_SIGNATURE_BYTES];
        bytes[..len].copy_from_slice(&source[..len]);
        Signature { bytes, len }
    }

    /// The bytes that are in use.
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Encoding {
    /// The signature behind `text`, if it is well written and has exactly `len` bytes.
    pub(super) fn decode(self, text: &str, len: usize) -> Option<Signature> {
        // The decoders of base64 may ask for a little more room than they fill.
        let mut buffer = [0; MAX_SIGNATURE_BYTES + 8];
        let written = match self {
            Encoding::LowerHex if text.bytes().any(|byte| byte.is_ascii_uppercase()) => return None,
            Encoding::LowerHex | Encoding::Hex => decode_hex(text, &mut buffer)?,
            Encoding::Base64 => STANDARD.decode_slice(text, &mut buffer).ok()?,
            Encoding::Base64Url => URL_SAFE_NO_PAD_INDIFFERENT.decode_slice(text, &mut buffer).ok()?,
        };
        (written == len && len <= MAX_SIGNATURE_BYTES).then(|| Signature::truncated(&buffer[..written]))
    }

    /// The way a sender writes these bytes.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::LowerHex | Encoding::Hex => hex::encode(bytes),
            Encoding::Base64 => STANDARD.encode(bytes),
            Encoding::Base64Url => URL_SAFE.encode(bytes),
        }
    }
}

fn decode_hex(text: &str, buffer: &mut [u8]) -> Option<usize> {
    let len = text.len() / 2;
    hex::decode_to_slice(text, buffer.get_mut(..len)?).ok()?;
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    const ALL: [Encoding; 4] = [Encoding::LowerHex, Encoding::Hex, Encoding::Base64, Encoding::Base64Url];

    #[test]
    fn every_encoding_reads_what_it_writes() {
        for len in [1, 20, 32, 63, 64] {
            let bytes: Vec<u8> = (0..len).map(|n| 255 - n as u8).collect();
            for encoding in ALL {
                let decoded = encoding.decode(&encoding.encode(&bytes), len).unwrap();
                assert_eq!(decoded.as_slice(), bytes, "{encoding:?} {len}");
            }
        }
    }

    #[test]
    fn only_the_expected_length_is_a_signature() {
        for encoding in ALL {
            let text = encoding.encode(&[7; 32]);
            assert!(encoding.decode(&text, 31).is_none());
            assert!(encoding.decode(&text, 33).is_none());
            assert!(encoding.decode(&text[1..], 32).is_none());
            assert!(encoding.decode("", 32).is_none());
            assert!(encoding.decode(&"a".repeat(4000), 32).is_none());
        }
    }

    #[test]
    fn hex_is_strict_about_digits_and_case() {
        let upper = "AB".repeat(32);
        assert!(Encoding::LowerHex.decode(&upper, 32).is_none());
        assert!(Encoding::Hex.decode(&upper, 32).is_some());
        for refused in
            ["0".repeat(63), "0".repeat(65), "g".repeat(64), format!(" {}", "0".repeat(63)), "é".repeat(32)]
        {
            assert!(Encoding::Hex.decode(&refused, 32).is_none(), "{refused}");
        }
    }

    #[test]
    fn base64_is_strict_about_alphabet_padding_and_last_bits() {
        let good = Encoding::Base64.encode(&[0xff; 32]);
        assert!(good.ends_with("8="));
        assert!(Encoding::Base64.decode(&good, 32).is_some());
        // The last character carries two bits that must be zero; `9` sets one of them.
        assert!(Encoding::Base64.decode(&good.replace("8=", "9="), 32).is_none());
        assert!(Encoding::Base64.decode(good.trim_end_matches('='), 32).is_none());
        assert!(Encoding::Base64.decode(&good.replace('/', "_"), 32).is_none());
        assert!(Encoding::Base64Url.decode(&good, 32).is_none());
        assert!(Encoding::Base64Url.decode(good.replace('/', "_").trim_end_matches('='), 32).is_some());
    }
}
