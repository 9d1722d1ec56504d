//! Whether a value fits where it stands, and what to write if it does not.

use super::{Checker, Typed, Wanted};
use crate::decode::is_currency;
use crate::diagnostic::{Diagnostic, suggest};
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::Expr;
use crate::types::Type;
use crate::value::{Constant, nearest_float};

impl<'a> Checker<'a> {
    /// Lets a value stand where a type is wanted, or says why it cannot.
    pub(super) fn fit(&mut self, typed: Typed, wanted: &Wanted<'_>) -> Node {
        let wanted_type = wanted.ty.present();
        if let Node::Constant(constant) = &typed.node
            && let Some(node) = self.fit_constant(constant, &typed, wanted_type)
        {
            return node;
        }
        if self.plan.types.fits(&typed.ty, wanted.ty) {
            // Where two record types meet, the value may be written out under the other one's name.
            if typed.ty != *wanted.ty {
                self.plan.types.keep_rest(&typed.ty);
            }
            return typed.node;
        }
        let absent =
            matches!(typed.ty, Type::Optional(_)) && self.plan.types.fits(typed.ty.present(), wanted.ty);
        if absent {
            self.may_be_absent(&typed);
        } else {
            self.mismatch(&typed, wanted);
        }
        typed.node
    }

    /// Literals take on the type that is wanted, where they can be held in it exactly.
    fn fit_constant(&mut self, constant: &Constant, typed: &Typed, wanted: &Type) -> Option<Node> {
        let fitted = match (constant, wanted) {
            (Constant::Text(text), Type::Union(id)) if typed.ty == Type::String => {
                self.literal_of_union(text, *id, typed.span);
                constant.clone()
            }
            (Constant::Text(text), Type::Currency) if is_currency(text) => constant.clone(),
            (Constant::List(items), Type::List(item)) if typed.ty != *wanted => {
                let list_item = match &typed.ty {
                    Type::List(item) => (**item).clone(),
                    _ => return None,
                };
                let mut fitted = Vec::new();
                for inner in items {
                    let inner_typed = Typed::constant(inner.clone(), list_item.clone(), typed.span);
                    match self.fit_constant(inner, &inner_typed, item)? {
                        Node::Constant(constant) => fitted.push(constant),
                        _ => return None,
                    }
                }
                Constant::List(fitted)
            }
            (number, wanted) => as_number(number, wanted)?,
        };
        Some(Node::Constant(fitted))
    }

    /// Sees to it that a literal is a member of a union.
    pub(super) fn literal_of_union(&mut self, text: &str, union: usize, span: Span) -> bool {
        let members = &self.plan.types.unions[union].members;
        if members.iter().any(|member| member == text) {
            return true;
        }
        let shown = self.show(&Type::Union(union));
        let help = match suggest(text, members.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => {
                let known: Vec<String> =
                    members.iter().take(8).map(|member| format!("\"{member}\"")).collect();
                format!("it can be {}", known.join(", "))
            }
        };
        let diagnostic = Diagnostic::error("E0205", format!("\"{text}\" is not one of `{shown}`"))
            .label(span, "never has this value")
            .help(help);
        self.report(diagnostic);
        false
    }

    /// Reports an optional value that is used as if it were there.
    pub(super) fn may_be_absent(&mut self, typed: &Typed) {
        let text = self.text(typed.span).to_string();
        let fallback = match typed.ty.present() {
            Type::String => "\"unknown\"",
            Type::Int => "0",
            Type::Decimal | Type::Float => "0.0",
            Type::Bool => "false",
            Type::List(_) => "[]",
            _ => "...",
        };
        self.report(
            Diagnostic::error("E0201", format!("`{}` may be absent", shorten(&text)))
                .label(typed.span, format!("this is {}", self.show(&typed.ty)))
                .help(format!("say what holds when it is absent: `{} ?? {fallback}`", shorten(&text))),
        );
    }

    fn mismatch(&mut self, typed: &Typed, wanted: &Wanted<'_>) {
        let (given, shown) = (self.show(&typed.ty), self.show(wanted.ty));
        let mut diagnostic = Diagnostic::error("E0202", format!("expected {shown}, found {given}"))
            .label(typed.span, format!("this is {given}"));
        if let Some((span, reason)) = &wanted.reason {
            diagnostic = diagnostic.label(*span, reason.clone());
        }
        let text = shorten(self.text(typed.span)).to_string();
        let help = match (typed.ty.present(), wanted.ty.present()) {
            (Type::Int, Type::Decimal) => Some(format!("convert it: `decimal({text})`")),
            (Type::Int | Type::Decimal, Type::Float) => Some(format!("convert it: `float({text})`")),
            (Type::String, Type::Int) => Some(format!("read it as a number: `int({text}) ?? 0`")),
            (Type::String, Type::Decimal) => Some(format!("read it as a number: `decimal({text}) ?? 0`")),
            (Type::Int | Type::Decimal | Type::Float | Type::Bool, Type::String) => {
                Some(format!("write it as text: `string({text})`"))
            }
            (Type::Null, _) => Some(format!("only an optional type, `{shown}?`, can be absent")),
            (Type::String, Type::Union(_)) => {
                Some("a `match` with one arm per member yields a value of the union".into())
            }
            (Type::String, Type::Currency) => {
                Some("a Currency is three capital letters and comes from the event".into())
            }
            (_, Type::Bool) => Some("a condition is written out, as in `x > 0` or `x == \"a\"`".into()),
            _ => None,
        };
        diagnostic.help = help;
        self.report(diagnostic);
    }

    /// Checks an expression that decides between two ways.
    pub(super) fn condition(&mut self, expr: &'a Expr) -> Node {
        let typed = self.expression(expr, Some(&Type::Bool));
        if let Type::Optional(inner) = &typed.ty
            && **inner != Type::Bool
        {
            let text = self.text(typed.span).to_string();
            self.report(
                Diagnostic::error("E0202", format!("expected Bool, found {}", self.show(&typed.ty)))
                    .label(typed.span, "neither true nor false")
                    .help(format!("to ask whether it is there, write `{text} is present`")),
            );
            return typed.node;
        }
        self.fit(typed, &Wanted { ty: &Type::Bool, reason: None })
    }
}

/// A number literal in another number type, if it can be held exactly.
pub(super) fn as_number(constant: &Constant, wanted: &Type) -> Option<Constant> {
    match (constant, wanted) {
        (Constant::Int(value), Type::Decimal) => Some(Constant::Decimal((*value).into())),
        (Constant::Int(value), Type::Float) => Some(Constant::Float(nearest_float((*value).into()))),
        (Constant::Decimal(value), Type::Float) => Some(Constant::Float(nearest_float(*value))),
        _ => None,
    }
}

/// Code that is quoted in a message: its beginning, on one line.
fn shorten(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    &line[..line.floor_char_boundary(60)]
}
