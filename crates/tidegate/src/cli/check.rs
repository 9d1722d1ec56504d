//! `tidegate check`: every mistake in configuration and rules at once.

use super::configuration::{self, ConfigFile, counted};
use super::failure::Failure;
use super::terminal;

/// Check the configuration and its rules; every mistake at once.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidegate check -c tidegate.toml\n  tidegate check --explain E0201\n\n\
    Exits 0 when all is well and 65 when there are mistakes. Secrets that are not set on this\n\
    machine are warnings here; `tidegate serve` does not start without them.")]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// Explain the code of a mistake, with a wrong and a right example, and check nothing.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(code) = &self.explain {
            return explain(code);
        }
        let config = self.config.load(&configuration::overrides())?;
        if let Err(mut problems) = config.unlock(&self.config.host()) {
            for problem in &mut problems {
                problem.severity = tide::Severity::Warning;
            }
            self.config.print(problems);
        }
        let rules = config.sources.iter().filter(|source| source.rules.is_some()).count();
        terminal::say(&format!(
            "{} {}: {}, {} with rules",
            terminal::green("ok"),
            self.config.path.display(),
            counted(config.sources.len(), "source"),
            rules
        ));
        Ok(())
    }
}

fn explain(code: &str) -> Result<(), Failure> {
    let code = code.to_ascii_uppercase();
    match tide::explain(&code) {
        Some(text) => terminal::print(format!("{}\n", text.trim_end())),
        None => {
            let known: Vec<&str> = tide::codes().collect();
            Err(Failure::usage(format!("there is no explanation of {code}"))
                .hint(format!("explained are {}", known.join(" "))))
        }
    }
}
