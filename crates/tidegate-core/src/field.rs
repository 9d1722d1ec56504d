//! Where in a JSON body an id or a type stands.
//!
//! A [`FieldPath`] such as `data.object.id` names a scalar. It is read in one pass that skips
//! everything else, so a source without rules never builds a tree of the whole body.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A dotted path to a scalar field, such as `object_id` or `data.object.id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The deepest path.
    pub const MAX_SEGMENTS: usize = 16;

    /// Accepts one to 16 non-empty segments separated by dots.
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<String> = text.split('.').map(String::from).collect();
        let plain = |s: &String| {
            !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@'))
        };
        (segments.len() <= Self::MAX_SEGMENTS && segments.iter().all(plain)).then_some(Self(segments))
    }

    /// The same place as an RFC 6901 JSON pointer.
    pub fn pointer(&self) -> String {
        self.0.iter().map(|segment| format!("/{segment}")).collect()
    }

    /// The text of the string or the digits of the integer at this path; `None` when there is
    /// neither, or when `body` is not JSON.
    pub fn read(&self, body: &[u8]) -> Option<String> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        Descend(&self.0).deserialize(&mut deserializer).ok().flatten()
    }
}

struct Descend<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Descend<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descend<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.0.split_first() {
                Some((segment, rest)) if *segment == *key => found = map.next_value_seed(Descend(rest))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| number.to_string()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, body: &str) -> Option<String> {
        FieldPath::parse(path).unwrap().read(body.as_bytes())
    }

    #[test]
    fn scalars_are_found_at_any_depth() {
        assert_eq!(read("id", r#"{"a":[1,{"id":"no"}],"id":"yes"}"#).as_deref(), Some("yes"));
        assert_eq!(read("data.object.id", r#"{"data":{"object":{"id":7}}}"#).as_deref(), Some("7"));
        assert_eq!(read("id", r#"{"id":"a\u0062"}"#).as_deref(), Some("ab"));
    }

    #[test]
    fn what_is_not_a_scalar_is_nothing() {
        for body in [r#"{"id":{}}"#, r#"{"id":[]}"#, r#"{"id":null}"#, r#"{"id":1.5}"#, "[]", "1", "{", ""] {
            assert_eq!(read("id", body), None, "{body}");
        }
    }

    #[test]
    fn paths_are_plain() {
        for text in ["", ".", "a.", ".a", "a..b", "a b", "sha256(body)", &"a.".repeat(17)] {
            assert_eq!(FieldPath::parse(text), None, "{text}");
        }
        assert_eq!(FieldPath::parse("data.id").unwrap().pointer(), "/data/id");
    }
}
