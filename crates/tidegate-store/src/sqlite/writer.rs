//! Writing: one transaction for a batch, deduplication inside it.
//!
//! A file that was deleted or replaced stays usable for a process that has it open, and everything
//! committed to it is gone when the process ends. So the writer compares the files behind its paths
//! with those it opened, before and after each commit, and trusts no commit to a file that nobody
//! will find again.

use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params,
};
use tidegate_core::event::{Appended, BodyDigest, DedupKey, EventId, NewEvent, Reason, Verdict};

use super::{ReasonRow, schema};
use crate::committer::{CommitError, Fault, Writer};
use crate::error::OpenError;

/// How much of the database the writer keeps in memory, in KiB.
const CACHE_KIB: i32 = 4_096;
/// The log is cut back to this size after a checkpoint, in bytes.
const JOURNAL_LIMIT_BYTES: i64 = 64 << 20;

/// The one connection that writes.
pub(crate) struct SqliteWriter {
    connection: Connection,
    files: [OpenFile; 2],
}

/// A file that SQLite has open: its path, and its device and inode when it was opened.
struct OpenFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl OpenFile {
    fn new(path: PathBuf) -> Self {
        let identity = identity(&path);
        Self { path, identity }
    }

    /// An error when the path leads elsewhere by now.
    fn check(&self) -> Result<(), CommitError> {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            return Ok(());
        }
        let message = format!("{} was deleted or replaced while it was in use", self.path.display());
        Err(CommitError { message, fault: Fault::Fatal })
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl SqliteWriter {
    /// Opens or creates the database at `path` and brings its schema up to date.
    pub(crate) fn open(path: &Path, busy_timeout: Duration) -> Result<Self, OpenError> {
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        create_private(path)?;
        let mut connection = Connection::open(path).map_err(sqlite)?;
        connection.busy_timeout(busy_timeout).map_err(sqlite)?;
        schema::check(&connection, path)?;
        let mode = use_write_ahead_log(&connection, busy_timeout).map_err(sqlite)?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(OpenError::NoWriteAheadLog { path: path.to_owned(), mode });
        }
        connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(sqlite)?;
        connection.pragma_update(None, "journal_size_limit", JOURNAL_LIMIT_BYTES).map_err(sqlite)?;
        schema::migrate(&mut connection, path)?;
        // SQLite keeps the log beside the file itself, not beside a link to it.
        let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self { connection, files: [OpenFile::new(file), OpenFile::new(log.into())] })
    }

    fn check_files(&self) -> Result<(), CommitError> {
        self.files.iter().try_for_each(OpenFile::check)
    }
}

