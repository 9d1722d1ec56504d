//! Comparisons whose outcome the condition of a field has settled already.

use rust_decimal::Decimal;

use super::{Checker, Typed};
use crate::diagnostic::Diagnostic;
use crate::plan::Node;
use crate::refinement::Range;
use crate::syntax::Operator;
use crate::types::Type;
use crate::value::Constant;

impl Checker<'_> {
    /// Warns of a comparison that has one outcome whatever the event.
    pub(super) fn decided(&mut self, operator: Operator, left: &Typed, right: &Typed) {
        let decided = match (number(&left.node), number(&right.node)) {
            (None, Some(value)) => self.outcome(operator, left, value),
            (Some(value), None) => self.outcome(mirrored(operator), right, value),
            _ => None,
        };
        let Some((outcome, range)) = decided else { return };
        self.report(
            Diagnostic::warning("W0504", format!("this comparison is always {outcome}"))
                .label(left.span.to(right.span), format!("the value is in {range}"))
                .help("remove it, or correct the condition of the field"),
        );
    }

    fn outcome(&self, operator: Operator, value: &Typed, other: Decimal) -> Option<(bool, String)> {
        let declared = self.range_of(&value.node)?;
        let range = if *value.ty.present() == Type::Int { whole(declared) } else { declared.clone() };
        let outcome = match operator {
            Operator::Less => known(below(&range, other), at_least(&range, other)),
            Operator::LessOrEqual => known(at_most(&range, other), above(&range, other)),
            Operator::Greater => known(above(&range, other), at_most(&range, other)),
            Operator::GreaterOrEqual => known(at_least(&range, other), below(&range, other)),
            Operator::Equal => known(false, below(&range, other) || above(&range, other)),
            Operator::NotEqual => known(below(&range, other) || above(&range, other), false),
            Operator::Or
            | Operator::And
            | Operator::In
            | Operator::NotIn
            | Operator::Coalesce
            | Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide => None,
        };
        outcome.map(|outcome| (outcome, declared.show()))
    }
}

fn known(always: bool, never: bool) -> Option<bool> {
    (always || never).then_some(always)
}

fn number(node: &Node) -> Option<Decimal> {
    match node {
        Node::Constant(Constant::Int(value)) => Some(Decimal::from(*value)),
        Node::Constant(Constant::Decimal(value)) => Some(*value),
        _ => None,
    }
}

/// The operator that says the same with its sides exchanged.
fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        other => other,
    }
}

/// A range of whole numbers with its last one: `..< 10` is `..= 9`.
fn whole(range: &Range) -> Range {
    let high = range.high.map(|(high, inclusive)| {
        let last = if inclusive { Some(high) } else { high.checked_sub(Decimal::ONE) };
        (last.unwrap_or(high), true)
    });
    Range::new(range.low, high)
}

fn below(range: &Range, value: Decimal) -> bool {
    range.high.is_some_and(|(high, inclusive)| high < value || (high == value && !inclusive))
}

fn at_most(range: &Range, value: Decimal) -> bool {
    range.high.is_some_and(|(high, _)| high <= value)
}

fn above(range: &Range, value: Decimal) -> bool {
    range.low > value
}

fn at_least(range: &Range, value: Decimal) -> bool {
    range.low >= value
}
