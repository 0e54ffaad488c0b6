//! What is looked after once a second: retention, files that somebody removed, the places of bodies,
//! and gaps of budgets.

use std::{path::PathBuf, sync::Arc};

use tokio::time::{Duration, Instant};

use super::Core;
use crate::{
    event::{Event, Extensions, FilesRemoved, Retention, now, now_ns},
    journal::{
        Maintained, Removed, Retired, Writer,
        fs::{Fs, Space},
    },
    recorder::{Setup, published::Limits},
};

/// Files that were removed are noticed within 5 s, and a volume that others fill within a second.
const INTERVAL: Duration = Duration::from_secs(1);

/// When the journal is looked after next, and what was found the last time.
#[derive(Debug)]
pub(super) struct Upkeep {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    due_at: Instant,
    /// The number of segments that the places of the views are of.
    segments_started: u64,
    limits: Limits,
}

impl Upkeep {
    pub fn new(setup: &Setup, fs: Arc<dyn Fs>, writer: &Writer) -> Upkeep {
        let keep = &setup.journal.keep;
        let limits = Limits {
            bytes_max: keep.bytes_max,
            age_max: keep.age_max,
            free_min: writer.kept_free_bytes(),
            source_bytes_per_day: setup.source_bytes_per_day,
        };
        Upkeep {
            fs,
            dir: setup.journal.dir.clone(),
            due_at: Instant::now(),
            segments_started: writer.segments_started(),
            limits,
        }
    }

    pub fn due_at(&self) -> Instant {
        self.due_at
    }

    pub fn is_due(&self) -> bool {
        Instant::now() >= self.due_at
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The volume's size and what is free of it; `None` where it does not say.
    pub fn space(&self) -> Option<Space> {
        self.fs.space(&self.dir).ok()
    }
}

impl Core {
    pub(super) fn look_after(&mut self) {
        let Maintained { retired, removed } = self.writer.maintain(now_ns());
        retired.iter().for_each(|one| self.outputs.published.tally.retired(one.bytes));
        by_cause(&retired).into_iter().for_each(|event| _ = self.stage(event));
        if !removed.is_empty() {
            self.stage(files_removed(&removed));
        }
        if !retired.is_empty() || !removed.is_empty() {
            self.is_stale = true;
        }
        self.refresh_places();
        self.stage_budget_gaps(false);
        self.note_limits();
        self.upkeep.due_at = Instant::now() + INTERVAL;
    }

    fn note_limits(&mut self) {
        let bytes_max = self.writer.allowed_bytes();
        let free_min = self.writer.kept_free_bytes();
        self.budgets.set_journal_bytes(bytes_max);
        let source_bytes_per_day = self.budgets.bytes_per_day();
        let limits = Limits { bytes_max, free_min, source_bytes_per_day, ..self.upkeep.limits };
        if limits != self.upkeep.limits {
            self.upkeep.limits = limits;
            self.publish_health();
        }
    }

    /// After a rotation every living body has a copy in the new segment: whoever kept the old place
    /// would keep the blocks of a file that is retired some day.
    pub(super) fn refresh_places(&mut self) {
        let started = self.writer.segments_started();
        if started != self.upkeep.segments_started {
            self.upkeep.segments_started = started;
            let writer = &self.writer;
            self.fold.state.refresh_places(|key| writer.place_of(key.0));
            self.is_stale = true;
        }
    }

    /// Tells what sources were not allowed to record.
    pub(super) fn stage_budget_gaps(&mut self, is_end: bool) {
        let gaps = self.budgets.gaps(now(), is_end);
        gaps.into_iter().for_each(|gap| _ = self.stage(gap));
    }
}

/// One event for each run of segments that went for the same reason.
fn by_cause(retired: &[Retired]) -> Vec<Event> {
    let runs = retired.chunk_by(|a, b| a.because == b.because);
    let event = |run: &[Retired]| {
        Event::Retention(Retention {
            segments: run.len() as u64,
            bytes: run.iter().map(|one| one.bytes).sum(),
            first_seq: run.first().map_or(0, |one| one.first_seq),
            last_seq: run.last().map_or(0, |one| one.last_seq),
            because: run.first().map_or_else(String::new, |one| one.because.to_string()),
            ext: Extensions::default(),
        })
    };
    runs.map(event).collect()
}

fn files_removed(removed: &[Removed]) -> Event {
    let gone = |one: &&Removed| one.last_seq >= one.first_seq;
    let gone = removed.iter().filter(gone);
    let gone: Vec<String> =
        gone.map(|one| format!("events {} to {}", one.first_seq, one.last_seq)).collect();
    let cost = if gone.is_empty() { "no event".to_owned() } else { gone.join(", ") };
    Event::FilesRemoved(FilesRemoved {
        files: removed.iter().map(|one| one.segment.clone()).collect(),
        detail: format!(
            "somebody removed files of the journal under the running recorder: {cost} went with \
             them; what was not durable yet was recorded again, and recording goes on in new files"
        ),
        ext: Extensions::default(),
    })
}
