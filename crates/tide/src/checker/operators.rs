//! Operators: arithmetic, comparison, `in`, `??`, `and`, `or`.

use super::fitting::as_number;
use super::{Checker, Typed, Wanted};
use crate::diagnostic::Diagnostic;
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::{Expr, Operator};
use crate::types::Type;
use crate::value::Constant;

impl<'a> Checker<'a> {
    pub(super) fn binary(
        &mut self,
        operator: Operator,
        operator_span: Span,
        left: &'a Expr,
        right: &'a Expr,
        hint: Option<&Type>,
    ) -> Typed {
        let span = left.span.to(right.span);
        match operator {
            Operator::And | Operator::Or => {
                let left = self.condition(left);
                // The right side is looked at only when the left one has not decided.
                let facts = self.facts(&left, operator == Operator::And);
                let right = self.assuming(facts, |checker| checker.condition(right));
                let (left, right) = (Box::new(left), Box::new(right));
                let node =
                    if operator == Operator::And { Node::And(left, right) } else { Node::Or(left, right) };
                Typed::new(node, Type::Bool, span)
            }
            Operator::Coalesce => self.coalesce(operator_span, left, right, hint),
            Operator::In | Operator::NotIn => self.membership(operator == Operator::In, left, right),
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => {
                let left = self.operand(left);
                let right = self.operand(right);
                self.arithmetic(operator, operator_span, left, right)
            }
            _ => {
                let (left, right) = (self.expression(left, None), self.expression(right, None));
                self.comparison(operator, operator_span, left, right)
            }
        }
    }

    /// Checks an operand, which must be present.
    fn operand(&mut self, expr: &'a Expr) -> Typed {
        let typed = self.expression(expr, None);
        self.present(typed)
    }

    /// Reports a value that may be absent, and goes on as if it were there.
    pub(super) fn present(&mut self, mut typed: Typed) -> Typed {
        if let Type::Optional(inner) = &typed.ty {
            self.may_be_absent(&typed);
            typed.ty = (**inner).clone();
        }
        typed
    }

    // --- arithmetic ---

    fn arithmetic(&mut self, operator: Operator, operator_span: Span, left: Typed, right: Typed) -> Typed {
        let span = left.span.to(right.span);
        if left.ty == Type::Error || right.ty == Type::Error {
            return Typed::error(span);
        }
        if operator == Operator::Add && left.ty.is_text() && right.ty.is_text() {
            return self.concat(left, right);
        }
        let (left, right) = alike(left, right);
        if left.ty != right.ty || !left.ty.is_number() {
            self.bad_operands(operator, operator_span, &left, &right);
            return Typed::error(span);
        }
        let ty = left.ty.clone();
        let result = match (operator, &right.node) {
            (Operator::Divide, Node::Constant(divisor)) if is_zero(divisor) => {
                self.report(
                    Diagnostic::error("E0209", "this divides by zero")
                        .label(right.span, "always zero")
                        .help("there is no such number"),
                );
                return Typed::error(span);
            }
            (Operator::Divide, Node::Constant(_)) => ty,
            (Operator::Divide, _) => ty.optional(),
            _ => ty,
        };
        let site = self.site_of_two(span, &left.node, &right.node);
        let node =
            Node::Arithmetic { operator, left: Box::new(left.node), right: Box::new(right.node), site };
        Typed::new(node, result, span)
    }

    fn site_of_two(&mut self, span: Span, left: &Node, right: &Node) -> usize {
        let pointed = if self.origin(left).is_some() { left } else { right };
        self.site(span, Some(pointed))
    }

    fn concat(&mut self, left: Typed, right: Typed) -> Typed {
        let span = left.span.to(right.span);
        let site = self.site_of_two(span, &left.node, &right.node);
        let mut parts = match left.node {
            Node::Concat { parts, .. } => parts,
            other => vec![other],
        };
        parts.push(right.node);
        Typed::new(Node::Concat { parts, site }, Type::String, span)
    }

    fn bad_operands(&mut self, operator: Operator, operator_span: Span, left: &Typed, right: &Typed) {
        let (a, b) = (self.show(&left.ty), self.show(&right.ty));
        let message = format!("`{}` does not take {a} and {b}", operator.text());
        let (left_text, right_text) = (self.text(left.span).to_string(), self.text(right.span).to_string());
        let help = match (&left.ty, &right.ty) {
            (Type::Int, Type::Decimal) => Some(format!("convert the left side: `decimal({left_text})`")),
            (Type::Decimal, Type::Int) => Some(format!("convert the right side: `decimal({right_text})`")),
            (Type::Float, Type::Int | Type::Decimal) => {
                Some(format!("convert the right side: `float({right_text})`"))
            }
            (Type::Int | Type::Decimal, Type::Float) => {
                Some(format!("convert the left side: `float({left_text})`"))
            }
            (text, number) if text.is_text() && (number.is_number() || *number == Type::Bool) => {
                Some(format!("write the right side as text: `string({right_text})`"))
            }
            (number, text) if text.is_text() && (number.is_number() || *number == Type::Bool) => {
                Some(format!("write the left side as text: `string({left_text})`"))
            }
            _ => None,
        };
        let mut diagnostic = Diagnostic::error("E0203", message)
            .label(operator_span, "both sides must have one type")
            .label(left.span, format!("this is {a}"))
            .label(right.span, format!("this is {b}"));
        diagnostic.help = help;
        self.report(diagnostic);
    }

