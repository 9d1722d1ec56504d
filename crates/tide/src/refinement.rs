//! Conditions on the values of a field, beyond its type.

use regex::Regex;
use rust_decimal::Decimal;

use crate::reject::RejectCode;
use crate::value::Value;

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
}

impl Range {
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
    fn broken_by(&self, value: &Value<'_>) -> Option<(RejectCode, String)> {
        match (self, value) {
            (Refinement::Range(range), value) => {
                let inside = match value {
                    Value::Int(value) => range.contains(Decimal::from(*value)),
                    Value::Decimal(value) => range.contains(*value),
                    // A float beyond what a Decimal holds is beyond every range that can be written.
                    Value::Float(value) => Decimal::try_from(*value).is_ok_and(|value| range.contains(value)),
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
