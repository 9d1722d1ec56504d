//! What can be wrong with a configured secret, found once at start instead of at the first webhook.
//!
//! Errors name the position of the secret in the list, because the value must not be printed and several
//! secrets are normal during a rotation.

use crate::secret::Secret;

/// Most secrets one source may have. A rotation needs two; every further one costs a MAC over each body.
pub const MAX_SECRETS: usize = 16;

/// A configured secret, or the number of secrets, does not fit the provider. Never contains key material.
///
/// `index` counts from zero in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The provider signs its requests and no secret was given to check them with.
    #[error("provider `{provider}` needs at least one secret")]
    NoSecret {
        /// Name of the provider as in the configuration.
        provider: &'static str,
    },
    /// Provider `none` checks nothing; a secret there is a mistake that would look like protection.
    #[error("provider `none` checks no signature, so its {count} secret(s) would never be used")]
    UnusedSecret {
        /// How many were given.
        count: usize,
    },
    /// More than [`MAX_SECRETS`].
    #[error("{count} secrets, at most {MAX_SECRETS} are allowed")]
    TooManySecrets {
        /// How many were given.
        count: usize,
    },
    /// The secret is empty, or consists of zero bytes only, which is the same to HMAC; anybody could sign with it.
    #[error("secrets[{index}] is empty or holds nothing but zero bytes")]
    Empty {
        /// Position of the secret.
        index: usize,
    },
    /// The secret has to be base64 behind its prefix and is not.
    #[error("secrets[{index}] is not base64 (after its prefix `{prefix}`, if it has one)")]
    NotBase64 {
        /// Position of the secret.
        index: usize,
        /// The prefix that was found or that is usual for this kind of key.
        prefix: &'static str,
    },
    /// An Ed25519 key of the wrong size.
    #[error("secrets[{index}] (`{prefix}`) holds {actual} bytes instead of {expected}")]
    WrongLength {
        /// Position of the secret.
        index: usize,
        /// The prefix that announced the kind of key.
        prefix: &'static str,
        /// Bytes that the kind of key has.
        expected: usize,
        /// Bytes that were found.
        actual: usize,
    },
    /// The bytes are no Ed25519 public key, or one of the few weak ones for which anybody can make a signature.
    #[error("secrets[{index}] is not a usable Ed25519 public key")]
    InvalidPublicKey {
        /// Position of the secret.
        index: usize,
    },
    /// The two halves of a `whsk_` key do not belong together.
    #[error("secrets[{index}] is not a consistent Ed25519 key pair")]
    InconsistentKeyPair {
        /// Position of the secret.
        index: usize,
    },
    /// A private key where only the public one is needed. It is refused, because a receiver that holds it can
    /// be robbed of it.
    #[error("secrets[{index}] is a private key (`whsk_`); checking needs only the public key (`whpk_`)")]
    PrivateKey {
        /// Position of the secret.
        index: usize,
    },
    /// A public key where a signature has to be made.
    #[error("secrets[{index}] is a public key (`whpk_`), which cannot sign")]
    CannotSign {
        /// Position of the secret.
        index: usize,
    },
}

impl KeyError {
    /// Position of the offending secret in the configuration, where one secret is to blame.
    pub fn secret_index(&self) -> Option<usize> {
        match *self {
            KeyError::NoSecret { .. } | KeyError::UnusedSecret { .. } | KeyError::TooManySecrets { .. } => {
                None
            }
            KeyError::Empty { index }
            | KeyError::NotBase64 { index, .. }
            | KeyError::WrongLength { index, .. }
            | KeyError::InvalidPublicKey { index }
            | KeyError::InconsistentKeyPair { index }
            | KeyError::PrivateKey { index }
            | KeyError::CannotSign { index } => Some(index),
        }
    }
}

/// A request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The secret does not fit the provider.
    #[error("the signing secret does not fit")]
    Key(#[from] KeyError),
    /// The time lies before 1970; every scheme counts up from there.
    #[error("the time lies before 1970 and cannot be written as a Unix timestamp")]
    BeforeEpoch,
    /// The id would not survive as an HTTP header, or would make the signed text ambiguous.
    #[error("the id is empty or has a character that header `{header}` cannot carry")]
    UnusableId {
        /// The header that would carry it.
        header: http::HeaderName,
    },
    /// The scheme signs a further header of the request, which the signer was not given.
    #[error("the scheme signs header `{header}`, whose value is not known here")]
    UnknownHeader {
        /// The header that the scheme's template names.
        header: http::HeaderName,
    },
    /// Provider `none` has no signature to make.
    #[error("provider `none` does not sign")]
    Unsigned,
}

/// The first check of every signed provider: between one and [`MAX_SECRETS`] secrets, none of them empty.
pub(super) fn check_secrets(provider: &'static str, secrets: &[Secret]) -> Result<(), KeyError> {
    if secrets.is_empty() {
        return Err(KeyError::NoSecret { provider });
    }
    if secrets.len() > MAX_SECRETS {
        return Err(KeyError::TooManySecrets { count: secrets.len() });
    }
    match secrets.iter().position(Secret::is_empty) {
        Some(index) => Err(KeyError::Empty { index }),
        None => Ok(()),
    }
}

/// The signing secret is empty. Signing takes a single secret, so its place is zero.
pub(super) const EMPTY: SignError = SignError::Key(KeyError::Empty { index: 0 });
