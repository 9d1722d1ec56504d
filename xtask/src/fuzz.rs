//! `cargo xtask fuzz-smoke`: each fuzz target for a while, on the pinned stable toolchain.

use anyhow::{Context, Result};

use crate::{machine, shell};

const TARGETS: [&str; 3] = ["tide_parser", "verifiers", "event_decoding"];

/// Fuzz each target for a while.
#[derive(clap::Args)]
pub(crate) struct FuzzSmoke {
    /// How long each target runs.
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u32,
    /// The seed of the random choices; 0 takes a new one each time.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u32,
}

impl FuzzSmoke {
    pub(crate) fn run(&self) -> Result<()> {
        machine::cargo_tool("fuzz", "cargo-fuzz")?;
        for target in TARGETS {
            let corpus = format!("fuzz/corpus/{target}");
            std::fs::create_dir_all(&corpus).with_context(|| format!("cannot make {corpus}"))?;
            let seeds = format!("fuzz/seeds/{target}");
            let limit = format!("-max_total_time={}", self.seconds);
            let seed = format!("-seed={}", self.seed);
            // Coverage needs no nightly; only the address sanitizer does, and this code has no
            // unsafe blocks for it to watch.
            let base = ["fuzz", "run", "--sanitizer", "none", target, &corpus, &seeds, "--"];
            shell::run(
                "cargo",
                &[&base, [limit.as_str(), seed.as_str(), "-max_len=4096", "-print_final_stats=1"].as_slice()]
                    .concat(),
            )?;
        }
        Ok(())
    }
}
