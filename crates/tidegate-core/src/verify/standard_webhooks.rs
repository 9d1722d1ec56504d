//! Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64> v1a,<base64> …`
//!
//! Facts from the Standard Webhooks specification 1.0.0 ("Signature scheme", "Webhook headers"): the signed text
//! is `id.timestamp.body`; `v1` is HMAC-SHA-256 with the key in base64 behind `whsec_`; `v1a` is Ed25519 with the
//! public key in base64 behind `whpk_`, and `whsk_` for the private key, which senders such as Svix store as the
//! 32 bytes of the seed followed by the 32 bytes of the public key. The header lists signatures separated by
//! spaces, one for each current key. Svix sends the same scheme with `svix-` in place of `webhook-`; either set
//! is read whole, and the two are never mixed, because a stranger may add headers of the other set.
//!
//! The id is signed here, so deduplication by id cannot be tricked. Because id, time and body are joined by
//! dots, an id with a dot in it could be cut at another place; the specification asks senders not to use one
//! and this room refuses it.
//!
//! What the signature does not cover: the URL and all other headers. Ed25519 is checked strictly (no small-order
//! points, canonical scalars), so that one message has one signature for one key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::encoding::{Encoding, Signature};
use super::freshness::{self, TimestampUnit, Tolerance};
use super::header;
use super::identity::{self, Field, Identity};
use super::key::{self, SignError};
use super::mac::{Algorithm, MAX_SIGNATURES, MacKey, MacKeys};
use super::{Incoming, KeyError, Refusal, SignedHeaders, Verified};
use crate::secret::Secret;

/// Name in the configuration.
pub(super) const NAME: &str = "standard-webhooks";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] =
    &["content-type", "user-agent", "webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp"];

/// Most `v1a` signatures that are checked. Each one costs a pass over the body for every public key, so a
/// stranger must not be able to ask for many; a rotation needs two.
pub const MAX_ED25519_SIGNATURES: usize = 4;

const SYMMETRIC: &str = "whsec_";
const PUBLIC: &str = "whpk_";
const PRIVATE: &str = "whsk_";

/// The three header names that belong together.
struct HeaderSet {
    id: HeaderName,
    timestamp: HeaderName,
    signature: HeaderName,
}

static STANDARD: HeaderSet = HeaderSet {
    id: HeaderName::from_static("webhook-id"),
    timestamp: HeaderName::from_static("webhook-timestamp"),
    signature: HeaderName::from_static("webhook-signature"),
};

static SVIX: HeaderSet = HeaderSet {
    id: HeaderName::from_static("svix-id"),
    timestamp: HeaderName::from_static("svix-timestamp"),
    signature: HeaderName::from_static("svix-signature"),
};

impl HeaderSet {
    /// The set this request uses: the standard one as soon as any header of it is there.
    fn of(headers: &HeaderMap) -> &'static HeaderSet {
        let any = |set: &HeaderSet| {
            [&set.id, &set.timestamp, &set.signature].into_iter().any(|name| headers.contains_key(name))
        };
        if !any(&STANDARD) && any(&SVIX) { &SVIX } else { &STANDARD }
    }
}

/// The keys of one endpoint, of both kinds.
pub(super) struct StandardWebhooks {
    macs: MacKeys,
    public: Vec<(usize, VerifyingKey)>,
}

impl StandardWebhooks {
    pub(super) fn new(secrets: &[Secret]) -> Result<StandardWebhooks, KeyError> {
        key::check_secrets(NAME, secrets)?;
        let mut keys = StandardWebhooks { macs: MacKeys::empty(), public: Vec::new() };
        for (index, secret) in secrets.iter().enumerate() {
            match Key::parse(index, secret)? {
                Key::Symmetric(bytes) => keys.macs.push(index, Algorithm::Sha256, &bytes)?,
                Key::Public(public) => keys.public.push((index, public)),
                Key::Private(_) => return Err(KeyError::PrivateKey { index }),
            }
        }
        Ok(keys)
    }

    pub(super) fn verify(
        &self,
        incoming: &Incoming<'_>,
        tolerance: Tolerance,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let set = HeaderSet::of(incoming.headers);
        let id = header::single(incoming.headers, &set.id)?;
        if id.contains('.') {
            return Err(header::malformed(&set.id, "contains a dot, which makes the signed text ambiguous"));
        }
        let timestamp = header::single(incoming.headers, &set.timestamp)?;
        let signed_at = freshness::parse(&set.timestamp, timestamp, TimestampUnit::Seconds)?;
        let signatures = Signatures::parse(set, header::single(incoming.headers, &set.signature)?)?;
        let Some(index) = self.matching(&content(id, timestamp, incoming.body), &signatures) else {
            return Err(Refusal::SignatureInvalid { header: set.signature.clone() });
        };
        tolerance.check(signed_at, now)?;
        Ok(Verified { signed_at: Some(signed_at), secret_index: Some(index) })
    }

    fn matching(&self, content: &[&[u8]], signatures: &Signatures) -> Option<usize> {
        self.macs
            .matching(content, &signatures.symmetric)
            .or_else(|| self.matching_public(content, signatures))
    }

    /// Public keys and signatures are no secrets, so the first match may end the search.
    fn matching_public(&self, content: &[&[u8]], signatures: &Signatures) -> Option<usize> {
        if self.public.is_empty() || signatures.asymmetric.is_empty() {
            return None;
        }
        let message = content.concat();
        let made = |key: &VerifyingKey| {
            signatures.asymmetric.iter().any(|signature| key.verify_strict(&message, signature).is_ok())
        };
        self.public.iter().find(|(_, key)| made(key)).map(|(index, _)| *index)
    }
}

fn content<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

