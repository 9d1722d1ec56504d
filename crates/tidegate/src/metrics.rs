//! What Tidegate counts, under the names of OpenTelemetry's semantic conventions.
//!
//! Labels are few and bounded: methods, configured routes, status codes, source names and a closed
//! set of error types. No id is ever a label.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tidegate_core::config::Server;
use tidegate_store::{CommitReport, QueueState};

/// The content type of [`Metrics::encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Buckets of durations in seconds, as the semantic conventions advise for HTTP servers.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Buckets for a commit, which is quicker than a request.
const COMMIT_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Buckets for running a rule, in seconds.
const RULE_SECONDS: [f64; 8] = [0.000_001, 0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.01, 0.1];
/// Buckets for the events of one commit.
const BATCH_EVENTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 512.0];

/// Which listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Listener {
    /// Webhooks.
    Public,
    /// API and metrics.
    Admin,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    http_request_method: String,
    http_route: String,
    http_response_status_code: u16,
    url_scheme: &'static str,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: Listener,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    source: String,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    source: String,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

type FloatGauge = Gauge<f64, AtomicU64>;

/// Every metric of the process; cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    active_requests: Family<ListenerLabels, Gauge>,
    connections: Family<ListenerLabels, Gauge>,
    connection_limit: Family<ListenerLabels, Gauge>,
    events: Family<EventLabels, Counter>,
    duplicates: Family<SourceLabels, Counter>,
    conflicts: Family<SourceLabels, Counter>,
    refused: Family<RefusalLabels, Counter>,
    rule_runs: Family<SourceLabels, Histogram, fn() -> Histogram>,
    commits: Family<OutcomeLabels, Histogram, fn() -> Histogram>,
    batch_events: Histogram,
    queue_depth: Family<QueueLabels, Gauge>,
    queue_limit: Family<QueueLabels, Gauge>,
    queue_oldest_age: Family<QueueLabels, FloatGauge>,
    body_bytes: Gauge,
    body_bytes_limit: Gauge,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

fn commit_seconds() -> Histogram {
    Histogram::new(COMMIT_SECONDS)
}

fn rule_seconds() -> Histogram {
    Histogram::new(RULE_SECONDS)
}

