//! Around every request: its id, its trace, its measurement.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use tidegate_core::trace::TraceContext;

use crate::clock;
use crate::http::problem::Problem;
use crate::metrics::{Listener, Metrics};

/// The longest `x-request-id` that is taken over from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// What belongs to one request.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// The caller's id if it is well-formed, else a new one.
    pub(crate) request_id: String,
    /// This request's span within the caller's trace, or a trace of its own.
    pub(crate) trace: TraceContext,
}

impl RequestContext {
    fn new(headers: &HeaderMap) -> Self {
        let request_id = headers
            .get("x-request-id")
            .and_then(|value| value.to_str().ok())
            .filter(|id| is_well_formed(id))
            .map_or_else(|| hex_id(clock::random()), String::from);
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let span_id = clock::random();
        let trace = text("traceparent")
            .and_then(|parent| TraceContext::parse(parent, text("tracestate")))
            .map_or_else(|| TraceContext::new(clock::random(), span_id), |caller| caller.child(span_id));
        Self { request_id, trace }
    }
}

fn is_well_formed(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(&b);
    !id.is_empty() && id.len() <= MAX_REQUEST_ID_BYTES && id.bytes().all(plain)
}

fn hex_id(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The error of an answer, left on it for the log and the metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorType(pub(crate) &'static str);

impl RequestContext {
    /// The answer for `problem`, marked with its `error.type`.
    pub(crate) fn refuse(&self, problem: &Problem) -> Response {
        let mut response = problem.response(&self.request_id);
        response.extensions_mut().insert(ErrorType(problem.error_type()));
        response
    }
}

/// Which listener a middleware stands on, and where it counts.
#[derive(Clone)]
pub(crate) struct Observed {
    pub(crate) metrics: Metrics,
    pub(crate) listener: Listener,
    pub(crate) max_header_bytes: usize,
}

/// The bytes of the target and the header fields. hyper bounds its buffer, but it may read one
/// piece past the bound before it looks.
fn header_bytes(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    target + fields.sum::<usize>()
}

/// Gives every request its [`RequestContext`] and every answer its headers, and measures it.
pub(crate) async fn observe(State(observed): State<Observed>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = RequestContext::new(request.headers());
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    request.extensions_mut().insert(context.clone());
    let active = observed.metrics.request_started(observed.listener);
    let mut response = if header_bytes(&request) > observed.max_header_bytes {
        context.refuse(&Problem::HeadersTooLarge { max_bytes: observed.max_header_bytes })
    } else {
        next.run(request).await
    };
    drop(active);
    let elapsed = started.elapsed();
    let error_type = response.extensions().get::<ErrorType>().map(|error| error.0);
    observed.metrics.request_ended(&method, &route, response.status(), error_type, elapsed);
    tracing::debug!(
        request_id = context.request_id,
        trace_id = context.trace.trace_id(),
        span_id = context.trace.span_id(),
        http.request.method = method.as_str(),
        http.route = route,
        http.response.status_code = response.status().as_u16(),
        error.type = error_type,
        duration_s = elapsed.as_secs_f64(),
        "request answered"
    );
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(&context.request_id) {
        headers.insert("x-request-id", value);
    }
    if let Ok(value) = HeaderValue::try_from(context.trace.to_string()) {
        headers.insert("traceparent", value);
    }
    response
}
