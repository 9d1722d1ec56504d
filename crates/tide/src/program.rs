//! A program that passed every check.

use std::fmt;

use crate::eval;
use crate::limits::Limits;
use crate::plan::Plan;
use crate::reject::Outcome;
use crate::testing::{Test, TestResult, run_test};
use crate::types::Type;

/// A program that passed every check and can run. It is immutable and can be shared between threads.
pub struct Program {
    pub(crate) plan: Plan,
    pub(crate) tests: Vec<Test>,
    pub(crate) rule_name: String,
}

impl Program {
    /// Checks one event against its type, runs the rule on it, and returns what became of it.
    ///
    /// The bytes are a JSON text. Whatever they hold, this neither panics nor runs for ever, and the
    /// same bytes always have the same outcome.
    pub fn run(&self, event: &[u8], limits: &Limits) -> Outcome {
        let record = eval::run(&self.plan, event, limits);
        match record.and_then(|record| eval::write(&self.plan, &record, limits)) {
            Ok(written) => Outcome::Accepted(written),
            Err(outcome) => outcome,
        }
    }

    /// The tests written in the file, in their order.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Runs one of the program's own tests. It stops at the first expectation that fails.
    pub fn run_test(&self, test: &Test, limits: &Limits) -> TestResult {
        run_test(&self.plan, test, limits)
    }

    /// The name of the event type.
    pub fn event_name(&self) -> &str {
        self.type_name(&self.plan.event)
    }

    /// The name of the record type that the rule returns.
    pub fn record_name(&self) -> &str {
        self.type_name(&Type::Record(self.plan.record))
    }

    /// The name of the rule.
    pub fn rule_name(&self) -> &str {
        &self.rule_name
    }

    fn type_name(&self, ty: &Type) -> &str {
        let name = match ty {
            Type::Record(id) => self.plan.types.records.get(*id).and_then(|record| record.name.as_deref()),
            Type::Choice(id) => self.plan.types.choices.get(*id).map(|choice| choice.name.as_str()),
            _ => None,
        };
        name.unwrap_or_default()
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("rule", &self.rule_name).finish_non_exhaustive()
    }
}
