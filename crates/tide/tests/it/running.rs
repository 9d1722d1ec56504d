//! What becomes of events.

use tide::{Limits, Outcome, RejectCode};

use crate::harness::{accept, program, reject};

const EVENT: &str = r#"
event Event {
    id: String length 1..=8
    n: Int in 0 ..< 100
    price: Decimal?
    kind: "a.x" | "b.y"
    user: { name: String, ... }
    tags: List<String>
}
record Row { id: String, n: Int, price: Decimal?, kind: String, user: { name: String, ... }, tags: List<String> }

rule r(event: Event) -> Row {
    return Row { id: event.id, n: event.n, price: event.price, kind: event.kind, user: event.user, tags: event.tags }
}
"#;

fn codes(event: &str) -> Vec<String> {
    reject(&program("event", EVENT), event.as_bytes(), &Limits::default())
}

#[test]
fn a_record_is_written_in_the_order_of_its_declaration() {
    let event = r#" { "tags": ["x", "\u00e9\"\n"], "user": {"age": 1.50, "name": "Ann", "a/b": [ null ]},
        "kind": "b.y", "price": -12.50, "n": 7, "id": "i1" } "#;
    let record = accept(&program("event", EVENT), event.as_bytes());
    assert_eq!(
        record,
        r#"{"id":"i1","n":7,"price":-12.50,"kind":"b.y","user":{"name":"Ann","age":1.50,"a/b":[ null ]},"tags":["x","é\"\n"]}"#
    );
}

#[test]
fn every_fault_is_named_with_its_place() {
    let event =
        r#"{"id": "", "n": 100, "price": "1", "kind": "a.z", "user": {}, "tags": ["x", 1, null], "nn": 1}"#;
    assert_eq!(
        codes(event),
        [
            "length /id",
            "out_of_range /n",
            "type_mismatch /price",
            "not_in_union /kind",
            "missing_field /user/name",
            "type_mismatch /tags/1",
            "type_mismatch /tags/2",
            "unknown_field /nn",
        ]
    );
}

#[test]
fn messages_say_what_was_expected_and_what_came() {
    let outcome = program("event", EVENT).run(br#"{"id": 5, "kindd": 1}"#, &Limits::default());
    let Outcome::Rejected(reasons) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reasons[0].message, "expected a string, found the number 5");
    assert_eq!(reasons[1].message, "this field is not declared; did you mean \"kind\"?");
    assert_eq!(reasons[2].message, "expected an integer, found no such field");
}

#[test]
fn an_int_is_an_integer_of_64_bits() {
    let with =
        |n: &str| codes(&format!(r#"{{"id":"i","n":{n},"kind":"a.x","user":{{"name":"x"}},"tags":[]}}"#));
    assert_eq!(with("1.0"), ["type_mismatch /n"]);
    assert_eq!(with("1e1"), ["type_mismatch /n"]);
    assert_eq!(with("9223372036854775808"), ["out_of_range /n"]);
    assert_eq!(with("null"), ["type_mismatch /n"]);
}

#[test]
fn duplicate_keys_are_found_everywhere() {
    let start = r#"{"id":"i","n":1,"kind":"a.x","tags":[],"user":{"name":"x""#;
    assert_eq!(codes(&format!(r#"{start}}},"n":2}}"#)), ["duplicate_key /n"]);
    assert_eq!(codes(&format!(r#"{start},"z":1,"\u007a":2}}}}"#)), ["duplicate_key /user/z"]);
    assert_eq!(codes(&format!(r#"{start},"z":{{"y":1,"y":2}}}}}}"#)), ["duplicate_key /user/z"]);
}

#[test]
fn what_is_not_json_is_told_apart_from_what_has_the_wrong_shape() {
    let program = program("event", EVENT);
    for text in ["", "{", "{\"id\":}", "{} x", "nul", "{\"id\":\"\u{1}\"}", "{\"n\":01}"] {
        let outcome = program.run(text.as_bytes(), &Limits::default());
        assert!(
            matches!(&outcome, Outcome::NotJson(reject) if reject.code == RejectCode::Malformed),
            "{text}"
        );
    }
    for text in ["null", "[]", "1", "\"x\"", "{}"] {
        assert!(matches!(program.run(text.as_bytes(), &Limits::default()), Outcome::Rejected(_)), "{text}");
    }
}

#[test]
fn pointers_are_escaped() {
    assert!(codes(r#"{"a/b~c": 1}"#).contains(&"unknown_field /a~1b~0c".to_string()));
}

#[test]
fn the_same_event_has_the_same_outcome() {
    let program = program("event", EVENT);
    let event = br#"{"id":"i","n":1,"kind":"a.x","tags":[],"user":{"name":"x","q":1}}"#;
    assert_eq!(program.run(event, &Limits::default()), program.run(event, &Limits::default()));
}

#[test]
fn an_open_record_keeps_its_other_fields_on_every_way() {
    let text = "event Event { a: { x: Int, ... }?, b: { x: Int, ... }, n: Int }\n\
        record Row { one: { x: Int, ... }, two: { x: Int, ... }, three: List<{ x: Int, ... }> }\n\
        rule r(event: Event) -> Row {\n\
        one = event.a ?? event.b\n\
        two = match event.n { 0 => event.b, _ => event.a ?? event.b }\n\
        return Row { one, two, three: [event.b] }\n}";
    let record = accept(&program("ways", text), br#"{"b":{"y":1,"x":2},"n":1}"#);
    assert_eq!(record, r#"{"one":{"x":2,"y":1},"two":{"x":2,"y":1},"three":[{"x":2,"y":1}]}"#);
}
