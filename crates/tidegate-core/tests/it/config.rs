//! Configurations: what they mean, and how their mistakes are told.

use std::collections::HashMap;

use tidegate_core::config::{self, Config, Loaded, OnInvalid, Overrides, StoreUrl, Surroundings};

const RULES: &str = "event Any {\n    id: String\n}\n\nrecord Row {\n    id: String\n}\n\nrule keep(event: Any) -> Row {\n    return Row { id: event.id }\n}\n";

/// An environment and a file system that tests can write down.
#[derive(Default)]
struct Given {
    vars: HashMap<&'static str, &'static str>,
    files: HashMap<&'static str, &'static str>,
}

impl Surroundings for Given {
    fn var(&self, name: &str) -> Option<String> {
        self.vars.get(name).map(|value| (*value).to_owned())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| "not found".into())
    }
}

fn given() -> Given {
    Given { vars: HashMap::from([("SECRET", "s3cret")]), files: HashMap::from([("rules.tide", RULES)]) }
}

fn load_with(text: &str, overrides: &Overrides) -> Loaded {
    config::load(&tide::Source::new("tidegate.toml", text), overrides, &given())
}

fn load(text: &str) -> Config {
    let Loaded { config, reports } = load_with(text, &Overrides::default());
    config.unwrap_or_else(|| panic!("{}", shown(&reports)))
}

fn shown(reports: &[config::Report]) -> String {
    reports.iter().map(|report| tide::render(&report.source, &report.diagnostics, false)).collect()
}

/// Checks that `text` has exactly the mistakes with these codes, in the order of the text.
fn refuses(text: &str, codes: &[&str]) -> String {
    let Loaded { config, reports } = load_with(text, &Overrides::default());
    let found: Vec<&str> = reports.iter().flat_map(|report| &report.diagnostics).map(|d| d.code).collect();
    let shown = shown(&reports);
    assert_eq!(found, codes, "{shown}");
    assert!(config.is_none(), "{shown}");
    shown
}

const STRIPE: &str = "[[source]]\nname = \"stripe\"\nprovider = \"stripe\"\nsecrets = [\"env:SECRET\"]\n";

#[test]
fn the_documentation_shows_the_real_defaults() {
    let guide = include_str!("../../../../docs/configuration.md");
    assert!(
        guide.contains(config::DEFAULTS),
        "docs/configuration.md must quote config/defaults.toml as it is"
    );
}

#[test]
fn what_is_not_said_has_its_default() {
    let config = load(STRIPE);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store.url, StoreUrl::Sqlite("tidegate.db".into()));
    assert_eq!(config.rule_limits, tide::Limits::default());
    let source = &config.sources[0];
    assert_eq!((source.path.as_str(), source.on_invalid), ("/in/stripe", OnInvalid::Reject));
    assert_eq!((source.tolerance.past_s, source.tolerance.future_s), (300, 300));
}

#[test]
fn the_environment_stands_above_the_file_and_flags_above_both() {
    let text = format!("[server]\nlisten = \"127.0.0.1:1\"\nthreads = 1\nmax_headers = 10\n{STRIPE}");
    let vars = [("TIDEGATE_SERVER_LISTEN", "127.0.0.1:2"), ("TIDEGATE_SERVER_THREADS", "2"), ("OTHER", "x")];
    let mut overrides = Overrides::from_env(vars.map(|(name, value)| (name.into(), value.into())));
    overrides.set("server.threads", "3", "--threads");
    let config = load_with(&text, &overrides).config.unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:2");
    assert_eq!((config.server.threads, config.server.max_headers), (3, 10));
}

#[test]
fn unknown_keys_are_found_with_the_nearest_known_one() {
    let text = refuses(
        &format!("[sever]\n[server]\nlissten = \"127.0.0.1:1\"\n{STRIPE}secret = \"env:X\"\n"),
        &["C0101"; 3],
    );
    for hint in ["did you mean `server`", "did you mean `listen`", "did you mean `secrets`"] {
        assert!(text.contains(hint), "{hint}\n{text}");
    }
}

#[test]
fn wrong_types_and_ranges_are_found() {
    refuses(
        &format!("[server]\nlisten = 8080\nthreads = \"two\"\nmax_headers = 1\n{STRIPE}rate = \"fast\"\n"),
        &["C0102", "C0102", "C0104", "C0104"],
    );
}

#[test]
fn a_secret_in_clear_is_refused_and_not_repeated_in_a_message() {
    let text = "[[source]]\nname = \"a\"\nprovider = \"stripe\"\nsecrets = \"whsec_clear\"\n";
    let Loaded { reports, .. } = load_with(text, &Overrides::default());
    let diagnostics: Vec<_> = reports.iter().flat_map(|report| &report.diagnostics).collect();
    assert_eq!(diagnostics[0].code, "C0105");
    assert!(diagnostics.iter().all(|d| !format!("{d:?}").contains("whsec_clear")));
}

#[test]
fn secrets_go_with_providers_that_sign() {
    refuses("[[source]]\nname = \"a\"\nprovider = \"stripe\"\n", &["C0103"]);
    let needless =
        "[[source]]\nname = \"a\"\nprovider = \"none\"\nevent_id = \"id\"\nsecrets = [\"env:NOT_SET\"]\n";
    let Loaded { config, reports } = load_with(needless, &Overrides::default());
    assert_eq!(reports[0].diagnostics[0].code, "C0111");
    assert!(
        config.unwrap().unlock(&given()).is_ok(),
        "a secret that nothing is signed with is not asked for"
    );
}

