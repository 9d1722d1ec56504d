//! `cargo xtask test`: everything that must hold.

use anyhow::Result;

use crate::fuzz::FuzzSmoke;
use crate::{conformance, machine, shell};

/// Everything that must hold.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// How long each fuzz target runs, in seconds.
    #[arg(long, default_value_t = 30)]
    fuzz_seconds: u32,
    /// The seed of the fuzzers; 0 takes a new one each time.
    #[arg(long, default_value_t = 0)]
    fuzz_seed: u32,
}

impl Test {
    pub(crate) fn run(self) -> Result<()> {
        machine::prepare()?;
        shell::run("cargo", &["test", "--workspace"])?;
        conformance::run()?;
        FuzzSmoke { seconds: self.fuzz_seconds, seed: self.fuzz_seed }.run()?;
        println!("\nall of it holds");
        Ok(())
    }
}
