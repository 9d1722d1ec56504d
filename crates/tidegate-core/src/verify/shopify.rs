//! Shopify: `X-Shopify-Hmac-Sha256: <base64>`
//!
//! Facts from Shopify's page "Deliver webhooks through HTTPS" (verify the webhook): HMAC-SHA-256 over the body
//! alone, standard base64, keyed with the app's client secret as text. After a secret is rotated, deliveries
//! may go on being signed with the old one for up to an hour, so both should stay configured meanwhile.
//!
//! What the signature does *not* cover: there is no signed timestamp, so deduplication is the only protection
//! against a replay, and the event id, the topic and the shop's domain are plain headers. A rule that trusts
//! `X-Shopify-Shop-Domain` trusts whoever captured a body once.

use http::HeaderName;

use super::encoding::Encoding;
use super::header;
use super::identity::{self, Identity};
use super::key::{self, SignError};
use super::mac::{Algorithm, MacKey, MacKeys};
use super::{Incoming, KeyError, Refusal, SignedHeaders, Verified};
use crate::secret::Secret;

/// Name in the configuration.
pub(super) const NAME: &str = "shopify";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] = &[
    "content-type",
    "user-agent",
    "x-shopify-api-version",
    "x-shopify-event-id",
    "x-shopify-shop-domain",
    "x-shopify-topic",
    "x-shopify-triggered-at",
    "x-shopify-webhook-id",
];

static SIGNATURE: HeaderName = HeaderName::from_static("x-shopify-hmac-sha256");
static EVENT_ID: HeaderName = HeaderName::from_static("x-shopify-event-id");
static WEBHOOK_ID: HeaderName = HeaderName::from_static("x-shopify-webhook-id");
static TOPIC: HeaderName = HeaderName::from_static("x-shopify-topic");

/// The keys of one Shopify app.
pub(super) struct Shopify {
    keys: MacKeys,
}

impl Shopify {
    pub(super) fn new(secrets: &[Secret]) -> Result<Shopify, KeyError> {
        Ok(Shopify { keys: MacKeys::from_secrets(NAME, Algorithm::Sha256, secrets)? })
    }

    pub(super) fn verify(&self, incoming: &Incoming<'_>) -> Result<Verified, Refusal> {
        let text = header::single(incoming.headers, &SIGNATURE)?;
        let signature = Encoding::Base64
            .decode(text, Algorithm::Sha256.tag_len())
            .ok_or_else(|| header::malformed(&SIGNATURE, "is not 32 bytes in base64"))?;
        match self.keys.matching(&[incoming.body], &[signature]) {
            Some(index) => Ok(Verified { signed_at: None, secret_index: Some(index) }),
            None => Err(Refusal::SignatureInvalid { header: SIGNATURE.clone() }),
        }
    }
}

/// The event id, which all deliveries of one event share, or else the id of this delivery.
pub(super) fn identify(incoming: &Incoming<'_>) -> Identity {
    let id = identity::from_header(incoming.headers, &EVENT_ID)
        .or_else(|| identity::from_header(incoming.headers, &WEBHOOK_ID));
    Identity::new(id, identity::from_header(incoming.headers, &TOPIC))
}

/// Signs a body the way Shopify does and adds the (unsigned) event id.
///
/// # Errors
/// An empty secret, or an id that cannot stand in a header.
pub fn sign(secret: &Secret, event_id: &str, body: &[u8]) -> Result<SignedHeaders, SignError> {
    let mac = MacKey::new(Algorithm::Sha256, secret.expose()).ok_or(key::EMPTY)?;
    let text = Encoding::Base64.encode(mac.tag(&[body]).as_slice());
    Ok(vec![
        (SIGNATURE.clone(), header::value(&SIGNATURE, &text)?),
        (EVENT_ID.clone(), header::value(&EVENT_ID, event_id)?),
    ])
}
