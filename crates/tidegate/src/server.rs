//! From a configuration to two listeners and back to nothing.
//!
//! Starting fails as a whole or not at all: secrets, store and both addresses are had before the
//! first connection is accepted. Stopping runs the other way: `/readyz` turns red, the public
//! listener drains, what was taken in is committed, and the admin listener closes last, so that
//! the end can be watched.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{Extension, Request};
use axum::response::Response;
use axum::routing::post;
use axum::{Router, middleware};
use tidegate_core::config::{Config, Unlocked};
use tidegate_store::{OpenError, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::body::{self, Budget};
use crate::http::context::{self, Observed, RequestContext};
use crate::http::listener::{Listener, bind};
use crate::http::problem::Problem;
use crate::ingest::{self, Ingest, SourceRuntime};
use crate::metrics::{self, Metrics};
use crate::query::{self, Admin};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] OpenError),
    /// An address cannot be bound.
    #[error("cannot listen on {address} ({key})")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The key of the configuration that holds it.
        key: &'static str,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

/// A running server.
pub struct Server {
    listen: SocketAddr,
    admin_listen: SocketAddr,
    store: Arc<Store>,
    draining: Arc<AtomicBool>,
    shutdown_timeout: Duration,
    public: Serving,
    admin: Serving,
}

/// A listener's task and the switch that stops it.
struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Opens the store, binds both listeners and serves. Relative paths start at `base`.
    ///
    /// # Errors
    /// When the store or an address cannot be had.
    pub fn start(config: Config, unlocked: Unlocked, base: &Path) -> Result<Self, StartError> {
        let metrics = Metrics::new(&config.server);
        let observer = metrics.clone();
        let store = Arc::new(Store::open(&config.store, base, move |report| observer.committed(report))?);
        let public_socket = bind_for(config.server.listen, "server.listen", &config)?;
        let admin_socket = bind_for(config.server.admin_listen, "server.admin_listen", &config)?;
        let listen = local(&public_socket, config.server.listen);
        let admin_listen = local(&admin_socket, config.server.admin_listen);

        let draining = Arc::new(AtomicBool::new(false));
        let bodies = Budget::new(config.server.max_inflight_body_bytes);
        let admin = Admin {
            store: Arc::clone(&store),
            metrics: metrics.clone(),
            token: unlocked.admin_token.map(Arc::new),
            draining: Arc::clone(&draining),
            bodies: bodies.clone(),
        };
        let limits = config.server.clone();
        let shutdown_timeout = limits.shutdown_timeout;
        let listener = |socket, label, router: Router| {
            let observed = Observed {
                metrics: metrics.clone(),
                listener: label,
                max_header_bytes: limits.max_header_bytes,
            };
            let router = router.layer(middleware::from_fn_with_state(observed, context::observe));
            Serving::start(Listener {
                socket,
                router,
                label,
                limits: limits.clone(),
                metrics: metrics.clone(),
            })
        };
        let admin = listener(admin_socket, metrics::Listener::Admin, query::router(admin));
        let router = public_router(config, unlocked.verifiers, &store, &metrics, &bodies);
        let public = listener(public_socket, metrics::Listener::Public, router);
        tracing::info!(
            server.listen = %listen,
            server.admin_listen = %admin_listen,
            version = env!("CARGO_PKG_VERSION"),
            "serving"
        );
        Ok(Self { listen, admin_listen, store, draining, shutdown_timeout, public, admin })
    }

    /// Where webhooks come in; with the port that was given for port 0.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where the API is; with the port that was given for port 0.
    pub fn admin_listen(&self) -> SocketAddr {
        self.admin_listen
    }

    /// Returns when the store may not be trusted until it is opened again; the process should end.
    pub async fn store_failed(&self) {
        self.store.failed().await;
    }

    /// Stops accepting, answers what is in flight, commits what was taken in, and closes. Each step
    /// has `shutdown_timeout_ms`; what could not be committed in that time was not answered with 200.
    pub async fn stop(self) {
        tracing::info!("stopping");
        self.draining.store(true, Ordering::Relaxed);
        self.public.stop().await;
        if tokio::time::timeout(self.shutdown_timeout, self.store.close()).await.is_err() {
            tracing::warn!("the store did not close within shutdown_timeout_ms");
        }
        self.admin.stop().await;
        tracing::info!("stopped");
    }
}

impl Serving {
    fn start(listener: Listener) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(listener.serve(stopped)) }
    }

    async fn stop(self) {
        // The task holds the receiver until it ends, so an error means that it has ended.
        let _ = self.stop.send(true);
        if self.task.await.is_err() {
            tracing::error!("a listener ended by a panic");
        }
    }
}

fn bind_for(address: SocketAddr, key: &'static str, config: &Config) -> Result<TcpListener, StartError> {
    bind(address, config.server.listen_backlog).map_err(|source| StartError::Bind { address, key, source })
}

fn local(socket: &TcpListener, configured: SocketAddr) -> SocketAddr {
    socket.local_addr().unwrap_or(configured)
}

fn public_router(
    config: Config,
    verifiers: Vec<tidegate_core::verify::Verifier>,
    store: &Arc<Store>,
    metrics: &Metrics,
    bodies: &Budget,
) -> Router {
    let mut router = Router::new();
    for (source, verifier) in config.sources.into_iter().zip(verifiers) {
        let source =
            Arc::new(SourceRuntime::new(source, verifier, config.rule_limits.clone(), &config.server));
        let path = source.path().to_owned();
        let state =
            Ingest { store: Arc::clone(store), metrics: metrics.clone(), bodies: bodies.clone(), source };
        let route = post(ingest::receive).with_state(state).fallback(only_post);
        router = router.route(&path, route);
    }
    router.fallback(no_source)
}

async fn only_post(Extension(context): Extension<RequestContext>, request: Request) -> Response {
    refuse(&context, &Problem::MethodNotAllowed { allowed: "POST" }, request).await
}

async fn no_source(Extension(context): Extension<RequestContext>, request: Request) -> Response {
    refuse(&context, &Problem::NotFound { detail: "No source listens at this path.".into() }, request).await
}

async fn refuse(context: &RequestContext, problem: &Problem, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    body::refuse_unread(context, problem, &parts.headers, body).await
}
