//! `match`: every case is handled, and every arm can be reached.

use super::choices::TAG;
use super::coverage::{Covered, bounds, shown};
use super::narrowing::Fact;
use super::{Checker, Typed, Wanted};
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_ITEMS;
use crate::plan;
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::{Arm, Expr, Pattern, PatternKind};
use crate::types::Type;
use crate::value::Constant;

impl<'a> Checker<'a> {
    pub(super) fn match_expression(
        &mut self,
        value: &'a Expr,
        arms: &'a [Arm],
        span: Span,
        hint: Option<&Type>,
    ) -> Typed {
        let value = self.expression(value, None);
        let value = self.tag_of_choice(value);
        let value = if asks_for_null(arms) { value } else { self.present(value) };
        let mut covered = Covered::default();
        let mut nodes = Vec::new();
        let mut ty: Option<(Type, Span)> = hint.map(|ty| (ty.clone(), span));
        for arm in arms {
            if self.is_full() {
                break;
            }
            nodes.push(self.arm(arm, &value, &mut covered, &mut ty, hint.is_some()));
        }
        if self.matchable(&value) {
            self.exhaustive(&value, &covered, span);
        }
        let ty = ty.map_or(Type::Error, |(ty, _)| ty);
        Typed::new(Node::Match { value: Box::new(value.node), arms: nodes }, ty, span)
    }

    fn arm(
        &mut self,
        arm: &'a Arm,
        value: &Typed,
        covered: &mut Covered,
        ty: &mut Option<(Type, Span)>,
        hinted: bool,
    ) -> plan::Arm {
        let null_is_handled = covered.has(&plan::Pattern::Absent);
        let patterns = self.patterns(arm, value, covered);
        let facts = self.facts_of_arm(value, &patterns, null_is_handled);
        self.assuming(facts, |checker| {
            let guard = arm.guard.as_ref().map(|guard| checker.condition(guard));
            let facts = guard.as_ref().map_or_else(Vec::new, |guard| checker.facts(guard, true));
            let value = checker.assuming(facts, |checker| checker.arm_value(&arm.value, ty, hinted));
            plan::Arm { patterns, guard, value }
        })
    }

    /// What is known of the value, and of what it was made from, inside of an arm.
    fn facts_of_arm(&self, value: &Typed, patterns: &[plan::Pattern], null_is_handled: bool) -> Vec<Fact> {
        match patterns {
            [plan::Pattern::Constant(Constant::Bool(truth))] => self.facts(&value.node, *truth),
            [] if null_is_handled => self.present_fact(&value.node),
            [] => Vec::new(),
            patterns if patterns.contains(&plan::Pattern::Absent) => Vec::new(),
            patterns => {
                let mut facts = self.present_fact(&value.node);
                facts.extend(self.case_of_patterns(value, patterns));
                facts
            }
        }
    }

    fn case_of_patterns(&self, value: &Typed, patterns: &[plan::Pattern]) -> Option<Fact> {
        let constants: Option<Vec<&Constant>> = patterns
            .iter()
            .map(|pattern| match pattern {
                plan::Pattern::Constant(constant) => Some(constant),
                plan::Pattern::Absent | plan::Pattern::Range(..) => None,
            })
            .collect();
        self.case_fact(&value.node, &constants?)
    }

    /// A match on a union of records goes by the field that tells its cases apart.
    fn tag_of_choice(&self, value: Typed) -> Typed {
        let Type::Choice(id) = value.ty else { return value };
        let tag = &self.plan.types.records[self.plan.types.choices[id].shared].fields[TAG];
        let node = match value.node {
            Node::Path { slot, mut fields } => {
                fields.push(TAG);
                Node::Path { slot, fields }
            }
            other => Node::Field { base: Box::new(other), field: TAG },
        };
        Typed::new(node, tag.ty.clone(), value.span)
    }

