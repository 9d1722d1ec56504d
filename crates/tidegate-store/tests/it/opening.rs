//! Which files are opened, and which are left alone.

use std::path::Path;
use std::sync::Barrier;

use rusqlite::Connection;
use tidegate_core::config::StoreUrl;
use tidegate_core::event::EventFilter;
use tidegate_store::{OpenError, Reader, Store};
use tidegate_testkit::events::EventBuilder;
use tidegate_testkit::store::{Database, options};

/// What opening as a store and as a reader says about the file of `database`, which must stay as it is.
#[track_caller]
fn refusals(database: &Database) -> [OpenError; 2] {
    let before = folder(database.base());
    let store = database.try_open().err().expect("the store opens");
    let reader = database.reader().err().expect("the reader opens");
    // Compared before it is printed: nobody reads a file as a list of numbers.
    let after = folder(database.base());
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before), "files have come or gone");
    assert!(after == before, "the contents of the refused file have changed");
    [store, reader]
}

/// The names and contents of all files in a folder.
fn folder(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// A file of some other program.
fn foreign(statements: &str) -> Database {
    let database = Database::sqlite();
    Connection::open(database.path()).unwrap().execute_batch(statements).unwrap();
    database
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let database = Database::sqlite();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    store.close().await;
    drop(store);
    Connection::open(database.path()).unwrap().pragma_update(None, "user_version", 1_000).unwrap();
    for refusal in refusals(&database) {
        assert!(
            matches!(refusal, OpenError::Newer { found: 1_000, known, .. } if known < 1_000),
            "{refusal:?}"
        );
        assert!(refusal.to_string().contains("1000"), "{refusal}");
    }
}

#[tokio::test]
async fn a_negative_version_is_not_taken_for_an_old_one() {
    let database = Database::sqlite();
    database.open().close().await;
    Connection::open(database.path()).unwrap().pragma_update(None, "user_version", -1).unwrap();
    for refusal in refusals(&database) {
        assert!(matches!(refusal, OpenError::Newer { .. }), "{refusal:?}");
    }
}

#[test]
fn another_program_s_database_is_left_alone() {
    for statements in [
        "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')",
        "CREATE TABLE events (id BLOB); PRAGMA user_version = 1",
        "CREATE TABLE songs (title TEXT); PRAGMA user_version = 1000; PRAGMA application_id = 7",
        "PRAGMA journal_mode = WAL; CREATE TABLE songs (title TEXT)",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
    ] {
        println!("{statements}");
        for refusal in refusals(&foreign(statements)) {
            assert!(matches!(refusal, OpenError::Foreign { .. }), "{statements}: {refusal:?}");
        }
    }
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    for text in
        ["no database\n", "[store]\nurl = \"sqlite://tidegate.toml\"\n", &"a line of text\n".repeat(1_000)]
    {
        let database = Database::sqlite();
        std::fs::write(database.path(), text).unwrap();
        for refusal in refusals(&database) {
            assert!(matches!(refusal, OpenError::Sqlite { .. }), "{refusal:?}");
        }
    }
}

#[test]
fn a_reader_creates_nothing() {
    let database = Database::sqlite();
    let refusal = database.reader().err().unwrap();
    assert!(matches!(&refusal, OpenError::Missing { path } if *path == database.path()), "{refusal:?}");
    assert_eq!(folder(database.base()), []);
}

#[test]
fn a_reader_refuses_a_file_without_tables() {
    // An empty file is a database that nobody has written to yet. Without this, every question
    // would fail instead of the opening.
    let database = Database::sqlite();
    std::fs::write(database.path(), "").unwrap();
    assert!(database.reader().is_err());
}

#[tokio::test]
async fn a_store_takes_an_empty_file() {
    let database = Database::sqlite();
    std::fs::write(database.path(), "").unwrap();
    let store = database.open();
    store.append(EventBuilder::new("any").build()).await.unwrap();
    store.close().await;
}

#[test]
fn a_folder_and_a_missing_folder_are_refused() {
    let database = Database::sqlite();
    std::fs::create_dir(database.path()).unwrap();
    assert!(matches!(database.try_open().err(), Some(OpenError::Sqlite { .. })));
    let database = Database::sqlite().with(|o| o.url = StoreUrl::Sqlite("missing/tidegate.db".into()));
    let folder = database.base().join("missing");
    assert!(matches!(database.try_open().err(), Some(OpenError::NoFolder { path }) if path == folder));
    assert!(matches!(database.reader().err(), Some(OpenError::Missing { .. })));
    assert!(!folder.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_database_on_another_disk_is_followed() {
    // SQLite keeps its log beside the file itself, not beside the link.
    let disk = tempfile::tempdir().unwrap();
    let database = Database::sqlite();
    std::os::unix::fs::symlink(disk.path().join("real.db"), database.path()).unwrap();
    for number in 1..=2 {
        let store = database.open();
        store.append(EventBuilder::new("any").build()).await.unwrap();
        assert_eq!(store.reader().list(EventFilter::default(), None, 10).await.unwrap().len(), number);
        store.close().await;
    }
    assert!(disk.path().join("real.db").exists());
}

#[tokio::test]
async fn an_absolute_path_does_not_start_at_the_base() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.db");
    let options = options(&format!("sqlite://{}", path.display()));
    let store = Store::open(&options, Path::new("/nowhere"), |_| ()).unwrap();
    Reader::open(&options, Path::new("/nowhere")).unwrap().ping().await.unwrap();
    store.close().await;
    assert!(path.exists());
}

#[tokio::test]
async fn stores_that_open_at_the_same_moment_all_succeed() {
    const TOGETHER: usize = 4;
    for _ in 0..10 {
        let database = Database::sqlite();
        let start = Barrier::new(TOGETHER);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let open = || {
                start.wait();
                database.try_open()
            };
            let threads: Vec<_> = (0..TOGETHER).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (number, store) in opened.into_iter().enumerate() {
            let store = store.unwrap_or_else(|e| panic!("one of {TOGETHER} is refused: {e:?}"));
            store.append(EventBuilder::new("any").build()).await.unwrap();
            let seen = store.reader().list(EventFilter::default(), None, 10).await.unwrap().len();
            assert_eq!(seen, number + 1);
            store.close().await;
        }
    }
}
