//! Stripe: `Stripe-Signature: t=1492774577,v1=5257a8…,v1=…,v0=…`
//!
//! Facts from Stripe's page "Resolve webhook signature verification errors" (manual verification): the signed
//! text is `t.body`, the MAC is HMAC-SHA-256 in hex, the key is the endpoint's secret as text *including* its
//! prefix `whsec_`, and while a secret is being rolled there is one `v1` for each secret. `v0` is a test scheme
//! that must not be believed.
//!
//! What the signature covers: the time and the body, and the body holds the event's id and type. What it does
//! not cover: the URL and every other header, so a request captured at one endpoint of ours fits another one
//! that was given the same secret. Within the tolerance a captured request can be replayed; only
//! deduplication by event id stops that.

use http::HeaderName;
use jiff::Timestamp;
use serde::Deserialize;

use super::encoding::{Encoding, Signature};
use super::freshness::{self, TimestampUnit, Tolerance};
use super::header;
use super::identity::{self, Field, Identity};
use super::key::{self, SignError};
use super::mac::{Algorithm, MAX_SIGNATURES, MacKey, MacKeys};
use super::{Incoming, KeyError, Refusal, SignedHeaders, Verified};
use crate::secret::Secret;

/// Name in the configuration.
pub(super) const NAME: &str = "stripe";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] = &["content-type", "user-agent"];

static SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// Most comma-separated elements of the header: the time, and as many `v0` as `v1`.
const MAX_ELEMENTS: usize = 1 + 2 * MAX_SIGNATURES;

/// The keys of one Stripe endpoint.
pub(super) struct Stripe {
    keys: MacKeys,
}

impl Stripe {
    pub(super) fn new(secrets: &[Secret]) -> Result<Stripe, KeyError> {
        Ok(Stripe { keys: MacKeys::from_secrets(NAME, Algorithm::Sha256, secrets)? })
    }

    pub(super) fn verify(
        &self,
        incoming: &Incoming<'_>,
        tolerance: Tolerance,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let parsed = Elements::parse(header::single(incoming.headers, &SIGNATURE)?)?;
        let signed_at = freshness::parse(&SIGNATURE, parsed.timestamp, TimestampUnit::Seconds)?;
        let content = [parsed.timestamp.as_bytes(), b".", incoming.body];
        let Some(index) = self.keys.matching(&content, &parsed.signatures) else {
            return Err(Refusal::SignatureInvalid { header: SIGNATURE.clone() });
        };
        tolerance.check(signed_at, now)?;
        Ok(Verified { signed_at: Some(signed_at), secret_index: Some(index) })
    }
}

/// The parts of the header that count.
struct Elements<'a> {
    timestamp: &'a str,
    signatures: Vec<Signature>,
}

impl<'a> Elements<'a> {
    /// Schemes other than `v1` are skipped, as Stripe asks. A `v1` that cannot be decoded is skipped too: it
    /// matches no key, and it must not spoil a good one beside it.
    fn parse(text: &'a str) -> Result<Elements<'a>, Refusal> {
        if text.split(',').nth(MAX_ELEMENTS).is_some() {
            return Err(header::malformed(&SIGNATURE, "has too many elements"));
        }
        let (mut timestamp, mut seen, mut signatures) = (None, 0_usize, Vec::new());
        for element in text.split(',') {
            match element.split_once('=') {
                Some(("t", _)) if timestamp.is_some() => {
                    return Err(header::malformed(&SIGNATURE, "has more than one timestamp"));
                }
                Some(("t", value)) => timestamp = Some(value),
                Some(("v1", value)) => {
                    seen += 1;
                    signatures.extend(Encoding::LowerHex.decode(value, Algorithm::Sha256.tag_len()));
                }
                Some(_) => {}
                None => return Err(header::malformed(&SIGNATURE, "has an element without `=`")),
            }
        }
        if seen > MAX_SIGNATURES {
            return Err(header::malformed(&SIGNATURE, "has too many signatures"));
        }
        if signatures.is_empty() {
            return Err(header::malformed(&SIGNATURE, "has no well-formed `v1` signature"));
        }
        let timestamp = timestamp.ok_or_else(|| header::malformed(&SIGNATURE, "has no timestamp"))?;
        Ok(Elements { timestamp, signatures })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow, rename = "type")]
    kind: Field<'a>,
}

/// The id and type that the signed body carries.
pub(super) fn identify(incoming: &Incoming<'_>) -> Identity {
    let event: Event<'_> = identity::from_body(incoming.body);
    Identity::new(event.id.0, event.kind.0)
}

/// Signs a body the way Stripe does. The event's id is part of the body.
///
/// # Errors
/// An empty secret, or a time before 1970.
pub fn sign(secret: &Secret, at: Timestamp, body: &[u8]) -> Result<SignedHeaders, SignError> {
    let timestamp = freshness::text(at, TimestampUnit::Seconds)?;
    let mac = MacKey::new(Algorithm::Sha256, secret.expose()).ok_or(key::EMPTY)?;
    let tag = mac.tag(&[timestamp.as_bytes(), b".", body]);
    let text = format!("t={timestamp},v1={}", Encoding::LowerHex.encode(tag.as_slice()));
    Ok(vec![(SIGNATURE.clone(), header::value(&SIGNATURE, &text)?)])
}

#[cfg(test)]
mod tests {
    use super::Elements;
    use crate::verify::MAX_SIGNATURES;

    const SIGNATURE: &str = "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd";

    fn parse(text: &str) -> Option<(String, usize)> {
        Elements::parse(text).ok().map(|parsed| (parsed.timestamp.to_owned(), parsed.signatures.len()))
    }

    #[test]
    fn reads_the_documented_shape() {
        let text = format!(
            "t=1492774577,v1={SIGNATURE},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
        );
        assert_eq!(parse(&text), Some(("1492774577".to_owned(), 1)));
        assert_eq!(parse(&format!("v1={SIGNATURE},t=1")), Some(("1".to_owned(), 1)), "order does not matter");
    }

    #[test]
    fn an_undecodable_signature_does_not_spoil_its_neighbour() {
        let text = format!("t=1,v1=,v1=xyz,v1={SIGNATURE}");
        assert_eq!(parse(&text), Some(("1".to_owned(), 1)));
    }

    #[test]
    fn refuses_what_has_no_single_meaning() {
        let upper = SIGNATURE.to_uppercase();
        for text in [
            String::new(),
            "t".into(),
            "t=1".into(),
            "t=1,v1=".into(),
            format!("v1={SIGNATURE}"),
            format!("t=1,t=1,v1={SIGNATURE}"),
            format!("t=1,v0={SIGNATURE}"),
            format!("t=1,V1={SIGNATURE}"),
            format!("t=1, v1={SIGNATURE}"),
            format!("t=1,v1={upper}"),
            format!("t=1,,v1={SIGNATURE}"),
            format!("t=1,v1={SIGNATURE},"),
        ] {
            assert_eq!(parse(&text), None, "{text}");
        }
    }

    #[test]
    fn the_number_of_signatures_is_bounded() {
        let with = |count: usize| format!("t=1{}", format!(",v1={SIGNATURE}").repeat(count));
        assert_eq!(parse(&with(MAX_SIGNATURES)), Some(("1".to_owned(), MAX_SIGNATURES)));
        assert_eq!(parse(&with(MAX_SIGNATURES + 1)), None);
        assert_eq!(parse(&format!("t=1,v1={SIGNATURE}{}", ",v0=a".repeat(100))), None);
    }
}
