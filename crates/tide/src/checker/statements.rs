//! The rule and its statements: assignments, branches, `return` and `reject`.

use super::{Checker, Typed, Wanted};
use crate::diagnostic::{Diagnostic, suggest};
use crate::limits::MAX_ITEMS;
use crate::plan::{Node, Step};
use crate::source::Span;
use crate::syntax::{Block, Expr, ExprKind, Name, RuleDeclaration, Statement, StatementKind};
use crate::types::Type;

/// Whether control goes on behind a piece of code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    GoesOn,
    Ends,
}

impl<'a> Checker<'a> {
    pub(super) fn rule(&mut self) {
        let Some(rule) = self.file.rules.first() else { return };
        self.signature(rule);
        self.scopes.open();
        let event = Type::Record(self.plan.event);
        let event = if self.file.events.is_empty() { Type::Error } else { event };
        self.scopes.add(&rule.parameter, event, false);
        self.scopes.excuse(&rule.parameter.text);
        let (steps, flow) = self.block(&rule.body);
        self.scopes.close();
        if flow == Flow::GoesOn {
            self.report(
                Diagnostic::error("E0303", format!("a path through `{}` returns nothing", rule.name.text))
                    .label(rule.body.end, "the rule can come to its end here")
                    .label(rule.result.span, "a record is promised here")
                    .help("end every path with `return` or `reject`"),
            );
        }
        self.plan.body = steps;
        self.plan.slots = self.scopes.slots;
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
        match self.resolve(&rule.result.text) {
            Some(Type::Record(id)) => self.plan.record = id,
            Some(Type::Error) => self.plan.record = usize::MAX,
            Some(_) => {
                let diagnostic =
                    Diagnostic::error("E0103", format!("`{}` is not a record", rule.result.text))
                        .label(rule.result.span, "a rule returns a record");
                self.report(diagnostic);
                self.plan.record = usize::MAX;
            }
            None => {
                self.unknown_type(&rule.result);
                self.plan.record = usize::MAX;
            }
        }
    }

    fn block(&mut self, block: &'a Block) -> (Vec<Step>, Flow) {
        self.scopes.open();
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
        let mut warnings = self.scopes.close();
        self.diagnostics.append(&mut warnings);
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
                if self.pointers.get(binding.slot).is_some_and(Option::is_none) {
                    self.remember_pointer(binding.slot, &value);
                }
                return Some(Step::Assign { slot: binding.slot, value });
            }
            self.expression(value, None);
            self.assigned_already(name, binding.span, innermost);
            return None;
        }
        let typed = self.expression(value, None);
        let typed = self.storable(typed);
        let slot = self.new_name(name, typed.ty, mutable, &typed.node);
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
            None => self.new_name(name, ty, false, &typed.node),
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

    fn new_name(&mut self, name: &Name, ty: Type, mutable: bool, value: &Node) -> usize {
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
        let slot = self.scopes.add(name, ty, mutable);
        self.pointers.resize(self.scopes.slots, None);
        self.pointers[slot] = self.pointer(value);
        slot
    }

    fn remember_pointer(&mut self, slot: usize, value: &Node) {
        self.pointers[slot] = self.pointer(value);
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
        let mut all_end = otherwise.is_some();
        let mut checked = Vec::new();
        for (condition, block) in branches {
            let condition = self.condition(condition);
            let (steps, flow) = self.block(block);
            all_end &= flow == Flow::Ends;
            checked.push((condition, steps));
        }
        let otherwise = otherwise.map_or_else(Vec::new, |block| {
            let (steps, flow) = self.block(block);
            all_end &= flow == Flow::Ends;
            steps
        });
        let flow = if all_end { Flow::Ends } else { Flow::GoesOn };
        (Some(Step::If { branches: checked, otherwise }), flow)
    }

    fn return_value(&mut self, value: &'a Expr) -> Option<Step> {
        let id = self.plan.record;
        if id == usize::MAX {
            self.expression(value, None);
            return None;
        }
        let ExprKind::Record { name, fields } = &value.kind else {
            let shown = self.show(&Type::Record(id));
            self.expression(value, None);
            self.report(
                Diagnostic::error("E0202", format!("a rule returns `{shown}` written out"))
                    .label(value.span, "not a record")
                    .help(format!("write `return {shown} {{ field: value, ... }}`")),
            );
            return None;
        };
        let typed = self.record_literal(id, name.as_ref(), fields, value.span);
        match typed.node {
            Node::Record { fields, site, .. } => Some(Step::Return { fields, site }),
            _ => None,
        }
    }

    fn reject(&mut self, message: &'a Expr, at: Option<&'a Expr>) -> Option<Step> {
        let message = self.check(message, &Wanted { ty: &Type::String, reason: None });
        let pointer = match at {
            None => String::new(),
            Some(place) => {
                let typed = self.expression(place, None);
                match (&typed.node, &typed.ty) {
                    (_, Type::Error) => return None,
                    (Node::Path { slot: 0, fields }, _) => self.field_pointer(fields).unwrap_or_default(),
                    _ => {
                        self.not_a_place(typed.span);
                        return None;
                    }
                }
            }
        };
        Some(Step::Reject { message, pointer })
    }

    fn not_a_place(&mut self, span: Span) {
        let parameter = self.file.rules.first().map_or("event", |rule| rule.parameter.text.as_str());
        let first = self.plan.types.records.get(self.plan.event).and_then(|record| record.fields.first());
        let field = first.map_or("field", |field| field.name.as_str());
        let written = self.text(span).to_string();
        let names = self.plan.types.records.get(self.plan.event).map(|record| &record.fields);
        let meant = suggest(&written, names.into_iter().flatten().map(|field| field.name.as_str()));
        let help = format!("write `at {parameter}.{}`", meant.as_deref().unwrap_or(field));
        self.report(
            Diagnostic::error("E0112", "a reject points at a field of the event")
                .label(span, "not a field of the event")
                .help(help),
        );
    }
}
