//! The recorder's thread: takes observations and requests, records them, applies them to the views
//! and announces them.

mod batch;

mod budget;

mod intake;

mod journaling;

mod loss;

mod trouble;

mod unsaved;

mod upkeep;

mod wipe;

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Duration, Instant},
};

use self::{
    batch::Batch, budget::Budgets, loss::Losses, trouble::Healing, unsaved::Unsaved, upkeep::Upkeep,
};
use super::{Error, Health, Published, Recorded, Request, Setup, Snapshot, with_causes};
use crate::{
    event::{Event, Millis, Observed},
    journal::{Positions, Reader, Recovery, Seq, Writer, fs::Fs},
    views::{self, fold::Fold},
};

pub(super) use wipe::wipe;

/// Messages taken from the queue at once.
const MESSAGES_AT_ONCE: usize = 16;
/// Observations are durable within this time ...
const SYNC_INTERVAL: Duration = Duration::from_millis(100);
/// ... or when this much is not.
const UNSYNCED_BYTES_MAX: usize = 1 << 20;
/// Between two snapshots.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(20);

/// Requests that share a sync: as many as may wait.
const WAITERS_MAX: usize = 64;

/// What the thread hears.
#[derive(Debug)]
pub(super) struct Inputs {
    pub requests: mpsc::Receiver<Request>,
    pub queue: mpsc::Receiver<Observed>,
}

/// What the thread tells.
#[derive(Debug)]
pub(super) struct Outputs {
    pub published: Arc<Published>,
    pub positions: watch::Sender<Positions>,
    pub generation: watch::Sender<u64>,
}

impl Outputs {
    /// Says why something does not work.
    pub fn degrade(&self, degraded: Vec<String>) {
        let health = Health { degraded, ..Health::clone(&self.published.health.load()) };
        self.published.health.store(Arc::new(health));
    }

    /// Says how far the replay has come.
    pub fn progress(&self, applied: u64) {
        let health = Health { applied, ..Health::clone(&self.published.health.load()) };
        self.published.health.store(Arc::new(health));
    }
}

/// What a start has found and made.
#[derive(Debug)]
pub(super) struct Opened {
    pub writer: Writer,
    pub reader: Reader,
    pub fold: Fold,
    pub faults: Vec<String>,
    pub recovery: Arc<Recovery>,
}

/// An admin's request whose answer waits for the sync.
#[derive(Debug)]
struct Waiter {
    seq: Seq,
    /// It is content with a record that may not be durable.
    keeps: bool,
    done: oneshot::Sender<Result<Recorded, Error>>,
}

/// Journal and views, joined.
#[derive(Debug)]
pub(super) struct Core {
    writer: Writer,
    reader: Reader,
    fold: Fold,
    outputs: Outputs,
    faults: Vec<String>,
    recovery: Arc<Recovery>,
    generation: u64,
    staged: Batch,
    unsynced_bytes: usize,
    unsynced_since: Option<Instant>,
    published_at: Instant,
    is_stale: bool,
    /// The views hold everything, and were published.
    is_complete: bool,
    waiters: Vec<Waiter>,
    resends: Vec<(Instant, String)>,
    healing: Healing,
    /// What waits for the journal to take records again; empty while it does.
    unsaved: Unsaved,
    losses: Losses,
    budgets: Budgets,
    upkeep: Upkeep,
    /// Since when ends may have been lost of a source that has not listed again, by source.
    blind_since: BTreeMap<String, Millis>,
    /// Observations of generations before this one were wiped.
    wiped_before: u64,
}

impl Core {
    pub fn new(setup: &Setup, fs: Arc<dyn Fs>, opened: Opened, outputs: Outputs) -> Core {
        let Opened { writer, reader, fold, faults, recovery } = opened;
        Core {
            upkeep: Upkeep::new(setup, fs, &writer),
            budgets: Budgets::new(setup.source_bytes_per_day),
            writer,
            reader,
            fold,
            outputs,
            faults,
            recovery,
            generation: 0,
            staged: Batch::default(),
            unsynced_bytes: 0,
            unsynced_since: None,
            published_at: Instant::now(),
            is_stale: true,
            is_complete: false,
            waiters: Vec::new(),
            resends: Vec::new(),
            healing: Healing::default(),
            unsaved: Unsaved::default(),
            losses: Losses::default(),
            blind_since: BTreeMap::new(),
            wiped_before: 0,
        }
    }

