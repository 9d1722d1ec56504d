//! What was acknowledged survives a kill signal at any instant.
//!
//! The test starts its own binary again as a child that appends as fast as it can and prints a line
//! for each acknowledged event. The child is killed in mid-work, and the store that it leaves behind
//! must hold every event of which a line came through. `TIDEGATE_KILLS` sets the number of kills.
//!
//! A kill takes nothing from the kernel, so this shows that nothing is acknowledged before it is
//! committed and that no commit is seen by halves. It does not show that the disk was flushed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::SignedDuration;
use rusqlite::Connection;
use tidegate_core::event::{Appended, EventId, NewEvent};
use tidegate_store::Store;
use tidegate_testkit::events::{EventBuilder, START};
use tidegate_testkit::store::{Database, options};
use tokio::task::JoinSet;

const KILLS: &str = "TIDEGATE_KILLS";
const DEFAULT_KILLS: u64 = 10;

/// The child finds its database here; without it, the child's test does nothing.
const CHILD_DATABASE: &str = "TIDEGATE_CRASH_DATABASE";
/// Which round it is, so that no two children send the same events.
const CHILD_ROUND: &str = "TIDEGATE_CRASH_ROUND";
/// Begins each line of the child that counts; the test harness prints lines of its own.
const ACKNOWLEDGED: &str = "acknowledged";

/// Senders that append at the same time in the child.
const SENDERS: u64 = 32;
/// Events that are checked and sent again at the same time.
const RETRIES: usize = 64;

/// The event that a sender sends as its `n`th, the same in the child and in the test.
fn event(external_id: &str) -> NewEvent {
    let seed = external_id.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    // From nothing to several pages of the database.
    let length = (mix(seed) % 12_000) as usize;
    EventBuilder::new("any")
        .external_id(external_id)
        .body(Bytes::from(vec![(seed % 251) as u8; length]))
        .record("{\"n\":1}")
        .delivery("billing", SignedDuration::ZERO)
        .delivery("warehouse", SignedDuration::ZERO)
        // Children do not share a count with each other, so an id is made of what tells events apart.
        .received_at(START)
        .number(mix(seed) >> 2)
        .build()
}

/// A step of SplitMix64: random enough to choose instants, and the same every time.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other half of the test below, which starts it"]
async fn child() {
    let Ok(path) = std::env::var(CHILD_DATABASE) else { return };
    let round = std::env::var(CHILD_ROUND).unwrap();
    let store = Arc::new(Store::open(&options(&format!("sqlite://{path}")), Path::new("/"), |_| ()).unwrap());
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (store, round) = (Arc::clone(&store), round.clone());
        senders.spawn(async move {
            for n in 0_u64.. {
                let external_id = format!("{round}-{sender}-{n}");
                // A copy at the same moment, since deduplication is part of the same transaction.
                let copy_id = event(&format!("copy of {external_id}")).id;
                let copy = NewEvent { id: copy_id, ..event(&external_id) };
                let (one, other) = tokio::join!(store.append(event(&external_id)), store.append(copy));
                let id = match (one.unwrap(), other.unwrap()) {
                    (Appended::Stored(id), Appended::Duplicate { first })
                    | (Appended::Duplicate { first }, Appended::Stored(id))
                        if id == first =>
                    {
                        id
                    }
                    unexpected => panic!("{external_id}: {unexpected:?}"),
                };
                println!("{ACKNOWLEDGED} {external_id} {id}");
            }
        });
    }
    senders.join_all().await;
}

/// A child that does not outlive the test, even one that fails.
struct Killed(Child);

impl Killed {
    fn start(database: &Path, round: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["crash::child", "--exact", "--ignored", "--nocapture"])
            .env(CHILD_DATABASE, database)
            .env(CHILD_ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        Self(command.spawn().unwrap())
    }

