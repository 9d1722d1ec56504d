//! One layout: laid out twice is laid out once, and nothing changes its meaning.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tide::{Limits, Program, Source, compile, format};

use crate::harness::{files, read, run_tests, workspace};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Every rule file at hand.
fn all_files() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        ["accept", "refuse", "format"].iter().flat_map(|name| files(&golden(name), "tide")).collect();
    for name in ["payments", "stripe", "github"] {
        all.push(workspace(&format!("examples/{name}/rules/{name}.tide")));
    }
    all
}

fn laid_out(text: &str) -> Option<String> {
    format(&Source::new("format", text)).ok()
}

fn compiled(text: &str) -> (Option<Program>, Vec<&'static str>) {
    let compiled = compile(&Source::new("format", text));
    (compiled.program, compiled.diagnostics.iter().map(|found| found.code).collect())
}

#[test]
fn laid_out_twice_is_laid_out_once() {
    for path in all_files() {
        if let Some(once) = laid_out(&read(&path)) {
            assert_eq!(laid_out(&once).as_deref(), Some(once.as_str()), "{}", path.display());
        }
    }
}

#[test]
fn the_layout_changes_no_meaning() {
    for path in all_files() {
        let text = read(&path);
        let Some(once) = laid_out(&text) else { continue };
        let (before, after) = (compiled(&text), compiled(&once));
        assert_eq!(before.1, after.1, "{}\n{once}", path.display());
        if let Some(program) = after.0 {
            let count = if path.starts_with(golden("format")) { 0 } else { run_tests("laid out", &program) };
            assert!(count > 0 || !path.starts_with(golden("accept")), "{}", path.display());
        }
    }
}

#[test]
fn the_layout_keeps_every_comment() {
    for path in all_files() {
        let text = read(&path);
        let Some(once) = laid_out(&text) else { continue };
        let comments = |text: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.split_once("//"));
            lines.map(|(_, comment)| comment.trim().to_string()).collect()
        };
        assert_eq!(comments(&text), comments(&once), "{}", path.display());
    }
}

#[test]
fn a_text_that_cannot_be_parsed_is_refused() {
    let found = format(&Source::new("broken", "event {")).unwrap_err();
    assert!(found.iter().all(|found| found.code == "E0004"), "{found:?}");
}

#[test]
fn layouts_are_as_they_should_be() {
    for path in files(&golden("format"), "tide") {
        let expected = path.with_extension("formatted");
        let once = laid_out(&read(&path)).expect("it parses");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&expected, &once).unwrap();
        }
        assert_eq!(read(&expected), once, "{}", path.display());
    }
}

/// Pulls a text apart or together: blanks at the line ends, the indentation, blank lines, line ends.
fn disturbed(text: &str, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().cycle();
    let mut out = String::new();
    for line in text.lines() {
        let choice = choices.next().unwrap_or_default();
        let body = line.trim();
        out.push_str(&" ".repeat(usize::from(choice % 7)));
        out.push_str(&if body.contains(['"', '/']) { body.to_string() } else { body.replace(' ', "  ") });
        out.push_str(if choice % 3 == 0 { " \t\r\n" } else { "\n" });
        if body.is_empty() && choice % 2 == 0 {
            out.push('\n');
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blanks_do_not_matter(choices in proptest::collection::vec(any::<u8>(), 1..40), index in any::<proptest::sample::Index>()) {
        let all = all_files();
        let text = read(&all[index.index(all.len())]);
        // JSON of several lines keeps its own layout.
        let whole = |json: &str| {
            let line = json.lines().next().unwrap_or_default();
            line.matches('{').count() == line.matches('}').count()
        };
        if let Some(once) = laid_out(&text) && text.split("given").skip(1).all(whole) {
            prop_assert_eq!(laid_out(&disturbed(&text, &choices)), Some(once));
        }
    }

    #[test]
    fn outcomes_stay_the_same(cents in -5..20_i64, country in "[A-Z]{2}", kind in 0..7_usize, currency in "[A-Z]{2,4}") {
        let text = read(&workspace("examples/payments/rules/payments.tide"));
        let kinds = ["payment.succeeded", "payment.failed", "payment.refunded", "charge.disputed", "invoice.paid", "customer.created", "x"];
        let event = serde_json::json!({
            "event_type": kinds[kind], "object_id": "pi_1", "amount_cents": cents * 100_000, "currency": currency,
            "metadata": { "country": country },
        }).to_string();
        let [before, after] = [&text, &laid_out(&text).unwrap()]
            .map(|text| compiled(text).0.unwrap().run(event.as_bytes(), &Limits::default()));
        prop_assert_eq!(before, after);
    }
}
