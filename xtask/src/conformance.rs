//! `cargo xtask conformance`: the providers' official SDKs against the real binary.

use anyhow::Result;

use crate::{machine, shell};

pub(crate) fn run() -> Result<()> {
    machine::prepare()?;
    shell::run("cargo", &["build", "--package", "tidegate"])?;
    let binary = shell::target().join("debug/tidegate");
    let work = shell::target().join("conformance");
    let mut command = std::process::Command::new("python3");
    command.arg("conformance/run.py").arg("--binary").arg(binary).arg("--work").arg(work);
    shell::run_command(&mut command)
}
