//! `trim`: a string without the blanks around it.

use super::{Builtin, Example, Failure, Kind, Overload, part, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "trim",
    signature: "trim(text: String) -> String",
    doc: "Removes blanks and line breaks at both ends.",
    example: Example { expression: "trim(\"  a b \")", ty: "String", value: "\"a b\"" },
    overloads: &[Overload { parameters: &[Kind::String], result: Kind::String, run }],
};

fn run<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    let whole = text(arguments, 0);
    let start = whole.len() - whole.trim_start().len();
    Ok(part(arguments, start, start + whole.trim().len()))
}
