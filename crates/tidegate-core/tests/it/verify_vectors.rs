//! Signatures that somebody else computed: the providers' own documentation, the Standard Webhooks specification,
//! the tests of Svix, and Python's `hmac` module where a provider publishes no complete example.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use tidegate_core::secret::Secret;
use tidegate_core::verify::{
    HmacScheme, HmacSettings, Incoming, Provider, Refusal, SignedHeaders, Tolerance, Verified, Verifier, sign,
};

const STANDARD_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const STANDARD_BODY: &[u8] = br#"{"test": 2432232314}"#;
const STANDARD_V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SVIX_V1A: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
const SVIX_PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const SVIX_PRIVATE: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const STANDARD_TIME: i64 = 1_614_265_330;

/// The body of the example in "Verifying requests from Slack".
const SLACK_BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect\
&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let name = HeaderName::from_static;
    pairs.iter().map(|(key, value)| (name(key), HeaderValue::from_str(value).unwrap())).collect()
}

fn check(
    provider: &Provider,
    secret: &str,
    pairs: &[(&'static str, &str)],
    body: &[u8],
    now: i64,
) -> Result<Verified, Refusal> {
    let verifier = Verifier::new(provider, &[Secret::new(secret)], Tolerance::default()).unwrap();
    verifier.verify(&Incoming { headers: &headers(pairs), body }, at(now))
}

fn signed(pairs: &[(&'static str, &str)]) -> SignedHeaders {
    let name = HeaderName::from_static;
    pairs.iter().map(|(key, value)| (name(key), HeaderValue::from_str(value).unwrap())).collect()
}

#[test]
fn github_documented_example() {
    let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!");
    let pairs = [
        ("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
    ];
    let verified = check(&Provider::GitHub, secret, &pairs, body, 0).unwrap();
    assert_eq!(verified, Verified { signed_at: None, secret_index: Some(0) });
    let made = sign(&Provider::GitHub, &Secret::new(secret), pairs[1].1, at(0), body).unwrap();
    assert_eq!(made, signed(&pairs));
}

#[test]
fn slack_documented_example() {
    let (secret, time) = ("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618);
    let pairs = [
        ("x-slack-request-timestamp", "1531420618"),
        ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
    ];
    let verified = check(&Provider::Slack, secret, &pairs, SLACK_BODY, time + 300).unwrap();
    assert_eq!(verified.signed_at, Some(at(time)));
    assert_eq!(
        sign(&Provider::Slack, &Secret::new(secret), "", at(time), SLACK_BODY).unwrap(),
        signed(&pairs)
    );
}

#[test]
fn standard_webhooks_specified_example() {
    for prefix in ["webhook", "svix"] {
        let names = match prefix {
            "svix" => ["svix-id", "svix-timestamp", "svix-signature"],
            _ => ["webhook-id", "webhook-timestamp", "webhook-signature"],
        };
        let pairs = [(names[0], STANDARD_ID), (names[1], "1614265330"), (names[2], STANDARD_V1)];
        for secret in [STANDARD_SECRET, STANDARD_SECRET.trim_start_matches("whsec_")] {
            let verified =
                check(&Provider::StandardWebhooks, secret, &pairs, STANDARD_BODY, STANDARD_TIME).unwrap();
            assert_eq!(verified.signed_at, Some(at(STANDARD_TIME)));
        }
    }
}

#[test]
fn standard_webhooks_signs_the_specified_example() {
    for (secret, signature) in [(STANDARD_SECRET, STANDARD_V1), (SVIX_PRIVATE, SVIX_V1A)] {
        let provider = Provider::StandardWebhooks;
        let made =
            sign(&provider, &Secret::new(secret), STANDARD_ID, at(STANDARD_TIME), STANDARD_BODY).unwrap();
        let expected = [
            ("webhook-id", STANDARD_ID),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ];
        assert_eq!(made, signed(&expected));
    }
}

/// The key pair and signature are those of the test `test_asymmetric_key_signing` in Svix's server.
#[test]
fn svix_asymmetric_example_is_accepted_among_others() {
    let provider = Provider::StandardWebhooks;
    let other = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";
    for list in [SVIX_V1A.to_owned(), format!("{other} {SVIX_V1A}"), format!("{SVIX_V1A} v9,future {other}")]
    {
        let pairs =
            [("webhook-id", STANDARD_ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", &list)];
        assert!(check(&provider, SVIX_PUBLIC, &pairs, STANDARD_BODY, STANDARD_TIME).is_ok(), "{list}");
        assert!(check(&provider, STANDARD_SECRET, &pairs, STANDARD_BODY, STANDARD_TIME).is_err());
    }
}

/// The same signature with the group order added to its scalar: one that a lax check would accept as well.
#[test]
fn a_malleated_ed25519_signature_is_refused() {
    let malleated =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe4uSqIfPdj8uUcPkfU4/Y4udpXwVLPo3mNl8EM+m7TBEg==";
    let pairs =
        [("webhook-id", STANDARD_ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", malleated)];
    assert!(check(&Provider::StandardWebhooks, SVIX_PUBLIC, &pairs, STANDARD_BODY, STANDARD_TIME).is_err());
}

/// `hmac.new(b"whsec_test_secret", b'1614265330.{"id":…', "sha256")`: the prefix is part of Stripe's key.
#[test]
fn stripe_against_python() {
    let body = br#"{"id":"evt_1","type":"invoice.paid"}"#;
    let pairs = [(
        "stripe-signature",
        "t=1614265330,v1=1c85623cfb52e27f927d9e4eac778cbe54c3d4f90b17edce4689e027779c4380",
    )];
    let verified = check(&Provider::Stripe, "whsec_test_secret", &pairs, body, STANDARD_TIME).unwrap();
    assert_eq!(verified.signed_at, Some(at(STANDARD_TIME)));
    assert!(check(&Provider::Stripe, "test_secret", &pairs, body, STANDARD_TIME).is_err());
    let made = sign(&Provider::Stripe, &Secret::new("whsec_test_secret"), "", at(STANDARD_TIME), body);
    assert_eq!(made.unwrap(), signed(&pairs));
}

#[test]
fn shopify_against_python() {
    let body = br#"{"id":820982911946154508}"#;
    let pairs = [
        ("x-shopify-hmac-sha256", "qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I="),
        ("x-shopify-event-id", "98880550-7158-44d4-b7cd-2c97c8a091b5"),
    ];
    assert!(check(&Provider::Shopify, "hush", &pairs, body, 0).is_ok());
    let made = sign(&Provider::Shopify, &Secret::new("hush"), pairs[1].1, at(0), body);
    assert_eq!(made.unwrap(), signed(&pairs));
}

/// SHA-512, base64url with its padding, milliseconds, a key and a body that are not ASCII.
#[test]
fn generic_sha512_against_python() {
    let settings = HmacSettings {
        header: "X-Sig",
        algorithm: "sha512",
        encoding: "base64url",
        content: "{timestamp}:{body}",
        timestamp_header: Some("x-time"),
        timestamp_unit: Some("ms"),
        ..HmacSettings::default()
    };
    let provider = Provider::Hmac(HmacScheme::parse(&settings).unwrap());
    let signature =
        "0U5fBfNmSeKQoAW2-0KTQ1o3RUIfRELZCgEYiL9exu_3Htj8uBCX79FfO7-tvP3KiJITt3vfobS06Pa4FVrXsQ==";
    let body = b"a\x00b\xff";
    let pairs = [("x-time", "1614265330123"), ("x-sig", signature)];
    let verified = check(&provider, "kéy", &pairs, body, STANDARD_TIME).unwrap();
    assert_eq!(verified.signed_at, Some(Timestamp::from_millisecond(1_614_265_330_123).unwrap()));
    let unpadded = [("x-time", "1614265330123"), ("x-sig", signature.trim_end_matches('='))];
    assert!(check(&provider, "kéy", &unpadded, body, STANDARD_TIME).is_ok());
    let made = sign(&provider, &Secret::new("kéy"), "", verified.signed_at.unwrap(), body);
    assert_eq!(made.unwrap(), signed(&pairs));
}

/// A template with a further header in it, a prefix, and hex in upper case.
#[test]
fn generic_template_against_python() {
    let settings = HmacSettings {
        header: "x-sig",
        algorithm: "sha256",
        encoding: "hex",
        prefix: "sha256=",
        content: "v0:{header:x-request-id}:{timestamp}:{body}",
        timestamp_header: Some("x-time"),
        ..HmacSettings::default()
    };
    let provider = Provider::Hmac(HmacScheme::parse(&settings).unwrap());
    let hex = "b384e3592b7425eab3f3721a3a922cd6ae7f01b1f9a300ea29d039c7ceaa93fa";
    for hex in [hex.to_owned(), hex.to_uppercase()] {
        let signature = format!("sha256={hex}");
        let pairs = [("x-request-id", "GET-1"), ("x-time", "1614265330"), ("x-sig", signature.as_str())];
        assert!(check(&provider, "key", &pairs, b"{}", STANDARD_TIME).is_ok());
        assert!(check(&provider, "key", &pairs[1..], b"{}", STANDARD_TIME).is_err());
        let bare = [pairs[0], pairs[1], ("x-sig", hex.as_str())];
        assert!(check(&provider, "key", &bare, b"{}", STANDARD_TIME).is_err());
    }
    assert!(sign(&provider, &Secret::new("key"), "", at(STANDARD_TIME), b"{}").is_err());
}
