//! Arithmetic that neither panics nor wraps.

use rust_decimal::Decimal;

use crate::syntax::Operator;
use crate::value::Value;

/// Calculates on two numbers of one type. Nothing means overflow; a division by zero is absent,
/// which the checker has made the rule deal with.
pub(super) fn calculate<'a>(operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Option<Value<'a>> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => int(operator, *left, *right),
        (Value::Decimal(left), Value::Decimal(right)) => decimal(operator, *left, *right),
        (Value::Float(left), Value::Float(right)) => float(operator, *left, *right),
        // An absent operand is the result of an absent operation inside of this one.
        _ => Some(Value::Absent),
    }
}

/// Changes the sign.
pub(super) fn negate<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Decimal(value) => Some(Value::Decimal(unsigned_zero(-*value))),
        Value::Float(value) => Some(Value::Float(-*value)),
        _ => Some(Value::Absent),
    }
}

fn int<'a>(operator: Operator, left: i64, right: i64) -> Option<Value<'a>> {
    match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        _ if right == 0 => return Some(Value::Absent),
        _ => left.checked_div(right),
    }
    .map(Value::Int)
}

fn decimal<'a>(operator: Operator, left: Decimal, right: Decimal) -> Option<Value<'a>> {
    match operator {
        Operator::Add => exact_sum(left, right),
        Operator::Subtract => exact_sum(left, -right),
        Operator::Multiply => exact_product(left, right),
        _ if right.is_zero() => return Some(Value::Absent),
        _ => left.checked_div(right),
    }
    .map(|value| Value::Decimal(unsigned_zero(value)))
}

/// Zero without the minus that the library gives it; a record shows `0`, however it came about.
fn unsigned_zero(mut value: Decimal) -> Decimal {
    if value.is_zero() {
        value.set_sign_positive(true);
    }
    value
}

/// The sum, unless digits would be lost: the library rounds what does not fit into 28 digits.
fn exact_sum(left: Decimal, right: Decimal) -> Option<Decimal> {
    let sum = left.checked_add(right)?;
    let (left, right) = (left.normalize(), right.normalize());
    let needed = left.scale().max(right.scale());
    let lost = needed.saturating_sub(sum.scale());
    // Only digits of the same weight can add up to zeros, which may be left out.
    let zeros =
        || left.scale() == right.scale() && (left.mantissa() + right.mantissa()) % 10_i128.pow(lost) == 0;
    (lost == 0 || zeros()).then_some(sum)
}

/// The product, unless digits would be lost.
fn exact_product(left: Decimal, right: Decimal) -> Option<Decimal> {
    let product = left.checked_mul(right)?;
    let (left, right) = (left.normalize(), right.normalize());
    if left.is_zero() || right.is_zero() {
        return Some(product);
    }
    let lost = (left.scale() + right.scale()).saturating_sub(product.scale());
    // The product ends in as many zeros as its factors have pairs of two and five; these may be left out.
    let times = |factor| times_divisible(left.mantissa(), factor) + times_divisible(right.mantissa(), factor);
    (lost == 0 || lost <= times(2).min(times(5))).then_some(product)
}

fn times_divisible(mut number: i128, factor: i128) -> u32 {
    let mut times = 0;
    while number != 0 && number % factor == 0 {
        number /= factor;
        times += 1;
    }
    times
}

fn float<'a>(operator: Operator, left: f64, right: f64) -> Option<Value<'a>> {
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        _ if right == 0.0 => return Some(Value::Absent),
        _ => left / right,
    };
    result.is_finite().then_some(Value::Float(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_int_overflow_instead_of_wrapping() {
        let run = |operator, left, right| calculate(operator, &Value::Int(left), &Value::Int(right));
        assert!(run(Operator::Add, i64::MAX, 1).is_none());
        assert!(run(Operator::Subtract, i64::MIN, 1).is_none());
        assert!(run(Operator::Multiply, i64::MIN, -1).is_none());
        assert!(run(Operator::Divide, i64::MIN, -1).is_none());
        assert!(matches!(run(Operator::Divide, 1, 0), Some(Value::Absent)));
        assert!(negate(&Value::Int(i64::MIN)).is_none());
    }
}
