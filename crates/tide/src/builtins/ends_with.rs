//! `ends_with`: whether a string ends with another.

use super::{Builtin, Example, Failure, Kind, Overload, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "ends_with",
    signature: "ends_with(text: String, part: String) -> Bool",
    doc: "Returns whether the text ends with the part.",
    example: Example { expression: "ends_with(\"a.json\", \".json\")", ty: "Bool", value: "true" },
    overloads: &[Overload { parameters: &[Kind::String, Kind::String], result: Kind::Bool, run }],
};

fn run<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Bool(text(arguments, 0).ends_with(text(arguments, 1))))
}
