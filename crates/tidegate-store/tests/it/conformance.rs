//! SQLite is put through what every store must guarantee.

use tidegate_testkit::conformance::{CHECKS, run};
use tidegate_testkit::store::Database;

macro_rules! checks {
    ($($name:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            run(stringify!($name), &Database::sqlite).await;
        })+

        #[test]
        fn no_check_is_forgotten() {
            let known: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
            assert_eq!(known, [$(stringify!($name)),+]);
        }
    };
}

checks! {
    every_field_comes_back,
    bodies_are_kept_byte_for_byte,
    a_record_is_kept_as_it_was_written,
    all_reasons_come_back,
    headers_come_back,
    an_unknown_id_is_nothing,
    a_burst_is_committed_completely,
    an_acknowledged_event_is_visible_at_once,
    a_copy_is_a_duplicate_of_the_first,
    copies_at_the_same_moment_are_one_event,
    an_external_id_belongs_to_its_source,
    without_an_external_id_every_event_is_new,
    another_body_is_kept_in_quarantine_once,
    every_other_body_is_kept,
    another_body_is_not_delivered,
    a_refused_event_leaves_its_external_id_free,
    a_refused_body_is_kept_once,
    a_refused_retry_of_an_accepted_event_is_a_duplicate,
    lists_are_newest_first,
    filters_narrow_exactly,
    times_are_compared_to_the_microsecond,
    text_is_looked_for_as_it_stands,
    pages_join_to_the_whole_list,
    pages_are_stable_while_events_arrive,
    everything_survives_reopening,
    copies_are_recognised_after_reopening,
    closing_answers_all_that_waits,
    a_closed_store_refuses,
}
