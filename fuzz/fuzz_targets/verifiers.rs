//! Whatever a stranger sends, no verifier panics and none but `none` accepts it.
//!
//! The input looks like an HTTP message: lines of `name: value`, an empty line, the body. The secrets are not in
//! the seeds, so accepting anything means that a signature was not needed.
#![no_main]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tidegate_core::secret::Secret;
use tidegate_core::verify::{
    HmacScheme, HmacSettings, Incoming, MAX_LABEL_BYTES, Provider, Tolerance, Verifier, sign,
};

const SYMMETRIC: &str = "whsec_b25lIHNlY3JldCB0aGF0IG5vYm9keSBndWVzc2Vz";
/// The public half of a key pair whose seed is 32 times the byte 7.
const PUBLIC: &str = "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";

static PROVIDERS: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    let plain = Provider::NAMES.iter().filter_map(|name| Provider::by_name(name));
    plain.filter(|provider| *provider != Provider::None).chain(schemes()).collect()
});

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let keys = |provider: &Provider| match provider {
        Provider::StandardWebhooks => vec![Secret::new(SYMMETRIC), Secret::new(PUBLIC)],
        _ => vec![Secret::new(SYMMETRIC), Secret::new("another")],
    };
    let build = |provider| Verifier::new(provider, &keys(provider), Tolerance::default());
    PROVIDERS.iter().map(build).collect::<Result<_, _>>().expect("the secrets fit the providers")
});

fn schemes() -> impl Iterator<Item = Provider> {
    let common = HmacSettings { header: "x-sig", prefix: "v1=", ..HmacSettings::default() };
    let timed = HmacSettings { timestamp_header: Some("x-time"), ..common };
    [
        HmacSettings { algorithm: "sha256", encoding: "hex", content: "{body}", ..common },
        HmacSettings { algorithm: "sha256", encoding: "base64", content: "{timestamp}.{body}", ..timed },
        HmacSettings { algorithm: "sha512", encoding: "base64url", content: "{body}{timestamp}", ..timed },
    ]
    .into_iter()
    .map(|settings| Provider::Hmac(HmacScheme::parse(&settings).expect("the schemes are valid")))
}

fuzz_target!(|input: &[u8]| {
    let (headers, body) = message(input);
    let now = Timestamp::from_second(1_700_000_000).expect("a time in range");
    for verifier in VERIFIERS.iter() {
        let incoming = Incoming { headers: &headers, body };
        assert!(verifier.verify(&incoming, now).is_err(), "{verifier:?} accepted a stranger");
        let identity = verifier.identify(&incoming);
        for label in [identity.external_id, identity.event_type].into_iter().flatten() {
            assert!(label.len() <= MAX_LABEL_BYTES && !label.chars().any(char::is_control));
        }
        let _ = verifier.challenge(&incoming);
    }
    own_signature_is_accepted(body, now);
    odd_configuration(&headers, body);
});

/// Lines up to the first empty one are headers; those that HTTP does not allow are left out.
fn message(input: &[u8]) -> (HeaderMap, &[u8]) {
    let (mut headers, mut rest) = (HeaderMap::new(), input);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if line.is_empty() {
            return (headers, rest);
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

fn own_signature_is_accepted(body: &[u8], now: Timestamp) {
    let secret = Secret::new(SYMMETRIC);
    for (provider, verifier) in PROVIDERS.iter().zip(VERIFIERS.iter()) {
        let headers = sign(provider, &secret, "id_1", now, body).expect("the secret can sign");
        let headers: HeaderMap = headers.into_iter().collect();
        let verdict = verifier.verify(&Incoming { headers: &headers, body }, now);
        assert!(verdict.is_ok(), "{verifier:?} refused its own signature");
    }
}

/// Keys and schemes are text from outside as well, if from a more trusted side.
fn odd_configuration(headers: &HeaderMap, body: &[u8]) {
    let secret = Secret::new(body);
    for provider in PROVIDERS.iter() {
        let _ = Verifier::new(provider, std::slice::from_ref(&secret), Tolerance::default());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let _ = HmacScheme::parse(&HmacSettings {
        header: text("header").unwrap_or("x-sig"),
        algorithm: text("algorithm").unwrap_or("sha256"),
        encoding: text("encoding").unwrap_or("hex"),
        prefix: text("prefix").unwrap_or(""),
        content: text("content").unwrap_or("{body}"),
        timestamp_header: text("timestamp-header"),
        timestamp_unit: text("timestamp-unit"),
    });
}
