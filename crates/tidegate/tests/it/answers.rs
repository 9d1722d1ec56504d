//! The contract's table: what came, what is answered, what is kept.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::Value;
use tidegate_core::verify::Provider;

use crate::support::{PAYMENTS, SECRET, STRIPE, Site, example, header, json, payment, signed};

#[tokio::test]
async fn authentic_and_valid_is_accepted_and_kept() {
    let server = Site::new(STRIPE).start();
    let body = example("stripe/events/charge.succeeded.json");
    let answer = server.post("/in/stripe", &signed(&Provider::Stripe, "", &body), body.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.text("status").as_str()), (200, "accepted"));
    let id = answer.text("id");
    let event = json(&server.ask(&format!("/v1/events/{id}")).await);
    assert_eq!(event["source"], "stripe");
    assert_eq!(event["type"], "charge.succeeded");
    assert_eq!(event["external_id"], "evt_Tide0001");
    assert_eq!(event["status"], "accepted");
    assert!(event["record"].is_object(), "{event}");
    assert_eq!(server.ask(&format!("/v1/events/{id}/raw")).await.body, body);
}

#[tokio::test]
async fn the_same_event_again_is_a_duplicate_of_the_first() {
    let server = Site::new(PAYMENTS).start();
    let first = server.post("/webhook", &vec![], payment("ch_1")).await;
    let again = server.post("/webhook", &vec![], payment("ch_1")).await;
    assert_eq!((again.status.as_u16(), again.text("status").as_str()), (200, "duplicate"));
    assert_eq!(again.text("id"), first.text("id"));
    assert_eq!(server.events("").await.len(), 1);
}

#[tokio::test]
async fn copies_at_the_same_moment_give_one_row_and_as_many_200s() {
    let server = std::sync::Arc::new(Site::new(PAYMENTS).start());
    let mut copies = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let server = std::sync::Arc::clone(&server);
        copies.spawn(async move { server.post("/webhook", &vec![], payment("ch_1")).await });
    }
    let answers = copies.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(answers.iter().filter(|answer| answer.text("status") == "accepted").count(), 1);
    let first = answers[0].text("id");
    assert!(answers.iter().all(|answer| answer.text("id") == first));
    assert_eq!(server.events("").await.len(), 1);
}

#[tokio::test]
async fn a_duplicate_with_another_body_is_kept_in_quarantine_and_counted() {
    let server = Site::new(PAYMENTS).start();
    let first = server.post("/webhook", &vec![], payment("ch_1")).await;
    let other = payment("ch_1").replace("125000", "125001");
    for _ in 0..2 {
        let answer = server.post("/webhook", &vec![], other.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.text("status").as_str()), (200, "duplicate"));
        assert_eq!(answer.text("id"), first.text("id"));
    }
    let quarantined = server.events("status=quarantined").await;
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0]["errors"][0]["code"], "duplicate_differs");
    let metrics = server.ask("/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(metrics.contains("tidegate_conflicts_total{source=\"payments\"} 2"), "{metrics}");
    assert!(metrics.contains("tidegate_duplicates_total{source=\"payments\"} 2"), "{metrics}");
}

#[tokio::test]
async fn against_the_rules_is_422_with_every_reason_and_kept_in_quarantine() {
    let server = Site::new(PAYMENTS).start();
    let body = payment("no good id").replace("125000", "-1").replace("payment.succeeded", "payment.suceeded");
    let answer = server.post("/webhook", &vec![], body.clone()).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem = json(&answer);
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/amount_cents", "/event_type", "/object_id"]);
    let id = problem["id"].as_str().unwrap();
    let event = json(&server.ask(&format!("/v1/events/{id}")).await);
    assert_eq!(event["status"], "quarantined");
    assert_eq!(event["errors"], problem["errors"]);
    assert_eq!(server.ask(&format!("/v1/events/{id}/raw")).await.body, body);
}

#[tokio::test]
async fn a_source_that_quarantines_answers_200() {
    let server = Site::new(&format!("{PAYMENTS}on_invalid = \"quarantine\"\n")).start();
    let answer = server.post("/webhook", &vec![], payment("ch_1").replace("125000", "-1")).await;
    assert_eq!((answer.status.as_u16(), answer.text("status").as_str()), (200, "quarantined"));
    assert_eq!(server.events("status=quarantined").await[0]["id"], answer.text("id"));
}

#[tokio::test]
async fn a_refused_event_can_come_again_once_it_is_valid() {
    let server = Site::new(PAYMENTS).start();
    let refused = server.post("/webhook", &vec![], payment("ch_1").replace("\"EUR\"", "\"euro\"")).await;
    assert_eq!(refused.status, 422);
    let accepted = server.post("/webhook", &vec![], payment("ch_1")).await;
    assert_eq!(accepted.text("status"), "accepted");
}

