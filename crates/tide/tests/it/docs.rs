//! The guide to the language: its programs pass, and its tables are complete.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::harness::{program, read, run_tests, workspace};

fn guide() -> String {
    read(&workspace("docs/tide.md"))
}

#[test]
fn the_programs_of_the_guide_pass_their_tests() {
    let guide = guide();
    let programs: Vec<&str> =
        guide.split("```tide\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!programs.is_empty());
    for (index, text) in programs.iter().enumerate() {
        let name = format!("docs/tide.md, program {}", index + 1);
        assert!(run_tests(&name, &program(&name, text)) > 0, "{name} has no tests");
    }
}

#[test]
fn the_guide_names_every_function() {
    let guide = guide();
    for builtin in tide::builtins() {
        assert!(guide.contains(&format!("`{}(", builtin.name)), "{} is missing", builtin.name);
    }
}

/// The codes that stand in a text.
fn codes(text: &str) -> BTreeSet<String> {
    let code = regex::Regex::new(r#"\b[EW]0[1-9]\d\d\b|\bE00\d\d\b"#).expect("a pattern");
    code.find_iter(text).map(|found| found.as_str().to_string()).collect()
}

/// The codes that the sources of the crate report.
pub(crate) fn emitted_codes() -> BTreeSet<String> {
    let mut sources = Vec::new();
    sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    // The explanations name every code, reported or not; so do the unit tests of the drawing.
    sources.retain(|path| {
        let explains =
            path.components().any(|part| part.as_os_str() == "explain" || part.as_os_str() == "explain.rs");
        !explains
    });
    sources
        .iter()
        .flat_map(|path| codes(read(path).split("#[cfg(test)]").next().unwrap_or_default()))
        .collect()
}

#[test]
fn the_guide_names_every_code() {
    let guide = guide();
    let table = guide.split("## Mistakes and their codes").nth(1).expect("a table of codes");
    assert_eq!(emitted_codes(), codes(table));
}

#[test]
fn the_guide_names_every_reject_code() {
    let reject = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reject.rs"));
    let guide = guide();
    for code in reject.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(guide.contains(&format!("`{code}`")), "{code} is missing");
    }
}

fn sources_below(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources_below(&path, sources);
        } else {
            sources.push(path);
        }
    }
}
