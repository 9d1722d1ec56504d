//! The rule files that ship as examples, on their own tests and on payloads of the providers.

use crate::harness::{accept, files, program, read, run_tests, workspace};

const EXAMPLES: [(&str, usize); 3] = [("payments", 8), ("stripe", 4), ("github", 4)];

fn example(name: &str) -> tide::Program {
    let path = workspace(&format!("examples/{name}/rules/{name}.tide"));
    program(name, &read(&path))
}

#[test]
fn the_examples_pass_their_own_tests() {
    for (name, least) in EXAMPLES {
        let count = run_tests(name, &example(name));
        assert!(count >= least, "{name} has only {count} tests");
    }
}

#[test]
fn payloads_of_the_providers_are_accepted() {
    for name in ["stripe", "github"] {
        let folder = workspace("../shared/data/payloads").join(name);
        if !folder.is_dir() {
            println!("skipped: there is no folder {}", folder.display());
            return;
        }
        let program = example(name);
        let payloads = files(&folder, "json");
        assert!(!payloads.is_empty(), "{} is empty", folder.display());
        for path in payloads {
            let record = accept(&program, read(&path).as_bytes());
            let parsed: serde_json::Value = serde_json::from_str(&record).unwrap();
            assert!(parsed.is_object(), "{}: {record}", path.display());
        }
    }
}