#[tokio::test]
async fn a_retried_refusal_leaves_one_row() {
    let server = Site::new(PAYMENTS).start();
    let body = payment("ch_1").replace("125000", "-1");
    let first = json(&server.post("/webhook", &vec![], body.clone()).await);
    let again = json(&server.post("/webhook", &vec![], body).await);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(again["status"], 422);
    assert_eq!(server.events("").await.len(), 1);
}

#[tokio::test]
async fn what_is_not_json_is_400_and_kept_only_when_signed() {
    let server = Site::new(STRIPE).start();
    let answer = server.post("/in/stripe", &signed(&Provider::Stripe, "", "{\"id\":"), "{\"id\":").await;
    assert_eq!(answer.status, 400);
    assert_eq!(server.events("status=quarantined").await[0]["errors"][0]["code"], "malformed");
    let answer = server.post("/in/stripe", &vec![], "{").await;
    assert_eq!(answer.status, 401);
    assert_eq!(server.events("").await.len(), 1);
}

#[tokio::test]
async fn a_refused_signature_is_401_and_never_says_why() {
    let server = Site::new(STRIPE).start();
    let body = example("stripe/events/charge.succeeded.json");
    let good = signed(&Provider::Stripe, "", &body);
    let value = good[0].1.to_str().unwrap().to_owned();
    let stale = value.replacen("t=1", "t=0", 1);
    let cases: Vec<(&str, Vec<_>, String)> = vec![
        ("missing", vec![], body.clone()),
        ("other body", good.clone(), body.replace("12900", "12901")),
        ("other time", vec![header("stripe-signature", &stale)], body.clone()),
        ("nonsense", vec![header("stripe-signature", "t=,v1=")], body.clone()),
        ("twice", vec![good[0].clone(), good[0].clone()], body.clone()),
    ];
    for (name, headers, body) in cases {
        let answer = server.post("/in/stripe", &headers, body).await;
        let mut problem = json(&answer);
        problem["request_id"] = Value::Null;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(
            problem.to_string(),
            "{\"detail\":\"The request is not signed as this source demands.\",\"request_id\":null,\"status\":401,\
             \"title\":\"Signature refused\",\"type\":\"urn:tidegate:problem:signature-refused\"}",
            "{name}"
        );
    }
    assert!(server.events("").await.is_empty());
    assert!(!server.log().contains(SECRET));
}

