//! One request at a time: what is refused and why, what is read from a genuine one, and what is never printed.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use tidegate_core::secret::Secret;
use tidegate_core::verify::{
    HmacScheme, HmacSettings, Incoming, KeyError, MAX_LABEL_BYTES, MAX_SECRETS, MAX_SIGNATURES, Provider,
    Refusal, SignError, Tolerance, Verifier, sign,
};

const NOW: i64 = 1_700_000_000;
const PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const PRIVATE: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn verifier(provider: &Provider, secrets: &[&str]) -> Result<Verifier, KeyError> {
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(*text)).collect();
    Verifier::new(provider, &secrets, Tolerance::default())
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap().to_str().unwrap()
}

fn signed(provider: &Provider, secret: &str, id: &str, body: &[u8]) -> HeaderMap {
    sign(provider, &Secret::new(secret), id, now(), body).unwrap().into_iter().collect()
}

fn plain_hmac() -> Provider {
    let settings = HmacSettings {
        header: "x-sig",
        algorithm: "sha256",
        encoding: "hex",
        content: "{body}",
        ..HmacSettings::default()
    };
    Provider::Hmac(HmacScheme::parse(&settings).unwrap())
}

fn signing_providers() -> Vec<Provider> {
    let simple = Provider::NAMES.iter().filter_map(|name| Provider::by_name(name));
    simple.filter(|provider| *provider != Provider::None).chain([plain_hmac()]).collect()
}

#[test]
fn names_and_providers_agree() {
    for provider in signing_providers().iter().chain([&Provider::None]) {
        assert!(Provider::NAMES.contains(&provider.name()));
    }
    assert_eq!(Provider::NAMES.len(), signing_providers().len() + 1);
    assert_eq!(Provider::by_name("hmac"), None);
    assert_eq!(Provider::by_name("Stripe"), None);
}

#[test]
fn secrets_that_protect_nothing_are_refused_at_start() {
    for provider in signing_providers() {
        let name = provider.name();
        assert_eq!(verifier(&provider, &[]).unwrap_err(), KeyError::NoSecret { provider: name });
        assert_eq!(verifier(&provider, &["dGVzdA==", ""]).unwrap_err(), KeyError::Empty { index: 1 });
        let many = vec!["dGVzdA=="; MAX_SECRETS + 1];
        assert!(verifier(&provider, &many[1..]).is_ok(), "{name}");
        assert_eq!(
            verifier(&provider, &many).unwrap_err(),
            KeyError::TooManySecrets { count: MAX_SECRETS + 1 }
        );
    }
    assert_eq!(verifier(&Provider::None, &["x"]).unwrap_err(), KeyError::UnusedSecret { count: 1 });
    assert!(verifier(&Provider::None, &[]).is_ok());
}

#[test]
fn a_key_of_zero_bytes_is_an_empty_key() {
    for provider in [Provider::Stripe, Provider::GitHub, Provider::Shopify, Provider::Slack, plain_hmac()] {
        assert_eq!(verifier(&provider, &["ok", "\0\0"]).unwrap_err(), KeyError::Empty { index: 1 });
    }
    let provider = Provider::StandardWebhooks;
    for empty in ["whsec_", "whsec_AAAA"] {
        assert_eq!(verifier(&provider, &["dGVzdA==", empty]).unwrap_err(), KeyError::Empty { index: 1 });
    }
}

#[test]
fn standard_webhooks_keys_are_told_apart() {
    let refuse =
        |secret: &str| verifier(&Provider::StandardWebhooks, &["whsec_dGVzdA==", secret]).unwrap_err();
    assert_eq!(refuse("whsec_not base64"), KeyError::NotBase64 { index: 1, prefix: "whsec_" });
    assert_eq!(refuse("whpk_%"), KeyError::NotBase64 { index: 1, prefix: "whpk_" });
    assert_eq!(
        refuse("whpk_dGVzdA=="),
        KeyError::WrongLength { index: 1, prefix: "whpk_", expected: 32, actual: 4 }
    );
    assert_eq!(refuse(PRIVATE), KeyError::PrivateKey { index: 1 });
    // Points of small order, for which anybody can make signatures.
    for weak in
        ["AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    {
        assert_eq!(refuse(&format!("whpk_{weak}")), KeyError::InvalidPublicKey { index: 1 });
    }
    let halves_swapped = format!("whsk_{}", "A".repeat(86) + "==");
    assert_eq!(refuse(&halves_swapped), KeyError::InconsistentKeyPair { index: 1 });
    assert_eq!(refuse(PRIVATE).secret_index(), Some(1));
    assert!(
        verifier(&Provider::StandardWebhooks, &["whsec_dGVzdA", PUBLIC]).is_ok(),
        "both kinds, no padding"
    );
}

