//! The bounded queue, and the one thread that empties it.
//!
//! The committer has no timer. It sleeps until something waits, takes all that waits up to the
//! batch limits, commits it, answers, and looks again. While it waits for the disk the next batch
//! gathers by itself: a lonely event is committed at once, and the busier it gets the more events
//! share a flush.
//!
//! After a commit that failed for a reason that passes (a lock held elsewhere, a full disk) the
//! queue is suspended: events are refused at once instead of each waiting for its own failure, and
//! the committer tries the store until it works again. After any other failure it takes nothing
//! more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tidegate_core::config;
use tidegate_core::event::{Appended, NewEvent};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::error::AppendError;

/// Something that commits batches.
pub(crate) trait Writer: Send + 'static {
    /// Commits `batch` and says what became of each event, in the same order and number. Events are
    /// committed together; only when one of them is itself unacceptable, each for itself.
    fn commit(&mut self, batch: &[NewEvent]) -> Vec<Result<Appended, CommitError>>;

    /// Writes something that changes nothing, to learn whether commits work again.
    fn probe(&mut self) -> Result<(), CommitError>;
}

/// How long to wait between two probes.
const PROBE_PAUSE: Duration = Duration::from_millis(100);

/// What the committer can do, as far as it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Events are committed.
    Serving,
    /// The last commit failed for a reason that passes; events are refused meanwhile.
    Suspended,
    /// The store may not be trusted until it is opened again.
    Failed,
}

impl State {
    fn load(from: &AtomicU8) -> Self {
        match from.load(Ordering::Acquire) {
            0 => Self::Serving,
            1 => Self::Suspended,
            _ => Self::Failed,
        }
    }
}

/// Why an event was not committed. Unless the fault is fatal, it is not in the store; after a fatal
/// one that is not known, and the same event may be sent again.
#[derive(Clone, Debug)]
pub(crate) struct CommitError {
    /// What happened, for the log and for [`AppendError::Unavailable`].
    pub(crate) message: String,
    /// What it means for the events after it.
    pub(crate) fault: Fault,
}

/// What a failed commit means for those after it, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// This event cannot be stored; others can.
    Event,
    /// Nothing can be committed for the moment: a lock held elsewhere, a full disk.
    Passing,
    /// Later commits may not be trusted, as after a failed flush.
    Fatal,
}

/// What one commit did; handed to the observer of [`crate::Store::open`].
#[derive(Clone, Copy, Debug)]
pub struct CommitReport {
    /// Events in the batch.
    pub events: usize,
    /// How long the transaction and its flush took.
    pub duration: Duration,
    /// Whether every event of it was committed.
    pub committed: bool,
}

/// How full the queue is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueState {
    /// Events that wait, those in the running commit included.
    pub events: usize,
    /// Their bytes.
    pub bytes: usize,
    /// The limit for `events`.
    pub max_events: usize,
    /// The limit for `bytes`.
    pub max_bytes: usize,
    /// How long the oldest of them has waited.
    pub oldest_age: Duration,
}

struct Waiting {
    event: NewEvent,
    size_bytes: usize,
    since: Instant,
    answer: oneshot::Sender<Result<Appended, AppendError>>,
}

enum Command {
    Append(Box<Waiting>),
    Stop,
}

/// What the queue's two ends share.
struct Shared {
    events: AtomicUsize,
    bytes: AtomicUsize,
    /// Microseconds from `started` to the arrival of the oldest event in the running commit; 0 is none.
    oldest_us: AtomicU64,
    started: Instant,
    state: AtomicU8,
    changed: Notify,
    max_events: usize,
    max_bytes: usize,
}

/// The sending end of the queue.
pub(crate) struct Committer {
    sender: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

/// The thread behind the queue; joined when the store closes.
pub(crate) type CommitterThread = JoinHandle<()>;

impl Committer {
    /// Starts the thread that commits with `writer` and tells `observer` about each commit.
    pub(crate) fn start(
        limits: &config::Store,
        writer: impl Writer,
        observer: impl Fn(CommitReport) + Send + 'static,
    ) -> std::io::Result<(Self, CommitterThread)> {
        // One place more than events, so that the order to stop always finds room.
        let (sender, receiver) = mpsc::channel(limits.max_queue_events + 1);
        let shared = Arc::new(Shared {
            events: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            oldest_us: AtomicU64::new(0),
            started: Instant::now(),
            state: AtomicU8::new(State::Serving as u8),
            changed: Notify::new(),
            max_events: limits.max_queue_events,
            max_bytes: limits.max_queue_bytes,
        });
        let mut work = Work {
            receiver,
            writer,
            observer,
            shared: Arc::clone(&shared),
            max_batch_events: limits.max_batch_events,
            max_batch_bytes: limits.max_batch_bytes,
        };
        let thread = std::thread::Builder::new().name("committer".into()).spawn(move || {
            let mut alarm = FailureAlarm { shared: Arc::clone(&work.shared), armed: true };
            work.run();
            alarm.armed = false;
        })?;
        Ok((Self { sender, shared }, thread))
    }

