//! Generic HMAC: whatever a provider without a file of its own does, described in the configuration.
//!
//! A scheme says where the signature stands (header, prefix, encoding), how it is made (hash) and over what (a
//! template of literal text, `{timestamp}`, `{header:NAME}` and `{body}`). It is validated once, and it cannot
//! be written in a way that looks safe and is not: the body must be part of the signed text, and a timestamp
//! that is checked must be signed as well, since an unsigned one can be renewed by anybody.
//!
//! What the signature covers is what the template says and nothing else. Without a timestamp a captured request
//! stays valid for ever. Parts that follow each other without a literal in between share one stretch of bytes:
//! in `{header:x-id}{body}` a replayer may move bytes from the id into the body. Digits of a timestamp cannot
//! wander like that (see `freshness`), so `{timestamp}{body}` is sound. The provider chose the format; where
//! there is a choice, put a separator that the header cannot contain. No id or type is derived, because nothing
//! is known about where they stand.

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::encoding::{Encoding, Signature};
use super::freshness::{self, TimestampUnit, Tolerance};
use super::header;
use super::key::{self, SignError};
use super::mac::{Algorithm, MacKey, MacKeys};
use super::template::{self, Part};
use super::{Incoming, KeyError, Refusal, SignedHeaders, Verified};
use crate::secret::Secret;

pub use super::template::MAX_TEMPLATE_BYTES;

/// Name in the configuration.
pub(super) const NAME: &str = "hmac";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] = &["content-type", "user-agent"];

/// A scheme as somebody wrote it: every field is text that is yet to be checked by [`HmacScheme::parse`].
#[derive(Debug, Clone, Copy, Default)]
pub struct HmacSettings<'a> {
    /// Header that carries the signature.
    pub header: &'a str,
    /// `sha256` or `sha512`.
    pub algorithm: &'a str,
    /// `hex`, `base64` or `base64url`.
    pub encoding: &'a str,
    /// Text before the signature, such as `sha256=`; may be empty.
    pub prefix: &'a str,
    /// What is signed, such as `{timestamp}.{body}`.
    pub content: &'a str,
    /// Header that carries the time, if the scheme has one.
    pub timestamp_header: Option<&'a str>,
    /// `s` (the default) or `ms`.
    pub timestamp_unit: Option<&'a str>,
}

/// A mistake in one field of [`HmacSettings`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HmacSchemeError {
    /// Not a name that HTTP allows.
    #[error("`{field}` is not an HTTP header name: `{value}`")]
    HeaderName {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
    },
    /// Not one of the words that the field knows.
    #[error("`{field}` is `{value}`, expected one of: {expected}")]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// The words it knows.
        expected: &'static str,
    },
    /// A prefix that no header value can begin with.
    #[error("`prefix` may hold printable ASCII only")]
    Prefix,
    /// The template is longer than [`MAX_TEMPLATE_BYTES`].
    #[error("`content` has {actual} bytes, at most {MAX_TEMPLATE_BYTES} are allowed")]
    ContentTooLong {
        /// Its length in bytes.
        actual: usize,
    },
    /// A `{` without `}` or the other way round.
    #[error("`content` has a brace without its partner at byte {at}")]
    Brace {
        /// Where, counted in bytes from zero.
        at: usize,
    },
    /// A placeholder that does not exist.
    #[error(
        "`content` has the unknown placeholder `{{{name}}}`; there are {{timestamp}}, {{header:NAME}}, {{body}}"
    )]
    Placeholder {
        /// The text between the braces.
        name: String,
    },
    /// `{body}` has to occur exactly once.
    #[error("`content` has to contain `{{body}}` exactly once, not {count} times")]
    Body {
        /// How often it occurs.
        count: usize,
    },
    /// The signature cannot be part of what it signs.
    #[error("`content` contains the header of the signature itself")]
    SignsItself,
    /// `{timestamp}` without a header to take it from.
    #[error("`content` uses `{{timestamp}}`, but `timestamp_header` is not set")]
    NoTimestampHeader,
    /// A timestamp that is checked and not signed protects nothing, since anybody can renew it.
    #[error("`timestamp_header` is set, but the signed `content` does not contain `{{timestamp}}`")]
    UnsignedTimestamp,
    /// One header cannot be both.
    #[error("`timestamp_header` names the header of the signature")]
    TimestampIsSignature,
    /// A unit for a timestamp that does not exist.
    #[error("`timestamp_unit` is set without `timestamp_header`")]
    UnitWithoutTimestamp,
}

