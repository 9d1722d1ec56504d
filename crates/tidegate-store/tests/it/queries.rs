//! Questions are bounded in time and in number.

use std::pin::pin;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tidegate_core::event::{EventFilter, EventId};
use tidegate_store::QueryError;
use tidegate_testkit::events::EventBuilder;
use tidegate_testkit::store::Database;
use tidegate_testkit::wait::poll_once;

/// A database with one event that was appended, and copies of its row with a long record.
async fn with_long_records(database: &Database, rows: u32) -> EventId {
    let store = database.open();
    let event = EventBuilder::new("any").number(1_000_000).build();
    store.append(event.clone()).await.unwrap();
    store.close().await;
    drop(store);
    let file = Connection::open(database.path()).unwrap();
    let copy = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
        INSERT INTO events (id, source, status, received_at, traceparent, record, headers, body)
        SELECT randomblob(16), source, status, received_at, traceparent,
               hex(zeroblob(10000)), headers, body FROM events, n";
    file.execute(copy, [rows]).unwrap();
    event.id
}

fn nothing_matches() -> EventFilter {
    EventFilter { text: Some("no record holds this".into()), ..EventFilter::default() }
}

#[tokio::test]
async fn a_slow_question_is_interrupted_and_the_reader_goes_on() {
    // With no time at all, the first look at the clock interrupts; a question for one event ends earlier.
    let database = Database::sqlite().with(|o| o.query_timeout = Duration::ZERO);
    let id = with_long_records(&database, 1_000).await;
    let reader = database.reader().unwrap();
    for _ in 0..3 {
        let answer = reader.list(nothing_matches(), None, 10).await;
        assert!(matches!(answer, Err(QueryError::TimedOut { timeout_ms: 0 })), "{answer:?}");
        assert_eq!(reader.event(id).await.unwrap().map(|event| event.id), Some(id));
        reader.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_question_that_ends_in_time_is_answered_in_full() {
    let database = Database::sqlite();
    with_long_records(&database, 1_000).await;
    let reader = database.reader().unwrap();
    assert_eq!(reader.list(nothing_matches(), None, 10).await.unwrap(), []);
    assert_eq!(reader.list(EventFilter::default(), None, 5_000).await.unwrap().len(), 1_001);
}

#[tokio::test]
async fn questions_wait_for_each_other_no_longer_than_for_an_answer() {
    let timeout = Duration::from_millis(10);
    let database = Database::sqlite().with(|o| {
        o.readers = 1;
        o.query_timeout = timeout;
    });
    with_long_records(&database, 3_000).await;
    let reader = database.reader().unwrap();
    let begun = Instant::now();
    let ask = || reader.list(nothing_matches(), None, 10);
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    for answer in [a, b, c] {
        assert!(matches!(answer, Err(QueryError::TimedOut { timeout_ms: 10 })), "{answer:?}");
    }
    // A slow machine may take many times as long as it should, but not until the search has ended.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn two_questions_share_one_reader() {
    let database = Database::sqlite().with(|o| o.readers = 1);
    with_long_records(&database, 100).await;
    let reader = database.reader().unwrap();
    let ask = || reader.list(nothing_matches(), None, 10);
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    for answer in [a, b, c, d] {
        assert_eq!(answer.unwrap(), []);
    }
}

/// The files that this process has open at `path`.
#[cfg(target_os = "linux")]
fn open_files(path: &std::path::Path) -> usize {
    let path = path.canonicalize().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| *target == path)
        .count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn questions_whose_callers_went_away_still_count() {
    let database = Database::sqlite().with(|o| o.readers = 2);
    with_long_records(&database, 1_000).await;
    let reader = database.reader().unwrap();
    // Somebody who reloads a page that is slow, again and again.
    for _ in 0..16 {
        assert!(poll_once(pin!(reader.list(nothing_matches(), None, 10)).as_mut()).is_pending());
    }
    assert_eq!(reader.list(nothing_matches(), None, 10).await.unwrap(), []);
    // SQLite keeps one file open for each connection.
    let open = open_files(&database.path());
    assert!(open <= 2, "{open} connections are open, where 2 are allowed");
}
