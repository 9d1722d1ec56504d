//! The handle that the rest of Tidegate holds.

use std::path::Path;
use tidegate_core::config::{self, StoreUrl};
use tidegate_core::event::{Appended, NewEvent};
use tokio::sync::Mutex;

use crate::committer::{CommitReport, Committer, CommitterThread, QueueState};
use crate::error::{AppendError, OpenError};
use crate::reader::Reader;
use crate::sqlite;

/// An open store: appends through its committer, answers questions through its reader.
pub struct Store {
    committer: Committer,
    reader: Reader,
    /// Behind an asynchronous lock, so that whoever closes second waits for the first.
    thread: Mutex<Option<CommitterThread>>,
}

impl Store {
    /// Opens the store that `options` name, creating or migrating it as needed. A relative path
    /// starts at `base`. `observer` is told about every commit, on the committer's thread.
    ///
    /// # Errors
    /// When the database cannot be opened, is newer than this binary, or is another program's.
    pub fn open(
        options: &config::Store,
        base: &Path,
        observer: impl Fn(CommitReport) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let StoreUrl::Sqlite(path) = &options.url;
        let path = base.join(path);
        let writer = sqlite::SqliteWriter::open(&path, options.busy_timeout)?;
        let reader = Reader::open(options, base)?;
        let (committer, thread) = Committer::start(options, writer, observer).map_err(OpenError::Thread)?;
        Ok(Self { committer, reader, thread: Mutex::new(Some(thread)) })
    }

    /// Commits an event, or finds that it is known already. Returns when the disk has confirmed it.
    ///
    /// # Errors
    /// At once when the queue is full or the last commit failed; otherwise when this one fails or
    /// the store is closing. The event is then not known to be in the store, and trying again with
    /// the same event is safe: if it is there after all, it is found as a duplicate of itself.
    pub async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        self.committer.append(event).await
    }

    /// Where questions are asked.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// How full the queue is.
    pub fn queue(&self) -> QueueState {
        self.committer.queue()
    }

    /// Returns when a commit has failed so that the store may not be trusted until it is opened
    /// again; the process should end then.
    pub async fn failed(&self) {
        self.committer.failed().await;
    }

    /// Whether events can be committed, as far as is known without trying.
    pub fn is_serving(&self) -> bool {
        self.committer.is_serving()
    }

    /// Commits what waits and ends the committer. Appends after this are refused.
    pub async fn close(&self) {
        self.committer.stop().await;
        let mut thread = self.thread.lock().await;
        if let Some(thread) = thread.take() {
            // Joining waits for the last flush; a thread of its own does that without blocking the
            // runtime. A committer that panicked has answered its callers with an error already.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}
