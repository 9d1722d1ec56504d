//! `abs`: the value without its sign.

use super::{Builtin, Example, Failure, Kind, Overload, decimal, float, int};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "abs",
    signature: "abs(number: Int | Decimal | Float) -> the same type",
    doc: "Returns the number without its sign. The smallest Int has no positive counterpart and is rejected as overflow.",
    example: Example { expression: "abs(-12.50)", ty: "Decimal", value: "12.50" },
    overloads: &[
        Overload { parameters: &[Kind::Int], result: Kind::Int, run: int_abs },
        Overload { parameters: &[Kind::Decimal], result: Kind::Decimal, run: decimal_abs },
        Overload { parameters: &[Kind::Float], result: Kind::Float, run: float_abs },
    ],
};

fn int_abs<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    int(arguments, 0).checked_abs().map(Value::Int).ok_or(Failure::Overflow)
}

fn decimal_abs<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Decimal(decimal(arguments, 0).abs()))
}

fn float_abs<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Float(float(arguments, 0).abs()))
}
