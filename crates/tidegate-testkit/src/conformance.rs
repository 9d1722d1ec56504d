//! What every store must guarantee, as a list of checks.
//!
//! A check is given a way to make empty databases and speaks to them only through
//! [`Store`] and its reader, so every store can be put through the same list. What a database does
//! under locks, full disks and kill signals is its own and is tested beside its code.
//!
//! A check panics when the guarantee does not hold. To see each under its own name, write a test for
//! each check that calls [`run`], and one that compares the names with [`CHECKS`], so that a check
//! added here is not forgotten there.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tidegate_core::event::{Appended, Event, EventFilter, EventId, NewEvent, RawEvent, Status, Verdict};
use tidegate_core::trace::TraceContext;
use tidegate_store::{AppendError, Reader, Store};
use tokio::task::JoinSet;

use crate::events::{EventBuilder, START};
use crate::store::Database;

/// Makes an empty database.
pub type NewDatabase = dyn Fn() -> Database + Send + Sync;

/// One guarantee, and how it is checked.
pub struct Check {
    /// The check's name, fit for the name of a test.
    pub name: &'static str,
    /// What holds for a store that passes.
    pub guarantee: &'static str,
    run: for<'a> fn(&'a NewDatabase) -> Running<'a>,
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Check {
    /// Puts the databases that `new` makes through this check.
    ///
    /// # Panics
    /// When the guarantee does not hold.
    pub async fn run(&self, new: &NewDatabase) {
        (self.run)(new).await;
    }
}

/// Runs the check with this name.
///
/// # Panics
/// When the guarantee does not hold, or there is no such check.
pub async fn run(name: &str, new: &NewDatabase) {
    let check = CHECKS.iter().find(|check| check.name == name);
    check.unwrap_or_else(|| panic!("there is no check {name}")).run(new).await;
}

