//! The rule and its statements: assignments, branches, `return` and `reject`.

use super::frame::{Frame, Slot};
use super::narrowing::common;
use super::{Checker, Typed, Wanted};
use crate::diagnostic::{Diagnostic, suggest};
use crate::limits::MAX_ITEMS;
use crate::plan::{Function, Node, Step};
use crate::source::Span;
use crate::syntax::{Block, Expr, ExprKind, Name, RuleDeclaration, Statement, StatementKind};
use crate::types::{Field, Type};

/// Whether control goes on behind a piece of code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    GoesOn,
    Ends,
}

impl<'a> Checker<'a> {
    pub(super) fn rule(&mut self) {
        let Some(rule) = self.file.rules.first() else { return };
        self.signature(rule);
        let id = self.plan.record;
        let result = if id == usize::MAX { Type::Error } else { Type::Record(id) };
        self.frame = Frame::new(result, rule.result.span);
        self.scopes.start();
        self.scopes.open();
        let event = self.plan.event.clone();
        let event = self.new_name(&rule.parameter, event, false, None);
        self.frame.slots[event].place = Some(Vec::new());
        self.scopes.excuse(&rule.parameter.text);
        let body = self.body(&rule.body, &rule.name);
        self.scopes.close();
        self.plan.rule = Function { slots: self.scopes.slots, body };
    }

    /// Checks the body of the rule or of a function.
    pub(super) fn body(&mut self, block: &'a Block, name: &Name) -> Vec<Step> {
        let (steps, flow) = self.block(block);
        if flow == Flow::GoesOn {
            let promised = self.show(&self.frame.result);
            self.report(
                Diagnostic::error("E0303", format!("a path through `{}` returns nothing", name.text))
                    .label(block.end, "it can come to its end here")
                    .label(self.frame.promised, format!("{promised} is promised here"))
                    .help("end every path with `return` or `reject`"),
            );
        }
        steps
    }

    fn signature(&mut self, rule: &'a RuleDeclaration) {
        if let Some(event) = self.file.events.first()
            && rule.parameter_type.text != event.name.text
        {
            let diagnostic =
                Diagnostic::error("E0103", format!("`{}` is not the event", rule.parameter_type.text))
                    .label(rule.parameter_type.span, format!("expected `{}`", event.name.text))
                    .label(event.name.span, "the event is declared here")
                    .help(format!("write `{}: {}`", rule.parameter.text, event.name.text));
            self.report(diagnostic);
        }
        match self.named_or_unknown(&rule.result) {
            Type::Record(id) => self.plan.record = id,
            Type::Error => {}
            _ => {
                let diagnostic =
                    Diagnostic::error("E0103", format!("`{}` is not a record", rule.result.text))
                        .label(rule.result.span, "a rule returns a record");
                self.report(diagnostic);
            }
        }
    }

    pub(super) fn block(&mut self, block: &'a Block) -> (Vec<Step>, Flow) {
        self.scopes.open();
        let facts = self.frame.facts.len();
        let mut steps = Vec::new();
        let mut ended: Option<Span> = None;
        let mut told = false;
        for statement in &block.statements {
            if let Some(end) = ended
                && !std::mem::replace(&mut told, true)
            {
                self.report(
                    Diagnostic::error("E0304", "this statement is never reached")
                        .label(statement.span, "unreachable")
                        .label(end, "the rule ends here in any case")
                        .help("remove it, or move it up"),
                );
            }
            let (step, flow) = self.statement(statement);
            steps.extend(step);
            if flow == Flow::Ends && ended.is_none() {
                ended = Some(statement.span);
            }
        }
        self.frame.facts.truncate(facts);
        let warnings = self.scopes.close();
        self.report_all(warnings);
        (steps, if ended.is_some() { Flow::Ends } else { Flow::GoesOn })
    }

    fn statement(&mut self, statement: &'a Statement) -> (Option<Step>, Flow) {
        match &statement.kind {
            StatementKind::Assign { name, mutable, value } => {
                (self.assign(name, *mutable, value), Flow::GoesOn)
            }
            StatementKind::AssignPair { first, second, value } => {
                (Some(self.assign_pair(first, second, value)), Flow::GoesOn)
            }
            StatementKind::If { branches, otherwise } => self.conditional(branches, otherwise.as_ref()),
            StatementKind::For { names, values, body } => {
                (Some(self.iteration(names, values, body)), Flow::GoesOn)
            }
            StatementKind::Return(value) => (self.return_value(value), Flow::Ends),
            StatementKind::Reject { message, at } => (self.reject(message, at.as_ref()), Flow::Ends),
        }
    }

