//! The queue is bounded in events and in bytes, and says so at once.

use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use tidegate_core::event::{Appended, EventFilter, EventId, NewEvent};
use tidegate_store::{AppendError, CommitReport, Store};
use tidegate_testkit::events::EventBuilder;
use tidegate_testkit::store::Database;
use tidegate_testkit::wait::{poll_once, until};
use tokio::task::JoinSet;

use crate::write_lock::WriteLock;

/// Events that wait for the lock that somebody else holds.
struct Waiting(JoinSet<(EventId, Result<Appended, AppendError>)>);

impl Waiting {
    /// Appends `events` and returns when all of them are counted.
    async fn new(store: &Arc<Store>, events: Vec<NewEvent>) -> Self {
        let expected = store.queue().events + events.len();
        let mut appends = JoinSet::new();
        for event in events {
            let store = Arc::clone(store);
            appends.spawn(async move { (event.id, store.append(event).await) });
        }
        until("all events wait", || store.queue().events == expected).await;
        Self(appends)
    }

    async fn are_stored(self) {
        for (id, answer) in self.0.join_all().await {
            assert_eq!(answer, Ok(Appended::Stored(id)));
        }
    }
}

fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| EventBuilder::new("any").body("{\"a\":1}").build()).collect()
}

/// An answer that is there without waiting.
fn at_once(store: &Store, event: NewEvent) -> Result<Appended, AppendError> {
    match poll_once(pin!(store.append(event)).as_mut()) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the append waits"),
    }
}

fn full(limit: &'static str) -> Result<Appended, AppendError> {
    Err(AppendError::QueueFull { limit })
}

async fn count(store: &Store) -> usize {
    store.reader().list(EventFilter::default(), None, usize::MAX).await.unwrap().len()
}

#[tokio::test]
async fn a_queue_full_of_events_is_said_at_once() {
    let database = Database::sqlite().with(|o| o.max_queue_events = 4);
    let store = Arc::new(database.open());
    let lock = WriteLock::take(&database);
    let waiting = Waiting::new(&store, events(4)).await;
    for event in events(10) {
        assert_eq!(at_once(&store, event), full("max_queue_events"));
    }
    // What was refused takes no place.
    assert_eq!(store.queue().events, 4);
    assert!(store.is_serving());

    lock.release();
    waiting.are_stored().await;
    assert_eq!((store.queue().events, store.queue().bytes), (0, 0));
    store.append(events(1).remove(0)).await.unwrap();
    assert_eq!(count(&store).await, 5);
    store.close().await;
}

#[tokio::test]
async fn a_queue_full_of_bytes_is_said_at_once() {
    let size = events(1)[0].size_bytes();
    let database = Database::sqlite().with(|o| o.max_queue_bytes = 3 * size);
    let store = Arc::new(database.open());
    let lock = WriteLock::take(&database);
    // Exactly the limit still fits.
    let waiting = Waiting::new(&store, events(3)).await;
    assert_eq!(store.queue().bytes, 3 * size);
    assert_eq!(at_once(&store, events(1).remove(0)), full("max_queue_bytes"));
    assert_eq!((store.queue().events, store.queue().bytes), (3, 3 * size));

    lock.release();
    waiting.are_stored().await;
    assert_eq!((store.queue().events, store.queue().bytes), (0, 0));
    assert_eq!(count(&store).await, 3);
    store.close().await;
}

#[tokio::test]
async fn one_event_larger_than_the_queue_passes() {
    let database = Database::sqlite().with(|o| o.max_queue_bytes = 65_536);
    let store = Arc::new(database.open());
    let huge = EventBuilder::new("any").body(vec![b' '; 1 << 20]);
    let lock = WriteLock::take(&database);
    let waiting = Waiting::new(&store, vec![huge.build()]).await;
    // While it waits there is room for nothing else.
    assert_eq!(at_once(&store, events(1).remove(0)), full("max_queue_bytes"));
    lock.release();
    waiting.are_stored().await;

    // And where something waits, there is no room for it.
    let lock = WriteLock::take(&database);
    let waiting = Waiting::new(&store, events(1)).await;
    assert_eq!(at_once(&store, huge.build()), full("max_queue_bytes"));
    lock.release();
    waiting.are_stored().await;
    assert_eq!(count(&store).await, 2);
    store.close().await;
}

