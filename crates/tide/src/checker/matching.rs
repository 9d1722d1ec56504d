//! `match`: every case is handled, and every arm can be reached.

use super::{Checker, Typed, Wanted};
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_ITEMS;
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::{Arm, Expr, Pattern, PatternKind};
use crate::types::Type;
use crate::value::Constant;

/// The patterns of a match met so far.
#[derive(Default)]
struct Covered {
    constants: Vec<(Constant, Span)>,
    any: Option<Span>,
}

impl<'a> Checker<'a> {
    pub(super) fn match_expression(
        &mut self,
        value: &'a Expr,
        arms: &'a [Arm],
        span: Span,
        hint: Option<&Type>,
    ) -> Typed {
        let value = self.expression(value, None);
        let value = self.present(value);
        let mut covered = Covered::default();
        let mut nodes = Vec::new();
        let mut otherwise = None;
        let mut ty: Option<(Type, Span)> = hint.map(|ty| (ty.clone(), span));
        for arm in arms {
            let patterns = self.patterns(&arm.patterns, &value.ty, &mut covered);
            let node = self.arm_value(&arm.value, &mut ty, hint.is_some());
            match patterns {
                Some(patterns) => nodes.push((patterns, node)),
                None => otherwise = Some(Box::new(node)),
            }
        }
        if self.matchable(&value) {
            self.exhaustive(&value, &covered, span);
        }
        let ty = ty.map_or(Type::Error, |(ty, _)| ty);
        Typed::new(Node::Match { value: Box::new(value.node), arms: nodes, otherwise }, ty, span)
    }

    fn matchable(&mut self, value: &Typed) -> bool {
        if matches!(value.ty, Type::Int | Type::Bool) || value.ty.is_text() {
            return true;
        }
        if value.ty != Type::Error {
            let message = format!("`match` does not take {}", self.show(&value.ty));
            self.report(
                Diagnostic::error("E0203", message)
                    .label(value.span, "no patterns for this type")
                    .help("it takes a union, a String, an Int or a Bool; for the rest there is `if`"),
            );
        }
        false
    }

    /// Checks the value of an arm. The first arm sets the type, unless the surroundings do.
    fn arm_value(&mut self, value: &'a Expr, ty: &mut Option<(Type, Span)>, hinted: bool) -> Node {
        let Some((wanted, first)) = ty else {
            let typed = self.expression(value, None);
            *ty = Some((typed.ty, typed.span));
            return typed.node;
        };
        let typed = self.expression(value, Some(wanted));
        // An arm that may be absent makes the whole match optional.
        if !hinted {
            let absent = matches!(typed.ty, Type::Optional(_) | Type::Null);
            if *wanted == Type::Null {
                *wanted = typed.ty.clone().optional();
            } else if absent {
                *wanted = wanted.clone().optional();
            }
        }
        let reason = if hinted { None } else { Some((*first, "the first case sets the type".to_string())) };
        let wanted = Wanted { ty: wanted, reason };
        if hinted && matches!(typed.ty, Type::Optional(_)) && !matches!(wanted.ty, Type::Optional(_)) {
            self.may_be_absent(&typed);
            return typed.node;
        }
        self.fit(typed, &wanted)
    }

    /// The constants of an arm's patterns; nothing for an arm that takes all the rest.
    fn patterns(&mut self, patterns: &[Pattern], ty: &Type, covered: &mut Covered) -> Option<Vec<Constant>> {
        let mut constants = Vec::new();
        let mut any = false;
        for pattern in patterns {
            if let Some(previous) = covered.any {
                self.unreachable(pattern.span, previous, "takes every value before this");
                continue;
            }
            match self.pattern_constant(pattern, ty) {
                None => {
                    any = true;
                    covered.any = Some(pattern.span);
                    self.nothing_left(pattern.span, ty, covered);
                }
                Some(constant) => {
                    let known =
                        covered.constants.iter().find(|(other, _)| *other == constant).map(|(_, at)| *at);
                    match known {
                        Some(previous) => self.unreachable(pattern.span, previous, "handled here already"),
                        None if covered.constants.len() == MAX_ITEMS => {
                            self.too_many(pattern.span, "cases in this match", MAX_ITEMS);
                        }
                        None => covered.constants.push((constant.clone(), pattern.span)),
                    }
                    constants.push(constant);
                }
            }
        }
        if any { None } else { Some(constants) }
    }

    fn unreachable(&mut self, span: Span, previous: Span, why: &str) {
        self.report(
            Diagnostic::error("E0302", "this case is never reached")
                .label(span, "unreachable")
                .label(previous, why)
                .help("remove it"),
        );
    }

    /// Refuses a `_` where every case has been named: it would hide the next one that is added.
    fn nothing_left(&mut self, span: Span, ty: &Type, covered: &Covered) {
        let cases = match ty {
            Type::Union(id) => self.plan.types.unions[*id].members.len(),
            Type::Bool => 2,
            _ => return,
        };
        if covered.constants.len() >= cases {
            self.report(
                Diagnostic::error("E0302", "this case is never reached")
                    .label(span, "every value is handled above")
                    .help("remove it; should a value be added to the type, this place will be pointed out"),
            );
        }
    }

    fn pattern_constant(&mut self, pattern: &Pattern, ty: &Type) -> Option<Constant> {
        let constant = match &pattern.kind {
            PatternKind::Any => return None,
            PatternKind::Text(text) => Constant::Text(text.clone()),
            PatternKind::Bool(value) => Constant::Bool(*value),
            PatternKind::Int(value) => match i64::try_from(*value) {
                Ok(value) => Constant::Int(value),
                Err(_) => {
                    let diagnostic = Diagnostic::error("E0008", "this number is too large for Int")
                        .label(pattern.span, "does not fit into 64 bits");
                    self.report(diagnostic);
                    Constant::Int(0)
                }
            },
        };
        match (&constant, ty) {
            (Constant::Text(text), Type::Union(id)) => {
                self.literal_of_union(text, *id, pattern.span);
            }
            (Constant::Text(_), Type::String | Type::Currency)
            | (Constant::Int(_), Type::Int)
            | (Constant::Bool(_), Type::Bool)
            | (_, Type::Error) => {}
            _ => {
                let message = format!("this pattern never matches {}", self.show(ty));
                self.report(
                    Diagnostic::error("E0202", message).label(pattern.span, "a value of another type"),
                );
            }
        }
        Some(constant)
    }

    fn exhaustive(&mut self, value: &Typed, covered: &Covered, span: Span) {
        if covered.any.is_some() {
            return;
        }
        let is_covered = |constant: &Constant| covered.constants.iter().any(|(other, _)| other == constant);
        let missing: Vec<String> = match &value.ty {
            Type::Union(id) => {
                let members = self.plan.types.unions[*id].members.iter();
                let missing = members.filter(|member| !is_covered(&Constant::Text((*member).clone())));
                missing.map(|member| format!("\"{member}\"")).collect()
            }
            Type::Bool => [true, false]
                .into_iter()
                .filter(|value| !is_covered(&Constant::Bool(*value)))
                .map(|value| value.to_string())
                .collect(),
            _ => vec!["_".to_string()],
        };
        if missing.is_empty() {
            return;
        }
        let text = self.text(value.span).to_string();
        let list = if missing == ["_"] { "every other value".to_string() } else { missing.join(", ") };
        let head = Span::new(span.start, value.span.end);
        self.report(
            Diagnostic::error("E0301", format!("`match` leaves out {list}"))
                .label(head, format!("not every value of `{text}` is handled"))
                .help(format!("add `{} => ...`", missing.join(" | "))),
        );
    }
}
