//! Reading: lists, one event, its raw bytes.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params_from_iter};
use tidegate_core::event::{
    Event, EventFilter, EventId, PlannedDelivery, RawEvent, Reason, SourceName, Status, Verdict,
};

use super::{ReasonRow, schema};
use crate::error::{OpenError, QueryError};

/// SQLite asks whether to go on after so many steps of its virtual machine.
const STEPS_BETWEEN_CLOCKS: i32 = 1_000;
/// How much of the database one reader keeps in memory, in KiB.
const CACHE_KIB: i32 = 1_024;

const COLUMNS: &str = "seq, id, source, type, external_id, status, received_at, traceparent, record, reasons";

/// One connection that only reads.
pub(crate) struct SqliteReader {
    connection: Connection,
}

impl SqliteReader {
    /// Opens an existing database whose schema is the one that this binary knows.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        // Without the permission to write, SQLite could not join the log of a running server;
        // `query_only` takes that permission back for everything that matters.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        connection.pragma_update(None, "query_only", true).map_err(sqlite)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(sqlite)?;
        if schema::check(&connection, path)? == 0 {
            // An empty file: nobody has made a store of it yet.
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        Ok(Self { connection })
    }

    /// Interrupts whatever runs on this connection after `timeout`.
    pub(crate) fn limit_time(&mut self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        // Setting the handler fails only while another thread uses the connection, and none does.
        let _ =
            self.connection.progress_handler(STEPS_BETWEEN_CLOCKS, Some(move || Instant::now() > deadline));
    }

    pub(crate) fn ping(&self) -> Result<(), QueryError> {
        self.connection
            .query_row("SELECT 1 FROM events LIMIT 1", [], |_| Ok(()))
            .optional()
            .map_err(QueryError::Sqlite)?;
        Ok(())
    }

    pub(crate) fn list(
        &self,
        filter: &EventFilter,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Event>, QueryError> {
        let (conditions, mut values) = conditions(filter, before);
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        let sql = format!("SELECT {COLUMNS} FROM events WHERE {conditions} ORDER BY id DESC LIMIT ?");
        let mut statement = self.connection.prepare_cached(&sql).map_err(QueryError::Sqlite)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(QueryError::Sqlite)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(QueryError::Sqlite)? {
            events.push(self.read_event(row)?);
        }
        Ok(events)
    }

    pub(crate) fn event(&self, id: EventId) -> Result<Option<Event>, QueryError> {
        let sql = format!("SELECT {COLUMNS} FROM events WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql).map_err(QueryError::Sqlite)?;
        let mut rows = statement.query([id.as_bytes()]).map_err(QueryError::Sqlite)?;
        rows.next().map_err(QueryError::Sqlite)?.map(|row| self.read_event(row)).transpose()
    }

    pub(crate) fn raw(&self, id: EventId) -> Result<Option<RawEvent>, QueryError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT headers, body FROM events WHERE id = ?1")
            .map_err(QueryError::Sqlite)?;
        let row: Option<(String, Vec<u8>)> = statement
            .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(QueryError::Sqlite)?;
        row.map(|(headers, body)| {
            let headers: std::collections::BTreeMap<String, String> = serde_json::from_str(&headers)
                .map_err(|_| QueryError::Damaged { id: id.to_string(), what: "headers" })?;
            Ok(RawEvent { body: body.into(), headers: headers.into_iter().collect() })
        })
        .transpose()
    }

    fn read_event(&self, row: &Row<'_>) -> Result<Event, QueryError> {
        let columns = Columns::read(row).map_err(QueryError::Sqlite)?;
        let deliveries = self.deliveries(columns.seq)?;
        let id = columns.id;
        columns.into_event(deliveries).map_err(|what| QueryError::Damaged { id: id.to_string(), what })
    }

    fn deliveries(&self, event_seq: i64) -> Result<Vec<PlannedDelivery>, QueryError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT destination, due_at FROM deliveries WHERE event_seq = ?1")
            .map_err(QueryError::Sqlite)?;
        let rows = statement.query_map([event_seq], |row| Ok((row.get(0)?, row.get(1)?)));
        let mut deliveries = Vec::new();
        for row in rows.map_err(QueryError::Sqlite)? {
            let (destination, due_us) = row.map_err(QueryError::Sqlite)?;
            let due_at = Timestamp::from_microsecond(due_us).unwrap_or(Timestamp::MIN);
            deliveries.push(PlannedDelivery { destination, due_at });
        }
        Ok(deliveries)
    }
}

