//! The one thread that joins journal and views, and what the rest of the process holds of it.
//!
//! A batch is appended, published to readers, applied to the views, then announced, in that order:
//! order on screen = order in the journal = sequence number. [`Recorder`] is the write side,
//! [`Published`] the read side, which takes no lock that the recorder could wait for.

mod boot;

mod core;

mod published;

mod tally;

use std::{path::PathBuf, sync::Arc, thread};

use tokio::sync::{mpsc, oneshot, watch};

pub use self::{
    published::{Health, Limits, Published, Snapshot, Unsaved},
    tally::{Gaps, TIMING_BOUNDS, Tally, Timings},
};
use crate::{
    event::{Event, Observed},
    journal::{
        self, Seq, WipeNote,
        fs::{Disk, Fs},
    },
    redact::Rules,
};

pub use crate::views::read::LogCounts;

/// How many messages of collectors may wait. A message holds up to some hundred events, so this
/// bounds the memory of a burst to some ten megabytes.
pub const QUEUE_MESSAGES_MAX: usize = 64;

/// How many requests of admins may wait.
const REQUESTS_MAX: usize = 64;

/// How the recorder starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the journal is.
    pub journal: journal::Options,
    /// The program's version.
    pub version: String,
    /// The name of the host or pod.
    pub host: String,
    /// `live` or `demo`.
    pub mode: String,
    /// Faults of the configuration: recorded with the boot, and shown.
    pub config_faults: Vec<String>,
    /// What each source of log lines and traces may record a day, bytes; by default they share half
    /// of what the journal may take.
    pub source_bytes_per_day: Option<u64>,
    /// Wipes before anything is replayed, once for each new token.
    pub wipe_on_start: Option<WipeOnStart>,
}

/// A wipe for a pod that cannot start.
#[derive(Debug, Clone)]
pub struct WipeOnStart {
    /// Wipes once for each new value.
    pub token: String,
    /// Remembers the last token.
    pub memory: PathBuf,
}

/// A running recorder.
#[derive(Debug)]
pub struct Started {
    /// The write side.
    pub recorder: Recorder,
    /// The read side.
    pub published: Arc<Published>,
    /// Where collectors put what they observe.
    pub queue: mpsc::Sender<Observed>,
    /// Changes when collectors must start over: after a wipe, and after records had to be dropped.
    pub generation: watch::Receiver<u64>,
    /// Ends when the recorder has stopped; an error is a fault of the program.
    pub thread: thread::JoinHandle<()>,
}

/// What admins ask of the recorder.
#[derive(Debug)]
enum Request {
    Record { events: Vec<Event>, keeps: bool, done: oneshot::Sender<Result<Recorded, Error>> },
    Wipe { note: WipeNote, done: oneshot::Sender<Result<(u64, Seq), Error>> },
    Stop,
}

/// The write side for admin actions. Clones share one bounded queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    requests: mpsc::Sender<Request>,
    rules: Arc<Rules>,
}

/// How well something is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It survives a power cut; the number of the last event.
    Durable(Seq),
    /// It waits in memory until the journal takes records again.
    InMemory,
}

/// Why the recorder did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recorder has stopped.
    #[error("the recorder has stopped; the process is shutting down")]
    Stopped,
    /// The journal cannot take it now.
    #[error("the journal cannot record this now, so nothing was done: {reason}")]
    NotRecorded {
        /// What failed.
        reason: String,
    },
    /// It was written, and could not be made durable.
    #[error("the journal wrote this, but whether it survives a power cut is not known: {reason}")]
    Unsure {
        /// What failed.
        reason: String,
    },
}

/// An error and its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Recorder {
    /// The same recorder with other rules of redaction.
    #[must_use]
    pub fn redacting(self, rules: Arc<Rules>) -> Recorder {
        Recorder { rules, ..self }
    }

    /// Records events and waits until they are durable; returns the number of the last one.
    ///
    /// # Errors
    /// The journal could not take them: nothing was recorded. Or it could not make them durable:
    /// [`Error::Unsure`].
    pub async fn record_durable(&self, events: Vec<Event>) -> Result<Seq, Error> {
        let events = self.redacted(events);
        match self.ask(|done| Request::Record { events, keeps: false, done }).await? {
            Recorded::Durable(seq) => Ok(seq),
            Recorded::InMemory => unreachable!("it was not asked to keep them in memory"),
        }
    }

    /// Records events as [`Recorder::record_durable`] does; while the journal takes nothing, keeps
    /// them in memory until it does.
    ///
    /// # Errors
    /// Neither could be done.
    pub async fn record_or_keep(&self, events: Vec<Event>) -> Result<Recorded, Error> {
        let events = self.redacted(events);
        self.ask(|done| Request::Record { events, keeps: true, done }).await
    }

    /// Empties journal and views and starts a new epoch, whose number is returned with that of the
    /// record of the wipe.
    ///
    /// # Errors
    /// The new epoch could not be written: nothing was wiped.
    pub async fn wipe(&self, note: WipeNote) -> Result<(u64, Seq), Error> {
        self.ask(|done| Request::Wipe { note, done }).await
    }

    /// Asks the recorder to write what waits, make it durable and end.
    pub async fn stop(&self) {
        // A recorder that has ended already needs no stop.
        let _ = self.requests.send(Request::Stop).await;
    }

    fn redacted(&self, mut events: Vec<Event>) -> Vec<Event> {
        events.iter_mut().for_each(|event| self.rules.event(event));
        events
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Request,
    ) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        self.requests.send(request(done)).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)?
    }
}

/// Starts the recorder's thread. It opens the journal there, and tries again until it can, so that
/// the process serves meanwhile.
///
/// # Errors
/// The operating system gave no thread.
pub fn start(setup: Setup) -> std::io::Result<Started> {
    start_with(setup, Arc::new(Disk))
}

/// As [`start`], on any file system.
///
/// # Errors
/// As [`start`].
pub fn start_with(setup: Setup, fs: Arc<dyn Fs>) -> std::io::Result<Started> {
    let (requests, requests_in) = mpsc::channel(REQUESTS_MAX);
    let (queue, queue_in) = mpsc::channel(QUEUE_MESSAGES_MAX);
    let (positions, positions_out) = watch::channel(journal::Positions::default());
    let (generation, generation_out) = watch::channel(0);
    let published = Arc::new(Published::empty(positions_out));
    let outputs = core::Outputs { published: Arc::clone(&published), positions, generation };
    let inputs = core::Inputs { requests: requests_in, queue: queue_in };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let thread = thread::Builder::new()
        .name("recorder".into())
        .spawn(move || runtime.block_on(boot::run(setup, fs, inputs, outputs)))?;
    let recorder = Recorder { requests, rules: Arc::default() };
    Ok(Started { recorder, published, queue, generation: generation_out, thread })
}
