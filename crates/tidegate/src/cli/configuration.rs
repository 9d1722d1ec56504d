//! Finding and reading the configuration for a verb.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tidegate_core::config::{self, Config, Loaded, Overrides, Report, Unlocked};

use super::failure::Failure;
use super::terminal;
use crate::surroundings::Host;

/// The configuration file that a verb works on.
#[derive(clap::Args, Clone)]
pub(super) struct ConfigFile {
    /// The configuration file.
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "tidegate.toml")]
    pub(super) path: PathBuf,
}

impl ConfigFile {
    /// What relative paths in it start at, and what secrets are looked up in.
    pub(super) fn host(&self) -> Host {
        Host::beside(&self.path)
    }

    /// Reads the file and the rules that it names; mistakes are printed, all of them.
    pub(super) fn load(&self, overrides: &Overrides) -> Result<Config, Failure> {
        let text = std::fs::read_to_string(&self.path).map_err(|error| self.unreadable(&error))?;
        let source = tide::Source::new(self.path.display().to_string(), text);
        let Loaded { config, reports } = config::load(&source, overrides, &self.host());
        print_reports(&reports);
        config.ok_or_else(|| {
            Failure::data(format!("{} in {}", mistakes(count_errors(&reports)), where_from(&reports)))
        })
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        let failure = Failure::data(format!("cannot read {}: {error}", self.path.display()));
        if error.kind() == std::io::ErrorKind::NotFound {
            return failure
                .hint("`tidegate init` writes a configuration that works at once; -c names another file");
        }
        failure
    }

    /// Resolves the secrets of `config`; what is missing is printed, all of it.
    pub(super) fn unlock(&self, config: &Config) -> Result<Unlocked, Failure> {
        config.unlock(&self.host()).map_err(|problems| {
            let count = problems.len();
            self.print(problems);
            Failure::data(format!("{} with the secrets of {}", mistakes(count), self.path.display()))
        })
    }

    /// Prints what there is to say about this file after it was read.
    pub(super) fn print(&self, diagnostics: Vec<tide::Diagnostic>) {
        // A file that is gone by now still has its messages shown, without their lines.
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let source = tide::Source::new(self.path.display().to_string(), text);
        print_reports(&[Report { source, diagnostics }]);
    }
}

/// The overrides of this process's environment.
pub(super) fn overrides() -> Overrides {
    // A variable that is not text cannot be one of ours, and is none of our business.
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    Overrides::from_env(std::env::vars_os().filter_map(text))
}

fn count_errors(reports: &[Report]) -> usize {
    reports.iter().map(Report::errors).sum()
}

/// The files with errors; an error without a place comes from the environment or from a flag.
fn where_from(reports: &[Report]) -> String {
    let mut places = Vec::new();
    for report in reports {
        let errors = || report.diagnostics.iter().filter(|d| d.severity == tide::Severity::Error);
        if errors().any(|error| !error.labels.is_empty()) {
            places.push(report.source.name.as_str());
        }
        if errors().any(|error| error.labels.is_empty()) {
            places.push("the environment or flags");
        }
    }
    places.join(" and ")
}

/// Prints what there is to say about each file.
pub(super) fn print_reports(reports: &[Report]) {
    for report in reports {
        terminal::say(tide::render(&report.source, &report.diagnostics, terminal::colors()).trim_end());
        terminal::say("");
    }
}

/// "1 mistake", "5 mistakes".
pub(super) fn mistakes(count: usize) -> String {
    counted(count, "mistake")
}

/// A number with its noun in the right form.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Reads a store's address from the flag, or from the configuration.
pub(super) fn store_options(
    file: &ConfigFile,
    url: Option<&str>,
) -> Result<(config::Store, PathBuf), Failure> {
    let mut overrides = overrides();
    match url {
        Some(url) => {
            // Without a configuration file, the built-in defaults and one source that is never
            // used make the rest of a configuration.
            overrides.set("store.url", url, "--store");
            let source = tide::Source::new(
                "--store",
                "[[source]]\nname = \"x\"\nprovider = \"none\"\nevent_id = \"id\"\n",
            );
            let Loaded { config, reports } = config::load(&source, &overrides, &Host::new(""));
            let Some(config) = config else {
                print_reports(&reports);
                return Err(Failure::usage("the store cannot be named like this"));
            };
            Ok((config.store, PathBuf::new()))
        }
        None => Ok((file.load(&overrides)?.store, base(&file.path).to_owned())),
    }
}

fn base(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}
