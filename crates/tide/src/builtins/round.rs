//! `round`: a decimal with fewer places.

use rust_decimal::RoundingStrategy;

use super::{Builtin, Example, Failure, Kind, Overload, decimal, int};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "round",
    signature: "round(value: Decimal, places: Int) -> Decimal",
    doc: "Rounds to so many places after the point, halves away from zero. Places below 0 count as 0, above 28 as 28.",
    example: Example { expression: "round(2.345, 2)", ty: "Decimal", value: "2.35" },
    overloads: &[Overload { parameters: &[Kind::Decimal, Kind::Int], result: Kind::Decimal, run }],
};

fn run<'a>(arguments: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    let places = u32::try_from(int(arguments, 1).clamp(0, 28)).unwrap_or(0);
    let strategy = RoundingStrategy::MidpointAwayFromZero;
    let mut rounded = decimal(arguments, 0).round_dp_with_strategy(places, strategy);
    // What is rounded to zero has no sign.
    if rounded.is_zero() {
        rounded.set_sign_positive(true);
    }
    Ok(Value::Decimal(rounded))
}