macro_rules! checks {
    ($($(#[doc = $line:literal])+ $name:ident;)+) => {
        /// Every check, with what it guarantees.
        ///
        $(#[doc = concat!("- `", stringify!($name), "`:", $($line),+)])+
        pub const CHECKS: &[Check] = &[$(Check {
            name: stringify!($name),
            guarantee: concat!($($line),+).trim_ascii_start(),
            run: |new| Box::pin($name(new)),
        }),+];
    };
}

checks! {
    // --- what goes in comes out -----------------------------------------------------------------
    /// Every field of an accepted event is read back as it was appended, times to the microsecond.
    every_field_comes_back;
    /// A body is kept byte for byte: empty, with NUL, not UTF-8, of any byte, and of one MiB.
    bodies_are_kept_byte_for_byte;
    /// A record is kept as the text that the rules wrote; no record differs from the record `null`.
    a_record_is_kept_as_it_was_written;
    /// A refused event keeps all its reasons in order, and its body.
    all_reasons_come_back;
    /// The kept headers come back with the body, each with its value, sorted by name.
    headers_come_back;
    /// An id that was never stored is answered with nothing, not with an error.
    an_unknown_id_is_nothing;
    /// Everything in a burst is committed, each event under its own id, none lost and none twice.
    a_burst_is_committed_completely;
    /// What was acknowledged is at once visible to a reader with a connection of its own.
    an_acknowledged_event_is_visible_at_once;

    // --- the same event again -------------------------------------------------------------------
    /// The same external id with the same body is stored once; the copy is told the first id.
    a_copy_is_a_duplicate_of_the_first;
    /// Of 64 copies at the same moment exactly one is stored, and all others name it.
    copies_at_the_same_moment_are_one_event;
    /// The same external id in another source is another event.
    an_external_id_belongs_to_its_source;
    /// Accepted events without an external id are never taken for copies of each other.
    without_an_external_id_every_event_is_new;
    /// An accepted external id with another body leaves the first as it is; the other body is kept in
    /// quarantine once, with the reason `duplicate_differs`, however often it comes.
    another_body_is_kept_in_quarantine_once;
    /// Each of several other bodies under one external id is kept.
    every_other_body_is_kept;
    /// A body that differs from the accepted one is not delivered anywhere.
    another_body_is_not_delivered;
    /// A refused event does not use up its external id: the mended retry is accepted.
    a_refused_event_leaves_its_external_id_free;
    /// The same refused body is kept once; a repetition is told the first id.
    a_refused_body_is_kept_once;
    /// A retry of an accepted event stays a duplicate when newer rules refuse it.
    a_refused_retry_of_an_accepted_event_is_a_duplicate;

    // --- lists ----------------------------------------------------------------------------------
    /// Lists are newest first, whatever the order of arrival in the store.
    lists_are_newest_first;
    /// Each filter narrows to exactly the events that match, and filters combine.
    filters_narrow_exactly;
    /// `since` includes its instant and `until` excludes it, to the microsecond.
    times_are_compared_to_the_microsecond;
    /// The text of a filter is looked for as it stands, without wildcards, in type, external id and record.
    text_is_looked_for_as_it_stands;
    /// A page holds at most its limit, and pages of any size join to the whole list.
    pages_join_to_the_whole_list;
    /// Events that arrive while one pages do not shift, repeat or hide what was there.
    pages_are_stable_while_events_arrive;

    // --- closing and opening --------------------------------------------------------------------
    /// After closing and opening again everything is still there.
    everything_survives_reopening;
    /// After closing and opening again, copies are still recognised.
    copies_are_recognised_after_reopening;
    /// Closing answers everything that waits, and what it answers with success is stored.
    closing_answers_all_that_waits;
    /// After closing, appends are refused and leave nothing behind; closing again does no harm.
    a_closed_store_refuses;
}

// --- what goes in comes out ---------------------------------------------------------------------

async fn every_field_comes_back(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Some("v=1"));
    let trace = trace.expect("the example of the recommendation is well-formed");
    let event = EventBuilder::new("stripe")
        .event_type("charge.refunded")
        .external_id("evt_1 \u{e9}\u{1f600}")
        .received_at(START + SignedDuration::new(1, 123_456_000))
        .body(r#"{"id":"evt_1"}"#)
        .record(r#"{"amount":12.50}"#)
        .delivery("billing", SignedDuration::from_micros(-1))
        .delivery("warehouse", SignedDuration::from_micros(1_000_001))
        .trace(trace.clone())
        .build();
    stored(&store, event.clone()).await;
    let found = found(store.reader(), event.id).await;
    let expected = Event {
        id: event.id,
        source: event.source.clone(),
        event_type: event.event_type.clone(),
        external_id: event.external_id.clone(),
        received_at: event.received_at,
        verdict: event.verdict.clone(),
        deliveries: event.deliveries.clone(),
        trace_id: trace.trace_id(),
    };
    assert_eq!(found, expected);
    assert_eq!(listed(store.reader(), EventFilter::default()).await, [expected]);

    let bare = EventBuilder::new("github").build();
    stored(&store, bare.clone()).await;
    let found = self::found(store.reader(), bare.id).await;
    assert_eq!((found.event_type, found.external_id), (None, None));
    assert_eq!((found.deliveries, found.trace_id), (Vec::new(), bare.trace.trace_id()));
    store.close().await;
}

async fn bodies_are_kept_byte_for_byte(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let every_byte: Vec<u8> = (0..=255).collect();
    let mebibyte: Vec<u8> = (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let bodies: [&[u8]; 8] = [
        b"",
        b"\0",
        b"{\"a\":\"\0\"}\0",
        b"\xff\xfe\x80",
        "\u{feff}{}\r\n".as_bytes(),
        b"'",
        &every_byte,
        &mebibyte,
    ];
    for body in bodies {
        let event = EventBuilder::new("any").body(Bytes::copy_from_slice(body)).build();
        let id = stored(&store, event).await;
        // Compared before it is printed: a megabyte of differing bytes tells nobody anything.
        let kept = raw(store.reader(), id).await.body;
        assert!(kept == body, "{} bytes became {} other bytes", body.len(), kept.len());
    }
    store.close().await;
}

async fn a_record_is_kept_as_it_was_written(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let long = format!("\"{}\"", "é".repeat(100_000));
    let records =
        ["null", "{}", "{ \"b\" : 1.0,\n\t\"a\":12345678901234567890.10 }", r#"{"s":"\u0000'\""}"#, &long];
    for record in records {
        let id = stored(&store, EventBuilder::new("any").record(record).build()).await;
        let expected = Verdict::Accepted { record: Some(record.to_owned()) };
        assert_eq!(found(store.reader(), id).await.verdict, expected);
    }
    let id = stored(&store, EventBuilder::new("any").build()).await;
    assert_eq!(found(store.reader(), id).await.verdict, Verdict::Accepted { record: None });
    store.close().await;
}

async fn all_reasons_come_back(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let event = EventBuilder::new("any")
        .body(&b"\xff not JSON"[..])
        .quarantined_at("/b/0/~1x", "out_of_range", "expected at most 10, \"11\" came")
        .quarantined("not_json", "the body is not JSON:\nline 1 \u{1f600} \0")
        .quarantined_at("/a", "out_of_range", "")
        .build();
    let id = stored(&store, event.clone()).await;
    assert_eq!(found(store.reader(), id).await.verdict, event.verdict);
    assert_eq!(raw(store.reader(), id).await.body, event.body);
    store.close().await;
}

async fn headers_come_back(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let event = EventBuilder::new("any")
        .header("x-github-event", "push")
        .header("content-type", "application/json; charset=\"utf-8\"")
        .header("user-agent", "")
        .build();
    let id = stored(&store, event).await;
    let headers = raw(store.reader(), id).await.headers;
    let expected = [
        ("content-type", "application/json; charset=\"utf-8\""),
        ("user-agent", ""),
        ("x-github-event", "push"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let id = stored(&store, EventBuilder::new("any").build()).await;
    assert_eq!(raw(store.reader(), id).await.headers, []);
    store.close().await;
}

async fn an_unknown_id_is_nothing(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    stored(&store, EventBuilder::new("any").build()).await;
    let unknown = EventBuilder::new("any").build().id;
    assert_eq!(answer(store.reader().event(unknown).await), None);
    assert_eq!(answer(store.reader().raw(unknown).await), None);
    answer(store.reader().ping().await);
    store.close().await;
}

async fn a_burst_is_committed_completely(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let builder = EventBuilder::new("any");
    let events: Vec<_> =
        (0..1_000).map(|n| builder.clone().external_id(format!("evt_{n}")).build()).collect();
    let expected: BTreeSet<_> = events.iter().map(|event| event.id).collect();
    let answers = append_all(&store, events).await;
    let acknowledged: BTreeSet<_> = answers.into_iter().map(stored_id).collect();
    assert_eq!(acknowledged, expected);
    let kept = ids(&listed(store.reader(), EventFilter::default()).await);
    assert_eq!(kept, expected.into_iter().rev().collect::<Vec<_>>());
    store.close().await;
}

async fn an_acknowledged_event_is_visible_at_once(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let reader = database.reader().unwrap_or_else(|e| panic!("a second reader is refused: {e}"));
    for number in 1..=20 {
        let id = stored(&store, EventBuilder::new("any").build()).await;
        assert_eq!(found(&reader, id).await.id, id);
        assert_eq!(listed(&reader, EventFilter::default()).await.len(), number);
    }
    store.close().await;
}

// --- the same event again -----------------------------------------------------------------------

async fn a_copy_is_a_duplicate_of_the_first(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder = EventBuilder::new("stripe").external_id("evt_1").body("{\"a\":1}");
    let first = stored(&store, builder.build()).await;
    // Only the body decides; a copy may come later, with other headers, and be read by newer rules.
    let copies = [builder.clone(), builder.clone().header("retry", "1"), builder.clone().record("{\"v\":2}")];
    for copy in copies {
        assert_eq!(append(&store, copy.build()).await, Appended::Duplicate { first });
    }
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [first]);
    assert_eq!(found(store.reader(), first).await.verdict, Verdict::Accepted { record: None });
    store.close().await;
}

async fn copies_at_the_same_moment_are_one_event(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let builder = EventBuilder::new("stripe").external_id("evt_1").body("{\"a\":1}");
    let answers = append_all(&store, (0..64).map(|_| builder.build())).await;
    let winners: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Appended::Stored(id) => Some(*id),
            _ => None,
        })
        .collect();
    let [first] = winners[..] else { panic!("{} of 64 copies are stored", winners.len()) };
    let others = answers.iter().filter(|answer| **answer == Appended::Duplicate { first }).count();
    assert_eq!(others, 63, "{answers:?}");
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [first]);
    store.close().await;
}

async fn an_external_id_belongs_to_its_source(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    // The last two would be the same if source and id were simply joined.
    for (source, external_id) in [("stripe", "evt_1"), ("github", "evt_1"), ("a", "bc"), ("ab", "c")] {
        stored(&store, EventBuilder::new(source).external_id(external_id).build()).await;
    }
    assert_eq!(listed(store.reader(), EventFilter::default()).await.len(), 4);
    store.close().await;
}

async fn without_an_external_id_every_event_is_new(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let builder = EventBuilder::new("any").body("{\"a\":1}");
    for answer in append_all(&store, (0..8).map(|_| builder.build())).await {
        stored_id(answer);
    }
    assert_eq!(listed(store.reader(), EventFilter::default()).await.len(), 8);
    store.close().await;
}

async fn another_body_is_kept_in_quarantine_once(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder = EventBuilder::new("stripe").external_id("evt_1").record("{}");
    let first = stored(&store, builder.clone().body("{\"a\":1}").build()).await;
    for _ in 0..3 {
        let other = builder.clone().body("{\"a\":2}").build();
        assert_eq!(append(&store, other).await, Appended::Conflict { first });
    }
    let quarantined = EventFilter { status: Some(Status::Quarantined), ..EventFilter::default() };
    let kept = listed(store.reader(), quarantined).await;
    let [conflict] = &kept[..] else { panic!("{} events are in quarantine", kept.len()) };
    let Verdict::Quarantined { reasons } = &conflict.verdict else { panic!("{:?}", conflict.verdict) };
    assert_eq!(reasons.iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>(), ["duplicate_differs"]);
    assert!(reasons[0].message.contains(&first.to_string()), "{}", reasons[0].message);
    assert_eq!(raw(store.reader(), conflict.id).await.body, "{\"a\":2}");

    assert_eq!(listed(store.reader(), EventFilter::default()).await.len(), 2);
    assert_eq!(raw(store.reader(), first).await.body, "{\"a\":1}");
    assert_eq!(found(store.reader(), first).await.verdict.status(), Status::Accepted);
    // The first body is still a copy of the first event.
    let copy = builder.body("{\"a\":1}").build();
    assert_eq!(append(&store, copy).await, Appended::Duplicate { first });
    store.close().await;
}

async fn every_other_body_is_kept(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let builder = EventBuilder::new("stripe").external_id("evt_1");
    let first = stored(&store, builder.clone().body("0").build()).await;
    let others = (0..16).map(|n| builder.clone().body(format!("{}", 1 + n % 4)).build());
    for answer in append_all(&store, others).await {
        assert_eq!(answer, Appended::Conflict { first });
    }
    let quarantined = EventFilter { status: Some(Status::Quarantined), ..EventFilter::default() };
    let mut bodies = BTreeSet::new();
    for id in ids(&listed(store.reader(), quarantined).await) {
        assert!(bodies.insert(raw(store.reader(), id).await.body), "a body is kept twice");
    }
    assert_eq!(bodies, ["1", "2", "3", "4"].map(Bytes::from).into());
    store.close().await;
}

async fn another_body_is_not_delivered(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder =
        EventBuilder::new("stripe").external_id("evt_1").delivery("billing", SignedDuration::from_secs(1));
    let first = stored(&store, builder.clone().body("1").build()).await;
    assert_eq!(append(&store, builder.body("2").build()).await, Appended::Conflict { first });
    for event in listed(store.reader(), EventFilter::default()).await {
        let planned = usize::from(event.id == first);
        assert_eq!(event.deliveries.len(), planned, "{:?}", event.verdict);
    }
    store.close().await;
}

async fn a_refused_event_leaves_its_external_id_free(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder = EventBuilder::new("stripe").external_id("evt_1").body("{\"a\":1}");
    let refused = stored(&store, builder.clone().quarantined("out_of_range", "too much").build()).await;
    let accepted = stored(&store, builder.build()).await;
    assert_eq!(append(&store, builder.build()).await, Appended::Duplicate { first: accepted });
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [accepted, refused]);
    store.close().await;
}

async fn a_refused_body_is_kept_once(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let refused = EventBuilder::new("stripe").external_id("evt_1").quarantined("out_of_range", "too much");
    let first = stored(&store, refused.clone().body("1").build()).await;
    // Newer rules may word their refusal differently; the body is still the same.
    let reworded = refused.clone().quarantined("not_json", "more").body("1").build();
    assert_eq!(append(&store, reworded).await, Appended::AlreadyQuarantined(first));
    assert_eq!(append(&store, refused.clone().body("1").build()).await, Appended::AlreadyQuarantined(first));
    let other = stored(&store, refused.clone().body("2").build()).await;
    let elsewhere = EventBuilder::new("github").external_id("evt_1").quarantined("x", "x").body("1").build();
    let elsewhere = stored(&store, elsewhere).await;
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [elsewhere, other, first]);

    let nameless = EventBuilder::new("stripe").quarantined("not_json", "no").body("1");
    let nameless_first = stored(&store, nameless.build()).await;
    assert_eq!(append(&store, nameless.build()).await, Appended::AlreadyQuarantined(nameless_first));
    store.close().await;
}

async fn a_refused_retry_of_an_accepted_event_is_a_duplicate(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder = EventBuilder::new("stripe").external_id("evt_1").body("{\"a\":1}");
    let first = stored(&store, builder.build()).await;
    let refused = builder.clone().quarantined("out_of_range", "too much");
    assert_eq!(append(&store, refused.build()).await, Appended::Duplicate { first });
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [first]);
    // Another body that is refused is no retry: it is kept for its own reasons.
    let other = stored(&store, refused.body("{\"a\":2}").build()).await;
    let Verdict::Quarantined { reasons } = found(store.reader(), other).await.verdict else {
        panic!("the other body is accepted");
    };
    assert_eq!(reasons[0].code, "out_of_range");
    store.close().await;
}

// --- lists --------------------------------------------------------------------------------------

async fn lists_are_newest_first(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder = EventBuilder::new("any");
    let mut expected = Vec::new();
    for minute in [3, 1, 4, 0, 2] {
        let received_at = START + SignedDuration::from_mins(minute);
        let id = stored(&store, builder.clone().received_at(received_at).build()).await;
        expected.push((received_at, id));
    }
    expected.sort_by(|a, b| b.cmp(a));
    let found = listed(store.reader(), EventFilter::default()).await;
    assert_eq!(found.iter().map(|event| (event.received_at, event.id)).collect::<Vec<_>>(), expected);
    store.close().await;
}

async fn filters_narrow_exactly(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let builders = [
        EventBuilder::new("stripe").event_type("charge.refunded").external_id("evt_1").record("{\"a\":1}"),
        EventBuilder::new("stripe").event_type("charge.refunded").external_id("evt_2").quarantined("x", "x"),
        EventBuilder::new("stripe").event_type("charge").external_id("evt_3").record("{\"a\":3}"),
        EventBuilder::new("stripe-eu").event_type("charge.refunded").external_id("evt_4").record("{}"),
        EventBuilder::new("github").external_id("evt_5").quarantined("x", "x"),
        EventBuilder::new("github"),
    ];
    let events: Vec<NewEvent> = (0..24)
        .map(|n| builders[n % builders.len()].clone().body(format!("{n}")))
        .enumerate()
        .map(|(n, builder)| if n < 6 { builder } else { builder.external_id(format!("later_{n}")) })
        .map(|builder| builder.build())
        .collect();
    for answer in append_all(&store, events.clone()).await {
        stored_id(answer);
    }
    for filter in every_filter(events[5].received_at, events[17].received_at) {
        let mut expected: Vec<_> = events.iter().filter(|e| matches(&filter, e)).map(|e| e.id).collect();
        expected.sort_by(|a, b| b.cmp(a));
        assert_eq!(ids(&listed(store.reader(), filter.clone()).await), expected, "{filter:?}");
    }
    store.close().await;
}

/// Every combination of a few values for each field, among them values that match nothing.
fn every_filter(early: Timestamp, late: Timestamp) -> Vec<EventFilter> {
    let text = |text: &'static str| Some(text.to_owned());
    let mut filters = vec![EventFilter::default()];
    let mut widen = |change: &dyn Fn(&EventFilter) -> Vec<EventFilter>| {
        let more: Vec<_> = filters.iter().flat_map(change).collect();
        filters.extend(more);
    };
    widen(&|f| {
        let sources = ["stripe", "stripe-eu", "github", "strip", ""].map(text);
        sources.map(|source| EventFilter { source, ..f.clone() }).into()
    });
    widen(&|f| {
        let types = ["charge", "charge.refunded", "CHARGE", ""].map(text);
        types.map(|event_type| EventFilter { event_type, ..f.clone() }).into()
    });
    widen(&|f| Status::ALL.map(|status| EventFilter { status: Some(status), ..f.clone() }).into());
    widen(&|f| vec![EventFilter { since: Some(early), ..f.clone() }]);
    widen(&|f| vec![EventFilter { until: Some(late), ..f.clone() }]);
    widen(&|f| ["evt_", "later_1"].map(|t| EventFilter { text: text(t), ..f.clone() }).into());
    filters
}

async fn times_are_compared_to_the_microsecond(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    // Around the border of a millisecond, where an id's time and the event's own time differ.
    let micros = [0, 1, 499, 998, 999, 1_000, 1_001, 1_999, 2_000, 1_000_000];
    let at = |micros| START + SignedDuration::from_micros(micros);
    let mut events = Vec::new();
    for micro in micros {
        let event = EventBuilder::new("any").received_at(at(micro)).build();
        events.push((event.received_at, stored(&store, event).await));
    }
    events.sort_by(|a, b| b.cmp(a));
    let expect = |since: Option<Timestamp>, until: Option<Timestamp>| -> Vec<EventId> {
        let within =
            |at: Timestamp| since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until);
        events.iter().filter(|(at, _)| within(*at)).map(|(_, id)| *id).collect()
    };
    for bound in micros.iter().flat_map(|m| [m - 1, *m, m + 1]) {
        for (since, until) in [
            (Some(at(bound)), None),
            (None, Some(at(bound))),
            (Some(at(bound)), Some(at(bound + 1))),
            (Some(at(bound)), Some(at(bound))),
            (Some(at(bound)), Some(at(1_999))),
        ] {
            let filter = EventFilter { since, until, ..EventFilter::default() };
            assert_eq!(
                ids(&listed(store.reader(), filter).await),
                expect(since, until),
                "{since:?} {until:?}"
            );
        }
    }
    store.close().await;
}

