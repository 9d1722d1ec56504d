//! Which tables there are, and how an older database becomes a current one.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;

/// Marks a file as Tidegate's: "TIDE" in ASCII, kept in SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x5449_4445;

/// Every migration; the one at index `n` leads to version `n + 1`. What is released never changes.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/sqlite/0001_events.sql")];

/// The version that this binary writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Creates the tables or brings them to [`VERSION`], each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    loop {
        // The lock is taken before the version is read, so two processes that start together do
        // not both migrate.
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let version = check(&step, path)?;
        let Some(migration) = MIGRATIONS.get(version as usize) else { return Ok(()) };
        step.execute_batch(migration).map_err(sqlite)?;
        step.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
        step.pragma_update(None, "user_version", version + 1).map_err(sqlite)?;
        step.commit().map_err(sqlite)?;
    }
}

/// The version of a database that is Tidegate's or empty, and not newer than this binary.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    // One statement, so that all three are from before or from after another process's migration.
    let sql = "SELECT (SELECT count(*) FROM sqlite_schema), application_id, user_version \
               FROM pragma_application_id, pragma_user_version";
    let (tables, owner, version): (i64, i32, i32) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(sqlite)?;
    let empty = tables == 0 && owner == 0 && version == 0;
    if !empty && owner != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    if found > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    Ok(found)
}
