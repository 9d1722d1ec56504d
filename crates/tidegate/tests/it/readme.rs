//! The README tells the truth.

use crate::support::{Site, examples};

const README: &str = include_str!("../../../../README.md");

/// The text of the first code block that starts with this line.
fn block(start: &str) -> &'static str {
    let text = README.split_once(start).unwrap_or_else(|| panic!("no block {start}")).1;
    text.split_once("\n```").unwrap().0.trim_start_matches('\n')
}

#[test]
fn the_rule_in_the_readme_is_the_one_that_init_writes() {
    let rules = std::fs::read_to_string(examples().join("payments/rules/payments.tide")).unwrap();
    assert!(rules.contains(block("```tide\n")), "README.md must quote examples/payments/rules/payments.tide");
}

#[tokio::test]
async fn the_tour_in_the_readme_works() {
    let site = Site::new("");
    assert_eq!(site.run(&["init", "edge"]).code, Some(0));
    let bodies: Vec<&str> = README
        .lines()
        .filter_map(|line| line.split_once("$ curl -d \'")?.1.split_once('\''))
        .map(|(body, _)| body)
        .collect();
    assert_eq!(bodies.len(), 2);
    let config = std::fs::read_to_string(site.path().join("edge/tidegate.toml")).unwrap();
    let free = config.replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:8081", "127.0.0.1:0");
    site.write("tidegate.toml", &free);
    let server = site.start();
    assert_eq!(server.post("/webhook", &vec![], bodies[0]).await.text("status"), "accepted");
    let refused = server.post("/webhook", &vec![], bodies[1]).await;
    assert_eq!(refused.status, 422);
    let shown = README.lines().find(|line| line.starts_with(" \"errors\":")).unwrap().trim();
    let text = String::from_utf8(refused.body.to_vec()).unwrap();
    assert!(text.ends_with(shown), "{text}");
}
