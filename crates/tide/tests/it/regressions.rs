//! Bugs that were found once, each with a test named after it.

use tide::{Limits, Outcome, Program, Severity, Source, compile, render};

use crate::harness::program;

/// Found by fuzzing: the place of "the file has no `event`" began inside the last character.
#[test]
fn a_text_that_ends_with_a_wide_character_has_places_on_its_borders() {
    for text in ["// ä", "// ever>\u{0}\u{0}nd \u{79c}", "// \u{1f30a}\n", ""] {
        let source = Source::new("wide.tide", text);
        let diagnostics = compile(&source).diagnostics;
        for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            assert!(text.get(label.span.start..label.span.end).is_some(), "{text:?} {label:?}");
        }
        assert!(render(&source, &diagnostics, false).contains("the file has no `event`"));
    }
}

/// A rule on one event with one record, for tests that need no more.
fn rule(event: &str, record: &str, body: &str) -> Program {
    program("rule", &rule_text(event, record, body))
}

fn rule_text(event: &str, record: &str, body: &str) -> String {
    format!("event E {{ {event} }}\nrecord Row {{ {record} }}\nrule store(event: E) -> Row {{\n{body}\n}}\n")
}

fn run(program: &Program, event: &str) -> String {
    match program.run(event.as_bytes(), &Limits::default()) {
        Outcome::Accepted(record) => record,
        Outcome::Rejected(reasons) => format!("{} {}", reasons[0].code, reasons[0].pointer),
        other @ Outcome::NotJson(_) => panic!("{other:?} for {event}"),
    }
}

fn first_error(text: &str) -> String {
    let compiled = compile(&Source::new("refused", text));
    assert!(compiled.program.is_none());
    let error = compiled.diagnostics.iter().find(|found| found.severity == Severity::Error);
    let error = error.expect("an error");
    format!("{} {}", error.code, error.message)
}

#[test]
fn no_number_of_warnings_hides_an_error() {
    let unused: String = (0..300).map(|index| format!("a{index} = 1\n")).collect();
    let body = format!("{unused}return Row {{ a: event.a }}");
    let source = Source::new("warnings", rule_text("a: String?", "a: String", &body));
    let compiled = compile(&source);
    assert!(compiled.program.is_none());
    let is_error = |found: &&tide::Diagnostic| found.severity == Severity::Error;
    assert_eq!(compiled.diagnostics.iter().filter(is_error).count(), 1);
    assert_eq!(compiled.diagnostics.len(), 101, "the warnings have a bound of their own");
}

#[test]
fn an_empty_list_is_no_list_of_anything() {
    let wanted = "E0202 this empty list has no type";
    let bodies = [
        "mut xs = []\nxs = event.ints\nreturn Row { names: xs }",
        "xs = match event.n { 0 => [], _ => [event.n] }\nreturn Row { names: xs }",
        "xs = [[]]\nreturn Row { names: xs[0] ?? [\"a\"] }",
        "(xs, _n) = ([], 1)\nreturn Row { names: xs }",
    ];
    for body in bodies {
        assert_eq!(first_error(&rule_text("ints: List<Int>, n: Int", "names: List<String>", body)), wanted);
    }
    let constant = "const NONE = []\n".to_string()
        + &rule_text("ints: List<Int>", "names: List<String>", "return Row { names: NONE }");
    assert_eq!(first_error(&constant), wanted);
}

