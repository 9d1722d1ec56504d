//! Which numbers a value can be, as far as the conditions of its field tell.

use rust_decimal::prelude::ToPrimitive;

use super::Checker;
use crate::plan::Node;
use crate::refinement::{Range, Refinement};

impl Checker<'_> {
    /// The integers that a value can be, both ends included.
    pub(super) fn int_domain(&self, node: &Node) -> (i64, i64) {
        let Some(range) = self.range_of(node) else { return (i64::MIN, i64::MAX) };
        let low = range.low.to_i64().unwrap_or(i64::MIN);
        let high = match range.high {
            Some((high, inclusive)) => high.to_i64().map(|high| high.saturating_sub(i64::from(!inclusive))),
            None => None,
        };
        (low, high.unwrap_or(i64::MAX))
    }

    /// The range that is declared for the field that a value is.
    pub(super) fn range_of(&self, node: &Node) -> Option<&Range> {
        let Node::Path { slot, fields } = node else { return None };
        let mut ty = &self.frame.slots.get(*slot)?.ty;
        let mut refinements: &[Refinement] = &[];
        for (depth, &index) in fields.iter().enumerate() {
            let record = self.record_of(ty, *slot, &fields[..depth])?;
            let field = self.plan.types.records.get(record)?.fields.get(index)?;
            (ty, refinements) = (&field.ty, &field.refinements);
        }
        refinements.iter().find_map(|refinement| match refinement {
            Refinement::Range(range) => Some(range),
            Refinement::Matching(_) | Refinement::Length { .. } => None,
        })
    }
}
