//! `for`: a body that runs once for each item of a list or each entry of a map.

use super::frame::Slot;
use super::{Checker, Typed};
use crate::diagnostic::Diagnostic;
use crate::plan::{Iteration, Node, Place, PlaceStep, Step};
use crate::syntax::{Block, Expr, Name};
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn iteration(&mut self, names: &'a [Name], values: &'a Expr, body: &'a Block) -> Step {
        let typed = self.expression(values, None);
        let typed = self.present(typed);
        let (key_type, item_type) = self.item_types(&typed, names);
        let (place, origin) = (self.place(&typed.node), self.origin(&typed.node));
        self.scopes.open();
        let (key, item) = match names {
            [key, item] => (self.new_name(key, key_type, false, None), item),
            _ => (self.hidden_slot(key_type), &names[0]),
        };
        let item = self.new_name(item, item_type, false, None);
        if let Some(slot) = self.frame.slots.get_mut(item) {
            slot.place = place.map(|place| inside(place, key));
            slot.origin = slot.place.clone().or(origin);
        }
        let facts = self.frame.facts.len();
        let (body, _) = self.block(body);
        self.frame.facts.truncate(facts);
        let warnings = self.scopes.close();
        self.report_all(warnings);
        Step::For(Iteration { values: typed.node, key, item, body })
    }

    /// The types of the keys and of the items.
    fn item_types(&mut self, values: &Typed, names: &[Name]) -> (Type, Type) {
        match (&values.ty, names) {
            (Type::List(item), [_]) => (Type::Int, (**item).clone()),
            (Type::Map(value), [_, _]) => (Type::String, (**value).clone()),
            (Type::Error, _) => (Type::Error, Type::Error),
            (other, _) => {
                let message = format!("`for` does not take {} like this", self.show(other));
                let help = match (other, names) {
                    (Type::List(_), _) => "an item of a list has one name: `for item in list { ... }`",
                    (Type::Map(_), _) => "an entry of a map has two names: `for (key, value) in map { ... }`",
                    _ => {
                        "it takes a List, as in `for item in list`, or a Map, as in `for (key, value) in map`"
                    }
                };
                let label = format!("this is {}", self.show(other));
                self.report(Diagnostic::error("E0203", message).label(values.span, label).help(help));
                (Type::Error, Type::Error)
            }
        }
    }

    /// A slot without a name.
    fn hidden_slot(&mut self, ty: Type) -> usize {
        let slot = self.scopes.hidden();
        self.frame.slots.push(Slot { ty, mutable: false, place: None, origin: None, unclear: false });
        slot
    }

    /// The place in the event that a value is, if it is one as a whole.
    pub(super) fn place(&self, node: &Node) -> Option<Place> {
        let Node::Path { slot, fields } = node else { return None };
        let held = self.frame.slots.get(*slot)?;
        let mut place = held.place.clone()?;
        let mut ty = held.ty.clone();
        for (depth, &index) in fields.iter().enumerate() {
            let record = self.record_of(&ty, *slot, &fields[..depth])?;
            let field = self.plan.types.records.get(record)?.fields.get(index)?;
            place.push(PlaceStep::Field(field.name.clone()));
            ty = field.ty.clone();
        }
        Some(place)
    }
}

/// The place of an item whose position is held in a slot.
fn inside(mut place: Place, key: usize) -> Place {
    place.push(PlaceStep::Slot(key));
    place
}
