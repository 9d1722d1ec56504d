//! An event that the database refuses harms nobody but itself; a database that is gone takes nothing more.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tidegate_core::event::{Appended, EventFilter, NewEvent};
use tidegate_store::AppendError;
use tidegate_testkit::events::EventBuilder;
use tidegate_testkit::store::Database;
use tidegate_testkit::wait::{PATIENCE, until};
use tokio::task::JoinSet;

use crate::write_lock::WriteLock;

/// Appends `refused` alone and in one batch with others: the store goes on, and the others are stored.
async fn harms_nobody_else(refused: NewEvent) {
    let database = Database::sqlite();
    let store = Arc::new(database.open());
    store.append(EventBuilder::new("any").number(1).build()).await.unwrap();
    let answer = store.append(refused.clone()).await;
    assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
    assert!(store.is_serving(), "one event stops the store");

    let neighbours =
        |numbers: std::ops::Range<u64>| numbers.map(|n| EventBuilder::new("any").number(n).build());
    let batch: Vec<_> = neighbours(10..13).chain([refused.clone()]).chain(neighbours(13..16)).collect();
    let expected = batch.len();
    let lock = WriteLock::take(&database);
    let mut appends = JoinSet::new();
    for event in batch {
        let store = Arc::clone(&store);
        appends.spawn(async move { (event.trace.clone(), event.id, store.append(event).await) });
    }
    until("all of them wait", || store.queue().events == expected).await;
    lock.release();
    for (trace, id, answer) in appends.join_all().await {
        if trace == refused.trace {
            assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
        } else {
            assert_eq!(answer, Ok(Appended::Stored(id)), "an innocent neighbour is refused");
        }
    }
    let kept = store.reader().list(EventFilter::default(), None, 100).await.unwrap();
    assert_eq!(kept.len(), expected);
    assert_eq!((store.queue().events, store.queue().bytes), (0, 0));
    store.close().await;
}

#[tokio::test]
async fn an_id_that_is_taken_harms_nobody_else() {
    // As when an event without an external id is appended again after an answer that was lost.
    let taken = EventBuilder::new("any").number(1).build();
    let trace = EventBuilder::new("any").number(2).build().trace;
    harms_nobody_else(NewEvent { trace, ..taken }).await;
}

#[tokio::test]
async fn a_delivery_that_is_planned_twice_harms_nobody_else() {
    let twice = EventBuilder::new("any")
        .delivery("billing", SignedDuration::ZERO)
        .delivery("billing", SignedDuration::from_secs(1));
    harms_nobody_else(twice.number(3).build()).await;
}

/// After `harm` no append is acknowledged, and whoever waits for that is told.
#[cfg(unix)]
async fn takes_nothing_more_after(harm: impl FnOnce(&Database)) {
    let database = Database::sqlite();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    harm(&database);
    for _ in 0..2 {
        let answer = store.append(EventBuilder::new("any").build()).await;
        assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
    }
    assert!(!store.is_serving());
    tokio::time::timeout(PATIENCE, store.failed()).await.unwrap();
    tokio::time::timeout(PATIENCE, store.close()).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_deleted_file_takes_nothing_more() {
    takes_nothing_more_after(|database| std::fs::remove_file(database.path()).unwrap()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_replaced_file_takes_nothing_more() {
    takes_nothing_more_after(|database| {
        let copy = database.base().join("copy.db");
        std::fs::copy(database.path(), &copy).unwrap();
        std::fs::rename(copy, database.path()).unwrap();
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_deleted_log_takes_nothing_more() {
    takes_nothing_more_after(|database| {
        std::fs::remove_file(database.base().join("tidegate.db-wal")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sound_store_has_not_failed() {
    let database = Database::sqlite();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    assert!(tokio::time::timeout(Duration::ZERO, store.failed()).await.is_err());
    store.close().await;
}
