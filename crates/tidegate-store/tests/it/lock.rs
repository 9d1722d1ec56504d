//! Another process holds the database's write lock.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tidegate_core::event::{Appended, EventFilter};
use tidegate_store::AppendError;
use tidegate_testkit::events::EventBuilder;
use tidegate_testkit::store::Database;
use tidegate_testkit::wait::{PATIENCE, poll_once, until};
use tokio::task::JoinSet;

use crate::write_lock::WriteLock;

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_unavailable_and_leaves_nothing() {
    let database = Database::sqlite().with(|o| o.busy_timeout = Duration::from_millis(20));
    let store = Arc::new(database.open());
    let events: Vec<_> =
        (0..5).map(|n| EventBuilder::new("any").external_id(format!("evt_{n}")).build()).collect();

    let lock = WriteLock::take(&database);
    let mut appends = JoinSet::new();
    for event in events.clone() {
        let store = Arc::clone(&store);
        appends.spawn(async move { store.append(event).await });
    }
    for answer in appends.join_all().await {
        assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
    }
    // Readers are not held up by the lock.
    assert_eq!(store.reader().list(EventFilter::default(), None, 10).await.unwrap(), []);
    assert_eq!((store.queue().events, store.queue().bytes), (0, 0));

    // While the lock is held, nobody else has to find that out by waiting.
    assert!(!store.is_serving());
    let refused = poll_once(pin!(store.append(EventBuilder::new("any").build())).as_mut());
    assert!(matches!(refused, Poll::Ready(Err(AppendError::Unavailable(_)))), "{refused:?}");

    // Afterwards it serves again by itself, and trying again with the very same events is safe.
    lock.release();
    until("the store serves again", || store.is_serving()).await;
    for event in events {
        assert_eq!(store.append(event.clone()).await, Ok(Appended::Stored(event.id)));
    }
    assert_eq!(store.reader().list(EventFilter::default(), None, 10).await.unwrap().len(), 5);
    store.close().await;
}

#[tokio::test]
async fn a_store_can_be_closed_while_the_lock_is_held_elsewhere() {
    let database = Database::sqlite().with(|o| o.busy_timeout = Duration::from_millis(20));
    let store = database.open();
    let lock = WriteLock::take(&database);
    store.append(EventBuilder::new("any").build()).await.unwrap_err();
    tokio::time::timeout(PATIENCE, store.close()).await.unwrap();
    lock.release();
    let refused = store.append(EventBuilder::new("any").build()).await;
    assert!(matches!(refused, Err(AppendError::Closing | AppendError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_lock_that_is_given_back_in_time_is_waited_for() {
    let database = Database::sqlite();
    let store = Arc::new(database.open());
    let lock = WriteLock::take(&database);
    let event = EventBuilder::new("any").build();
    let id = event.id;
    let append = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.append(event).await }
    });
    let waits = || store.queue().oldest_age > Duration::ZERO;
    until("the committer is at work", waits).await;
    lock.release();
    assert_eq!(append.await.unwrap(), Ok(Appended::Stored(id)));
    store.close().await;
}

#[tokio::test]
async fn two_stores_on_one_database_agree_on_what_is_new() {
    // As after a restart during which the old process has not quite ended.
    let database = Database::sqlite();
    let stores = [Arc::new(database.open()), Arc::new(database.open())];
    let mut appends = JoinSet::new();
    for n in 0..200 {
        let store = Arc::clone(&stores[n % 2]);
        let event = EventBuilder::new("any").external_id(format!("evt_{}", n / 4)).build();
        appends.spawn(async move { store.append(event).await });
    }
    let answers = appends.join_all().await;
    let stored = answers.iter().filter(|answer| matches!(answer, Ok(Appended::Stored(_)))).count();
    let copies = answers.iter().filter(|answer| matches!(answer, Ok(Appended::Duplicate { .. }))).count();
    assert_eq!((stored, copies), (50, 150), "{answers:?}");
    for store in stores {
        assert_eq!(store.reader().list(EventFilter::default(), None, 1_000).await.unwrap().len(), 50);
        store.close().await;
    }
}
