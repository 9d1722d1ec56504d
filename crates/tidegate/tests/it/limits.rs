//! Clients that are slow, silent or excessive.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, PAYMENTS, Server, Site, payment};

/// Writes and then reads until the other side is done or has sent a whole answer.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(stream).await
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    let reading = async {
        loop {
            let count = stream.read(&mut chunk).await.unwrap_or(0);
            answer.extend_from_slice(&chunk[..count]);
            let text = String::from_utf8_lossy(&answer);
            let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                length
                    .and_then(|length| length.parse().ok())
                    .is_some_and(|length: usize| body.len() >= length)
            });
            if count == 0 || whole {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer or the end of the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

fn short_timeouts() -> Server {
    Site::new(&format!("header_timeout_ms = 300\nbody_timeout_ms = 300\n{PAYMENTS}")).start()
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = short_timeouts();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let started = Instant::now();
    assert_eq!(read_answer(&mut stream).await, "");
    assert!(started.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn headers_that_trickle_are_cut_off() {
    let server = short_timeouts();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    stream.write_all(b"POST /webhook HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let started = Instant::now();
    let answer = read_answer(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(started.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn a_body_that_trickles_is_408() {
    let server = short_timeouts();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let answer =
        exchange(&mut stream, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_is_kept_alive_serves_again() {
    let server = short_timeouts();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    for number in 0..3 {
        let body = payment(&format!("ch_{number}"));
        let request =
            format!("POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert!(exchange(&mut stream, &request).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn too_many_headers_are_431() {
    let server = short_timeouts();
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let answer = exchange(&mut stream, &format!("POST /webhook HTTP/1.1\r\nHost: x\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_header_over_the_limit_is_431() {
    let server = short_timeouts();
    let long = "x".repeat(100_000);
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let answer =
        exchange(&mut stream, &format!("POST /webhook HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_413() {
    let server = short_timeouts();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    stream
        .write_all(b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536));
    for _ in 0..20 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    let answer = exchange(&mut stream, "0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_client_that_asks_before_sending_is_answered_at_once() {
    let server = short_timeouts();
    let mut stream = TcpStream::connect(server.listen).await.unwrap();
    let request =
        "POST /webhook HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n";
    let answer = exchange(&mut stream, request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn connections_over_the_cap_wait_for_a_place() {
    let server = Site::new(&format!("max_connections = 2\nheader_timeout_ms = 600000\n{PAYMENTS}")).start();
    let first = TcpStream::connect(server.listen).await.unwrap();
    let _second = TcpStream::connect(server.listen).await.unwrap();
    let mut third = TcpStream::connect(server.listen).await.unwrap();
    let body = payment("ch_1");
    let request =
        format!("POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    third.write_all(request.as_bytes()).await.unwrap();
    drop(first);
    assert!(read_answer(&mut third).await.starts_with("HTTP/1.1 200"));
}

/// Clients such as Python's `http.client` send headers and body in two packets. An answer given
/// in between must neither be lost nor break the connection for the next request.
#[tokio::test]
async fn an_answer_before_the_body_does_not_break_the_connection() {
    let server = short_timeouts();
    for (target, status) in [("POST /in/nobody", "404"), ("PUT /webhook", "405")] {
        let mut stream = TcpStream::connect(server.listen).await.unwrap();
        for _ in 0..2 {
            let head = format!("{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let answer = exchange(&mut stream, "{}").await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{target}: {answer}");
            assert!(!answer.contains("connection: close"), "{answer}");
        }
    }
}
