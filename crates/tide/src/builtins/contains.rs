//! `contains`: whether a string holds another.

use super::{Builtin, Example, Failure, Kind, Overload, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "contains",
    signature: "contains(text: String, part: String) -> Bool",
    doc: "Returns whether the text holds the part. To look for an item of a list, write `item in list`.",
    example: Example { expression: "contains(\"payment.failed\", \"fail\")", ty: "Bool", value: "true" },
    overloads: &[Overload { parameters: &[Kind::String, Kind::String], result: Kind::Bool, run }],
};

fn run<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Bool(text(arguments, 0).contains(text(arguments, 1))))
}
