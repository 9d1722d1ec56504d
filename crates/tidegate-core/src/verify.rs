//! Who sent this, and when? The check that stands before everything else.
//!
//! The room is pure: bytes, headers and the time come in as arguments, a verdict goes out. It guarantees that a
//! request is accepted only if one of the configured secrets signed exactly the bytes that arrived, and, where
//! the provider signs a time, that this time lies within an explicit window around now. Whatever is missing,
//! doubled, badly spelled, oversized or out of range is refused; nothing falls back to a weaker check.
//!
//! * Signatures are compared in constant time, and all secrets are tried every time, so that neither the
//!   contents of a forged signature nor the secret that made a genuine one can be read off a clock (`mac`).
//! * The signature is checked before the time window is. "Stale" in the metrics therefore means an authentic
//!   request that came late, not a stranger's guess.
//! * Timestamps enter the signed text exactly as they were sent (`freshness`).
//! * A header that is given twice is refused (`header`), and the number of signatures in one is bounded (`mac`).
//!
//! What it does not guarantee: that a request is new. Within the time window, and for ever with providers that
//! sign no time (GitHub, Shopify), a captured request verifies again, and with those two even the delivery's id
//! is unsigned. Catching repeats is the work of deduplication when the event is committed. Each provider's
//! file says what its signature leaves uncovered.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::secret::Secret;

mod encoding;
mod freshness;
pub mod github;
mod header;
pub mod hmac;
mod identity;
mod key;
mod mac;
mod none;
mod refusal;
pub mod shopify;
pub mod slack;
pub mod standard_webhooks;
pub mod stripe;
mod template;

pub use freshness::Tolerance;
pub use hmac::{HmacScheme, HmacSchemeError, HmacSettings};
pub use identity::{Identity, MAX_LABEL_BYTES};
pub use key::{KeyError, MAX_SECRETS, SignError};
pub use mac::MAX_SIGNATURES;
pub use refusal::Refusal;

/// A request as it arrived: its headers, and its body before any decoding beyond HTTP's own framing.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// All headers of the request.
    pub headers: &'a HeaderMap,
    /// The exact bytes of the body.
    pub body: &'a [u8],
}

/// Names and values of the headers that make a request authentic.
pub type SignedHeaders = Vec<(HeaderName, HeaderValue)>;

/// Who is expected to send, as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// [`stripe`]
    Stripe,
    /// [`github`]
    GitHub,
    /// [`standard_webhooks`]
    StandardWebhooks,
    /// [`shopify`]
    Shopify,
    /// [`slack`]
    Slack,
    /// Any other sender that signs with an HMAC; see [`hmac`].
    Hmac(HmacScheme),
    /// Nobody in particular: nothing is checked.
    None,
}

impl Provider {
    /// All names that a configuration may use.
    pub const NAMES: &'static [&'static str] = &[
        stripe::NAME,
        github::NAME,
        standard_webhooks::NAME,
        shopify::NAME,
        slack::NAME,
        hmac::NAME,
        none::NAME,
    ];

    /// The provider of that name, if the name says all there is to say: `None` for an unknown name, and for
    /// `hmac`, which needs a [`HmacScheme`] besides.
    pub fn by_name(name: &str) -> Option<Provider> {
        let plain = [
            Provider::Stripe,
            Provider::GitHub,
            Provider::StandardWebhooks,
            Provider::Shopify,
            Provider::Slack,
            Provider::None,
        ];
        plain.into_iter().find(|provider| provider.name() == name)
    }

    /// The name in the configuration, in logs and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Provider::Stripe => stripe::NAME,
            Provider::GitHub => github::NAME,
            Provider::StandardWebhooks => standard_webhooks::NAME,
            Provider::Shopify => shopify::NAME,
            Provider::Slack => slack::NAME,
            Provider::Hmac(_) => hmac::NAME,
            Provider::None => none::NAME,
        }
    }
}

/// The proof that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// When the sender signed, if the provider signs a time.
    pub signed_at: Option<Timestamp>,
    /// Which configured secret made the signature, counted from zero. A rotation is over when the old one is
    /// no longer seen. `None` only for provider `none`.
    pub secret_index: Option<usize>,
}

/// A text that the provider wants to see in the answer before it sends real events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The text to echo. Bounded and free of control characters.
    pub text: String,
}

/// One source's check, with its keys parsed and ready. `Debug` shows the provider and no key material.
pub struct Verifier {
    scheme: Scheme,
    tolerance: Tolerance,
}

/// What each provider needs at hand.
enum Scheme {
    Stripe(stripe::Stripe),
    GitHub(github::GitHub),
    StandardWebhooks(standard_webhooks::StandardWebhooks),
    Shopify(shopify::Shopify),
    Slack(slack::Slack),
    Hmac(hmac::GenericHmac),
    None,
}