async fn text_is_looked_for_as_it_stands(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let by_type = stored(&store, EventBuilder::new("any").event_type("sale.100%_off").build()).await;
    let by_id = stored(&store, EventBuilder::new("any").external_id("o'Neill \\ \"x\"").build()).await;
    let by_record =
        stored(&store, EventBuilder::new("any").record("{\"city\":\"Z\u{fc}rich*\"}").build()).await;
    let refused = EventBuilder::new("any").external_id("refused").quarantined("code_x", "message_x").build();
    let refused = stored(&store, refused).await;
    let cases = [
        ("100%_off", vec![by_type]),
        ("%", vec![by_type]),
        ("_", vec![by_type]),
        ("sale", vec![by_type]),
        ("SALE", vec![]),
        ("o'Neill \\ \"x\"", vec![by_id]),
        ("'", vec![by_id]),
        ("Z\u{fc}rich", vec![by_record]),
        ("*", vec![by_record]),
        ("?", vec![]),
        ("refused", vec![refused]),
        ("any", vec![]),
        ("", vec![refused, by_record, by_id, by_type]),
    ];
    for (text, expected) in cases {
        let filter = EventFilter { text: Some(text.to_owned()), ..EventFilter::default() };
        assert_eq!(ids(&listed(store.reader(), filter).await), expected, "{text:?}");
    }
    store.close().await;
}

