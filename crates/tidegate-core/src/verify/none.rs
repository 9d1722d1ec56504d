//! No signature: every request is accepted.
//!
//! This has to be written down in the configuration as `provider = "none"`; it is never a default and never a
//! fallback. It suits a private network, or a proxy in front that has already checked. Nothing about the
//! request is proven: not the sender, not the time, not the body. A secret given together with `none` is
//! refused at start, because it would look like protection and be none.

use super::key::KeyError;
use super::{Refusal, Verified};
use crate::secret::Secret;

/// Name in the configuration.
pub(super) const NAME: &str = "none";

/// Headers worth keeping with an event.
pub(super) const KEPT_HEADERS: &[&str] = &["content-type", "user-agent"];

/// Refuses secrets that nothing would use.
pub(super) fn check(secrets: &[Secret]) -> Result<(), KeyError> {
    if secrets.is_empty() { Ok(()) } else { Err(KeyError::UnusedSecret { count: secrets.len() }) }
}

/// Accepts.
pub(super) fn verify() -> Result<Verified, Refusal> {
    Ok(Verified { signed_at: None, secret_index: None })
}
