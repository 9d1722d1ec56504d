//! Tree to plan: resolves names, settles types, and refuses what could go wrong at run time.
//!
//! One walk does both checking and lowering, so that no check can drift from what runs. A mistake
//! yields a diagnostic and a value of the error type, which fits everywhere; so every mistake is
//! reported and none twice. The plan is complete if there was no error.

mod calls;
mod choices;
mod coverage;
mod decided;
mod declarations;
mod domains;
mod expressions;
mod fitting;
mod frame;
mod functions;
mod indexing;
mod loops;
mod matching;
mod narrowing;
mod operators;
mod records;
mod scope;
mod statements;
mod templates;
mod test_blocks;
mod unused;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::limits::MAX_DIAGNOSTICS;
use crate::plan::{Function, Node, Place, Plan, Site, SiteId};
use crate::source::{Source, Span};
use crate::syntax::File;
use crate::testing::Test;
use crate::types::{Type, Types};
use crate::value::Constant;
use declarations::Named;
use frame::Frame;
use functions::Signature;
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
        plan: empty_plan(),
        named: BTreeMap::new(),
        constants: Vec::new(),
        functions: Vec::new(),
        scopes: Scopes::default(),
        frame: Frame::new(Type::Error, Span::new(0, 0)),
        line_starts,
        resolving: 0,
        patterns: 0,
        cases: 0,
        errors: 0,
        warnings: 0,
        diagnostics: Vec::new(),
    };
    checker.name_declarations();
    checker.resolve_declarations();
    checker.constants();
    checker.function_signatures();
    checker.function_bodies();
    checker.rule();
    let tests = checker.tests();
    checker.unused_declarations();
    let Checker { plan, diagnostics, .. } = checker;
    Checked { plan, tests, diagnostics }
}

/// The plan before anything is known.
fn empty_plan() -> Plan {
    Plan {
        types: Types::default(),
        event: Type::Error,
        record: usize::MAX,
        rule: Function::default(),
        functions: Vec::new(),
        sites: Vec::new(),
    }
}

struct Checker<'a> {
    source: &'a Source,
    file: &'a File,
    plan: Plan,
    named: BTreeMap<&'a str, Named<'a>>,
    constants: Vec<NamedConstant>,
    functions: Vec<Signature<'a>>,
    scopes: Scopes,
    frame: Frame,
    /// Where the lines of the source begin.
    line_starts: Vec<usize>,
    /// How many names are being resolved within each other.
    resolving: usize,
    patterns: usize,
    cases: usize,
    /// How many errors and how many warnings are among the diagnostics.
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Diagnostic>,
}

/// A `const`.
struct NamedConstant {
    name: String,
    ty: Type,
    value: Constant,
    used: bool,
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
        // Each severity has a bound of its own: an error dropped for its warnings would let the file compile.
        let count = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *count < MAX_DIAGNOSTICS {
            *count += 1;
            self.diagnostics.push(diagnostic);
        }
    }

    fn report_all(&mut self, diagnostics: Vec<Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.report(diagnostic));
    }

    /// Whether more errors would be dropped; then the file is refused, and looking for more is in vain.
    fn is_full(&self) -> bool {
        self.errors >= MAX_DIAGNOSTICS
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
        let place = node.and_then(|node| self.origin(node)).unwrap_or_default();
        let line = self.line_starts.partition_point(|start| *start <= span.start);
        self.plan.sites.push(Site { place, line });
        self.plan.sites.len() - 1
    }

    /// The place of the first field of the event from which an expression is made.
    fn origin(&self, node: &Node) -> Option<Place> {
        match node {
            Node::Path { slot, .. } => {
                self.place(node).or_else(|| self.frame.slots.get(*slot).and_then(|slot| slot.origin.clone()))
            }
            Node::Field { base: inner, .. }
            | Node::Not(inner)
            | Node::IsPresent { value: inner, .. }
            | Node::Negate { value: inner, .. }
            | Node::SplitOnce { text: inner, .. }
            | Node::InConstant { item: inner, .. }
            | Node::Match { value: inner, .. } => self.origin(inner),
            Node::Coalesce(left, right)
            | Node::And(left, right)
            | Node::Or(left, right)
            | Node::Pair(left, right)
            | Node::Compare { left, right, .. }
            | Node::In { item: left, list: right, .. }
            | Node::Index { base: left, index: right }
            | Node::Arithmetic { left, right, .. } => self.origin(left).or_else(|| self.origin(right)),
            Node::Concat { parts: nodes, .. }
            | Node::Call { arguments: nodes, .. }
            | Node::Invoke { arguments: nodes, .. }
            | Node::List(nodes)
            | Node::Record { fields: nodes, .. } => nodes.iter().find_map(|node| self.origin(node)),
            Node::Constant(_) => None,
        }
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
