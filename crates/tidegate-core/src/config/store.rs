//! `[store]`: where events are kept, and how many may wait.

use std::time::Duration;

use super::millis;
use super::reader::Section;

/// Which store, by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// An SQLite file at this path.
    Sqlite(String),
}

impl StoreUrl {
    /// Reads `sqlite://PATH`.
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.strip_prefix("sqlite://")?;
        (!path.is_empty() && !path.contains(['?', '#'])).then(|| Self::Sqlite(path.to_owned()))
    }
}

/// Where events are kept, and how many may wait.
#[derive(Clone, Debug)]
pub struct Store {
    /// The address.
    pub url: StoreUrl,
    /// Events that may wait for their commit.
    pub max_queue_events: usize,
    /// Bytes of the events that wait.
    pub max_queue_bytes: usize,
    /// Events that one transaction takes at most.
    pub max_batch_events: usize,
    /// Bytes of the events that one transaction takes at most.
    pub max_batch_bytes: usize,
    /// Connections that read at the same time.
    pub readers: usize,
    /// How long one question may take.
    pub query_timeout: Duration,
    /// How long to wait for the write lock.
    pub busy_timeout: Duration,
}

pub(super) fn read(section: &Section<'_>) -> Option<Store> {
    let url = section.parsed(
        "url",
        "write \"sqlite://PATH\", such as \"sqlite://tidegate.db\"; this version has no other store",
        StoreUrl::parse,
    );
    let max_queue_events = section.integer("max_queue_events", 1..=1_000_000);
    let max_queue_bytes = section.integer("max_queue_bytes", 65_536..=1 << 34);
    let max_batch_events = section.integer("max_batch_events", 1..=100_000);
    let max_batch_bytes = section.integer("max_batch_bytes", 1..=1 << 30);
    let readers = section.integer("readers", 1..=64);
    let query_timeout_ms = section.integer("query_timeout_ms", 10..=600_000);
    let busy_timeout_ms = section.integer("busy_timeout_ms", 0..=600_000);
    section.finish();
    Some(Store {
        url: url?.value,
        max_queue_events: usize::try_from(max_queue_events?).ok()?,
        max_queue_bytes: usize::try_from(max_queue_bytes?).ok()?,
        max_batch_events: usize::try_from(max_batch_events?).ok()?,
        max_batch_bytes: usize::try_from(max_batch_bytes?).ok()?,
        readers: usize::try_from(readers?).ok()?,
        query_timeout: millis(query_timeout_ms?),
        busy_timeout: millis(busy_timeout_ms?),
    })
}