#[test]
fn signing_needs_a_key_that_can_sign() {
    let standard =
        |secret: &str, id: &str| sign(&Provider::StandardWebhooks, &Secret::new(secret), id, now(), b"{}");
    assert_eq!(standard(PUBLIC, "msg_1"), Err(SignError::Key(KeyError::CannotSign { index: 0 })));
    for id in ["", "a.b", "a\nb", "é"] {
        assert!(matches!(standard(PRIVATE, id), Err(SignError::UnusableId { .. })), "{id:?}");
    }
    assert_eq!(sign(&Provider::None, &Secret::new("x"), "1", now(), b""), Err(SignError::Unsigned));
    for provider in signing_providers() {
        assert!(matches!(sign(&provider, &Secret::new(""), "1", now(), b""), Err(SignError::Key(_))));
    }
    let early = Timestamp::from_second(-1).unwrap();
    for provider in [Provider::Stripe, Provider::Slack, Provider::StandardWebhooks] {
        let made = sign(&provider, &Secret::new("dGVzdA=="), "1", early, b"");
        assert_eq!(made, Err(SignError::BeforeEpoch));
    }
}

#[test]
fn every_needed_header_is_needed_and_must_be_single() {
    for provider in signing_providers() {
        let secret = "dGVzdA==";
        let checker = verifier(&provider, &[secret]).unwrap();
        let headers = signed(&provider, secret, "id_1", b"{}");
        assert!(checker.verify(&Incoming { headers: &headers, body: b"{}" }, now()).is_ok());
        let unsigned = ["x-github-delivery", "x-shopify-event-id"];
        for name in headers.keys().filter(|name| !unsigned.contains(&name.as_str())) {
            let mut missing = headers.clone();
            missing.remove(name);
            let refusal = checker.verify(&Incoming { headers: &missing, body: b"{}" }, now()).unwrap_err();
            assert_eq!(refusal, Refusal::MissingHeader { header: name.clone() });
            assert_eq!(refusal.error_type(), "signature_invalid");
            let mut doubled = headers.clone();
            doubled.append(name, headers[name].clone());
            let refusal = checker.verify(&Incoming { headers: &doubled, body: b"{}" }, now()).unwrap_err();
            assert!(matches!(refusal, Refusal::Malformed { header, .. } if header == *name));
        }
    }
}

#[test]
fn the_old_github_signature_is_never_believed() {
    // This is the right HMAC-SHA-1 of the body under the configured key, and still no proof.
    let mut headers = HeaderMap::new();
    set(&mut headers, "x-hub-signature", "sha1=b688f6f2602474b86713f193726755f0095edc8b");
    let checker = verifier(&Provider::GitHub, &["key"]).unwrap();
    let refusal = checker.verify(&Incoming { headers: &headers, body: b"Hello, World!" }, now()).unwrap_err();
    assert!(matches!(refusal, Refusal::MissingHeader { header } if header == "x-hub-signature-256"));
}

#[test]
fn stripe_test_scheme_is_never_believed() {
    let mut headers = signed(&Provider::Stripe, "s", "", b"{}");
    let downgraded = text(&headers, "stripe-signature").replace("v1=", "v0=");
    set(&mut headers, "stripe-signature", &downgraded);
    let checker = verifier(&Provider::Stripe, &["s"]).unwrap();
    assert!(checker.verify(&Incoming { headers: &headers, body: b"{}" }, now()).is_err());
}

