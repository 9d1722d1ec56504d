//! Every error that a caller can see, and the one mapping from errors to status codes.
//!
//! Answers follow RFC 9457. What a caller reads says what the caller can do; the cause stands in
//! the log under the same request id. A refused signature never says which part of it was wrong.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use tidegate_core::event::Reason;

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Problem {
    /// The signature is missing, wrong or stale; which, only the log and the metrics learn.
    Unauthorized { error_type: &'static str },
    /// The admin token is missing or wrong.
    AdminTokenRequired,
    /// The admin listener has no token and the request names another host than this machine.
    HostNotLocal,
    /// The body is not JSON although the source declares it; it is in quarantine under this id.
    NotJson { id: String, detail: String },
    /// A query parameter cannot be used.
    BadParameter { detail: String },
    /// Nothing is here.
    NotFound { detail: String },
    /// Something is here, for another method.
    MethodNotAllowed { allowed: &'static str },
    /// The request line and the header fields are larger than allowed.
    HeadersTooLarge { max_bytes: usize },
    /// The body did not arrive in time.
    BodyTimeout { timeout: Duration },
    /// The body broke off, or is not framed as it says.
    BodyBroken,
    /// The body is larger than the source allows.
    BodyTooLarge { max_bytes: usize },
    /// The body is compressed in a way that is not understood.
    UnsupportedEncoding,
    /// The body's compression is damaged.
    BadEncoding,
    /// The event is against the rules.
    Invalid { id: String, reasons: Vec<Reason> },
    /// The source sends too much.
    RateLimited { retry_after: Duration },
    /// The event cannot be committed now.
    Unavailable { detail: &'static str },
    /// The question took too long.
    QueryTimedOut { detail: String },
    /// A fault of ours; the log has the cause.
    Internal,
}

/// The body of an error answer: RFC 9457 with the members `request_id`, `id` and `errors`.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ReasonDocument<'a>>,
}

/// One entry of `errors`.
#[derive(Serialize)]
pub(crate) struct ReasonDocument<'a> {
    pointer: &'a str,
    message: &'a str,
    code: &'a str,
}

impl<'a> From<&'a Reason> for ReasonDocument<'a> {
    fn from(reason: &'a Reason) -> Self {
        Self { pointer: &reason.pointer, message: &reason.message, code: &reason.code }
    }
}

/// How long a sender should wait when the store cannot take its event.
const UNAVAILABLE_RETRY_S: u64 = 1;

impl Problem {
    /// The status code with the name of the problem type and its title.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unauthorized { .. } => (StatusCode::UNAUTHORIZED, "signature-refused", "Signature refused"),
            Self::AdminTokenRequired => (StatusCode::UNAUTHORIZED, "token-required", "Token required"),
            Self::HostNotLocal => (StatusCode::FORBIDDEN, "host-not-local", "Host not local"),
            Self::NotJson { .. } => (StatusCode::BAD_REQUEST, "not-json", "Body is not JSON"),
            Self::BadParameter { .. } => {
                (StatusCode::BAD_REQUEST, "bad-parameter", "Parameter not understood")
            }
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found", "Nothing here"),
            Self::MethodNotAllowed { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::HeadersTooLarge { .. } => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "Header fields too large")
            }
            Self::BodyTimeout { .. } => {
                (StatusCode::REQUEST_TIMEOUT, "body-timeout", "Body did not arrive in time")
            }
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "body-broken", "Body broke off"),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            Self::UnsupportedEncoding => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", "Content encoding not supported")
            }
            Self::BadEncoding => (StatusCode::BAD_REQUEST, "bad-encoding", "Compressed body is damaged"),
            Self::Invalid { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid-event", "Event is against the rules")
            }
            Self::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests"),
            Self::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Cannot commit now"),
            Self::QueryTimedOut { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "query-timed-out", "Query took too long")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    /// What happened and what the caller can do.
    fn detail(&self) -> String {
        match self {
            Self::Unauthorized { .. } => "The request is not signed as this source demands.".into(),
            Self::AdminTokenRequired => "Send the header `authorization: Bearer <admin token>`.".into(),
            Self::HostNotLocal => {
                "Without an admin token this listener answers requests to localhost or a loopback address only.".into()
            }
            Self::NotJson { detail, .. } | Self::BadParameter { detail } | Self::NotFound { detail } => detail.clone(),
            Self::QueryTimedOut { detail } => detail.clone(),
            Self::MethodNotAllowed { allowed } => format!("Use {allowed} here."),
            Self::HeadersTooLarge { max_bytes } => {
                format!("Request line and header fields may have {max_bytes} bytes (max_header_bytes).")
            }
            Self::BodyTimeout { timeout } => {
                format!("The whole body must arrive within {} ms.", timeout.as_millis())
            }
            Self::BodyBroken => "The connection or the framing broke before the end of the body; send it again.".into(),
            Self::BodyTooLarge { max_bytes } => {
                format!("A body may have {max_bytes} bytes after decompression (max_body_bytes).")
            }
            Self::UnsupportedEncoding => "Send the body as it is, or with content-encoding gzip or deflate.".into(),
            Self::BadEncoding => "The body does not decompress by its content-encoding.".into(),
            Self::Invalid { .. } => "The event is kept in quarantine; `errors` lists what is wrong with it.".into(),
            Self::RateLimited { .. } => "This source sends faster than its rate allows; wait as retry-after says.".into(),
            Self::Unavailable { detail } => format!("{detail} Send it again."),
            Self::Internal => "The cause is in the server's log under this request_id.".into(),
        }
    }

    /// The `error.type` of logs and metrics.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::Unauthorized { error_type } => error_type,
            Self::AdminTokenRequired | Self::HostNotLocal => "auth_denied",
            Self::NotJson { .. } => "schema_invalid",
            Self::BodyTimeout { .. } => "timeout",
            Self::BodyTooLarge { .. } | Self::HeadersTooLarge { .. } => "payload_too_large",
            Self::Invalid { .. } => "rule_rejected",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } | Self::QueryTimedOut { .. } => "store_unavailable",
            Self::BadParameter { .. }
            | Self::NotFound { .. }
            | Self::MethodNotAllowed { .. }
            | Self::BodyBroken
            | Self::UnsupportedEncoding
            | Self::BadEncoding
            | Self::Internal => "_OTHER",
        }
    }

    /// The answer, for the request with this id.
    pub(crate) fn response(&self, request_id: &str) -> Response {
        let (status, name, title) = self.kind();
        let (id, errors) = match self {
            Self::Invalid { id, reasons } => {
                (Some(id.as_str()), reasons.iter().map(ReasonDocument::from).collect())
            }
            Self::NotJson { id, .. } => (Some(id.as_str()), Vec::new()),
            _ => (None, Vec::new()),
        };
        let document = Document {
            r#type: format!("urn:tidegate:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail(),
            request_id,
            id,
            errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.add_headers(headers);
        response
    }

    fn add_headers(&self, headers: &mut http::HeaderMap) {
        match self {
            Self::RateLimited { retry_after } => {
                // Rounded up: a caller that waits so long is admitted.
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            }
            Self::Unavailable { .. } | Self::QueryTimedOut { .. } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(UNAVAILABLE_RETRY_S));
            }
            Self::MethodNotAllowed { allowed } => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            Self::AdminTokenRequired => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::BodyTooLarge { .. }
            | Self::HeadersTooLarge { .. }
            | Self::BodyTimeout { .. }
            | Self::UnsupportedEncoding
            | Self::BodyBroken => {
                // The rest of the body is not read, so the connection cannot be used again.
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
    }
}
