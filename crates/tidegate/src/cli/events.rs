//! `tidegate events`: what is in the store, for people and for programs.

use clap::{Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use tidegate_core::event::{Event, EventFilter, EventId, Status, Verdict};
use tidegate_store::{QueryError, Reader};

use super::configuration::{self, ConfigFile};
use super::failure::Failure;
use super::table::Table;
use super::terminal;
use crate::clock;
use crate::query::{EventDocument, microseconds, parse_time};

/// Events that are fetched at once while exporting.
const PAGE_EVENTS: usize = 500;

/// List, show and export what was committed.
#[derive(clap::Args)]
pub(super) struct Events {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// The newest events, as a table.
    #[command(
        after_help = "Example:\n  tidegate events list --source stripe --status quarantined --since 2h"
    )]
    List {
        #[command(flatten)]
        store: StoreOptions,
        #[command(flatten)]
        filter: FilterOptions,
        /// How many.
        #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// How to print them.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// One event with its record and reasons, or its raw body.
    #[command(after_help = "Example:\n  tidegate events show 0199a1b2-... --raw > body.json")]
    Show {
        #[command(flatten)]
        store: StoreOptions,
        /// The event's id.
        id: String,
        /// Print the body exactly as it was verified.
        #[arg(long)]
        raw: bool,
    },
    /// All events that match, newest first.
    #[command(
        after_help = "Example:\n  tidegate events export --since 2026-01-01T00:00:00Z --format csv > events.csv"
    )]
    Export {
        #[command(flatten)]
        store: StoreOptions,
        #[command(flatten)]
        filter: FilterOptions,
        /// How to print them.
        #[arg(long, value_enum, default_value_t = Format::Ndjson)]
        format: Format,
    },
}

#[derive(clap::Args)]
struct StoreOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// The store, instead of the one that the configuration names.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

#[derive(clap::Args)]
struct FilterOptions {
    /// Only this source.
    #[arg(long)]
    source: Option<String>,
    /// Only this type, such as charge.refunded.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only accepted or quarantined events.
    #[arg(long, value_parser = parse_status)]
    status: Option<Status>,
    /// Only events since this RFC 3339 time, or this long ago: 90s, 15m, 2h, 7d.
    #[arg(long, value_parser = parse_moment)]
    since: Option<Timestamp>,
    /// Only events before this time.
    #[arg(long, value_parser = parse_moment)]
    until: Option<Timestamp>,
    /// Only events whose type, external id or record contains this text.
    #[arg(long = "q", value_name = "TEXT")]
    text: Option<String>,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns.
    Table,
    /// One JSON array.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

fn parse_status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| "write accepted or quarantined".into())
}

fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let count: i64 = number.parse().ok()?;
        let unit_s = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        clock::now().checked_sub(SignedDuration::from_secs(count.checked_mul(unit_s)?)).ok()
    };
    parse_time(text).or_else(ago).ok_or_else(|| "write an RFC 3339 time, or 90s, 15m, 2h, 7d".into())
}

impl FilterOptions {
    fn into_filter(self) -> EventFilter {
        let Self { source, event_type, status, since, until, text } = self;
        EventFilter { source, event_type, status, since, until, text }
    }
}

impl StoreOptions {
    fn open(&self) -> Result<Reader, Failure> {
        let (options, base) = configuration::store_options(&self.config, self.store.as_deref())?;
        Reader::open(&options, &base).map_err(|error| {
            Failure::failed("cannot read the store", &error).hint(
                "-c names the server's configuration file, --store its store, such as sqlite://tidegate.db",
            )
        })
    }
}

impl Events {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::internal("cannot start the runtime", &error))?;
        match self.verb {
            Verb::List { store, filter, limit, format } => {
                let reader = store.open()?;
                runtime.block_on(write_events(&reader, &filter.into_filter(), Some(limit as usize), format))
            }
            Verb::Export { store, filter, format } => {
                let reader = store.open()?;
                runtime.block_on(write_events(&reader, &filter.into_filter(), None, format))
            }
            Verb::Show { store, id, raw } => {
                let reader = store.open()?;
                let id = EventId::parse(&id)
                    .ok_or_else(|| Failure::usage(format!("`{id}` is not an event id (a UUID)")))?;
                runtime.block_on(show(&reader, id, raw))
            }
        }
    }
}

fn query_failed(error: &QueryError) -> Failure {
    Failure::failed("the store did not answer", error)
}

