//! Conditions on the values of a field, beyond its type.

use regex::Regex;
use rust_decimal::Decimal;

use crate::reject::RejectCode;
use crate::value::{Value, nearest_float};

/// A condition. The checker sees to it that it suits the type of the field.
#[derive(Clone, Debug)]
pub(crate) enum Refinement {
    Range(Range),
    Matching(Regex),
    /// Characters of a string or items of a list; both ends belong to it.
    Length {
        min: usize,
        max: Option<usize>,
    },
}

/// A range of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: Decimal,
    /// The upper end and whether it belongs to the range.
    pub(crate) high: Option<(Decimal, bool)>,
    /// The ends as a Float is compared with them: turned into a Decimal, it would lose digits.
    floats: (f64, f64),
}

impl Range {
    pub(crate) fn new(low: Decimal, high: Option<(Decimal, bool)>) -> Self {
        let top = high.map_or(f64::INFINITY, |(high, _)| nearest_float(high));
        Range { low, high, floats: (nearest_float(low), top) }
    }

    fn contains_float(&self, value: f64) -> bool {
        let (low, high) = self.floats;
        let inclusive = self.high.is_none_or(|(_, inclusive)| inclusive);
        value >= low && if inclusive { value <= high } else { value < high }
    }

    fn contains(&self, value: Decimal) -> bool {
        let below = |(high, inclusive): (Decimal, bool)| if inclusive { value <= high } else { value < high };
        value >= self.low && self.high.is_none_or(below)
    }

    /// The range as it is written.
    pub(crate) fn show(&self) -> String {
        match self.high {
            Some((high, true)) => format!("{} ..= {high}", self.low),
            Some((high, false)) => format!("{} ..< {high}", self.low),
            None => format!("{} ..", self.low),
        }
    }
}

/// The first condition that a value breaks, as a code and a description of what was expected.
pub(crate) fn broken(refinements: &[Refinement], value: &Value<'_>) -> Option<(RejectCode, String)> {
    refinements.iter().find_map(|refinement| refinement.broken_by(value))
}

impl Refinement {
    /// What it costs to check a value, in steps. A pattern looks longer at each character than the others.
    pub(crate) fn cost(&self, value: &Value<'_>) -> u64 {
        match self {
            Refinement::Range(_) => 0,
            Refinement::Matching(_) => value.weight() * 4,
            Refinement::Length { .. } => value.weight(),
        }
    }

    fn broken_by(&self, value: &Value<'_>) -> Option<(RejectCode, String)> {
        match (self, value) {
            (Refinement::Range(range), value) => {
                let inside = match value {
                    Value::Int(value) => range.contains(Decimal::from(*value)),
                    Value::Decimal(value) => range.contains(*value),
                    Value::Float(value) => range.contains_float(*value),
                    _ => true,
                };
                (!inside).then(|| (RejectCode::OutOfRange, format!("a number in {}", range.show())))
            }
            (Refinement::Matching(pattern), Value::Text(text)) => (!pattern.is_match(text.as_str()))
                .then(|| (RejectCode::Pattern, format!("a string that matches {}", pattern.as_str()))),
            (Refinement::Length { min, max }, Value::Text(text)) => {
                outside(text.as_str().chars().count(), *min, *max).then(|| length(*min, *max, "characters"))
            }
            (Refinement::Length { min, max }, Value::List(items)) => {
                outside(items.len(), *min, *max).then(|| length(*min, *max, "items"))
            }
            (Refinement::Length { min, max }, Value::Map(entries)) => {
                outside(entries.len(), *min, *max).then(|| length(*min, *max, "entries"))
            }
            _ => None,
        }
    }
}

fn outside(count: usize, min: usize, max: Option<usize>) -> bool {
    count < min || max.is_some_and(|max| count > max)
}

fn length(min: usize, max: Option<usize>, unit: &str) -> (RejectCode, String) {
    let expected = match max {
        Some(max) => format!("{min} to {max} {unit}"),
        None => format!("at least {min} {unit}"),
    };
    (RejectCode::Length, expected)
}