/// Switches to the write-ahead log; returns the journal mode that is in force afterwards.
fn use_write_ahead_log(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<String> {
    const PAUSE: Duration = Duration::from_millis(5);
    let deadline = Instant::now() + busy_timeout;
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        // Two processes that switch a new file at the same moment stand in each other's way, and SQLite
        // tells at least one of them so at once, whatever its busy timeout.
        let busy = mode.as_ref().is_err_and(|e| e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !busy || Instant::now() >= deadline {
            return mode;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Creates the file for its owner only: it holds payloads. SQLite gives its log the same permissions.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(OpenError::NoFolder { path: folder.to_owned() });
    }
    // Whatever stands in the way, SQLite will say when it opens the path.
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(())
}

impl Writer for SqliteWriter {
    fn commit(&mut self, batch: &[NewEvent]) -> Vec<Result<Appended, CommitError>> {
        match self.commit_together(batch) {
            Ok(appended) => appended.into_iter().map(Ok).collect(),
            // One event must not take its neighbours down with it.
            Err(error) if error.fault == Fault::Event && batch.len() > 1 => self.commit_each(batch),
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn probe(&mut self) -> Result<(), CommitError> {
        self.check_files()?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(classify)?;
        // Writing the version anew changes nothing and takes the whole way to the disk.
        transaction.pragma_update(None, "user_version", schema::VERSION).map_err(classify)?;
        transaction.commit().map_err(classify)
    }
}

impl SqliteWriter {
    /// Commits one after the other. What is worse than one bad event ends that for all that follow: they
    /// would each wait for the same lock, or be acknowledged by a disk that is not trusted any more.
    fn commit_each(&mut self, batch: &[NewEvent]) -> Vec<Result<Appended, CommitError>> {
        let mut end: Option<CommitError> = None;
        let mut commit = |event| {
            if let Some(error) = &end {
                return Err(error.clone());
            }
            let outcome = self.commit_together(std::slice::from_ref(event)).map(|appended| appended[0]);
            end = outcome.as_ref().err().filter(|error| error.fault > Fault::Event).cloned();
            outcome
        };
        batch.iter().map(&mut commit).collect()
    }

    fn commit_together(&mut self, batch: &[NewEvent]) -> Result<Vec<Appended>, CommitError> {
        self.check_files()?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(classify)?;
        let appended = {
            let mut statements = Statements::prepare(&transaction).map_err(classify)?;
            batch.iter().map(|event| statements.append(event)).collect::<Result<_, _>>().map_err(classify)?
        };
        transaction.commit().map_err(classify)?;
        self.check_files()?;
        Ok(appended)
    }
}

/// What SQLite's error means for the events that follow.
fn classify(error: rusqlite::Error) -> CommitError {
    let fault = match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => Fault::Event,
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Passing,
        Some(_) => Fault::Fatal,
        // Not SQLite's own: a value that could not be written as JSON.
        None => Fault::Event,
    };
    CommitError { message: error.to_string(), fault }
}

/// The statements of one transaction, prepared once for the connection.
struct Statements<'c> {
    insert_key: CachedStatement<'c>,
    find_key: CachedStatement<'c>,
    insert_event: CachedStatement<'c>,
    insert_delivery: CachedStatement<'c>,
}

/// Who holds a deduplication key.
struct Holder {
    id: EventId,
    same_body: bool,
}

impl<'c> Statements<'c> {
    fn prepare(transaction: &'c Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            insert_key: transaction.prepare_cached(
                "INSERT INTO dedup (key, event_id, body_digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?,
            find_key: transaction.prepare_cached("SELECT event_id, body_digest FROM dedup WHERE key = ?1")?,
            insert_event: transaction.prepare_cached(
                "INSERT INTO events (id, source, type, external_id, status, received_at, traceparent, tracestate, \
                 record, reasons, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
                 RETURNING seq",
            )?,
            insert_delivery: transaction
                .prepare_cached("INSERT INTO deliveries (event_seq, destination, due_at) VALUES (?1, ?2, ?3)")?,
        })
    }

    fn append(&mut self, event: &NewEvent) -> rusqlite::Result<Appended> {
        let digest = event.body_digest();
        match &event.verdict {
            Verdict::Accepted { .. } => self.append_accepted(event, &digest),
            Verdict::Quarantined { .. } => self.append_quarantined(event, &digest),
        }
    }

    fn append_accepted(&mut self, event: &NewEvent, digest: &BodyDigest) -> rusqlite::Result<Appended> {
        let Some(key) = event.accepted_key() else {
            self.insert(event, &event.verdict)?;
            return Ok(Appended::Stored(event.id));
        };
        let Some(holder) = self.claim(&key, event.id, digest)? else {
            self.insert(event, &event.verdict)?;
            return Ok(Appended::Stored(event.id));
        };
        if holder.same_body {
            return Ok(Appended::Duplicate { first: holder.id });
        }
        if self.claim(&event.quarantine_key(digest), event.id, digest)?.is_none() {
            self.insert(event, &conflict_with(holder.id))?;
        }
        Ok(Appended::Conflict { first: holder.id })
    }

    fn append_quarantined(&mut self, event: &NewEvent, digest: &BodyDigest) -> rusqlite::Result<Appended> {
        // A retry of what was accepted under earlier rules is still a retry.
        if let Some(key) = event.accepted_key()
            && let Some(holder) = self.holder(&key, digest)?
            && holder.same_body
        {
            return Ok(Appended::Duplicate { first: holder.id });
        }
        if let Some(holder) = self.claim(&event.quarantine_key(digest), event.id, digest)? {
            return Ok(Appended::AlreadyQuarantined(holder.id));
        }
        self.insert(event, &event.verdict)?;
        Ok(Appended::Stored(event.id))
    }

    /// Takes `key` for `id`; returns who has it if somebody does.
    fn claim(
        &mut self,
        key: &DedupKey,
        id: EventId,
        digest: &BodyDigest,
    ) -> rusqlite::Result<Option<Holder>> {
        let inserted = self.insert_key.execute(params![key.as_bytes(), id.as_bytes(), digest.as_bytes()])?;
        if inserted == 1 { Ok(None) } else { self.holder(key, digest) }
    }

    fn holder(&mut self, key: &DedupKey, digest: &BodyDigest) -> rusqlite::Result<Option<Holder>> {
        self.find_key
            .query_row([key.as_bytes()], |row| {
                let held: [u8; 16] = row.get(1)?;
                Ok(Holder { id: EventId::from_bytes(row.get(0)?), same_body: held == *digest.as_bytes() })
            })
            .optional()
    }

    fn insert(&mut self, event: &NewEvent, verdict: &Verdict) -> rusqlite::Result<()> {
        let (record, reasons) = match verdict {
            Verdict::Accepted { record } => (record.as_deref(), None),
            Verdict::Quarantined { reasons } => {
                (None, Some(json(&reasons.iter().map(ReasonRow::from).collect::<Vec<_>>())?))
            }
        };
        let headers: serde_json::Map<String, serde_json::Value> =
            event.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        let seq: i64 = self.insert_event.query_row(
            params![
                event.id.as_bytes(),
                event.source.as_str(),
                event.event_type,
                event.external_id,
                verdict.status().as_str(),
                event.received_at.as_microsecond(),
                event.trace.to_string(),
                event.trace.state(),
                record,
                reasons,
                json(&headers)?,
                event.body.as_ref(),
            ],
            |row| row.get(0),
        )?;
        // What is set aside goes nowhere.
        let deliveries = match verdict {
            Verdict::Accepted { .. } => event.deliveries.as_slice(),
            Verdict::Quarantined { .. } => &[],
        };
        for delivery in deliveries {
            self.insert_delivery.execute(params![
                seq,
                delivery.destination,
                delivery.due_at.as_microsecond()
            ])?;
        }
        Ok(())
    }
}

fn conflict_with(first: EventId) -> Verdict {
    let message = format!("its external id was accepted before, as event {first}, with another body");
    Verdict::Quarantined {
        reasons: vec![Reason { pointer: String::new(), message, code: "duplicate_differs".into() }],
    }
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
