//! How long one event takes, from bytes to bytes: `cargo run --release -p tide --example speed`.
//!
//! Three rules on three events, in turns, so that a busy machine is unfair to none; the median of
//! many rounds is printed, in nanoseconds per event.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use tide::{Limits, Outcome, Program, Source, compile};

const ROUNDS: usize = 41;
const EVENTS: usize = 4_000;

struct Case {
    name: &'static str,
    program: Program,
    event: String,
    nanoseconds: Vec<u128>,
}

fn main() {
    let limits = Limits::default();
    let mut cases = [
        case("payments, small", "payments", payment(0)),
        case("payments, large", "payments", payment(10)),
        case("stripe", "stripe", stripe()),
    ];
    for _ in 0..ROUNDS {
        for case in &mut cases {
            let start = Instant::now();
            for _ in 0..EVENTS {
                black_box(case.program.run(black_box(case.event.as_bytes()), &limits));
            }
            case.nanoseconds.push(start.elapsed().as_nanos() / EVENTS as u128);
        }
    }
    for case in &mut cases {
        case.nanoseconds.sort_unstable();
        let median = case.nanoseconds[ROUNDS / 2];
        report(&format!("{:16} {:5} bytes {median:6} ns/event", case.name, case.event.len()));
    }
}

/// The one place that prints: an example has no other way to tell.
#[expect(clippy::print_stdout, reason = "what is measured is told on the terminal")]
fn report(line: &str) {
    println!("{line}");
}

fn case(name: &'static str, rules: &str, event: String) -> Case {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/{rules}/rules/{rules}.tide"));
    let text = std::fs::read_to_string(&path).expect("the example rules are in the repository");
    let program = compile(&Source::new(rules, text)).program.expect("the example rules are in order");
    let outcome = program.run(event.as_bytes(), &Limits::default());
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    Case { name, program, event, nanoseconds: Vec::new() }
}

/// A payment with so many further fields of metadata.
fn payment(more: usize) -> String {
    let more: String =
        (0..more).map(|index| format!(", \"key_{index}\": \"the value of this field {index}\"")).collect();
    format!(
        "{{\"event_type\": \"payment.succeeded\", \"object_id\": \"pi_3Pq\", \"amount_cents\": 125000, \
         \"currency\": \"EUR\", \"metadata\": {{ \"country\": \"NZ\"{more} }}}}"
    )
}

/// An event of Stripe's size, most of which no rule reads.
fn stripe() -> String {
    let line = |index: usize| {
        format!(
            "{{\"id\": \"il_{index}\", \"object\": \"line_item\", \"amount\": 1{index}00, \"currency\": \"usd\", \
             \"description\": \"Item number {index}\", \"metadata\": {{}}, \"livemode\": false, \"taxes\": [1.5, null]}}"
        )
    };
    let lines: Vec<String> = (0..28).map(line).collect();
    format!(
        "{{\"id\": \"evt_1NG8Du2eZvKYlo2CUI79vXWy\", \"object\": \"event\", \"api_version\": \"2025-10-29\", \
         \"created\": 1686089970, \"data\": {{\"object\": {{\"id\": \"in_1\", \"object\": \"invoice\", \
         \"amount_paid\": 12500, \"currency\": \"usd\", \"customer\": \"cus_1\", \"status\": \"paid\", \
         \"lines\": [{}]}}}}, \"livemode\": false, \"pending_webhooks\": 1, \"type\": \"invoice.paid\"}}",
        lines.join(", ")
    )
}
