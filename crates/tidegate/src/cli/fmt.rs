//! `tidegate fmt`: one layout for all rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::configuration::{self, ConfigFile, counted, mistakes};
use super::failure::Failure;
use super::terminal;

/// Lay out rule files in the one way; comments and blank lines between groups stay.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tidegate fmt\n  tidegate fmt --check rules/payments.tide\n\n\
    Without files, those that the configuration names. With --check nothing is written, and the exit\n\
    code is 1 when a file would change.")]
pub(super) struct Fmt {
    #[command(flatten)]
    config: ConfigFile,
    /// Rule files, instead of those that the configuration names.
    files: Vec<PathBuf>,
    /// Only say which files would change.
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) fn run(self) -> Result<(), Failure> {
        let files = if self.files.is_empty() { self.configured()? } else { self.files.clone() };
        let mut changed = 0;
        for path in &files {
            if let Some(text) = lay_out(path)? {
                changed += 1;
                if self.check {
                    terminal::say(&format!("{} would change", path.display()));
                } else {
                    replace(path, &text)?;
                    terminal::say(&format!("laid out {}", path.display()));
                }
            }
        }
        if self.check && changed > 0 {
            return Err(Failure::work(counted(changed, "file") + " would change").hint("run `tidegate fmt`"));
        }
        Ok(())
    }

    fn configured(&self) -> Result<Vec<PathBuf>, Failure> {
        let config = self.config.load(&configuration::overrides())?;
        let host = self.config.host();
        let rules = config.sources.iter().filter_map(|source| source.rules.as_ref());
        let paths: BTreeSet<PathBuf> = rules.map(|file| host.base().join(&file.path)).collect();
        Ok(paths.into_iter().collect())
    }
}

/// The new text of a file, if it is not the old one.
fn lay_out(path: &Path) -> Result<Option<String>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::data(format!("cannot read {}: {error}", path.display())))?;
    let source = tide::Source::new(path.display().to_string(), text);
    match tide::format(&source) {
        Ok(formatted) => Ok((formatted != source.text).then_some(formatted)),
        Err(diagnostics) => {
            terminal::say(tide::render(&source, &diagnostics, terminal::colors()).trim_end());
            Err(Failure::data(format!("{} in {}", mistakes(diagnostics.len()), path.display())))
        }
    }
}

/// Writes beside the file and renames, so that nobody ever reads half of it.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write {}", path.display()), &error);
    // A link stays a link; what it leads to is replaced.
    let path = &path.canonicalize().map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::fs::write(file.path(), text).map_err(failed)?;
    let permissions = std::fs::metadata(path).map_err(failed)?.permissions();
    std::fs::set_permissions(file.path(), permissions).map_err(failed)?;
    file.persist(path).map(|_| ()).map_err(|error| failed(error.error))
}
