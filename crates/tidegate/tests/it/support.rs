//! Starting the real binary, talking to it, and ending it by its own process id.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use tempfile::TempDir;
use tidegate::client::{Answer, ClientError, Connection};
use tidegate::clock;
use tidegate_core::secret::Secret;
use tidegate_core::verify::{self, Provider};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tidegate");
/// How long a condition may take to come true before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The secret of every signing source in these tests.
pub(crate) const SECRET: &str = "whsec_dGhlIHRlc3RzJyBvd24gc2VjcmV0";
/// The admin token of configurations that have one.
pub(crate) const ADMIN_TOKEN: &str = "the-admin-token";

pub(crate) type Headers = Vec<(HeaderName, HeaderValue)>;

/// A folder with a configuration, kept while servers come and go.
pub(crate) struct Site {
    folder: Arc<TempDir>,
}

impl Site {
    /// A site whose `[server]` listens on free ports; `rest` follows in the configuration.
    pub(crate) fn new(rest: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let site = Self { folder };
        let head = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
        site.write("tidegate.toml", &format!("{head}{rest}"));
        for example in ["payments", "stripe", "github"] {
            let rules = format!("rules/{example}.tide");
            site.write(&rules, &std::fs::read_to_string(examples().join(example).join(&rules)).unwrap());
        }
        site
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Starts the binary here, and closes its standard error as soon as it serves.
    pub(crate) fn start_without_log_reader(&self) -> Server {
        self.start_with(|lines, _| drop(lines))
    }

    /// Starts the binary here and waits until it serves.
    pub(crate) fn start(&self) -> Server {
        // The pipe must be emptied, or a chatty server would stop in the middle of a line.
        self.start_with(|lines, sink| {
            std::thread::spawn(move || {
                lines.map_while(Result::ok).for_each(|line| sink.lock().unwrap().push(line));
            });
        })
    }

    fn start_with(
        &self,
        keep_reading: impl FnOnce(Lines<BufReader<ChildStderr>>, Arc<Mutex<Vec<String>>>),
    ) -> Server {
        let mut child = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = Vec::new();
        let serving = loop {
            let Some(Ok(line)) = lines.next() else { panic!("the server did not start: {log:?}") };
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            log.push(line);
            if value["body"] == "serving" {
                break value;
            }
        };
        let address = |name: &str| serving[name].as_str().unwrap().parse().unwrap();
        let log = Arc::new(Mutex::new(log));
        keep_reading(lines, Arc::clone(&log));
        Server {
            child,
            _folder: Arc::clone(&self.folder),
            listen: address("server.listen"),
            admin: address("server.admin_listen"),
            log,
        }
    }

    /// The binary with these arguments, in this folder, with the test's secrets in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(self.path());
        command.env("TEST_SECRET", SECRET).env("TEST_ADMIN_TOKEN", ADMIN_TOKEN).env("NO_COLOR", "1");
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What a run of the binary left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The folder of the shipped examples.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// A shipped example event, in one line.
pub(crate) fn example(path: &str) -> String {
    let text = std::fs::read_to_string(examples().join(path)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap().to_string()
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Outlives the site, since a server whose database is deleted stops.
    _folder: Arc<TempDir>,
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub(crate) async fn post(&self, path: &str, headers: &Headers, body: impl Into<Bytes>) -> Answer {
        self.send(Method::POST, path, headers, body).await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &Headers,
        body: impl Into<Bytes>,
    ) -> Result<Answer, ClientError> {
        Connection::open(self.listen).await?.send(method, path, headers, body.into()).await
    }

    /// Asks the admin listener.
    pub(crate) async fn ask(&self, path: &str) -> Answer {
        let headers = vec![(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer the-admin-token"))];
        Connection::open(self.admin)
            .await
            .unwrap()
            .send(Method::GET, path, &headers, Bytes::new())
            .await
            .unwrap()
    }

    /// Every event that matches the query, over all pages.
    pub(crate) async fn events(&self, query: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut cursor = String::new();
        loop {
            let answer = self.ask(&format!("/v1/events?limit=1000&{query}&cursor={cursor}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let page: Value = serde_json::from_slice(&answer.body).unwrap();
            events.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return events,
            }
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM to this very process.
    pub(crate) fn terminate(&self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the server did not end: {}", self.log());
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it is left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Headers that sign `body` for `provider` with the tests' secret.
pub(crate) fn signed(provider: &Provider, id: &str, body: &str) -> Headers {
    verify::sign(provider, &Secret::new(SECRET), id, clock::now(), body.as_bytes()).unwrap()
}

/// A header.
pub(crate) fn header(name: &'static str, value: &str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap())
}

/// The JSON body of an answer.
pub(crate) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// A source for payments without signatures.
pub(crate) const PAYMENTS: &str = r#"
[[source]]
name = "payments"
path = "/webhook"
provider = "none"
rules = "rules/payments.tide"
event_id = ["event_type", "object_id"]
"#;

/// A source for signed Stripe events.
pub(crate) const STRIPE: &str = r#"
[[source]]
name = "stripe"
provider = "stripe"
secrets = ["env:TEST_SECRET"]
rules = "rules/stripe.tide"
"#;

/// A payment with this object id.
pub(crate) fn payment(object_id: &str) -> String {
    example("payments/events/payment.succeeded.json").replace("ch_7Qx2Lm", object_id)
}