impl Verifier {
    /// Parses the secrets once. Several secrets are all accepted, which is how one rotates them.
    ///
    /// # Errors
    /// No secret for a provider that signs, secrets for `none`, an empty secret, or one that is not in the form
    /// the provider prescribes.
    pub fn new(provider: &Provider, secrets: &[Secret], tolerance: Tolerance) -> Result<Verifier, KeyError> {
        let scheme = match provider {
            Provider::Stripe => Scheme::Stripe(stripe::Stripe::new(secrets)?),
            Provider::GitHub => Scheme::GitHub(github::GitHub::new(secrets)?),
            Provider::StandardWebhooks => {
                Scheme::StandardWebhooks(standard_webhooks::StandardWebhooks::new(secrets)?)
            }
            Provider::Shopify => Scheme::Shopify(shopify::Shopify::new(secrets)?),
            Provider::Slack => Scheme::Slack(slack::Slack::new(secrets)?),
            Provider::Hmac(scheme) => Scheme::Hmac(hmac::GenericHmac::new(scheme, secrets)?),
            Provider::None => {
                none::check(secrets)?;
                Scheme::None
            }
        };
        Ok(Verifier { scheme, tolerance })
    }

    /// Decides whether one of the secrets signed this request, at a time near enough to `now`.
    ///
    /// # Errors
    /// The reason, for the log. The caller is told nothing but "401".
    pub fn verify(&self, incoming: &Incoming<'_>, now: Timestamp) -> Result<Verified, Refusal> {
        match &self.scheme {
            Scheme::Stripe(stripe) => stripe.verify(incoming, self.tolerance, now),
            Scheme::GitHub(github) => github.verify(incoming),
            Scheme::StandardWebhooks(standard) => standard.verify(incoming, self.tolerance, now),
            Scheme::Shopify(shopify) => shopify.verify(incoming),
            Scheme::Slack(slack) => slack.verify(incoming, self.tolerance, now),
            Scheme::Hmac(hmac) => hmac.verify(incoming, self.tolerance, now),
            Scheme::None => none::verify(),
        }
    }

    /// The provider's own id and type of the event. Only meaningful after [`Verifier::verify`] said yes, and
    /// only as trustworthy as the place they come from: see the provider's file for what is signed.
    pub fn identify(&self, incoming: &Incoming<'_>) -> Identity {
        match self.scheme {
            Scheme::Stripe(_) => stripe::identify(incoming),
            Scheme::GitHub(_) => github::identify(incoming),
            Scheme::StandardWebhooks(_) => standard_webhooks::identify(incoming),
            Scheme::Shopify(_) => shopify::identify(incoming),
            Scheme::Slack(_) => slack::identify(incoming),
            Scheme::Hmac(_) | Scheme::None => Identity::default(),
        }
    }

    /// The text to echo, if this is the provider's handshake instead of an event. Only to be asked after
    /// [`Verifier::verify`] said yes.
    pub fn challenge(&self, incoming: &Incoming<'_>) -> Option<Challenge> {
        match self.scheme {
            Scheme::Slack(_) => slack::challenge(incoming),
            Scheme::Stripe(_)
            | Scheme::GitHub(_)
            | Scheme::StandardWebhooks(_)
            | Scheme::Shopify(_)
            | Scheme::Hmac(_)
            | Scheme::None => None,
        }
    }

    /// Headers worth storing with the event, in lower case. Signatures are not among them: a stored signature
    /// helps nobody but a thief of the store, who could replay it.
    pub fn kept_headers(&self) -> &'static [&'static str] {
        match self.scheme {
            Scheme::Stripe(_) => stripe::KEPT_HEADERS,
            Scheme::GitHub(_) => github::KEPT_HEADERS,
            Scheme::StandardWebhooks(_) => standard_webhooks::KEPT_HEADERS,
            Scheme::Shopify(_) => shopify::KEPT_HEADERS,
            Scheme::Slack(_) => slack::KEPT_HEADERS,
            Scheme::Hmac(_) => hmac::KEPT_HEADERS,
            Scheme::None => none::KEPT_HEADERS,
        }
    }

    /// The name of the provider that is checked.
    pub fn provider_name(&self) -> &'static str {
        match self.scheme {
            Scheme::Stripe(_) => stripe::NAME,
            Scheme::GitHub(_) => github::NAME,
            Scheme::StandardWebhooks(_) => standard_webhooks::NAME,
            Scheme::Shopify(_) => shopify::NAME,
            Scheme::Slack(_) => slack::NAME,
            Scheme::Hmac(_) => hmac::NAME,
            Scheme::None => none::NAME,
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("provider", &self.provider_name())
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

/// Signs `body` the way `provider` does, for demonstrations, load tests and deliveries of our own.
///
/// `id` becomes the delivery's id where the provider carries it in a header, and is ignored elsewhere.
///
/// # Errors
/// A secret that does not fit, an id or a time that cannot be written down, a generic scheme that signs headers
/// unknown here, or provider `none`.
pub fn sign(
    provider: &Provider,
    secret: &Secret,
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<SignedHeaders, SignError> {
    match provider {
        Provider::Stripe => stripe::sign(secret, now, body),
        Provider::GitHub => github::sign(secret, id, body),
        Provider::StandardWebhooks => standard_webhooks::sign(secret, id, now, body),
        Provider::Shopify => shopify::sign(secret, id, body),
        Provider::Slack => slack::sign(secret, now, body),
        Provider::Hmac(scheme) => hmac::sign(scheme, secret, now, body),
        Provider::None => Err(SignError::Unsigned),
    }
}
