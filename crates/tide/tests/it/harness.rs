//! What several tests share.

use std::path::{Path, PathBuf};

use tide::{Compiled, Limits, Outcome, Program, Source, TestResult, compile, render};

/// A path in the workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files in a folder that end in `.extension`, by name.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// Compiles a text that must be in order, without warnings.
pub(crate) fn program(name: &str, text: &str) -> Program {
    let source = Source::new(name, text);
    let Compiled { program, diagnostics } = compile(&source);
    let shown = render(&source, &diagnostics, false);
    assert!(diagnostics.is_empty(), "{shown}");
    program.unwrap_or_else(|| panic!("{shown}"))
}

/// Runs all tests of a program; returns how many there were.
pub(crate) fn run_tests(name: &str, program: &Program) -> usize {
    for test in program.tests() {
        if let TestResult::Failed { message, .. } = program.run_test(test, &Limits::default()) {
            panic!("{name}: {}: {message}", test.name);
        }
    }
    program.tests().len()
}

/// Runs an event that must be accepted.
pub(crate) fn accept(program: &Program, event: &[u8]) -> String {
    match program.run(event, &Limits::default()) {
        Outcome::Accepted(record) => record,
        other => panic!("{other:?} for {}", String::from_utf8_lossy(event)),
    }
}

/// Runs an event that must be rejected; yields `code pointer` of each reason.
pub(crate) fn reject(program: &Program, event: &[u8], limits: &Limits) -> Vec<String> {
    match program.run(event, limits) {
        Outcome::Rejected(reasons) => {
            reasons.iter().map(|reason| format!("{} {}", reason.code, reason.pointer)).collect()
        }
        other => panic!("{other:?} for {}", String::from_utf8_lossy(event)),
    }
}
