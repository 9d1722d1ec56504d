//! `cargo xtask lint`: what needs no test to be wrong.

use anyhow::Result;

use crate::{machine, shell};

pub(crate) fn run() -> Result<()> {
    shell::run("cargo", &["fmt", "--all", "--check"])?;
    shell::run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    let mut doc = std::process::Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
    shell::run_command(&mut doc)?;
    machine::cargo_tool("deny", "cargo-deny")?;
    // The advisory database is fetched from GitHub, which not every machine reaches.
    shell::run("cargo", &["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])
}
