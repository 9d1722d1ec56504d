//! `tidegate demo`: the main job, for real, in a few seconds.
//!
//! A server starts on free loopback ports in a temporary folder, with secrets made for this run.
//! The shipped example events are signed as the providers sign them and sent over HTTP: valid,
//! repeated, tampered with, late, cut off, too large, against the rules. The table says what came
//! back. Each row knows what it expects, so the demo is also a check of the binary: one surprise
//! and the exit code is 1.

mod latency;
mod scenes;

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use std::io::Write;

use tidegate_core::config::{self, Config, Loaded, Overrides, Unlocked};
use tidegate_core::secret::Secret;

use super::configuration::print_reports;
use super::failure::Failure;
use super::init::Example;
use super::serve::{Signals, runtime};
use super::table::Table;
use super::terminal;
use crate::clock;
use crate::logging;
use crate::server::Server;
use crate::surroundings::Host;

use latency::Measured;
use scenes::{Scene, Sent};

/// Watch real Stripe and GitHub events go through every step.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidegate demo --keep\n\n\
    With --keep the server goes on until Ctrl-C, and the addresses, the admin token and the\n\
    command that lists the events are printed.")]
pub(super) struct Demo {
    /// Leave the server running and print where it is.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let folder = tempfile::Builder::new()
            .prefix("tidegate-demo-")
            .tempdir()
            .map_err(|error| Failure::failed("cannot make a temporary folder", &error))?;
        let secrets = Secrets::write(folder.path())?;
        for example in [Example::Stripe, Example::Github, Example::Payments] {
            example.write_rules(folder.path())?;
        }
        let (config, unlocked) = configure(folder.path())?;
        logging::start(&config.log);
        runtime(0)?.block_on(async {
            let server = Server::start(config, unlocked, folder.path())
                .map_err(|error| Failure::failed("cannot start", &error))?;
            // Whatever ends the demo, its folder with the secrets is removed.
            let mut signals = Signals::listen()?;
            let outcome = tokio::select! {
                outcome = walk(&server, &secrets) => outcome,
                () = signals.next() => Err(Failure::work("ended by a signal")),
            };
            if outcome.is_ok() && self.keep {
                print_addresses(&server, folder.path(), &secrets.admin);
                signals.next().await;
            }
            server.stop().await;
            outcome
        })
    }
}

/// Secrets made for one run.
pub(super) struct Secrets {
    pub(super) stripe: Secret,
    pub(super) github: Secret,
    admin: String,
}

impl Secrets {
    fn write(folder: &Path) -> Result<Self, Failure> {
        let stripe = format!("whsec_{}", hex::encode(clock::random::<24>()));
        let github = hex::encode(clock::random::<24>());
        let admin = hex::encode(clock::random::<16>());
        for (name, text) in [("stripe", &stripe), ("github", &github), ("admin", &admin)] {
            write_private(&folder.join("secrets").join(name), text)
                .map_err(|error| Failure::failed("cannot write the demo's secrets", &error))?;
        }
        Ok(Self { stripe: Secret::new(stripe), github: Secret::new(github), admin })
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

fn configure(folder: &Path) -> Result<(Config, Unlocked), Failure> {
    let path: PathBuf = folder.join("tidegate.toml");
    let text = include_str!("demo/tidegate.toml");
    fs::write(&path, text)
        .map_err(|error| Failure::failed("cannot write the demo's configuration", &error))?;
    let host = Host::new(folder);
    let source = tide::Source::new(path.display().to_string(), text);
    let Loaded { config, reports } = config::load(&source, &Overrides::default(), &host);
    print_reports(&reports);
    let config = config.ok_or_else(|| Failure::work("the demo's own configuration has mistakes"))?;
    match config.unlock(&host) {
        Ok(unlocked) => Ok((config, unlocked)),
        Err(_) => Err(Failure::work("the demo's own secrets cannot be read")),
    }
}

/// Sends everything and prints what came back.
async fn walk(server: &Server, secrets: &Secrets) -> Result<(), Failure> {
    let scenes = scenes::all(secrets).map_err(|error| Failure::internal("cannot sign an example", &error))?;
    let mut table = Table::new(&["", "WHAT WAS SENT", "TO", "ANSWER", "WHAT BECAME OF IT"]);
    let mut surprises = 0;
    for scene in scenes {
        for sent in scene.play(server.listen()).await.map_err(|error| Failure::failed("no answer", &error))? {
            surprises += usize::from(!sent.as_expected());
            table.row(row(&scene, &sent));
        }
    }
    terminal::print(format!("{}\n", table.render()))?;
    let measured = Measured::take(server.listen(), secrets)
        .await
        .map_err(|error| Failure::failed("no answer", &error))?;
    terminal::print(format!("{measured}\n"))?;
    if surprises > 0 {
        return Err(Failure::work(format!("{surprises} answers are not what the demo expects")));
    }
    Ok(())
}

fn row(scene: &Scene, sent: &Sent) -> Vec<String> {
    let mark = if sent.as_expected() { "ok" } else { "??" };
    vec![
        mark.into(),
        scene.title.into(),
        scene.path.into(),
        sent.status.to_string(),
        terminal::harmless(&sent.outcome),
    ]
}

fn print_addresses(server: &Server, folder: &Path, admin_token: &str) {
    let config = folder.join("tidegate.toml");
    terminal::say("");
    terminal::say(&format!("webhooks     http://{}/in/stripe, /in/github and /webhook", server.listen()));
    terminal::say(&format!("admin        http://{}", server.admin_listen()));
    terminal::say(&format!("admin token  {admin_token}"));
    terminal::say("");
    terminal::say(&format!("  tidegate events list -c {}", config.display()));
    terminal::say(&format!(
        "  curl -H 'authorization: Bearer {admin_token}' 'http://{}/v1/events?limit=3'",
        server.admin_listen()
    ));
    terminal::say(&format!(
        "  curl -d '{{\"event_type\":\"invoice.paid\",\"object_id\":\"in_1\",\"amount_cents\":990,\"currency\":\"eur\",\"metadata\":{{}}}}' http://{}/webhook",
        server.listen()
    ));
    terminal::say("");
    terminal::say("Ctrl-C ends the server and removes the folder.");
}
