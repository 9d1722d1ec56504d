//! What the demo sends, and what it expects to come back.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use tidegate_core::verify::{self, Provider, SignError};

use super::Secrets;
use crate::cli::init::Example;
use crate::client::{Answer, ClientError, Connection};
use crate::clock;

/// How late the late event is; twice the default tolerance.
const LATE: Duration = Duration::from_secs(600);
/// The size of the body that is too large; the default limit is 1 MiB.
const TOO_LARGE_BYTES: usize = 2 << 20;

type Headers = Vec<(HeaderName, HeaderValue)>;

/// One request, or two at the same moment.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) path: &'static str,
    method: Method,
    headers: Headers,
    body: Bytes,
    /// The expected answers; as many copies are sent at the same moment, on connections of their own.
    expected: &'static [(u16, &'static str)],
}

/// What came back.
pub(super) struct Sent {
    pub(super) status: u16,
    pub(super) outcome: String,
    expected: bool,
}

impl Sent {
    pub(super) fn as_expected(&self) -> bool {
        self.expected
    }
}

impl Scene {
    fn post(
        title: &'static str,
        path: &'static str,
        signed: (Headers, Bytes),
        expected: &'static [(u16, &'static str)],
    ) -> Self {
        Self { title, path, method: Method::POST, headers: signed.0, body: signed.1, expected }
    }

    /// Sends the copies at the same moment and collects the answers, the lowest status first and
    /// an accepted one before its duplicate.
    pub(super) async fn play(&self, address: SocketAddr) -> Result<Vec<Sent>, ClientError> {
        let mut connections = Vec::new();
        for _ in self.expected {
            connections.push(Connection::open(address).await?);
        }
        let mut sending = tokio::task::JoinSet::new();
        for mut connection in connections {
            let (method, headers, body) = (self.method.clone(), self.headers.clone(), self.body.clone());
            let path = self.path;
            sending.spawn(async move { connection.send(method, path, &headers, body).await });
        }
        let mut answers = Vec::new();
        while let Some(Ok(answer)) = sending.join_next().await {
            answers.push(answer?);
        }
        answers.sort_by_key(|answer| (answer.status, answer.text("status")));
        Ok(answers.iter().zip(self.expected).map(|(answer, expected)| sent(answer, expected)).collect())
    }
}

