//! Any text is either a program or a list of diagnostics that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = tide::Source::new("fuzz.tide", text);
    let compiled = tide::compile(&source);
    for diagnostic in &compiled.diagnostics {
        for label in &diagnostic.labels {
            let part = text.get(label.span.start..label.span.end);
            assert!(part.is_some(), "{} points outside the text or into a character", diagnostic.code);
        }
    }
    assert!(compiled.program.is_some() || !compiled.diagnostics.is_empty(), "neither a program nor a reason");
    let _ = tide::render(&source, &compiled.diagnostics, false);
    let _ = tide::render(&source, &compiled.diagnostics, true);
});
