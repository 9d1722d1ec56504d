//! The accept loop: bounded connections, a clock on every header, a drain at the end.
//!
//! `axum::serve` gives hyper no timer, so its header timeout never fires and a client that sends
//! one byte a minute keeps a connection for ever. This loop sets the timer, caps the connections
//! (what is over the cap waits in the kernel's backlog), sets that backlog, and on shutdown lets
//! requests in flight finish within a limit.
//!
//! HTTP/1.1 only: telling HTTP/2 apart by its first bytes has no timeout of its own in hyper-util,
//! and webhook senders reach Tidegate through a TLS terminator that speaks HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tidegate_core::config::Server;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::metrics::{Listener as Label, Metrics};

/// How long to wait before accepting again when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds `address` with the configured backlog.
///
/// # Errors
/// When the address is in use or not this machine's.
pub(crate) fn bind(address: SocketAddr, backlog: i32) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for connections of the former process in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// One listener with everything that it needs to serve.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) router: Router,
    pub(crate) label: Label,
    pub(crate) limits: Server,
    pub(crate) metrics: Metrics,
}

impl Listener {
    /// Serves until `stop` turns true, then drains.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let connections = Arc::new(Semaphore::new(self.limits.max_connections));
        let graceful = GracefulShutdown::new();
        let http = self.http();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&connections) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Some((stream, permit)) = accepted else { continue };
            let service = TowerToHyperService::new(self.router.clone());
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
            let open = self.metrics.connection_opened(self.label);
            tokio::spawn(async move {
                // A connection that breaks is the client's business; its request was answered or not.
                let _ = connection.await;
                drop((permit, open));
            });
        }
        drop(self.socket);
        if tokio::time::timeout(self.limits.shutdown_timeout, graceful.shutdown()).await.is_err() {
            tracing::warn!(
                "connections were still open after shutdown_timeout_ms = {}",
                self.limits.shutdown_timeout.as_millis()
            );
        }
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        // A client may close its sending side after the request; it still gets its answer.
        http.half_close(true)
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_headers(self.limits.max_headers)
            .max_buf_size(self.limits.max_header_bytes);
        http
    }

    async fn accept(&self, connections: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(connections).acquire_owned().await.ok()?;
        match self.socket.accept().await {
            Ok((stream, _)) => {
                // Answers are small and must not wait for more to send.
                let _ = stream.set_nodelay(true);
                // hyper has no clock on writing: the kernel ends a connection whose client leaves
                // answers unread for so long.
                let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(self.limits.write_timeout));
                Some((stream, permit))
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}
