//! The store: what was answered with 200 is here, once, whatever happens next.
//!
//! [`Store::append`] hands an event to the one committer of the process and returns when the
//! event is on disk. The committer takes whatever waits in a bounded queue, writes it in one
//! transaction (event, raw bytes, record, deduplication key, planned deliveries), lets the disk
//! confirm it, and only then answers each caller. So a burst costs few flushes, a lonely event
//! waits for just its own, and a full queue is said at once instead of being waited for.
//!
//! Whether an event is new is decided inside that transaction. Two copies at the same moment give
//! one row and two answers that name it.
//!
//! After an error of the disk the store stops taking events until it is opened again: a flush that
//! failed once may not be believed when it is repeated, since the kernel has marked the lost pages
//! clean ("Can Applications Recover from fsync Failures?", USENIX ATC 2020).
//!
//! This crate knows SQL and nothing of HTTP. What is SQLite's stands in `sqlite/`; the queue and
//! the committer know only that batches can be committed, which is also where tests make it fail.

mod committer;
mod error;
mod reader;
mod sqlite;
mod store;

pub use committer::{CommitReport, QueueState};
pub use error::{AppendError, OpenError, QueryError};
pub use reader::Reader;
pub use store::Store;
