//! Asking: lists with filters and stable cursors, one event, its raw bytes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_core::config::{self, StoreUrl};
use tidegate_core::event::{Event, EventFilter, EventId, RawEvent};
use tokio::sync::Semaphore;

use crate::error::{OpenError, QueryError};
use crate::sqlite::SqliteReader;

/// Answers questions, a bounded number at the same time, each within a bounded time.
///
/// A reader never writes and never blocks the committer, so a process of its own can read the
/// store of a running server.
#[derive(Clone)]
pub struct Reader {
    pool: Arc<Pool>,
    /// A connection of its own, so that a probe never waits behind searches.
    probe: Arc<Pool>,
}

struct Pool {
    idle: Mutex<Vec<SqliteReader>>,
    permits: Arc<Semaphore>,
    path: std::path::PathBuf,
    timeout: Duration,
}

impl Reader {
    /// Opens an existing store for reading. A relative path starts at `base`.
    ///
    /// # Errors
    /// When there is no such store, or it is not one that this binary understands.
    pub fn open(options: &config::Store, base: &Path) -> Result<Self, OpenError> {
        let StoreUrl::Sqlite(path) = &options.url;
        let path = base.join(path);
        let first = SqliteReader::open(&path)?;
        let pool = |idle, connections| Pool {
            idle: Mutex::new(idle),
            permits: Arc::new(Semaphore::new(connections)),
            path: path.clone(),
            timeout: options.query_timeout,
        };
        Ok(Self { pool: Arc::new(pool(vec![first], options.readers)), probe: Arc::new(pool(Vec::new(), 1)) })
    }

    /// At most `limit` events that match `filter`, newest first, starting below the id `before`.
    ///
    /// The last id of one page is the cursor of the next, so pages never overlap, whatever arrives
    /// meanwhile. Ids are of the time of receipt: an event whose commit took longer than that of its
    /// successors takes its place below them when it is done.
    ///
    /// # Errors
    /// When the store cannot be read or the question takes too long.
    pub async fn list(
        &self,
        filter: EventFilter,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, QueryError> {
        self.ask(move |reader| reader.list(&filter, before, limit)).await
    }

    /// One event; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>, QueryError> {
        self.ask(move |reader| reader.event(id)).await
    }

    /// The body of an event as it was verified; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn raw(&self, id: EventId) -> Result<Option<RawEvent>, QueryError> {
        self.ask(move |reader| reader.raw(id)).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn ping(&self) -> Result<(), QueryError> {
        Self::ask_pool(&self.probe, |reader| reader.ping()).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut SqliteReader) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        Self::ask_pool(&self.pool, question).await
    }

    async fn ask_pool<T: Send + 'static>(
        pool: &Arc<Pool>,
        question: impl FnOnce(&mut SqliteReader) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let permit = Arc::clone(&pool.permits).acquire_owned();
        let permit = match tokio::time::timeout(pool.timeout, permit).await {
            Ok(permit) => permit.map_err(|_| QueryError::Stopped)?,
            Err(_) => return Err(QueryError::TimedOut { timeout_ms: pool.timeout.as_millis() }),
        };
        let worker = Arc::clone(pool);
        // The permit goes with the work: a question whose caller went away is still being answered.
        let answer = tokio::task::spawn_blocking(move || {
            let answer = worker.run(question);
            drop(permit);
            answer
        });
        answer.await.map_err(|_| QueryError::Stopped)?
    }
}

impl Pool {
    fn run<T>(
        &self,
        question: impl FnOnce(&mut SqliteReader) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => SqliteReader::open(&self.path).map_err(|error| match error {
                OpenError::Sqlite { source, .. } => QueryError::Sqlite(source),
                _ => QueryError::Stopped,
            })?,
        };
        reader.limit_time(self.timeout);
        let answer = question(&mut reader);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        answer.map_err(|error| match error {
            QueryError::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::OperationInterrupted =>
            {
                QueryError::TimedOut { timeout_ms: self.timeout.as_millis() }
            }
            other => other,
        })
    }
}
