//! Reading one header, strictly.
//!
//! HTTP lets a request repeat a header, and two programs on the way may pick different ones. A signature check
//! that reads the first while a later step reads the last can be talked into believing anything, so a header
//! that the scheme sends once is refused when it comes twice. Values must be printable ASCII (RFC 9110, 5.5)
//! and short; no scheme here needs more.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::key::SignError;
use super::refusal::Refusal;

/// Longest header value that is looked at, in bytes. Sixteen signatures in base64 fit with room to spare.
pub(super) const MAX_HEADER_BYTES: usize = 4096;

/// The one value of `name`, or why there is none that can be trusted.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::MissingHeader { header: name.clone() });
    };
    if values.next().is_some() {
        return Err(malformed(name, "is given more than once"));
    }
    if value.len() > MAX_HEADER_BYTES {
        return Err(malformed(name, "is too long"));
    }
    let text = value.to_str().map_err(|_| malformed(name, "is not printable ASCII"))?;
    if text.is_empty() { Err(malformed(name, "is empty")) } else { Ok(text) }
}

/// Shorthand for the refusal of a header's value.
pub(super) fn malformed(header: &HeaderName, reason: &'static str) -> Refusal {
    Refusal::Malformed { header: header.clone(), reason }
}

/// A header value made of characters that were chosen here (digits, hex, base64, fixed prefixes) or an id from
/// outside, which may not fit.
pub(super) fn value(name: &HeaderName, text: &str) -> Result<HeaderValue, SignError> {
    let unusable = || SignError::UnusableId { header: name.clone() };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(unusable());
    }
    HeaderValue::from_str(text).map_err(|_| unusable())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{MAX_HEADER_BYTES, single};
    use crate::verify::Refusal;

    static NAME: HeaderName = HeaderName::from_static("x-signature");

    fn read(values: &[&[u8]]) -> Result<String, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&NAME, HeaderValue::from_bytes(value).unwrap());
        }
        single(&headers, &NAME).map(str::to_owned)
    }

    #[test]
    fn takes_exactly_one_printable_value() {
        assert_eq!(read(&[b"abc"]).unwrap(), "abc");
        assert!(matches!(read(&[]), Err(Refusal::MissingHeader { .. })));
        for refused in [&[&b"abc"[..], b"abc"][..], &[b""], &[b"caf\xe9"], &["é".as_bytes()]] {
            assert!(matches!(read(refused), Err(Refusal::Malformed { .. })), "{refused:?}");
        }
    }

    #[test]
    fn length_is_bounded() {
        assert!(read(&[&[b'a'; MAX_HEADER_BYTES]]).is_ok());
        assert!(read(&[&[b'a'; MAX_HEADER_BYTES + 1]]).is_err());
    }
}