async fn pages_join_to_the_whole_list(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let builders = [EventBuilder::new("even"), EventBuilder::new("odd").quarantined("x", "x")];
    let events = (0..25).map(|n| builders[n % 2].clone().body(format!("{n}")).build());
    append_all(&store, events).await;
    let filters = [
        EventFilter::default(),
        EventFilter { source: Some("odd".into()), ..EventFilter::default() },
        EventFilter { status: Some(Status::Quarantined), ..EventFilter::default() },
        EventFilter { source: Some("nobody".into()), ..EventFilter::default() },
    ];
    for filter in filters {
        let whole = ids(&listed(store.reader(), filter.clone()).await);
        for limit in [1, 2, 5, 7, 12, 13, 24, 25, 26, usize::MAX] {
            let mut joined = Vec::new();
            loop {
                let before = joined.last().copied();
                let page = ids(&answer(store.reader().list(filter.clone(), before, limit).await));
                assert!(page.len() <= limit);
                assert!(
                    before.is_none_or(|cursor| page.iter().all(|id| *id < cursor)),
                    "the cursor is repeated"
                );
                // Only the last page may be short, or a caller would stop too early.
                let last = page.len() < limit;
                joined.extend(page);
                if last {
                    break;
                }
            }
            assert_eq!(joined, whole, "{filter:?} in pages of {limit}");
        }
        assert_eq!(answer(store.reader().list(filter, None, 0).await), []);
    }
    store.close().await;
}

