//! The menu of development tasks: `cargo xtask help`.
//!
//! Each verb is one file. CI calls the same verbs that a developer does, so what is green here is
//! green there.

#![allow(clippy::print_stdout, reason = "a task tells on standard output what it does")]

mod bench;
mod chaos;
mod conformance;
mod fuzz;
mod lint;
mod machine;
mod shell;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The menu of development tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold: all tests, real clients, a short fuzz. Installs what is missing.
    Test(test::Test),
    /// Formatting, clippy, documentation links, licences.
    Lint,
    /// Official SDKs sign and post to the real binary.
    Conformance,
    /// Kill -9 under load, many times.
    Chaos(chaos::Chaos),
    /// Fuzz each target for a while.
    FuzzSmoke(fuzz::FuzzSmoke),
    /// Measure the release binary and write bench/README.md.
    Bench(bench::Bench),
}

fn main() -> Result<()> {
    std::env::set_current_dir(shell::root())?;
    match Arguments::parse().task {
        Task::Test(test) => test.run(),
        Task::Lint => lint::run(),
        Task::Conformance => conformance::run(),
        Task::Chaos(chaos) => chaos.run(),
        Task::FuzzSmoke(fuzz) => fuzz.run(),
        Task::Bench(bench) => bench.run(),
    }
}