    /// Queues an event and waits until it is committed.
    pub(crate) async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        self.shared.check()?;
        let size_bytes = event.size_bytes();
        self.shared.reserve(size_bytes)?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { event, size_bytes, since: Instant::now(), answer };
        if let Err(refused) = self.sender.try_send(Command::Append(Box::new(waiting))) {
            self.shared.release(size_bytes);
            return Err(match refused {
                mpsc::error::TrySendError::Full(_) => AppendError::QueueFull { limit: "max_queue_events" },
                mpsc::error::TrySendError::Closed(_) => AppendError::Closing,
            });
        }
        answered.await.unwrap_or_else(|_| Err(unavailable_until_restart()))
    }

    /// Lets what waits be committed and ends the thread.
    pub(crate) async fn stop(&self) {
        // The thread may have ended already; then there is nothing left to stop.
        let _ = self.sender.send(Command::Stop).await;
    }

    pub(crate) fn is_serving(&self) -> bool {
        State::load(&self.shared.state) == State::Serving && !self.sender.is_closed()
    }

    /// Returns when the store may not be trusted any more.
    pub(crate) async fn failed(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if State::load(&self.shared.state) == State::Failed {
                return;
            }
            changed.await;
        }
    }

    pub(crate) fn queue(&self) -> QueueState {
        let oldest_us = self.shared.oldest_us.load(Ordering::Relaxed);
        let oldest_age = match oldest_us {
            0 => Duration::ZERO,
            since => self.shared.started.elapsed().saturating_sub(Duration::from_micros(since)),
        };
        QueueState {
            events: self.shared.events.load(Ordering::Relaxed),
            bytes: self.shared.bytes.load(Ordering::Relaxed),
            max_events: self.shared.max_events,
            max_bytes: self.shared.max_bytes,
            oldest_age,
        }
    }
}

fn unavailable_until_restart() -> AppendError {
    AppendError::Unavailable("an earlier commit failed; restart when the disk is sound".into())
}

impl Shared {
    fn check(&self) -> Result<(), AppendError> {
        match State::load(&self.state) {
            State::Serving => Ok(()),
            State::Suspended => {
                Err(AppendError::Unavailable("the last commit failed, and it is not yet over".into()))
            }
            State::Failed => Err(unavailable_until_restart()),
        }
    }

    fn become_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
        self.changed.notify_waiters();
    }

    fn reserve(&self, size_bytes: usize) -> Result<(), AppendError> {
        let events = self.events.fetch_add(1, Ordering::AcqRel);
        let bytes = self.bytes.fetch_add(size_bytes, Ordering::AcqRel);
        let limit = if events >= self.max_events {
            "max_queue_events"
        } else if bytes + size_bytes > self.max_bytes && events > 0 {
            // A single event larger than the limit must not be refused for ever.
            "max_queue_bytes"
        } else {
            return Ok(());
        };
        self.release(size_bytes);
        Err(AppendError::QueueFull { limit })
    }

    fn release(&self, size_bytes: usize) {
        self.events.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(size_bytes, Ordering::AcqRel);
    }
}

/// Marks the store as failed when the thread ends in any other way than by being stopped.
struct FailureAlarm {
    shared: Arc<Shared>,
    armed: bool,
}

impl Drop for FailureAlarm {
    fn drop(&mut self) {
        if self.armed {
            self.shared.become_state(State::Failed);
        }
    }
}

/// The thread's side.
struct Work<W, O> {
    receiver: mpsc::Receiver<Command>,
    writer: W,
    observer: O,
    shared: Arc<Shared>,
    max_batch_events: usize,
    max_batch_bytes: usize,
}

impl<W: Writer, O: Fn(CommitReport)> Work<W, O> {
    fn run(&mut self) {
        while let Some(command) = self.receiver.blocking_recv() {
            match command {
                Command::Append(first) => self.commit_with(*first),
                Command::Stop => self.receiver.close(),
            }
            self.wait_while_suspended();
        }
    }

