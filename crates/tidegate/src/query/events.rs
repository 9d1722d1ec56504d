//! `/v1/events`: lists with filters and stable cursors, one event, its raw bytes.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_core::event::{Event, EventFilter, EventId, RawEvent, Status, Verdict};
use tidegate_store::QueryError;

use super::Admin;
use crate::http::context::RequestContext;
use crate::http::problem::{Problem, ReasonDocument};

/// Events on one page unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 50;
/// The most events on one page.
const MAX_LIMIT: usize = 1_000;

/// An event as the API, the command line and exports show it.
#[derive(Serialize)]
pub(crate) struct EventDocument<'a> {
    id: String,
    source: &'a str,
    r#type: Option<&'a str>,
    external_id: Option<&'a str>,
    status: &'static str,
    received_at: String,
    record: Option<&'a RawValue>,
    errors: Vec<ReasonDocument<'a>>,
    deliveries: Vec<DeliveryDocument<'a>>,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct DeliveryDocument<'a> {
    destination: &'a str,
    due_at: String,
}

impl<'a> From<&'a Event> for EventDocument<'a> {
    fn from(event: &'a Event) -> Self {
        let (record, errors) = match &event.verdict {
            Verdict::Accepted { record } => {
                (record.as_deref().and_then(|text| serde_json::from_str(text).ok()), Vec::new())
            }
            Verdict::Quarantined { reasons } => (None, reasons.iter().map(ReasonDocument::from).collect()),
        };
        let delivery = |planned: &'a tidegate_core::event::PlannedDelivery| DeliveryDocument {
            destination: &planned.destination,
            due_at: microseconds(planned.due_at),
        };
        Self {
            id: event.id.to_string(),
            source: event.source.as_str(),
            r#type: event.event_type.as_deref(),
            external_id: event.external_id.as_deref(),
            status: event.verdict.status().as_str(),
            received_at: microseconds(event.received_at),
            record,
            errors,
            deliveries: event.deliveries.iter().map(delivery).collect(),
            trace_id: &event.trace_id,
        }
    }
}

/// RFC 3339 in UTC with exactly six digits of a second, so that texts sort as times do.
pub(crate) fn microseconds(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// `GET /v1/events`.
pub(super) async fn list(
    State(admin): State<Admin>,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Response {
    match find(&admin, &context, query.as_deref().unwrap_or_default()).await {
        Ok(page) => json(&page),
        Err(problem) => context.refuse(&problem),
    }
}

/// One page of a list.
#[derive(Serialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

async fn find(admin: &Admin, context: &RequestContext, query: &str) -> Result<Page, Problem> {
    let ListQuery { filter, cursor, limit } = ListQuery::parse(query)?;
    // One more than asked for tells whether there is a next page.
    let mut events = admin
        .store
        .reader()
        .list(filter, cursor, limit + 1)
        .await
        .map_err(|error| query_problem(context, &error))?;
    let more = events.len() > limit;
    events.truncate(limit);
    let next_cursor = events.last().filter(|_| more).map(|event| event.id.to_string());
    let document = |event: &Event| serde_json::value::to_raw_value(&EventDocument::from(event));
    let data = events.iter().map(document).collect::<Result<_, _>>().map_err(|_| Problem::Internal)?;
    Ok(Page { data, next_cursor })
}

/// The id in a path, if it is one.
type IdInPath = Result<Path<String>, PathRejection>;

/// `GET /v1/events/{id}`.
pub(super) async fn show(
    State(admin): State<Admin>,
    Extension(context): Extension<RequestContext>,
    id: IdInPath,
) -> Response {
    let found = find_by_id(&context, id, async |id| admin.store.reader().event(id).await).await;
    match found {
        Ok(event) => json(&EventDocument::from(&event)),
        Err(problem) => context.refuse(&problem),
    }
}

/// `GET /v1/events/{id}/raw`: the body exactly as it was verified.
pub(super) async fn raw(
    State(admin): State<Admin>,
    Extension(context): Extension<RequestContext>,
    id: IdInPath,
) -> Response {
    let found = find_by_id(&context, id, async |id| admin.store.reader().raw(id).await).await;
    match found {
        Ok(raw) => raw_response(raw),
        Err(problem) => context.refuse(&problem),
    }
}

/// Asks for the event with the id in the path; that there is none is a problem as any other.
async fn find_by_id<T>(
    context: &RequestContext,
    id: IdInPath,
    ask: impl AsyncFnOnce(EventId) -> Result<Option<T>, QueryError>,
) -> Result<T, Problem> {
    let id = parse_id(&id.map(|Path(id)| id).unwrap_or_default())?;
    let found = ask(id).await.map_err(|error| query_problem(context, &error))?;
    found.ok_or_else(|| Problem::NotFound { detail: format!("There is no event {id}.") })
}

fn raw_response(raw: RawEvent) -> Response {
    let mut response = raw.body.into_response();
    let headers = response.headers_mut();
    // Bytes from outside are handed out as bytes: a browser must neither show nor sniff them.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let original = raw.headers.iter().find(|(name, _)| name == "content-type");
    if let Some(value) = original.and_then(|(_, value)| HeaderValue::try_from(value).ok()) {
        headers.insert(HeaderName::from_static("x-original-content-type"), value);
    }
    response
}

fn parse_id(text: &str) -> Result<EventId, Problem> {
    EventId::parse(text)
        .ok_or_else(|| Problem::BadParameter { detail: format!("`{text}` is not an event id (a UUID).") })
}

fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => Problem::Internal.response(""),
    }
}

