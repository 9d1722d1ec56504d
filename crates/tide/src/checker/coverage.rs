//! Which values the cases of a `match` have handled so far.

use crate::plan::Pattern;
use crate::source::Span;
use crate::value::Constant;

/// The patterns met so far that hold without a further condition.
#[derive(Default)]
pub(super) struct Covered {
    pub(super) patterns: Vec<(Pattern, Span)>,
    pub(super) any: Option<Span>,
}

impl Covered {
    /// The pattern that handles everything that this one does, if there is one.
    pub(super) fn previous(&self, pattern: &Pattern) -> Option<Span> {
        let same = self.patterns.iter().find(|(other, _)| other == pattern);
        if let Some((_, span)) = same {
            return Some(*span);
        }
        let range = bounds(pattern)?;
        if !self.missing_ints(range).is_empty() {
            return None;
        }
        let overlaps =
            |other: &Pattern| bounds(other).is_some_and(|(low, high)| low <= range.1 && range.0 <= high);
        self.patterns.iter().find(|(other, _)| overlaps(other)).map(|(_, span)| *span)
    }

    pub(super) fn has(&self, pattern: &Pattern) -> bool {
        self.patterns.iter().any(|(other, _)| other == pattern)
    }

    pub(super) fn has_text(&self, text: &str) -> bool {
        self.patterns
            .iter()
            .any(|(other, _)| matches!(other, Pattern::Constant(Constant::Text(covered)) if covered == text))
    }

    /// The parts of a range of integers, both ends included, that no pattern handles.
    pub(super) fn missing_ints(&self, (low, high): (i64, i64)) -> Vec<(i64, i64)> {
        let mut covered: Vec<(i64, i64)> =
            self.patterns.iter().filter_map(|(pattern, _)| bounds(pattern)).collect();
        covered.sort_unstable();
        let mut missing = Vec::new();
        let mut next = Some(low);
        for (from, to) in covered {
            let Some(start) = next.filter(|start| *start <= high) else { break };
            if from > start {
                missing.push((start, high.min(from - 1)));
            }
            next = if to >= start { to.checked_add(1) } else { next };
        }
        if let Some(start) = next.filter(|start| *start <= high) {
            missing.push((start, high));
        }
        missing
    }
}

/// The integers that a pattern takes, both ends included.
pub(super) fn bounds(pattern: &Pattern) -> Option<(i64, i64)> {
    match pattern {
        Pattern::Range(low, high) => Some((*low, *high)),
        Pattern::Constant(Constant::Int(value)) => Some((*value, *value)),
        Pattern::Constant(_) | Pattern::Absent => None,
    }
}

/// A range of integers as a pattern that takes it, or `_` where none can be written.
pub(super) fn shown((low, high): (i64, i64)) -> String {
    match (low, high) {
        (i64::MIN, _) => "_".into(),
        (low, i64::MAX) => format!("{low} .."),
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low} ..= {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(ranges: &[(i64, i64)]) -> Covered {
        let place = Span::new(0, 0);
        let patterns = ranges.iter().map(|(low, high)| (Pattern::Range(*low, *high), place)).collect();
        Covered { patterns, any: None }
    }

    #[test]
    fn gaps_are_found_up_to_the_edges() {
        let all = (i64::MIN, i64::MAX);
        assert_eq!(covered(&[]).missing_ints(all), [all]);
        assert_eq!(covered(&[all]).missing_ints(all), []);
        assert_eq!(covered(&[(5, 9), (0, 3)]).missing_ints((0, 10)), [(4, 4), (10, 10)]);
        assert_eq!(covered(&[(0, 9), (2, 3)]).missing_ints((0, 10)), [(10, 10)]);
        assert_eq!(covered(&[(20, 30)]).missing_ints((0, 10)), [(0, 10)]);
    }
}
