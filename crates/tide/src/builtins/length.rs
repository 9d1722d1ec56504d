//! `length`: how long a string, list or map is.

use super::{Builtin, Example, Failure, Kind, Overload, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "length",
    signature: "length(value: String | List | Map) -> Int",
    doc: "Counts the characters of a String the items of a List or the entries of a Map.",
    example: Example { expression: "length(\"één\")", ty: "Int", value: "3" },
    overloads: &[
        Overload { parameters: &[Kind::String], result: Kind::Int, run: of_text },
        Overload { parameters: &[Kind::List], result: Kind::Int, run: of_list },
        Overload { parameters: &[Kind::Map], result: Kind::Int, run: of_list },
    ],
};

fn of_text<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    count(text(arguments, 0).chars().count())
}

fn of_list<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    match arguments.first() {
        Some(Value::List(items)) => count(items.len()),
        Some(Value::Map(entries)) => count(entries.len()),
        _ => count(0),
    }
}

fn count<'a>(items: usize) -> Result<Value<'a>, Failure> {
    i64::try_from(items).map(Value::Int).map_err(|_| Failure::Overflow)
}
