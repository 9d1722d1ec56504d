//! Lists and cursors against a model, with events arriving between pages.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tidegate_core::event::{Event, EventFilter, EventId, NewEvent, Status};
use tidegate_store::Store;
use tidegate_testkit::conformance::matches;
use tidegate_testkit::events::{EventBuilder, START};
use tidegate_testkit::store::Database;

/// Enough to find a broken comparison in a second; more with `PROPTEST_CASES`.
const CASES: u32 = 48;

const SOURCES: [&str; 2] = ["stripe", "github"];
const TYPES: [&str; 3] = ["charge", "charge.refunded", "push"];

/// What can be chosen about an event; small ranges, so that many coincide.
#[derive(Clone, Debug)]
struct Choice {
    source: usize,
    event_type: Option<usize>,
    quarantined: bool,
    micros: i64,
}

impl Choice {
    fn event(&self, later_by: SignedDuration) -> NewEvent {
        let received_at = START + SignedDuration::from_micros(self.micros) + later_by;
        let mut event = EventBuilder::new(SOURCES[self.source]).received_at(received_at);
        if let Some(event_type) = self.event_type {
            event = event.event_type(TYPES[event_type]);
        }
        // A refused body is kept once, so each has a body of its own.
        let event = if self.quarantined { event.quarantined("x", "x") } else { event.record("{\"n\":1}") };
        let number = event.build().id;
        event.body(number.to_string()).build()
    }
}

#[derive(Clone, Debug)]
struct Case {
    before: Vec<Choice>,
    /// What arrives after the first page, after the second, and so on.
    arriving: Vec<Vec<Choice>>,
    filter: EventFilter,
    limit: usize,
}

fn choice() -> impl Strategy<Value = Choice> {
    (0..SOURCES.len(), prop::option::of(0..TYPES.len()), any::<bool>(), 0..6_000_i64).prop_map(
        |(source, event_type, quarantined, micros)| Choice { source, event_type, quarantined, micros },
    )
}

fn filter() -> impl Strategy<Value = EventFilter> {
    let instant =
        || prop::option::weighted(0.3, (0..6_000_i64).prop_map(|us| START + SignedDuration::from_micros(us)));
    (
        prop::option::of(prop::sample::select(&SOURCES[..])),
        prop::option::weighted(0.3, prop::sample::select(&TYPES[..])),
        prop::option::weighted(0.3, prop::sample::select(&Status::ALL[..])),
        instant(),
        instant(),
        prop::option::weighted(0.3, prop::sample::select(&["charge", "\"n\"", "us"][..])),
    )
        .prop_map(|(source, event_type, status, since, until, text)| EventFilter {
            source: source.map(String::from),
            event_type: event_type.map(String::from),
            status,
            since,
            until,
            text: text.map(String::from),
        })
}

fn case() -> impl Strategy<Value = Case> {
    let arriving = prop::collection::vec(prop::collection::vec(choice(), 0..4), 0..6);
    (prop::collection::vec(choice(), 0..40), arriving, filter(), 1..9_usize)
        .prop_map(|(before, arriving, filter, limit)| Case { before, arriving, filter, limit })
}

/// Runs `property` over the same cases every time.
fn check(property: impl Fn(Case)) {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(failure) = runner.run(&case(), |case| {
        property(case);
        Ok(())
    }) {
        panic!("{failure}");
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

async fn store(store: &Store, events: &[NewEvent]) {
    for event in events {
        store.append(event.clone()).await.unwrap();
    }
}

/// All pages, with `arriving` in between; each arrival comes `later_by` after its chosen time.
async fn read_pages(store: &Store, case: &Case, later_by: SignedDuration) -> Vec<EventId> {
    let mut joined: Vec<EventId> = Vec::new();
    let mut arriving = case.arriving.iter();
    loop {
        let cursor = joined.last().copied();
        let page = store.reader().list(case.filter.clone(), cursor, case.limit).await.unwrap();
        assert!(page.len() <= case.limit);
        if page.is_empty() {
            return joined;
        }
        let below = |event: &Event| cursor.is_none_or(|cursor| event.id < cursor);
        assert!(page.iter().all(below), "a page goes back behind its cursor");
        joined.extend(page.iter().map(|event| event.id));
        for choice in arriving.next().into_iter().flatten() {
            store.append(choice.event(later_by)).await.unwrap();
        }
    }
}

fn expected(case: &Case, events: &[NewEvent]) -> Vec<EventId> {
    let matching = events.iter().filter(|event| matches(&case.filter, event)).map(|event| event.id);
    matching.collect::<BTreeSet<_>>().into_iter().rev().collect()
}

#[test]
fn pages_are_exactly_what_was_there_when_newer_events_arrive() {
    check(|case| {
        block_on(async {
            let database = Database::sqlite();
            let open = database.open();
            let before: Vec<_> =
                case.before.iter().map(|choice| choice.event(SignedDuration::ZERO)).collect();
            store(&open, &before).await;
            let joined = read_pages(&open, &case, SignedDuration::from_secs(1)).await;
            assert_eq!(joined, expected(&case, &before));
            open.close().await;
        });
    });
}

#[test]
fn pages_hold_all_that_was_there_once_whenever_events_arrive() {
    // Two requests may be committed in another order than they arrived in; then an older event may
    // join a later page, but it never displaces or repeats another.
    check(|case| {
        block_on(async {
            let database = Database::sqlite();
            let open = database.open();
            let before: Vec<_> =
                case.before.iter().map(|choice| choice.event(SignedDuration::ZERO)).collect();
            store(&open, &before).await;
            let joined = read_pages(&open, &case, SignedDuration::ZERO).await;
            assert!(joined.is_sorted_by(|a, b| a > b), "an event is repeated or out of order");
            let known: BTreeSet<_> = before.iter().map(|event| event.id).collect();
            let of_these: Vec<_> = joined.into_iter().filter(|id| known.contains(id)).collect();
            assert_eq!(of_these, expected(&case, &before));
            open.close().await;
        });
    });
}
