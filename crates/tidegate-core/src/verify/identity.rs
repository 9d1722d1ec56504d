//! What a provider calls the event: its id there, and its type.
//!
//! Both are labels for finding and deduplicating events later, so they are bounded and free of control
//! characters, or absent. Bodies are read into two or three borrowed fields and the rest is skipped, because
//! the rules will parse the body properly anyway. A field of an unexpected type counts as absent, and so does a
//! body with the same field twice: guessing which of two ids is meant would let a sender hide one event behind
//! another.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::header;

/// Longest id or type that is kept, in bytes.
pub const MAX_LABEL_BYTES: usize = 255;

/// The provider's own names for an event. Only meaningful for a request that was verified before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The provider's id of the event, for deduplication. At most [`MAX_LABEL_BYTES`] bytes.
    pub external_id: Option<String>,
    /// The provider's type of the event, such as `invoice.paid`. At most [`MAX_LABEL_BYTES`] bytes.
    pub event_type: Option<String>,
}

impl Identity {
    /// Keeps what is fit to be kept.
    pub(super) fn new(external_id: Option<Cow<'_, str>>, event_type: Option<Cow<'_, str>>) -> Identity {
        Identity { external_id: external_id.and_then(bounded), event_type: event_type.and_then(bounded) }
    }
}

fn bounded(text: Cow<'_, str>) -> Option<String> {
    let fit = !text.is_empty() && text.len() <= MAX_LABEL_BYTES && !text.chars().any(char::is_control);
    fit.then(|| text.into_owned())
}

/// A header as a label; one that is missing, doubled or unreadable is no label.
pub(super) fn from_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, str>> {
    header::single(headers, name).ok().map(Cow::Borrowed)
}

/// Reads a few fields of a JSON body; a body that is not such JSON yields the default, which is empty.
pub(super) fn from_body<'a, T: Deserialize<'a> + Default>(body: &'a [u8]) -> T {
    serde_json::from_slice(body).unwrap_or_default()
}

/// A string field of a JSON object that becomes absent, instead of an error, when it holds anything else.
#[derive(Default)]
pub(super) struct Field<'a>(pub(super) Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Field<'a>, D::Error> {
        deserializer.deserialize_any(FieldVisitor).map(Field)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value, of which only text is kept")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    /// Text with escapes, which had to be unescaped into a temporary buffer.
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde::Deserialize;

    use super::{Field, Identity, MAX_LABEL_BYTES, from_body};

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Probe<'a> {
        #[serde(borrow)]
        id: Field<'a>,
    }

    fn id(body: &[u8]) -> Option<String> {
        Identity::new(from_body::<Probe<'_>>(body).id.0, None).external_id
    }

    #[test]
    fn finds_the_field_and_skips_the_rest() {
        assert_eq!(id(br#"{"a":[1,{"id":"inner"}],"id":"evt_1","z":null}"#).as_deref(), Some("evt_1"));
        assert_eq!(id(br#"{"id":"a\u002Db"}"#).as_deref(), Some("a-b"));
    }

    #[test]
    fn plain_text_is_borrowed_from_the_body() {
        let Field(text) = from_body::<Probe<'_>>(br#"{"id":"evt_1"}"#).id;
        assert!(matches!(text, Some(Cow::Borrowed("evt_1"))));
    }

    #[test]
    fn anything_but_one_short_clean_text_is_absent() {
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(MAX_LABEL_BYTES + 1));
        let deep = format!(r#"{{"id":{}"#, "[".repeat(100_000));
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "{",
            r#"{"id":1}"#,
            r#"{"id":-1}"#,
            r#"{"id":1.5}"#,
            r#"{"id":true}"#,
            r#"{"id":null}"#,
            r#"{"id":["x"]}"#,
            r#"{"id":{"x":"y"}}"#,
            r#"{"id":""}"#,
            r#"{"id":"a\u0000b"}"#,
            r#"{"id":"a\nb"}"#,
            r#"{"id":"one","id":"two"}"#,
            r#"{"id":"a"} trailing"#,
            &long,
            &deep,
        ] {
            assert_eq!(id(body.as_bytes()), None, "{body:.40}");
        }
        assert_eq!(id(b"{\"id\":\"\xff\"}"), None);
    }
}
