//! The burst that kills workers elsewhere: 2,000 requests at once on 200 connections.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use tidegate::client::Connection;

use crate::support::{PAYMENTS, Site, payment};

const CONNECTIONS: usize = 200;
const REQUESTS_EACH: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_answered_honestly_and_nothing_is_lost() {
    let server = Arc::new(Site::new(PAYMENTS).start());
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CONNECTIONS {
        let listen = server.listen;
        clients.spawn(async move {
            let mut connection = Connection::open(listen).await.unwrap();
            let mut accepted = Vec::new();
            for number in 0..REQUESTS_EACH {
                let body = Bytes::from(payment(&format!("ch_{client}x{number}")));
                let answer = connection.send(Method::POST, "/webhook", &[], body).await.unwrap();
                match answer.status.as_u16() {
                    200 => accepted.push(answer.text("id")),
                    503 => assert!(answer.headers.contains_key("retry-after")),
                    other => panic!("{other}: {answer:?}"),
                }
            }
            accepted
        });
    }
    let mut accepted: Vec<String> = clients.join_all().await.concat();
    let mut kept: Vec<String> =
        server.events("").await.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    accepted.sort_unstable();
    kept.sort_unstable();
    assert_eq!(accepted, kept);
    assert!(!accepted.is_empty());
}
