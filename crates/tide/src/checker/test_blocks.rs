//! `test` blocks: the event is JSON, and what is expected is typed like everything else.

use super::Checker;
use super::frame::Frame;
use crate::diagnostic::{Diagnostic, suggest};
use crate::json::{Fault, Reader};
use crate::limits::MAX_JSON_DEPTH;
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::{Expectation, ExpectationKind, ExprKind, Name, Operator, TestDeclaration};
use crate::testing::{Expected, Test};
use crate::types::{Record, Type};

impl<'a> Checker<'a> {
    pub(super) fn tests(&mut self) -> Vec<Test> {
        // What a test expects can only be typed when the record is known.
        if self.plan.record == usize::MAX || self.file.rules.is_empty() {
            return Vec::new();
        }
        let file = self.file;
        for (index, test) in file.tests.iter().enumerate() {
            if let Some(first) = file.tests[..index].iter().find(|other| other.name.text == test.name.text) {
                let diagnostic =
                    Diagnostic::error("E0105", format!("two tests are called \"{}\"", test.name.text))
                        .label(test.name.span, "used again")
                        .label(first.name.span, "first used here");
                self.report(diagnostic);
            }
        }
        file.tests.iter().filter_map(|test| self.test(test)).collect()
    }

    fn test(&mut self, test: &'a TestDeclaration) -> Option<Test> {
        let name = &test.name;
        let Some(given) = test.given else {
            self.incomplete(name, "no event", "add `given { ... }` with an event in JSON");
            return None;
        };
        if test.expectations.is_empty() {
            self.incomplete(
                name,
                "nothing is expected",
                "add `expect record.field == value` or `expect reject`",
            );
        }
        self.is_json(given);
        self.scopes.open();
        let record_name = Name { text: "record".into(), span: name.span };
        self.scopes.start();
        self.frame = Frame::new(Type::Error, name.span);
        self.new_name(&record_name, Type::Record(self.plan.record), false, None);
        let event = self.text(given).to_string();
        let expected = test
            .expectations
            .iter()
            .filter_map(|expectation| self.expectation(expectation, &event))
            .collect();
        self.scopes.close();
        Some(Test { name: name.text.clone(), span: name.span, event, expected })
    }

    fn incomplete(&mut self, name: &Name, what: &str, help: &str) {
        let diagnostic = Diagnostic::error("E0402", format!("the test \"{}\" is not complete", name.text))
            .label(name.span, what)
            .help(help);
        self.report(diagnostic);
    }

    fn is_json(&mut self, given: Span) {
        let text = &self.source.text[given.start..given.end];
        let read = |text: &str| -> Result<(), Fault> {
            let mut reader = Reader::new(text.as_bytes(), MAX_JSON_DEPTH)?;
            reader.skip_value()?;
            reader.finish()
        };
        if let Err(fault) = read(text) {
            let at = given.start + fault.offset;
            self.report(
                Diagnostic::error("E0401", format!("this is not JSON: {}", fault.message()))
                    .label(Span::new(at, at + 1), fault.message())
                    .help("`given` holds JSON as it comes in: keys in quotes, no comma after the last one"),
            );
        }
    }

    fn expectation(&mut self, expectation: &'a Expectation, given: &str) -> Option<(Span, Expected)> {
        let expected = match &expectation.kind {
            ExpectationKind::Reject { at: None } => Expected::Reject(None),
            ExpectationKind::Reject { at: Some(pointer) } => {
                self.pointer_exists(pointer, given);
                Expected::Reject(Some(pointer.text.clone()))
            }
            ExpectationKind::Holds(expr) => {
                if let ExprKind::Binary { operator: Operator::Equal, left, right, .. } = &expr.kind {
                    // The sides are kept apart, so that a failing test can show both.
                    let node = self.expression(expr, None);
                    let Node::Compare { left: a, right: b, .. } = node.node else { return None };
                    let texts = (self.text(left.span).to_string(), self.text(right.span).to_string());
                    return Some((expectation.span, Expected::Equal { left: *a, right: *b, texts }));
                }
                Expected::Holds(self.condition(expr), self.text(expr.span).to_string())
            }
        };
        Some((expectation.span, expected))
    }

    /// Sees to it that a pointer can point at something: at a field that is declared, or at one that
    /// the given event has though it is not.
    fn pointer_exists(&mut self, pointer: &Name, given: &str) {
        if pointer.text.is_empty() {
            return;
        }
        if !pointer.text.starts_with('/') {
            self.bad_pointer(pointer, Some(format!("did you mean \"/{}\"?", pointer.text)));
            return;
        }
        let mut types = vec![self.plan.event.clone()];
        for step in pointer.text.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let records: Vec<&Record> = types.iter().flat_map(|ty| self.records_of(ty)).collect();
            let mut inside: Vec<Type> = types.iter().filter_map(item_type).collect();
            // Inside of what has neither fields nor items, every place is taken to be one.
            if records.is_empty() && inside.is_empty() {
                return;
            }
            let fields = records.iter().flat_map(|record| &record.fields);
            inside.extend(fields.clone().filter(|field| field.name == step).map(|field| field.ty.clone()));
            if inside.is_empty() {
                if !given.contains(&format!("\"{step}\"")) {
                    let meant = suggest(&step, fields.map(|field| field.name.as_str()));
                    self.bad_pointer(pointer, meant.map(|meant| format!("did you mean `{meant}`?")));
                }
                return;
            }
            types = inside;
        }
    }

    /// The records that a value of the type can be.
    fn records_of(&self, ty: &Type) -> Vec<&Record> {
        let ids = match ty.present() {
            Type::Record(id) => vec![*id],
            Type::Choice(id) => self.plan.types.choices[*id].cases.iter().map(|case| case.record).collect(),
            _ => Vec::new(),
        };
        ids.into_iter().filter_map(|id| self.plan.types.records.get(id)).collect()
    }

    fn bad_pointer(&mut self, pointer: &Name, help: Option<String>) {
        let mut diagnostic = Diagnostic::error("E0403", "the event has no such place")
            .label(pointer.span, "points at nothing that is declared");
        diagnostic.help = help;
        self.report(diagnostic);
    }
}

/// The type of what is in a list or a map.
fn item_type(ty: &Type) -> Option<Type> {
    match ty.present() {
        Type::List(item) | Type::Map(item) => Some((**item).clone()),
        _ => None,
    }
}
