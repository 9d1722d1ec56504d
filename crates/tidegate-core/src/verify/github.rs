//! GitHub: `X-Hub-Signature-256: sha256=757107ea…`
//!
//! Facts from GitHub's page "Validating webhook deliveries": HMAC-SHA-256 over the body alone, hex, behind the
//! prefix `sha256=`. The older header `X-Hub-Signature` (SHA-1) is never read, not even as a fallback: whoever
//! can forge the weaker one would simply leave the stronger one out.
//!
//! What the signature does *not* cover: there is no timestamp, so a captured request stays valid as long as
//! the secret does and deduplication is the only protection against a replay. Neither `X-GitHub-Delivery` nor
//! `X-GitHub-Event` is signed. Somebody who replays a body can therefore choose a fresh delivery id and slip
//! past deduplication by id; rules that must not run twice should look at the body too.

use std::borrow::Cow;

use http::HeaderName;
use serde::Deserialize;

use super::encoding::Encoding;
use super::header;
use super::identity::{self, Field, Identity};
use super::key::{self, SignError};
use super::mac::{Algorithm, MacKey, MacKeys};
use super::{Incoming, KeyError, Refusal, SignedHeaders, Verified};
use crate::secret::Secret;

/// Name in the configuration.
pub(super) const NAME: &str = "github";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] = &[
    "content-type",
    "user-agent",
    "x-github-delivery",
    "x-github-event",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
];

static SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
static DELIVERY: HeaderName = HeaderName::from_static("x-github-delivery");
static EVENT: HeaderName = HeaderName::from_static("x-github-event");

const PREFIX: &str = "sha256=";

/// The keys of one GitHub webhook.
pub(super) struct GitHub {
    keys: MacKeys,
}

impl GitHub {
    pub(super) fn new(secrets: &[Secret]) -> Result<GitHub, KeyError> {
        Ok(GitHub { keys: MacKeys::from_secrets(NAME, Algorithm::Sha256, secrets)? })
    }

    pub(super) fn verify(&self, incoming: &Incoming<'_>) -> Result<Verified, Refusal> {
        let text = header::single(incoming.headers, &SIGNATURE)?;
        let hex =
            text.strip_prefix(PREFIX).ok_or_else(|| header::malformed(&SIGNATURE, "lacks `sha256=`"))?;
        let signature = Encoding::LowerHex
            .decode(hex, Algorithm::Sha256.tag_len())
            .ok_or_else(|| header::malformed(&SIGNATURE, "is not 64 lower-case hex digits"))?;
        match self.keys.matching(&[incoming.body], &[signature]) {
            Some(index) => Ok(Verified { signed_at: None, secret_index: Some(index) }),
            None => Err(Refusal::SignatureInvalid { header: SIGNATURE.clone() }),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    action: Field<'a>,
}

/// The delivery id, and the event with the body's action behind it, such as `issues.opened`.
pub(super) fn identify(incoming: &Incoming<'_>) -> Identity {
    let event = identity::from_header(incoming.headers, &EVENT);
    let action = identity::from_body::<Event<'_>>(incoming.body).action.0;
    let event_type = match (event, action) {
        (Some(event), Some(action)) if !action.is_empty() => Some(Cow::Owned(format!("{event}.{action}"))),
        (event, _) => event,
    };
    Identity::new(identity::from_header(incoming.headers, &DELIVERY), event_type)
}

/// Signs a body the way GitHub does and adds the (unsigned) delivery id.
///
/// # Errors
/// An empty secret, or an id that cannot stand in a header.
pub fn sign(secret: &Secret, delivery_id: &str, body: &[u8]) -> Result<SignedHeaders, SignError> {
    let mac = MacKey::new(Algorithm::Sha256, secret.expose()).ok_or(key::EMPTY)?;
    let text = format!("{PREFIX}{}", Encoding::LowerHex.encode(mac.tag(&[body]).as_slice()));
    Ok(vec![
        (SIGNATURE.clone(), header::value(&SIGNATURE, &text)?),
        (DELIVERY.clone(), header::value(&DELIVERY, delivery_id)?),
    ])
}
