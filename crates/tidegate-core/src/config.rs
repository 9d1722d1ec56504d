//! What a `tidegate.toml` means, with every mistake located.
//!
//! Values come from four layers, the later ones winning: the commented defaults that are built in
//! ([`DEFAULTS`]), the file, `TIDEGATE_<SECTION>_<KEY>` variables, and flags of the command line.
//! Reading never stops at the first mistake: the result of [`load`] is either a configuration in
//! which everything fits together, or all the reasons why there is none, each with its line and
//! with what to write instead. Rule files are part of the configuration and are compiled here.
//!
//! Secrets are references (`env:NAME`, `file:PATH`) until [`Config::unlock`] resolves them. One
//! written in clear is refused and its text is not repeated in the message.

mod reader;
mod server;
mod source;
mod store;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tide::{Diagnostic, Severity, Source as Text};

use crate::secret::Secret;
use crate::verify::Verifier;
use reader::{Place, Reader};

pub use server::{Log, LogFormat, Server};
pub use source::{EventIdRule, EventTypeRule, Format, OnInvalid, RuleFile, Source};
pub use store::{Store, StoreUrl};

/// The built-in defaults, with a comment for each; the first layer of every configuration.
pub const DEFAULTS: &str = include_str!("config/defaults.toml");

/// A configuration in which everything fits together.
#[derive(Debug)]
pub struct Config {
    /// Listeners and their limits.
    pub server: Server,
    /// Where events are kept.
    pub store: Store,
    /// How the process speaks about itself.
    pub log: Log,
    /// Limits of every run of a rule.
    pub rule_limits: tide::Limits,
    /// Who may send what; in the order of the file, at least one.
    pub sources: Vec<Source>,
}

/// What reading a configuration may ask of the outside.
pub trait Surroundings {
    /// The value of an environment variable.
    fn var(&self, name: &str) -> Option<String>;

    /// The contents of a file; relative paths start at the folder of the configuration file.
    ///
    /// # Errors
    /// Why it cannot be read, as the operating system says it.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// Values that stand above the file: from the environment and from flags.
#[derive(Clone, Debug, Default)]
pub struct Overrides(BTreeMap<String, Override>);

#[derive(Clone, Debug)]
struct Override {
    value: String,
    origin: String,
}

impl Overrides {
    /// The sections whose keys can be set from the environment.
    const SECTIONS: [&'static str; 4] = ["server", "store", "log", "rules"];

    /// Takes every `TIDEGATE_<SECTION>_<KEY>`, such as `TIDEGATE_SERVER_LISTEN`, and what looks like
    /// a misspelled section, so that it is reported.
    pub fn from_env(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut overrides = Self::default();
        for (name, value) in vars {
            let Some(rest) = name.strip_prefix("TIDEGATE_").map(str::to_ascii_lowercase) else { continue };
            let Some((section, key)) = rest.split_once('_') else { continue };
            let known = Self::SECTIONS.contains(&section) && !is_service_link(key);
            if known
                || (tide::suggest(section, Self::SECTIONS).is_some() && !Self::SECTIONS.contains(&section))
            {
                overrides.0.insert(format!("{section}.{key}"), Override { value, origin: name });
            }
        }
        overrides
    }

    /// What is set for sections that do not exist: the origin, and the section that is near.
    fn misspelled(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(path, over)| {
            let section = path.split('.').next().filter(|section| !Self::SECTIONS.contains(section))?;
            Some((over.origin.as_str(), tide::suggest(section, Self::SECTIONS)?))
        })
    }

