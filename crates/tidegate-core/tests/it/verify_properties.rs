//! What must hold for every provider, checked with arbitrary secrets, bodies, times and ids.
//!
//! A request that was signed is accepted; the same request with one bit flipped anywhere that is signed is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tidegate_core::secret::Secret;
use tidegate_core::verify::{
    HmacScheme, HmacSettings, Incoming, Provider, Refusal, Tolerance, Verified, Verifier, sign,
};

/// Every way to sign that the room knows; the generic one in several spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Stripe,
    GitHub,
    Symmetric,
    Asymmetric,
    Shopify,
    Slack,
    PlainHex,
    PrefixedBase64,
    TimedSha512,
}

const WAYS: [Way; 9] = [
    Way::Stripe,
    Way::GitHub,
    Way::Symmetric,
    Way::Asymmetric,
    Way::Shopify,
    Way::Slack,
    Way::PlainHex,
    Way::PrefixedBase64,
    Way::TimedSha512,
];

/// Headers that go with a signature and are not covered by it; the providers' files say so.
const UNSIGNED: [&str; 2] = ["x-github-delivery", "x-shopify-event-id"];

impl Way {
    fn provider(self) -> Provider {
        let hmac = |algorithm, encoding, prefix, content, timestamp_header, timestamp_unit| {
            let header = "x-sig";
            let settings = HmacSettings {
                header,
                algorithm,
                encoding,
                prefix,
                content,
                timestamp_header,
                timestamp_unit,
            };
            Provider::Hmac(HmacScheme::parse(&settings).unwrap())
        };
        match self {
            Way::Stripe => Provider::Stripe,
            Way::GitHub => Provider::GitHub,
            Way::Symmetric | Way::Asymmetric => Provider::StandardWebhooks,
            Way::Shopify => Provider::Shopify,
            Way::Slack => Provider::Slack,
            Way::PlainHex => hmac("sha256", "hex", "", "{body}", None, None),
            Way::PrefixedBase64 => {
                hmac("sha256", "base64", "v1=", "v1:{header:x-time}:{body}", Some("x-time"), Some("s"))
            }
            Way::TimedSha512 => {
                hmac("sha512", "base64url", "", "{body}{timestamp}", Some("x-time"), Some("ms"))
            }
        }
    }

    /// The secret that signs and the one that checks.
    fn secrets(self, seed: [u8; 32]) -> (Secret, Secret) {
        match self {
            Way::Asymmetric => {
                let pair = SigningKey::from_bytes(&seed);
                let private = format!("whsk_{}", STANDARD.encode(pair.to_keypair_bytes()));
                let public = format!("whpk_{}", STANDARD.encode(pair.verifying_key().as_bytes()));
                (Secret::new(private), Secret::new(public))
            }
            Way::Symmetric => {
                let text = format!("whsec_{}", STANDARD.encode(seed));
                (Secret::new(text.clone()), Secret::new(text))
            }
            Way::Stripe
            | Way::GitHub
            | Way::Shopify
            | Way::Slack
            | Way::PlainHex
            | Way::PrefixedBase64
            | Way::TimedSha512 => (Secret::new(seed), Secret::new(seed)),
        }
    }

    fn is_timed(self) -> bool {
        !matches!(self, Way::GitHub | Way::Shopify | Way::PlainHex)
    }

    fn verifier(self, seeds: &[[u8; 32]], tolerance: Tolerance) -> Verifier {
        let secrets: Vec<Secret> = seeds.iter().map(|seed| self.secrets(*seed).1).collect();
        Verifier::new(&self.provider(), &secrets, tolerance).unwrap()
    }

    fn sign(self, seed: [u8; 32], id: &str, at: Timestamp, body: &[u8]) -> HeaderMap {
        sign(&self.provider(), &self.secrets(seed).0, id, at, body).unwrap().into_iter().collect()
    }
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(WAYS.to_vec())
}

/// Keys without zero bytes: HMAC fills up with zeros, so keys that differ in trailing ones only are equal.
fn seed() -> impl Strategy<Value = [u8; 32]> {
    prop::array::uniform32(1_u8..)
}

fn second() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0_i64..=4_000_000_000, 200_000_000_000_i64..=253_000_000_000]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "\\{\"id\":\"evt_[a-z0-9]{0,9}\",\"type\":\"[a-z.]{0,9}\"\\}".prop_map(String::into_bytes),
        "[0-9.:,=]{0,40}".prop_map(String::into_bytes),
    ]
}

