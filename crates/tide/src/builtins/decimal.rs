//! `decimal`: a whole number or a string as exact decimal.

use rust_decimal::Decimal;

use super::{Builtin, Example, Failure, Kind, Overload, int, text};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "decimal",
    signature: "decimal(value: Int) -> Decimal, decimal(text: String) -> Decimal?",
    doc: "Converts an Int, which always succeeds, or reads a String such as `12.50`, which is absent when the text is no number of at most 28 digits.",
    example: Example { expression: "decimal(\"12.50\") ?? 0", ty: "Decimal", value: "12.50" },
    overloads: &[
        Overload { parameters: &[Kind::Int], result: Kind::Decimal, run: from_int },
        Overload { parameters: &[Kind::String], result: Kind::OptionalDecimal, run: from_text },
    ],
};

fn from_int<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Decimal(Decimal::from(int(arguments, 0))))
}

fn from_text<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    let text = text(arguments, 0);
    // The library also reads `1_0`, `.5` and `+1`; a number of Tide begins and ends with a digit.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let framed =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.ends_with(|c: char| c.is_ascii_digit());
    let value = if plain && framed { Decimal::from_str_exact(text).ok() } else { None };
    Ok(value.map_or(Value::Absent, Value::Decimal))
}
