//! The recorder's thread: takes observations and requests, records them, applies them to the views
//! and announces them.

mod batch;

mod intake;

mod loss;

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Duration, Instant},
};

use self::{batch::Batch, loss::Losses};
use super::{Error, Health, Published, Request, Snapshot, with_causes};
use crate::{
    event::{ActionOutcome, Event, Millis, Observed, Wiped, millis, now, now_ns},
    journal::{self, Appended, Positions, Reader, Recovery, Seq, WipeNote, Writer},
    views::{self, Body},
};

/// Messages taken from the queue at once.
const MESSAGES_AT_ONCE: usize = 16;
/// Observations are durable within this time ...
const SYNC_INTERVAL: Duration = Duration::from_millis(100);
/// ... or when this much is not.
const UNSYNCED_BYTES_MAX: usize = 1 << 20;
/// Between two snapshots.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(20);
/// While the journal cannot be appended to, how often it is tried again.
const HEAL_INTERVAL: Duration = Duration::from_secs(1);

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

/// Journal and views, joined.
#[derive(Debug)]
pub(super) struct Core {
    writer: Writer,
    reader: Reader,
    state: views::State,
    outputs: Outputs,
    faults: Vec<String>,
    recovery: Arc<Recovery>,
    generation: u64,
    staged: Batch,
    unsynced_bytes: usize,
    unsynced_since: Option<Instant>,
    published_at: Instant,
    is_stale: bool,
    waiters: Vec<(Seq, oneshot::Sender<Result<Seq, Error>>)>,
    resends: Vec<(Instant, String)>,
    append_error: Option<String>,
    retry_at: Option<Instant>,
    losses: Losses,
    /// Since when ends may have been lost of a source that has not listed again, by source.
    blind_since: BTreeMap<String, Millis>,
    /// Observations of generations before this one were wiped.
    wiped_before: u64,
}

impl Core {
    pub fn new(
        writer: Writer,
        reader: Reader,
        state: views::State,
        outputs: Outputs,
        faults: Vec<String>,
        recovery: Arc<Recovery>,
    ) -> Core {
        Core {
            writer,
            reader,
            state,
            outputs,
            faults,
            recovery,
            generation: 0,
            staged: Batch::default(),
            unsynced_bytes: 0,
            unsynced_since: None,
            published_at: Instant::now(),
            is_stale: true,
            waiters: Vec::new(),
            resends: Vec::new(),
            append_error: None,
            retry_at: None,
            losses: Losses::default(),
            blind_since: BTreeMap::new(),
            wiped_before: 0,
        }
    }

