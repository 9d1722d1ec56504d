//! Slack: `X-Slack-Signature: v0=a2114d57…` and `X-Slack-Request-Timestamp: 1531420618`
//!
//! Facts from Slack's page "Verifying requests from Slack": HMAC-SHA-256 in hex over `v0:timestamp:body`, and a
//! request more than five minutes away from now is to be refused. Events arrive as JSON, slash commands and
//! interactions as forms; the signature covers the bytes, so the form must not be decoded before.
//!
//! When an endpoint is registered, Slack posts `{"type":"url_verification","challenge":"…"}` and expects the
//! challenge back (page "url_verification event"). That request is signed like every other, so the challenge
//! is answered only after it was verified; otherwise the endpoint would echo any text for anybody.
//!
//! What the signature does not cover: the URL and the other headers, such as `X-Slack-Retry-Num`.

use std::borrow::Cow;

use http::HeaderName;
use jiff::Timestamp;
use serde::Deserialize;

use super::encoding::Encoding;
use super::freshness::{self, TimestampUnit, Tolerance};
use super::header;
use super::identity::{self, Field, Identity};
use super::key::{self, SignError};
use super::mac::{Algorithm, MacKey, MacKeys};
use super::{Challenge, Incoming, KeyError, Refusal, SignedHeaders, Verified};
use crate::secret::Secret;

/// Name in the configuration.
pub(super) const NAME: &str = "slack";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] =
    &["content-type", "user-agent", "x-slack-retry-num", "x-slack-retry-reason"];

/// Longest challenge that is echoed, in bytes. Slack's own have 52 characters.
pub const MAX_CHALLENGE_BYTES: usize = 1024;

static SIGNATURE: HeaderName = HeaderName::from_static("x-slack-signature");
static TIMESTAMP: HeaderName = HeaderName::from_static("x-slack-request-timestamp");

const PREFIX: &str = "v0=";

/// The keys of one Slack app.
pub(super) struct Slack {
    keys: MacKeys,
}

impl Slack {
    pub(super) fn new(secrets: &[Secret]) -> Result<Slack, KeyError> {
        Ok(Slack { keys: MacKeys::from_secrets(NAME, Algorithm::Sha256, secrets)? })
    }

    pub(super) fn verify(
        &self,
        incoming: &Incoming<'_>,
        tolerance: Tolerance,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let timestamp = header::single(incoming.headers, &TIMESTAMP)?;
        let signed_at = freshness::parse(&TIMESTAMP, timestamp, TimestampUnit::Seconds)?;
        let text = header::single(incoming.headers, &SIGNATURE)?;
        let hex = text.strip_prefix(PREFIX).ok_or_else(|| header::malformed(&SIGNATURE, "lacks `v0=`"))?;
        let signature = Encoding::LowerHex
            .decode(hex, Algorithm::Sha256.tag_len())
            .ok_or_else(|| header::malformed(&SIGNATURE, "is not 64 lower-case hex digits"))?;
        let Some(index) = self.keys.matching(&content(timestamp, incoming.body), &[signature]) else {
            return Err(Refusal::SignatureInvalid { header: SIGNATURE.clone() });
        };
        tolerance.check(signed_at, now)?;
        Ok(Verified { signed_at: Some(signed_at), secret_index: Some(index) })
    }
}

fn content<'a>(timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 4] {
    [b"v0:", timestamp.as_bytes(), b":", body]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow)]
    event_id: Field<'a>,
    #[serde(borrow)]
    event: Inner<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Inner<'a> {
    #[serde(borrow, rename = "type")]
    kind: Field<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Handshake<'a> {
    #[serde(borrow, rename = "type")]
    kind: Field<'a>,
    #[serde(borrow)]
    challenge: Field<'a>,
}

/// The id and the inner type of an event; a form has neither.
pub(super) fn identify(incoming: &Incoming<'_>) -> Identity {
    let envelope: Envelope<'_> = identity::from_body(incoming.body);
    Identity::new(envelope.event_id.0, envelope.event.kind.0)
}

/// The text to echo, if this is Slack's handshake.
pub(super) fn challenge(incoming: &Incoming<'_>) -> Option<Challenge> {
    let handshake: Handshake<'_> = identity::from_body(incoming.body);
    if handshake.kind.0.as_deref() != Some("url_verification") {
        return None;
    }
    let fit = |text: &Cow<'_, str>| {
        !text.is_empty() && text.len() <= MAX_CHALLENGE_BYTES && !text.chars().any(char::is_control)
    };
    handshake.challenge.0.filter(fit).map(|text| Challenge { text: text.into_owned() })
}

/// Signs a body the way Slack does. The event's id is part of the body.
///
/// # Errors
/// An empty secret, or a time before 1970.
pub fn sign(secret: &Secret, at: Timestamp, body: &[u8]) -> Result<SignedHeaders, SignError> {
    let timestamp = freshness::text(at, TimestampUnit::Seconds)?;
    let mac = MacKey::new(Algorithm::Sha256, secret.expose()).ok_or(key::EMPTY)?;
    let tag = mac.tag(&content(&timestamp, body));
    let text = format!("{PREFIX}{}", Encoding::LowerHex.encode(tag.as_slice()));
    Ok(vec![
        (TIMESTAMP.clone(), header::value(&TIMESTAMP, &timestamp)?),
        (SIGNATURE.clone(), header::value(&SIGNATURE, &text)?),
    ])
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{MAX_CHALLENGE_BYTES, challenge, identify};
    use crate::verify::Incoming;

    fn echo(body: &str) -> Option<String> {
        let headers = HeaderMap::new();
        challenge(&Incoming { headers: &headers, body: body.as_bytes() }).map(|challenge| challenge.text)
    }

    #[test]
    fn only_the_handshake_is_echoed() {
        assert_eq!(
            echo(r#"{"token":"x","challenge":"3eZb","type":"url_verification"}"#).as_deref(),
            Some("3eZb")
        );
        let long = "x".repeat(MAX_CHALLENGE_BYTES + 1);
        for body in [
            "",
            "challenge=3eZb&type=url_verification",
            r#"{"challenge":"3eZb"}"#,
            r#"{"challenge":"3eZb","type":"event_callback"}"#,
            r#"{"type":"url_verification"}"#,
            r#"{"challenge":"","type":"url_verification"}"#,
            r#"{"challenge":7,"type":"url_verification"}"#,
            r#"{"challenge":"a\r\nb","type":"url_verification"}"#,
            &format!(r#"{{"challenge":"{long}","type":"url_verification"}}"#),
        ] {
            assert_eq!(echo(body), None, "{body:.60}");
        }
    }

    #[test]
    fn a_form_has_no_identity() {
        let headers = HeaderMap::new();
        let body = b"token=x&event_id=Ev1&command=%2Fdeploy";
        let identity = identify(&Incoming { headers: &headers, body });
        assert_eq!((identity.external_id, identity.event_type), (None, None));
    }
}
