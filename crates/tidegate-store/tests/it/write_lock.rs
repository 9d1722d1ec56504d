//! Another process that writes, as far as the store can tell.

use rusqlite::Connection;
use tidegate_testkit::store::Database;

/// Holds the database's write lock; while it lives, the store's committer is busy waiting.
pub(crate) struct WriteLock {
    connection: Connection,
}

impl WriteLock {
    /// Takes the lock of a database whose store is open and idle.
    pub(crate) fn take(database: &Database) -> Self {
        let connection = Connection::open(database.path()).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self { connection }
    }

    /// Gives the lock back.
    pub(crate) fn release(self) {
        self.connection.execute_batch("ROLLBACK").unwrap();
    }
}