#[test]
fn one_good_signature_among_many_is_enough_up_to_the_bound() {
    let checker = verifier(&Provider::Stripe, &["s"]).unwrap();
    let good = signed(&Provider::Stripe, "s", "", b"{}");
    let with = |others: usize| {
        let mut headers = good.clone();
        let (time, signature) = text(&good, "stripe-signature").split_once(',').unwrap();
        let padding = format!("v1={},", "0".repeat(64)).repeat(others);
        set(&mut headers, "stripe-signature", &format!("{time},{padding}{signature}"));
        checker.verify(&Incoming { headers: &headers, body: b"{}" }, now())
    };
    assert!(with(0).is_ok());
    assert!(with(MAX_SIGNATURES - 1).is_ok());
    assert!(matches!(with(MAX_SIGNATURES), Err(Refusal::Malformed { .. })));
}

#[test]
fn standard_webhooks_lists_are_bounded() {
    let body = b"{}";
    let provider = Provider::StandardWebhooks;
    let with = |secret: &str, signing: &str, entry: &str, others: usize| {
        let mut headers = signed(&provider, signing, "msg_1", body);
        let list = format!("{}{}", format!("{entry} ").repeat(others), text(&headers, "webhook-signature"));
        set(&mut headers, "webhook-signature", &list);
        verifier(&provider, &[secret]).unwrap().verify(&Incoming { headers: &headers, body }, now())
    };
    let zeros = format!("v1,{}=", "A".repeat(43));
    assert!(with("dGVzdA==", "dGVzdA==", &zeros, MAX_SIGNATURES - 1).is_ok());
    assert!(with("dGVzdA==", "dGVzdA==", &zeros, MAX_SIGNATURES).is_err());
    let zeros = format!("v1a,{}==", "A".repeat(86));
    assert!(with(PUBLIC, PRIVATE, &zeros, 3).is_ok());
    assert!(with(PUBLIC, PRIVATE, &zeros, 4).is_err());
    for odd in ["v1,", "v1a,", "v1,xyz", "v2,whatever", ","] {
        assert!(with("dGVzdA==", "dGVzdA==", odd, 1).is_ok(), "{odd:?} does not spoil a good neighbour");
    }
    for odd in ["", "v1", "garbage"] {
        assert!(with("dGVzdA==", "dGVzdA==", odd, 1).is_err(), "{odd:?} is no entry of such a list");
    }
}

#[test]
fn a_signature_counts_only_under_its_own_version() {
    let provider = Provider::StandardWebhooks;
    let headers = signed(&provider, "dGVzdA==", "msg_1", b"{}");
    let checker = verifier(&provider, &["dGVzdA==", PUBLIC]).unwrap();
    for version in ["v1a", "v2", "V1", "v", ""] {
        let mut renamed = headers.clone();
        let entry = text(&headers, "webhook-signature").replacen("v1", version, 1);
        set(&mut renamed, "webhook-signature", &entry);
        assert!(checker.verify(&Incoming { headers: &renamed, body: b"{}" }, now()).is_err(), "{version:?}");
    }
}

#[test]
fn the_two_sets_of_standard_headers_never_mix() {
    let provider = Provider::StandardWebhooks;
    let standard = signed(&provider, "dGVzdA==", "msg_1", b"{}");
    let parts = [
        ("webhook-id", "svix-id"),
        ("webhook-timestamp", "svix-timestamp"),
        ("webhook-signature", "svix-signature"),
    ];
    let checker = verifier(&provider, &["dGVzdA=="]).unwrap();
    for choice in 0..8_u8 {
        let mut mixed = HeaderMap::new();
        for (bit, (name, alias)) in parts.into_iter().enumerate() {
            let target = if choice >> bit & 1 == 1 { alias } else { name };
            set(&mut mixed, target, text(&standard, name));
        }
        let verdict = checker.verify(&Incoming { headers: &mixed, body: b"{}" }, now());
        assert_eq!(verdict.is_ok(), choice == 0 || choice == 7, "{choice:03b}");
    }
    // A complete foreign set beside a forged standard one does not help, and the id comes from the checked set.
    let mut both: HeaderMap = standard.clone();
    for (name, alias) in parts {
        set(&mut both, alias, text(&standard, name));
    }
    set(&mut both, "svix-id", "other");
    let incoming = Incoming { headers: &both, body: b"{}" };
    assert!(checker.verify(&incoming, now()).is_ok());
    assert_eq!(checker.identify(&incoming).external_id.as_deref(), Some("msg_1"));
    set(&mut both, "webhook-id", "forged");
    assert!(checker.verify(&Incoming { headers: &both, body: b"{}" }, now()).is_err());
}

