//! Functions of the file: their signatures, their bodies, and that no call leads back to itself.

use super::frame::Frame;
use super::{Checker, Typed, Wanted};
use crate::builtins;
use crate::diagnostic::Diagnostic;
use crate::limits::{MAX_CALL_HEIGHT, MAX_ITEMS};
use crate::plan::{Function, Node};
use crate::source::Span;
use crate::syntax::{Expr, FunctionDeclaration, Name};
use crate::types::Type;

/// A function of the file as its callers see it.
pub(super) struct Signature<'a> {
    pub(super) name: &'a Name,
    parameters: Vec<Type>,
    pub(super) result: Type,
    pub(super) used: bool,
    calls: Vec<(usize, Span)>,
    height: usize,
}

impl<'a> Checker<'a> {
    /// Makes all functions known before any body is checked, so that their order does not matter.
    pub(super) fn function_signatures(&mut self) {
        let file = self.file;
        if let Some(first) = file.functions.get(MAX_ITEMS) {
            self.too_many(first.name.span, "functions in this file", MAX_ITEMS);
        }
        for function in file.functions.iter().take(MAX_ITEMS) {
            self.function_name(&function.name);
            let parameters = function.parameters.iter().map(|(_, ty)| self.ty(ty)).collect();
            let result = self.ty(&function.result);
            let name = &function.name;
            let signature = Signature { name, parameters, result, used: false, calls: Vec::new(), height: 0 };
            self.functions.push(signature);
        }
    }

    fn function_name(&mut self, name: &'a Name) {
        if builtins::find(&name.text).is_some() {
            self.report(
                Diagnostic::error("E0105", format!("`{}` is a function of the language", name.text))
                    .label(name.span, "choose another name"),
            );
        }
        if let Some(first) = self.functions.iter().find(|other| other.name.text == name.text) {
            let first = first.name.span;
            self.declared_twice(name, first);
        }
    }

    pub(super) fn function_bodies(&mut self) {
        let file = self.file;
        for (index, function) in file.functions.iter().take(MAX_ITEMS).enumerate() {
            let function = self.function_body(index, function);
            self.plan.functions.push(function);
        }
        self.no_circles();
    }

    fn function_body(&mut self, index: usize, function: &'a FunctionDeclaration) -> Function {
        let result = self.functions[index].result.clone();
        self.frame = Frame::new(result, function.result.span);
        self.frame.function = true;
        self.scopes.start();
        self.scopes.open();
        let parameters = self.functions[index].parameters.clone();
        for ((name, _), ty) in function.parameters.iter().zip(parameters) {
            if let Some((first, _)) = self.scopes.find(&name.text) {
                self.declared_twice(name, first.span);
                continue;
            }
            self.new_name(name, ty, false, None);
        }
        let body = self.body(&function.body, &function.name);
        let warnings = self.scopes.close();
        self.report_all(warnings);
        self.functions[index].calls = std::mem::take(&mut self.frame.calls);
        self.functions[index].height = self.frame.height;
        Function { slots: self.scopes.slots, body }
    }

    // --- calls ---

    pub(super) fn invoke(&mut self, index: usize, arguments: &'a [Expr], span: Span) -> Typed {
        self.functions[index].used = true;
        if !self.frame.calls.iter().any(|(known, _)| *known == index) {
            self.frame.calls.push((index, span));
        }
        let parameters = self.functions[index].parameters.clone();
        if parameters.len() != arguments.len() {
            arguments.iter().for_each(|argument| drop(self.expression(argument, None)));
            self.wrong_count(index, arguments.len(), span);
            return Typed::error(span);
        }
        let mut nodes = Vec::new();
        for (argument, ty) in arguments.iter().zip(&parameters) {
            let name = self.functions[index].name;
            let reason = Some((name.span, format!("`{}` takes {}", name.text, self.show(ty))));
            nodes.push(self.check(argument, &Wanted { ty, reason }));
        }
        let pointed = nodes.iter().find(|node| self.origin(node).is_some());
        let site = self.site(span, pointed);
        let result = self.functions[index].result.clone();
        Typed::new(Node::Invoke { function: index, arguments: nodes, site }, result, span)
    }

    fn wrong_count(&mut self, index: usize, given: usize, span: Span) {
        let signature = &self.functions[index];
        let (wanted, name) = (signature.parameters.len(), signature.name);
        let plural = if wanted == 1 { "" } else { "s" };
        let shown: Vec<String> = signature.parameters.iter().map(|ty| self.show(ty)).collect();
        let message = format!("`{}` takes {wanted} argument{plural}, not {given}", name.text);
        self.report(
            Diagnostic::error("E0204", message)
                .label(span, format!("{given} given"))
                .label(name.span, "declared here")
                .help(format!("it is called as {}({})", name.text, shown.join(", "))),
        );
    }

    // --- circles ---

    /// Refuses calls that lead back to where they came from, and chains of calls that go too deep.
    fn no_circles(&mut self) {
        let mut heights: Vec<Option<usize>> = vec![None; self.functions.len()];
        for start in 0..self.functions.len() {
            if heights[start].is_none() {
                self.measure(start, &mut heights);
            }
        }
    }

    /// Measures how much a call of a function nests, its own calls included. It goes by a stack of
    /// its own, as the chain of calls may be as long as the file.
    fn measure(&mut self, start: usize, heights: &mut [Option<usize>]) {
        let mut way = vec![(start, 0)];
        while let Some((function, next)) = way.last_mut() {
            let function = *function;
            let Some((callee, span)) = self.functions[function].calls.get(*next).copied() else {
                heights[function] = Some(self.height(function, heights));
                way.pop();
                continue;
            };
            *next += 1;
            if heights[callee].is_some() {
                continue;
            }
            match way.iter().position(|(other, _)| *other == callee) {
                Some(from) => {
                    let names: Vec<usize> = way[from..].iter().map(|(function, _)| *function).collect();
                    self.circle(&names, span);
                }
                None => way.push((callee, 0)),
            }
        }
    }

    fn height(&mut self, function: usize, heights: &[Option<usize>]) -> usize {
        let signature = &self.functions[function];
        let below = signature.calls.iter().filter_map(|(callee, _)| heights[*callee]).max().unwrap_or(0);
        let height = signature.height + below;
        if height <= MAX_CALL_HEIGHT {
            return height;
        }
        let span = signature.name.span;
        self.report(
            Diagnostic::error("E0005", "calls are nested too deeply in this function")
                .label(span, "calls a function that calls a function, and so on")
                .help("write the code of some of them where they are called"),
        );
        // Told once; those that call this one have done nothing wrong.
        0
    }

    fn circle(&mut self, functions: &[usize], span: Span) {
        let name = |index: &usize| self.functions[*index].name.text.as_str();
        let first = functions.first().map_or("", name);
        let way: Vec<String> = functions.iter().map(|index| format!("`{}`", name(index))).collect();
        let message = match functions {
            [_] => format!("`{first}` calls itself"),
            _ => format!("`{first}` leads back to itself through {}", way[1..].join(", ")),
        };
        self.report(
            Diagnostic::error("E0113", message).label(span, "this call closes the circle").help(
                "a rule always comes to its end; to repeat something, write `for item in list { ... }`",
            ),
        );
    }

    /// Notes how deep the place of an expression of this height is nested.
    pub(super) fn note_height(&mut self, height: u16) {
        self.frame.height = self.frame.height.max(self.scopes.depth() + usize::from(height));
    }
}
