//! `cargo xtask bench`: the first figures, measured on the release binary and written down.
//!
//! Server and load generator share the machine, each pinned to a core of its own. Every figure is
//! the median of several rounds, with the lowest and the highest beside it. Each round starts with
//! an empty store.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

/// Measure the release binary and write bench/README.md.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// Rounds; figures are their medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each load.
    #[arg(long, default_value_t = 8)]
    seconds: u32,
    /// The fixed rate, in requests per second.
    #[arg(long, default_value_t = 2_000)]
    rate: u32,
    /// Print the page instead of writing it.
    #[arg(long)]
    dry: bool,
}

const SECRET: &str = "whsec_YmVuY2htYXJrIHNlY3JldA";
const SATURATING_CONNECTIONS: &str = "256";

/// What is sent.
struct Workload {
    name: &'static str,
    example: &'static str,
    path: &'static str,
    signing: &'static [&'static str],
}

const WORKLOADS: [Workload; 2] = [
    Workload { name: "payments, unsigned, 150 bytes", example: "payments", path: "/webhook", signing: &[] },
    Workload {
        name: "Stripe charge, signed, 1 kB",
        example: "stripe",
        path: "/in/stripe",
        signing: &["--provider", "stripe", "--secret", "env:STRIPE_WEBHOOK_SECRET"],
    },
];

/// The figures of one round, by the name of their row.
type Figures = Vec<(&'static str, f64)>;

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        shell::run("cargo", &["build", "--release", "--package", "tidegate"])?;
        let mut page = self.head()?;
        for workload in &WORKLOADS {
            let rounds = (0..self.rounds)
                .map(|round| {
                    println!("{}: round {} of {}", workload.name, round + 1, self.rounds);
                    self.round(workload)
                })
                .collect::<Result<Vec<Figures>>>()?;
            write_table(&mut page, workload.name, &rounds)?;
        }
        println!("\n{page}");
        if !self.dry {
            std::fs::write("bench/README.md", page).context("cannot write bench/README.md")?;
        }
        Ok(())
    }

    fn round(&self, workload: &Workload) -> Result<Figures> {
        let folder = tempfile::tempdir()?;
        let (server, start_ms) = Server::start(folder.path(), workload)?;
        let idle_mb = server.resident_mb()?;
        let seconds = self.seconds.to_string();
        let burst = server.load(workload, &["--connections", "200", "--requests", "2000"])?;
        let burst_mb = server.resident_mb()?;
        let steady = server.load(workload, &["--rate", &self.rate.to_string(), "--seconds", &seconds])?;
        let cpu_before = server.cpu_seconds()?;
        let full =
            server.load(workload, &["--connections", SATURATING_CONNECTIONS, "--seconds", &seconds])?;
        let cpu_per_10k = (server.cpu_seconds()? - cpu_before) / full.number("ok") * 10_000.0;
        let figures = vec![
            ("start to first answer, ms", start_ms),
            ("burst: answered 200 of 2,000", burst.number("ok")),
            ("burst: answered 503", burst.number("unavailable")),
            ("burst: other or broken", burst.number("other") + burst.number("broken")),
            ("burst: p99, ms", burst.number("p99_ms")),
            ("fixed rate: p50, ms", steady.number("p50_ms")),
            ("fixed rate: p99, ms", steady.number("p99_ms")),
            ("fixed rate: p99.9, ms", steady.number("p999_ms")),
            (
                "fixed rate: not 200",
                steady.number("unavailable") + steady.number("other") + steady.number("broken"),
            ),
            ("saturated: durable requests/s", full.number("ok_per_second")),
            ("saturated: p50, ms", full.number("p50_ms")),
            ("saturated: p99, ms", full.number("p99_ms")),
            ("saturated: server CPU s per 10,000 requests", cpu_per_10k),
            ("RSS idle, MB", idle_mb),
            ("RSS after the burst, MB", burst_mb),
            ("RSS after saturation, MB", server.resident_mb()?),
        ];
        server.stop()?;
        Ok(figures)
    }

    fn head(&self) -> Result<String> {
        let text = |program: &str, arguments: &[&str]| shell::output(Command::new(program).args(arguments));
        let cpu_info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu_info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
        let cores = cpu_info.lines().filter(|line| line.starts_with("processor")).count();
        Ok(format!(
            "# First figures\n\n\
             Written by `bench/run` (`cargo xtask bench --rounds {} --seconds {} --rate {}`) on {}.\n\n\
             * Machine: {cores} cores, {}, Linux {}; {}, commit {}.\n\
             * The server (release profile, `threads = 1`) is pinned to core 0 and the load generator\n  \
               (`tidegate bench`) to core 1 where `taskset` is there. Both share memory, disk and kernel.\n\
             * Every 200 is an event committed to SQLite with `synchronous=FULL`, verified, checked and\n  \
               transformed by the example's rules.\n\
             * The fixed rate is {} requests/s, open loop: a late request counts from the moment it was due.\n  \
               Saturation is closed loop on {SATURATING_CONNECTIONS} connections, so its latencies are the price of a full queue.\n\
             * The burst is 2,000 requests on 200 connections, right after the start.\n\
             * Figures are medians of {} rounds, each on an empty store, with the lowest and highest round.\n  \
               The machine is shared and noisy: trust ratios more than absolutes.\n",
            self.rounds,
            self.seconds,
            self.rate,
            text("date", &["-u", "+%Y-%m-%d"])?,
            cpu.trim_start_matches([':', ' ', '\t']),
            text("uname", &["-r"])?,
            text("rustc", &["--version"])?,
            text("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|_| "unknown".into()),
            self.rate,
            self.rounds,
        ))
    }
}

