//! `float`: a whole number or a decimal as Float.

use super::{Builtin, Example, Failure, Kind, Overload, decimal, int};
use crate::value::{Value, nearest_float};

pub(super) const BUILTIN: Builtin = Builtin {
    name: "float",
    signature: "float(value: Int | Decimal) -> Float",
    doc: "Converts to the nearest Float.",
    example: Example { expression: "float(3)", ty: "Float", value: "3.0" },
    overloads: &[
        Overload { parameters: &[Kind::Int], result: Kind::Float, run: from_int },
        Overload { parameters: &[Kind::Decimal], result: Kind::Float, run: from_decimal },
    ],
};

fn from_int<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    // Rounding to the nearest is what the conversion is for.
    #[expect(clippy::cast_precision_loss, reason = "the nearest Float is wanted")]
    let value = int(arguments, 0) as f64;
    Ok(Value::Float(value))
}

fn from_decimal<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Float(nearest_float(decimal(arguments, 0))))
}