    // --- assignments ---

    fn assign(&mut self, name: &Name, mutable: bool, value: &'a Expr) -> Option<Step> {
        if let Some((binding, innermost)) = self.scopes.find(&name.text) {
            if binding.mutable && !mutable {
                let wanted =
                    Wanted { ty: &binding.ty, reason: Some((binding.span, "its type was set here".into())) };
                let value = self.check(value, &wanted);
                self.remember_origin(binding.slot, &value, innermost);
                return Some(Step::Assign { slot: binding.slot, value });
            }
            self.expression(value, None);
            self.assigned_already(name, binding.span, innermost);
            return None;
        }
        let typed = self.expression(value, None);
        let typed = self.storable(typed);
        let slot = self.new_name(name, typed.ty, mutable, Some(&typed.node));
        Some(Step::Assign { slot, value: typed.node })
    }

    fn assign_pair(&mut self, first: &Name, second: &Name, value: &'a Expr) -> Step {
        let typed = self.expression(value, None);
        let (left, right) = match typed.ty {
            Type::Pair(pair) => *pair,
            Type::Error => (Type::Error, Type::Error),
            Type::Optional(inner) if matches!(*inner, Type::Pair(_)) => {
                self.optional_pair(typed.span);
                (Type::Error, Type::Error)
            }
            other => {
                let message = format!("two names need two values, found {}", self.show(&other));
                self.report(
                    Diagnostic::error("E0202", message)
                        .label(typed.span, "a single value")
                        .help("`split_once` yields two values"),
                );
                (Type::Error, Type::Error)
            }
        };
        let slots = [(first, left), (second, right)].map(|(name, ty)| match self.scopes.find(&name.text) {
            Some((binding, innermost)) => {
                self.assigned_already(name, binding.span, innermost);
                binding.slot
            }
            None => {
                let slot = self.new_name(name, ty, false, Some(&typed.node));
                // Half of a text is no place of its own.
                self.frame.slots[slot].place = None;
                slot
            }
        });
        Step::AssignPair { first: slots[0], second: slots[1], value: typed.node }
    }

    fn optional_pair(&mut self, span: Span) {
        let text = self.text(span).to_string();
        self.report(
            Diagnostic::error("E0201", "the pair may be absent")
                .label(span, "absent when the text has no such separator")
                .help(format!("give two values for that case: `{text} ?? (\"\", \"\")`")),
        );
    }

    pub(super) fn new_name(&mut self, name: &Name, ty: Type, mutable: bool, value: Option<&Node>) -> usize {
        if self.constants.iter().any(|constant| constant.name == name.text) {
            self.report(
                Diagnostic::error("E0107", format!("`{}` is a constant", name.text))
                    .label(name.span, "cannot be assigned")
                    .help("choose another name"),
            );
        }
        if self.scopes.slots >= MAX_ITEMS {
            self.too_many(name.span, "names in this rule", MAX_ITEMS);
            return 0;
        }
        // A name that can change is no place, even if it begins as one.
        let place = value.filter(|_| !mutable).and_then(|value| self.place(value));
        let origin = value.and_then(|value| self.origin(value));
        self.frame.slots.push(Slot { ty: ty.clone(), mutable, place, origin, unclear: false });
        self.scopes.add(name, ty, mutable)
    }

    /// Notes where the value of a name now comes from. An assignment in an inner block may not happen:
    /// if it disagrees with what is known, no place is better than a wrong one.
    fn remember_origin(&mut self, slot: usize, value: &Node, innermost: bool) {
        let origin = self.origin(value);
        let Some(held) = self.frame.slots.get_mut(slot) else { return };
        if innermost {
            (held.origin, held.unclear) = (origin, false);
        } else if held.origin.is_none() && !held.unclear {
            held.origin = origin;
        } else if origin.is_some() && origin != held.origin {
            (held.origin, held.unclear) = (None, true);
        }
    }

    fn assigned_already(&mut self, name: &Name, first: Span, innermost: bool) {
        let text = &name.text;
        let diagnostic = if innermost {
            Diagnostic::error("E0107", format!("`{text}` is assigned twice"))
                .label(name.span, "assigned again")
                .label(first, "first assigned here")
                .help(format!("choose another name, or declare it with `mut {text} = ...`"))
        } else {
            Diagnostic::error("E0108", format!("`{text}` belongs to an outer block"))
                .label(name.span, "assigned in an inner block")
                .label(first, "declared here, without `mut`")
                .help(format!("to change it, declare it with `mut {text} = ...`; else choose another name"))
        };
        self.report(diagnostic);
    }

