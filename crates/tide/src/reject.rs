//! What becomes of an event: accepted, rejected with reasons, or not JSON at all.

use std::fmt;

/// The result of running a program on one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The event is in order; here is the record that the rule returned, as JSON.
    ///
    /// Fields stand in the order of the record's declaration. Decimals are written as numbers with
    /// every digit they have (`-12.50`), absent optional fields as `null`.
    Accepted(String),
    /// The event is JSON, but not what the event type or the rule allows. Never empty.
    Rejected(Vec<Reject>),
    /// The bytes are not JSON.
    NotJson(Reject),
}

/// One reason why an event was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// RFC 6901 pointer to the place in the event; empty for the event as a whole.
    pub pointer: String,
    /// What was expected and what came. Quotes at most the first characters of the value.
    pub message: String,
    /// Stable code.
    pub code: RejectCode,
}

impl Reject {
    pub(crate) fn new(code: RejectCode, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Reject { pointer: pointer.into(), message: message.into(), code }
    }
}

/// A key as it stands in a JSON pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the event" } else { &self.pointer };
        write!(f, "{place}: {} ({})", self.message, self.code.as_str())
    }
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectCode {
    /// The bytes are not JSON.
    Malformed,
    /// An object has the same key twice.
    DuplicateKey,
    /// Arrays and objects are nested deeper than the limit.
    TooDeep,
    /// A value has another type than declared.
    TypeMismatch,
    /// A field that must be there is not.
    MissingField,
    /// A closed record has a field that is not declared.
    UnknownField,
    /// A number is outside of its range, or cannot be held exactly.
    OutOfRange,
    /// A string does not match its pattern.
    Pattern,
    /// A string or list is shorter or longer than declared or than a limit allows.
    Length,
    /// A string is none of the declared ones.
    NotInUnion,
    /// A calculation has a result that its type cannot hold.
    Overflow,
    /// The rule itself said `reject`.
    RuleRejected,
    /// The rule took more steps than allowed.
    FuelExhausted,
}

impl RejectCode {
    /// The code as it stands in replies, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            RejectCode::Malformed => "malformed",
            RejectCode::DuplicateKey => "duplicate_key",
            RejectCode::TooDeep => "too_deep",
            RejectCode::TypeMismatch => "type_mismatch",
            RejectCode::MissingField => "missing_field",
            RejectCode::UnknownField => "unknown_field",
            RejectCode::OutOfRange => "out_of_range",
            RejectCode::Pattern => "pattern",
            RejectCode::Length => "length",
            RejectCode::NotInUnion => "not_in_union",
            RejectCode::Overflow => "overflow",
            RejectCode::RuleRejected => "rule_rejected",
            RejectCode::FuelExhausted => "fuel_exhausted",
        }
    }
}

impl fmt::Display for RejectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
