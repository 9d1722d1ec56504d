//! Properties that hold for any input.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use tide::{Limits, Outcome, Program, RejectCode, Source, compile, is_valid_json, render};

use crate::harness::{files, program, read};

const WORDS: [&str; 69] = [
    "event",
    "record",
    "type",
    "const",
    "rule",
    "test",
    "given",
    "expect",
    "reject",
    "at",
    "return",
    "if",
    "else",
    "match",
    "for",
    "fn",
    "Map",
    "f\"{n}\"",
    "f\"{\"",
    "[0]",
    "..=",
    "mut",
    "and",
    "or",
    "not",
    "in",
    "is",
    "present",
    "absent",
    "length",
    "matching",
    "true",
    "false",
    "null",
    "_",
    "Row",
    "Event",
    "Int",
    "String",
    "Decimal",
    "List",
    "x",
    "n",
    "lower",
    "split_once",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "?",
    "??",
    "?.",
    ".",
    "..",
    "..<",
    "...",
    ":",
    ",",
    "=",
    "==",
    "=>",
    "->",
    "|",
    "-",
    "/",
];

const START: &str = "event Event { n: Int, s: String, o: String?, k: \"a.b\" | \"c.d\", l: List<Int>, m: Map<String> }\nrecord Row { n: Int }\n";

fn check_source(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("any", text);
    let compiled = compile(&source);
    for diagnostic in &compiled.diagnostics {
        prop_assert!(!diagnostic.labels.is_empty(), "{diagnostic:?}");
        for label in &diagnostic.labels {
            let span = label.span;
            prop_assert!(span.start <= span.end && span.end <= text.len().max(1), "{diagnostic:?}");
        }
    }
    render(&source, &compiled.diagnostics, false);
    keeps_its_meaning(&source, &compiled)?;
    if let Some(program) = compiled.program {
        program.run(br#"{"n":1,"s":"x","k":"a.b","l":[1,2],"m":{"x":"y"}}"#, &Limits::default());
    }
    Ok(())
}

/// Whatever can be laid out is laid out once and for all, with the same diagnostics.
fn keeps_its_meaning(source: &Source, compiled: &tide::Compiled) -> Result<(), TestCaseError> {
    let Ok(once) = tide::format(source) else { return Ok(()) };
    let once = Source::new("any", once);
    let codes = |compiled: &tide::Compiled| -> Vec<&str> {
        compiled.diagnostics.iter().map(|found| found.code).collect()
    };
    prop_assert_eq!(codes(compiled), codes(&compile(&once)), "{}", &once.text);
    prop_assert_eq!(tide::format(&once), Ok(once.text));
    Ok(())
}

fn tokens() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        8 => proptest::sample::select(&WORDS[..]).prop_map(str::to_string),
        1 => (-3_i64..1000).prop_map(|number| number.to_string()),
        1 => "[a-c.]{0,3}".prop_map(|text| format!("\"{text}\"")),
        1 => Just("\n".to_string()),
        1 => Just("event.n".to_string()),
    ];
    proptest::collection::vec(token, 0..60).prop_map(|tokens| tokens.join(" "))
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-d\"\\\\é]{0,2}", inner, 0..6)
                .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
        ]
    })
}

/// Changes some bytes of a text.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<proptest::sample::Index>(),
        prop_oneof![any::<u8>(), "[\\[\\]{}\",:0-9eE.\\\\u-]".prop_map(|s| s.as_bytes()[0])],
        0..3_u8,
    );
    (json(), proptest::collection::vec(change, 0..4)).prop_map(|(value, changes)| {
        let mut bytes = value.to_string().into_bytes();
        for (index, byte, kind) in changes {
            let at = index.index(bytes.len() + 1);
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

fn agrees_with_serde_json(bytes: &[u8]) -> Result<(), TestCaseError> {
    // Numbers are kept as text there too, so that one beyond a float's range is no difference.
    let theirs = serde_json::from_slice::<&serde_json::value::RawValue>(bytes);
    match is_valid_json(bytes, 200) {
        Ok(()) => prop_assert!(theirs.is_ok(), "{theirs:?} for {}", String::from_utf8_lossy(bytes)),
        Err(reject) if reject.code == RejectCode::Malformed => {
            // Their raw values let escapes of lone surrogates pass; reading them as a value does not.
            let read = serde_json::from_slice::<Value>(bytes);
            prop_assert!(read.is_err(), "{reject:?} for {}", String::from_utf8_lossy(bytes));
        }
        Err(_) => {}
    }
    Ok(())
}

fn echo() -> Program {
    program(
        "echo",
        "event Event { s: String, i: Int, b: Bool, f: Float, d: Decimal, l: List<String>, o: Int?, j: Json, m: { x: Int?, ... } }\n\
         record Row { s: String, i: Int, b: Bool, f: Float, d: Decimal, l: List<String>, o: Int?, j: Json, m: { x: Int?, ... } }\n\
         rule r(event: Event) -> Row {\n\
             return Row { s: event.s, i: event.i, b: event.b, f: event.f, d: event.d, l: event.l, o: event.o, j: event.j, m: event.m }\n\
         }",
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_is_explained(text in ".*") {
        check_source(&text)?;
    }

    #[test]
    fn any_tokens_compile_or_are_explained(text in tokens()) {
        check_source(&text)?;
        check_source(&format!("{START}rule r(event: Event) -> Row {{\n{text}\n}}"))?;
        check_source(&format!("{START}rule r(event: Event) -> Row {{\n return Row {{ n: {text} }}\n}}"))?;
    }

    #[test]
    fn a_damaged_program_is_explained(which in any::<proptest::sample::Index>(), at in any::<proptest::sample::Index>(), length in 0..30_usize, by in tokens()) {
        let programs = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/accept"), "tide");
        let text = read(&programs[which.index(programs.len())]);
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.ceil_char_boundary((start + length).min(text.len()));
        check_source(&format!("{}{}", &text[..start], &text[end..]))?;
        check_source(&format!("{}{by}{}", &text[..start], &text[end..]))?;
    }

    #[test]
    fn any_bytes_have_an_outcome(bytes in proptest::collection::vec(any::<u8>(), 0..200), damaged in mutated()) {
        let program = echo();
        program.run(&bytes, &Limits::default());
        program.run(&damaged, &Limits::default());
    }

    #[test]
    fn the_reader_agrees_with_serde_json(bytes in mutated()) {
        agrees_with_serde_json(&bytes)?;
    }

    #[test]
    fn an_event_comes_out_as_it_went_in(
        s in ".*", i in any::<i64>(), b in any::<bool>(), f in -1e300..1e300_f64, mantissa in any::<i64>(),
        scale in 0..20_u32, l in proptest::collection::vec(".*", 0..4), o in proptest::option::of(any::<i64>()),
        j in json(), rest in json(),
    ) {
        let decimal = rust_decimal::Decimal::new(mantissa, scale).to_string();
        let event = serde_json::json!({
            "s": s, "i": i, "b": b, "f": f, "d": "<the decimal>", "l": l, "o": o, "j": j, "m": { "x": null, "rest": rest },
        });
        let text = event.to_string().replace("\"<the decimal>\"", &decimal);
        let outcome = echo().run(text.as_bytes(), &Limits::default());
        let Outcome::Accepted(record) = outcome else { panic!("{outcome:?} for {text}") };
        prop_assert_eq!(serde_json::from_str::<Value>(&record).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        let digits = format!("\"d\":{decimal},");
        prop_assert!(record.contains(&digits), "{}", record);
    }
}
