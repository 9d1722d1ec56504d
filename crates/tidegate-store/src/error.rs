//! What can go wrong, one enum for each operation.

use std::path::PathBuf;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the database does not exist.
    #[error("there is no folder {} for the database", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// There is no database where one is expected.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file belongs to another program.
    #[error("{} is a database, but not one of Tidegate's", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer Tidegate has written the database.
    #[error(
        "{} has schema version {found}, but this binary knows versions up to {known}: \
         run the newer Tidegate that wrote it, or restore a backup made before the upgrade",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version this binary knows.
        known: u32,
    },
    /// The file system cannot keep SQLite's write-ahead log.
    #[error("{} cannot use a write-ahead log (its journal mode is {mode}): put it on a local disk", path.display())]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The journal mode that SQLite fell back to.
        mode: String,
    },
    /// SQLite refused.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The committer's thread could not be started.
    #[error("cannot start the committer's thread")]
    Thread(#[source] std::io::Error),
}

/// Why an event is not known to be committed. The sender may try again in every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The queue is full: `max_queue_events` or `max_queue_bytes` is reached.
    #[error("the queue is full ({limit} reached)")]
    QueueFull {
        /// The name of the limit.
        limit: &'static str,
    },
    /// The store cannot commit at the moment.
    #[error("the store cannot commit: {0}")]
    Unavailable(String),
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question took longer than `query_timeout_ms`.
    #[error("the query took longer than {timeout_ms} ms: narrow it by source, type or time")]
    TimedOut {
        /// The limit.
        timeout_ms: u128,
    },
    /// SQLite refused.
    #[error("the store cannot be read")]
    Sqlite(#[source] rusqlite::Error),
    /// A row does not hold what the schema promises.
    #[error("the event {id} is damaged in the store: {what}")]
    Damaged {
        /// The event.
        id: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The task that asked was stopped.
    #[error("the query was stopped")]
    Stopped,
}
