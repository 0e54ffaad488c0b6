//! While the journal takes no records: what is alive is kept in memory and shown as not saved, what
//! is history is counted, and the journal is tried again. When it takes records again, all that
//! waits goes into it at once, so that views and journal agree as if nothing had been.
//!
//! One append carries everything, so that a volume with room for a few small records does not look
//! well: either all that waits is recorded, or nothing is.

use std::sync::Arc;

use tokio::time::{Duration, Instant};

use super::{
    Batch, Core,
    unsaved::{Kept, Waiting},
};
use crate::{
    event::{Degraded, Event, Extensions, Millis, Role, millis, now, now_ns},
    journal::{self, Appended, NewRecord, Place, fs::Space},
    recorder::{published::Unsaved as Shown, with_causes},
    views::Body,
};

/// How often the journal is tried again at first ...
const RETRY_MIN: Duration = Duration::from_secs(1);
/// ... and at most, when it keeps failing soon after it took records.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// A trouble within this time of the last one is the same one: the waits grow.
const RELAPSE: Duration = Duration::from_secs(60);
/// A full volume is tried again when it has this much free beside what waits, so that it is not
/// full again with the next batch: a few steps of a segment's growth ...
const ROOM_BYTES: u64 = 16 << 20;
/// ... but no more than this part of a small volume.
const ROOM_PART: u64 = 8;

/// How the journal fares, and when it is tried again.
#[derive(Debug)]
pub(super) struct Healing {
    trouble: Option<Trouble>,
    wait: Duration,
    healed_at: Option<Instant>,
}

/// Why the journal takes nothing.
#[derive(Debug)]
struct Trouble {
    reason: String,
    since: Millis,
    retry_at: Instant,
    sort: Sort,
}

/// What sort of trouble it is. As long as that is the same, the first reason stands: which step
/// fails changes from attempt to attempt, and tells nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Full,
    ReadOnly,
    Ousted,
    Other,
}

impl Sort {
    fn of(error: &journal::Error) -> Sort {
        match error {
            journal::Error::Ousted { .. } => Sort::Ousted,
            error if error.is_storage_full() => Sort::Full,
            error if error.is_read_only() => Sort::ReadOnly,
            _ => Sort::Other,
        }
    }

    /// What an admin reads, and can do about it.
    fn explain(self, causes: &str) -> String {
        match self {
            Sort::Full => format!(
                "the volume is full and there is no older segment left to retire ({causes}); free \
                 space, enlarge the volume, or wipe the journal"
            ),
            Sort::ReadOnly => format!(
                "the volume takes no writes ({causes}); look at the log of its node, and whether \
                 it is mounted read-only"
            ),
            Sort::Ousted => causes.to_owned(),
            Sort::Other => format!("{causes}; look at the volume and at the log of its node"),
        }
    }
}

impl Default for Healing {
    fn default() -> Healing {
        Healing { trouble: None, wait: RETRY_MIN, healed_at: None }
    }
}

impl Healing {
    pub fn is_troubled(&self) -> bool {
        self.trouble.is_some()
    }

    pub fn is_due(&self) -> bool {
        self.retry_at().is_some_and(|at| Instant::now() >= at)
    }

    pub fn retry_at(&self) -> Option<Instant> {
        self.trouble.as_ref().map(|trouble| trouble.retry_at)
    }

    /// Why the journal takes nothing.
    pub fn reason(&self) -> &str {
        self.trouble.as_ref().map_or("", |trouble| &trouble.reason)
    }

    /// What every page says; steady as long as the reason is the same.
    pub fn line(&self) -> Option<String> {
        let trouble = self.trouble.as_ref()?;
        Some(format!(
            "observations are not being recorded: {}. What is alive is kept in memory and marked as \
             not saved, everything else is only counted, until the journal takes records again; an \
             action needs to be allowed without a record",
            trouble.reason
        ))
    }

    /// Notes a failure; true where its reason is a new one.
    fn note(&mut self, error: &journal::Error) -> bool {
        let sort = Sort::of(error);
        if self.trouble.as_ref().is_some_and(|known| known.sort == sort) {
            self.wait_more();
            return false;
        }
        if self.trouble.is_none() {
            let is_relapse = self.healed_at.is_some_and(|at| at.elapsed() < RELAPSE);
            self.wait = if is_relapse { (self.wait * 2).min(RETRY_MAX) } else { RETRY_MIN };
        }
        let since = self.trouble.as_ref().map_or_else(now, |known| known.since);
        let reason = sort.explain(&with_causes(error));
        self.trouble = Some(Trouble { reason, since, retry_at: Instant::now() + self.wait, sort });
        true
    }

    fn wait_more(&mut self) {
        if let Some(trouble) = &mut self.trouble {
            trouble.retry_at = Instant::now() + self.wait;
        }
    }

    fn is_over(&mut self) {
        self.trouble = None;
        self.healed_at = Some(Instant::now());
    }
}

impl Core {
    /// Notes that the journal did not take something.
    pub(super) fn fall_ill(&mut self, error: &journal::Error) {
        if self.healing.note(error) {
            tracing::error!("recording failed: {}", self.healing.reason());
        }
        self.publish_health();
    }

