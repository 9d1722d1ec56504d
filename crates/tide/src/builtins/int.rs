//! `int`: a string or a decimal as whole number.

use rust_decimal::prelude::ToPrimitive;

use super::{Builtin, Example, Failure, Kind, Overload, decimal, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "int",
    signature: "int(value: String | Decimal) -> Int?",
    doc: "Reads a whole number; absent when the text is none, when the Decimal has a fraction, or when it does not fit into 64 bits.",
    example: Example { expression: "int(\"42\") ?? 0", ty: "Int", value: "42" },
    overloads: &[
        Overload { parameters: &[Kind::String], result: Kind::OptionalInt, run: from_text },
        Overload { parameters: &[Kind::Decimal], result: Kind::OptionalInt, run: from_decimal },
    ],
};

fn from_text<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    let text = text(arguments, 0);
    let value = if text.starts_with('+') { None } else { text.parse().ok() };
    Ok(value.map_or(Value::Absent, Value::Int))
}

fn from_decimal<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    let value = decimal(arguments, 0);
    let whole = if value.fract().is_zero() { value.to_i64() } else { None };
    Ok(whole.map_or(Value::Absent, Value::Int))
}