/// `a.1.2` read as id `a`, time `1`, body `2`, or as id `a.1` and time `2`: the dot in an id is refused.
#[test]
fn the_cut_between_id_and_time_cannot_be_moved() {
    let provider = Provider::StandardWebhooks;
    let body = format!("{NOW}.rest");
    let mut headers = signed(&provider, "dGVzdA==", "msg_1", body.as_bytes());
    let moved = format!("msg_1.{NOW}");
    set(&mut headers, "webhook-id", &moved);
    let checker = verifier(&provider, &["dGVzdA=="]).unwrap();
    let refusal = checker.verify(&Incoming { headers: &headers, body: b"rest" }, now()).unwrap_err();
    assert!(matches!(refusal, Refusal::Malformed { header, .. } if header == "webhook-id"));
}

/// With `{body}{timestamp}` a zero could move from the end of the body to the front of the time.
#[test]
fn a_zero_cannot_wander_from_the_body_into_the_time() {
    let settings = HmacSettings {
        header: "x-sig",
        algorithm: "sha256",
        encoding: "hex",
        content: "{body}{timestamp}",
        timestamp_header: Some("x-time"),
        ..HmacSettings::default()
    };
    let provider = Provider::Hmac(HmacScheme::parse(&settings).unwrap());
    let mut headers = signed(&provider, "s", "", b"amount=100");
    let checker = verifier(&provider, &["s"]).unwrap();
    assert!(checker.verify(&Incoming { headers: &headers, body: b"amount=100" }, now()).is_ok());
    set(&mut headers, "x-time", &format!("0{NOW}"));
    assert!(checker.verify(&Incoming { headers: &headers, body: b"amount=10" }, now()).is_err());
}

#[test]
fn stale_means_authentic_and_late() {
    let checker = verifier(&Provider::Stripe, &["s"]).unwrap();
    let headers = signed(&Provider::Stripe, "s", "", b"{}");
    let later = Timestamp::from_second(NOW + 301).unwrap();
    let stale = checker.verify(&Incoming { headers: &headers, body: b"{}" }, later).unwrap_err();
    assert_eq!(stale, Refusal::TimestampStale { age_s: 301, tolerance_s: 300 });
    assert_eq!(stale.error_type(), "timestamp_stale");
    let forged = checker.verify(&Incoming { headers: &headers, body: b"[]" }, later).unwrap_err();
    assert_eq!(forged.error_type(), "signature_invalid");
    let sooner = Timestamp::from_second(NOW - 301).unwrap();
    let early = checker.verify(&Incoming { headers: &headers, body: b"{}" }, sooner).unwrap_err();
    assert_eq!(early, Refusal::TimestampInFuture { ahead_s: 301, tolerance_s: 300 });
    assert_eq!(early.error_type(), "timestamp_stale");
}

