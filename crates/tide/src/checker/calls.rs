//! Calls of functions.

use super::{Checker, Typed};
use crate::builtins::{self, Builtin, Kind, Overload};
use crate::diagnostic::{Diagnostic, suggest};
use crate::plan::Node;
use crate::source::Span;
use crate::syntax::{Expr, Name};
use crate::types::Type;
use crate::value::Constant;

/// What other languages call a function.
const FOREIGN: [(&str, &str); 10] = [
    ("len", "length(x)"),
    ("str", "string(x)"),
    ("toString", "string(x)"),
    ("float64", "float(x)"),
    ("strip", "trim(x)"),
    ("startswith", "starts_with(x, part)"),
    ("endswith", "ends_with(x, part)"),
    ("split", "split_once(x, separator)"),
    ("substring", "slice(x, start, end)"),
    ("uppercase", "upper(x)"),
];

impl<'a> Checker<'a> {
    pub(super) fn call(&mut self, function: &Name, arguments: &'a [Expr], span: Span) -> Typed {
        let declared = self.functions.iter().position(|other| other.name.text == function.text);
        if let Some(index) = declared {
            return self.invoke(index, arguments, span);
        }
        let typed: Vec<Typed> = arguments.iter().map(|argument| self.expression(argument, None)).collect();
        let Some(builtin) = builtins::find(&function.text) else {
            self.unknown_function(function);
            return Typed::error(span);
        };
        let wanted = builtin.overloads.first().map_or(0, |overload| overload.parameters.len());
        if typed.len() != wanted {
            let plural = if wanted == 1 { "" } else { "s" };
            let message = format!("`{}` takes {wanted} argument{plural}, not {}", builtin.name, typed.len());
            self.report(
                Diagnostic::error("E0204", message)
                    .label(span, format!("{} given", typed.len()))
                    .help(format!("it is called as {}", builtin.signature)),
            );
            return Typed::error(span);
        }
        let mut typed: Vec<Typed> = typed.into_iter().map(|argument| self.present(argument)).collect();
        if typed.iter().any(|argument| argument.ty == Type::Error) {
            return Typed::error(span);
        }
        let Some(overload) = choose(builtin, &mut typed) else {
            self.bad_arguments(builtin, &typed);
            return Typed::error(span);
        };
        if builtin.name == "split_once" {
            return self.split_once(typed, span);
        }
        let arguments: Vec<Node> = typed.into_iter().map(|argument| argument.node).collect();
        let pointed = arguments.iter().find(|node| self.origin(node).is_some());
        let site = self.site(span, pointed);
        Typed::new(Node::Call { run: overload.run, arguments, site }, overload.result.ty(), span)
    }

    fn unknown_function(&mut self, function: &Name) {
        let declared = self.functions.iter().map(|function| function.name.text.as_str());
        let names: Vec<&str> =
            declared.chain(builtins::builtins().iter().map(|builtin| builtin.name)).collect();
        let foreign =
            FOREIGN.iter().find(|(name, _)| *name == function.text).map(|(_, call)| (*call).to_string());
        let help = match foreign.or_else(|| suggest(&function.text, names.iter().copied())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the functions are {}", names.join(", ")),
        };
        self.report(
            Diagnostic::error("E0104", format!("there is no function `{}`", function.text))
                .label(function.span, "unknown function")
                .help(help),
        );
    }

    fn bad_arguments(&mut self, builtin: &Builtin, typed: &[Typed]) {
        // The first argument that no overload takes is the one to point at.
        let culprit = typed.iter().enumerate().find(|(index, argument)| {
            !builtin.overloads.iter().any(|overload| overload.parameters[*index].takes(&argument.ty))
        });
        let argument = culprit.map_or(&typed[typed.len() - 1], |(_, argument)| argument);
        let message = format!("`{}` does not take {}", builtin.name, self.show(&argument.ty));
        let diagnostic = Diagnostic::error("E0202", message)
            .label(argument.span, format!("this is {}", self.show(&argument.ty)))
            .help(format!("it is called as {}", builtin.signature));
        self.report(diagnostic);
    }

    /// Types a split by what the text can be: known to succeed for a union whose members all have
    /// the separator, and then the halves are unions of their own.
    fn split_once(&mut self, typed: Vec<Typed>, span: Span) -> Typed {
        let mut arguments = typed.into_iter();
        let (Some(text), Some(separator)) = (arguments.next(), arguments.next()) else {
            return Typed::error(span);
        };
        let members: Option<Vec<String>> = match (&text.ty, &text.node) {
            (Type::Union(id), _) => Some(self.plan.types.unions[*id].members.clone()),
            (_, Node::Constant(Constant::Text(text))) => Some(vec![text.clone()]),
            _ => None,
        };
        let ty = match (members, &separator.node) {
            (Some(members), Node::Constant(Constant::Text(separator))) => {
                let halves: Option<Vec<(&str, &str)>> =
                    members.iter().map(|member| member.split_once(separator.as_str())).collect();
                halves.map(|halves| {
                    let (left, right) = (
                        distinct(halves.iter().map(|half| half.0)),
                        distinct(halves.iter().map(|half| half.1)),
                    );
                    Type::Pair(Box::new((self.add_union(left, None), self.add_union(right, None))))
                })
            }
            _ => None,
        };
        let ty = ty.unwrap_or_else(|| Kind::OptionalPair.ty());
        let node = Node::SplitOnce { text: Box::new(text.node), separator: Box::new(separator.node) };
        Typed::new(node, ty, span)
    }
}

/// The overload for these arguments; number literals take on the type it wants.
fn choose(builtin: &'static Builtin, typed: &mut [Typed]) -> Option<&'static Overload> {
    let exact = builtin.overloads.iter().find(|overload| {
        overload.parameters.iter().zip(typed.iter()).all(|(kind, argument)| kind.takes(&argument.ty))
    });
    if exact.is_some() {
        return exact;
    }
    let fitted = |kind: &Kind, argument: &Typed| match &argument.node {
        _ if kind.takes(&argument.ty) => None,
        Node::Constant(constant) => super::fitting::as_number(constant, &kind.ty()),
        _ => None,
    };
    let near = builtin.overloads.iter().find(|overload| {
        overload
            .parameters
            .iter()
            .zip(typed.iter())
            .all(|(kind, argument)| kind.takes(&argument.ty) || fitted(kind, argument).is_some())
    })?;
    for (kind, argument) in near.parameters.iter().zip(typed) {
        if let Some(constant) = fitted(kind, argument) {
            *argument = Typed::constant(constant, kind.ty(), argument.span);
        }
    }
    Some(near)
}

fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.iter().any(|other| other == text) {
            distinct.push(text.to_string());
        }
    }
    distinct
}