#[test]
fn an_empty_list_takes_the_type_that_is_wanted() {
    let text = "fn none() -> List<Int> { return [] }\n".to_string()
        + &rule_text(
            "o: List<Int>?, n: Int",
            "a: List<Int>, b: List<String>, c: Bool",
            "mut a = none()\na = event.o ?? []\nreturn Row { a, b: [], c: event.n in [] }",
        );
    assert_eq!(run(&program("none", &text), r#"{"n":1}"#), r#"{"a":[],"b":[],"c":false}"#);
}

#[test]
fn raw_json_stays_on_one_line() {
    let program = rule("j: Json, ...", "e: { j: Json, ... }, m: Json", "return Row { e: event, m: event.j }");
    let event = "{\"j\":[1,\n2,\r\n{\"a\"\n:\r\"\\n\"}\n],\n\"more\": {\n\"x\":1\r\n}\n}";
    let record = run(&program, event);
    let wanted = "{\"e\":{\"j\":[1,2,{\"a\":\"\\n\"}],\"more\":{\"x\":1}},\"m\":[1,2,{\"a\":\"\\n\"}]}";
    assert_eq!(record, wanted);
}

#[test]
fn a_record_that_shares_its_parts_does_not_exhaust_the_memory() {
    let mut body = String::from("x0 = event.s\n");
    for level in 1..10 {
        let parts = vec![format!("x{}", level - 1); 10].join(", ");
        body.push_str(&format!("x{level} = [{parts}]\n"));
    }
    body.push_str("return Row { l: x9 }");
    let nested = format!("l: {}String{}", "List<".repeat(9), ">".repeat(9));
    let program = rule("s: String", &nested, &body);
    assert_eq!(run(&program, r#"{"s":"ha"}"#), "length ");
    assert_eq!(run(&program, r#"{"s":""}"#), "length ");
}

#[test]
fn a_record_is_as_long_as_its_limit_and_no_longer() {
    let program = rule("s: String", "s: String", "return Row { s: event.s }");
    let at =
        |limit| program.run(br#"{"s":"12345"}"#, &Limits { max_output_bytes: limit, ..Limits::default() });
    assert!(matches!(at(13), Outcome::Accepted(record) if record.len() == 13));
    let Outcome::Rejected(reasons) = at(12) else { panic!("too long") };
    assert_eq!(reasons[0].message, "the record that the rule returns is longer than 12 bytes");
}

#[test]
fn decimals_overflow_rather_than_lose_digits() {
    let sum = rule("d: Decimal, e: Decimal", "r: Decimal", "return Row { r: event.d + event.e }");
    let product = rule("d: Decimal, e: Decimal", "r: Decimal", "return Row { r: event.d * event.e }");
    let event = |d: &str, e: &str| format!("{{\"d\":{d},\"e\":{e}}}");
    assert_eq!(run(&sum, &event("7922816251426433759354395033", "0.01")), "overflow /d");
    assert_eq!(run(&sum, &event("10000000000000000000000000", "0.0001")), "overflow /d");
    assert_eq!(run(&sum, &event("1.5", "-1.5")), "{\"r\":0.0}");
    assert_eq!(run(&sum, &event("0", "1.25")), "{\"r\":1.25}");
    assert_eq!(run(&product, &event("0.000000000000001", "0.00000000000001")), "overflow /d");
    assert_eq!(
        run(&product, &event("0.00000000000001", "0.00000000000001")),
        "{\"r\":0.0000000000000000000000000001}"
    );
    assert_eq!(run(&product, &event("0", "1.25")).replace("0.00", "0"), "{\"r\":0}");
    // Trailing zeros are no digits: what is left of the product fits.
    assert_eq!(
        run(&product, &event("0.3333333333333333333333333333", "100")),
        "{\"r\":33.333333333333333333333333330}"
    );
    assert_eq!(
        run(&product, &event("1.0000000000000000000000000", "123456.5")).trim_end_matches(['0', '}']),
        "{\"r\":123456.5"
    );
}

#[test]
fn floats_are_compared_as_floats() {
    let program = rule(
        "a: Float in 0 ..= 1, b: Float in 0 ..< 1",
        "b: Float",
        "return Row { b: event.a - event.a + event.b }",
    );
    let event = |a: &str, b: &str| format!("{{\"a\":{a},\"b\":{b}}}");
    assert_eq!(run(&program, &event("-1e-30", "0")), "out_of_range /a");
    assert_eq!(run(&program, &event("0", "0.9999999999999999")), "{\"b\":0.9999999999999999}");
    assert_eq!(run(&program, &event("1e300", "1.0")), "out_of_range /a");
    assert_eq!(run(&program, &event("1", "1")), "out_of_range /b");
    let open = rule("a: Float in 0 ..", "a: Float", "return Row { a: event.a }");
    assert_eq!(run(&open, "{\"a\":1e300}"), "{\"a\":1e300}");
}

#[test]
fn reading_long_strings_costs_fuel() {
    let loops = |body: &str| format!("mut n = 0\nfor i in event.l {{ {body} }}\nreturn Row {{ n }}");
    let checked = "record R { t: String matching r\"^(x|y[a-z]+z)*$\" length 1 ..= 2000000 }\n".to_string();
    let bodies = [
        "r = R { t: event.a }\nif r.t == \"q\" { n = n + i }",
        "if event.a == event.b { n = n + i }",
        "if event.a in [event.b, event.b] { n = n + i }",
        "n = match event.a { \"LONG\" => i, _ => n }",
    ];
    let long = "x".repeat(100_000);
    let event = format!("{{\"a\":\"{long}\",\"b\":\"{long}\",\"l\":[{}]}}", vec!["1"; 1_000].join(","));
    for body in bodies {
        let body = body.replace("LONG", &long);
        let text =
            checked.clone() + &rule_text("a: String, b: String, l: List<Int>", "n: Int", &loops(&body));
        let source = Source::new("fuel", text);
        let program = compile(&source).program.expect("a program");
        assert_eq!(run(&program, &event), "fuel_exhausted ");
    }
}

#[test]
fn what_is_never_equal_cannot_be_looked_for() {
    let choice = "record C by type { \"x\" => { n: Int } }\n".to_string();
    let event = "a: C, l: List<C>, m: Map<Int>, ml: List<Map<Int>>, s: String";
    for (item, list) in [("event.a", "event.l"), ("event.m", "event.ml"), ("(1, 2)", "[(1, 2)]")] {
        let body = format!("return Row {{ p: {item} in {list} }}");
        let error = first_error(&(choice.clone() + &rule_text(event, "p: Bool", &body)));
        assert!(error.starts_with("E0203") && error.contains("cannot be in"), "{error}");
    }
}

#[test]
fn a_match_with_optional_arms_takes_a_fallback() {
    let body = "return Row { n: (match event.k { \"a\" => event.o, \"b\" => 1 }) ?? 0 }";
    let program = rule("k: \"a\" | \"b\", o: Int?", "n: Int", body);
    assert_eq!(run(&program, r#"{"k":"a"}"#), r#"{"n":0}"#);
    assert_eq!(run(&program, r#"{"k":"a","o":7}"#), r#"{"n":7}"#);
    assert_eq!(run(&program, r#"{"k":"b"}"#), r#"{"n":1}"#);
}

#[test]
fn an_overflow_points_at_no_field_that_was_assigned_over() {
    let event = "l: List<Int>, a: { x: Int }, b: { x: Int }";
    let body = |assigned: &str| {
        format!("mut m = event.a.x\n{assigned}\nreturn Row {{ n: m * 9223372036854775807 }}")
    };
    let given = r#"{"l":[1],"a":{"x":1},"b":{"x":2}}"#;
    let found = |assigned: &str| run(&rule(event, "n: Int", &body(assigned)), given);
    assert_eq!(found("m = m + 1"), "overflow /a/x");
    assert_eq!(found("m = event.b.x"), "overflow /b/x");
    assert_eq!(found("for i in event.l { m = event.b.x + i }"), "overflow ");
}

#[test]
fn zero_has_no_sign() {
    let body = "return Row { a: -event.d, b: event.d * event.e, s: string(-event.d), r: round(event.e, 0) }";
    let program = rule("d: Decimal, e: Decimal", "a: Decimal, b: Decimal, s: String, r: Decimal", body);
    assert!(!run(&program, r#"{"d":0,"e":-0.2}"#).contains('-'));
}
