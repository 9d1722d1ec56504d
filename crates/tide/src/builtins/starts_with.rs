//! `starts_with`: whether a string begins with another.

use super::{Builtin, Example, Failure, Kind, Overload, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "starts_with",
    signature: "starts_with(text: String, part: String) -> Bool",
    doc: "Returns whether the text begins with the part.",
    example: Example { expression: "starts_with(\"re_1\", \"re_\")", ty: "Bool", value: "true" },
    overloads: &[Overload { parameters: &[Kind::String, Kind::String], result: Kind::Bool, run }],
};

fn run<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Bool(text(arguments, 0).starts_with(text(arguments, 1))))
}
