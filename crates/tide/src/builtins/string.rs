//! `string`: a value as text.

use super::{Builtin, Example, Failure, Kind, Overload, made};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "string",
    signature: "string(value: Int | Decimal | Float | Bool | String) -> String",
    doc: "Writes the value as it would stand in JSON; a String stays as it is.",
    example: Example { expression: "string(12.50)", ty: "String", value: "\"12.50\"" },
    overloads: &[
        Overload { parameters: &[Kind::Int], result: Kind::String, run },
        Overload { parameters: &[Kind::Decimal], result: Kind::String, run },
        Overload { parameters: &[Kind::Float], result: Kind::String, run },
        Overload { parameters: &[Kind::Bool], result: Kind::String, run },
        Overload { parameters: &[Kind::String], result: Kind::String, run },
    ],
};

fn run<'a>(arguments: &[Value<'a>], max_bytes: usize) -> Result<Value<'a>, Failure> {
    match arguments.first() {
        Some(Value::Int(value)) => made(value.to_string(), max_bytes),
        Some(Value::Decimal(value)) => made(value.to_string(), max_bytes),
        Some(Value::Float(value)) => made(format!("{value:?}"), max_bytes),
        Some(Value::Bool(value)) => made(value.to_string(), max_bytes),
        Some(value) => Ok(value.clone()),
        None => Ok(Value::Absent),
    }
}
