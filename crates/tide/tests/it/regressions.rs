//! Bugs that were found once, each with a test named after it.

use tide::{Source, compile, render};

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
