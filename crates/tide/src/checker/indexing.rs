//! `list[position]` and `map[key]`, which yield nothing where there is no such item.

use super::{Checker, Typed, Wanted};
use crate::diagnostic::Diagnostic;
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::Expr;
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn index(&mut self, base: &'a Expr, index: &'a Expr, span: Span) -> Typed {
        let base = self.expression(base, None);
        let base = self.present(base);
        let (wanted, result) = match &base.ty {
            Type::List(item) => (Type::Int, (**item).clone()),
            Type::Map(value) => (Type::String, (**value).clone()),
            other => {
                if *other != Type::Error {
                    self.no_items(&base);
                }
                self.expression(index, None);
                return Typed::error(span);
            }
        };
        let reason = Some((base.span, format!("this is {}", self.show(&base.ty))));
        let index = self.check(index, &Wanted { ty: &wanted, reason });
        let node = Node::Index { base: Box::new(base.node), index: Box::new(index) };
        Typed::new(node, result.optional(), span)
    }

    fn no_items(&mut self, base: &Typed) {
        let shown = self.show(&base.ty);
        let help = match base.ty {
            Type::String | Type::Currency | Type::Union(_) => "a part of a text: `slice(text, start, end)`",
            Type::Record(_) => "a field is read with a dot: `record.field`",
            _ => "a position is taken from a List, a key from a Map",
        };
        self.report(
            Diagnostic::error("E0203", format!("`[...]` does not take {shown}"))
                .label(base.span, format!("this is {shown}"))
                .help(help),
        );
    }
}
