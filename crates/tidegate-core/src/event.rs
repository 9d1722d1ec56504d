//! What Tidegate keeps of a webhook, and when two webhooks are the same one.
//!
//! An event is identified twice. Inside, it has an [`EventId`]: a UUIDv7, so that ids sort by the
//! time of receipt and indices grow at one end. Outside, the provider's own id (`external_id`)
//! tells a retry from something new. Within a source, an external id is accepted once; the
//! [`DedupKey`] is the fixed-size form of that promise which the store keeps in a unique index.
//!
//! What is refused by the rules does not use up its external id: when the rules have been mended,
//! the provider's next retry is accepted. Refused bodies have keys of their own kind, so that a
//! provider which retries for three days leaves one row in quarantine rather than fifty.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::trace::TraceContext;

/// The id of an event: a UUIDv7 (RFC 9562), ordered by time of receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

impl EventId {
    /// The id for an event received at `at`, told apart from its neighbours by `random`.
    ///
    /// The first 16 bits of `random` carry the fraction of the millisecond (RFC 9562, section 6.2,
    /// method 3), so that ids sort by the microsecond; 62 bits stay random. Times before 1970 count
    /// as 1970.
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let micros = u64::try_from(at.as_microsecond()).unwrap_or(0);
        let fraction = ((micros % 1_000) * 4_096 / 1_000) as u16;
        let mut bytes = random;
        bytes[..2].copy_from_slice(&fraction.to_be_bytes());
        Self(uuid::Builder::from_unix_timestamp_millis(micros / 1_000, &bytes).into_uuid())
    }

    /// The smallest id that an event received at `at` or later can have.
    pub fn floor(at: Timestamp) -> Self {
        Self::new(at, [0; 10])
    }

    /// Reads the hyphenated form, as printed.
    pub fn parse(text: &str) -> Option<Self> {
        const HYPHENATED: usize = 36;
        if text.len() == HYPHENATED { Uuid::try_parse(text).ok().map(Self) } else { None }
    }

    /// The 16 bytes, most significant first, so that they sort as the ids do.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id made of these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// The name of a source, as the configuration gives it; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<str>);

impl SourceName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Accepts one to 64 lower-case letters, digits, `-` and `_`, starting with a letter or digit.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let first = text.bytes().next()?;
        let well_formed = (first.is_ascii_lowercase() || first.is_ascii_digit())
            && text.len() <= Self::MAX_BYTES
            && text.bytes().all(allowed);
        well_formed.then(|| Self(Arc::from(text)))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an event went through or was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Authentic and within the rules.
    Accepted,
    /// Authentic, kept with the reasons why it was not accepted.
    Quarantined,
}

impl Status {
    /// Every status with its public name.
    pub const ALL: [Self; 2] = [Self::Accepted, Self::Quarantined];

    /// The public name, as in the API and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Quarantined => "quarantined",
        }
    }

    /// Reads the public name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// One reason why an event was not accepted, in the words that the sender is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// RFC 6901 JSON pointer to the field at fault; empty for the whole body.
    pub pointer: String,
    /// A sentence that says what was expected and what came.
    pub message: String,
    /// A stable code for programs, such as `out_of_range`.
    pub code: String,
}

/// What the rules made of an authentic event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within the rules; `record` is the JSON that they returned, `None` for a source without rules.
    Accepted {
        /// The record as JSON text.
        record: Option<String>,
    },
    /// Against the rules, or not what the source declares; never empty.
    Quarantined {
        /// All reasons that were found.
        reasons: Vec<Reason>,
    },
}

impl Verdict {
    /// The status that an event with this verdict has.
    pub fn status(&self) -> Status {
        match self {
            Self::Accepted { .. } => Status::Accepted,
            Self::Quarantined { .. } => Status::Quarantined,
        }
    }
}

/// A delivery that is planned in the same transaction as its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedDelivery {
    /// The destination's name.
    pub destination: String,
    /// When the first attempt is due.
    pub due_at: Timestamp,
}

/// An authentic event on its way into the store.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The id it gets if it is not a duplicate.
    pub id: EventId,
    /// Where it came in.
    pub source: SourceName,
    /// The provider's name for what happened, such as `charge.refunded`.
    pub event_type: Option<String>,
    /// The provider's own id; `None` means that the event cannot be told from a retry of itself.
    pub external_id: Option<String>,
    /// When its last byte arrived.
    pub received_at: Timestamp,
    /// The body exactly as it was verified.
    pub body: Bytes,
    /// The headers worth keeping, names in lower case; no signatures among them.
    pub headers: Vec<(&'static str, String)>,
    /// What the rules made of it.
    pub verdict: Verdict,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// Where it is to be delivered.
    pub deliveries: Vec<PlannedDelivery>,
}

impl NewEvent {
    /// The approximate number of bytes it occupies while it waits for its commit.
    pub fn size_bytes(&self) -> usize {
        const FIXED: usize = 512;
        let record = match &self.verdict {
            Verdict::Accepted { record } => record.as_ref().map_or(0, String::len),
            Verdict::Quarantined { reasons } => {
                reasons.iter().map(|r| r.pointer.len() + r.message.len() + r.code.len()).sum()
            }
        };
        let ids = [&self.external_id, &self.event_type].into_iter().flatten().map(String::len).sum::<usize>();
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        FIXED + self.body.len() + record + ids + headers
    }

