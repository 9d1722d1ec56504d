//! The command line: one file per verb.
//!
//! Data goes to standard output and everything else to standard error. Exit codes: 0 done, 1 the
//! work failed, 2 wrong usage, 65 bad data or configuration, 70 a fault of Tidegate's own.

mod bench;
mod check;
mod configuration;
mod demo;
mod events;
mod failure;
mod fmt;
mod init;
mod run;
mod serve;
mod table;
mod terminal;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The edge of a backend: webhooks in, proven, checked, transformed and committed.
#[derive(Parser)]
#[command(name = "tidegate", version, about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Init(init::Init),
    Check(check::Check),
    Test(test::Test),
    Fmt(fmt::Fmt),
    Run(run::Run),
    Events(events::Events),
    Bench(bench::Bench),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Demo(demo) => demo.run(),
        Verb::Serve(serve) => serve.run(),
        Verb::Init(init) => init.run(),
        Verb::Check(check) => check.run(),
        Verb::Test(test) => test.run(),
        Verb::Fmt(fmt) => fmt.run(),
        Verb::Run(run) => run.run(),
        Verb::Events(events) => events.run(),
        Verb::Bench(bench) => bench.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
