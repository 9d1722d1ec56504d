//! `upper`: a string in upper case.

use super::{Builtin, Example, Failure, Kind, Overload, made, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "upper",
    signature: "upper(text: String) -> String",
    doc: "Returns the text in upper case.",
    example: Example { expression: "upper(\"eur\")", ty: "String", value: "\"EUR\"" },
    overloads: &[Overload { parameters: &[Kind::String], result: Kind::String, run }],
};

fn run<'a>(arguments: &[Value<'a>], max_bytes: usize) -> Result<Value<'a>, Failure> {
    made(text(arguments, 0).to_uppercase(), max_bytes)
}
