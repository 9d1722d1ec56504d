//! The demo's one line of figures: how long signed events take until they are on disk.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Method;
use tidegate_core::verify::{self, Provider};

use super::Secrets;
use crate::cli::init::Example;
use crate::client::{ClientError, Connection};
use crate::clock;

/// Events that are sent, and connections that share them.
const EVENTS: usize = 2_000;
const CONNECTIONS: usize = 16;
/// The longest latency that is told apart, in microseconds.
const MAX_LATENCY_US: u64 = 60_000_000;

/// What was measured. The sender shares the machine and the process with the server.
pub(super) struct Measured {
    latencies_us: Histogram<u64>,
    seconds: f64,
    failed: usize,
    resident_kib: Option<u64>,
}

impl Measured {
    /// Sends signed events, each with an id of its own, over a few connections.
    pub(super) async fn take(address: SocketAddr, secrets: &Secrets) -> Result<Self, ClientError> {
        let template = Example::Stripe.file("events/charge.succeeded.json");
        let started = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..CONNECTIONS {
            let bodies: Vec<String> = (sender..EVENTS)
                .step_by(CONNECTIONS)
                .map(|number| template.replace("evt_Tide0001", &format!("evt_Load{number:06}")))
                .collect();
            let secret = secrets.stripe.clone();
            senders.spawn(async move { send_all(address, &secret, bodies).await });
        }
        let mut latencies_us = histogram();
        let mut failed = 0;
        while let Some(Ok(sent)) = senders.join_next().await {
            let (own, own_failed) = sent?;
            failed += own_failed;
            // Both histograms have the same bounds, so adding cannot fail.
            let _ = latencies_us.add(own);
        }
        Ok(Self {
            latencies_us,
            seconds: started.elapsed().as_secs_f64(),
            failed,
            resident_kib: resident_kib(),
        })
    }
}

async fn send_all(
    address: SocketAddr,
    secret: &tidegate_core::secret::Secret,
    bodies: Vec<String>,
) -> Result<(Histogram<u64>, usize), ClientError> {
    let mut latencies_us = histogram();
    let mut failed = 0;
    let mut connection = Connection::open(address).await?;
    for body in bodies {
        let body = Bytes::from(body);
        let headers = verify::sign(&Provider::Stripe, secret, "", clock::now(), &body).unwrap_or_default();
        let sent = Instant::now();
        let answer = connection.send(Method::POST, "/in/stripe", &headers, body).await?;
        latencies_us.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(MAX_LATENCY_US));
        failed += usize::from(answer.text("status") != "accepted");
    }
    Ok((latencies_us, failed))
}

#[expect(clippy::expect_used, reason = "the bounds are constants, and the tests make a histogram")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_LATENCY_US, 3).expect("constant bounds")
}

/// The resident memory of this process, as Linux counts it.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |quantile| self.latencies_us.value_at_quantile(quantile) as f64 / 1_000.0;
        write!(
            f,
            "{EVENTS} more signed events, {} accepted, each on disk before its answer: {:.0} per second over \
             {CONNECTIONS} connections, p50 {:.1} ms, p99 {:.1} ms",
            EVENTS - self.failed,
            EVENTS as f64 / self.seconds,
            millis(0.5),
            millis(0.99),
        )?;
        match self.resident_kib {
            Some(kib) => write!(f, "; server and sender together use {:.1} MB.", kib as f64 / 1_024.0),
            None => f.write_str("."),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bounds_of_the_histogram_are_valid() {
        assert_eq!(super::histogram().len(), 0);
    }
}
