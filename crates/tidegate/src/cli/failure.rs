//! How a verb ends when it does not succeed: an exit code, what happened, and what to do.

use std::error::Error;
use std::process::ExitCode;

use super::terminal;

/// What kind of end it is; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Whoever read standard output has had enough, as `head` does; nobody is to be told.
    NobodyReads = 0,
    /// The work failed.
    Failed = 1,
    /// The verb was called with arguments that do not go together.
    Usage = 2,
    /// Data or configuration are bad.
    Data = 65,
    /// A fault of Tidegate's own, or of what it stands on.
    Internal = 70,
}

/// The end of a verb that did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// The work failed, for the reason that `error` and its sources give.
    pub(super) fn failed(what: impl Into<String>, error: &dyn Error) -> Self {
        Self { kind: Kind::Failed, message: format!("{}: {}", what.into(), chain(error)), hint: None }
    }

    /// Standard output cannot be written.
    pub(super) fn output(error: &std::io::Error) -> Self {
        let mut failure = Self::failed("cannot write to standard output", error);
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            failure.kind = Kind::NobodyReads;
        }
        failure
    }

    /// The work failed.
    pub(super) fn work(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, message: message.into(), hint: None }
    }

    /// The arguments do not go together.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hint: None }
    }

    /// Data or configuration are bad.
    pub(super) fn data(message: impl Into<String>) -> Self {
        Self { kind: Kind::Data, message: message.into(), hint: None }
    }

    /// Something below Tidegate broke.
    pub(super) fn fault(message: impl Into<String>) -> Self {
        Self { kind: Kind::Internal, message: message.into(), hint: None }
    }

    /// A fault of Tidegate's own.
    pub(super) fn internal(what: impl Into<String>, error: &dyn Error) -> Self {
        Self { kind: Kind::Internal, message: format!("{}: {}", what.into(), chain(error)), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Prints it and gives its exit code.
    pub(super) fn report(self) -> ExitCode {
        if self.kind == Kind::NobodyReads {
            return ExitCode::SUCCESS;
        }
        terminal::say(&format!("{}: {}", terminal::red("error"), self.message));
        if let Some(hint) = self.hint {
            terminal::say(&format!("{}: {hint}", terminal::bold("hint")));
        }
        ExitCode::from(self.kind as u8)
    }
}

/// An error with its sources, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