#[tokio::test]
async fn unknown_paths_are_404_and_other_methods_405() {
    let server = Site::new(PAYMENTS).start();
    for path in ["/", "/nothing", "/webhook/", "/v1/events", "/metrics", "/healthz"] {
        assert_eq!(server.post(path, &vec![], "{}").await.status, 404, "{path}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let answer = server.send(method.clone(), "/webhook", &vec![], "").await.unwrap();
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.headers["allow"], "POST");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_even_when_it_arrives_compressed() {
    let server = Site::new(PAYMENTS).start();
    let large = server.post("/webhook", &vec![], vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(large.status, 413);
    assert_eq!(json(&large)["title"], "Body too large");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    let bomb = Bytes::from(bomb.finish().unwrap());
    let answer = server.post("/webhook", &vec![header("content-encoding", "gzip")], bomb).await;
    assert_eq!(answer.status, 413);
    assert!(server.events("").await.is_empty());
}

#[tokio::test]
async fn a_compressed_body_is_verified_as_its_sender_wrote_it() {
    let server = Site::new(STRIPE).start();
    let body = example("stripe/events/charge.succeeded.json");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    let mut headers = signed(&Provider::Stripe, "", &body);
    headers.push(header("content-encoding", "gzip"));
    let answer = server.post("/in/stripe", &headers, encoder.finish().unwrap()).await;
    assert_eq!(answer.text("status"), "accepted");
    let raw = server.ask(&format!("/v1/events/{}/raw", answer.text("id"))).await;
    assert_eq!(raw.body, body);
}

#[tokio::test]
async fn a_full_queue_is_503_at_once_and_loses_nothing() {
    let site =
        Site::new(&format!("[store]\nurl = \"sqlite://tidegate.db\"\nmax_queue_events = 2\n{PAYMENTS}"));
    let server = std::sync::Arc::new(site.start());
    let lock = rusqlite::Connection::open(site.path().join("tidegate.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..8 {
        let server = std::sync::Arc::clone(&server);
        waiting
            .spawn(async move { server.post("/webhook", &vec![], payment(&format!("ch_{number}"))).await });
    }
    // While nothing can be committed, exactly the queue's two places are taken.
    for _ in 0..6 {
        let answer = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(answer.status, 503);
        assert_eq!(answer.headers["retry-after"], "1");
    }
    lock.execute_batch("ROLLBACK").unwrap();
    assert!(waiting.join_all().await.iter().all(|answer| answer.status == 200));
    assert_eq!(server.events("").await.len(), 2);
}

#[tokio::test]
async fn over_the_rate_is_429_with_the_time_to_wait() {
    let server = Site::new(&format!("{PAYMENTS}rate = \"1/m\"\n")).start();
    assert_eq!(server.post("/webhook", &vec![], payment("ch_1")).await.status, 200);
    let answer = server.post("/webhook", &vec![], payment("ch_2")).await;
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn strangers_cannot_use_up_a_source_s_rate() {
    let server = Site::new(&format!("{STRIPE}rate = \"1/m\"\n")).start();
    let body = example("stripe/events/charge.succeeded.json");
    for _ in 0..5 {
        assert_eq!(server.post("/in/stripe", &vec![], body.clone()).await.status, 401);
    }
    let headers = signed(&Provider::Stripe, "", &body);
    assert_eq!(server.post("/in/stripe", &headers, body).await.text("status"), "accepted");
}

#[tokio::test]
async fn a_provider_s_event_without_an_id_is_still_known_when_it_comes_again() {
    let config = "[[source]]\nname = \"github\"\nprovider = \"github\"\nsecrets = [\"env:TEST_SECRET\"]\n";
    let server = Site::new(config).start();
    let body = example("github/events/push.json");
    let mut headers = signed(&Provider::GitHub, "x", &body);
    headers.retain(|(name, _)| name != "x-github-delivery");
    assert_eq!(server.post("/in/github", &headers, body.clone()).await.text("status"), "accepted");
    assert_eq!(server.post("/in/github", &headers, body).await.text("status"), "duplicate");
}

#[tokio::test]
async fn request_ids_and_traces_are_carried_through() {
    let server = Site::new(PAYMENTS).start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let headers = vec![
        header("x-request-id", "order-4711"),
        header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01")),
    ];
    let answer = server.post("/webhook", &headers, payment("ch_1")).await;
    assert_eq!(answer.headers["x-request-id"], "order-4711");
    let continued = answer.headers["traceparent"].to_str().unwrap();
    assert!(continued.starts_with(&format!("00-{trace}-")) && !continued.contains("00f067aa0ba902b7"));
    assert_eq!(server.events("").await[0]["trace_id"], trace);
    for bad in ["", "a b", &"x".repeat(129)] {
        let answer = server.post("/webhook", &vec![header("x-request-id", bad)], "{}").await;
        assert_ne!(answer.headers["x-request-id"], bad);
        assert_eq!(answer.headers["x-request-id"].len(), 32);
        assert_eq!(json(&answer)["request_id"], answer.headers["x-request-id"].to_str().unwrap());
    }
}

#[tokio::test]
async fn slack_is_answered_its_challenge_only_when_it_signed_it() {
    let config = "[[source]]\nname = \"slack\"\nprovider = \"slack\"\nsecrets = [\"env:TEST_SECRET\"]\n";
    let server = Site::new(config).start();
    let body = r#"{"token":"x","challenge":"3eZbrw1aB","type":"url_verification"}"#;
    let answer = server.post("/in/slack", &signed(&Provider::Slack, "", body), body).await;
    assert_eq!((answer.status.as_u16(), answer.text("challenge").as_str()), (200, "3eZbrw1aB"));
    assert_eq!(server.post("/in/slack", &vec![], body).await.status, 401);
    assert!(server.events("").await.is_empty());
}

#[tokio::test]
async fn a_missing_event_id_is_against_the_rules() {
    let config = "[[source]]\nname = \"plain\"\nprovider = \"none\"\nevent_id = \"id\"\n";
    let server = Site::new(config).start();
    let answer = server.post("/in/plain", &vec![], "{}").await;
    assert_eq!(answer.status, 422);
    assert_eq!(json(&answer)["errors"][0]["pointer"], "/id");
    assert_eq!(server.post("/in/plain", &vec![], r#"{"id":7}"#).await.text("status"), "accepted");
}

#[tokio::test]
async fn a_late_event_is_counted_as_stale_and_a_forged_one_as_invalid() {
    let server = Site::new(STRIPE).start();
    let body = example("stripe/events/charge.succeeded.json");
    let late_at = tidegate::clock::now() - std::time::Duration::from_secs(1_000);
    let secret = tidegate_core::secret::Secret::new(SECRET);
    let late = tidegate_core::verify::sign(&Provider::Stripe, &secret, "", late_at, body.as_bytes()).unwrap();
    assert_eq!(server.post("/in/stripe", &late, body.clone()).await.status, 401);
    assert_eq!(server.post("/in/stripe", &vec![], body).await.status, 401);
    let metrics = server.ask("/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for error_type in ["timestamp_stale", "signature_invalid"] {
        let line = format!("tidegate_refused_total{{source=\"stripe\",error_type=\"{error_type}\"}} 1");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
}