    pub(super) fn negate(&mut self, inner: &'a Expr, span: Span) -> Typed {
        let typed = self.operand(inner);
        if typed.ty == Type::Error {
            return typed;
        }
        if !typed.ty.is_number() {
            let message = format!("`-` does not take {}", self.show(&typed.ty));
            self.report(Diagnostic::error("E0203", message).label(typed.span, "not a number"));
            return Typed::error(span);
        }
        let site = self.site(span, Some(&typed.node));
        Typed::new(Node::Negate { value: Box::new(typed.node), site }, typed.ty, span)
    }

    // --- comparison ---

    fn comparison(&mut self, operator: Operator, operator_span: Span, left: Typed, right: Typed) -> Typed {
        let span = left.span.to(right.span);
        if let Some(diagnostic) = self.compares_with_null(operator, &left, &right) {
            self.report(diagnostic);
            return Typed::new(Node::Constant(Constant::Absent), Type::Bool, span);
        }
        let (left, right) = (self.present(left), self.present(right));
        let (left, right) = alike(left, right);
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let ordered = left.ty.is_number() || left.ty == Type::String;
        let suits = match (&left.ty, &right.ty) {
            (Type::Error, _) | (_, Type::Error) => true,
            (Type::Bool, Type::Bool) => equality,
            (a, b) if a.is_text() && b.is_text() => {
                // A literal must be one that the other side can be.
                self.literal_side(&left, &right);
                self.literal_side(&right, &left);
                equality || *a == Type::String || *b == Type::String
            }
            (a, b) => a == b && ordered,
        };
        if !suits {
            self.bad_operands(operator, operator_span, &left, &right);
        }
        self.decided(operator, &left, &right);
        let node = Node::Compare { operator, left: Box::new(left.node), right: Box::new(right.node) };
        Typed::new(node, Type::Bool, span)
    }

    fn literal_side(&mut self, literal: &Typed, other: &Typed) {
        if let (Node::Constant(Constant::Text(text)), Type::Union(id)) = (&literal.node, &other.ty) {
            self.literal_of_union(text, *id, literal.span);
        }
    }

    fn compares_with_null(&self, operator: Operator, left: &Typed, right: &Typed) -> Option<Diagnostic> {
        let other = match (&left.ty, &right.ty) {
            (Type::Null, _) => right,
            (_, Type::Null) => left,
            _ => return None,
        };
        let word = if operator == Operator::NotEqual { "present" } else { "absent" };
        Some(
            Diagnostic::error("E0203", "nothing compares with `null`")
                .label(left.span.to(right.span), "asks whether a value is there")
                .help(format!("write `{} is {word}`", self.text(other.span))),
        )
    }

    pub(super) fn is_present(&mut self, value: &'a Expr, wanted: bool, span: Span) -> Typed {
        let typed = self.expression(value, None);
        if !matches!(typed.ty, Type::Optional(_) | Type::Error) {
            let text = self.text(typed.span).to_string();
            let word = if wanted { "true" } else { "false" };
            self.report(
                Diagnostic::warning("W0502", format!("`{text}` is always present"))
                    .label(span, format!("always {word}"))
                    .help(format!("it is {}, which is never absent", self.show(&typed.ty))),
            );
        }
        Typed::new(Node::IsPresent { value: Box::new(typed.node), wanted }, Type::Bool, span)
    }

    fn membership(&mut self, wanted: bool, item: &'a Expr, list: &'a Expr) -> Typed {
        let span = item.span.to(list.span);
        let item = self.operand(item);
        let hint = Type::List(Box::new(item.ty.clone()));
        let list = self.expression(list, Some(&hint));
        let list = self.present(list);
        if let Type::Map(_) = &list.ty {
            return self.key_of_map(item, list, wanted, span);
        }
        let Type::List(inner) = &list.ty else {
            if list.ty != Type::Error {
                let message = format!("`in` needs a list, found {}", self.show(&list.ty));
                let help = if list.ty.is_text() {
                    "whether a string holds another: `contains(text, part)`"
                } else {
                    "a list is written `[a, b]`"
                };
                self.report(Diagnostic::error("E0203", message).label(list.span, "not a list").help(help));
            }
            return Typed::new(Node::Constant(Constant::Absent), Type::Bool, span);
        };
        let comparable = self.plan.types.fits(&item.ty, inner) || self.plan.types.fits(inner, &item.ty);
        // Only these are compared with each other; of anything else, the answer would always be no.
        let scalar = item.ty.is_number() || item.ty.is_text() || matches!(item.ty, Type::Bool | Type::Error);
        let item_constants = match (&list.node, &item.ty) {
            (Node::Constant(Constant::List(items)), ty) => {
                // The items of a list that is written out here have been looked at already.
                let named = **inner != item.ty;
                self.list_constants(items, ty, named.then_some(list.span))
            }
            _ => None,
        };
        if !scalar || (!comparable && item_constants.is_none()) {
            let message = format!("{} cannot be in {}", self.show(&item.ty), self.show(&list.ty));
            let diagnostic = Diagnostic::error("E0203", message)
                .label(item.span, format!("this is {}", self.show(&item.ty)))
                .label(list.span, format!("this is {}", self.show(&list.ty)));
            self.report(diagnostic);
        }
        let item = Box::new(item.node);
        let node = match item_constants {
            Some(list) => Node::InConstant { item, list, wanted },
            None => Node::In { item, list: Box::new(list.node), wanted },
        };
        Typed::new(node, Type::Bool, span)
    }

