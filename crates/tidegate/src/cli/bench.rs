//! `tidegate bench`: open-loop load against a running server.
//!
//! Requests have fixed moments at which they are due, whatever the server does. A request that
//! could not be sent in time because every connection was still waiting counts from the moment it
//! was due, so a stalled server cannot hide its stall (no coordinated omission).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{HeaderName, HeaderValue, Method};
use tidegate_core::secret::Secret;
use tidegate_core::verify::{self, Provider};

use super::failure::Failure;
use super::init::Example;
use super::serve::{Signals, runtime};
use super::table::Table;
use super::terminal;
use crate::client::{ClientError, Connection};
use crate::clock;

/// The longest latency that is told apart, in microseconds.
const MAX_LATENCY_US: u64 = 120_000_000;
/// The part of a body that is replaced by a number of its own for each request.
const NUMBER: &str = "{{n}}";

/// Send load to a running server, at a fixed rate or as fast as it answers.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate bench http://127.0.0.1:8080/webhook --rate 1000 --seconds 10\n  \
    tidegate bench http://127.0.0.1:8080/in/stripe --provider stripe --secret env:STRIPE_WEBHOOK_SECRET\n\n\
    Only loopback addresses are accepted. Each {{n}} in a --body file is replaced by a number of\n\
    its own per request. Latencies count from the moment a request was due."
)]
pub(super) struct Bench {
    /// Where to send, such as http://127.0.0.1:8080/webhook.
    url: String,
    /// Requests per second; 0 sends the next one as soon as an answer is there.
    #[arg(long, default_value_t = 0, value_name = "N")]
    rate: u64,
    /// How long.
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Stop after so many requests, whatever time it is.
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Connections that share the load.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// Threads of the sender; 0 means one per core.
    #[arg(long, default_value_t = 1, value_name = "N")]
    threads: usize,
    /// How requests are signed: none, stripe, github, standard-webhooks, shopify or slack.
    #[arg(long, default_value = "none")]
    provider: String,
    /// The secret to sign with, env:NAME or file:PATH.
    #[arg(long, value_name = "REFERENCE")]
    secret: Option<String>,
    /// A file with the body to send instead of a payment or a Stripe charge.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self) -> Result<(), Failure> {
        let plan = Arc::new(self.plan()?);
        runtime(self.threads)?.block_on(async {
            let mut signals = Signals::listen()?;
            let result = tokio::select! {
                result = drive(&plan) => result.map_err(|error| Failure::failed("the load could not be sent", &error))?,
                () = signals.next() => return Err(Failure::work("ended by a signal")),
            };
            terminal::print(if self.json { result.json() } else { result.table() })?;
            if result.answered() == 0 { Err(Failure::work("no request was answered")) } else { Ok(()) }
        })
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let rest = self
            .url
            .strip_prefix("http://")
            .ok_or_else(|| Failure::usage("the URL must start with http://"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let address: SocketAddr = authority.parse().map_err(|_| {
            Failure::usage(format!("`{authority}` is not an address and port, such as 127.0.0.1:8080"))
        })?;
        if !address.ip().is_loopback() {
            return Err(Failure::usage(format!("{address} is not a loopback address"))
                .hint("run the load generator on the server's own machine"));
        }
        let provider = Provider::by_name(&self.provider)
            .ok_or_else(|| Failure::usage(format!("there is no provider `{}` to sign for", self.provider)))?;
        Ok(Plan {
            address,
            path: if path.is_empty() { "/".into() } else { path.into() },
            rate: self.rate,
            duration: Duration::from_secs(self.seconds),
            requests: self.requests.unwrap_or(u64::MAX),
            connections: self.connections,
            secret: self.secret(&provider)?,
            template: self.template(&provider)?,
            provider,
            // Two runs against one store must not send the same events.
            run: hex::encode(clock::random::<4>()),
            next: AtomicU64::new(0),
        })
    }

    fn secret(&self, provider: &Provider) -> Result<Secret, Failure> {
        let Some(reference) = &self.secret else {
            return match provider {
                Provider::None => Ok(Secret::new("")),
                _ => Err(Failure::usage("this provider signs: add --secret env:NAME")),
            };
        };
        let text = match reference.split_once(':') {
            Some(("env", name)) => {
                std::env::var(name).map_err(|error| Failure::failed(format!("cannot read {name}"), &error))?
            }
            Some(("file", path)) => std::fs::read_to_string(path)
                .map_err(|error| Failure::failed(format!("cannot read {path}"), &error))?,
            _ => return Err(Failure::usage("write --secret env:NAME or --secret file:PATH")),
        };
        Ok(Secret::new(text.trim_end()))
    }

    fn template(&self, provider: &Provider) -> Result<String, Failure> {
        if let Some(path) = &self.body {
            return std::fs::read_to_string(path)
                .map_err(|error| Failure::failed(format!("cannot read {}", path.display()), &error));
        }
        Ok(match provider {
            Provider::Stripe => {
                Example::Stripe.file("events/charge.succeeded.json").replace("evt_Tide0001", "evt_{{n}}")
            }
            Provider::GitHub => Example::Github.file("events/push.json").to_owned(),
            _ => Example::Payments.file("events/payment.succeeded.json").replace("ch_7Qx2Lm", "ch_{{n}}"),
        })
    }
}

/// What is sent where, and which request is next.
struct Plan {
    address: SocketAddr,
    path: String,
    rate: u64,
    duration: Duration,
    requests: u64,
    connections: u16,
    provider: Provider,
    secret: Secret,
    template: String,
    run: String,
    next: AtomicU64,
}

impl Plan {
    /// The number and moment of the next request; `None` when the run is over.
    fn take(&self, started: Instant) -> Option<(u64, Instant)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = match self.rate {
            0 => Instant::now(),
            rate => started + Duration::from_nanos(number.saturating_mul(1_000_000_000) / rate),
        };
        (number < self.requests && due.saturating_duration_since(started) < self.duration)
            .then_some((number, due))
    }

