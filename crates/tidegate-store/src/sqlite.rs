//! SQLite: the embedded store.
//!
//! Write-ahead log with `synchronous=FULL`: a commit returns after the log has been flushed, so an
//! acknowledged event survives a power cut if the disk honours the flush. One connection writes;
//! readers see the last commit and block nobody.

mod reader;
mod schema;
mod writer;

pub(crate) use reader::SqliteReader;
pub(crate) use writer::SqliteWriter;

use tidegate_core::event::Reason;

/// The stored form of a reason; the domain type knows no serialisation.
#[derive(serde::Serialize, serde::Deserialize)]
struct ReasonRow {
    pointer: String,
    message: String,
    code: String,
}

impl From<&Reason> for ReasonRow {
    fn from(reason: &Reason) -> Self {
        let Reason { pointer, message, code } = reason.clone();
        Self { pointer, message, code }
    }
}

impl From<ReasonRow> for Reason {
    fn from(row: ReasonRow) -> Self {
        let ReasonRow { pointer, message, code } = row;
        Self { pointer, message, code }
    }
}