fn id() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_-]{1,40}"
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn verify(
    verifier: &Verifier,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Verified, Refusal> {
    verifier.verify(&Incoming { headers, body }, now)
}

/// The value with one bit flipped, or `None` where the result could not travel in a header at all.
fn flip(value: &HeaderValue, bit: usize) -> Option<HeaderValue> {
    let mut bytes = value.as_bytes().to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    HeaderValue::from_bytes(&bytes).ok()
}

/// Text that resembles what the headers hold, to get past the first checks.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "t=",
            "v1=",
            "v0=",
            "v1,",
            "v1a,",
            "sha256=",
            ",",
            " ",
            "=",
            ".",
            "-",
            "0",
            "1700000000",
            "1700000000000",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        "[0-9a-f]{64}".prop_map(String::into_bytes),
        prop::array::uniform32(any::<u8>()).prop_map(|bytes| STANDARD.encode(bytes).into_bytes()),
        prop::collection::vec(any::<u8>(), 64).prop_map(|bytes| STANDARD.encode(bytes).into_bytes()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Every header that some provider reads.
const READ: [&str; 16] = [
    "stripe-signature",
    "x-hub-signature-256",
    "x-github-delivery",
    "x-github-event",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "x-shopify-hmac-sha256",
    "x-shopify-topic",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "x-sig",
    "x-time",
];

fn stranger() -> impl Strategy<Value = HeaderMap> {
    let value = prop_oneof![
        4 => plausible().boxed(),
        1 => Just(b"1700000000".to_vec()).boxed(),
        1 => Just(format!("t=1700000000,v1={}", "a".repeat(64)).into_bytes()).boxed(),
        1 => Just(format!("v1,{}=", "A".repeat(43)).into_bytes()).boxed(),
        1 => Just(format!("v1a,{}==", "A".repeat(86)).into_bytes()).boxed(),
        1 => Just(format!("sha256={}", "0".repeat(64)).into_bytes()).boxed(),
    ];
    prop::collection::vec((prop::sample::select(READ.to_vec()), value), 0..24).prop_map(|pairs| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        headers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn signed_is_accepted(way in way(), seed in seed(), id in id(), second in second(), body in body()) {
        let headers = way.sign(seed, &id, at(second), &body);
        let verified = verify(&way.verifier(&[seed], Tolerance::default()), &headers, &body, at(second)).unwrap();
        prop_assert_eq!(verified.signed_at, way.is_timed().then(|| at(second)));
        prop_assert_eq!(verified.secret_index, Some(0));
    }

    #[test]
    fn a_flipped_bit_of_the_body_is_refused(
        way in way(), seed in seed(), id in id(), second in second(), body in body(), bit in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!body.is_empty());
        let headers = way.sign(seed, &id, at(second), &body);
        let mut changed = body;
        let bit = bit.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        let verdict = verify(&way.verifier(&[seed], Tolerance::default()), &headers, &changed, at(second));
        prop_assert!(matches!(verdict, Err(Refusal::SignatureInvalid { .. })), "{:?}", verdict);
    }

    #[test]
    fn a_longer_or_shorter_body_is_refused(
        way in way(), seed in seed(), id in id(), second in second(), body in body(), more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let headers = way.sign(seed, &id, at(second), &body);
        let verifier = way.verifier(&[seed], Tolerance::default());
        let longer = [body.as_slice(), &more].concat();
        prop_assert!(verify(&verifier, &headers, &longer, at(second)).is_err());
        if let Some((_, shorter)) = body.split_last() {
            prop_assert!(verify(&verifier, &headers, shorter, at(second)).is_err());
        }
        if let Some((_, shorter)) = body.split_first() {
            prop_assert!(verify(&verifier, &headers, shorter, at(second)).is_err());
        }
    }

    /// Covers signature, time and id wherever the scheme signs them, and every separator in between.
    #[test]
    fn a_flipped_bit_of_a_signed_header_is_refused(
        way in way(), seed in seed(), id in id(), second in second(), body in body(),
        which in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>(),
    ) {
        let headers = way.sign(seed, &id, at(second), &body);
        // A window without end, so that only the signature can refuse a changed time.
        let verifier = way.verifier(&[seed], Tolerance { past_s: u64::MAX, future_s: u64::MAX });
        let signed: Vec<&HeaderName> = headers.keys().filter(|name| !UNSIGNED.contains(&name.as_str())).collect();
        let name = signed[which.index(signed.len())];
        let value = &headers[name];
        let changed = flip(value, bit.index(value.len() * 8));
        prop_assume!(changed.is_some());
        let changed = changed.unwrap();
        // Hex of a generic scheme may be in either case, which changes no byte of the signature.
        let same = way == Way::PlainHex && changed.as_bytes().eq_ignore_ascii_case(value.as_bytes());
        let mut forged = headers.clone();
        forged.insert(name, changed);
        prop_assert_eq!(verify(&verifier, &forged, &body, at(second)).is_ok(), same);
    }

    #[test]
    fn a_foreign_secret_is_refused(
        way in way(), ours in seed(), theirs in seed(), id in id(), second in second(), body in body(),
    ) {
        prop_assume!(ours != theirs);
        let headers = way.sign(theirs, &id, at(second), &body);
        let verdict = verify(&way.verifier(&[ours], Tolerance::default()), &headers, &body, at(second));
        prop_assert!(matches!(verdict, Err(Refusal::SignatureInvalid { .. })), "{:?}", verdict);
    }

    #[test]
    fn every_secret_of_a_rotation_is_accepted_and_named(
        way in way(), seeds in prop::collection::hash_set(seed(), 2..5), which in any::<prop::sample::Index>(),
        id in id(), second in second(), body in body(),
    ) {
        let seeds: Vec<[u8; 32]> = seeds.into_iter().collect();
        let which = which.index(seeds.len());
        let headers = way.sign(seeds[which], &id, at(second), &body);
        let verified = verify(&way.verifier(&seeds, Tolerance::default()), &headers, &body, at(second)).unwrap();
        prop_assert_eq!(verified.secret_index, Some(which));
    }

    #[test]
    fn the_window_is_exact_on_both_sides(
        way in way(), seed in seed(), id in id(), second in 100_000_i64..=4_000_000_000, body in body(),
        past_s in 0_u64..90_000, future_s in 0_u64..90_000,
    ) {
        let headers = way.sign(seed, &id, at(second), &body);
        let verifier = way.verifier(&[seed], Tolerance { past_s, future_s });
        let nano = SignedDuration::from_nanos(1);
        let last = at(second) + SignedDuration::from_secs(past_s as i64);
        let first = at(second) - SignedDuration::from_secs(future_s as i64);
        prop_assert!(verify(&verifier, &headers, &body, first).is_ok());
        prop_assert!(verify(&verifier, &headers, &body, last).is_ok());
        let (late, early) =
            (verify(&verifier, &headers, &body, last + nano), verify(&verifier, &headers, &body, first - nano));
        if way.is_timed() {
            let stale = matches!(late, Err(Refusal::TimestampStale { tolerance_s, .. }) if tolerance_s == past_s);
            let ahead = matches!(early, Err(Refusal::TimestampInFuture { tolerance_s, .. }) if tolerance_s == future_s);
            prop_assert!(stale && ahead, "{:?} {:?}", late, early);
        } else {
            prop_assert!(late.is_ok() && early.is_ok());
        }
    }

    #[test]
    fn strangers_are_refused_and_nothing_panics(seed in seed(), headers in stranger(), body in body()) {
        let now = at(1_700_000_000);
        for way in WAYS {
            let verifier = way.verifier(&[seed], Tolerance::default());
            let incoming = Incoming { headers: &headers, body: &body };
            prop_assert!(verifier.verify(&incoming, now).is_err());
            let identity = verifier.identify(&incoming);
            for label in [identity.external_id, identity.event_type].into_iter().flatten() {
                prop_assert!((1..=255).contains(&label.len()) && !label.chars().any(char::is_control));
            }
            let _ = verifier.challenge(&incoming);
        }
    }

    #[test]
    fn a_scheme_that_parses_can_be_used(
        header in "\\PC{0,8}|x-[a-z]{1,4}", encoding in "hex|base64|base64url|x", prefix in "\\PC{0,6}|v1=",
        content in "\\PC{0,20}|(\\{(timestamp|body|header:x-[ab])\\}|[.:]){0,5}",
        timestamp in prop::option::of("x-[ab]"), seed in seed(), body in body(),
    ) {
        let settings = HmacSettings {
            header: &header, algorithm: "sha256", encoding: &encoding, prefix: &prefix, content: &content,
            timestamp_header: timestamp.as_deref(), timestamp_unit: None,
        };
        match HmacScheme::parse(&settings) {
            Err(errors) => prop_assert!(!errors.is_empty()),
            Ok(scheme) => {
                let provider = Provider::Hmac(scheme);
                let verifier = Verifier::new(&provider, &[Secret::new(seed)], Tolerance::default()).unwrap();
                if let Ok(headers) = sign(&provider, &Secret::new(seed), "", at(1_700_000_000), &body) {
                    let headers: HeaderMap = headers.into_iter().collect();
                    prop_assert!(verify(&verifier, &headers, &body, at(1_700_000_000)).is_ok());
                }
            }
        }
    }

    #[test]
    fn arbitrary_secrets_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120), prefix in "whsec_|whpk_|whsk_|") {
        let secret = Secret::new([prefix.as_bytes(), &bytes].concat());
        for way in WAYS {
            let _ = Verifier::new(&way.provider(), std::slice::from_ref(&secret), Tolerance::default());
            let _ = sign(&way.provider(), &secret, "id", at(0), &bytes);
        }
    }
}