#[test]
fn identities_come_from_where_each_provider_puts_them() {
    let identity = |provider: &Provider, pairs: &[(&'static str, &str)], body: &[u8]| {
        let secrets: &[&str] = if *provider == Provider::None { &[] } else { &["dGVzdA=="] };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            set(&mut headers, name, value);
        }
        let found = verifier(provider, secrets).unwrap().identify(&Incoming { headers: &headers, body });
        (found.external_id, found.event_type)
    };
    let some = |id: &str, kind: &str| (Some(id.to_owned()), Some(kind.to_owned()));
    let event = br#"{"id":"evt_1","object":"event","type":"invoice.paid"}"#;
    assert_eq!(identity(&Provider::Stripe, &[], event), some("evt_1", "invoice.paid"));
    let github = [("x-github-delivery", "72d3"), ("x-github-event", "issues")];
    assert_eq!(
        identity(&Provider::GitHub, &github, br#"{"action":"opened"}"#),
        some("72d3", "issues.opened")
    );
    assert_eq!(identity(&Provider::GitHub, &github, br#"{"action":7}"#), some("72d3", "issues"));
    assert_eq!(identity(&Provider::GitHub, &github, b"payload=%7B%7D"), some("72d3", "issues"));
    assert_eq!(identity(&Provider::GitHub, &[], br#"{"action":"opened"}"#), (None, None));
    let kind = br#"{"type":"contact.created","data":{"type":"contact"}}"#;
    assert_eq!(
        identity(&Provider::StandardWebhooks, &[("webhook-id", "msg_1")], kind),
        some("msg_1", "contact.created")
    );
    assert_eq!(
        identity(&Provider::StandardWebhooks, &[("svix-id", "msg_2")], kind),
        some("msg_2", "contact.created")
    );
    let shopify =
        [("x-shopify-event-id", "e"), ("x-shopify-webhook-id", "w"), ("x-shopify-topic", "orders/create")];
    assert_eq!(identity(&Provider::Shopify, &shopify, b"{}"), some("e", "orders/create"));
    assert_eq!(identity(&Provider::Shopify, &shopify[1..], b"{}"), some("w", "orders/create"));
    let slack = br#"{"type":"event_callback","event_id":"Ev08","event":{"type":"app_mention"}}"#;
    assert_eq!(identity(&Provider::Slack, &[], slack), some("Ev08", "app_mention"));
    assert_eq!(identity(&plain_hmac(), &github, event), (None, None));
    assert_eq!(identity(&Provider::None, &github, event), (None, None));
}

#[test]
fn labels_are_bounded_in_length() {
    let checker = verifier(&Provider::GitHub, &["s"]).unwrap();
    let mut headers = HeaderMap::new();
    for (length, kept) in [(MAX_LABEL_BYTES, true), (MAX_LABEL_BYTES + 1, false)] {
        set(&mut headers, "x-github-delivery", &"d".repeat(length));
        let identity = checker.identify(&Incoming { headers: &headers, body: b"" });
        assert_eq!(identity.external_id.is_some(), kept);
    }
    headers.append("x-github-delivery", HeaderValue::from_static("second"));
    assert_eq!(checker.identify(&Incoming { headers: &headers, body: b"" }).external_id, None);
}

#[test]
fn only_slack_has_a_challenge() {
    let headers = HeaderMap::new();
    let body = br#"{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    for provider in signing_providers() {
        let challenge =
            verifier(&provider, &["dGVzdA=="]).unwrap().challenge(&Incoming { headers: &headers, body });
        let expected = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";
        let wanted = (provider == Provider::Slack).then_some(expected);
        assert_eq!(challenge.as_ref().map(|challenge| challenge.text.as_str()), wanted);
    }
}

#[test]
fn kept_headers_hold_no_signature_and_are_lower_case() {
    for provider in signing_providers().iter().chain([&Provider::None]) {
        let secrets: &[&str] = if *provider == Provider::None { &[] } else { &["dGVzdA=="] };
        for name in verifier(provider, secrets).unwrap().kept_headers() {
            assert_eq!(HeaderName::from_bytes(name.as_bytes()).unwrap().as_str(), *name);
            assert!(!["signature", "hmac"].iter().any(|word| name.contains(word)), "{name}");
        }
    }
}

#[test]
fn nothing_printable_contains_key_material_or_header_values() {
    let secret = "whsec_c3VwZXJzZWNyZXQ=";
    let checker = verifier(&Provider::StandardWebhooks, &[secret, PUBLIC]).unwrap();
    let printed = format!("{checker:?}");
    assert!(printed.contains("standard-webhooks"));
    for leak in ["c3VwZXJ", "supersecret", "whsec_", "whpk_", "1SiA4o9"] {
        assert!(!printed.contains(leak), "{printed}");
    }
    let wrong = verifier(&Provider::StandardWebhooks, &["whsec_?supersecret?"]).unwrap_err();
    assert!(!format!("{wrong} {wrong:?}").contains("supersecret"));
    let mut headers = signed(&Provider::StandardWebhooks, secret, "msg_1", b"{}");
    set(&mut headers, "webhook-timestamp", "attacker-text");
    let refusal = checker.verify(&Incoming { headers: &headers, body: b"{}" }, now()).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("attacker-text"));
}
