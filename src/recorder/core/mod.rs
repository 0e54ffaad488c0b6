//! The recorder's thread: takes observations and requests, records them, applies them to the views
//! and announces them.

mod intake;

mod loss;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Duration, Instant},
};

use self::loss::Losses;
use super::{Error, Health, Published, Request, Snapshot, with_causes};
use crate::{
    event::{ActionOutcome, Event, Extensions, Key, Millis, Observed, Outcome, Role},
    journal::{
        self, Appended, Flags, NewRecord, Positions, Reader, Recovery, Seq, WipeNote, Writer,
    },
    views::{self, Body, read},
};

/// Messages taken from the queue at once.
const MESSAGES_AT_ONCE: usize = 16;
/// A batch is appended when it has this many events: some hundred kilobytes.
const STAGED_EVENTS_MAX: usize = 2048;
/// Observations are durable within this time ...
const SYNC_INTERVAL: Duration = Duration::from_millis(100);
/// ... or when this much is not.
const UNSYNCED_BYTES_MAX: usize = 1 << 20;
/// Between two snapshots.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(20);
/// While the journal cannot be appended to, how often it is tried again without news.
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
    staged: Vec<Event>,
    staged_keys: HashSet<Key>,
    payloads: Vec<u8>,
    ends: Vec<usize>,
    unsynced_bytes: usize,
    unsynced_since: Option<Instant>,
    published_at: Instant,
    is_stale: bool,
    waiters: Vec<(Seq, oneshot::Sender<Result<Seq, Error>>)>,
    resends: Vec<(Instant, String)>,
    append_error: Option<String>,
    losses: Losses,
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
            staged: Vec::new(),
            staged_keys: HashSet::new(),
            payloads: Vec::new(),
            ends: Vec::new(),
            unsynced_bytes: 0,
            unsynced_since: None,
            published_at: Instant::now(),
            is_stale: true,
            waiters: Vec::new(),
            resends: Vec::new(),
            append_error: None,
            losses: Losses::default(),
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
        self.staged.extend(events);
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
        let is_due = self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_INTERVAL);
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
        let heal_at = self.append_error.is_some().then(|| Instant::now() + HEAL_INTERVAL);
        let far = Instant::now() + Duration::from_secs(3600);
        [sync_at, resend_at, heal_at].into_iter().flatten().min().unwrap_or(far)
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
        match self.append(&events) {
            Ok(seq) => self.waiters.push((seq, done)),
            Err(error) => {
                self.append_failed(with_causes(&error));
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
        let seq = self.apply(&[event], appended, note.time_ns);
        self.publish();
        self.start_collectors_over();
        Ok((self.reader.positions().epoch, seq))
    }

    fn start_collectors_over(&mut self) {
        self.generation += 1;
        self.outputs.generation.send_replace(self.generation);
    }

    fn stage(&mut self, event: Event) {
        self.staged_keys.insert(event.key());
        self.staged.push(event);
        if self.staged.len() >= STAGED_EVENTS_MAX {
            self.commit();
        }
    }

    /// Appends, publishes and applies what is staged. What cannot be appended is counted, and told
    /// in gaps as soon as the journal takes records again.
    fn commit(&mut self) {
        if self.staged.is_empty() && self.losses.is_empty() {
            return;
        }
        let mut events = self.losses.as_gaps(now_ms());
        let gaps = events.len();
        events.append(&mut self.staged);
        self.staged_keys.clear();
        if let Err(error) = self.append(&events) {
            events[gaps..].iter().for_each(|event| self.losses.count(event, now_ms()));
            self.append_failed(with_causes(&error));
        } else if gaps > 0 {
            self.losses = Losses::default();
        }
    }

    fn append_failed(&mut self, reason: String) {
        if self.append_error.as_ref() != Some(&reason) {
            tracing::error!("appending to the journal failed: {reason}");
        }
        self.append_error = Some(reason);
        self.publish_health();
    }

    /// Collectors start over, since what they sent meanwhile may have ended something.
    fn healed(&mut self) {
        self.append_error = None;
        self.publish_health();
        self.start_collectors_over();
    }

    /// Appends events and applies them; returns the number of the last one.
    fn append(&mut self, events: &[Event]) -> Result<Seq, journal::Error> {
        let time_ns = now_ns();
        self.payloads.clear();
        self.ends.clear();
        for event in events {
            event.encode_to(&mut self.payloads);
            self.ends.push(self.payloads.len());
        }
        let records = records(events, &self.payloads, &self.ends, time_ns);
        let appended = self.writer.append(&records)?;
        self.unsynced_bytes += self.payloads.len();
        self.unsynced_since.get_or_insert_with(Instant::now);
        Ok(self.apply(events, appended, time_ns))
    }

    fn apply(&mut self, events: &[Event], appended: Appended, time_ns: i64) -> Seq {
        let mut seq = appended.first_seq;
        for (event, place) in events.iter().zip(appended.places) {
            let body = Body { seq, learned: read::millis(time_ns), place };
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

/// The records of some events whose payloads lie one after another.
fn records<'a>(
    events: &[Event],
    payloads: &'a [u8],
    ends: &[usize],
    time_ns: i64,
) -> Vec<NewRecord<'a>> {
    let mut start = 0;
    let payloads = ends.iter().map(|&end| &payloads[std::mem::replace(&mut start, end)..end]);
    let with_payloads = events.iter().zip(payloads);
    with_payloads.map(|(event, payload)| record(event, payload, time_ns)).collect()
}

fn record<'a>(event: &Event, payload: &'a [u8], time_ns: i64) -> NewRecord<'a> {
    let flags = match event.role() {
        Role::History => Flags::default(),
        Role::State => Flags::STATE,
        Role::End => Flags::END,
    };
    NewRecord { kind: event.kind(), flags, time_ns, key: event.key().0, payload }
}

/// Starts a new epoch whose first event says who wiped, when, why and what went.
pub(super) fn wipe(
    writer: &mut Writer,
    reader: &Reader,
    note: &WipeNote,
) -> Result<(Event, Appended), journal::Error> {
    let event = wipe_event(&reader.positions(), note);
    let mut payload = Vec::new();
    event.encode_to(&mut payload);
    let appended = writer.wipe(note, &[record(&event, &payload, note.time_ns)])?;
    Ok((event, appended))
}

fn wipe_event(went: &Positions, note: &WipeNote) -> Event {
    let args = serde_json::json!({
        "reason": note.reason,
        "epoch": went.epoch,
        "first_seq": went.first_seq,
        "last_seq": went.last_seq,
        "bytes": went.bytes,
    });
    let at = read::millis(note.time_ns);
    Event::ActionOutcome(ActionOutcome {
        id: format!("wipe-{}", went.epoch + 1),
        actor: note.actor.clone(),
        action: "wipe".into(),
        args: args.to_string(),
        started: at,
        ended: at,
        outcome: Outcome::Succeeded,
        detail: format!("events {} to {} were wiped", went.first_seq, went.last_seq),
        ext: Extensions::default(),
    })
}

/// The present time, nanoseconds since 1970; 0 for a clock before that.
pub(super) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The present time, milliseconds since 1970.
pub(super) fn now_ms() -> Millis {
    read::millis(now_ns())
}