    /// Lets the child acknowledge `count` events and work on for `then`, kills it, and returns all
    /// that it has acknowledged, by external id.
    fn acknowledged(mut self, count: usize, then: Duration) -> BTreeMap<String, EventId> {
        let mut output = BufReader::new(self.0.stdout.take().unwrap());
        let mut acknowledged = BTreeMap::new();
        let mut line = String::new();
        let mut next = |acknowledged: &mut BTreeMap<_, _>| {
            line.clear();
            let read = output.read_line(&mut line).unwrap();
            acknowledged.extend(acknowledgement(&line));
            read > 0
        };
        while acknowledged.len() < count {
            assert!(next(&mut acknowledged), "the child has ended by itself");
        }
        spin(then);
        self.0.kill().unwrap();
        // What is still in the pipe was acknowledged as well.
        while next(&mut acknowledged) {}
        acknowledged
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A line that was cut off by the kill does not count.
fn acknowledgement(line: &str) -> Option<(String, EventId)> {
    let mut words = line.strip_suffix('\n')?.strip_prefix(ACKNOWLEDGED)?.split_whitespace();
    let external_id = words.next()?.to_owned();
    Some((external_id, EventId::parse(words.next()?).unwrap()))
}

/// Shorter waits than a timer can be trusted with.
fn spin(duration: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < duration {
        std::hint::spin_loop();
    }
}

/// The file is sound, and whatever it holds, it holds completely.
fn assert_sound(path: &PathBuf) {
    let file = Connection::open(path).unwrap();
    let number = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let report: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(report, "ok");
    let events = number("SELECT count(*) FROM events");
    assert_eq!(number("SELECT count(DISTINCT external_id) FROM events"), events, "an event is there twice");
    let keyed = "SELECT count(*) FROM events JOIN dedup ON dedup.event_id = events.id";
    assert_eq!(number(keyed), events, "an event without its key");
    assert_eq!(number("SELECT count(*) FROM dedup"), events, "a key without its event");
    let planned = "SELECT count(*) FROM events JOIN deliveries ON event_seq = seq";
    assert_eq!(number(planned), 2 * events, "an event without its deliveries");
    assert_eq!(number("SELECT count(*) FROM deliveries"), 2 * events, "deliveries without their event");
}

/// Every acknowledged event is there as it was sent, and is recognised when it is sent again.
async fn assert_kept(store: &Arc<Store>, acknowledged: &BTreeMap<String, EventId>) {
    let mut retries = JoinSet::new();
    for (external_id, first) in acknowledged {
        // Like a sender with some sense, and unlike one that fills the queue.
        if retries.len() == RETRIES {
            retries.join_next().await.unwrap().unwrap();
        }
        let (store, external_id, first) = (Arc::clone(store), external_id.clone(), *first);
        retries.spawn(async move {
            let found = store.reader().event(first).await.unwrap();
            let found = found.unwrap_or_else(|| panic!("{external_id} was acknowledged and is lost"));
            assert_eq!(found.external_id.as_deref(), Some(external_id.as_str()));
            let sent = event(&external_id);
            assert!(store.reader().raw(first).await.unwrap().unwrap().body == sent.body, "{external_id}");
            assert_eq!(store.append(sent).await, Ok(Appended::Duplicate { first }));
        });
    }
    retries.join_all().await;
}

#[tokio::test]
async fn acknowledged_events_survive_a_kill_at_any_instant() {
    let kills = match std::env::var(KILLS) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{KILLS} is no number: {text}")),
        Err(_) => DEFAULT_KILLS,
    };
    let database = Database::sqlite();
    let mut all = BTreeMap::new();
    for round in 0..kills {
        let chance = mix(round);
        // Every fifth child is killed while it creates its database or soon after, the others in
        // the middle of their work on a database that grows.
        let fresh = (round % 5 == 4).then(Database::sqlite);
        let (count, then_us) = if fresh.is_some() {
            (0, chance % 40_000)
        } else {
            (1 + (chance % 300) as usize, (chance >> 32) % 5_000)
        };
        let database = fresh.as_ref().unwrap_or(&database);
        let child = Killed::start(&database.path(), round);
        let acknowledged = child.acknowledged(count, Duration::from_micros(then_us));

        let store = Arc::new(database.open());
        assert_sound(&database.path());
        assert_kept(&store, &acknowledged).await;
        store.close().await;
        if fresh.is_none() {
            all.extend(acknowledged);
        }
    }
    let store = Arc::new(database.open());
    assert_sound(&database.path());
    assert_kept(&store, &all).await;
    store.close().await;
}