impl Metrics {
    /// All metrics at zero, with the limits of `server` beside what they limit.
    pub(crate) fn new(server: &Server) -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            requests: Family::new_with_constructor(seconds),
            active_requests: Family::default(),
            connections: Family::default(),
            connection_limit: Family::default(),
            events: Family::default(),
            duplicates: Family::default(),
            conflicts: Family::default(),
            refused: Family::default(),
            rule_runs: Family::new_with_constructor(rule_seconds),
            commits: Family::new_with_constructor(commit_seconds),
            batch_events: Histogram::new(BATCH_EVENTS),
            queue_depth: Family::default(),
            queue_limit: Family::default(),
            queue_oldest_age: Family::default(),
            body_bytes: Gauge::default(),
            body_bytes_limit: Gauge::default(),
        };
        inner.register();
        let max_connections = i64::try_from(server.max_connections).unwrap_or(i64::MAX);
        for listener in [Listener::Public, Listener::Admin] {
            inner.connection_limit.get_or_create(&ListenerLabels { listener }).set(max_connections);
        }
        Self(Arc::new(inner))
    }

    /// Counts a request as being worked on until the guard is dropped.
    pub(crate) fn request_started(&self, listener: Listener) -> Level {
        Level::raise(&self.0.active_requests.get_or_create(&ListenerLabels { listener }))
    }

    /// Records an answered request. `route` is a configured path, or empty when none matched.
    pub(crate) fn request_ended(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        error_type: Option<&'static str>,
        elapsed: Duration,
    ) {
        let labels = RequestLabels {
            http_request_method: known_method(method).to_owned(),
            http_route: route.to_owned(),
            http_response_status_code: status.as_u16(),
            url_scheme: "http",
            error_type: error_type.unwrap_or_default(),
        };
        self.0.requests.get_or_create(&labels).observe(elapsed.as_secs_f64());
    }

    /// Counts a connection as open until the guard is dropped.
    pub(crate) fn connection_opened(&self, listener: Listener) -> Level {
        Level::raise(&self.0.connections.get_or_create(&ListenerLabels { listener }))
    }

    /// Counts a committed event.
    pub(crate) fn event_stored(&self, source: &str, status: &'static str) {
        self.0.events.get_or_create(&EventLabels { source: source.to_owned(), status }).inc();
    }

    /// Counts a duplicate; `conflicting` when its body differed from the first.
    pub(crate) fn duplicate(&self, source: &str, conflicting: bool) {
        let labels = SourceLabels { source: source.to_owned() };
        self.0.duplicates.get_or_create(&labels).inc();
        if conflicting {
            self.0.conflicts.get_or_create(&labels).inc();
        }
    }

    /// Counts a request that a source refused.
    pub(crate) fn refused(&self, source: &str, error_type: &'static str) {
        self.0.refused.get_or_create(&RefusalLabels { source: source.to_owned(), error_type }).inc();
    }

    /// Records how long the rules of a source ran.
    pub(crate) fn rules_ran(&self, source: &str, elapsed: Duration) {
        self.0
            .rule_runs
            .get_or_create(&SourceLabels { source: source.to_owned() })
            .observe(elapsed.as_secs_f64());
    }

    /// Records a commit.
    pub(crate) fn committed(&self, report: CommitReport) {
        let error_type = if report.committed { "" } else { "store_unavailable" };
        self.0.commits.get_or_create(&OutcomeLabels { error_type }).observe(report.duration.as_secs_f64());
        self.0.batch_events.observe(report.events as f64);
    }

    /// The OpenMetrics text, with the queue and the budget of bodies (used, limit) as they are now.
    pub(crate) fn encode(&self, queue: &QueueState, bodies: (usize, usize)) -> String {
        let labels = |state| QueueLabels { queue: "commit", state };
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.0.queue_depth.get_or_create(&labels("events")).set(gauge(queue.events));
        self.0.queue_depth.get_or_create(&labels("bytes")).set(gauge(queue.bytes));
        self.0.queue_limit.get_or_create(&labels("events")).set(gauge(queue.max_events));
        self.0.queue_limit.get_or_create(&labels("bytes")).set(gauge(queue.max_bytes));
        self.0.queue_oldest_age.get_or_create(&labels("events")).set(queue.oldest_age.as_secs_f64());
        self.0.body_bytes.set(gauge(bodies.0));
        self.0.body_bytes_limit.set(gauge(bodies.1));
        let mut encoded = String::new();
        // Writing into a String cannot fail; a partial text is still the best answer there is.
        let _ = text::encode(&mut encoded, &self.0.registry);
        encoded
    }
}

impl Inner {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "http_server_request_duration_seconds",
            "Duration of requests",
            self.requests.clone(),
        );
        registry.register(
            "http_server_active_requests",
            "Requests being worked on",
            self.active_requests.clone(),
        );
        registry.register("tidegate_connections", "Open connections", self.connections.clone());
        registry.register("tidegate_connections_limit", "max_connections", self.connection_limit.clone());
        registry.register("tidegate_events", "Events committed", self.events.clone());
        registry.register("tidegate_duplicates", "Events known already", self.duplicates.clone());
        registry.register("tidegate_conflicts", "Duplicates with another body", self.conflicts.clone());
        registry.register("tidegate_refused", "Requests that a source refused", self.refused.clone());
        registry.register(
            "messaging_process_duration_seconds",
            "Duration of rule runs",
            self.rule_runs.clone(),
        );
        registry.register(
            "db_client_operation_duration_seconds",
            "Duration of commits",
            self.commits.clone(),
        );
        registry.register("tidegate_commit_events", "Events per commit", self.batch_events.clone());
        registry.register("tidegate_queue_depth", "What waits in a queue", self.queue_depth.clone());
        registry.register("tidegate_queue_limit", "What may wait in a queue", self.queue_limit.clone());
        registry.register(
            "tidegate_queue_oldest_age_seconds",
            "Age of the oldest waiting",
            self.queue_oldest_age.clone(),
        );
        registry.register("tidegate_body_bytes", "Bodies in memory", self.body_bytes.clone());
        registry.register(
            "tidegate_body_bytes_limit",
            "max_inflight_body_bytes",
            self.body_bytes_limit.clone(),
        );
        let build = Family::<BuildLabels, Gauge>::default();
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("tidegate_build_info", "The running version", build);
    }
}

/// Methods that anybody may invent must not become labels.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// Holds a gauge one higher while it lives.
pub(crate) struct Level(Gauge);

impl Level {
    fn raise(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.dec();
    }
}
