//! `slice`: a part of a string by position.

use super::{Builtin, Example, Failure, Kind, Overload, int, part, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "slice",
    signature: "slice(text: String, start: Int, end: Int) -> String",
    doc: "Returns the characters from `start` up to but without `end`, counted from 0. Positions outside of the text are moved to its ends.",
    example: Example { expression: "slice(\"abcdef\", 1, 3)", ty: "String", value: "\"bc\"" },
    overloads: &[Overload { parameters: &[Kind::String, Kind::Int, Kind::Int], result: Kind::String, run }],
};

fn run<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    let whole = text(arguments, 0);
    let offset = |position: i64| {
        let position = usize::try_from(position.max(0)).unwrap_or(usize::MAX);
        whole.char_indices().nth(position).map_or(whole.len(), |(offset, _)| offset)
    };
    let start = offset(int(arguments, 1));
    let end = offset(int(arguments, 2)).max(start);
    Ok(part(arguments, start, end))
}