/// The `WHERE` clause of a filter, and its values in order.
fn conditions(filter: &EventFilter, before: Option<EventId>) -> (String, Vec<Value>) {
    let mut conditions = vec!["TRUE"];
    let mut values = Vec::new();
    let mut add = |condition, value| {
        conditions.push(condition);
        values.push(value);
    };
    if let Some(id) = before {
        add("id < ?", Value::Blob(id.as_bytes().to_vec()));
    }
    if let Some(source) = &filter.source {
        add("source = ?", Value::Text(source.clone()));
    }
    if let Some(event_type) = &filter.event_type {
        add("type = ?", Value::Text(event_type.clone()));
    }
    match filter.status {
        // Written out, since SQLite uses the partial index for a literal only.
        Some(Status::Quarantined) => add("status = 'quarantined' AND TRUE = ?", Value::Integer(1)),
        Some(Status::Accepted) => add("status = ?", Value::Text("accepted".into())),
        None => {}
    }
    // Ids carry milliseconds, so they narrow the range by the index and the column does the rest.
    if let Some(since) = filter.since {
        add("id >= ?", Value::Blob(EventId::floor(since).as_bytes().to_vec()));
        add("received_at >= ?", Value::Integer(since.as_microsecond()));
    }
    if let Some(until) = filter.until {
        add("received_at < ?", Value::Integer(until.as_microsecond()));
        if let Ok(next_ms) = Timestamp::from_millisecond(until.as_millisecond() + 1) {
            add("id < ?", Value::Blob(EventId::floor(next_ms).as_bytes().to_vec()));
        }
    }
    if let Some(text) = &filter.text {
        add(
            "instr(coalesce(type, '') || char(10) || coalesce(external_id, '') || char(10) || coalesce(record, ''), ?) > 0",
            Value::Text(text.clone()),
        );
    }
    (conditions.join(" AND "), values)
}

/// A row as it stands in the table.
struct Columns {
    seq: i64,
    id: EventId,
    source: String,
    event_type: Option<String>,
    external_id: Option<String>,
    status: String,
    received_us: i64,
    traceparent: String,
    record: Option<String>,
    reasons: Option<String>,
}

impl Columns {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: EventId::from_bytes(row.get(1)?),
            source: row.get(2)?,
            event_type: row.get(3)?,
            external_id: row.get(4)?,
            status: row.get(5)?,
            received_us: row.get(6)?,
            traceparent: row.get(7)?,
            record: row.get(8)?,
            reasons: row.get(9)?,
        })
    }

    fn into_event(self, deliveries: Vec<PlannedDelivery>) -> Result<Event, &'static str> {
        let verdict = match Status::parse(&self.status).ok_or("status")? {
            Status::Accepted => Verdict::Accepted { record: self.record },
            Status::Quarantined => Verdict::Quarantined { reasons: read_reasons(self.reasons.as_deref())? },
        };
        Ok(Event {
            id: self.id,
            source: SourceName::new(&self.source).ok_or("source")?,
            event_type: self.event_type,
            external_id: self.external_id,
            received_at: Timestamp::from_microsecond(self.received_us).map_err(|_| "received_at")?,
            verdict,
            deliveries,
            trace_id: self.traceparent.get(3..35).ok_or("traceparent")?.to_owned(),
        })
    }
}

fn read_reasons(text: Option<&str>) -> Result<Vec<Reason>, &'static str> {
    let rows: Vec<ReasonRow> = serde_json::from_str(text.ok_or("reasons")?).map_err(|_| "reasons")?;
    Ok(rows.into_iter().map(Reason::from).collect())
}