async fn pages_are_stable_while_events_arrive(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let builder = EventBuilder::new("any");
    for _ in 0..30 {
        stored(&store, builder.build()).await;
    }
    let whole = ids(&listed(store.reader(), EventFilter::default()).await);
    let mut joined: Vec<EventId> = Vec::new();
    loop {
        let before = joined.last().copied();
        let page = ids(&answer(store.reader().list(EventFilter::default(), before, 4).await));
        if page.is_empty() {
            break;
        }
        assert!(before.is_none_or(|cursor| page.iter().all(|id| *id < cursor)), "the cursor is repeated");
        joined.extend(page);
        stored(&store, builder.build()).await;
    }
    assert_eq!(joined, whole);
    store.close().await;
}

// --- closing and opening ------------------------------------------------------------------------

async fn everything_survives_reopening(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let events: Vec<_> = (0..20_u8)
        .map(|n| {
            let event = EventBuilder::new("stripe")
                .event_type("charge")
                .external_id(format!("evt_{n}"))
                .header("content-type", "application/json")
                .body(vec![n; usize::from(n) * 1_000])
                .delivery("billing", SignedDuration::from_secs(i64::from(n)));
            if n % 3 == 0 { event.quarantined("x", "x").build() } else { event.record("{\"n\":1}").build() }
        })
        .collect();
    for event in &events {
        stored(&store, event.clone()).await;
    }
    let list = listed(store.reader(), EventFilter::default()).await;
    store.close().await;
    drop(store);

    let store = database.open();
    assert_eq!(listed(store.reader(), EventFilter::default()).await, list);
    for event in &events {
        let kept = raw(store.reader(), event.id).await;
        assert!(kept.body == event.body, "the body of {} has changed", event.id);
        assert_eq!(kept.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    }
    // And it is not just a memory: it goes on.
    stored(&store, EventBuilder::new("stripe").external_id("evt_new").build()).await;
    assert_eq!(listed(store.reader(), EventFilter::default()).await.len(), events.len() + 1);
    store.close().await;
}

async fn copies_are_recognised_after_reopening(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    let accepted = EventBuilder::new("stripe").external_id("evt_1").body("1");
    let refused = EventBuilder::new("stripe").external_id("evt_2").body("2").quarantined("x", "x");
    let first = stored(&store, accepted.build()).await;
    let first_refused = stored(&store, refused.build()).await;
    let conflict = accepted.clone().body("other");
    assert_eq!(append(&store, conflict.build()).await, Appended::Conflict { first });
    store.close().await;
    drop(store);

    let store = database.open();
    assert_eq!(append(&store, accepted.build()).await, Appended::Duplicate { first });
    assert_eq!(append(&store, refused.build()).await, Appended::AlreadyQuarantined(first_refused));
    assert_eq!(append(&store, conflict.build()).await, Appended::Conflict { first });
    assert_eq!(listed(store.reader(), EventFilter::default()).await.len(), 3);
    store.close().await;
}

async fn closing_answers_all_that_waits(new: &NewDatabase) {
    let database = new();
    let store = Arc::new(database.open());
    let mut appends = JoinSet::new();
    for _ in 0..500 {
        let (store, event) = (Arc::clone(&store), EventBuilder::new("any").build());
        appends.spawn(async move { (event.id, store.append(event).await) });
    }
    store.close().await;
    let (mut acknowledged, mut refused) = (BTreeSet::new(), BTreeSet::new());
    while let Some(joined) = appends.join_next().await {
        let (id, answer) = joined.unwrap_or_else(|e| panic!("an append has panicked: {e}"));
        match answer {
            Ok(Appended::Stored(stored)) if stored == id => acknowledged.insert(id),
            Err(AppendError::Closing | AppendError::Unavailable(_)) => refused.insert(id),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(acknowledged.len() + refused.len(), 500);
    drop(store);
    let store = database.open();
    let kept: BTreeSet<_> = ids(&listed(store.reader(), EventFilter::default()).await).into_iter().collect();
    assert_eq!(kept, acknowledged);
    store.close().await;
}

async fn a_closed_store_refuses(new: &NewDatabase) {
    let database = new();
    let store = database.open();
    assert!(store.is_serving());
    let kept = stored(&store, EventBuilder::new("any").build()).await;
    store.close().await;
    assert!(!store.is_serving());
    let refused = store.append(EventBuilder::new("any").build()).await;
    assert!(matches!(refused, Err(AppendError::Closing | AppendError::Unavailable(_))), "{refused:?}");
    let queue = store.queue();
    assert_eq!((queue.events, queue.bytes), (0, 0), "a refused event leaves nothing in the queue");
    store.close().await;
    // Questions are still answered: they need no committer.
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [kept]);
    drop(store);
    let store = database.open();
    assert_eq!(ids(&listed(store.reader(), EventFilter::default()).await), [kept]);
    store.close().await;
}

// --- speaking to a store ------------------------------------------------------------------------

async fn append(store: &Store, event: NewEvent) -> Appended {
    store.append(event).await.unwrap_or_else(|e| panic!("not committed: {e}"))
}

async fn stored(store: &Store, event: NewEvent) -> EventId {
    let id = event.id;
    assert_eq!(append(store, event).await, Appended::Stored(id));
    id
}

fn stored_id(answer: Appended) -> EventId {
    match answer {
        Appended::Stored(id) => id,
        other => panic!("not stored as new: {other:?}"),
    }
}

/// Appends all at the same moment; the answers come in the order of the commits.
async fn append_all(store: &Arc<Store>, events: impl IntoIterator<Item = NewEvent>) -> Vec<Appended> {
    let mut appends = JoinSet::new();
    for event in events {
        let store = Arc::clone(store);
        appends.spawn(async move { append(&store, event).await });
    }
    appends.join_all().await
}

#[track_caller]
fn answer<T>(answer: Result<T, tidegate_store::QueryError>) -> T {
    answer.unwrap_or_else(|e| panic!("not answered: {e:?}"))
}

async fn found(reader: &Reader, id: EventId) -> Event {
    answer(reader.event(id).await).unwrap_or_else(|| panic!("{id} is not there"))
}

async fn raw(reader: &Reader, id: EventId) -> RawEvent {
    answer(reader.raw(id).await).unwrap_or_else(|| panic!("the body of {id} is not there"))
}

async fn listed(reader: &Reader, filter: EventFilter) -> Vec<Event> {
    answer(reader.list(filter, None, usize::MAX).await)
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

/// What [`EventFilter`] promises, said once more and without a database.
pub fn matches(filter: &EventFilter, event: &NewEvent) -> bool {
    let record = match &event.verdict {
        Verdict::Accepted { record } => record.as_deref(),
        Verdict::Quarantined { .. } => None,
    };
    let texts = [event.event_type.as_deref(), event.external_id.as_deref(), record];
    filter.source.as_deref().is_none_or(|source| source == event.source.as_str())
        && filter.event_type.as_deref().is_none_or(|wanted| event.event_type.as_deref() == Some(wanted))
        && filter.status.is_none_or(|status| status == event.verdict.status())
        && filter.since.is_none_or(|since| event.received_at >= since)
        && filter.until.is_none_or(|until| event.received_at < until)
        && filter.text.as_deref().is_none_or(|wanted| {
            wanted.is_empty() || texts.iter().flatten().any(|text| text.contains(wanted))
        })
}
