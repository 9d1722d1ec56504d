//! Interpolated strings: every value in them is there and has a text.

use super::{Checker, Typed};
use crate::builtins::{self, Kind};
use crate::diagnostic::Diagnostic;
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::TemplatePart;
use crate::types::Type;
use crate::value::Constant;

impl<'a> Checker<'a> {
    pub(super) fn template(&mut self, parts: &'a [TemplatePart], span: Span) -> Typed {
        let nodes: Vec<Node> = parts
            .iter()
            .map(|part| match part {
                TemplatePart::Text(text) => Node::Constant(Constant::Text(text.clone())),
                TemplatePart::Value(value) => {
                    let typed = self.expression(value, None);
                    let typed = self.present(typed);
                    self.as_text(typed)
                }
            })
            .collect();
        let site = self.site(span, nodes.iter().find(|node| self.origin(node).is_some()));
        Typed::new(Node::Concat { parts: nodes, site }, Type::String, span)
    }

    /// The text of a value, as the function `string` yields it.
    fn as_text(&mut self, typed: Typed) -> Node {
        if typed.ty.is_text() || typed.ty == Type::Error {
            return typed.node;
        }
        let takes = |kinds: &[Kind]| kinds.iter().any(|kind| kind.takes(&typed.ty));
        let string = builtins::find("string");
        let overload = string.and_then(|string| string.overloads.iter().find(|o| takes(o.parameters)));
        let Some(overload) = overload else {
            self.no_text(&typed);
            return typed.node;
        };
        let site = self.site(typed.span, Some(&typed.node));
        Node::Call { run: overload.run, arguments: vec![typed.node], site }
    }

    fn no_text(&mut self, typed: &Typed) {
        let shown = self.show(&typed.ty);
        self.report(
            Diagnostic::error("E0202", format!("{shown} cannot stand in a string"))
                .label(typed.span, format!("this is {shown}"))
                .help("a string takes strings, numbers and truth values"),
        );
    }
}