impl HmacSchemeError {
    /// The field of [`HmacSettings`] to point at.
    pub fn field(&self) -> &'static str {
        match self {
            HmacSchemeError::HeaderName { field, .. } | HmacSchemeError::UnknownWord { field, .. } => field,
            HmacSchemeError::Prefix => "prefix",
            HmacSchemeError::ContentTooLong { .. }
            | HmacSchemeError::Brace { .. }
            | HmacSchemeError::Placeholder { .. }
            | HmacSchemeError::Body { .. }
            | HmacSchemeError::SignsItself
            | HmacSchemeError::NoTimestampHeader => "content",
            HmacSchemeError::UnsignedTimestamp | HmacSchemeError::TimestampIsSignature => "timestamp_header",
            HmacSchemeError::UnitWithoutTimestamp => "timestamp_unit",
        }
    }
}

/// A validated scheme; see [`HmacSettings`] for what its parts mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HmacScheme {
    header: HeaderName,
    algorithm: Algorithm,
    encoding: Encoding,
    prefix: String,
    content: Vec<Part>,
    timestamp: Option<(HeaderName, TimestampUnit)>,
}

impl HmacScheme {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, in the order of the fields.
    pub fn parse(settings: &HmacSettings<'_>) -> Result<HmacScheme, Vec<HmacSchemeError>> {
        let mut errors = Vec::new();
        let header = keep(&mut errors, header_name("header", settings.header));
        let algorithm = keep(&mut errors, algorithm(settings.algorithm));
        let encoding = keep(&mut errors, encoding(settings.encoding));
        let prefix = keep(&mut errors, prefix(settings.prefix));
        let unit = keep(&mut errors, unit(settings));
        let timestamp = match settings.timestamp_header {
            Some(name) => keep(&mut errors, header_name("timestamp_header", name)).map(Some),
            None => Some(None),
        };
        let content = keep(&mut errors, template::parse(settings.content));
        if let (Some(header), Some(timestamp), Some(content)) = (&header, &timestamp, &content) {
            errors.extend(contradictions(header, timestamp.as_ref(), content));
        }
        let (Some(header), Some(algorithm), Some(encoding), Some(prefix)) =
            (header, algorithm, encoding, prefix)
        else {
            return Err(errors);
        };
        let (Some(unit), Some(timestamp), Some(content)) = (unit, timestamp, content) else {
            return Err(errors);
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let content = content.into_iter().map(|part| unify(part, timestamp.as_ref())).collect();
        let timestamp = timestamp.map(|name| (name, unit));
        Ok(HmacScheme { header, algorithm, encoding, prefix, content, timestamp })
    }

    /// The header that carries the signature.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Whether the scheme signs a timestamp; without one a captured request stays valid for ever.
    pub fn has_timestamp(&self) -> bool {
        self.timestamp.is_some()
    }

    /// Fills the template in.
    fn content<'a, E>(
        &'a self,
        timestamp: &'a str,
        body: &'a [u8],
        header: impl Fn(&'a HeaderName) -> Result<&'a str, E>,
    ) -> Result<Vec<&'a [u8]>, E> {
        let fill = |part: &'a Part| match part {
            Part::Literal(text) => Ok(text.as_bytes()),
            Part::Timestamp => Ok(timestamp.as_bytes()),
            Part::Header(name) => header(name).map(str::as_bytes),
            Part::Body => Ok(body),
        };
        self.content.iter().map(fill).collect()
    }

    fn signature(&self, headers: &HeaderMap) -> Result<Signature, Refusal> {
        let text = header::single(headers, &self.header)?;
        let encoded = text
            .strip_prefix(self.prefix.as_str())
            .ok_or_else(|| header::malformed(&self.header, "lacks the configured prefix"))?;
        self.encoding
            .decode(encoded, self.algorithm.tag_len())
            .ok_or_else(|| header::malformed(&self.header, "is not a signature in the configured encoding"))
    }
}

