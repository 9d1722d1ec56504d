//! `tidegate serve`: the server.

use std::path::Path;

use tidegate_core::config::{Config, Overrides, Unlocked};
use tokio::signal::unix::{SignalKind, signal};

use super::configuration::{self, ConfigFile};
use super::failure::Failure;
use crate::logging;
use crate::server::Server;

/// Take webhooks in, until SIGTERM or Ctrl-C.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  tidegate serve -c tidegate.toml --threads 1\n\n\
    On SIGTERM the server stops accepting, answers what is in flight, commits it, and exits 0.\n\
    A second signal ends it at once.")]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// Where webhooks come in, such as 127.0.0.1:8080 (server.listen).
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where the API and metrics are (server.admin_listen).
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// The store, such as sqlite://tidegate.db (store.url).
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Runtime threads; 0 means one per core (server.threads).
    #[arg(long, value_name = "N")]
    threads: Option<u16>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = self.config.load(&self.overrides())?;
        let unlocked = self.config.unlock(&config)?;
        logging::start(&config.log);
        let runtime = runtime(config.server.threads)?;
        let host = self.config.host();
        let outcome = runtime.block_on(serve(config, unlocked, host.base()));
        // After a second signal, or a store that did not close in time, there may be a thread left
        // that waits for the disk. The process does not wait for it.
        runtime.shutdown_background();
        outcome
    }

    fn overrides(&self) -> Overrides {
        let mut overrides = configuration::overrides();
        let threads = self.threads.map(|threads| threads.to_string());
        for (key, value, flag) in [
            ("server.listen", &self.listen, "--listen"),
            ("server.admin_listen", &self.admin_listen, "--admin-listen"),
            ("store.url", &self.store, "--store"),
            ("server.threads", &threads, "--threads"),
        ] {
            if let Some(value) = value {
                overrides.set(key, value, flag);
            }
        }
        overrides
    }
}

async fn serve(config: Config, unlocked: Unlocked, base: &Path) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let server =
        Server::start(config, unlocked, base).map_err(|error| Failure::failed("cannot start", &error))?;
    let store_failed = tokio::select! {
        () = signals.next() => false,
        () = server.store_failed() => true,
    };
    tokio::select! {
        () = server.stop() => {}
        () = signals.next() => {
            return Err(Failure::work("ended by a second signal before everything was answered"));
        }
    }
    if store_failed {
        return Err(Failure::fault("the store failed; the log says how").hint(
            "restart when disk and database are sound: what was answered with 200 before is committed",
        ));
    }
    Ok(())
}

/// A runtime with this many threads; 0 means one per core.
pub(super) fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().map_err(|error| Failure::internal("cannot start the runtime", &error))
}

/// SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::internal("cannot listen for signals", &error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Returns when the next one arrives.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
