//! The admin listener: who may ask, and what is answered.

use bytes::Bytes;
use http::{HeaderValue, Method};
use tidegate::client::Connection;

use crate::support::{Headers, PAYMENTS, Server, Site, header, json, payment};

const GUARDED: [&str; 4] = [
    "/v1/events",
    "/v1/events/0199a1b2-0000-7000-8000-000000000000",
    "/v1/events/0199a1b2-0000-7000-8000-000000000000/raw",
    "/metrics",
];

async fn status(server: &Server, path: &str, headers: &Headers) -> u16 {
    let mut connection = Connection::open(server.admin).await.unwrap();
    connection.send(Method::GET, path, headers, Bytes::new()).await.unwrap().status.as_u16()
}

#[tokio::test]
async fn every_route_but_the_probes_demands_the_token() {
    let server = Site::new(&format!("admin_token = \"env:TEST_ADMIN_TOKEN\"\n{PAYMENTS}")).start();
    for path in GUARDED {
        assert_eq!(status(&server, path, &vec![]).await, 401, "{path}");
        assert_eq!(
            status(&server, path, &vec![header("authorization", "Bearer wrong")]).await,
            401,
            "{path}"
        );
        assert_ne!(
            status(&server, path, &vec![header("authorization", "Bearer the-admin-token")]).await,
            401,
            "{path}"
        );
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(status(&server, path, &vec![]).await, 200, "{path}");
    }
}

#[tokio::test]
async fn without_a_token_only_local_names_are_answered() {
    let server = Site::new(PAYMENTS).start();
    for path in GUARDED {
        let mut connection = tokio::net::TcpStream::connect(server.admin).await.unwrap();
        let answer = crate::limits::exchange(
            &mut connection,
            &format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
        assert_ne!(status(&server, path, &vec![]).await, 403, "{path}");
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged_newest_first() {
    let server = Site::new(PAYMENTS).start();
    for number in 0..7 {
        server.post("/webhook", &vec![], payment(&format!("ch_{number}"))).await;
    }
    server.post("/webhook", &vec![], payment("ch_8").replace("payment.succeeded", "invoice.paid")).await;
    server.post("/webhook", &vec![], "not json").await;

    let page = json(&server.ask("/v1/events?type=payment.succeeded&limit=3").await);
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["external_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&page), ["payment.succeeded/ch_6", "payment.succeeded/ch_5", "payment.succeeded/ch_4"]);
    server.post("/webhook", &vec![], payment("ch_9")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = json(&server.ask(&format!("/v1/events?type=payment.succeeded&limit=3&cursor={cursor}")).await);
    assert_eq!(ids(&page), ["payment.succeeded/ch_3", "payment.succeeded/ch_2", "payment.succeeded/ch_1"]);

    assert_eq!(server.events("status=quarantined").await.len(), 1);
    assert_eq!(server.events("q=ch_8").await.len(), 1);
    assert_eq!(server.events("source=nobody").await.len(), 0);
    assert_eq!(server.events("until=2020-01-01T00:00:00Z").await.len(), 0);
    assert_eq!(server.events("since=2020-01-01T00:00:00Z").await.len(), 10);
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_problem_document() {
    let server = Site::new(PAYMENTS).start();
    for (path, expected) in [
        ("/v1/events?limit=0", 400),
        ("/v1/events?sorce=x", 400),
        ("/v1/events/1", 400),
        ("/v1/events/0199a1b2-0000-7000-8000-000000000000", 404),
        ("/nothing", 404),
    ] {
        let answer = server.ask(path).await;
        assert_eq!(answer.status, expected, "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        assert_eq!(json(&answer)["request_id"], answer.headers["x-request-id"].to_str().unwrap());
    }
}

#[tokio::test]
async fn raw_bodies_are_never_shown_by_a_browser() {
    let server = Site::new(PAYMENTS).start();
    let headers = vec![(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html"))];
    let id = server.post("/webhook", &headers, payment("ch_1")).await.text("id");
    let raw = server.ask(&format!("/v1/events/{id}/raw")).await;
    assert_eq!(raw.headers["content-type"], "application/octet-stream");
    assert_eq!(raw.headers["x-content-type-options"], "nosniff");
    assert_eq!(raw.headers["x-original-content-type"], "text/html");
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let server = Site::new(PAYMENTS).start();
    server.post("/webhook", &vec![], payment("ch_1")).await;
    server.post("/webhook", &vec![], "{").await;
    let answer = server.ask("/metrics").await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    for line in [
        "tidegate_events_total{source=\"payments\",status=\"accepted\"} 1",
        "tidegate_events_total{source=\"payments\",status=\"quarantined\"} 1",
        "tidegate_refused_total{source=\"payments\",error_type=\"schema_invalid\"} 1",
        "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_route=\"/webhook\",http_response_status_code=\"200\",url_scheme=\"http\",error_type=\"\"} 1",
        "tidegate_queue_depth{queue=\"commit\",state=\"events\"} 0",
        "tidegate_queue_limit{queue=\"commit\",state=\"events\"} 4096",
        "db_client_operation_duration_seconds_count{error_type=\"\"} 2",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