/// The value, or `None` with its error kept for the list.
fn keep<T>(errors: &mut Vec<HmacSchemeError>, result: Result<T, HmacSchemeError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

pub(super) fn header_name(field: &'static str, text: &str) -> Result<HeaderName, HmacSchemeError> {
    HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| HmacSchemeError::HeaderName { field, value: text.to_owned() })
}

fn unknown(field: &'static str, value: &str, expected: &'static str) -> HmacSchemeError {
    HmacSchemeError::UnknownWord { field, value: value.to_owned(), expected }
}

fn algorithm(text: &str) -> Result<Algorithm, HmacSchemeError> {
    match text {
        "sha256" => Ok(Algorithm::Sha256),
        "sha512" => Ok(Algorithm::Sha512),
        _ => Err(unknown("algorithm", text, "sha256, sha512")),
    }
}

fn encoding(text: &str) -> Result<Encoding, HmacSchemeError> {
    match text {
        "hex" => Ok(Encoding::Hex),
        "base64" => Ok(Encoding::Base64),
        "base64url" => Ok(Encoding::Base64Url),
        _ => Err(unknown("encoding", text, "hex, base64, base64url")),
    }
}

fn unit(settings: &HmacSettings<'_>) -> Result<TimestampUnit, HmacSchemeError> {
    match (settings.timestamp_unit, settings.timestamp_header) {
        (None, _) => Ok(TimestampUnit::Seconds),
        (Some(_), None) => Err(HmacSchemeError::UnitWithoutTimestamp),
        (Some("s"), Some(_)) => Ok(TimestampUnit::Seconds),
        (Some("ms"), Some(_)) => Ok(TimestampUnit::Milliseconds),
        (Some(other), Some(_)) => Err(unknown("timestamp_unit", other, "s, ms")),
    }
}

fn prefix(text: &str) -> Result<String, HmacSchemeError> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    // HTTP strips white space around a value, so a prefix that begins with it would never match.
    if printable && !text.starts_with(' ') { Ok(text.to_owned()) } else { Err(HmacSchemeError::Prefix) }
}

/// What is wrong between fields that are fine by themselves.
fn contradictions(
    header: &HeaderName,
    timestamp: Option<&HeaderName>,
    content: &[Part],
) -> Vec<HmacSchemeError> {
    let mut errors = Vec::new();
    if content.iter().any(|part| matches!(part, Part::Header(name) if name == header)) {
        errors.push(HmacSchemeError::SignsItself);
    }
    if timestamp == Some(header) {
        errors.push(HmacSchemeError::TimestampIsSignature);
    }
    let placeholder = content.contains(&Part::Timestamp);
    match timestamp {
        None if placeholder => errors.push(HmacSchemeError::NoTimestampHeader),
        Some(name) if !placeholder && !content.contains(&Part::Header(name.clone())) => {
            errors.push(HmacSchemeError::UnsignedTimestamp);
        }
        None | Some(_) => {}
    }
    errors
}

/// `{header:x-time}` means the same as `{timestamp}` when `x-time` is the timestamp's header.
fn unify(part: Part, timestamp: Option<&HeaderName>) -> Part {
    match part {
        Part::Header(name) if Some(&name) == timestamp => Part::Timestamp,
        other => other,
    }
}

/// A scheme and the keys of one source.
pub(super) struct GenericHmac {
    scheme: HmacScheme,
    keys: MacKeys,
}

impl GenericHmac {
    pub(super) fn new(scheme: &HmacScheme, secrets: &[Secret]) -> Result<GenericHmac, KeyError> {
        let keys = MacKeys::from_secrets(NAME, scheme.algorithm, secrets)?;
        Ok(GenericHmac { scheme: scheme.clone(), keys })
    }

