//! Names, literals, fields and lists.

use super::{Checker, Typed, Wanted};
use crate::diagnostic::{Diagnostic, suggest};
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::{Expr, ExprKind, Name};
use crate::types::Type;
use crate::value::Constant;

impl<'a> Checker<'a> {
    /// Checks an expression that must have a certain type.
    pub(super) fn check(&mut self, expr: &'a Expr, wanted: &Wanted<'_>) -> Node {
        let typed = self.expression(expr, Some(wanted.ty));
        self.fit(typed, wanted)
    }

    /// Checks an expression. The hint is what its surroundings would like; it binds nobody.
    pub(super) fn expression(&mut self, expr: &'a Expr, hint: Option<&Type>) -> Typed {
        let span = expr.span;
        if self.is_full() {
            return Typed::error(span);
        }
        self.note_height(expr.height);
        match &expr.kind {
            ExprKind::Error => Typed::error(span),
            ExprKind::Null => Typed::constant(Constant::Absent, Type::Null, span),
            ExprKind::Bool(value) => Typed::constant(Constant::Bool(*value), Type::Bool, span),
            ExprKind::Int(value) => self.int(*value, span),
            ExprKind::Decimal(value) => Typed::constant(Constant::Decimal(*value), Type::Decimal, span),
            ExprKind::Text(text) => Typed::constant(Constant::Text(text.clone()), Type::String, span),
            ExprKind::Template(parts) => self.template(parts, span),
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::List(items) => self.list(items, span, hint),
            ExprKind::Pair(left, right) => self.pair(left, right, span),
            ExprKind::Record { name, fields } => self.record_expression(name.as_ref(), fields, span, hint),
            ExprKind::Field { base, field, optional } => self.field_access(base, field, *optional, span),
            ExprKind::Index { base, index } => self.index(base, index, span),
            ExprKind::Call { function, arguments } => self.call(function, arguments, span),
            ExprKind::Not(inner) => {
                let inner = self.condition(inner);
                Typed::new(Node::Not(Box::new(inner)), Type::Bool, span)
            }
            ExprKind::Negate(inner) => self.negate(inner, span),
            ExprKind::Binary { operator, operator_span, left, right } => {
                self.binary(*operator, *operator_span, left, right, hint)
            }
            ExprKind::Is { value, present } => self.is_present(value, *present, span),
            ExprKind::Match { value, arms } => self.match_expression(value, arms, span, hint),
        }
    }

