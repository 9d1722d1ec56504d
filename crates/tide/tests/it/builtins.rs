//! The example of every function runs.

use crate::harness::{accept, program};

#[test]
fn every_example_yields_what_it_says() {
    for builtin in tide::builtins() {
        let example = &builtin.example;
        let (before, expression) = example.expression.rsplit_once('\n').unwrap_or(("", example.expression));
        let ty = example.ty;
        let text = format!(
            "event Event {{ ... }}\nrecord Row {{ value: {ty} }}\nrule r(event: Event) -> Row {{\n{before}\nreturn Row {{ value: {expression} }}\n}}"
        );
        let record = accept(&program(builtin.name, &text), b"{}");
        assert_eq!(record, format!("{{\"value\":{}}}", example.value), "{}", builtin.name);
        assert!(builtin.signature.contains(builtin.name), "{}", builtin.signature);
        assert!(builtin.doc.ends_with('.'), "{}", builtin.doc);
    }
}

#[test]
fn the_table_is_in_order() {
    let names: Vec<&str> = tide::builtins().iter().map(|builtin| builtin.name).collect();
    assert!(names.is_sorted(), "{names:?}");
}
