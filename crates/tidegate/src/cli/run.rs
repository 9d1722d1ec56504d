//! `tidegate run`: the same rules over files, on all cores, in order, in bounded memory.
//!
//! A reader cuts the input into blocks of whole lines and deals them to the workers in turn; the
//! writer collects from the workers in the same turn. So the output has the order of the input
//! without a number on any block, and at most a few blocks per worker are ever in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use tide::{Outcome, Program};

use super::configuration::{counted, mistakes};
use super::failure::Failure;
use super::terminal;

/// Bytes of input that a worker takes at a time.
const BLOCK_BYTES: usize = 1 << 20;
/// Blocks that may wait before and behind each worker.
const BLOCKS_WAITING: usize = 2;
/// The longest line.
const MAX_LINE_BYTES: usize = 64 << 20;
/// Rejects that are shown when they are not written to a file.
const REJECTS_SHOWN: usize = 5;

/// Run rules over NDJSON: one event per line in, one record per line out.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  tidegate run rules/payments.tide events.ndjson.gz --rejects rejects.ndjson > records.ndjson\n\n\
    Input may be plain, gzip (.gz) or zstd (.zst); without files, or for -, standard input is read.\n\
    Rejected events go to the --rejects file with their line and reasons. Without that file they\n\
    are counted, the first are shown, and the exit code is 65."
)]
pub(super) struct Run {
    /// The rule file.
    rule: PathBuf,
    /// Files of events, read one after the other.
    files: Vec<PathBuf>,
    /// Where rejected events go, with their file, line and reasons.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Worker threads; one per core unless said otherwise.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl Run {
    pub(super) fn run(self) -> Result<(), Failure> {
        let program = compile(&self.rule)?;
        self.check_files()?;
        let rejects = self.rejects.as_deref().map(create).transpose()?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = self.threads.unwrap_or(cores).max(1);
        let progress = progress_bar();
        let result = std::thread::scope(|scope| {
            let (inputs, outputs): (Vec<_>, Vec<_>) = (0..workers)
                .map(|_| {
                    let (input, blocks) = sync_channel(BLOCKS_WAITING);
                    let (results, output) = sync_channel(BLOCKS_WAITING);
                    let program = &program;
                    scope.spawn(move || work(program, &blocks, &results));
                    (input, output)
                })
                .unzip();
            let files = self.files.clone();
            let reader = scope.spawn(move || deal(&files, &inputs));
            let written = Writer::new(rejects).collect(&outputs, &progress);
            // Letting go of the outputs stops the workers, and so the reader, when writing failed.
            drop(outputs);
            let read = reader.join().unwrap_or_else(|_| Err(Failure::work("the reader stopped")));
            written.and_then(|totals| read.map(|()| totals))
        });
        progress.finish_and_clear();
        result?.report(self.rejects.as_deref())
    }
}

impl Run {
    /// Finds what is wrong with the files before anything is written.
    fn check_files(&self) -> Result<(), Failure> {
        let identity = |path: &Path| std::fs::metadata(path).map(|file| (file.dev(), file.ino()));
        let rejects = self.rejects.as_deref().and_then(|path| identity(path).ok());
        if rejects.is_some() && rejects == identity(&self.rule).ok() {
            return Err(Failure::usage(format!("{} is both the rule and --rejects", self.rule.display())));
        }
        for path in self.files.iter().filter(|path| path.as_path() != Path::new("-")) {
            let input = identity(path)
                .map_err(|error| Failure::failed(format!("cannot read {}", path.display()), &error))?;
            if Some(input) == rejects {
                return Err(Failure::usage(format!("{} is both input and --rejects", path.display())));
            }
        }
        Ok(())
    }
}

fn compile(path: &Path) -> Result<Program, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::data(format!("cannot read {}: {error}", path.display())))?;
    let source = tide::Source::new(path.display().to_string(), text);
    let compiled = tide::compile(&source);
    if !compiled.diagnostics.is_empty() {
        terminal::say(tide::render(&source, &compiled.diagnostics, terminal::colors()).trim_end());
    }
    let errors = compiled.diagnostics.iter().filter(|d| d.severity == tide::Severity::Error).count();
    compiled.program.ok_or_else(|| Failure::data(format!("{} in {}", mistakes(errors), path.display())))
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path)
        .map_err(|error| Failure::failed(format!("cannot write {}", path.display()), &error))?;
    Ok(BufWriter::new(file))
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Whole lines of one file.
struct Block {
    file: String,
    first_line: u64,
    text: Vec<u8>,
}

/// What became of a block.
#[derive(Default)]
struct Judged {
    records: Vec<u8>,
    rejects: Vec<u8>,
    accepted: u64,
    rejected: u64,
    bytes: u64,
}

/// Reads all files and deals their blocks to the workers in turn.
fn deal(files: &[PathBuf], inputs: &[SyncSender<Block>]) -> Result<(), Failure> {
    let standard_input = [PathBuf::from("-")];
    let files = if files.is_empty() { &standard_input } else { files };
    let mut turn = inputs.iter().cycle();
    for path in files {
        let failed =
            |error: std::io::Error| Failure::failed(format!("cannot read {}", path.display()), &error);
        let mut reader = open(path).map_err(failed)?;
        let mut line = 1;
        while let Some(text) = read_block(&mut *reader).map_err(failed)? {
            let block = Block { file: path.display().to_string(), first_line: line, text };
            line += block.text.iter().filter(|&&byte| byte == b'\n').count() as u64;
            let Some(worker) = turn.next() else { return Ok(()) };
            if worker.send(block).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(BLOCK_BYTES, std::io::stdin())));
    }
    let file = BufReader::with_capacity(BLOCK_BYTES, File::open(path)?);
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(BufReader::with_capacity(BLOCK_BYTES, MultiGzDecoder::new(file))),
        Some("zst") => Box::new(BufReader::with_capacity(BLOCK_BYTES, zstd::Decoder::with_buffer(file)?)),
        _ => Box::new(file),
    })
}