    /// A digest by which two bodies are compared without keeping both.
    pub fn body_digest(&self) -> BodyDigest {
        BodyDigest(truncated_sha256([self.body.as_ref()]))
    }

    /// The key under which this event is accepted at most once; `None` without an external id.
    pub fn accepted_key(&self) -> Option<DedupKey> {
        let external_id = self.external_id.as_deref()?;
        Some(DedupKey::new(b'A', [self.source.as_str().as_bytes(), external_id.as_bytes()]))
    }

    /// The key under which this very body is kept in quarantine at most once.
    pub fn quarantine_key(&self, digest: &BodyDigest) -> DedupKey {
        let external_id = self.external_id.as_deref().unwrap_or_default();
        DedupKey::new(b'Q', [self.source.as_str().as_bytes(), external_id.as_bytes(), &digest.0])
    }
}

/// 128 bits of the SHA-256 of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyDigest([u8; 16]);

impl BodyDigest {
    /// The bytes as stored.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The fixed-size key of a unique index: 128 bits of a SHA-256 over the parts that must be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DedupKey([u8; 16]);

impl DedupKey {
    fn new<const N: usize>(kind: u8, parts: [&[u8]; N]) -> Self {
        // Each part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
        let mut hasher = Sha256::new_with_prefix([kind]);
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(truncate(&hasher.finalize()))
    }

    /// The bytes as stored.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

fn truncated_sha256<const N: usize>(parts: [&[u8]; N]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    truncate(&hasher.finalize())
}

fn truncate(digest: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

/// What became of an event that was handed to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Committed under this id, with the verdict it came with.
    Stored(EventId),
    /// This refused body is in quarantine already, under this id; nothing was written.
    AlreadyQuarantined(EventId),
    /// Known already, with the same body; nothing was written.
    Duplicate {
        /// The id of the first one.
        first: EventId,
    },
    /// Its external id was accepted before with another body, which is kept in quarantine.
    Conflict {
        /// The id of the accepted event, which stays as it is.
        first: EventId,
    },
}

/// A committed event as readers see it; the raw body is asked for separately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Where it came in.
    pub source: SourceName,
    /// What happened, in the provider's words.
    pub event_type: Option<String>,
    /// The provider's own id.
    pub external_id: Option<String>,
    /// When its last byte arrived.
    pub received_at: Timestamp,
    /// What became of it.
    pub verdict: Verdict,
    /// Where it goes.
    pub deliveries: Vec<PlannedDelivery>,
    /// The W3C trace id, 32 hexadecimal digits.
    pub trace_id: String,
}

/// The raw body of an event with what is needed to hand it out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// The body exactly as it was verified.
    pub body: Bytes,
    /// The headers that were kept, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// Which events to list. Every field narrows the list; the default lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of this source.
    pub source: Option<String>,
    /// Only events of exactly this type.
    pub event_type: Option<String>,
    /// Only events with this status.
    pub status: Option<Status>,
    /// Only events received at this time or later.
    pub since: Option<Timestamp>,
    /// Only events received before this time.
    pub until: Option<Timestamp>,
    /// Only events whose type, external id or record contains this text.
    pub text: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(source: &str, external_id: Option<&str>, body: &'static str) -> NewEvent {
        NewEvent {
            id: EventId::new(Timestamp::UNIX_EPOCH, [0; 10]),
            source: SourceName::new(source).unwrap(),
            event_type: None,
            external_id: external_id.map(String::from),
            received_at: Timestamp::UNIX_EPOCH,
            body: Bytes::from_static(body.as_bytes()),
            headers: Vec::new(),
            verdict: Verdict::Accepted { record: None },
            trace: TraceContext::new([1; 16], [1; 8]),
            deliveries: Vec::new(),
        }
    }

    #[test]
    fn ids_sort_by_time_of_receipt() {
        let early = EventId::new(Timestamp::from_millisecond(1_000).unwrap(), [0xff; 10]);
        let late = EventId::new(Timestamp::from_millisecond(1_001).unwrap(), [0; 10]);
        assert!(early < late);
        let ids = [0, 1, 499, 500, 999, 1_000]
            .map(|us| EventId::new(Timestamp::from_microsecond(us).unwrap(), [0xff; 10]));
        assert!(ids.is_sorted() && ids[0] != ids[1], "{ids:?}");
        assert_eq!(EventId::parse(&early.to_string()), Some(early));
        assert!(EventId::floor(Timestamp::from_millisecond(1_001).unwrap()) <= late);
    }

    #[test]
    fn a_key_is_of_one_source_and_one_external_id() {
        let key = |source, id| event(source, Some(id), "{}").accepted_key();
        assert_eq!(key("a", "bc"), key("a", "bc"));
        assert_ne!(key("ab", "c"), key("a", "bc"));
        assert_eq!(event("a", None, "{}").accepted_key(), None);
    }

    #[test]
    fn quarantine_keys_never_collide_with_accepted_ones() {
        let event = event("a", Some("1"), "{}");
        let quarantine = event.quarantine_key(&event.body_digest());
        assert_ne!(event.accepted_key(), Some(quarantine));
    }

    #[test]
    fn source_names_are_plain() {
        for name in ["payments", "stripe-eu", "a_1", "9to5"] {
            assert!(SourceName::new(name).is_some(), "{name}");
        }
        for name in ["", "-a", "Payments", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(SourceName::new(name).is_none(), "{name}");
        }
    }
}