/// One secret of the configuration, recognised by its prefix.
enum Key {
    Symmetric(Zeroizing<Vec<u8>>),
    Public(VerifyingKey),
    Private(SigningKey),
}

impl Key {
    /// A secret without any prefix is taken as symmetric, as the reference libraries do.
    fn parse(index: usize, secret: &Secret) -> Result<Key, KeyError> {
        let text = secret.expose();
        if let Some(encoded) = text.strip_prefix(PUBLIC.as_bytes()) {
            let bytes = decode_exactly(index, PUBLIC, encoded)?;
            return public_key(index, &bytes).map(Key::Public);
        }
        if let Some(encoded) = text.strip_prefix(PRIVATE.as_bytes()) {
            let bytes = decode_exactly(index, PRIVATE, encoded)?;
            let pair = SigningKey::from_keypair_bytes(&bytes);
            return pair.map(Key::Private).map_err(|_| KeyError::InconsistentKeyPair { index });
        }
        let encoded = text.strip_prefix(SYMMETRIC.as_bytes()).unwrap_or(text);
        let bytes = decode(index, SYMMETRIC, encoded)?;
        if bytes.is_empty() { Err(KeyError::Empty { index }) } else { Ok(Key::Symmetric(bytes)) }
    }
}

fn public_key(index: usize, bytes: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
    match VerifyingKey::from_bytes(bytes) {
        Ok(key) if !key.is_weak() => Ok(key),
        Ok(_) | Err(_) => Err(KeyError::InvalidPublicKey { index }),
    }
}

fn decode(index: usize, prefix: &'static str, encoded: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // The exact room is reserved first, because growing would leave copies of the key behind in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    match STANDARD_PAD_INDIFFERENT.decode_vec(encoded, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(KeyError::NotBase64 { index, prefix }),
    }
}

fn decode_exactly<const N: usize>(
    index: usize,
    prefix: &'static str,
    encoded: &[u8],
) -> Result<Zeroizing<[u8; N]>, KeyError> {
    let bytes = decode(index, prefix, encoded)?;
    let wrong = |_| KeyError::WrongLength { index, prefix, expected: N, actual: bytes.len() };
    <[u8; N]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(wrong)
}

/// The signatures of one header, sorted by kind.
struct Signatures {
    symmetric: Vec<Signature>,
    asymmetric: Vec<ed25519_dalek::Signature>,
}

impl Signatures {
    /// Unknown versions are skipped, as the specification asks. An entry that cannot be decoded is skipped too:
    /// it matches no key, and it must not spoil a good one beside it.
    fn parse(set: &HeaderSet, text: &str) -> Result<Signatures, Refusal> {
        if text.split(' ').nth(MAX_SIGNATURES).is_some() {
            return Err(header::malformed(&set.signature, "has too many signatures"));
        }
        let mut found = Signatures { symmetric: Vec::new(), asymmetric: Vec::new() };
        for entry in text.split(' ') {
            match entry.split_once(',') {
                Some(("v1", encoded)) => found.symmetric.extend(Encoding::Base64.decode(encoded, 32)),
                Some(("v1a", encoded)) => found.asymmetric.extend(ed25519_signature(encoded)),
                Some(_) => {}
                None => return Err(header::malformed(&set.signature, "has an entry without a version")),
            }
        }
        if found.asymmetric.len() > MAX_ED25519_SIGNATURES {
            return Err(header::malformed(&set.signature, "has too many `v1a` signatures"));
        }
        if found.symmetric.is_empty() && found.asymmetric.is_empty() {
            return Err(header::malformed(&set.signature, "has no well-formed `v1` or `v1a` signature"));
        }
        Ok(found)
    }
}

fn ed25519_signature(encoded: &str) -> Option<ed25519_dalek::Signature> {
    let bytes = Encoding::Base64.decode(encoded, ed25519_dalek::SIGNATURE_LENGTH)?;
    ed25519_dalek::Signature::from_slice(bytes.as_slice()).ok()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Field<'a>,
}

/// The signed id, and the type that the specification recommends in the body.
pub(super) fn identify(incoming: &Incoming<'_>) -> Identity {
    let set = HeaderSet::of(incoming.headers);
    let event: Event<'_> = identity::from_body(incoming.body);
    Identity::new(identity::from_header(incoming.headers, &set.id), event.kind.0)
}

/// Signs a body: `v1` with a symmetric secret, `v1a` with a private key (`whsk_`).
///
/// # Errors
/// A secret that is no such key, a time before 1970, or an id that is empty, has a dot or cannot stand in a
/// header.
pub fn sign(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> Result<SignedHeaders, SignError> {
    if id.contains('.') {
        return Err(SignError::UnusableId { header: STANDARD.id.clone() });
    }
    let timestamp = freshness::text(at, TimestampUnit::Seconds)?;
    let content = content(id, &timestamp, body);
    let signature = match Key::parse(0, secret)? {
        Key::Symmetric(bytes) => {
            let mac = MacKey::new(Algorithm::Sha256, &bytes).ok_or(key::EMPTY)?;
            format!("v1,{}", Encoding::Base64.encode(mac.tag(&content).as_slice()))
        }
        Key::Private(pair) => {
            format!("v1a,{}", Encoding::Base64.encode(&pair.sign(&content.concat()).to_bytes()))
        }
        Key::Public(_) => return Err(SignError::Key(KeyError::CannotSign { index: 0 })),
    };
    Ok(vec![
        (STANDARD.id.clone(), header::value(&STANDARD.id, id)?),
        (STANDARD.timestamp.clone(), header::value(&STANDARD.timestamp, &timestamp)?),
        (STANDARD.signature.clone(), header::value(&STANDARD.signature, &signature)?),
    ])
}
