//! `replace`: a string with one part exchanged for another.

use super::{Builtin, Example, Failure, Kind, Overload, made, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "replace",
    signature: "replace(text: String, part: String, by: String) -> String",
    doc: "Replaces every occurrence of the part. An empty part replaces nothing.",
    example: Example { expression: "replace(\"a-b-c\", \"-\", \"_\")", ty: "String", value: "\"a_b_c\"" },
    overloads: &[Overload {
        parameters: &[Kind::String, Kind::String, Kind::String],
        result: Kind::String,
        run,
    }],
};

fn run<'a>(arguments: &[Value<'a>], max_bytes: usize) -> Result<Value<'a>, Failure> {
    let (whole, part, by) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    if part.is_empty() {
        return made(whole.to_string(), max_bytes);
    }
    // The size is known before anything is built, so that a long `by` costs no memory.
    let count = whole.matches(part).count();
    let grown = by.len().saturating_sub(part.len()).saturating_mul(count);
    if whole.len().saturating_add(grown) > max_bytes {
        return Err(Failure::TooLong);
    }
    made(whole.replace(part, by), max_bytes)
}
