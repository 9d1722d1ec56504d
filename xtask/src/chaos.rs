//! `cargo xtask chaos`: the long form of the crash test.

use anyhow::Result;

use crate::shell;

/// Kill -9 under load, many times.
#[derive(clap::Args)]
pub(crate) struct Chaos {
    /// How many times the server is killed.
    #[arg(long, default_value_t = 50)]
    kills: u32,
}

impl Chaos {
    pub(crate) fn run(self) -> Result<()> {
        let mut command = std::process::Command::new("cargo");
        command.args([
            "test",
            "--release",
            "--package",
            "tidegate",
            "--test",
            "it",
            "crash::",
            "--",
            "--nocapture",
        ]);
        shell::run_command(command.env("TIDEGATE_KILLS", self.kills.to_string()))
    }
}
