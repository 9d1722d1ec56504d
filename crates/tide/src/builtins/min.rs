//! `min`: the smaller of two numbers.

use super::{Builtin, Example, Failure, Kind, Overload, decimal, float, int};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "min",
    signature: "min(a: number, b: number) -> the same type",
    doc: "Returns the smaller of two numbers of one type.",
    example: Example { expression: "min(3, 5)", ty: "Int", value: "3" },
    overloads: &[
        Overload { parameters: &[Kind::Int, Kind::Int], result: Kind::Int, run: int_min },
        Overload { parameters: &[Kind::Decimal, Kind::Decimal], result: Kind::Decimal, run: decimal_min },
        Overload { parameters: &[Kind::Float, Kind::Float], result: Kind::Float, run: float_min },
    ],
};

fn int_min<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Int(int(arguments, 0).min(int(arguments, 1))))
}

fn decimal_min<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Decimal(decimal(arguments, 0).min(decimal(arguments, 1))))
}

fn float_min<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Float(float(arguments, 0).min(float(arguments, 1))))
}