/// About [`BLOCK_BYTES`] of whole lines; `None` at the end.
fn read_block(mut reader: &mut dyn BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut text = Vec::with_capacity(BLOCK_BYTES + (BLOCK_BYTES >> 3));
    (&mut reader).take(BLOCK_BYTES as u64).read_to_end(&mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    if text.last() != Some(&b'\n') {
        (&mut reader).take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut text)?;
        if text.len() > MAX_LINE_BYTES {
            let message = format!("a line has more than {MAX_LINE_BYTES} bytes");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
    }
    Ok(Some(text))
}

fn work(program: &Program, blocks: &Receiver<Block>, results: &SyncSender<Judged>) {
    let limits = tide::Limits::default();
    for block in blocks {
        if results.send(judge(program, &limits, &block)).is_err() {
            return;
        }
    }
}

fn judge(program: &Program, limits: &tide::Limits, block: &Block) -> Judged {
    let mut judged = Judged { bytes: block.text.len() as u64, ..Judged::default() };
    for (offset, line) in block.text.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match program.run(line, limits) {
            Outcome::Accepted(record) => {
                judged.accepted += 1;
                judged.records.extend_from_slice(record.as_bytes());
                judged.records.push(b'\n');
            }
            Outcome::Rejected(rejects) => judged.reject(block, offset, line, &rejects),
            Outcome::NotJson(reject) => judged.reject(block, offset, line, &[reject]),
        }
    }
    judged
}

impl Judged {
    fn reject(&mut self, block: &Block, offset: usize, line: &[u8], rejects: &[tide::Reject]) {
        self.rejected += 1;
        let error = |reject: &tide::Reject| serde_json::json!({ "pointer": reject.pointer, "message": reject.message, "code": reject.code.as_str() });
        let document = serde_json::json!({
            "file": block.file,
            "line": block.first_line + offset as u64,
            "errors": rejects.iter().map(error).collect::<Vec<_>>(),
            "event": String::from_utf8_lossy(line),
        });
        self.rejects.extend_from_slice(document.to_string().as_bytes());
        self.rejects.push(b'\n');
    }
}

/// What came of all blocks.
#[derive(Default)]
struct Totals {
    accepted: u64,
    rejected: u64,
    bytes: u64,
    shown: Vec<String>,
}

/// Writes what the workers made, in the order of the input.
struct Writer {
    rejects: Option<BufWriter<File>>,
    totals: Totals,
}

impl Writer {
    fn new(rejects: Option<BufWriter<File>>) -> Self {
        Self { rejects, totals: Totals::default() }
    }

    fn collect(mut self, outputs: &[Receiver<Judged>], progress: &ProgressBar) -> Result<Totals, Failure> {
        let failed = |error: std::io::Error| Failure::failed("cannot write the output", &error);
        let mut records = BufWriter::with_capacity(BLOCK_BYTES, std::io::stdout().lock());
        // The first worker without a block in its turn marks the end: blocks are dealt in turn.
        for output in outputs.iter().cycle() {
            let Ok(judged) = output.recv() else { break };
            match records.write_all(&judged.records) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(self.totals),
                written => written.map_err(failed)?,
            }
            self.keep_rejects(&judged).map_err(failed)?;
            self.totals.accepted += judged.accepted;
            self.totals.rejected += judged.rejected;
            self.totals.bytes += judged.bytes;
            let events = HumanCount(self.totals.accepted + self.totals.rejected);
            progress.set_message(format!("{events} events, {}", HumanBytes(self.totals.bytes)));
        }
        records.flush().map_err(failed)?;
        if let Some(rejects) = &mut self.rejects {
            rejects.flush().map_err(failed)?;
        }
        Ok(self.totals)
    }

    fn keep_rejects(&mut self, judged: &Judged) -> std::io::Result<()> {
        if let Some(file) = &mut self.rejects {
            return file.write_all(&judged.rejects);
        }
        let text = String::from_utf8_lossy(&judged.rejects);
        let room = REJECTS_SHOWN - self.totals.shown.len();
        self.totals.shown.extend(text.lines().take(room).map(String::from));
        Ok(())
    }
}

impl Totals {
    fn report(self, rejects: Option<&Path>) -> Result<(), Failure> {
        for line in &self.shown {
            terminal::say(&terminal::harmless(line));
        }
        terminal::say(&format!(
            "{} accepted, {} rejected, {}",
            self.accepted,
            self.rejected,
            HumanBytes(self.bytes)
        ));
        match rejects {
            None if self.rejected > 0 => {
                let rejected = usize::try_from(self.rejected).unwrap_or(usize::MAX);
                Err(Failure::data(format!("{} rejected and not kept", counted(rejected, "event")))
                    .hint("--rejects FILE keeps them with their reasons"))
            }
            _ => Ok(()),
        }
    }
}