#[tokio::test]
async fn the_age_of_the_oldest_is_known_while_it_waits() {
    let database = Database::sqlite();
    let store = Arc::new(database.open());
    assert_eq!(store.queue().oldest_age, Duration::ZERO);
    let lock = WriteLock::take(&database);
    let waiting = Waiting::new(&store, events(2)).await;
    until("the oldest gets older", || store.queue().oldest_age > Duration::from_millis(1)).await;
    lock.release();
    waiting.are_stored().await;
    assert_eq!(store.queue().oldest_age, Duration::ZERO);
    store.close().await;
}

#[tokio::test]
async fn an_event_whose_caller_went_away_is_committed_all_the_same() {
    let database = Database::sqlite();
    let store = database.open();
    let event = EventBuilder::new("any").external_id("evt_1").build();
    let lock = WriteLock::take(&database);
    assert!(poll_once(pin!(store.append(event.clone())).as_mut()).is_pending());
    lock.release();
    until("its place is free again", || store.queue().events == 0).await;
    let retry = EventBuilder::new("any").external_id("evt_1").build();
    assert_eq!(store.append(retry).await, Ok(Appended::Duplicate { first: event.id }));
    assert_eq!((store.queue().events, store.queue().bytes), (0, 0));
    store.close().await;
}

/// Opens a store and hands on what its commits report.
fn observed(database: &Database) -> (Arc<Store>, mpsc::Receiver<CommitReport>) {
    let (sender, reports) = mpsc::channel();
    let base: &Path = database.base();
    let store = Store::open(&database.options, base, move |report| sender.send(report).unwrap()).unwrap();
    (Arc::new(store), reports)
}

async fn batches(database: &Database, events: Vec<NewEvent>) -> Vec<usize> {
    let (store, reports) = observed(database);
    let lock = WriteLock::take(database);
    let waiting = Waiting::new(&store, events).await;
    lock.release();
    waiting.are_stored().await;
    store.close().await;
    reports.try_iter().inspect(|report| assert!(report.committed)).map(|report| report.events).collect()
}

#[tokio::test]
async fn what_gathers_during_a_commit_is_committed_together() {
    let batches = batches(&Database::sqlite(), events(100)).await;
    assert!(batches.len() <= 2, "the first may be alone, the others share a flush: {batches:?}");
    assert_eq!(batches.iter().sum::<usize>(), 100);
}

#[tokio::test]
async fn a_batch_is_bounded_in_events() {
    let database = Database::sqlite().with(|o| o.max_batch_events = 3);
    let batches = batches(&database, events(10)).await;
    assert!(batches.iter().all(|events| *events <= 3), "{batches:?}");
    assert_eq!(batches.iter().sum::<usize>(), 10);
}

#[tokio::test]
async fn a_batch_is_bounded_in_bytes() {
    // The event that reaches the limit is the last one of its batch.
    let limit = 2 * events(1)[0].size_bytes();
    let database = Database::sqlite().with(|o| o.max_batch_bytes = limit);
    let batches = batches(&database, events(10)).await;
    assert!(batches.iter().all(|events| *events <= 2), "{batches:?}");
    assert_eq!(batches.iter().sum::<usize>(), 10);
}

#[tokio::test]
async fn closing_commits_what_waits() {
    let database = Database::sqlite();
    let store = Arc::new(database.open());
    let lock = WriteLock::take(&database);
    let waiting = Waiting::new(&store, events(50)).await;
    let mut closing = pin!(store.close());
    assert!(poll_once(closing.as_mut()).is_pending(), "closed before what waits is committed");
    lock.release();
    closing.await;
    waiting.are_stored().await;
    assert_eq!(count(&store).await, 50);
    assert_eq!(at_once(&store, events(1).remove(0)), Err(AppendError::Closing));
}

#[tokio::test]
async fn each_of_two_that_close_returns_when_all_is_committed() {
    let database = Database::sqlite();
    let store = Arc::new(database.open());
    let lock = WriteLock::take(&database);
    let waiting = Waiting::new(&store, events(5)).await;
    let (mut one, mut other) = (pin!(store.close()), pin!(store.close()));
    assert!(poll_once(one.as_mut()).is_pending());
    assert!(poll_once(other.as_mut()).is_pending(), "the second returns before the commit");
    lock.release();
    tokio::join!(one, other);
    waiting.are_stored().await;
}
