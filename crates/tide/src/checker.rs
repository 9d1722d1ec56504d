//! Tree to plan: resolves names, settles types, and refuses what could go wrong at run time.
//!
//! One walk does both checking and lowering, so that no check can drift from what runs. A mistake
//! yields a diagnostic and a value of the error type, which fits everywhere; so every mistake is
//! reported and none twice. The plan is complete if there was no error.

mod calls;
mod declarations;
mod expressions;
mod fitting;
mod matching;
mod operators;
mod records;
mod scope;
mod statements;
mod test_blocks;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::limits::MAX_DIAGNOSTICS;
use crate::plan::{Node, Plan, Site, SiteId};
use crate::source::{Source, Span};
use crate::syntax::File;
use crate::testing::Test;
use crate::types::Type;
use crate::value::Constant;
use declarations::Named;
use scope::Scopes;

/// What the checker makes of a file.
pub(crate) struct Checked {
    pub(crate) plan: Plan,
    pub(crate) tests: Vec<Test>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Checks a file.
pub(crate) fn check(source: &Source, file: &File) -> Checked {
    let line_starts =
        std::iter::once(0).chain(source.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut checker = Checker {
        source,
        file,
        plan: Plan::default(),
        named: BTreeMap::new(),
        constants: Vec::new(),
        scopes: Scopes::default(),
        line_starts,
        resolving: 0,
        patterns: 0,
        pointers: Vec::new(),
        diagnostics: Vec::new(),
    };
    checker.name_declarations();
    checker.resolve_declarations();
    checker.constants();
    checker.rule();
    let tests = checker.tests();
    let Checker { plan, diagnostics, .. } = checker;
    Checked { plan, tests, diagnostics }
}

struct Checker<'a> {
    source: &'a Source,
    file: &'a File,
    plan: Plan,
    named: BTreeMap<&'a str, Named<'a>>,
    constants: Vec<NamedConstant>,
    scopes: Scopes,
    /// Where the lines of the source begin.
    line_starts: Vec<usize>,
    /// How many names are being resolved within each other.
    resolving: usize,
    patterns: usize,
    /// For each slot, the pointer of the field from which its value was made, if any.
    pointers: Vec<Option<String>>,
    diagnostics: Vec<Diagnostic>,
}

/// A `const`.
struct NamedConstant {
    name: String,
    ty: Type,
    value: Constant,
}

/// A checked expression.
struct Typed {
    node: Node,
    ty: Type,
    span: Span,
}

/// Why a type is wanted: a remark for the place that asks for it.
struct Wanted<'a> {
    ty: &'a Type,
    reason: Option<(Span, String)>,
}

impl Checker<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether more diagnostics would be dropped; then looking for mistakes is in vain.
    fn is_full(&self) -> bool {
        self.diagnostics.len() >= MAX_DIAGNOSTICS
    }

    /// Reports what there is too much of.
    fn too_many(&mut self, span: Span, what: &str, limit: usize) {
        self.report(
            Diagnostic::error("E0110", format!("there are too many {what}"))
                .label(span, format!("at most {limit}")),
        );
    }

    /// The text of a span.
    fn text(&self, span: Span) -> &str {
        &self.source.text[span.start..span.end]
    }

    fn show(&self, ty: &Type) -> String {
        self.plan.types.show(ty)
    }

    /// Notes a place that can fail at run time because of a value.
    fn site(&mut self, span: Span, node: Option<&Node>) -> SiteId {
        let pointer = node.and_then(|node| self.pointer(node)).unwrap_or_default();
        let line = self.line_starts.partition_point(|start| *start <= span.start);
        self.plan.sites.push(Site { pointer, line });
        self.plan.sites.len() - 1
    }

    /// The pointer of the first field of the event from which an expression is made.
    fn pointer(&self, node: &Node) -> Option<String> {
        match node {
            Node::Path { slot: 0, fields } => self.field_pointer(fields),
            Node::Path { slot, .. } => self.pointers.get(*slot).cloned().flatten(),
            Node::Field { base: inner, .. }
            | Node::Not(inner)
            | Node::IsPresent { value: inner, .. }
            | Node::Negate { value: inner, .. }
            | Node::SplitOnce { text: inner, .. }
            | Node::InConstant { item: inner, .. }
            | Node::Match { value: inner, .. } => self.pointer(inner),
            Node::Coalesce(left, right)
            | Node::And(left, right)
            | Node::Or(left, right)
            | Node::Pair(left, right)
            | Node::Compare { left, right, .. }
            | Node::In { item: left, list: right, .. }
            | Node::Arithmetic { left, right, .. } => self.pointer(left).or_else(|| self.pointer(right)),
            Node::Concat { parts: nodes, .. }
            | Node::Call { arguments: nodes, .. }
            | Node::List(nodes)
            | Node::Record { fields: nodes, .. } => nodes.iter().find_map(|node| self.pointer(node)),
            Node::Constant(_) => None,
        }
    }

    fn field_pointer(&self, fields: &[usize]) -> Option<String> {
        let mut ty = Type::Record(self.plan.event);
        let mut pointer = String::new();
        for &index in fields {
            let Type::Record(record) = ty.present() else { return None };
            let field = self.plan.types.records.get(*record)?.fields.get(index)?;
            pointer.push('/');
            pointer.push_str(&field.name);
            ty = field.ty.clone();
        }
        Some(pointer)
    }
}

impl Typed {
    fn new(node: Node, ty: Type, span: Span) -> Self {
        Typed { node, ty, span }
    }

    /// Stands for an expression that was refused.
    fn error(span: Span) -> Self {
        Typed::new(Node::Constant(Constant::Absent), Type::Error, span)
    }

    fn constant(constant: Constant, ty: Type, span: Span) -> Self {
        Typed::new(Node::Constant(constant), ty, span)
    }
}
