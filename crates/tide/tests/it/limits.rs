//! Bounds on source texts and events.

use tide::{Limits, MAX_SOURCE_BYTES, Outcome, RejectCode, Source, compile, is_valid_json};

use crate::harness::{program, reject};

const JOIN: &str = r#"
event Event { s: String, l: List<Int>, ... }
record Row { s: String }
rule r(event: Event) -> Row {
    a = event.s + event.s
    return Row { s: replace(a + a, "x", "yy") }
}
"#;

fn codes(event: &str, limits: &Limits) -> Vec<String> {
    reject(&program("join", JOIN), event.as_bytes(), limits)
}

#[test]
fn fuel_runs_out() {
    let limits = Limits { fuel: 5, ..Limits::default() };
    assert_eq!(codes(r#"{"s":"x","l":[]}"#, &limits), ["fuel_exhausted "]);
}

#[test]
fn long_strings_cost_fuel() {
    let event = format!(r#"{{"s":"{}","l":[]}}"#, "x".repeat(100_000));
    let limits = Limits { fuel: 1_000, ..Limits::default() };
    assert_eq!(codes(&event, &limits), ["fuel_exhausted "]);
}

#[test]
fn strings_and_lists_are_bounded() {
    let limits = Limits { max_string_bytes: 10, max_list_items: 2, ..Limits::default() };
    assert_eq!(codes(r#"{"s":"xxxxxxxxxxx","l":[1,2,3]}"#, &limits), ["length /s", "length /l"]);
    assert_eq!(codes(r#"{"s":"abc","l":[]}"#, &limits), ["length /s"]);
    assert_eq!(codes(r#"{"s":"xx","l":[]}"#, &limits), ["length /s"]);
}

#[test]
fn failures_are_bounded() {
    let items = vec!["\"no\""; 100].join(",");
    let event = format!(r#"{{"s":"x","l":[{items}]}}"#);
    assert_eq!(codes(&event, &Limits::default()).len(), 32);
    assert_eq!(codes(&event, &Limits { max_failures: 3, ..Limits::default() }).len(), 3);
}

#[test]
fn depth_is_bounded() {
    let nested =
        |depth: usize| format!(r#"{{"s":"x","l":[],"z":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(matches!(
        program("join", JOIN).run(nested(63).as_bytes(), &Limits::default()),
        Outcome::Accepted(_)
    ));
    assert_eq!(codes(&nested(64), &Limits::default()), ["too_deep /z"]);
    // No setting lets an event exhaust the stack.
    let deep = nested(1_000_000);
    assert_eq!(codes(&deep, &Limits { max_depth: usize::MAX, ..Limits::default() }), ["too_deep /z"]);
    assert_eq!(is_valid_json(deep.as_bytes(), usize::MAX).unwrap_err().code, RejectCode::TooDeep);
}

#[test]
fn a_source_text_is_bounded() {
    let compiled = compile(&Source::new("large", " ".repeat(MAX_SOURCE_BYTES + 1)));
    assert_eq!(compiled.diagnostics[0].code, "E0006");
}

#[test]
fn no_source_text_exhausts_the_stack() {
    let rule = |body: &str| {
        format!("event E {{ n: Int }}\nrecord R {{ n: Int }}\nrule r(event: E) -> R {{\n{body}\n}}")
    };
    let many = 50_000;
    let texts = [
        rule(&format!("return R {{ n: {}1{} }}", "(".repeat(many), ")".repeat(many))),
        rule(&format!("return R {{ n: 1{} }}", " + 1".repeat(many))),
        rule(&format!("return R {{ n: {}1 }}", "- ".repeat(many))),
        rule(&format!("return R {{ n: {}1 }}", "not ".repeat(many))),
        rule(&format!("return R {{ n: event{} }}", ".n".repeat(many))),
        rule(&format!("x = 1{}", "(1)".repeat(many))),
        rule(&"if true {\n".repeat(many)),
        rule(&format!("if true {{ }}{}", " else if true { }".repeat(many / 10))),
        rule(&"x = match 1 { 1 => \n".repeat(many)),
        rule(&"x = { a: ".repeat(many)),
        rule(&"x = [".repeat(many)),
        rule(&"for x in event.l {\n".repeat(many)),
        rule(&format!("x = event.n{}", "[0]".repeat(many))),
        rule(&format!("x = f\"{}\"", "{".repeat(many))),
        rule(&format!("x = f\"{}1{}\"", "{(".repeat(many), ")}".repeat(many))),
        format!("event E {{ n: {}", "Map<".repeat(many)),
        format!("event E {{ n: {}", "{ n: ".repeat(many)),
        format!("event E {{ n: {}", "List<".repeat(many)),
        format!("event E {{ n: {}", "(".repeat(many)),
        format!("event E {{ n: Int{}", "?".repeat(many)),
        format!("test \"x\" {{ given {}", "{".repeat(many)),
        format!("test \"x\" {{ given {}{} }}", "{\"a\":".repeat(many), "}".repeat(many)),
    ];
    for text in texts {
        let compiled = compile(&Source::new("deep", text));
        assert_eq!(compiled.program.is_some(), compiled.diagnostics.is_empty());
    }
}

/// Functions that call each other in a chain, each inside of an expression of this height.
fn chain(functions: usize, height: usize) -> String {
    let mut text = String::from("event E { n: Int }\nrecord R { n: Int }\n");
    let (open, close) = ("abs(".repeat(height), ")".repeat(height));
    for index in 0..functions {
        let next = index + 1;
        text.push_str(&format!("fn f{index}(n: Int) -> Int {{\nreturn {open}f{next}(n){close}\n}}\n"));
    }
    text.push_str(&format!("fn f{functions}(n: Int) -> Int {{\nreturn n\n}}\n"));
    text.push_str("rule r(event: E) -> R {\nreturn R { n: f0(event.n) }\n}");
    text
}

#[test]
fn no_chain_of_calls_exhausts_the_stack() {
    for (functions, height) in [(50, 1), (4, 50)] {
        let program = program("chain", &chain(functions, height));
        assert!(matches!(program.run(b"{\"n\":-1}", &Limits::default()), Outcome::Accepted(_)));
    }
    for (functions, height) in [(1_000, 1), (200, 50)] {
        let compiled = compile(&Source::new("chain", chain(functions, height)));
        assert!(compiled.program.is_none());
        assert!(compiled.diagnostics.iter().all(|found| found.code == "E0005"), "{:?}", compiled.diagnostics);
    }
}

#[test]
fn loops_and_calls_cost_fuel() {
    let text = "event E { l: List<Int> }\nrecord R { n: Int }\n\
        fn one(n: Int) -> Int {\nreturn n * 0 + 1\n}\n\
        rule r(event: E) -> R {\nmut n = 0\nfor a in event.l {\nfor b in event.l {\n\
        n = n + one(a + b)\n}\n}\nreturn R { n }\n}";
    let program = program("loops", text);
    let event = |items: usize| format!("{{\"l\":[{}]}}", vec!["1"; items].join(","));
    assert!(matches!(program.run(event(50).as_bytes(), &Limits::default()), Outcome::Accepted(_)));
    assert_eq!(reject(&program, event(1_000).as_bytes(), &Limits::default()), ["fuel_exhausted "]);
}

#[test]
fn strings_do_not_grow_in_loops() {
    let text = "event E { l: List<Int> }\nrecord R { s: String }\n\
        rule r(event: E) -> R {\nmut s = \"ab\"\nfor _ in event.l {\ns = f\"{s}{s}\"\n}\nreturn R { s }\n}"
        .replace("for _ in", "for _n in");
    let event = format!("{{\"l\":[{}]}}", vec!["1"; 1_000].join(","));
    let found = reject(&program("doubling", &text), event.as_bytes(), &Limits::default());
    assert!(["length ", "length /l", "fuel_exhausted "].contains(&found[0].as_str()), "{found:?}");
}

#[test]
fn types_do_not_grow_without_measure() {
    // Each type holds the next one twice: few names, but a tree of endless size. In the order of their
    // names, the deepest is resolved first or last.
    for backwards in [false, true] {
        for count in [30, 5_000] {
            let mut text = String::from("event Event { x: T10000 }\nrecord Row { x: T10000 }\n");
            for index in 0..count {
                let number =
                    |index: usize| 10_000 + if backwards && index > 0 { 80_000 - index } else { index };
                text.push_str(&format!(
                    "record T{0} {{ a: T{1}, b: T{1} }}\n",
                    number(index),
                    number(index + 1)
                ));
                if index + 1 == count {
                    text.push_str(&format!("type T{} = Int\n", number(index + 1)));
                }
            }
            text.push_str("rule r(event: Event) -> Row {\n    return Row { x: event.x }\n}\n");
            let compiled = compile(&Source::new("types", text));
            assert_eq!(compiled.program.is_some(), count == 30, "{:?}", compiled.diagnostics);
        }
    }
}

#[test]
fn no_source_text_takes_for_ever() {
    let rule = |body: &str| {
        format!(
            "event E {{ n: Int, s: String }}\nrecord R {{ n: Int }}\nrule r(event: E) -> R {{\n{body}\n}}"
        )
    };
    let numbered = |text: &str, count: usize| -> String {
        (0..count).map(|index| text.replace('#', &index.to_string())).collect()
    };
    let texts = [
        rule(&numbered("name# = 1\n", 60_000)),
        rule(&format!("x = [{}]", numbered("name#, ", 60_000))),
        rule(&format!("x = match event.s {{ {} _ => 1 }}", numbered("\"#\" => #\n", 40_000))),
        rule(&numbered("x = event.n + event.n\n", 40_000)),
        numbered("const C# = #\n", 50_000),
        format!("type T = {}", numbered("\"#\" | ", 80_000)),
        rule(&format!("x = match event.n {{ {} _ => 1 }}", numbered("# ..= # => #\n", 40_000))),
        numbered("fn f#(n: Int) -> Int { return n }\n", 30_000),
        rule(&numbered("if event.n == # { reject f\"{event.n}\" }\n", 20_000)),
        numbered(
            &format!(
                "record T# by k {{ {} }}\n",
                numbered("f#: Int\n", 100) + &numbered("\"#\" => {}\n", 100)
            ),
            400,
        ) + "x",
        "@ ".repeat(500_000),
        "x\n".repeat(400_000),
        "\"\n".repeat(400_000),
        numbered("record T# { x: String matching r\"\\w{99}\" }\n", 5_000),
    ];
    for text in texts {
        assert!(!compile(&Source::new("long", text)).diagnostics.is_empty());
    }
}
