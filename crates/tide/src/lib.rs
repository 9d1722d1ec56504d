//! Tide, a small typed rule language that is checked before anything runs.
//!
//! A Tide file declares what an event looks like, what record is made of it, and the rule that leads
//! from one to the other. [`compile`] refuses a file in which a name is mistyped, a field is missing,
//! an absent value is used as if it were there, a type is wrong, a case is not handled, or a path
//! returns nothing; it reports all mistakes at once, each with a code, a place and a way out. What is
//! left to go wrong afterwards is the fault of the event, and ends as a [`Reject`] that points at it.
//!
//! ```
//! use tide::{Limits, Outcome, Source, compile};
//!
//! let source = Source::new("orders.tide", r#"
//!     event Order  { id: String, cents: Int in 0 ..< 1_000_000, note: String? }
//!     record Row   { id: String, amount: Decimal, note: String }
//!
//!     rule store(event: Order) -> Row {
//!         return Row { id: event.id, amount: decimal(event.cents) / 100, note: event.note ?? "" }
//!     }
//! "#);
//! let compiled = compile(&source);
//! let program = compiled.program.expect("the file is in order");
//!
//! let outcome = program.run(br#"{"id": "a1", "cents": 1250}"#, &Limits::default());
//! assert_eq!(outcome, Outcome::Accepted(r#"{"id":"a1","amount":12.50,"note":""}"#.into()));
//!
//! let outcome = program.run(br#"{"id": "a1", "cents": -1}"#, &Limits::default());
//! let Outcome::Rejected(reasons) = outcome else { panic!("a negative amount is accepted") };
//! assert_eq!(reasons[0].pointer, "/cents");
//! assert_eq!(reasons[0].code.as_str(), "out_of_range");
//! ```
//!
//! # What the crate guarantees
//!
//! - It is pure: no files, no network, no clock, no randomness, no threads, no unsafe code. The same
//!   source and the same event have the same outcome everywhere.
//! - No input makes it panic, overflow the stack or run without end, neither a source text nor an event.
//! - Every bound has a name: [`Limits`] for events, [`MAX_SOURCE_BYTES`] for source texts.
//! - It knows nothing of webhooks. An event is bytes, a record is JSON.
//!
//! # How it is built
//!
//! Text goes through `lexer` (tokens), `parser` (tree), `checker` (names, types and, in the same walk,
//! the plan). None of these stages stops at a mistake. A plan is run by `decode`, which reads the event
//! in one pass straight into typed values, `eval`, which runs the rule, and `encode`, which writes the
//! record. There is no tree of JSON values on the way in or out.
//!
//! [`format()`] lays a source text out from its tokens, and [`explain`] says what a code means, with
//! programs that the tests compile.

mod builtins;
mod checker;
mod decode;
mod diagnostic;
mod encode;
mod eval;
mod explain;
mod format;
mod json;
mod lexer;
mod limits;
mod parser;
mod plan;
mod program;
mod refinement;
mod reject;
mod source;
mod syntax;
mod testing;
mod types;
mod value;

pub use builtins::{Builtin, Example, builtins};
pub use diagnostic::{Diagnostic, Label, Severity, render, suggest};
pub use explain::{codes, explain};
pub use format::format;
pub use json::is_valid_json;
pub use limits::{Limits, MAX_SOURCE_BYTES};
pub use program::Program;
pub use reject::{Outcome, Reject, RejectCode};
pub use source::{Source, Span};
pub use testing::{Test, TestResult};

/// What [`compile`] makes of a source.
#[derive(Debug)]
pub struct Compiled {
    /// The program; there is one exactly when no diagnostic is an error.
    pub program: Option<Program>,
    /// All mistakes and warnings, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a source and compiles it.
pub fn compile(source: &Source) -> Compiled {
    if source.text.len() > MAX_SOURCE_BYTES {
        return Compiled { program: None, diagnostics: vec![too_large()] };
    }
    let (file, mut diagnostics) = parser::parse(&source.text);
    let mut checked = checker::check(source, &file);
    // A part that was not understood is missing from the tree; what follows from that is no news.
    if !diagnostics.is_empty() {
        checked.diagnostics.retain(|diagnostic| !follows_from_syntax(diagnostic.code));
    }
    diagnostics.append(&mut checked.diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span.start));
    let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let program = if refused {
        None
    } else {
        let rule_name = file.rules.first().map(|rule| rule.name.text.clone()).unwrap_or_default();
        Some(Program { plan: checked.plan, tests: checked.tests, rule_name })
    };
    Compiled { program, diagnostics }
}

/// The mistake of a text that is not even read.
fn too_large() -> Diagnostic {
    let message = format!("the file is larger than {MAX_SOURCE_BYTES} bytes");
    Diagnostic::error("E0006", message).label(Span::new(0, 0), "too large")
}

/// Whether a mistake can be the mere consequence of a part that could not be parsed: a name or a
/// declaration that is not there, a path without an end, a value that nobody reads.
fn follows_from_syntax(code: &str) -> bool {
    matches!(code, "E0101" | "E0103" | "E0106" | "E0210" | "E0301" | "E0303" | "E0402" | "W0501" | "W0503")
}
