//! Real webhook bodies, as providers document them.
//!
//! They lie beside the checkout and not in it, so a test that uses them says what it does without
//! them: it returns early when [`all`] returns `None`.

use std::path::{Path, PathBuf};

use bytes::Bytes;

/// One body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The provider's name, such as `stripe`.
    pub provider: String,
    /// The type as the provider names it: in the body for Stripe, in a header for GitHub.
    pub event_type: String,
    /// The file's name, which is unique within the provider.
    pub file_name: String,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// The folder with a folder for each provider; `None` when it is absent.
pub fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/payloads");
    folder.canonicalize().ok().filter(|folder| folder.is_dir())
}

/// Every payload, sorted by provider and file name; `None` when the folder is absent.
///
/// # Panics
/// When the folder is there but cannot be read.
pub fn all() -> Option<Vec<Payload>> {
    let mut payloads = Vec::new();
    for (provider, folder) in entries(&folder()?) {
        for (file_name, path) in entries(&folder) {
            let Some(name) = file_name.strip_suffix(".json") else { continue };
            let body = std::fs::read(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
            payloads.push(Payload {
                event_type: event_type(&provider, name).to_owned(),
                provider: provider.clone(),
                body: body.into(),
                file_name,
            });
        }
    }
    Some(payloads)
}

/// The payloads of one provider; `None` when the folder is absent.
///
/// # Panics
/// When the folder is there but cannot be read.
pub fn of(provider: &str) -> Option<Vec<Payload>> {
    let mut payloads = all()?;
    payloads.retain(|payload| payload.provider == provider);
    Some(payloads)
}

/// GitHub's files are named `TYPE.ACTION.VARIANT`, the others after the type alone.
fn event_type<'n>(provider: &str, name: &'n str) -> &'n str {
    match (provider, name.split_once('.')) {
        ("github", Some((event_type, _))) => event_type,
        _ => name,
    }
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let listed = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.unwrap_or_else(|e| panic!("cannot list {}: {e}", folder.display()));
    let mut entries: Vec<_> =
        listed.iter().map(|e| (e.file_name().to_string_lossy().into_owned(), e.path())).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_what_the_provider_calls_it() {
        assert_eq!(event_type("github", "check_run.completed.1"), "check_run");
        assert_eq!(event_type("github", "push"), "push");
        assert_eq!(event_type("stripe", "customer.subscription.created"), "customer.subscription.created");
    }

    #[test]
    fn every_payload_is_a_json_object() {
        let Some(payloads) = all() else { return };
        assert!(!payloads.is_empty());
        for Payload { provider, file_name, body, .. } in &payloads {
            assert_eq!(body.trim_ascii_start().first(), Some(&b'{'), "{provider}/{file_name}");
        }
        assert!(payloads.is_sorted_by_key(|p| (p.provider.clone(), p.file_name.clone())));
    }
}
