//! `tidegate test`: runs the tests that are written in the rules.

use std::collections::BTreeMap;

use tide::TestResult;
use tidegate_core::config::RuleFile;

use super::configuration::{self, ConfigFile, counted};
use super::failure::Failure;
use super::terminal;

/// Run the tests written in the rules.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidegate test -c tidegate.toml")]
pub(super) struct Test {
    #[command(flatten)]
    config: ConfigFile,
}

impl Test {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = self.config.load(&configuration::overrides())?;
        let files: BTreeMap<&str, &RuleFile> = config
            .sources
            .iter()
            .filter_map(|source| source.rules.as_ref())
            .map(|file| (file.path.as_str(), file))
            .collect();
        let mut counts = Counts::default();
        for file in files.values() {
            run_file(file, &config.rule_limits, &mut counts);
        }
        terminal::say(&format!("{}, {} failed", counted(counts.passed, "test") + " passed", counts.failed));
        if counts.failed > 0 {
            return Err(Failure::work(counted(counts.failed, "rule test") + " failed"));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

fn run_file(file: &RuleFile, limits: &tide::Limits, counts: &mut Counts) {
    terminal::say(&terminal::bold(&file.path));
    for test in file.program.tests() {
        match file.program.run_test(test, limits) {
            TestResult::Passed => {
                counts.passed += 1;
                terminal::say(&format!("  {} {}", terminal::green("ok"), test.name));
            }
            TestResult::Failed { message, span } => {
                counts.failed += 1;
                terminal::say(&format!("  {} {}", terminal::red("FAILED"), test.name));
                let diagnostic =
                    tide::Diagnostic::error("T0001", format!("the test \"{}\" failed", test.name));
                let diagnostic = diagnostic.label(span, message);
                terminal::say(&tide::render(&file.source, &[diagnostic], terminal::colors()));
            }
        }
    }
}