async fn show(reader: &Reader, id: EventId, raw: bool) -> Result<(), Failure> {
    let missing = || Failure::work(format!("there is no event {id}"));
    if raw {
        let found = reader.raw(id).await.map_err(|error| query_failed(&error))?.ok_or_else(missing)?;
        return terminal::print(&found.body);
    }
    let event = reader.event(id).await.map_err(|error| query_failed(&error))?.ok_or_else(missing)?;
    let text = serde_json::to_string_pretty(&EventDocument::from(&event))
        .map_err(|error| Failure::internal("cannot write the event as JSON", &error))?;
    terminal::print(format!("{text}\n"))
}

/// Writes up to `limit` events page by page, so that an export needs no more memory than a page.
async fn write_events(
    reader: &Reader,
    filter: &EventFilter,
    limit: Option<usize>,
    format: Format,
) -> Result<(), Failure> {
    let mut rows = Rows::begin(format)?;
    let mut left = limit.unwrap_or(usize::MAX);
    let mut before = None;
    while left > 0 {
        let wanted = left.min(PAGE_EVENTS);
        let page = reader.list(filter.clone(), before, wanted).await.map_err(|error| query_failed(&error))?;
        for event in &page {
            rows.write(event)?;
        }
        left -= page.len();
        before = page.last().map(|event| event.id);
        if page.len() < wanted {
            break;
        }
    }
    rows.end()
}

/// Rows on their way to standard output.
struct Rows {
    format: Format,
    table: Table,
    count: usize,
}

impl Rows {
    fn begin(format: Format) -> Result<Self, Failure> {
        let table = Table::new(&["ID", "RECEIVED AT", "SOURCE", "TYPE", "EXTERNAL ID", "STATUS", "WHY"]);
        let head = match format {
            Format::Table | Format::Ndjson => "",
            Format::Json => "[",
            Format::Csv => "id,received_at,source,type,external_id,status,trace_id,record,errors\r\n",
        };
        terminal::print(head)?;
        Ok(Self { format, table, count: 0 })
    }

    fn write(&mut self, event: &Event) -> Result<(), Failure> {
        self.count += 1;
        let text = match self.format {
            Format::Table => {
                self.table.row(table_row(event));
                return Ok(());
            }
            Format::Json => format!("{}\n{}", if self.count == 1 { "" } else { "," }, document(event)?),
            Format::Ndjson => document(event)? + "\n",
            Format::Csv => csv_row(event)?,
        };
        terminal::print(text)
    }

    fn end(self) -> Result<(), Failure> {
        match self.format {
            Format::Table if self.count == 0 => {
                terminal::say("no events");
                Ok(())
            }
            Format::Table => terminal::print(self.table.render()),
            Format::Json => terminal::print("\n]\n"),
            Format::Ndjson | Format::Csv => Ok(()),
        }
    }
}

fn document(event: &Event) -> Result<String, Failure> {
    serde_json::to_string(&EventDocument::from(event))
        .map_err(|error| Failure::internal("cannot write the event as JSON", &error))
}

fn table_row(event: &Event) -> Vec<String> {
    let why = match &event.verdict {
        Verdict::Accepted { .. } => String::new(),
        Verdict::Quarantined { reasons } => why(reasons),
    };
    let optional = |text: &Option<String>| terminal::harmless(text.as_deref().unwrap_or("-"));
    vec![
        event.id.to_string(),
        microseconds(event.received_at),
        event.source.to_string(),
        optional(&event.event_type),
        optional(&event.external_id),
        event.verdict.status().as_str().to_owned(),
        why,
    ]
}

/// The first reason, and how many more there are.
fn why(reasons: &[tidegate_core::event::Reason]) -> String {
    let Some(first) = reasons.first() else { return String::new() };
    let more = if reasons.len() > 1 { format!(" (+{} more)", reasons.len() - 1) } else { String::new() };
    terminal::harmless(format!("{} {}{more}", first.pointer, first.message).trim())
}

fn csv_row(event: &Event) -> Result<String, Failure> {
    let (record, reasons) = match &event.verdict {
        Verdict::Accepted { record } => (record.clone().unwrap_or_default(), String::new()),
        Verdict::Quarantined { reasons } => (
            String::new(),
            reasons.iter().map(|r| format!("{} {}", r.pointer, r.message)).collect::<Vec<_>>().join("; "),
        ),
    };
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let row = [
        event.id.to_string(),
        microseconds(event.received_at),
        event.source.to_string(),
        optional(&event.event_type),
        optional(&event.external_id),
        event.verdict.status().as_str().to_owned(),
        event.trace_id.clone(),
        record,
        reasons,
    ];
    let failed = |error: &dyn std::error::Error| Failure::internal("cannot write the event as CSV", error);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(row).map_err(|error| failed(&error))?;
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}