    fn key_of_map(&mut self, item: Typed, map: Typed, wanted: bool, span: Span) -> Typed {
        let reason = Some((map.span, "the keys of a map are strings".to_string()));
        let item = self.fit(item, &Wanted { ty: &Type::String, reason });
        Typed::new(Node::In { item: Box::new(item), list: Box::new(map.node), wanted }, Type::Bool, span)
    }

    /// The constants of a list in the type of the item that is looked for, if they can be in it.
    fn list_constants(
        &mut self,
        items: &[Constant],
        ty: &Type,
        named: Option<Span>,
    ) -> Option<Vec<Constant>> {
        let mut fitted = Vec::new();
        for item in items {
            match (item, ty) {
                (Constant::Text(text), Type::Union(id)) => {
                    if let Some(span) = named {
                        self.literal_of_union(text, *id, span);
                    }
                    fitted.push(item.clone());
                }
                (Constant::Text(_), ty) if ty.is_text() => fitted.push(item.clone()),
                (Constant::Int(_), Type::Int)
                | (Constant::Decimal(_), Type::Decimal)
                | (Constant::Bool(_), Type::Bool)
                | (_, Type::Error) => fitted.push(item.clone()),
                (number, ty) => fitted.push(as_number(number, ty)?),
            }
        }
        Some(fitted)
    }

    // --- absence ---

    fn coalesce(
        &mut self,
        operator_span: Span,
        left: &'a Expr,
        right: &'a Expr,
        hint: Option<&Type>,
    ) -> Typed {
        let span = left.span.to(right.span);
        // The left side may be absent even where its surroundings ask for a value.
        let hint = hint.map(|hint| hint.clone().optional());
        let left = self.expression(left, hint.as_ref());
        let Type::Optional(inner) = &left.ty else {
            if left.ty != Type::Error {
                let text = self.text(left.span).to_string();
                self.report(
                    Diagnostic::warning("W0502", format!("`{text}` is always present"))
                        .label(operator_span, "the right side is never used")
                        .help("remove `??` and what follows it"),
                );
            }
            let ty = left.ty.clone();
            self.check(right, &Wanted { ty: &ty, reason: None });
            return Typed { span, ..left };
        };
        let inner = (**inner).clone();
        let right_typed = self.expression(right, Some(&inner));
        let (ty, fallback) = self.fallback(&inner, right_typed, left.span);
        Typed::new(Node::Coalesce(Box::new(left.node), Box::new(fallback)), ty, span)
    }

    /// The type of `a ?? b` and the node of `b`: optional as long as `b` is.
    fn fallback(&mut self, inner: &Type, right: Typed, left: Span) -> (Type, Node) {
        let right_plain = right.ty.present().clone();
        // A union with another string as fallback is a String.
        let widened = match (inner, &right_plain) {
            (Type::Union(id), Type::String) => match &right.node {
                Node::Constant(Constant::Text(text))
                    if self.plan.types.unions[*id].members.contains(text) =>
                {
                    inner.clone()
                }
                _ => Type::String,
            },
            (Type::Currency, Type::String) => Type::String,
            (inner, right) if inner.is_text() && right.is_text() && inner != right => Type::String,
            _ => inner.clone(),
        };
        let optional = matches!(right.ty, Type::Optional(_) | Type::Null);
        let wanted = if optional { widened.optional() } else { widened };
        let reason = Some((left, format!("this is {} when it is present", self.show(inner))));
        let node = self.fit(right, &Wanted { ty: &wanted, reason });
        (wanted, node)
    }
}

/// Gives a number literal the type of the other side.
fn alike(left: Typed, right: Typed) -> (Typed, Typed) {
    if left.ty == right.ty {
        return (left, right);
    }
    if let Node::Constant(constant) = &right.node
        && let Some(constant) = as_number(constant, &left.ty)
    {
        let right = Typed::constant(constant, left.ty.clone(), right.span);
        return (left, right);
    }
    if let Node::Constant(constant) = &left.node
        && let Some(constant) = as_number(constant, &right.ty)
    {
        let left = Typed::constant(constant, right.ty.clone(), left.span);
        return (left, right);
    }
    (left, right)
}

fn is_zero(constant: &Constant) -> bool {
    match constant {
        Constant::Int(value) => *value == 0,
        Constant::Decimal(value) => value.is_zero(),
        Constant::Float(value) => *value == 0.0,
        _ => false,
    }
}