#[test]
fn a_source_must_say_its_provider_and_there_must_be_one() {
    refuses("[[source]]\nname = \"a\"\n", &["C0103"]);
    refuses("", &["C0103"]);
    let text = refuses("[[source]]\nname = \"a\"\nprovider = \"strip\"\n", &["C0104"]);
    assert!(text.contains("did you mean \"stripe\""), "{text}");
}

#[test]
fn names_and_paths_are_unique() {
    refuses(&format!("{STRIPE}{STRIPE}"), &["C0107"]);
    refuses(
        &format!("{STRIPE}{}path = \"/in/stripe\"\n", STRIPE.replace("name = \"stripe\"", "name = \"b\"")),
        &["C0107"],
    );
}

#[test]
fn an_admin_listener_for_everybody_needs_a_token() {
    let open = format!("[server]\nadmin_listen = \"0.0.0.0:8081\"\n{STRIPE}");
    refuses(&open, &["C0107"]);
    load(&open.replace("8081\"", "8081\"\nadmin_token = \"env:SECRET\""));
    refuses(&format!("[server]\nadmin_listen = \"127.0.0.1:8080\"\n{STRIPE}"), &["C0107"]);
}

#[test]
fn a_source_without_ids_is_warned_about_and_works() {
    let Loaded { config, reports } =
        load_with("[[source]]\nname = \"a\"\nprovider = \"none\"\n", &Overrides::default());
    assert!(config.is_some());
    assert_eq!(reports[0].diagnostics[0].code, "C0111");
    assert_eq!(reports[0].errors(), 0);
}

#[test]
fn rules_are_part_of_the_configuration() {
    assert!(load(&format!("{STRIPE}rules = \"rules.tide\"\n")).sources[0].rules.is_some());
    refuses(&format!("{STRIPE}rules = \"none.tide\"\n"), &["C0104"]);
    refuses(&format!("{STRIPE}rules = \"rules.tide\"\nformat = \"raw\"\n"), &["C0107"]);
}

#[test]
fn mistakes_in_a_generic_hmac_point_at_their_field() {
    let hmac =
        "[[source]]\nname = \"a\"\nprovider = \"hmac\"\nsecrets = [\"env:SECRET\"]\nevent_id = \"id\"\n";
    refuses(hmac, &["C0103"]);
    let text = format!("{hmac}[source.hmac]\nheader = \"x y\"\nalgorithm = \"md5\"\ncontent = \"{{bdy}}\"\n");
    let shown = refuses(&text, &["C0104"; 3]);
    assert!(shown.contains("unknown placeholder"), "{shown}");
    // Found by a property test: such a scheme signed requests that it then refused.
    let twice = format!(
        "{hmac}[source.hmac]\nheader = \"x-b\"\ncontent = \"{{timestamp}}{{body}}\"\ntimestamp_header = \"X-B\"\n"
    );
    assert!(refuses(&twice, &["C0104"]).contains("names the header of the signature"));
    load(&format!("{hmac}[source.hmac]\nheader = \"x-signature\"\nprefix = \"sha256=\"\n"));
}

#[test]
fn broken_toml_is_told_with_everything_else() {
    refuses(&format!("[server]\nlisten = \n{STRIPE}"), &["C0100"]);
    refuses("[server]\nthreads = 0\n= = =\n[sever]\n", &["C0103", "C0100", "C0101"]);
}

#[test]
fn secrets_are_resolved_all_at_once() {
    let text = format!(
        "{STRIPE}{}{}",
        STRIPE.replace("stripe\"\n", "github\"\n").replace("env:SECRET", "env:MISSING"),
        STRIPE.replace("name = \"stripe\"", "name = \"c\"").replace("env:SECRET", "file:none"),
    );
    let problems = load(&text).unlock(&given()).unwrap_err();
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the variable MISSING is not set", "the secret file none cannot be read: not found"]
    );
    assert!(load(STRIPE).unlock(&given()).is_ok());
}

#[test]
fn the_samples_in_the_guides_are_configurations() {
    let guides =
        [include_str!("../../../../docs/configuration.md"), include_str!("../../../../docs/providers.md")];
    let samples = guides
        .iter()
        .flat_map(|guide| guide.split("```toml\n").skip(1))
        .map(|rest| rest.split("```").next().unwrap());
    let mut count = 0;
    for sample in samples.filter(|sample| sample.contains("[[source]]")) {
        let surroundings =
            Given { files: HashMap::from([("rules/payments.tide", RULES)]), ..Given::default() };
        let source = tide::Source::new("sample.toml", sample);
        let Loaded { config, reports } = config::load(&source, &Overrides::default(), &surroundings);
        assert!(config.is_some(), "{}", shown(&reports));
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn a_configuration_with_everything_in_it_works() {
    let text = r#"
[server]
listen       = "127.0.0.1:8080"
admin_listen = "127.0.0.1:8081"
admin_token  = "env:SECRET"

[store]
url = "sqlite://tidegate.db"

[[source]]
name     = "payments"
path     = "/webhook"
provider = "none"
secrets  = ["env:PAYMENTS_SECRET", "file:/run/secrets/payments_old"]
rules    = "rules.tide"
event_id = "object_id"
on_invalid = "reject"
"#;
    assert!(load(text).unlock(&given()).is_ok());
}
