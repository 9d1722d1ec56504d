//! Golden programs. To add one, write a `.tide` file: in `accept` with tests that must pass, in
//! `refuse` with mistakes, whose drawing is kept beside it. `UPDATE_GOLDEN=1 cargo test -p tide`
//! writes the drawings anew; read them before you commit them.

use std::path::{Path, PathBuf};

use tide::{Severity, Source, compile, render};

use crate::harness::{files, program, read, run_tests};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn accepted_programs_pass_their_tests() {
    let programs = files(&folder("accept"), "tide");
    assert!(programs.len() >= 25, "only {} programs", programs.len());
    for path in programs {
        let name = file_name(&path);
        let count = run_tests(&name, &program(&name, &read(&path)));
        assert!(count > 0, "{name} has no tests");
    }
}

#[test]
fn refused_programs_are_explained() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let programs = files(&folder("refuse"), "tide");
    assert!(programs.len() >= 45, "only {} programs", programs.len());
    let mut different = Vec::new();
    for path in &programs {
        let source = Source::new(file_name(path), read(path));
        let compiled = compile(&source);
        assert!(!compiled.diagnostics.is_empty(), "{} has no mistakes", source.name);
        let refused = compiled.diagnostics.iter().any(|found| found.severity == Severity::Error);
        assert_eq!(compiled.program.is_none(), refused, "{}", source.name);
        let drawn = render(&source, &compiled.diagnostics, false);
        let expected = path.with_extension("stderr");
        if update {
            std::fs::write(&expected, &drawn).unwrap();
        } else if !expected.is_file() || read(&expected) != drawn {
            different.push(format!("{}:\n{drawn}", source.name));
        }
    }
    assert!(different.is_empty(), "set UPDATE_GOLDEN=1 and read the difference\n{}", different.join("\n"));
}

#[test]
fn no_drawing_is_left_over() {
    for path in files(&folder("refuse"), "stderr") {
        assert!(path.with_extension("tide").is_file(), "{} has no program", path.display());
    }
}
