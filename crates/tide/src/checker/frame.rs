//! What is known of the rule or function whose body is being checked.

use super::narrowing::Fact;
use crate::plan::Place;
use crate::source::Span;
use crate::types::Type;

/// The rule, a function or a test whose body is being checked.
pub(super) struct Frame {
    /// The names it holds, by slot.
    pub(super) slots: Vec<Slot>,
    /// What the conditions met so far say of values.
    pub(super) facts: Vec<Fact>,
    /// What it returns, and where that is promised.
    pub(super) result: Type,
    pub(super) promised: Span,
    /// Whether it is a function, which knows nothing of the event but its arguments.
    pub(super) function: bool,
    /// The functions it calls, with the first call of each.
    pub(super) calls: Vec<(usize, Span)>,
    /// How deep blocks and expressions are nested in it.
    pub(super) height: usize,
}

/// A name and where its value comes from.
pub(super) struct Slot {
    pub(super) ty: Type,
    pub(super) mutable: bool,
    /// The place in the event that the value is, if it is one as a whole.
    pub(super) place: Option<Place>,
    /// The place in the event from which the value was made, if there is one.
    pub(super) origin: Option<Place>,
    /// Whether it was made from several places, so that none of them can be named.
    pub(super) unclear: bool,
}

impl Frame {
    pub(super) fn new(result: Type, promised: Span) -> Self {
        let (slots, facts, calls) = (Vec::new(), Vec::new(), Vec::new());
        Frame { slots, facts, result, promised, function: false, calls, height: 0 }
    }
}
