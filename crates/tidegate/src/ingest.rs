//! The walk of a webhook: read, prove, check, transform, commit, answer.
//!
//! The order is the guarantee. Nothing of a body is looked at before its size is known to be
//! within the limit; nothing is believed before the signature held; nothing is answered with 2xx
//! before the store has it. [`receive`] reads like that sentence.

mod source;

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use tidegate_core::config::OnInvalid;
use tidegate_core::event::{Appended, EventId, NewEvent, Reason, Status, Verdict};
use tidegate_core::verify::{Identity, Incoming, Refusal};
use tidegate_store::{AppendError, Store};

use crate::clock;
use crate::http::body::{self, BodyLimits, Budget};
use crate::http::context::RequestContext;
use crate::http::problem::Problem;
use crate::metrics::Metrics;

pub(crate) use source::SourceRuntime;

/// What the handlers of the public listener share.
#[derive(Clone)]
pub(crate) struct Ingest {
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Metrics,
    pub(crate) bodies: Budget,
    pub(crate) source: Arc<SourceRuntime>,
}

/// Handles `POST` on the path of one source.
pub(crate) async fn receive(
    State(ingest): State<Ingest>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match ingest.walk(&context, &parts.headers, body).await {
        Ok(answer) => answer.into_response(),
        Err(problem) => {
            ingest.not_accepted(&context, &problem);
            context.refuse(&problem)
        }
    }
}

impl Ingest {
    async fn walk(
        &self,
        context: &RequestContext,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Answer, Problem> {
        let source = &self.source;
        let limits = BodyLimits {
            max_bytes: source.max_body_bytes,
            timeout: source.body_timeout,
            budget: &self.bodies,
        };
        let received = body::read(headers, body, &limits).await?;
        let received_at = clock::now();
        let incoming = Incoming { headers, body: &received.bytes };
        source.verifier.verify(&incoming, received_at).map_err(|refusal| self.refused(context, &refusal))?;
        // Only the source itself can use up its rate; a stranger's request ended above.
        source.admit()?;
        if let Some(challenge) = source.verifier.challenge(&incoming) {
            return Ok(Answer::Challenge(challenge.text));
        }
        let identity = source.identify(&incoming);
        let judged = self.judge(&incoming, &identity);
        let event = NewEvent {
            id: EventId::new(received_at, clock::random()),
            source: source.source_name().clone(),
            event_type: identity.event_type,
            external_id: identity.external_id,
            received_at,
            body: received.bytes.clone(),
            headers: source.kept_headers(headers),
            verdict: judged.verdict.clone(),
            trace: context.trace.clone(),
            deliveries: Vec::new(),
        };
        let appended = self.append(context, event).await?;
        self.answer(context, appended, judged)
    }

    fn not_accepted(&self, context: &RequestContext, problem: &Problem) {
        self.metrics.refused(self.source.name(), problem.error_type());
        if matches!(problem, Problem::Unauthorized { .. }) {
            return; // Its line, with the reason, was written when the signature was refused.
        }
        tracing::info!(
            request_id = context.request_id,
            trace_id = context.trace.trace_id(),
            source = self.source.name(),
            error.type = problem.error_type(),
            "not accepted"
        );
    }

    /// The log learns why; the caller does not.
    fn refused(&self, context: &RequestContext, refusal: &Refusal) -> Problem {
        tracing::info!(
            request_id = context.request_id,
            source = self.source.name(),
            error.type = refusal.error_type(),
            "signature refused: {refusal}"
        );
        Problem::Unauthorized { error_type: refusal.error_type() }
    }

    fn judge(&self, incoming: &Incoming<'_>, identity: &Identity) -> Judged {
        let started = Instant::now();
        let judged = self.source.judge(incoming, identity);
        self.metrics.rules_ran(self.source.name(), started.elapsed());
        judged
    }

    /// Commits on a task of its own: a sender that goes away in the meantime cancels its request, but
    /// the event may be committed all the same and must then be counted.
    async fn append(&self, context: &RequestContext, event: NewEvent) -> Result<Appended, Problem> {
        let (store, metrics, source) =
            (Arc::clone(&self.store), self.metrics.clone(), Arc::clone(&self.source));
        let committing = tokio::spawn(async move {
            let status = event.verdict.status();
            let appended = store.append(event).await?;
            match appended {
                Appended::Stored(_) => metrics.event_stored(source.name(), status.as_str()),
                Appended::AlreadyQuarantined(_) => {}
                Appended::Duplicate { .. } => metrics.duplicate(source.name(), false),
                Appended::Conflict { .. } => metrics.duplicate(source.name(), true),
            }
            Ok(appended)
        });
        let outcome = committing.await.unwrap_or(Err(AppendError::Closing));
        outcome.map_err(|error| {
            tracing::warn!(
                request_id = context.request_id,
                source = self.source.name(),
                error.type = "store_unavailable",
                "not committed: {error}"
            );
            Problem::Unavailable { detail: unavailable(&error) }
        })
    }

    fn answer(
        &self,
        context: &RequestContext,
        appended: Appended,
        judged: Judged,
    ) -> Result<Answer, Problem> {
        let (id, status) = match appended {
            Appended::Duplicate { first } | Appended::Conflict { first } => (first, "duplicate"),
            Appended::Stored(id) | Appended::AlreadyQuarantined(id) => (id, judged.verdict.status().as_str()),
        };
        tracing::debug!(
            request_id = context.request_id,
            trace_id = context.trace.trace_id(),
            source = self.source.name(),
            event_id = %id,
            status,
            "committed"
        );
        let quarantined = status == Status::Quarantined.as_str();
        match judged.verdict {
            Verdict::Quarantined { reasons } if quarantined && judged.malformed => {
                let why = reasons.first().map(|reason| reason.message.as_str()).unwrap_or_default();
                let detail = format!("This source takes JSON: {why}. The body is kept in quarantine.");
                Err(Problem::NotJson { id: id.to_string(), detail })
            }
            Verdict::Quarantined { reasons }
                if quarantined && self.source.on_invalid == OnInvalid::Reject =>
            {
                Err(Problem::Invalid { id: id.to_string(), reasons })
            }
            Verdict::Quarantined { .. } | Verdict::Accepted { .. } => Ok(Answer::Kept { id, status }),
        }
    }
}

/// A verdict, and whether it is that the body is no JSON at all.
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) malformed: bool,
}

impl Judged {
    pub(crate) fn accepted(record: Option<String>) -> Self {
        Self { verdict: Verdict::Accepted { record }, malformed: false }
    }

    pub(crate) fn quarantined(reasons: Vec<Reason>) -> Self {
        Self { verdict: Verdict::Quarantined { reasons }, malformed: false }
    }

    pub(crate) fn malformed(reason: Reason) -> Self {
        Self { verdict: Verdict::Quarantined { reasons: vec![reason] }, malformed: true }
    }
}

fn unavailable(error: &AppendError) -> &'static str {
    match error {
        AppendError::QueueFull { .. } => "Too many events wait for their commit.",
        AppendError::Unavailable(_) => "The store cannot commit.",
        AppendError::Closing => "The server is shutting down.",
    }
}

/// A 200.
enum Answer {
    /// The event is in the store.
    Kept { id: EventId, status: &'static str },
    /// A provider asked whether the path is ours.
    Challenge(String),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let body = match self {
            Self::Kept { id, status } => format!(r#"{{"id":"{id}","status":"{status}"}}"#),
            Self::Challenge(text) => serde_json::json!({ "challenge": text }).to_string(),
        };
        let mut response = (StatusCode::OK, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
