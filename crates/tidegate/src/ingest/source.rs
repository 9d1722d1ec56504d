//! One source at work: its verifier, rules and rate.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use sha2::{Digest, Sha256};
use tidegate_core::config::{self, EventIdRule, EventTypeRule, Format, OnInvalid, Server};
use tidegate_core::event::{Reason, SourceName, Verdict};
use tidegate_core::field::FieldPath;
use tidegate_core::rate::Limiter;
use tidegate_core::verify::{Identity, Incoming, Verifier};

use super::Judged;
use crate::http::problem::Problem;

/// Headers worth keeping for every provider.
const KEPT_HEADERS: [&str; 2] = ["content-type", "user-agent"];
/// The longest header value that is kept, in bytes.
const MAX_KEPT_VALUE_BYTES: usize = 512;
/// The longest external id or event type, in bytes.
const MAX_IDENTITY_BYTES: usize = 255;

/// A configured source with its secrets, ready to judge requests.
pub(crate) struct SourceRuntime {
    config: config::Source,
    rule_limits: tide::Limits,
    limiter: Mutex<Limiter>,
    started: Instant,
    type_fields: Vec<FieldPath>,
    pub(super) verifier: Verifier,
    pub(super) max_body_bytes: usize,
    pub(super) body_timeout: Duration,
    pub(super) on_invalid: OnInvalid,
}

impl SourceRuntime {
    pub(crate) fn new(
        config: config::Source,
        verifier: Verifier,
        rule_limits: tide::Limits,
        server: &Server,
    ) -> Self {
        Self {
            max_body_bytes: config.max_body_bytes.unwrap_or(server.max_body_bytes),
            body_timeout: server.body_timeout,
            on_invalid: config.on_invalid,
            limiter: Mutex::default(),
            started: Instant::now(),
            // Where senders without a convention of their own put the type most often.
            type_fields: ["type", "event_type"].into_iter().filter_map(FieldPath::parse).collect(),
            config,
            rule_limits,
            verifier,
        }
    }

    /// The path at which it listens.
    pub(crate) fn path(&self) -> &str {
        &self.config.path
    }

    pub(super) fn name(&self) -> &str {
        self.config.name.as_str()
    }

    pub(super) fn source_name(&self) -> &SourceName {
        &self.config.name
    }

    /// Whether the source's rate admits one more request now.
    pub(super) fn admit(&self) -> Result<(), Problem> {
        let Some(rate) = &self.config.rate else { return Ok(()) };
        let now_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.admit(rate, now_ns).map_err(|retry_after| Problem::RateLimited { retry_after })
    }

    /// What becomes of a body whose signature held. A configured id that is not there would make
    /// retries undetectable, so such an event is refused even where the rules accept it.
    pub(super) fn judge(&self, incoming: &Incoming<'_>, identity: &Identity) -> Judged {
        let judged = self.run_rules(incoming);
        match (&judged.verdict, self.missing_id(incoming, identity)) {
            (Verdict::Accepted { .. }, Some(reason)) => Judged::quarantined(vec![reason]),
            _ => judged,
        }
    }

    /// Runs the rules, or just the JSON reader for a source without any.
    fn run_rules(&self, incoming: &Incoming<'_>) -> Judged {
        match (&self.config.rules, self.config.format) {
            (Some(rules), _) => match rules.program.run(incoming.body, &self.rule_limits) {
                tide::Outcome::Accepted(record) => Judged::accepted(Some(record)),
                tide::Outcome::Rejected(rejects) => {
                    Judged::quarantined(rejects.into_iter().map(reason).collect())
                }
                tide::Outcome::NotJson(reject) => Judged::malformed(reason(reject)),
            },
            (None, Format::Json) => match tide::is_valid_json(incoming.body, self.rule_limits.max_depth) {
                Ok(()) => Judged::accepted(None),
                Err(reject) => Judged::malformed(reason(reject)),
            },
            (None, Format::Raw) => Judged::accepted(None),
        }
    }

    fn missing_id(&self, incoming: &Incoming<'_>, identity: &Identity) -> Option<Reason> {
        if identity.external_id.is_some() {
            return None;
        }
        let (pointer, message) = match &self.config.event_id {
            EventIdRule::Fields(fields) => {
                let missing = fields.iter().find(|field| field.read(incoming.body).is_none())?;
                let message =
                    "the event's id (event_id of the source) is missing or not a text or an integer";
                (missing.pointer(), message.to_owned())
            }
            EventIdRule::Header(name) => {
                (String::new(), format!("the header {name} (event_id of the source) is missing"))
            }
            EventIdRule::Provider | EventIdRule::BodyHash | EventIdRule::Absent => return None,
        };
        Some(Reason { pointer, message, code: "missing_event_id".into() })
    }

    /// The event's id and type, by the configuration or else by the provider.
    pub(super) fn identify(&self, incoming: &Incoming<'_>) -> Identity {
        let provided = self.verifier.identify(incoming);
        let external_id = match &self.config.event_id {
            // A provider's event without the provider's id is still known by its bytes, so that a
            // retry of it is found.
            EventIdRule::Provider => provided.external_id.or_else(|| body_hash(incoming.body)),
            EventIdRule::Fields(fields) => join(fields, incoming.body),
            EventIdRule::Header(name) => header_text(incoming.headers, name.as_str()).map(bounded),
            EventIdRule::BodyHash => body_hash(incoming.body),
            EventIdRule::Absent => None,
        };
        let event_type = match &self.config.event_type {
            EventTypeRule::Provider => provided
                .event_type
                .or_else(|| self.type_fields.iter().find_map(|field| field.read(incoming.body))),
            EventTypeRule::Field(field) => field.read(incoming.body),
            EventTypeRule::Header(name) => header_text(incoming.headers, name.as_str()),
        };
        Identity { external_id, event_type: event_type.filter(|text| text.len() <= MAX_IDENTITY_BYTES) }
    }

    /// The headers worth keeping with the event; no signatures among them.
    pub(super) fn kept_headers(&self, headers: &HeaderMap) -> Vec<(&'static str, String)> {
        KEPT_HEADERS
            .iter()
            .chain(self.verifier.kept_headers())
            .filter_map(|&name| Some((name, header_text(headers, name)?)))
            .filter(|(_, value)| value.len() <= MAX_KEPT_VALUE_BYTES)
            .collect()
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().filter(|text| !text.is_empty()).map(String::from)
}

/// The fields of an id as one text. Separators inside a part are escaped as in JSON pointers, so
/// that different parts never join to the same id; a lone field is taken as it is.
fn join(fields: &[FieldPath], body: &[u8]) -> Option<String> {
    let parts: Option<Vec<String>> = fields.iter().map(|field| field.read(body)).collect();
    let joined = match parts?.as_slice() {
        [only] => only.clone(),
        parts => {
            parts.iter().map(|part| part.replace('~', "~0").replace('/', "~1")).collect::<Vec<_>>().join("/")
        }
    };
    Some(bounded(joined))
}

/// An id that is too long for an index is known by its digest.
fn bounded(id: String) -> String {
    if id.len() <= MAX_IDENTITY_BYTES { id } else { format!("sha256:{}", hex::encode(Sha256::digest(id))) }
}

fn body_hash(body: &[u8]) -> Option<String> {
    Some(format!("sha256:{}", hex::encode(Sha256::digest(body))))
}

fn reason(reject: tide::Reject) -> Reason {
    Reason { pointer: reject.pointer, message: reject.message, code: reject.code.as_str().to_owned() }
}
