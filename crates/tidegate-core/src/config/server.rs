//! `[server]` and `[log]`: listeners, their limits, and how the process speaks about itself.

use std::net::SocketAddr;
use std::time::Duration;

use super::reader::{Located, Section};
use super::{SecretRef, is_loopback, millis};

/// Listeners and their limits; units are in the names of the configuration keys.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where webhooks come in.
    pub listen: SocketAddr,
    /// Where the API and the metrics are.
    pub admin_listen: SocketAddr,
    /// What callers of the admin listener must present; may be absent on loopback only.
    pub admin_token: Option<SecretRef>,
    /// Runtime threads; 0 means one per core.
    pub threads: usize,
    /// Connections open at once on each listener.
    pub max_connections: usize,
    /// Connections that the kernel may hold before they are accepted.
    pub listen_backlog: i32,
    /// The largest body after decompression, in bytes.
    pub max_body_bytes: usize,
    /// Header fields of one request.
    pub max_headers: usize,
    /// Bytes of one request's header fields and request line.
    pub max_header_bytes: usize,
    /// Bytes of all bodies that are being received or judged.
    pub max_inflight_body_bytes: usize,
    /// How long a client may take to send its headers.
    pub header_timeout: Duration,
    /// How long a client may take to send its body.
    pub body_timeout: Duration,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// How long requests in flight may go on after SIGTERM.
    pub shutdown_timeout: Duration,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

/// How the process speaks about itself.
#[derive(Clone, Debug)]
pub struct Log {
    /// The form of log lines.
    pub format: LogFormat,
    /// The least severe level that is written.
    pub level: &'static str,
}

/// The largest body that can be configured: SQLite keeps less than 2^30 bytes in one value.
pub(super) const MAX_BODY_BYTES: u64 = 256 << 20;

pub(super) fn read(section: &Section<'_>) -> Option<Server> {
    let listen = address(section, "listen");
    let admin_listen = address(section, "admin_listen");
    let admin_token = section.secret("admin_token");
    let threads = section.integer("threads", 0..=1_024);
    let max_connections = section.integer("max_connections", 1..=1_000_000);
    let listen_backlog = section.integer("listen_backlog", 1..=65_535);
    let max_body_bytes = section.integer("max_body_bytes", 1..=MAX_BODY_BYTES);
    let max_headers = section.integer("max_headers", 8..=1_000);
    let max_header_bytes = section.integer("max_header_bytes", 8_192..=1 << 20);
    let max_inflight_body_bytes = section.integer("max_inflight_body_bytes", 1..=1 << 40);
    let header_timeout_ms = section.integer("header_timeout_ms", 10..=600_000);
    let body_timeout_ms = section.integer("body_timeout_ms", 10..=600_000);
    let write_timeout_ms = section.integer("write_timeout_ms", 10..=600_000);
    let shutdown_timeout_ms = section.integer("shutdown_timeout_ms", 1..=600_000);
    section.finish();
    check_listeners(section, listen.as_ref(), admin_listen.as_ref(), admin_token.as_ref());
    Some(Server {
        listen: listen?.value,
        admin_listen: admin_listen?.value,
        admin_token,
        threads: usize::try_from(threads?).ok()?,
        max_connections: usize::try_from(max_connections?).ok()?,
        listen_backlog: i32::try_from(listen_backlog?).ok()?,
        max_body_bytes: usize::try_from(max_body_bytes?).ok()?,
        max_headers: usize::try_from(max_headers?).ok()?,
        max_header_bytes: usize::try_from(max_header_bytes?).ok()?,
        max_inflight_body_bytes: usize::try_from(max_inflight_body_bytes?).ok()?,
        header_timeout: millis(header_timeout_ms?),
        body_timeout: millis(body_timeout_ms?),
        write_timeout: millis(write_timeout_ms?),
        shutdown_timeout: millis(shutdown_timeout_ms?),
    })
}

fn address(section: &Section<'_>, key: &'static str) -> Option<Located<SocketAddr>> {
    section.parsed(key, "write an address and a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"", |text| {
        text.parse().ok()
    })
}

fn check_listeners(
    section: &Section<'_>,
    listen: Option<&Located<SocketAddr>>,
    admin: Option<&Located<SocketAddr>>,
    token: Option<&SecretRef>,
) {
    let Some(admin) = admin else { return };
    if let Some(listen) = listen
        && listen.value == admin.value
        && admin.value.port() != 0
    {
        section.conflict(
            &admin.place,
            format!("server.listen and server.admin_listen are both {}", admin.value),
            "give the admin listener a port of its own, so that the API is never public by accident",
        );
    }
    if !is_loopback(admin.value) && token.is_none() {
        section.conflict(
            &admin.place,
            format!("the admin listener {} can be reached from outside but has no token", admin.value),
            "add admin_token = \"env:TIDEGATE_ADMIN_TOKEN\", or bind 127.0.0.1",
        );
    }
}

pub(super) fn read_log(section: &Section<'_>) -> Option<Log> {
    let format = section.choice("format", &[("json", LogFormat::Json), ("text", LogFormat::Text)]);
    let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
    let level = section.choice("level", &levels);
    section.finish();
    Some(Log { format: format?.value, level: level?.value })
}