    /// Refuses what comes and tries the store until it works again.
    fn wait_while_suspended(&mut self) {
        while State::load(&self.shared.state) == State::Suspended {
            self.refuse_waiting();
            match self.writer.probe() {
                Ok(()) => {
                    tracing::info!("commits work again");
                    self.shared.become_state(State::Serving);
                }
                Err(error) if error.fault == Fault::Fatal => self.fail(&error),
                Err(_) if self.receiver.is_closed() => return,
                Err(_) => std::thread::sleep(PROBE_PAUSE),
            }
        }
    }

    fn refuse_waiting(&mut self) {
        loop {
            match self.receiver.try_recv() {
                Ok(Command::Append(waiting)) => {
                    self.shared.release(waiting.size_bytes);
                    let refusal =
                        AppendError::Unavailable("the last commit failed, and it is not yet over".into());
                    // Nobody minds a refusal that nobody waits for.
                    let _ = waiting.answer.send(Err(refusal));
                }
                Ok(Command::Stop) => self.receiver.close(),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn fail(&self, error: &CommitError) {
        tracing::error!("the store may not be trusted until it is opened again: {}", error.message);
        self.shared.become_state(State::Failed);
    }

    fn commit_with(&mut self, first: Waiting) {
        let since = first.since.saturating_duration_since(self.shared.started);
        let since_us = u64::try_from(since.as_micros()).unwrap_or(u64::MAX).max(1);
        self.shared.oldest_us.store(since_us, Ordering::Relaxed);
        let (events, answers) = self.gather(first);
        let outcomes = self.commit(&events);
        self.shared.oldest_us.store(0, Ordering::Relaxed);
        for ((size_bytes, answer), outcome) in answers.into_iter().zip(outcomes) {
            self.shared.release(size_bytes);
            // A caller that has gone away finds its event committed when it tries again.
            let _ = answer.send(outcome.map_err(|error| AppendError::Unavailable(error.message)));
        }
    }

    fn gather(&mut self, first: Waiting) -> (Vec<NewEvent>, Vec<Answer>) {
        let mut bytes = first.size_bytes;
        let mut events = vec![first.event];
        let mut answers = vec![(first.size_bytes, first.answer)];
        while events.len() < self.max_batch_events && bytes < self.max_batch_bytes {
            match self.receiver.try_recv() {
                Ok(Command::Append(next)) => {
                    bytes += next.size_bytes;
                    events.push(next.event);
                    answers.push((next.size_bytes, next.answer));
                }
                Ok(Command::Stop) => self.receiver.close(),
                Err(_) => break,
            }
        }
        (events, answers)
    }

    fn commit(&mut self, events: &[NewEvent]) -> Vec<Result<Appended, CommitError>> {
        if State::load(&self.shared.state) == State::Failed {
            let error = CommitError { message: "an earlier commit failed".into(), fault: Fault::Fatal };
            return events.iter().map(|_| Err(error.clone())).collect();
        }
        let begun = Instant::now();
        let outcomes = self.writer.commit(events);
        let duration = begun.elapsed();
        let worst =
            outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).max_by_key(|error| error.fault);
        (self.observer)(CommitReport { events: events.len(), duration, committed: worst.is_none() });
        if let Some(error) = worst {
            self.react_to(error, events.len());
        }
        outcomes
    }

    fn react_to(&self, error: &CommitError, events: usize) {
        match error.fault {
            Fault::Event => tracing::error!("an event cannot be stored: {}", error.message),
            Fault::Passing => {
                tracing::warn!(events, "commit failed, trying again: {}", error.message);
                self.shared.become_state(State::Suspended);
            }
            Fault::Fatal => self.fail(error),
        }
    }
}

type Answer = (usize, oneshot::Sender<Result<Appended, AppendError>>);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_testkit::events::EventBuilder;
    use tidegate_testkit::store::options;

    struct Panics;

    impl Writer for Panics {
        fn commit(&mut self, _: &[NewEvent]) -> Vec<Result<Appended, CommitError>> {
            panic!("a bug in the writer");
        }

        fn probe(&mut self) -> Result<(), CommitError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_committer_that_panics_is_a_store_that_failed() {
        let (committer, _thread) = Committer::start(&options("sqlite://x.db"), Panics, |_| ()).unwrap();
        let answer = committer.append(EventBuilder::new("any").build()).await;
        assert_eq!(answer, Err(unavailable_until_restart()));
        committer.failed().await;
        assert!(!committer.is_serving());
    }
}