    /// Takes in an event that cannot be recorded now. False where it is lost altogether, which is
    /// counted.
    pub(super) fn keep(&mut self, event: &Event, time_ns: i64) -> bool {
        let now = millis(time_ns);
        self.is_stale = true;
        if event.is_audit() {
            let is_kept = self.unsaved.keep_audit(event, time_ns);
            if is_kept {
                self.show(event, now, Place::Heap(Arc::from([])));
            } else {
                self.losses.add(event, now);
            }
            return is_kept;
        }
        match event {
            // It comes again. Until then a restart goes on from where nothing was lost.
            Event::WatchPosition(_) | Event::PodLogPosition(_) => true,
            event if event.role() == Role::History => {
                self.losses.add(event, now);
                false
            }
            event => self.keep_last(event, time_ns),
        }
    }

    fn keep_last(&mut self, event: &Event, time_ns: i64) -> bool {
        let (key, now) = (event.key(), millis(time_ns));
        let lost = match self.unsaved.keep(event, time_ns, self.fold.state.is_living(key)) {
            Kept::Waits { replaced } => replaced,
            Kept::Forgotten { lost } => lost,
            Kept::NoRoom => {
                self.losses.add_stale(event, now);
                return false;
            }
        };
        self.losses.add_so_many(event, lost, now);
        self.show(event, now, self.unsaved.place(key));
        true
    }

    /// Lets the views show an event that the journal does not hold.
    fn show(&mut self, event: &Event, learned: Millis, place: Place) {
        let seq = self.reader.positions().last_seq;
        self.fold.apply(event, Body { seq, learned, place });
    }

    /// Tries whether the journal takes records again.
    pub(super) fn heal(&mut self) {
        if !self.has_room() {
            self.healing.wait_more();
            return;
        }
        if let Err(error) = self.record_waiting() {
            return self.fall_ill(&error);
        }
        let must_start_over = self.losses.stale_since().next().is_some();
        self.forget_losses();
        self.healing.is_over();
        tracing::info!("the journal takes records again; what waited is recorded");
        self.sync();
        self.publish_health();
        self.publish();
        if must_start_over {
            self.start_collectors_over();
        }
    }

    /// The last attempt.
    pub(super) fn heal_at_the_end(&mut self) {
        if let Err(error) = self.record_waiting() {
            tracing::error!(
                "{} records that were kept in memory are lost, and {} were before: {}",
                self.unsaved.len(),
                self.losses.count(),
                with_causes(&error)
            );
        }
    }

    /// Whether a full volume has enough room again. Where that cannot be known, it is tried.
    fn has_room(&mut self) -> bool {
        let is_full =
            self.healing.trouble.as_ref().is_some_and(|trouble| trouble.sort == Sort::Full);
        let fits = |space: Space| {
            let room = ROOM_BYTES.min(space.total / ROOM_PART);
            space.free >= room + self.unsaved.bytes()
        };
        !is_full || self.upkeep.space().is_none_or(fits)
    }

    /// Records all that waits: what was done, what was lost, what is alive, and how long it took.
    fn record_waiting(&mut self) -> Result<(), journal::Error> {
        let time_ns = now_ns();
        let gaps = self.losses.as_gaps("the journal took no records", millis(time_ns));
        let (gaps, story) = (Batch::of(gaps), Batch::of(vec![self.story()]));
        let waiting: Vec<&Waiting> = self.unsaved.last().collect();
        let records: Vec<NewRecord<'_>> = (self.unsaved.audit().iter().map(Waiting::record))
            .chain(gaps.records(time_ns))
            .chain(waiting.iter().map(|one| one.record()))
            .chain(story.records(time_ns))
            .collect();
        let bytes = records.iter().map(|record| record.payload.len()).sum();
        let appended = self.writer.append(&records)?;
        self.note_appended(gaps.events(), records.len(), bytes);
        self.apply_waiting(appended, gaps.events().len());
        Ok(())
    }

    /// Applies what waited once more: now the journal holds it.
    fn apply_waiting(&mut self, appended: Appended, gaps: usize) {
        let unsaved = std::mem::take(&mut self.unsaved);
        let mut places = appended.places.iter().zip(appended.first_seq..);
        let mut apply = |one: &Waiting, (place, seq)| {
            if let Some(event) = one.event() {
                self.fold.apply(&event, Body { seq, learned: millis(one.time_ns()), place });
            }
        };
        unsaved.audit().iter().zip(places.by_ref()).for_each(|(one, at)| apply(one, at));
        let mut places = places.skip(gaps);
        unsaved.last().zip(places.by_ref()).for_each(|(one, at)| apply(one, at));
        self.is_stale = true;
        self.refresh_places();
    }

    fn story(&self) -> Event {
        let trouble = self.healing.trouble.as_ref();
        Event::Degraded(Degraded {
            reason: self.healing.reason().to_owned(),
            from: trouble.map_or_else(now, |trouble| trouble.since),
            to: now(),
            dropped: self.losses.count(),
            kept: self.unsaved.len(),
            ext: Extensions::default(),
        })
    }

    /// What pages are told of all this.
    pub(super) fn shown_unsaved(&self) -> Option<Arc<Shown>> {
        let trouble = self.healing.trouble.as_ref()?;
        let (mut outcomes, mut progress) = (Vec::new(), Vec::new());
        for event in self.unsaved.audit().iter().filter_map(Waiting::event) {
            match event {
                Event::ActionOutcome(outcome) => outcomes.push(outcome),
                Event::ActionProgress(line) => progress.push(line),
                _ => {}
            }
        }
        Some(Arc::new(Shown {
            since: trouble.since,
            reason: trouble.reason.clone(),
            kept: self.unsaved.len(),
            dropped: self.losses.count(),
            outcomes,
            progress,
        }))
    }
}
