//! Runs the tests that stand in a rule file.

use crate::encode::{TooLong, write_value};
use crate::eval::{self, Machine};
use crate::limits::Limits;
use crate::plan::{Node, Plan};
use crate::reject::{Outcome, Reject};
use crate::source::Span;
use crate::value::Value;

/// A `test` block of a rule file.
#[derive(Debug)]
pub struct Test {
    /// What the test is called.
    pub name: String,
    /// The place of its name.
    pub span: Span,
    pub(crate) event: String,
    pub(crate) expected: Vec<(Span, Expected)>,
}

/// What a test expects.
#[derive(Debug)]
pub(crate) enum Expected {
    /// The event is turned away, here if a pointer is given.
    Reject(Option<String>),
    /// A condition on the record, with its text.
    Holds(Node, String),
    /// Two equal values, with their texts.
    Equal { left: Node, right: Node, texts: (String, String) },
}

/// The result of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// All that was expected came true.
    Passed,
    /// Something else happened.
    Failed {
        /// What was expected and what happened.
        message: String,
        /// The expectation that failed.
        span: Span,
    },
}

pub(crate) fn run_test(plan: &Plan, test: &Test, limits: &Limits) -> TestResult {
    // A record that cannot be written is a reject, here as outside of tests.
    let result = eval::run(plan, test.event.as_bytes(), limits)
        .and_then(|record| Ok((eval::write(plan, &record, limits)?, record)));
    for (span, expected) in &test.expected {
        let failed = match (&result, expected) {
            (Ok((written, _)), Expected::Reject(_)) => {
                Some(format!("expected a reject, but the event was accepted: {written}"))
            }
            (Err(outcome), Expected::Reject(pointer)) => not_rejected_at(outcome, pointer.as_deref()),
            (Err(outcome), _) => Some(format!("the event was rejected: {}", reasons(outcome))),
            (Ok(accepted), expected) => broken(plan, accepted, expected, limits),
        };
        if let Some(message) = failed {
            return TestResult::Failed { message, span: *span };
        }
    }
    TestResult::Passed
}

fn rejects(outcome: &Outcome) -> &[Reject] {
    match outcome {
        Outcome::Rejected(rejects) => rejects,
        Outcome::NotJson(reject) => std::slice::from_ref(reject),
        Outcome::Accepted(_) => &[],
    }
}

fn reasons(outcome: &Outcome) -> String {
    let reasons: Vec<String> = rejects(outcome).iter().map(Reject::to_string).collect();
    reasons.join("; ")
}

fn not_rejected_at(outcome: &Outcome, pointer: Option<&str>) -> Option<String> {
    let pointer = pointer?;
    if rejects(outcome).iter().any(|reject| reject.pointer == pointer) {
        return None;
    }
    Some(format!("expected a reject at \"{pointer}\", found {}", reasons(outcome)))
}

/// What is wrong with a record, if something is.
fn broken<'a>(
    plan: &'a Plan,
    (written, record): &(String, Value<'a>),
    expected: &'a Expected,
    limits: &Limits,
) -> Option<String> {
    let mut machine = Machine::new(plan, limits);
    machine.slots[0] = record.clone();
    let mut value = |node: &'a Node| machine.node(node).map_err(|reject| reject.to_string());
    let (wanted, result) = match expected {
        Expected::Reject(_) => return None,
        Expected::Holds(node, text) => {
            (text.clone(), value(node).map(|value| (matches!(value, Value::Bool(true)), None)))
        }
        Expected::Equal { left, right, texts } => {
            let both = value(left).and_then(|left| Ok((left, value(right)?)));
            let result = both.map(|(left, right)| (left.equals(&right), Some((left, right))));
            (format!("{} == {}", texts.0, texts.1), result)
        }
    };
    match result {
        Ok((true, _)) => None,
        Ok((false, Some((left, _)))) => {
            let shown = write_value(&plan.types, &left, limits.max_output_bytes);
            let shown = shown.unwrap_or_else(|TooLong| "a value that is too long to write".into());
            Some(format!("expected {wanted}, found {shown}"))
        }
        Ok((false, None)) => Some(format!("expected {wanted}, found the record {written}")),
        Err(message) => Some(format!("expected {wanted}, but {message}")),
    }
}