    pub(super) fn verify(
        &self,
        incoming: &Incoming<'_>,
        tolerance: Tolerance,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let (text, signed_at) = match &self.scheme.timestamp {
            Some((name, unit)) => {
                let text = header::single(incoming.headers, name)?;
                (text, Some(freshness::parse(name, text, *unit)?))
            }
            None => ("", None),
        };
        let signature = self.scheme.signature(incoming.headers)?;
        let content =
            self.scheme.content(text, incoming.body, |name| header::single(incoming.headers, name))?;
        let Some(index) = self.keys.matching(&content, &[signature]) else {
            return Err(Refusal::SignatureInvalid { header: self.scheme.header.clone() });
        };
        if let Some(signed_at) = signed_at {
            tolerance.check(signed_at, now)?;
        }
        Ok(Verified { signed_at, secret_index: Some(index) })
    }
}

/// Signs a body by a scheme.
///
/// # Errors
/// An empty secret, a time before 1970, or a scheme that signs further headers, whose values are not known here.
pub fn sign(
    scheme: &HmacScheme,
    secret: &Secret,
    at: Timestamp,
    body: &[u8],
) -> Result<SignedHeaders, SignError> {
    let mut headers = SignedHeaders::new();
    let timestamp = match &scheme.timestamp {
        Some((name, unit)) => {
            let text = freshness::text(at, *unit)?;
            headers.push((name.clone(), header::value(name, &text)?));
            text
        }
        None => String::new(),
    };
    let absent = |name: &HeaderName| Err(SignError::UnknownHeader { header: name.clone() });
    let content = scheme.content(&timestamp, body, absent)?;
    let mac = MacKey::new(scheme.algorithm, secret.expose()).ok_or(key::EMPTY)?;
    let text = format!("{}{}", scheme.prefix, scheme.encoding.encode(mac.tag(&content).as_slice()));
    headers.push((scheme.header.clone(), header::value(&scheme.header, &text)?));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::{HmacScheme, HmacSchemeError, HmacSettings};

    const PLAIN: HmacSettings<'static> = HmacSettings {
        header: "X-Signature",
        algorithm: "sha256",
        encoding: "hex",
        prefix: "",
        content: "{body}",
        timestamp_header: None,
        timestamp_unit: None,
    };

    fn fields(settings: HmacSettings<'_>) -> Vec<&'static str> {
        HmacScheme::parse(&settings).unwrap_err().iter().map(HmacSchemeError::field).collect()
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let settings = HmacSettings {
            header: "not a name",
            algorithm: "md5",
            encoding: "rot13",
            prefix: "\n",
            content: "{nothing}",
            timestamp_header: Some(""),
            timestamp_unit: Some("weeks"),
        };
        assert_eq!(
            fields(settings),
            ["header", "algorithm", "encoding", "prefix", "timestamp_unit", "timestamp_header", "content"]
        );
    }

    #[test]
    fn contradictions_between_fields_are_refused() {
        assert_eq!(fields(HmacSettings { content: "{timestamp}.{body}", ..PLAIN }), ["content"]);
        assert_eq!(fields(HmacSettings { timestamp_header: Some("x-time"), ..PLAIN }), ["timestamp_header"]);
        assert_eq!(fields(HmacSettings { timestamp_unit: Some("ms"), ..PLAIN }), ["timestamp_unit"]);
        assert_eq!(fields(HmacSettings { content: "{header:x-signature}{body}", ..PLAIN }), ["content"]);
        assert_eq!(fields(HmacSettings { prefix: " v1=", ..PLAIN }), ["prefix"]);
    }

    #[test]
    fn naming_the_timestamp_header_counts_as_signing_the_timestamp() {
        let settings = HmacSettings { timestamp_header: Some("X-Time"), ..PLAIN };
        let by_header = HmacScheme::parse(&HmacSettings { content: "{header:x-time}.{body}", ..settings });
        let by_name = HmacScheme::parse(&HmacSettings { content: "{timestamp}.{body}", ..settings });
        assert_eq!(by_header, by_name);
        assert!(by_name.unwrap().has_timestamp());
    }

    #[test]
    fn errors_read_as_sentences() {
        let errors = HmacScheme::parse(&HmacSettings { content: "{nope}", ..PLAIN }).unwrap_err();
        assert_eq!(
            errors[0].to_string(),
            "`content` has the unknown placeholder `{nope}`; there are {timestamp}, {header:NAME}, {body}"
        );
    }
}
