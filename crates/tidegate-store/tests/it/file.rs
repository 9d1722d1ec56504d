//! What can be seen of the database file from outside.

use rusqlite::Connection;
use tidegate_core::trace::TraceContext;
use tidegate_testkit::events::EventBuilder;
use tidegate_testkit::store::Database;

fn number(connection: &Connection, pragma: &str) -> i64 {
    connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn the_file_has_a_write_ahead_log_and_is_marked_as_tidegate_s() {
    let database = Database::sqlite();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    let other = Connection::open(database.path()).unwrap();
    let mode: String = other.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(number(&other, "application_id"), i64::from(u32::from_be_bytes(*b"TIDE")));
    assert!(number(&other, "user_version") >= 1);
    // How the committer's own connection flushes cannot be asked from here: `synchronous` belongs to a
    // connection, and a kill signal does not lose what the kernel has. What can be shown is that the
    // SQLite that is built in has no weaker default, so that a lost setting would do no harm.
    assert_eq!(number(&other, "synchronous"), 2);
    store.close().await;
}

#[tokio::test]
async fn the_whole_trace_is_kept() {
    // Readers hand out the trace id only; the rest is there for the deliveries.
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traces = [
        (TraceContext::parse(parent, Some("vendor=1,other=\u{e9}")).unwrap(), Some("vendor=1,other=\u{e9}")),
        (TraceContext::parse(parent, None).unwrap(), None),
    ];
    let database = Database::sqlite();
    let store = database.open();
    for (trace, _) in &traces {
        store.append(EventBuilder::new("any").trace(trace.clone()).build()).await.unwrap();
    }
    store.close().await;
    let file = Connection::open(database.path()).unwrap();
    let mut statement = file.prepare("SELECT traceparent, tracestate FROM events ORDER BY seq").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let kept: Vec<(String, Option<String>)> = rows.map(Result::unwrap).collect();
    assert_eq!(kept, traces.map(|(_, state)| (parent.to_owned(), state.map(String::from))));
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    // So that copying the file after a clean stop is a backup.
    let database = Database::sqlite();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    store.close().await;
    drop(store);
    let names: Vec<_> = std::fs::read_dir(database.base()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["tidegate.db"]);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    for entry in std::fs::read_dir(database.base()).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    store.close().await;
}
