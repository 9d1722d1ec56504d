//! A builder for events.
//!
//! Events are numbered in the order in which they are built, and time goes on by a millisecond with
//! each number. So every event has an id of its own, later ones sort after earlier ones, and nothing
//! depends on the clock. Tests in one process share the count; a test that asserts an exact id or time
//! sets it with [`EventBuilder::number`] or [`EventBuilder::received_at`].

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tidegate_core::event::{EventId, NewEvent, PlannedDelivery, Reason, SourceName, Verdict};
use tidegate_core::trace::TraceContext;

/// When the event with number 0 was received: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Builds events; see [`EventBuilder::new`] for what they are when nothing else is said.
#[derive(Clone, Debug)]
pub struct EventBuilder {
    source: SourceName,
    event_type: Option<String>,
    external_id: Option<String>,
    number: Option<u64>,
    received_at: Option<Timestamp>,
    body: Bytes,
    headers: Vec<(&'static str, String)>,
    verdict: Verdict,
    trace: Option<TraceContext>,
    deliveries: Vec<PlannedDelivery>,
}

impl EventBuilder {
    /// An accepted event of `source` with the body `{}`, and without type, external id, record,
    /// headers and deliveries.
    ///
    /// # Panics
    /// When `source` is not a well-formed name.
    pub fn new(source: &str) -> Self {
        let source = SourceName::new(source).unwrap_or_else(|| panic!("{source:?} is no name for a source"));
        Self {
            source,
            event_type: None,
            external_id: None,
            number: None,
            received_at: None,
            body: Bytes::from_static(b"{}"),
            headers: Vec::new(),
            verdict: Verdict::Accepted { record: None },
            trace: None,
            deliveries: Vec::new(),
        }
    }

    /// The provider's name for what happened.
    #[must_use]
    pub fn event_type(mut self, event_type: &str) -> Self {
        self.event_type = Some(event_type.to_owned());
        self
    }

    /// The provider's own id.
    #[must_use]
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// One more header; the name is in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Accepted, with this record.
    #[must_use]
    pub fn record(mut self, record: &str) -> Self {
        self.verdict = Verdict::Accepted { record: Some(record.to_owned()) };
        self
    }

    /// Refused for one more reason, which concerns the whole body.
    #[must_use]
    pub fn quarantined(self, code: &str, message: &str) -> Self {
        self.quarantined_at("", code, message)
    }

    /// Refused for one more reason, which concerns the field at `pointer`.
    #[must_use]
    pub fn quarantined_at(mut self, pointer: &str, code: &str, message: &str) -> Self {
        let reason =
            Reason { pointer: pointer.to_owned(), message: message.to_owned(), code: code.to_owned() };
        match &mut self.verdict {
            Verdict::Quarantined { reasons } => reasons.push(reason),
            verdict @ Verdict::Accepted { .. } => *verdict = Verdict::Quarantined { reasons: vec![reason] },
        }
        self
    }

    /// One more planned delivery, `after` the receipt of the event numbered 0.
    #[must_use]
    pub fn delivery(mut self, destination: &str, after: SignedDuration) -> Self {
        self.deliveries.push(PlannedDelivery { destination: destination.to_owned(), due_at: START + after });
        self
    }

    /// The trace it belongs to.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Gives the event this number instead of the next one. Two events of one test need two numbers.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }

    /// When it was received, instead of the time that its number stands for.
    #[must_use]
    pub fn received_at(mut self, received_at: Timestamp) -> Self {
        self.received_at = Some(received_at);
        self
    }

    /// The event. Every call builds another one, with an id of its own unless a number was set.
    pub fn build(&self) -> NewEvent {
        let number = self.number.unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
        let received_at = self.received_at.unwrap_or_else(|| time_of(number));
        NewEvent {
            id: id_of(number, received_at),
            source: self.source.clone(),
            event_type: self.event_type.clone(),
            external_id: self.external_id.clone(),
            received_at,
            body: self.body.clone(),
            headers: self.headers.clone(),
            verdict: self.verdict.clone(),
            trace: self.trace.clone().unwrap_or_else(|| trace_of(number)),
            deliveries: self.deliveries.clone(),
        }
    }
}

/// When the event with this number is received unless it is told otherwise.
pub fn time_of(number: u64) -> Timestamp {
    START + SignedDuration::from_millis(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The number stands in the last eight bytes, so that within a millisecond, too, ids sort by number.
fn id_of(number: u64, received_at: Timestamp) -> EventId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    EventId::new(received_at, random)
}

fn trace_of(number: u64) -> TraceContext {
    let mut trace_id = [0xa1; 16];
    trace_id[8..].copy_from_slice(&number.to_be_bytes());
    TraceContext::new(trace_id, [0xb2; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_the_order_of_building() {
        let builder = EventBuilder::new("stripe").external_id("evt_1");
        let ids: Vec<_> = (0..100).map(|_| builder.build().id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn ids_within_one_millisecond_sort_by_number() {
        let at = |number| EventBuilder::new("stripe").number(number).received_at(START).build().id;
        assert!(at(1) < at(2) && at(255) < at(256) && at(65_535) < at(65_536));
    }

    #[test]
    fn an_id_carries_the_time_of_receipt() {
        let event = EventBuilder::new("stripe").number(0).build();
        assert_eq!(event.received_at.to_string(), "2026-01-01T00:00:00Z");
        assert!(event.id >= EventId::floor(event.received_at));
        assert!(event.id < EventId::floor(event.received_at + SignedDuration::from_millis(1)));
    }
}
