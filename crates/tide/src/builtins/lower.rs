//! `lower`: a string in lower case.

use super::{Builtin, Example, Failure, Kind, Overload, made, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "lower",
    signature: "lower(text: String) -> String",
    doc: "Returns the text in lower case.",
    example: Example { expression: "lower(\"ABC\")", ty: "String", value: "\"abc\"" },
    overloads: &[Overload { parameters: &[Kind::String], result: Kind::String, run }],
};

fn run<'a>(arguments: &[Value<'a>], max_bytes: usize) -> Result<Value<'a>, Failure> {
    made(text(arguments, 0).to_lowercase(), max_bytes)
}