    fn int(&mut self, value: i128, span: Span) -> Typed {
        match i64::try_from(value) {
            Ok(value) => Typed::constant(Constant::Int(value), Type::Int, span),
            Err(_) => {
                self.report(
                    Diagnostic::error("E0008", "this number is too large for Int")
                        .label(span, "does not fit into 64 bits")
                        .help(format!("an Int lies between {} and {}", i64::MIN, i64::MAX)),
                );
                Typed::error(span)
            }
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Typed {
        if let Some(binding) = self.scopes.read(name) {
            let node = Node::Path { slot: binding.slot, fields: Vec::new() };
            return self.narrowed(Typed::new(node, binding.ty, span));
        }
        if let Some(constant) = self.constants.iter_mut().find(|constant| constant.name == name) {
            constant.used = true;
            return Typed::constant(constant.value.clone(), constant.ty.clone(), span);
        }
        let candidates: Vec<&str> =
            self.scopes.names().chain(self.constants.iter().map(|constant| constant.name.as_str())).collect();
        let meant = suggest(name, candidates);
        let mut diagnostic =
            Diagnostic::error("E0101", format!("there is no name `{name}`")).label(span, "unknown name");
        if let Some(closed) = self.scopes.closed(name) {
            // That nobody reads it there is the same mistake.
            let unused = super::scope::unused_message(name);
            self.diagnostics.retain(|found| found.message != unused);
            self.warnings = self.diagnostics.len() - self.errors;
            diagnostic = diagnostic
                .label(closed, "assigned inside a block, known only there")
                .help(format!("declare it before the block: `mut {name} = ...`"));
        } else if let Some(meant) = meant {
            // That nobody reads the name that was meant is the same mistake.
            self.scopes.excuse(&meant);
            diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
        } else if let Some(path) = self.field_of_event(name) {
            diagnostic = diagnostic.help(format!("the event has such a field: `{path}`"));
        }
        self.report(diagnostic);
        Typed::error(span)
    }

    fn field_of_event(&self, name: &str) -> Option<String> {
        let parameter = &self.file.rules.first()?.parameter.text;
        self.event_fields().iter().find(|field| field.name == name).map(|_| format!("{parameter}.{name}"))
    }

    fn list(&mut self, items: &'a [Expr], span: Span, hint: Option<&Type>) -> Typed {
        let hint = match hint.map(Type::present) {
            Some(Type::List(item)) => Some((**item).clone()),
            // What is wanted was refused already; that the list has no type follows from it.
            Some(Type::Error) if items.is_empty() => return Typed::error(span),
            _ => None,
        };
        let mut nodes = Vec::new();
        let mut ty: Option<(Type, Span)> = hint.map(|ty| (ty, span));
        for item in items {
            let node = match &ty {
                Some((ty, first)) => {
                    let reason = Some((*first, format!("a list of {}", self.show(ty))));
                    let ty = ty.clone();
                    self.check(item, &Wanted { ty: &ty, reason })
                }
                None => {
                    let typed = self.expression(item, None);
                    ty = Some((typed.ty, typed.span));
                    typed.node
                }
            };
            nodes.push(node);
        }
        let Some((item, _)) = ty else { return self.list_without_type(span) };
        let ty = Type::List(Box::new(item));
        // A list of constants is itself one: it can be named, and looked up without being built.
        let constants: Option<Vec<Constant>> = nodes
            .iter()
            .map(|node| match node {
                Node::Constant(constant) => Some(constant.clone()),
                _ => None,
            })
            .collect();
        let node = constants.map_or(Node::List(nodes), |items| Node::Constant(Constant::List(items)));
        Typed::new(node, ty, span)
    }

    /// An empty list whose surroundings do not say what it holds could pass for a list of anything.
    fn list_without_type(&mut self, span: Span) -> Typed {
        self.report(
            Diagnostic::error("E0202", "this empty list has no type").label(span, "a list of what?").help(
                "give the list a type: write it where a list is wanted, as in a field of a record, \
                 behind `??`, or in `fn none() -> List<Int> { return [] }`",
            ),
        );
        Typed::error(span)
    }

    fn pair(&mut self, left: &'a Expr, right: &'a Expr, span: Span) -> Typed {
        let (left, right) = (self.expression(left, None), self.expression(right, None));
        let ty = Type::Pair(Box::new((left.ty, right.ty)));
        Typed::new(Node::Pair(Box::new(left.node), Box::new(right.node)), ty, span)
    }

    // --- fields ---

    fn field_access(&mut self, base: &'a Expr, field: &Name, optional: bool, span: Span) -> Typed {
        let base = self.expression(base, None);
        if base.ty == Type::Error {
            return Typed::error(span);
        }
        let base_optional = matches!(base.ty, Type::Optional(_));
        if base_optional && !optional {
            self.absent_base(&base, field);
            return Typed::error(span);
        }
        if optional && !base_optional {
            self.report(
                Diagnostic::warning("W0502", format!("`{}` is always present", self.text(base.span)))
                    .label(Span::new(base.span.end, field.span.start), "`.` is enough"),
            );
        }
        let id = match base.ty.present() {
            Type::Record(id) => *id,
            Type::Choice(id) if self.is_of_some_cases(*id, &field.text) => {
                self.field_of_some_cases(*id, &base, field);
                return Typed::error(span);
            }
            Type::Choice(id) => self.plan.types.choices[*id].shared,
            _ => {
                self.no_fields(&base, field);
                return Typed::error(span);
            }
        };
        let record = &self.plan.types.records[id];
        let Some(index) = record.position(&field.text) else {
            self.unknown_field(id, field);
            return Typed::error(span);
        };
        let ty = record.fields[index].ty.clone();
        let node = match base.node {
            Node::Path { slot, mut fields } => {
                fields.push(index);
                Node::Path { slot, fields }
            }
            other => Node::Field { base: Box::new(other), field: index },
        };
        self.narrowed(Typed::new(node, if base_optional { ty.optional() } else { ty }, span))
    }

    fn field_of_some_cases(&mut self, choice: usize, base: &Typed, field: &Name) {
        let shown = self.show(&base.ty);
        let cases = self.cases_with(choice, &field.text);
        let arms: Vec<String> = cases.iter().take(3).map(|case| format!("{case} => ...")).collect();
        let text = self.text(base.span).to_string();
        self.report(
            Diagnostic::error("E0102", format!("not every case of `{shown}` has a field `{}`", field.text))
                .label(field.span, format!("only in {}", cases.join(", ")))
                .help(format!("ask for one case at a time: `match {text} {{ {}, ... }}`", arms.join(", "))),
        );
    }

    fn absent_base(&mut self, base: &Typed, field: &Name) {
        let text = self.text(base.span).to_string();
        self.report(
            Diagnostic::error("E0201", format!("`{text}` may be absent"))
                .label(base.span, format!("this is {}", self.show(&base.ty)))
                .help(format!(
                    "write `{text}?.{}` and say with `??` what holds when it is absent",
                    field.text
                )),
        );
    }

    fn no_fields(&mut self, base: &Typed, field: &Name) {
        let mut diagnostic = Diagnostic::error("E0102", format!("{} has no fields", self.show(&base.ty)))
            .label(field.span, "no such field");
        if *base.ty.present() == Type::Json {
            diagnostic =
                diagnostic.help("Json is carried through unread; declare the fields that the rule reads");
        }
        self.report(diagnostic);
    }

    /// Reports a field that a record does not have.
    pub(super) fn unknown_field(&mut self, record: usize, field: &Name) {
        let record_type = &self.plan.types.records[record];
        let names: Vec<&str> = record_type.fields.iter().map(|field| field.name.as_str()).collect();
        let shown = self.show(&Type::Record(record));
        let help = match suggest(&field.text, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if record_type.open => format!("add `{}: Type` to its declaration to read it", field.text),
            None => format!("it has {}", names.join(", ")),
        };
        let message = match record_type.name {
            Some(_) => format!("`{shown}` has no field `{}`", field.text),
            None => format!("the record has no field `{}`", field.text),
        };
        let diagnostic = Diagnostic::error("E0102", message).label(field.span, "unknown field").help(help);
        self.report(diagnostic);
    }
}
