//! The signed text of a generic scheme: literal text around `{timestamp}`, `{header:NAME}` and `{body}`.
//!
//! A template has one reading. A brace always belongs to a placeholder, there is no escape for it (no provider
//! signs one), and an unknown placeholder is an error instead of literal text, because a typing mistake would
//! otherwise turn into a signature that never matches.

use http::HeaderName;

use super::hmac::{HmacSchemeError, header_name};

/// Longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 1024;

/// One piece of the signed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Timestamp,
    Header(HeaderName),
    Body,
}

/// Cuts the template into its parts.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, HmacSchemeError> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(HmacSchemeError::ContentTooLong { actual: text.len() });
    }
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (part, taken) = next_part(rest, at)?;
        parts.push(part);
        at += taken;
    }
    match parts.iter().filter(|part| matches!(part, Part::Body)).count() {
        1 => Ok(parts),
        count => Err(HmacSchemeError::Body { count }),
    }
}

/// The part that `rest` begins with and its length; `at` is where `rest` stands in the template.
fn next_part(rest: &str, at: usize) -> Result<(Part, usize), HmacSchemeError> {
    let Some(inner) = rest.strip_prefix('{') else {
        let len = rest.find(['{', '}']).unwrap_or(rest.len());
        return match rest.get(..len) {
            Some(literal) if len > 0 => Ok((Part::Literal(literal.to_owned()), len)),
            _ => Err(HmacSchemeError::Brace { at }),
        };
    };
    let Some((name, _)) = inner.split_once('}').filter(|(name, _)| !name.contains('{')) else {
        return Err(HmacSchemeError::Brace { at });
    };
    Ok((placeholder(name)?, name.len() + 2))
}

fn placeholder(name: &str) -> Result<Part, HmacSchemeError> {
    match name {
        "body" => Ok(Part::Body),
        "timestamp" => Ok(Part::Timestamp),
        _ => match name.strip_prefix("header:") {
            Some(header) => header_name("content", header).map(Part::Header),
            None => Err(HmacSchemeError::Placeholder { name: name.to_owned() }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, parse};
    use crate::verify::HmacSchemeError;

    #[test]
    fn templates_are_cut_into_parts() {
        let parts = parse("v0:{header:X-Time}:é{body}").unwrap();
        let expected = [
            Part::Literal("v0:".into()),
            Part::Header("x-time".parse().unwrap()),
            Part::Literal(":é".into()),
            Part::Body,
        ];
        assert_eq!(parts, expected);
        assert_eq!(parse("{timestamp}{body}").unwrap(), [Part::Timestamp, Part::Body]);
    }

    #[test]
    fn templates_with_one_meaning_only() {
        assert_eq!(parse(""), Err(HmacSchemeError::Body { count: 0 }));
        assert_eq!(parse("{body}{body}"), Err(HmacSchemeError::Body { count: 2 }));
        assert_eq!(parse("a{body"), Err(HmacSchemeError::Brace { at: 1 }));
        assert_eq!(parse("{body}}"), Err(HmacSchemeError::Brace { at: 6 }));
        assert_eq!(parse("{{body}}"), Err(HmacSchemeError::Brace { at: 0 }));
        assert_eq!(parse("é}{body}"), Err(HmacSchemeError::Brace { at: 2 }));
        assert_eq!(parse("{Body}"), Err(HmacSchemeError::Placeholder { name: "Body".into() }));
        assert_eq!(parse("{}{body}"), Err(HmacSchemeError::Placeholder { name: String::new() }));
        assert!(matches!(
            parse("{header:}{body}"),
            Err(HmacSchemeError::HeaderName { field: "content", .. })
        ));
        assert!(matches!(parse(&"x".repeat(1025)), Err(HmacSchemeError::ContentTooLong { actual: 1025 })));
    }
}
