//! What happens when the world around the server breaks.

use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use http::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::limits::exchange;
use crate::support::{PATIENCE, PAYMENTS, Server, Site, payment};

fn lock(site: &Site) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(site.path().join("tidegate.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

async fn wait_until_ready(server: &Server, ready: bool) {
    let expected = if ready { 200 } else { 503 };
    let started = Instant::now();
    while server.ask("/readyz").await.status != expected {
        assert!(started.elapsed() < PATIENCE, "/readyz never became {expected}: {}", server.log());
    }
}

#[tokio::test]
async fn a_deleted_database_is_never_acknowledged_into() {
    let site = Site::new(PAYMENTS);
    let mut server = site.start();
    assert_eq!(server.post("/webhook", &vec![], payment("ch_1")).await.status, 200);
    for name in ["tidegate.db", "tidegate.db-wal", "tidegate.db-shm"] {
        std::fs::remove_file(site.path().join(name)).unwrap();
    }
    let answer = server.post("/webhook", &vec![], payment("ch_2")).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(server.wait().code(), Some(70), "{}", server.log());
    assert!(server.log().contains("was deleted or replaced"), "{}", server.log());
}

#[tokio::test]
async fn a_lock_held_elsewhere_is_503_at_once_and_passes_without_a_restart() {
    let site = Site::new(&format!("[store]\nbusy_timeout_ms = 50\n{PAYMENTS}"));
    let server = site.start();
    let held = lock(&site);
    assert_eq!(server.post("/webhook", &vec![], payment("ch_1")).await.status, 503);
    wait_until_ready(&server, false).await;
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(server.post("/webhook", &vec![], payment("ch_1")).await.status, 503);
    }
    assert!(started.elapsed() < PATIENCE / 6, "refused at once, not after waiting for the lock");
    drop(held);
    wait_until_ready(&server, true).await;
    assert_eq!(server.post("/webhook", &vec![], payment("ch_1")).await.text("status"), "accepted");
}

#[tokio::test]
async fn a_second_signal_ends_a_server_that_cannot_close_its_store() {
    let site =
        Site::new(&format!("shutdown_timeout_ms = 600000\n[store]\nbusy_timeout_ms = 600000\n{PAYMENTS}"));
    let mut server = site.start();
    let _held = lock(&site);
    let listen = server.listen;
    let waiting = tokio::spawn(async move {
        let mut connection = tidegate::client::Connection::open(listen).await.unwrap();
        connection.send(Method::POST, "/webhook", &[], payment("ch_1").into()).await
    });
    wait_for_metric(&server, "tidegate_queue_depth{queue=\"commit\",state=\"events\"} 1").await;
    server.terminate();
    let started = Instant::now();
    while !server.log().contains("stopping") {
        assert!(started.elapsed() < PATIENCE);
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    assert!(waiting.await.unwrap().is_err(), "what was not committed was not answered");
}

async fn wait_for_metric(server: &Server, line: &str) {
    let started = Instant::now();
    while !String::from_utf8_lossy(&server.ask("/metrics").await.body).contains(line) {
        assert!(started.elapsed() < PATIENCE, "{line} never came");
    }
}

/// tracing-subscriber would panic in the middle of a request when it cannot write its line.
#[tokio::test]
async fn a_server_outlives_whoever_reads_its_log() {
    let site = Site::new(PAYMENTS);
    let mut server = site.start_without_log_reader();
    for _ in 0..5 {
        let answer = server.post("/webhook", &vec![], payment("ch_1").replace("125000", "-1")).await;
        assert_eq!(answer.status, 422);
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn a_client_that_closed_its_sending_side_gets_its_answer() {
    let server = Site::new(PAYMENTS).start();
    let body = payment("ch_1");
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let request =
        format!("POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = exchange(&mut stream, "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_client_that_reads_no_answers_is_cut_off() {
    let server = Site::new(&format!("write_timeout_ms = 500\n{PAYMENTS}")).start();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let requests = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000);
    let sending = async {
        // Sending stalls when both sides' buffers are full, and fails when the connection is ended.
        while stream.write_all(requests.as_bytes()).await.is_ok() {}
    };
    tokio::time::timeout(PATIENCE, sending).await.expect("the connection is ended");
}

#[tokio::test]
async fn bodies_of_strangers_cannot_fill_the_memory() {
    let server = Site::new(&format!("max_inflight_body_bytes = 1000000\n{PAYMENTS}")).start();
    let mut slow = TcpStream::connect(server.listen).await.unwrap();
    slow.write_all(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n").await.unwrap();
    slow.write_all(&vec![b' '; 999_990]).await.unwrap();
    wait_for_metric(&server, "tidegate_body_bytes 999990").await;
    assert_eq!(server.post("/webhook", &vec![], vec![b' '; 500_000]).await.status, 503);
    drop(slow);
    let started = Instant::now();
    while server.post("/webhook", &vec![], payment("ch_1")).await.status != 200 {
        assert!(started.elapsed() < PATIENCE, "the budget is never given back");
    }
}

/// It comes in many pieces, and its own earlier pieces must not count against it.
#[tokio::test]
async fn a_lone_body_passes_however_small_the_budget_is() {
    let server = Site::new(&format!("max_inflight_body_bytes = 1000\n{PAYMENTS}")).start();
    let padded = payment("ch_1").replacen('{', &format!("{{{}", " ".repeat(600_000)), 1);
    let answer = server.post("/webhook", &vec![], padded).await;
    assert_eq!(answer.text("status"), "accepted", "{answer:?}");
}

#[test]
fn variables_that_are_not_text_are_none_of_our_business() {
    let site = Site::new(PAYMENTS);
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    let output = site.command(&["check"]).env("FOO", odd).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn output_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_not() {
    let site = Site::new(PAYMENTS);
    let server = site.start();
    let id = server.post("/webhook", &vec![], payment("ch_1")).await.text("id");
    for arguments in
        [&["events", "list"][..], &["events", "export", "--format", "csv"], &["events", "show", &id, "--raw"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = site.command(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let mut child =
            site.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_database_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(PAYMENTS);
    let _server = site.start();
    for name in ["tidegate.db", "tidegate.db-wal"] {
        let mode = std::fs::metadata(site.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// Waiting for readiness must not wait behind searches.
#[tokio::test]
async fn probes_have_a_connection_of_their_own() {
    let server = std::sync::Arc::new(Site::new(&format!("[store]\nreaders = 1\n{PAYMENTS}")).start());
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let server = std::sync::Arc::clone(&server);
        asking.spawn(async move { server.ask("/v1/events?q=x").await.status.as_u16() });
    }
    let ready = tokio::time::timeout(Duration::from_secs(20), server.ask("/readyz")).await.unwrap();
    assert_eq!(ready.status, 200);
    assert!(asking.join_all().await.iter().all(|status| *status == 200));
}