fn write_table(page: &mut String, name: &str, rounds: &[Figures]) -> Result<()> {
    write!(page, "\n## {name}\n\n| figure | median | lowest | highest |\n|---|---:|---:|---:|\n")?;
    for (row, (figure, _)) in rounds.first().context("at least one round")?.iter().enumerate() {
        let mut values: Vec<f64> = rounds.iter().map(|figures| figures[row].1).collect();
        values.sort_by(f64::total_cmp);
        let shown = |value: f64| if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
        let (low, median, high) = (values[0], values[values.len() / 2], values[values.len() - 1]);
        writeln!(page, "| {figure} | {} | {} | {} |", shown(median), shown(low), shown(high))?;
    }
    Ok(())
}

/// A running server on free ports, pinned to core 0.
struct Server {
    child: Child,
    listen: String,
}

/// What `tidegate bench --json` said.
struct Outcome(Value);

impl Outcome {
    fn number(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or(f64::NAN)
    }
}

impl Server {
    /// Starts in `folder` and returns when the first event is committed, with how long that took.
    fn start(folder: &Path, workload: &Workload) -> Result<(Self, f64)> {
        let example = Path::new("examples").join(workload.example);
        std::fs::create_dir_all(folder.join("rules"))?;
        for file in ["tidegate.toml".to_owned(), format!("rules/{}.tide", workload.example)] {
            std::fs::copy(example.join(&file), folder.join(&file))?;
        }
        let config = folder.join("tidegate.toml");
        let started = Instant::now();
        let mut child = pinned("0")
            .args(["serve", "--threads", "1", "--listen", "127.0.0.1:0", "-c"])
            .arg(&config)
            .env("TIDEGATE_SERVER_ADMIN_LISTEN", "127.0.0.1:0")
            .env("STRIPE_WEBHOOK_SECRET", SECRET)
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("the server's log")?;
        let mut log = BufReader::new(stderr);
        let mut line = String::new();
        log.read_line(&mut line)?;
        let serving: Value =
            serde_json::from_str(&line).with_context(|| format!("the server said: {line}"))?;
        let listen = serving["server.listen"].as_str().context("the server's address")?.to_owned();
        // The pipe is emptied for as long as the server lives.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let server = Self { child, listen };
        server.first_answer(workload)?;
        Ok((server, started.elapsed().as_secs_f64() * 1_000.0))
    }

    /// One request by hand; the load generator would take longer to start than the server.
    fn first_answer(&self, workload: &Workload) -> Result<()> {
        let body = std::fs::read_to_string(Path::new("examples").join(workload.example).join(
            match workload.example {
                "payments" => "events/payment.succeeded.json",
                _ => "events/charge.succeeded.json",
            },
        ))?;
        let mut stream = TcpStream::connect(&self.listen)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let path = workload.path;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        // An unsigned request to a signed source is refused, which shows the server's start as well.
        let expected = if workload.signing.is_empty() { "HTTP/1.1 200" } else { "HTTP/1.1 401" };
        if !answer.starts_with(expected) {
            bail!("the first answer was {answer}");
        }
        Ok(())
    }

    fn load(&self, workload: &Workload, arguments: &[&str]) -> Result<Outcome> {
        let url = format!("http://{}{}", self.listen, workload.path);
        let mut command = pinned("1");
        command.args(["bench", &url, "--json"]).args(workload.signing).args(arguments);
        let text = shell::output(command.env("STRIPE_WEBHOOK_SECRET", SECRET))?;
        Ok(Outcome(serde_json::from_str(&text)?))
    }

    fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1_024.0)
    }

    /// User and system time so far; Linux counts in hundredths of a second.
    fn cpu_seconds(&self) -> Result<f64> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(") ").context("the process's name")?.1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    fn stop(mut self) -> Result<()> {
        shell::output(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { bail!("the server ended with {status}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill; after an error there is.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The release binary on one core, where the machine lets us choose.
fn pinned(core: &str) -> Command {
    let binary = shell::target().join("release/tidegate");
    let several = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    if several && shell::succeeds("taskset", &["--version"]) {
        let mut command = Command::new("taskset");
        command.args(["-c", core]).arg(binary);
        command
    } else {
        Command::new(binary)
    }
}
