//! SIGTERM: what was answered is there, what was in flight is answered, and the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::Method;
use tidegate::client::Connection;

use crate::support::{PAYMENTS, Site, payment};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing() {
    let site = Site::new(PAYMENTS);
    let mut server = site.start();
    let listen = server.listen;
    let flowing = Arc::new(AtomicBool::new(false));
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..4 {
        let flowing = Arc::clone(&flowing);
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            let Ok(mut connection) = Connection::open(listen).await else { return acknowledged };
            for number in 0..100_000 {
                let id = format!("ch_{sender}x{number}");
                match connection.send(Method::POST, "/webhook", &[], Bytes::from(payment(&id))).await {
                    Ok(answer) if answer.status == 200 => acknowledged.push(id),
                    Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                    Err(_) => break,
                }
                flowing.store(true, Ordering::Relaxed);
            }
            acknowledged
        });
    }
    while !flowing.load(Ordering::Relaxed) {
        tokio::task::yield_now().await;
    }
    server.terminate();
    let acknowledged: Vec<String> = senders.join_all().await.concat();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(server.log().contains("\"stopped\""));

    let server = site.start();
    let kept = server.events("").await;
    for id in &acknowledged {
        let external_id = format!("payment.succeeded/{id}");
        assert_eq!(
            kept.iter().filter(|event| event["external_id"] == external_id.as_str()).count(),
            1,
            "{id}"
        );
    }
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let site = Site::new(PAYMENTS);
    let mut server = site.start();
    let mut connection = Connection::open(server.listen).await.unwrap();
    connection.send(Method::POST, "/webhook", &[], Bytes::from(payment("ch_1"))).await.unwrap();
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
}

#[tokio::test]
async fn a_second_server_on_the_same_address_says_what_is_wrong() {
    let site = Site::new(PAYMENTS);
    let server = site.start();
    let ended = site.run(&["serve", "--listen", &server.listen.to_string()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot listen on") && ended.stderr.contains("server.listen"), "{ended:?}");
}