    /// Sees to it that a value can be held by a name.
    fn storable(&mut self, typed: Typed) -> Typed {
        let what = match typed.ty.present() {
            Type::Null => "`null` alone has no type",
            Type::Pair(_) => "two values need two names",
            _ => return typed,
        };
        let help = match typed.ty.present() {
            Type::Pair(_) => "write `(a, b) = ...`",
            _ => "`null` can stand where an optional type is wanted, as in a field of the record",
        };
        self.report(Diagnostic::error("E0202", what).label(typed.span, "cannot be assigned").help(help));
        Typed::error(typed.span)
    }

    // --- branches and ends ---

    fn conditional(
        &mut self,
        branches: &'a [(Expr, Block)],
        otherwise: Option<&'a Block>,
    ) -> (Option<Step>, Flow) {
        let before = self.frame.facts.len();
        // What is known behind the statement: whatever holds on each way that goes on.
        let mut ways = Vec::new();
        let mut checked = Vec::new();
        for (condition, block) in branches {
            let condition = self.condition(condition);
            let facts = self.facts(&condition, true);
            let (steps, flow) = self.assuming(facts.clone(), |checker| checker.block(block));
            if flow == Flow::GoesOn {
                ways.push([&self.frame.facts[before..], &facts].concat());
            }
            let not = self.facts(&condition, false);
            self.frame.facts.extend(not);
            checked.push((condition, steps));
        }
        let (steps, flow) = otherwise.map_or((Vec::new(), Flow::GoesOn), |block| self.block(block));
        let rest = self.frame.facts.split_off(before);
        if flow == Flow::GoesOn {
            ways.push(rest);
        }
        let flow = if ways.is_empty() { Flow::Ends } else { Flow::GoesOn };
        self.frame.facts.extend(common(ways));
        (Some(Step::If { branches: checked, otherwise: steps }), flow)
    }

    fn return_value(&mut self, value: &'a Expr) -> Option<Step> {
        let ty = self.frame.result.clone();
        if let (Type::Record(id), ExprKind::Record { name, fields }) = (&ty, &value.kind) {
            return Some(Step::Return(self.record_literal(*id, name.as_ref(), fields, value.span).node));
        }
        let reason = Some((self.frame.promised, format!("{} is promised here", self.show(&ty))));
        let node = self.check(value, &Wanted { ty: &ty, reason });
        self.plan.types.keep_rest(&ty);
        Some(Step::Return(node))
    }

    fn reject(&mut self, message: &'a Expr, at: Option<&'a Expr>) -> Option<Step> {
        let message = self.check(message, &Wanted { ty: &Type::String, reason: None });
        let Some(at) = at else { return Some(Step::Reject { message, place: Vec::new() }) };
        let typed = self.expression(at, None);
        if typed.ty == Type::Error {
            return None;
        }
        let place = self.place(&typed.node);
        if place.is_none() {
            self.not_a_place(typed.span);
        }
        Some(Step::Reject { message, place: place? })
    }

    /// The fields of the event; of a union of records, those that all of them share.
    pub(super) fn event_fields(&self) -> &[Field] {
        match self.plan.event {
            Type::Record(id) => &self.plan.types.records[id].fields,
            Type::Choice(id) => &self.plan.types.records[self.plan.types.choices[id].shared].fields,
            _ => &[],
        }
    }

    fn not_a_place(&mut self, span: Span) {
        if self.frame.function {
            self.report(
                Diagnostic::error("E0112", "a function knows no place of the event")
                    .label(span, "not a field of the event")
                    .help("leave `at` out: the reject is placed where the function's argument came from"),
            );
            return;
        }
        let parameter = self.file.rules.first().map_or("event", |rule| rule.parameter.text.as_str());
        let names: Vec<&str> = self.event_fields().iter().map(|field| field.name.as_str()).collect();
        let field = names.first().copied().unwrap_or("field");
        let written = self.text(span).to_string();
        let meant = suggest(&written, names.iter().copied());
        let help = format!("write `at {parameter}.{}`", meant.as_deref().unwrap_or(field));
        self.report(
            Diagnostic::error("E0112", "a reject points at a field of the event")
                .label(span, "not a field of the event")
                .help(help),
        );
    }
}
