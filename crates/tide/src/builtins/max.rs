//! `max`: the larger of two numbers.

use super::{Builtin, Example, Failure, Kind, Overload, decimal, float, int};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "max",
    signature: "max(a: number, b: number) -> the same type",
    doc: "Returns the larger of two numbers of one type.",
    example: Example { expression: "max(3, 5)", ty: "Int", value: "5" },
    overloads: &[
        Overload { parameters: &[Kind::Int, Kind::Int], result: Kind::Int, run: int_max },
        Overload { parameters: &[Kind::Decimal, Kind::Decimal], result: Kind::Decimal, run: decimal_max },
        Overload { parameters: &[Kind::Float, Kind::Float], result: Kind::Float, run: float_max },
    ],
};

fn int_max<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Int(int(arguments, 0).max(int(arguments, 1))))
}

fn decimal_max<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Decimal(decimal(arguments, 0).max(decimal(arguments, 1))))
}

fn float_max<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Float(float(arguments, 0).max(float(arguments, 1))))
}
