//! Any bytes are an event or a reject: a checked program runs on them without a panic and within its limits, and
//! what every provider reads from them is bounded.
#![no_main]

use std::sync::LazyLock;

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use tidegate_core::secret::Secret;
use tidegate_core::verify::{Incoming, MAX_LABEL_BYTES, Provider, Tolerance, Verifier};

static PROGRAM: LazyLock<tide::Program> = LazyLock::new(|| {
    let source = tide::Source::new("payments.tide", include_str!("../programs/payments.tide"));
    let compiled = tide::compile(&source);
    match compiled.program {
        Some(program) => program,
        None => panic!("{}", tide::render(&source, &compiled.diagnostics, false)),
    }
});

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let secrets = [Secret::new("whsec_dGVzdA==")];
    let build = |name: &&str| {
        let provider = Provider::by_name(name)?;
        let secrets = if provider == Provider::None { &[][..] } else { &secrets };
        Verifier::new(&provider, secrets, Tolerance::default()).ok()
    };
    Provider::NAMES.iter().filter_map(build).collect()
});

fuzz_target!(|body: &[u8]| {
    let limits = tide::Limits::default();
    let _ = PROGRAM.run(body, &limits);
    let headers = HeaderMap::new();
    for verifier in VERIFIERS.iter() {
        let identity = verifier.identify(&Incoming { headers: &headers, body });
        for label in [identity.external_id, identity.event_type].into_iter().flatten() {
            assert!(
                !label.is_empty() && label.len() <= MAX_LABEL_BYTES && !label.chars().any(char::is_control)
            );
        }
    }
});