fn sent(answer: &Answer, expected: &(u16, &'static str)) -> Sent {
    let status = answer.status.as_u16();
    let outcome = describe(answer);
    let expected = status == expected.0 && outcome.starts_with(expected.1);
    Sent { status, outcome, expected }
}

/// `accepted 0199…`, or the title of the problem with the first error.
fn describe(answer: &Answer) -> String {
    let kept = answer.text("status");
    if !kept.is_empty() {
        return format!("{kept} {}", answer.text("id"));
    }
    let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let title = document["title"].as_str().unwrap_or("no answer that a person could read");
    match &document["errors"][0] {
        serde_json::Value::Object(error) => {
            let text = |name| error.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            format!("{title}: {} {}", text("pointer"), text("message"))
        }
        _ => title.to_owned(),
    }
}

/// A body in one line, as providers send it.
fn compact(example: Example, path: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(example.file(path)).unwrap_or_default();
    value.to_string()
}

fn stripe(secrets: &Secrets, body: impl Into<Bytes>) -> Result<(Headers, Bytes), SignError> {
    let body = body.into();
    Ok((verify::sign(&Provider::Stripe, &secrets.stripe, "", clock::now(), &body)?, body))
}

fn github(
    secrets: &Secrets,
    kind: &'static str,
    id: &str,
    body: String,
) -> Result<(Headers, Bytes), SignError> {
    let body = Bytes::from(body);
    let mut headers = verify::sign(&Provider::GitHub, &secrets.github, id, clock::now(), &body)?;
    headers.push((HeaderName::from_static("x-github-event"), HeaderValue::from_static(kind)));
    Ok((headers, body))
}

/// Everything, in the order in which it is sent.
pub(super) fn all(secrets: &Secrets) -> Result<Vec<Scene>, SignError> {
    let mut scenes = from_stripe(secrets)?;
    scenes.extend(from_github(secrets)?);
    scenes.extend(unsigned());
    Ok(scenes)
}

fn from_stripe(secrets: &Secrets) -> Result<Vec<Scene>, SignError> {
    const PATH: &str = "/in/stripe";
    let charge = compact(Example::Stripe, "events/charge.succeeded.json");
    let refund = compact(Example::Stripe, "events/charge.refunded.json");
    let invoice = compact(Example::Stripe, "events/invoice.paid.json");
    let first = stripe(secrets, charge.clone())?;
    let tampered = (first.0.clone(), Bytes::from(charge.replace("12900", "12901")));
    let late_at = clock::now() - LATE;
    let late = (
        verify::sign(&Provider::Stripe, &secrets.stripe, "", late_at, refund.as_bytes())?,
        Bytes::from(refund.clone()),
    );
    let cut = stripe(secrets, refund[..refund.len() / 2].to_owned())?;
    let padding = " ".repeat(TOO_LARGE_BYTES);
    let wrong_type = invoice
        .replace("evt_Tide0003", "evt_Tide0004")
        .replace("\"created\":1767225601", "\"created\":\"yesterday\"");
    Ok(vec![
        Scene::post("Stripe: charge.succeeded, signed", PATH, first.clone(), &[(200, "accepted")]),
        Scene::post("  the same again, a retry", PATH, first, &[(200, "duplicate")]),
        Scene::post(
            "Stripe: invoice.paid, twice at the same moment",
            PATH,
            stripe(secrets, invoice)?,
            &[(200, "accepted"), (200, "duplicate")],
        ),
        Scene::post("Stripe: amount changed on the way", PATH, tampered, &[(401, "Signature refused")]),
        Scene::post("Stripe: signed ten minutes ago", PATH, late, &[(401, "Signature refused")]),
        Scene::post(
            "Stripe: not signed",
            PATH,
            (Vec::new(), Bytes::from(refund.clone())),
            &[(401, "Signature refused")],
        ),
        Scene::post("Stripe: signed, but cut in half", PATH, cut, &[(400, "Body is not JSON")]),
        Scene::post(
            "Stripe: signed, but \"created\" is a text",
            PATH,
            stripe(secrets, wrong_type)?,
            &[(422, "Event is against the rules: /created")],
        ),
        Scene::post("Stripe: 2 MiB", PATH, stripe(secrets, padding)?, &[(413, "Body too large")]),
        Scene::post("Stripe: charge.refunded, signed", PATH, stripe(secrets, refund)?, &[(200, "accepted")]),
    ])
}

fn from_github(secrets: &Secrets) -> Result<Vec<Scene>, SignError> {
    const PATH: &str = "/in/github";
    let push = compact(Example::Github, "events/push.json");
    let issue = compact(Example::Github, "events/issues.opened.json");
    let delivery = github(secrets, "push", "6f1c2a90-0001-11f0-9000-1de9a7e00001", push)?;
    let (mut forged, body) =
        github(secrets, "issues", "6f1c2a90-0002-11f0-9000-1de9a7e00002", issue.clone())?;
    forged.retain(|(name, _)| name != "x-hub-signature-256");
    let guess =
        HeaderValue::from_static("sha256=0000000000000000000000000000000000000000000000000000000000000000");
    forged.push((HeaderName::from_static("x-hub-signature-256"), guess));
    let issue = github(secrets, "issues", "6f1c2a90-0003-11f0-9000-1de9a7e00003", issue)?;
    Ok(vec![
        Scene::post("GitHub: push, signed", PATH, delivery.clone(), &[(200, "accepted")]),
        Scene::post("  redelivered", PATH, delivery, &[(200, "duplicate")]),
        Scene::post("GitHub: signature guessed", PATH, (forged, body), &[(401, "Signature refused")]),
        Scene::post("GitHub: issues.opened, signed", PATH, issue, &[(200, "accepted")]),
    ])
}

fn unsigned() -> Vec<Scene> {
    let plain = |text: String| (Vec::new(), Bytes::from(text));
    let payment = compact(Example::Payments, "events/payment.succeeded.json");
    let negative = payment.replace("125000", "-1").replace("ch_7Qx2Lm", "ch_negative");
    let mut get =
        Scene::post("GET instead of POST", "/webhook", plain(String::new()), &[(405, "Method not allowed")]);
    get.method = Method::GET;
    vec![
        Scene::post("payments: a payment, provider none", "/webhook", plain(payment), &[(200, "accepted")]),
        Scene::post("payments: a negative amount", "/webhook", plain(negative), &[(200, "quarantined")]),
        Scene::post("a path without source", "/in/nobody", plain("{}".into()), &[(404, "Nothing here")]),
        get,
    ]
}
