//! Why a request was refused: for the log and the metrics, never for the caller.
//!
//! A caller who learns which part failed learns how to get further, so the public answer is always the same
//! 401. The reasons here carry header *names* and distances in time, never a header's value: values come from
//! an unauthenticated stranger and do not belong in a log line.

use http::HeaderName;

/// The request was not proven to come from the configured sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header that the scheme cannot do without is absent.
    #[error("header `{header}` is missing")]
    MissingHeader {
        /// The header that was looked for.
        header: HeaderName,
    },
    /// A header is present and cannot be what the scheme prescribes.
    #[error("header `{header}` {reason}")]
    Malformed {
        /// The header that was read.
        header: HeaderName,
        /// What is wrong with it, as the end of a sentence about the header.
        reason: &'static str,
    },
    /// The signature holds, and it was made longer ago than the tolerance allows: a late retry or a replay.
    #[error("signed {age_s} s ago, more than the {tolerance_s} s allowed")]
    TimestampStale {
        /// Age of the signature in whole seconds, rounded down.
        age_s: u64,
        /// The configured [`Tolerance::past_s`](super::Tolerance::past_s).
        tolerance_s: u64,
    },
    /// The signature holds, and it claims to come from further ahead than the tolerance allows: one of the two
    /// clocks is wrong, or the sender pre-signed a request to be used later.
    #[error("signed {ahead_s} s in the future, more than the {tolerance_s} s allowed")]
    TimestampInFuture {
        /// Distance to the signature's time in whole seconds, rounded down.
        ahead_s: u64,
        /// The configured [`Tolerance::future_s`](super::Tolerance::future_s).
        tolerance_s: u64,
    },
    /// Everything could be read, and no configured secret made any of the signatures.
    #[error("no signature in `{header}` was made with a configured secret")]
    SignatureInvalid {
        /// The header that carried the signatures.
        header: HeaderName,
    },
}

impl Refusal {
    /// The value of the label `error_type`: one of `signature_invalid` and `timestamp_stale`.
    ///
    /// A timestamp ahead of the clock counts as `timestamp_stale` too, because both mean "authentic, at the
    /// wrong time" and both are answered by looking at clocks and queues instead of keys.
    pub fn error_type(&self) -> &'static str {
        match self {
            Refusal::TimestampStale { .. } | Refusal::TimestampInFuture { .. } => "timestamp_stale",
            Refusal::MissingHeader { .. } | Refusal::Malformed { .. } | Refusal::SignatureInvalid { .. } => {
                "signature_invalid"
            }
        }
    }
}
