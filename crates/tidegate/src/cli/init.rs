//! `tidegate init`: writes a configuration, rules and rule tests that work at once.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::failure::Failure;
use super::terminal;

/// Write a commented configuration, rules and rule tests that pass `check`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  tidegate init payments-edge --example payments\n  cd payments-edge && tidegate check && tidegate test && tidegate serve\n\n\
    Nothing that exists is overwritten."
)]
pub(super) struct Init {
    /// The folder to write into; made if it does not exist.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// What to start from.
    #[arg(long, value_enum, default_value_t = Example::Payments)]
    example: Example,
}

/// The examples that can be copied.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Example {
    /// A payment provider's endpoint without signatures: `POST /webhook`.
    Payments,
    /// Stripe's events, signed.
    Stripe,
    /// GitHub's events, signed.
    Github,
}

/// A file of an example: its path and its text.
type File = (&'static str, &'static str);

macro_rules! example_files {
    ($name:literal, $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../examples/", $name, "/", $path)))),+]
    };
}

const PAYMENTS: &[File] = example_files!(
    "payments",
    "tidegate.toml",
    "rules/payments.tide",
    "events/payment.succeeded.json",
    "events/payment.refunded.json",
);
const STRIPE: &[File] = example_files!(
    "stripe",
    "tidegate.toml",
    "rules/stripe.tide",
    "events/charge.succeeded.json",
    "events/charge.refunded.json",
    "events/invoice.paid.json",
);
const GITHUB: &[File] = example_files!(
    "github",
    "tidegate.toml",
    "rules/github.tide",
    "events/push.json",
    "events/issues.opened.json",
);

impl Example {
    /// Everything that belongs to it.
    fn files(self) -> &'static [File] {
        match self {
            Self::Payments => PAYMENTS,
            Self::Stripe => STRIPE,
            Self::Github => GITHUB,
        }
    }

    /// One of its files, by a path that is known to be in it.
    pub(super) fn file(self, path: &str) -> &'static str {
        self.files().iter().find(|(name, _)| *name == path).map_or("", |(_, text)| text)
    }

    /// Writes its rules below `folder`.
    pub(super) fn write_rules(self, folder: &Path) -> Result<(), Failure> {
        let rules: Vec<File> =
            self.files().iter().copied().filter(|(path, _)| path.starts_with("rules/")).collect();
        write_new(folder, &rules)
    }
}

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let files = self.example.files();
        let standing = files.iter().map(|(path, _)| self.folder.join(path)).find(|path| path.exists());
        if let Some(path) = standing {
            let failure = Failure::work(format!("{} exists already; nothing was written", path.display()));
            return Err(failure.hint("name another folder: tidegate init DIR"));
        }
        write_new(&self.folder, files)?;
        for (path, _) in files {
            terminal::say(&format!("wrote {}", self.folder.join(path).display()));
        }
        let config = self.folder.join("tidegate.toml");
        terminal::say(&format!(
            "\nnext: tidegate check -c {0}\n      tidegate test  -c {0}\n      tidegate serve -c {0}",
            config.display()
        ));
        Ok(())
    }
}

fn write_new(folder: &Path, files: &[File]) -> Result<(), Failure> {
    for (path, text) in files {
        let path = folder.join(path);
        let failed =
            |error: std::io::Error| Failure::failed(format!("cannot write {}", path.display()), &error);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
    }
    Ok(())
}
