//! Records written out: every field once, none too many.

use super::{Checker, Typed, Wanted};
use crate::diagnostic::Diagnostic;
use crate::plan::Node;
use crate::refinement::broken;
use crate::source::Span;
use crate::syntax::{Expr, Name};
use crate::types::Type;
use crate::value::Constant;

impl<'a> Checker<'a> {
    /// Checks `Name { ... }`, or `{ ... }` where its surroundings tell the type.
    pub(super) fn record_expression(
        &mut self,
        name: Option<&'a Name>,
        fields: &'a [(Name, Expr)],
        span: Span,
        hint: Option<&Type>,
    ) -> Typed {
        let ty = match (name, hint.map(Type::present)) {
            (Some(name), _) => Some(self.named_or_unknown(name)),
            (None, Some(hint @ Type::Record(_))) => Some(hint.clone()),
            (None, _) => None,
        };
        if let Some(Type::Record(id)) = ty {
            return self.record_literal(id, name, fields, span);
        }
        for (_, value) in fields {
            self.expression(value, None);
        }
        if ty != Some(Type::Error) {
            self.report(
                Diagnostic::error("E0202", "no record is expected here")
                    .label(span, "of which record is this?")
                    .help("write the name of the record before the brace: `Name { ... }`"),
            );
        }
        Typed::error(span)
    }

    pub(super) fn record_literal(
        &mut self,
        id: usize,
        name: Option<&Name>,
        fields: &'a [(Name, Expr)],
        span: Span,
    ) -> Typed {
        if let Some(name) = name {
            self.use_type(&name.text);
            self.expect_name(id, name);
        }
        let count = self.plan.types.records[id].fields.len();
        let mut nodes: Vec<Option<Node>> = Vec::new();
        nodes.resize_with(count, || None);
        let mut seen: Vec<Option<Span>> = vec![None; count];
        for (field, value) in fields {
            let Some(index) = self.plan.types.records[id].position(&field.text) else {
                self.expression(value, None);
                self.unknown_field(id, field);
                continue;
            };
            let node = self.field_value(id, index, value);
            if let Some(first) = seen[index].replace(field.span) {
                let diagnostic = Diagnostic::error("E0211", format!("`{}` is given twice", field.text))
                    .label(field.span, "given again")
                    .label(first, "first given here")
                    .help("remove one of them");
                self.report(diagnostic);
            }
            nodes[index] = Some(node);
        }
        self.missing_fields(id, &seen, name.map_or(span, |name| name.span));
        let fields: Vec<Node> =
            nodes.into_iter().map(|node| node.unwrap_or(Node::Constant(Constant::Absent))).collect();
        let site = self.site(span, fields.iter().find(|node| self.origin(node).is_some()));
        Typed::new(Node::Record { record: id, fields, site }, Type::Record(id), span)
    }

    fn expect_name(&mut self, id: usize, name: &Name) {
        let wanted = self.show(&Type::Record(id));
        if wanted != name.text {
            let diagnostic =
                Diagnostic::error("E0202", format!("expected `{wanted}`, found `{}`", name.text))
                    .label(name.span, "another record")
                    .help(format!("the rule promises `{wanted}`"));
            self.report(diagnostic);
        }
    }

    fn field_value(&mut self, id: usize, index: usize, value: &'a Expr) -> Node {
        let field = &self.plan.types.records[id].fields[index];
        let (ty, declared) = (field.ty.clone(), field.span);
        let reason = format!("the field is declared as {}", self.show(&ty));
        let typed = self.expression(value, Some(&ty));
        // A value that goes into a record is written out, with whatever an open record brought along.
        self.plan.types.keep_rest(&typed.ty);
        let node = self.fit(typed, &Wanted { ty: &ty, reason: Some((declared, reason)) });
        if let Node::Constant(constant) = &node {
            let refinements = &self.plan.types.records[id].fields[index].refinements;
            if let Some((_, expected)) = broken(refinements, &constant.value()) {
                self.report(
                    Diagnostic::error("E0206", "this value is never allowed here")
                        .label(value.span, format!("expected {expected}"))
                        .label(declared, "the field is declared here"),
                );
            }
        }
        node
    }

    fn missing_fields(&mut self, id: usize, seen: &[Option<Span>], span: Span) {
        let record = &self.plan.types.records[id];
        let missing: Vec<&crate::types::Field> = record
            .fields
            .iter()
            .zip(seen)
            .filter(|(_, seen)| seen.is_none())
            .map(|(field, _)| field)
            .collect();
        let Some(first) = missing.first() else { return };
        let names: Vec<String> = missing.iter().map(|field| format!("`{}`", field.name)).collect();
        let lines: Vec<String> = missing.iter().map(|field| format!("{}: ...", field.name)).collect();
        let shown = self.show(&Type::Record(id));
        let plural = if missing.len() == 1 { "field" } else { "fields" };
        let optional = missing.iter().any(|field| matches!(field.ty, Type::Optional(_)));
        let hint = if optional { "; an absent value is written `null`" } else { "" };
        let diagnostic =
            Diagnostic::error("E0210", format!("`{shown}` lacks the {plural} {}", names.join(", ")))
                .label(
                    span,
                    format!("{} missing", if missing.len() == 1 { "a field is" } else { "fields are" }),
                )
                .label(first.span, "declared here")
                .help(format!("add `{}`{hint}", lines.join(", ")));
        self.report(diagnostic);
    }
}
