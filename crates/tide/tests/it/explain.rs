//! Every code is explained, by programs that really have the mistake and really are corrected.

use std::collections::BTreeSet;

use tide::{Compiled, MAX_SOURCE_BYTES, Source, compile, explain, render};

use crate::docs::emitted_codes;

/// The two programs of an explanation.
fn samples(code: &str) -> [String; 2] {
    let text = explain(code).unwrap_or_else(|| panic!("{code} is not explained"));
    let samples: Vec<String> = text
        .split("```tide\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_string())
        .collect();
    samples.try_into().unwrap_or_else(|_| panic!("{code} has not two samples"))
}

#[test]
fn every_code_that_is_emitted_is_explained() {
    let explained: BTreeSet<String> = tide::codes().map(str::to_string).collect();
    assert_eq!(emitted_codes(), explained);
}

#[test]
fn the_first_sample_has_the_mistake_and_the_second_has_none() {
    let mut wrong = Vec::new();
    for code in tide::codes() {
        let [mut mistaken, corrected] = samples(code);
        // No sample is as large as it would have to be.
        if code == "E0006" {
            mistaken.push_str(&"\n".repeat(MAX_SOURCE_BYTES));
        }
        let Compiled { diagnostics, .. } = compile(&Source::new(code, mistaken));
        wrong.extend(diagnostics.is_empty().then(|| format!("{code} does not come")));
        let others: Vec<_> = diagnostics.iter().filter(|found| found.code != code).collect();
        wrong.extend((!others.is_empty()).then(|| format!("{code}: {others:?}")));
        let source = Source::new(code, corrected);
        let Compiled { program, diagnostics } = compile(&source);
        let drawn = render(&source, &diagnostics, false);
        wrong.extend((program.is_none() || !diagnostics.is_empty()).then_some(drawn));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_corrected_samples_are_laid_out() {
    for code in tide::codes() {
        let [_, corrected] = samples(code);
        let laid_out = tide::format(&Source::new(code, corrected.clone()));
        assert_eq!(laid_out.as_ref(), Ok(&corrected), "{code}");
    }
}
