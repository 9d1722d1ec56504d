//! What a condition says of the values it asks about: behind `x is present`, `x` is there.
//!
//! Only names without `mut` are followed, so that what was once known stays true.

use super::{Checker, Typed};
use crate::plan::Node;
use crate::syntax::Operator;
use crate::types::Type;

/// Something that is known of a value, given by its name and the way to one of its fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    /// The value is there, and so is every record on the way to it.
    Present { slot: usize, fields: Vec<usize> },
    /// The value is of the case with this record.
    Case { slot: usize, fields: Vec<usize>, record: usize },
}

impl Checker<'_> {
    /// Checks something under what is known if a condition has come out in a certain way.
    pub(super) fn assuming<T>(&mut self, facts: Vec<Fact>, check: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.frame.facts.len();
        self.frame.facts.extend(facts);
        let result = check(self);
        self.frame.facts.truncate(before);
        result
    }

    /// What is known if a condition is true, or if it is false.
    pub(super) fn facts(&self, condition: &Node, truth: bool) -> Vec<Fact> {
        match condition {
            Node::Not(inner) => self.facts(inner, !truth),
            Node::And(left, right) if truth => self.facts_of_both(left, right, truth),
            Node::Or(left, right) if !truth => self.facts_of_both(left, right, truth),
            Node::IsPresent { value, wanted } if *wanted == truth => self.present_fact(value),
            Node::Compare { operator: Operator::Equal, left, right } if truth => self.tag_fact(left, right),
            Node::Compare { operator: Operator::NotEqual, left, right } if !truth => {
                self.tag_fact(left, right)
            }
            Node::InConstant { item, list, wanted } if *wanted == truth => {
                self.case_fact(item, &list.iter().collect::<Vec<_>>()).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn facts_of_both(&self, left: &Node, right: &Node, truth: bool) -> Vec<Fact> {
        let mut facts = self.facts(left, truth);
        facts.extend(self.facts(right, truth));
        facts
    }

    /// That the tag of a record is this string.
    fn tag_fact(&self, left: &Node, right: &Node) -> Vec<Fact> {
        let fact = match (left, right) {
            (tag, Node::Constant(text)) | (Node::Constant(text), tag) => self.case_fact(tag, &[text]),
            _ => None,
        };
        fact.into_iter().collect()
    }

    /// That a value is there, if it is one that can be followed.
    pub(super) fn present_fact(&self, value: &Node) -> Vec<Fact> {
        match self.followed(value) {
            Some((slot, fields)) => vec![Fact::Present { slot, fields: fields.to_vec() }],
            None => Vec::new(),
        }
    }

    /// The name and the fields of a value that cannot change.
    pub(super) fn followed<'n>(&self, value: &'n Node) -> Option<(usize, &'n [usize])> {
        match value {
            Node::Path { slot, fields } => {
                let fixed = self.frame.slots.get(*slot).is_some_and(|slot| !slot.mutable);
                fixed.then_some((*slot, fields.as_slice()))
            }
            _ => None,
        }
    }

    /// Gives a value the type that it has under what is known.
    pub(super) fn narrowed(&self, mut typed: Typed) -> Typed {
        let Some((slot, fields)) = self.followed(&typed.node) else { return typed };
        if let Type::Optional(inner) = &typed.ty
            && self.is_known_present(slot, fields)
        {
            typed.ty = (**inner).clone();
        }
        if let (Type::Choice(_), Some(record)) = (&typed.ty, self.known_case(slot, fields)) {
            typed.ty = Type::Record(record);
        }
        typed
    }

    fn is_known_present(&self, slot: usize, fields: &[usize]) -> bool {
        self.frame.facts.iter().any(|fact| match fact {
            Fact::Present { slot: known, fields: way } => *known == slot && way.starts_with(fields),
            Fact::Case { .. } => false,
        })
    }

    /// The record of the case that a value is known to be.
    pub(super) fn known_case(&self, slot: usize, fields: &[usize]) -> Option<usize> {
        self.frame.facts.iter().rev().find_map(|fact| match fact {
            Fact::Case { slot: known, fields: way, record } => {
                (*known == slot && way == fields).then_some(*record)
            }
            Fact::Present { .. } => None,
        })
    }
}

/// What is known on every one of several ways.
pub(super) fn common(mut ways: Vec<Vec<Fact>>) -> Vec<Fact> {
    let Some(mut facts) = ways.pop() else { return Vec::new() };
    facts.retain(|fact| ways.iter().all(|way| way.iter().any(|other| implies(other, fact))));
    facts
}

fn implies(known: &Fact, wanted: &Fact) -> bool {
    match (known, wanted) {
        (Fact::Present { slot: a, fields: way }, Fact::Present { slot: b, fields }) => {
            a == b && way.starts_with(fields)
        }
        (known, wanted) => known == wanted,
    }
}
