//! The command line: exit codes, messages, formats.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use tidegate_testkit::golden;

use crate::support::{BINARY, Ended, PAYMENTS, Site, payment};

fn golden(name: &str, text: &str) {
    golden::check(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name), text);
}

const FIVE_MISTAKES: &str = r#"[server]
listen = "localhost:8080"
admin_listen = "127.0.0.1:8081"
max_body_byte = 1000

[store]
url = "sqlite://tidegate.db"

[[source]]
name     = "stripe"
provider = "stripe"
secrets  = ["whsec_in_clear"]

[[source]]
name     = "Payments"
provider = "githb"
event_id = "id"
"#;

#[test]
fn five_mistakes_are_told_in_one_run() {
    let site = Site::new("");
    site.write("tidegate.toml", FIVE_MISTAKES);
    let ended = site.run(&["check"]);
    assert_eq!(ended.code, Some(65));
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("whsec_in_clear\n"), "only the source line shows it");
    golden("five-mistakes.stderr", &ended.stderr);
}

#[test]
fn mistakes_in_the_environment_and_in_flags_are_named() {
    let site = Site::new(PAYMENTS);
    let output = site
        .command(&["serve", "--threads", "5000"])
        .env("TIDEGATE_SERVER_LISTEN", "nowhere")
        .env("TIDEGATE_STORE_ULR", "x")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(65));
    golden("overrides.stderr", &String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_missing_configuration_says_how_to_get_one() {
    let site = Site::new("");
    let ended = site.run(&["check", "-c", "nothing.toml"]);
    assert_eq!(ended.code, Some(65));
    golden("no-configuration.stderr", &ended.stderr);
}

#[test]
fn a_missing_secret_is_a_warning_for_check_and_an_error_for_serve() {
    let site =
        Site::new("\n[[source]]\nname = \"github\"\nprovider = \"github\"\nsecrets = [\"env:NOT_SET\"]\n");
    let check = site.run(&["check"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(check.stderr.contains("the variable NOT_SET is not set"), "{check:?}");
    let serve = site.run(&["serve"]);
    assert_eq!(serve.code, Some(65));
    golden("missing-secret.stderr", &serve.stderr);
}

#[test]
fn every_verb_shows_an_example() {
    for verb in ["demo", "serve", "init", "check", "test", "fmt", "run", "bench"] {
        let help = Site::new("").run(&[verb, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains("Example"), "{verb}: {}", help.stdout);
    }
    for verb in ["list", "show", "export"] {
        let help = Site::new("").run(&["events", verb, "--help"]);
        assert!(help.stdout.contains("Example"), "{verb}: {}", help.stdout);
    }
    assert_eq!(Site::new("").run(&["nonsense"]).code, Some(2));
}

#[test]
fn what_init_writes_passes_check_and_test() {
    for example in ["payments", "stripe", "github"] {
        let site = Site::new("");
        let written = site.run(&["init", "edge", "--example", example]);
        assert_eq!(written.code, Some(0), "{written:?}");
        for verb in ["check", "test"] {
            let ended = site.run(&[verb, "-c", "edge/tidegate.toml"]);
            assert_eq!(ended.code, Some(0), "{example} {verb}: {ended:?}");
            assert!(!ended.stderr.contains("\n0 tests passed"), "{ended:?}");
        }
        let again = site.run(&["init", "edge", "--example", example]);
        assert_eq!(again.code, Some(1));
        assert!(again.stderr.contains("nothing was written"), "{again:?}");
    }
}

#[test]
fn rules_are_laid_out_in_one_way() {
    let site = Site::new(PAYMENTS);
    let path = site.path().join("rules/payments.tide");
    let shipped = std::fs::read_to_string(&path).unwrap();
    assert_eq!(site.run(&["fmt", "--check"]).code, Some(0), "the shipped rules are laid out");
    std::fs::write(&path, shipped.replace("    domain:    String", "  domain :String")).unwrap();
    let check = site.run(&["fmt", "--check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert_ne!(std::fs::read_to_string(&path).unwrap(), shipped);
    assert_eq!(site.run(&["fmt"]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), shipped);
    std::fs::write(&path, "event {").unwrap();
    assert_eq!(site.run(&["fmt", "rules/payments.tide"]).code, Some(65));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "event {");
}

#[test]
fn every_code_can_be_explained() {
    let site = Site::new("");
    for code in ["E0201", "e0201"] {
        let ended = site.run(&["check", "--explain", code]);
        assert!(ended.code == Some(0) && ended.stdout.contains("E0201"), "{ended:?}");
    }
    let unknown = site.run(&["check", "--explain", "E9999"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("E0201"), "{unknown:?}");
}

#[test]
fn a_failing_rule_test_shows_where() {
    let site = Site::new(PAYMENTS);
    site.write("rules/payments.tide", "event Any {\n    id: String\n}\n\nrecord Row {\n    id: String\n}\n\nrule keep(event: Any) -> Row {\n    return Row { id: event.id }\n}\n\ntest \"ids are kept\" {\n    given { \"id\": \"a\" }\n    expect record.id == \"b\"\n}\n");
    let ended = site.run(&["test"]);
    assert_eq!(ended.code, Some(1));
    golden("failing-rule-test.stderr", &ended.stderr);
}

/// Runs `tidegate run` with `input` on standard input.
fn run_with(site: &Site, arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = site
        .command(&[&["run", "rules/payments.tide"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_batch_keeps_the_order_and_sets_rejects_aside() {
    let site = Site::new("");
    let mut input = String::new();
    for number in 0..5_000 {
        input.push_str(&payment(&format!("ch_{number}")));
        input.push('\n');
        if number % 1_000 == 7 {
            input.push_str("{\"not\": \"a payment\"}\n\n");
        }
    }
    input.push_str("not json");
    let ended = run_with(&site, &["--rejects", "rejects.ndjson"], input.as_bytes());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("5000 accepted, 6 rejected"), "{}", ended.stderr);
    let ids: Vec<String> = ended
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["object_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(ids.iter().enumerate().all(|(number, id)| *id == format!("ch_{number}")));
    let rejects = std::fs::read_to_string(site.path().join("rejects.ndjson")).unwrap();
    let lines: Vec<u64> = rejects
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [9, 1_011, 2_013, 3_015, 4_017, 5_011]);
}

#[test]
fn rejects_never_overwrite_the_input() {
    let site = Site::new("");
    site.write("in.ndjson", "{}\n");
    let ended = site.run(&["run", "rules/payments.tide", "in.ndjson", "--rejects", "./in.ndjson"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(std::fs::read_to_string(site.path().join("in.ndjson")).unwrap(), "{}\n");
    let rule = site.run(&["run", "rules/payments.tide", "in.ndjson", "--rejects", "rules/payments.tide"]);
    assert_eq!(rule.code, Some(2), "{rule:?}");
    site.write("old.ndjson", "kept");
    assert_eq!(
        site.run(&["run", "rules/payments.tide", "no.ndjson", "--rejects", "old.ndjson"]).code,
        Some(1)
    );
    assert_eq!(std::fs::read_to_string(site.path().join("old.ndjson")).unwrap(), "kept");
}

#[test]
fn a_batch_reads_compressed_files() {
    let site = Site::new("");
    let line = payment("ch_1") + "\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(line.as_bytes()).unwrap();
    std::fs::write(site.path().join("a.ndjson.gz"), gzip.finish().unwrap()).unwrap();
    std::fs::write(site.path().join("b.ndjson.zst"), zstd::encode_all(line.as_bytes(), 1).unwrap()).unwrap();
    site.write("c.ndjson", &line);
    let ended = site.run(&["run", "rules/payments.tide", "a.ndjson.gz", "b.ndjson.zst", "c.ndjson"]);
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 3), "{ended:?}");
}

#[test]
fn rejects_that_are_not_kept_are_shown_and_end_with_65() {
    let site = Site::new("");
    let ended = run_with(&site, &[], b"{}\n");
    assert_eq!(ended.code, Some(65));
    golden("rejects-not-kept.stderr", &ended.stderr);
}

#[tokio::test]
async fn events_are_listed_shown_and_exported() {
    let site = Site::new(PAYMENTS);
    let server = site.start();
    let id = server.post("/webhook", &vec![], payment("ch_1")).await.text("id");
    server.post("/webhook", &vec![], payment("ch_2").replace("125000", "-1")).await;

    let list = site.run(&["events", "list"]);
    assert_eq!(list.code, Some(0), "{list:?}");
    let widths: Vec<Option<usize>> = list.stdout.lines().map(|line| line.find("payments")).collect();
    assert_eq!(list.stdout.lines().count(), 3, "{}", list.stdout);
    assert_eq!(widths[1], widths[2]);

    let shown = site.run(&["events", "show", &id]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["external_id"], "payment.succeeded/ch_1");
    assert_eq!(site.run(&["events", "show", &id, "--raw"]).stdout, payment("ch_1"));

    let json = site.run(&["events", "list", "--format", "json", "--status", "accepted"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(rows, [shown]);
    let lines = site.run(&["events", "export", "--since", "1h"]).stdout;
    assert_eq!(lines.lines().count(), 2);
    let csv = site.run(&["events", "export", "--format", "csv", "--status", "quarantined"]).stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let row = reader.records().next().unwrap().unwrap();
    assert_eq!((&row[4], &row[5]), ("payment.succeeded/ch_2", "quarantined"));

    let store = format!("sqlite://{}", site.path().join("tidegate.db").display());
    assert_eq!(site.run(&["events", "list", "--store", &store, "-c", "none.toml"]).stdout, list.stdout);
    assert_eq!(site.run(&["events", "list", "--store", "sqlite://nothing.db"]).code, Some(1));
    assert_eq!(site.run(&["events", "show", "1"]).code, Some(2));
}

#[test]
fn the_demo_shows_every_answer_and_succeeds() {
    let output = std::process::Command::new(BINARY).arg("demo").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in ["200     accepted", "200     duplicate", " 401 ", " 400 ", " 413 ", " 422 ", "p99"] {
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
    assert!(!text.contains("??"), "{text}");
}