    pub fn state(&self) -> &views::State {
        &self.state
    }

    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Records the first events, publishes the views and lets the collectors begin.
    pub fn begin(&mut self, events: Vec<Event>) {
        events.into_iter().for_each(|event| self.stage(event));
        self.commit();
        self.sync();
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
                    Some(request) => self.serve(request),
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
        self.commit();
        let now = Instant::now();
        let is_due = self.unsynced_since.is_some_and(|since| now >= since + SYNC_INTERVAL)
            || self.retry_at.is_some_and(|at| now >= at);
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
        let far = Instant::now() + Duration::from_secs(3600);
        [sync_at, resend_at, self.retry_at].into_iter().flatten().min().unwrap_or(far)
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Record { events, done } => self.record(events, done),
            Request::Wipe { note, done } => {
                // The asker may have gone; the wipe stands all the same.
                let _ = done.send(self.wipe(&note));
            }
            Request::Stop => {}
        }
    }

    /// Records an admin's events; the answer waits for the sync.
    fn record(&mut self, events: Vec<Event>, done: oneshot::Sender<Result<Seq, Error>>) {
        self.commit();
        match self.append(&Batch::of(events)) {
            Ok(seq) => self.waiters.push((seq, done)),
            Err(error) => {
                if !matches!(error, journal::Error::Refused { .. }) {
                    self.append_failed(with_causes(&error));
                }
                // The asker may have gone; there is nothing to undo.
                let _ = done.send(Err(Error::not_recorded(&error)));
            }
        }
    }

    fn wipe(&mut self, note: &WipeNote) -> Result<(u64, Seq), Error> {
        self.commit();
        self.sync();
        let (event, appended) = wipe(&mut self.writer, &self.reader, note)
            .map_err(|error| Error::not_recorded(&error))?;
        self.state = views::State::default();
        self.resends.clear();
        self.blind_since.clear();
        let seq = self.apply(&[event], appended, note.time_ns);
        self.publish();
        self.start_collectors_over();
        self.wiped_before = self.generation;
        Ok((self.reader.positions().epoch, seq))
    }

    fn start_collectors_over(&mut self) {
        self.generation += 1;
        self.outputs.generation.send_replace(self.generation);
    }

    fn stage(&mut self, event: Event) {
        self.staged.push(event);
        if self.staged.is_full() {
            self.commit();
        }
    }

    /// Appends, publishes and applies what is staged. What cannot be appended is counted, and told
    /// in gaps as soon as the journal takes records again.
    fn commit(&mut self) {
        let staged = std::mem::take(&mut self.staged);
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            self.losses.count_all(staged.events(), now());
            return;
        }
        let told = self.tell_losses();
        match told.and_then(|()| self.append_accepted(&staged)) {
            Ok(()) => {}
            Err(error) => {
                self.losses.count_all(staged.events(), now());
                self.append_failed(with_causes(&error));
            }
        }
    }

    fn tell_losses(&mut self) -> Result<(), journal::Error> {
        if !self.losses.is_empty() {
            self.append(&Batch::of(self.losses.as_gaps(now())))?;
            for (source, from) in std::mem::take(&mut self.losses).begun() {
                let known = self.blind_since.entry(source).or_insert(from);
                *known = known.min(from);
            }
        }
        Ok(())
    }

    /// Appends a batch; in the place of an event that no journal can hold stands the gap it leaves.
    fn append_accepted(&mut self, batch: &Batch) -> Result<(), journal::Error> {
        if batch.is_empty() {
            return Ok(());
        }
        match self.append(batch) {
            Err(journal::Error::Refused { index, reason }) => {
                let gap = loss::refused(&batch.events()[index], &reason, now());
                self.append_accepted(&batch.with(index, gap))
            }
            result => result.map(|_| ()),
        }
    }

    /// Appends events and applies them; returns the number of the last one.
    fn append(&mut self, batch: &Batch) -> Result<Seq, journal::Error> {
        let time_ns = now_ns();
        let appended = self.writer.append(&batch.records(time_ns))?;
        self.unsynced_bytes += batch.bytes();
        self.unsynced_since.get_or_insert_with(Instant::now);
        Ok(self.apply(batch.events(), appended, time_ns))
    }

    fn append_failed(&mut self, reason: String) {
        if self.append_error.as_ref() != Some(&reason) {
            tracing::error!("appending to the journal failed: {reason}");
        }
        self.append_error = Some(reason);
        self.retry_at = Some(Instant::now() + HEAL_INTERVAL);
        self.publish_health();
    }

    /// Collectors start over, since what they sent meanwhile may have ended something.
    fn healed(&mut self) {
        self.append_error = None;
        self.retry_at = None;
        self.publish_health();
        self.start_collectors_over();
    }

    fn apply(&mut self, events: &[Event], appended: Appended, time_ns: i64) -> Seq {
        let mut seq = appended.first_seq;
        for (event, place) in events.iter().zip(appended.places) {
            let body = Body { seq, learned: millis(time_ns), place };
            self.state.apply(event, body);
            seq += 1;
        }
        self.is_stale = true;
        seq - 1
    }

    fn sync(&mut self) {
        let result = self.writer.sync();
        self.unsynced_bytes = 0;
        self.unsynced_since = None;
        self.is_stale = true;
        match &result {
            Err(error) => self.append_failed(with_causes(error)),
            Ok(_) if self.append_error.is_some() && self.losses.is_empty() => self.healed(),
            Ok(_) => {}
        }
        if !self.waiters.is_empty() {
            // Whoever is told that it is recorded finds it in the views.
            self.publish();
        }
        for (seq, done) in self.waiters.drain(..) {
            let answer = result.as_ref().map(|_| seq).map_err(Error::not_recorded);
            // The asker may have gone; the record stands all the same.
            let _ = done.send(answer);
        }
    }

    /// Publishes the views, then announces them.
    fn publish(&mut self) {
        let positions = self.reader.positions();
        let snapshot = Snapshot { seq: positions.last_seq, state: self.state.clone() };
        self.outputs.published.snapshot.store(Arc::new(snapshot));
        self.outputs.positions.send_replace(positions);
        self.published_at = Instant::now();
        self.is_stale = false;
    }

    fn publish_health(&self) {
        let applied = self.outputs.published.health.load().applied;
        let failing = self.append_error.as_ref();
        let failing = failing.map(|error| format!("observations are not being recorded: {error}"));
        self.outputs.published.health.store(Arc::new(Health {
            replayed: true,
            applied,
            degraded: self.faults.iter().cloned().chain(failing).collect(),
            recovery: Some(Arc::clone(&self.recovery)),
        }));
    }

    /// The clean end: everything is durable and the segment is sealed.
    fn finish(mut self) {
        self.commit();
        self.sync();
        self.publish();
        if let Err(error) = self.writer.close() {
            tracing::error!("closing the journal failed: {}", with_causes(&error));
        }
    }
}

/// Starts a new epoch whose first event says who wiped, when, why and what went.
pub(super) fn wipe(
    writer: &mut Writer,
    reader: &Reader,
    note: &WipeNote,
) -> Result<(Event, Appended), journal::Error> {
    let event = wipe_event(&reader.positions(), note);
    let first = Batch::of(vec![event.clone()]);
    let appended = writer.wipe(note, &first.records(note.time_ns))?;
    Ok((event, appended))
}

fn wipe_event(went: &Positions, note: &WipeNote) -> Event {
    let Positions { epoch, first_seq, last_seq, bytes, .. } = *went;
    let went = Wiped { epoch, first_seq, last_seq, bytes };
    let at = millis(note.time_ns);
    Event::ActionOutcome(ActionOutcome::of_wipe(went, &note.actor, &note.reason, at))
}
