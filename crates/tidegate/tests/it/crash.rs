//! Kill -9 under load: what was answered with 200 is there afterwards, once, with its own bytes.
//!
//! The test command kills a few times; `cargo xtask chaos --kills 50` runs the long form. Events
//! are real Stripe payloads where the folder with them is there, else the shipped examples.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tidegate::client::Connection;
use tidegate::clock;
use tidegate_core::verify::Provider;

use crate::support::{STRIPE, Site, example, signed};

const SENDERS: usize = 8;
/// The longest time from the first acknowledgement to the kill, in milliseconds.
const LONGEST_LIFE_MS: u64 = 150;

/// Events that were answered with 200: the body by the provider's id.
type Acknowledged = HashMap<String, (String, String)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_event_survives_kill_minus_nine() {
    let kills: usize = std::env::var("TIDEGATE_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let site = Site::new(STRIPE);
    let payloads = Arc::new(payloads());
    let mut acknowledged = Acknowledged::new();
    for kill in 0..kills {
        acknowledged.extend(load_until_killed(&site, kill, &payloads).await);
    }
    let lost = check(&site, &acknowledged).await;
    println!("kills {kills}, acknowledged {}, lost {}", acknowledged.len(), lost.len());
    assert!(acknowledged.len() >= kills, "each life acknowledges something");
    assert_eq!(lost, Vec::<String>::new());
}

/// Stripe events whose id can be replaced.
fn payloads() -> Vec<String> {
    let shipped = ["charge.succeeded", "charge.refunded", "invoice.paid"]
        .map(|name| example(&format!("stripe/events/{name}.json")));
    let Some(real) = tidegate_testkit::payloads::of("stripe") else { return shipped.to_vec() };
    let bodies = real.into_iter().map(|payload| String::from_utf8(payload.body.to_vec()).unwrap());
    bodies.filter(|body| id_of(body).is_some()).collect()
}

fn id_of(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    value["id"].as_str().map(String::from)
}

async fn load_until_killed(site: &Site, kill: usize, payloads: &Arc<Vec<String>>) -> Acknowledged {
    let server = site.start();
    let listen = server.listen;
    let (first, mut acknowledged_one) = tokio::sync::watch::channel(false);
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (payloads, first) = (Arc::clone(payloads), first.clone());
        senders.spawn(async move {
            let mut acknowledged = Acknowledged::new();
            let Ok(mut connection) = Connection::open(listen).await else { return acknowledged };
            for number in 0.. {
                let template = &payloads[(sender + number) % payloads.len()];
                let id = format!("evt_{kill}x{sender}x{number}");
                let body = template.replacen(&id_of(template).unwrap(), &id, 1);
                let headers = signed(&Provider::Stripe, "", &body);
                let sent =
                    connection.send(Method::POST, "/in/stripe", &headers, Bytes::from(body.clone())).await;
                let Ok(answer) = sent else { break };
                assert_eq!(answer.status, 200, "{answer:?}");
                acknowledged.insert(id, (answer.text("id"), body));
                first.send_replace(true);
            }
            acknowledged
        });
    }
    acknowledged_one.wait_for(|one| *one).await.unwrap();
    let life = Duration::from_millis(u64::from_be_bytes(clock::random()) % LONGEST_LIFE_MS);
    let until = Instant::now() + life;
    while Instant::now() < until {
        tokio::task::yield_now().await;
    }
    server.kill();
    senders.join_all().await.into_iter().flatten().collect()
}

/// What was acknowledged and is not there exactly once, with the right bytes.
async fn check(site: &Site, acknowledged: &Acknowledged) -> Vec<String> {
    let server = site.start();
    let mut kept: HashMap<String, Vec<String>> = HashMap::new();
    for event in server.events("").await {
        let id = event["id"].as_str().unwrap().to_owned();
        kept.entry(event["external_id"].as_str().unwrap().to_owned()).or_default().push(id);
    }
    assert!(kept.values().all(|ids| ids.len() == 1), "an event is there twice");
    let mut lost = Vec::new();
    for (external_id, (id, body)) in acknowledged {
        let there = kept.get(external_id).is_some_and(|ids| ids == std::slice::from_ref(id));
        if !there || server.ask(&format!("/v1/events/{id}/raw")).await.body != body.as_str() {
            lost.push(external_id.clone());
        }
    }
    lost
}