    /// Sets `key` (such as `server.listen`) from a flag, above the environment.
    pub fn set(&mut self, key: &str, value: impl Into<String>, flag: &str) {
        self.0.insert(key.to_owned(), Override { value: value.into(), origin: flag.to_owned() });
    }
}

/// Whether Kubernetes sets such a variable by itself, for a service named `tidegate-server`.
fn is_service_link(key: &str) -> bool {
    key == "port" || key.starts_with("port_") || key.starts_with("service_")
}

/// What is to be said about one file.
#[derive(Debug)]
pub struct Report {
    /// The file's name and text, for [`tide::render`].
    pub source: Text,
    /// What is wrong or doubtful in it, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// How many of the diagnostics are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}

/// The outcome of [`load`]: a configuration if there was no error, and what there is to say.
#[derive(Debug)]
pub struct Loaded {
    /// Present exactly when no report holds an error.
    pub config: Option<Config>,
    /// One report for each file about which there is something to say.
    pub reports: Vec<Report>,
}

/// Reads a configuration and the rules that it names.
pub fn load(text: &Text, overrides: &Overrides, surroundings: &dyn Surroundings) -> Loaded {
    let defaults = toml::de::DeTable::parse_recoverable(DEFAULTS).0;
    let (document, syntax) = toml::de::DeTable::parse_recoverable(&text.text);
    let reader = Reader::new(overrides);
    for error in &syntax {
        reader.syntax(error);
    }
    let root = reader.root(document.get_ref(), defaults.get_ref(), text.text.len());

    let server = server::read(&root.section("server"));
    let log = server::read_log(&root.section("log"));
    let store = store::read(&root.section("store"));
    let rule_limits = read_rule_limits(&root.section("rules"));
    let mut reports = Vec::new();
    let sources = source::read_all(&root, surroundings, &mut reports);
    root.finish();
    for (origin, near) in overrides.misspelled() {
        let help = format!("did you mean TIDEGATE_{}_…?", near.to_uppercase());
        reader.push(
            Diagnostic::error("C0101", format!("{origin} names no section of the configuration")).help(help),
        );
    }

    let diagnostics = reader.into_diagnostics(text);
    if !diagnostics.is_empty() {
        reports.insert(0, Report { source: text.clone(), diagnostics });
    }
    let sound = reports.iter().all(|report| report.errors() == 0);
    let config = match (server, log, store, rule_limits, sources) {
        (Some(server), Some(log), Some(store), Some(rule_limits), Some(sources)) if sound => {
            Some(Config { server, store, log, rule_limits, sources })
        }
        _ => None,
    };
    Loaded { config, reports }
}

fn read_rule_limits(section: &reader::Section<'_>) -> Option<tide::Limits> {
    let fuel = section.integer("fuel", 1_000..=1_000_000_000);
    let max_depth = section.integer("max_depth", 1..=256);
    let max_failures = section.integer("max_failures", 1..=1_000);
    let max_string_bytes = section.integer("max_string_bytes", 1_024..=1 << 30);
    let max_output_bytes = section.integer("max_output_bytes", 1_024..=1 << 30);
    let max_list_items = section.integer("max_list_items", 1..=10_000_000);
    section.finish();
    let size = |value: Option<u64>| usize::try_from(value?).ok();
    Some(tide::Limits {
        fuel: fuel?,
        max_depth: size(max_depth)?,
        max_failures: size(max_failures)?,
        max_string_bytes: size(max_string_bytes)?,
        max_output_bytes: size(max_output_bytes)?,
        max_list_items: size(max_list_items)?,
    })
}

/// The secrets of a configuration, resolved and parsed.
#[derive(Debug)]
pub struct Unlocked {
    /// One verifier per source, in the order of [`Config::sources`].
    pub verifiers: Vec<Verifier>,
    /// What callers of the admin listener must present, if anything.
    pub admin_token: Option<Secret>,
}

impl Config {
    /// Resolves every secret reference and builds the verifiers.
    ///
    /// # Errors
    /// A diagnostic for each secret that is missing, empty or not a key of its provider's form.
    pub fn unlock(&self, surroundings: &dyn Surroundings) -> Result<Unlocked, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let admin_token =
            self.server.admin_token.as_ref().and_then(|token| token.resolve(surroundings, &mut problems));
        let verifiers: Vec<Verifier> =
            self.sources.iter().filter_map(|source| source.verifier(surroundings, &mut problems)).collect();
        if problems.is_empty() { Ok(Unlocked { verifiers, admin_token }) } else { Err(problems) }
    }
}

/// A secret by reference: where it is, never what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    location: SecretLocation,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SecretLocation {
    Env(String),
    File(String),
}

impl SecretRef {
    /// Fetches the secret, or says in `problems` why it cannot be had.
    fn resolve(&self, surroundings: &dyn Surroundings, problems: &mut Vec<Diagnostic>) -> Option<Secret> {
        let found = match &self.location {
            SecretLocation::Env(name) => surroundings.var(name).map(String::into_bytes).ok_or_else(|| {
                (format!("the variable {name} is not set"), format!("set {name} before the start"))
            }),
            SecretLocation::File(path) => surroundings.read(path).map(without_final_newline).map_err(|why| {
                (format!("the secret file {path} cannot be read: {why}"), format!("create {path}"))
            }),
        };
        match found {
            Ok(bytes) if !bytes.is_empty() => Some(Secret::new(bytes)),
            Ok(_) => {
                let message = format!("the secret {} is empty", self.name());
                problems.push(
                    self.place
                        .diagnose(Diagnostic::error("C0106", message), "an empty secret proves nothing"),
                );
                None
            }
            Err((message, help)) => {
                problems
                    .push(self.place.diagnose(Diagnostic::error("C0106", message).help(help), "needed here"));
                None
            }
        }
    }

    /// The reference as it stands in the file.
    pub fn name(&self) -> String {
        match &self.location {
            SecretLocation::Env(name) => format!("env:{name}"),
            SecretLocation::File(path) => format!("file:{path}"),
        }
    }
}

/// Editors end files with a newline that is not part of the secret.
fn without_final_newline(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
}

/// Whether only this machine can reach `address`.
pub fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn millis(value: u64) -> Duration {
    Duration::from_millis(value)
}