    fn matchable(&mut self, value: &Typed) -> bool {
        let plain = value.ty.present();
        // Of an optional value it can be asked whether it is there, whatever it is.
        if matches!(plain, Type::Int | Type::Bool) || plain.is_text() || *plain != value.ty {
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

    /// The patterns of an arm; none for an arm that takes all the rest.
    fn patterns(&mut self, arm: &Arm, value: &Typed, covered: &mut Covered) -> Vec<plan::Pattern> {
        let mut patterns = Vec::new();
        let mut any = None;
        for pattern in &arm.patterns {
            if let Some(previous) = covered.any.or(any) {
                self.unreachable(pattern.span, previous, "takes every value before this");
                continue;
            }
            match self.checked_pattern(pattern, value) {
                None => {
                    any = Some(pattern.span);
                    self.nothing_left(pattern.span, value, covered);
                }
                Some(checked) => {
                    self.inside_of_domain(&checked, value, pattern.span);
                    self.cover(&checked, pattern.span, arm.guard.is_some(), covered);
                    patterns.push(checked);
                }
            }
        }
        if any.is_none() {
            return patterns;
        }
        // Under a condition, even `_` leaves values for the cases behind it.
        if arm.guard.is_none() {
            covered.any = any;
        }
        Vec::new()
    }

    fn cover(&mut self, pattern: &plan::Pattern, span: Span, guarded: bool, covered: &mut Covered) {
        if covered.patterns.len() == MAX_ITEMS {
            self.too_many(span, "cases in this match", MAX_ITEMS);
            return;
        }
        match covered.previous(pattern) {
            Some(previous) => self.unreachable(span, previous, "handled here already"),
            None if guarded => {}
            None => covered.patterns.push((pattern.clone(), span)),
        }
    }

    /// Refuses integers that the condition of the field excludes.
    fn inside_of_domain(&mut self, pattern: &plan::Pattern, value: &Typed, span: Span) {
        let (low, high) = self.int_domain(&value.node);
        let outside = bounds(pattern).is_some_and(|(first, last)| last < low || high < first);
        if let (true, Some(range)) = (outside, self.range_of(&value.node)) {
            let diagnostic = Diagnostic::error("E0302", "this case is never reached")
                .label(span, format!("the value is in {}", range.show()))
                .help("remove it");
            self.report(diagnostic);
        }
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
    fn nothing_left(&mut self, span: Span, value: &Typed, covered: &Covered) {
        if covered.patterns.is_empty() || !self.missing(value, covered).is_empty() {
            return;
        }
        self.report(
            Diagnostic::error("E0302", "this case is never reached")
                .label(span, "every value is handled above")
                .help("remove it; should a value be added to the type, this place will be pointed out"),
        );
    }

    fn checked_pattern(&mut self, pattern: &Pattern, value: &Typed) -> Option<plan::Pattern> {
        let checked = match &pattern.kind {
            PatternKind::Any => return None,
            PatternKind::Null => plan::Pattern::Absent,
            PatternKind::Text(text) => plan::Pattern::Constant(Constant::Text(text.clone())),
            PatternKind::Bool(value) => plan::Pattern::Constant(Constant::Bool(*value)),
            PatternKind::Int(value) => {
                plan::Pattern::Constant(Constant::Int(self.pattern_int(*value, pattern.span)))
            }
            PatternKind::Range { low, high } => self.pattern_range(*low, *high, pattern.span),
        };
        self.pattern_type(&checked, value, pattern.span);
        Some(checked)
    }

    fn pattern_int(&mut self, value: i128, span: Span) -> i64 {
        i64::try_from(value).unwrap_or_else(|_| {
            let diagnostic = Diagnostic::error("E0008", "this number is too large for Int")
                .label(span, "does not fit into 64 bits");
            self.report(diagnostic);
            0
        })
    }

    fn pattern_range(&mut self, low: i128, high: Option<(i128, bool)>, span: Span) -> plan::Pattern {
        let last = high.map_or(i128::from(i64::MAX), |(high, inclusive)| high - i128::from(!inclusive));
        if last < low {
            self.report(
                Diagnostic::error("E0207", "this range is empty")
                    .label(span, "no value is in it")
                    .help("the lower bound stands first"),
            );
        }
        let low = self.pattern_int(low, span);
        let last = self.pattern_int(last, span);
        plan::Pattern::Range(low, last.max(low))
    }

    fn pattern_type(&mut self, pattern: &plan::Pattern, value: &Typed, span: Span) {
        let optional = matches!(value.ty, Type::Optional(_));
        match (pattern, value.ty.present()) {
            (plan::Pattern::Constant(Constant::Text(text)), Type::Union(id)) => {
                self.literal_of_union(text, *id, span);
            }
            (plan::Pattern::Absent, _) if optional => {}
            (plan::Pattern::Constant(Constant::Text(_)), Type::String | Type::Currency)
            | (plan::Pattern::Constant(Constant::Bool(_)), Type::Bool)
            | (_, Type::Error) => {}
            (pattern, Type::Int) if bounds(pattern).is_some() => {}
            _ => {
                let message = format!("this pattern never matches {}", self.show(&value.ty));
                self.report(Diagnostic::error("E0202", message).label(span, "a value of another type"));
            }
        }
    }

    fn exhaustive(&mut self, value: &Typed, covered: &Covered, span: Span) {
        if covered.any.is_some() {
            return;
        }
        let missing = self.missing(value, covered);
        if missing.is_empty() {
            return;
        }
        let text = self.text(value.span).to_string();
        let named = |pattern: &String| if pattern == "_" { "every other value" } else { pattern }.to_string();
        let list = missing.iter().map(named).collect::<Vec<_>>().join(", ");
        let head = Span::new(span.start, value.span.end);
        self.report(
            Diagnostic::error("E0301", format!("`match` leaves out {list}"))
                .label(head, format!("not every value of `{text}` is handled"))
                .help(format!("add `{} => ...`", missing.join(" | "))),
        );
    }

    /// What is not handled, as patterns.
    fn missing(&self, value: &Typed, covered: &Covered) -> Vec<String> {
        let mut missing: Vec<String> = match value.ty.present() {
            Type::Union(id) => {
                let members = self.plan.types.unions[*id].members.iter();
                members.filter(|text| !covered.has_text(text)).map(|text| format!("\"{text}\"")).collect()
            }
            Type::Bool => [true, false]
                .into_iter()
                .filter(|truth| !covered.has(&plan::Pattern::Constant(Constant::Bool(*truth))))
                .map(|truth| truth.to_string())
                .collect(),
            Type::Int => {
                let gaps = covered.missing_ints(self.int_domain(&value.node));
                if gaps.iter().any(|(low, _)| *low == i64::MIN) {
                    vec!["_".to_string()]
                } else {
                    gaps.into_iter().map(shown).collect()
                }
            }
            _ => vec!["_".to_string()],
        };
        let optional = matches!(value.ty, Type::Optional(_));
        if optional && !covered.has(&plan::Pattern::Absent) {
            missing.push("null".into());
        }
        missing
    }
}

/// Whether some case asks for an absent value: then the match takes an optional one.
fn asks_for_null(arms: &[Arm]) -> bool {
    arms.iter().flat_map(|arm| &arm.patterns).any(|pattern| matches!(pattern.kind, PatternKind::Null))
}