fn query_problem(context: &RequestContext, error: &QueryError) -> Problem {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    tracing::error!(
        request_id = context.request_id,
        error.type = "store_unavailable",
        "query failed: {error}{cause}"
    );
    match error {
        QueryError::TimedOut { .. } => Problem::QueryTimedOut { detail: format!("{error}.") },
        QueryError::Sqlite(_) | QueryError::Stopped => {
            Problem::Unavailable { detail: "The store cannot be read." }
        }
        QueryError::Damaged { .. } => Problem::Internal,
    }
}

/// What a list's query string asks for.
#[derive(Debug, PartialEq)]
struct ListQuery {
    filter: EventFilter,
    cursor: Option<EventId>,
    limit: usize,
}

impl ListQuery {
    fn parse(query: &str) -> Result<Self, Problem> {
        let mut parsed = Self { filter: EventFilter::default(), cursor: None, limit: DEFAULT_LIMIT };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !value.is_empty() {
                parsed.set(&name, &value).map_err(|detail| Problem::BadParameter { detail })?;
            }
        }
        Ok(parsed)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let time = || parse_time(value).ok_or(format!("`{name}` must be an RFC 3339 time, not `{value}`."));
        match name {
            "source" => self.filter.source = Some(value.to_owned()),
            "type" => self.filter.event_type = Some(value.to_owned()),
            "q" => self.filter.text = Some(value.to_owned()),
            "since" => self.filter.since = Some(time()?),
            "until" => self.filter.until = Some(time()?),
            "status" => {
                let expected = format!("`status` must be accepted or quarantined, not `{value}`.");
                self.filter.status = Some(Status::parse(value).ok_or(expected)?);
            }
            "cursor" => {
                let expected = "`cursor` must be the next_cursor of an earlier page.".to_owned();
                self.cursor = Some(EventId::parse(value).ok_or(expected)?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                self.limit =
                    limit.ok_or(format!("`limit` must be a number from 1 to {MAX_LIMIT}, not `{value}`."))?;
            }
            other => {
                let known = ["source", "type", "status", "since", "until", "q", "limit", "cursor"];
                let hint = tide::suggest(other, known).map_or_else(
                    || format!("known are {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(format!("There is no parameter `{other}`; {hint}."));
            }
        }
        Ok(())
    }
}

/// Reads an RFC 3339 time with its offset.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    // A `+` of an offset arrives as a blank when the caller forgot to encode it.
    text.replace(' ', "+").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_narrows_the_list() {
        let query = "source=a&type=t&status=accepted&since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00%2B01:00&q=x&limit=7&cursor=0192f0c1-2d3e-7abc-8def-0123456789ab";
        let parsed = ListQuery::parse(query).unwrap();
        assert_eq!(parsed.filter.source.as_deref(), Some("a"));
        assert_eq!(parsed.filter.event_type.as_deref(), Some("t"));
        assert_eq!(parsed.filter.status, Some(Status::Accepted));
        assert_eq!(parsed.filter.text.as_deref(), Some("x"));
        assert_eq!(parsed.filter.until.unwrap().to_string(), "2026-01-01T23:00:00Z");
        assert_eq!(parsed.limit, 7);
        assert!(parsed.cursor.is_some());
    }

    #[test]
    fn what_is_not_understood_is_refused_and_named() {
        for (query, named) in [
            ("limit=0", "limit"),
            ("limit=1001", "1000"),
            ("since=yesterday", "since"),
            ("status=ok", "accepted"),
            ("cursor=1", "next_cursor"),
            ("sorce=a", "source"),
        ] {
            let Err(Problem::BadParameter { detail }) = ListQuery::parse(query) else { panic!("{query}") };
            assert!(detail.contains(named), "{query}: {detail}");
        }
    }

    #[test]
    fn times_have_six_digits() {
        assert_eq!(microseconds(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