    pub fn state(&self) -> &views::State {
        &self.fold.state
    }

    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Records the first events, publishes the views and lets the collectors begin.
    pub fn begin(&mut self, events: Vec<Event>) {
        events.into_iter().for_each(|event| _ = self.stage(event));
        self.look_after();
        self.commit();
        self.sync();
        // Whoever sees that the views are complete finds them, and whoever waits for that is woken.
        self.publish();
        self.is_complete = true;
        self.publish_health();
        self.publish();
    }

    pub async fn run(mut self, mut inputs: Inputs) {
        let mut messages = Vec::with_capacity(MESSAGES_AT_ONCE);
        loop {
            tokio::select! {
                biased;
                request = inputs.requests.recv() => match request {
                    Some(Request::Stop) | None => break,
                    Some(request) => {
                        if self.serve_all(request, &mut inputs.requests) {
                            break;
                        }
                    }
                },
                _ = inputs.queue.recv_many(&mut messages, MESSAGES_AT_ONCE),
                    if !inputs.queue.is_closed() || !inputs.queue.is_empty() => {}
                () = tokio::time::sleep_until(self.wake_at()) => {}
            }
            for message in messages.drain(..) {
                self.observe(message);
            }
            self.work_off(inputs.queue.is_empty());
        }
        while let Ok(message) = inputs.queue.try_recv() {
            self.observe(message);
        }
        self.finish();
    }

    /// Everything that is due after a turn.
    fn work_off(&mut self, is_idle: bool) {
        self.drop_unsent_live_queries();
        if self.upkeep.is_due() {
            self.look_after();
        }
        self.commit();
        if self.healing.is_due() {
            self.heal();
        }
        let now = Instant::now();
        let is_due = self.unsynced_since.is_some_and(|since| now >= since + SYNC_INTERVAL);
        if !self.waiters.is_empty() || is_due || self.unsynced_bytes >= UNSYNCED_BYTES_MAX {
            self.sync();
        }
        if self.is_stale && (is_idle || self.published_at.elapsed() >= PUBLISH_INTERVAL) {
            self.publish();
        }
    }

    /// When to wake up without news.
    fn wake_at(&self) -> Instant {
        let sync_at = self.unsynced_since.map(|since| since + SYNC_INTERVAL);
        let resend_at = self.resends.iter().map(|(at, _)| *at).min();
        let upkeep_at = self.upkeep.due_at();
        let others = [sync_at, resend_at, self.healing.retry_at()].into_iter().flatten();
        others.fold(upkeep_at, Instant::min)
    }

    /// Serves a request and all that came while the one before was made durable, so that they share
    /// the next sync. True when it is time to stop.
    fn serve_all(&mut self, first: Request, others: &mut mpsc::Receiver<Request>) -> bool {
        self.serve(first);
        for _ in 0..WAITERS_MAX {
            match others.try_recv() {
                Ok(Request::Stop) => return true,
                Ok(request) => self.serve(request),
                Err(_) => break,
            }
        }
        false
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Record { events, keeps, done } => self.record(events, keeps, done),
            Request::Wipe { note, done } => {
                // The asker may have gone; the wipe stands all the same.
                let _ = done.send(self.wipe(&note));
            }
            Request::Stop => {}
        }
    }

    fn start_collectors_over(&mut self) {
        self.generation += 1;
        self.outputs.generation.send_replace(self.generation);
    }

    /// Publishes the views, then announces them.
    fn publish(&mut self) {
        let positions = self.reader.positions();
        let snapshot = Snapshot {
            seq: positions.last_seq,
            state: self.fold.state.clone(),
            unsaved: self.shown_unsaved(),
        };
        self.outputs.published.snapshot.store(Arc::new(snapshot));
        self.outputs.positions.send_replace(positions);
        self.published_at = Instant::now();
        self.is_stale = false;
    }

    fn publish_health(&self) {
        let applied = self.outputs.published.health.load().applied;
        let mut degraded = self.faults.clone();
        degraded.extend(self.fold.unread.alarms());
        degraded.extend(self.healing.line());
        self.outputs.published.health.store(Arc::new(Health {
            replayed: self.is_complete,
            applied,
            degraded,
            recovery: Some(Arc::clone(&self.recovery)),
            passed_over: self.fold.unread.lines(),
            limits: self.upkeep.limits(),
        }));
    }

    /// The clean end: everything is durable and the segment is sealed.
    fn finish(mut self) {
        self.commit();
        self.stage_budget_gaps(true);
        self.commit();
        if self.healing.is_troubled() {
            self.heal_at_the_end();
        }
        self.sync();
        self.publish();
        if let Err(error) = self.writer.close() {
            tracing::error!("closing the journal failed: {}", with_causes(&error));
        }
    }
}