    fn request(&self, number: u64) -> (Vec<(HeaderName, HeaderValue)>, Bytes) {
        let unique = format!("{}{number:08}", self.run);
        let body = Bytes::from(self.template.replace(NUMBER, &unique));
        let headers = match self.provider {
            Provider::None => Vec::new(),
            _ => verify::sign(&self.provider, &self.secret, &unique, clock::now(), &body).unwrap_or_default(),
        };
        (headers, body)
    }
}

async fn drive(plan: &Arc<Plan>) -> Result<Load, ClientError> {
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        connections.push(Connection::open(plan.address).await?);
    }
    let started = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for connection in connections {
        senders.spawn(send(Arc::clone(plan), connection, started));
    }
    let mut load = Load::new();
    while let Some(Ok(own)) = senders.join_next().await {
        load.add(&own);
    }
    load.seconds = started.elapsed().as_secs_f64();
    Ok(load)
}

async fn send(plan: Arc<Plan>, mut connection: Connection, started: Instant) -> Load {
    let mut load = Load::new();
    while let Some((number, due)) = plan.take(started) {
        let (headers, body) = plan.request(number);
        let early = due.saturating_duration_since(Instant::now());
        tokio::time::sleep(early).await;
        // A timer that fired late is the sender's fault; a connection that was busy is not.
        let from = if early.is_zero() { due } else { Instant::now() };
        match connection.send(Method::POST, &plan.path, &headers, body).await {
            Ok(answer) => load.record(answer.status.as_u16(), from.elapsed()),
            Err(_) => load.broken += 1,
        }
        if !connection.is_open() {
            match Connection::open(plan.address).await {
                Ok(fresh) => connection = fresh,
                Err(_) => {
                    load.broken += 1;
                    return load;
                }
            }
        }
    }
    load
}

/// What came back.
struct Load {
    latencies_us: Histogram<u64>,
    ok: u64,
    unavailable: u64,
    other: u64,
    broken: u64,
    seconds: f64,
}

impl Load {
    #[expect(clippy::expect_used, reason = "the bounds are constants, and every run makes a histogram")]
    fn new() -> Self {
        let latencies_us = Histogram::new_with_bounds(1, MAX_LATENCY_US, 3).expect("constant bounds");
        Self { latencies_us, ok: 0, unavailable: 0, other: 0, broken: 0, seconds: 0.0 }
    }

    fn record(&mut self, status: u16, latency: Duration) {
        self.latencies_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(MAX_LATENCY_US));
        match status {
            200 => self.ok += 1,
            503 => self.unavailable += 1,
            _ => self.other += 1,
        }
    }

    fn add(&mut self, own: &Self) {
        // Both histograms have the same bounds, so adding cannot fail.
        let _ = self.latencies_us.add(&own.latencies_us);
        self.ok += own.ok;
        self.unavailable += own.unavailable;
        self.other += own.other;
        self.broken += own.broken;
    }

    fn answered(&self) -> u64 {
        self.ok + self.unavailable + self.other
    }

    fn per_second(&self) -> f64 {
        self.ok as f64 / self.seconds.max(f64::EPSILON)
    }

    fn millis(&self, quantile: f64) -> f64 {
        self.latencies_us.value_at_quantile(quantile) as f64 / 1_000.0
    }

    fn json(&self) -> String {
        let document = serde_json::json!({
            "seconds": self.seconds,
            "ok": self.ok,
            "unavailable": self.unavailable,
            "other": self.other,
            "broken": self.broken,
            "ok_per_second": self.per_second(),
            "p50_ms": self.millis(0.5),
            "p90_ms": self.millis(0.9),
            "p99_ms": self.millis(0.99),
            "p999_ms": self.millis(0.999),
            "max_ms": self.latencies_us.max() as f64 / 1_000.0,
        });
        format!("{document}\n")
    }

    fn table(&self) -> String {
        let mut table = Table::new(&[
            "200/S", "200", "503", "OTHER", "BROKEN", "P50 MS", "P90 MS", "P99 MS", "P99.9 MS", "MAX MS",
        ]);
        let millis = |value: f64| format!("{value:.2}");
        table.row(vec![
            format!("{:.0}", self.per_second()),
            self.ok.to_string(),
            self.unavailable.to_string(),
            self.other.to_string(),
            self.broken.to_string(),
            millis(self.millis(0.5)),
            millis(self.millis(0.9)),
            millis(self.millis(0.99)),
            millis(self.millis(0.999)),
            millis(self.latencies_us.max() as f64 / 1_000.0),
        ]);
        table.render()
    }
}
