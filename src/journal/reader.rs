//! Reads, from any thread, while the writer appends. Each call works on the segments and positions
//! of one moment, taken without a lock.

use std::{io, path::PathBuf, sync::Arc};

use super::{
    breadcrumb::Breadcrumb,
    error::{Attempt, Error},
    index::{Index, Wanted},
    place::Place,
    record::{Record, Seq},
    replay,
    segment::Segment,
    state::{Positions, Shared, State},
    walk::Frame,
};

/// Reads, from any thread, while the writer appends.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) shared: Arc<Shared>,
    /// What errors name: the directory or the backup.
    pub(super) path: Arc<PathBuf>,
}

/// Facts about one segment.
#[derive(Debug, Clone)]
pub struct SegmentInfo {
    /// The file's name.
    pub name: String,
    /// Which wipe it comes after.
    pub epoch: u64,
    /// The oldest event; `None` where it has none.
    pub first_seq: Option<Seq>,
    /// The newest event; `None` where it has none.
    pub last_seq: Option<Seq>,
    /// Recorded bytes.
    pub bytes: u64,
    /// It was closed in order. The open segment is not, nor is one that a crash ended.
    pub sealed: bool,
    /// When it was started, nanoseconds since 1970; 0 where its header is damaged.
    pub created_ns: i64,
    /// Damaged places that have been met so far.
    pub damaged: u64,
}

impl Reader {
    pub(super) fn state(&self) -> Arc<State> {
        self.shared.state.load_full()
    }

    /// How far the journal has come.
    pub fn positions(&self) -> Positions {
        self.shared.state.load().positions
    }

    /// Feeds what makes up the state at `to` (the present when `None`): the keyframe of the nearest
    /// segment, then the states and ends of entities up to and including `to`, and what must be understood.
    /// No other history.
    ///
    /// # Errors
    /// The journal does not reach back that far, or a segment cannot be read.
    pub fn replay(
        &self,
        to: Option<Seq>,
        f: &mut dyn FnMut(Record<'_>, Place),
    ) -> Result<(), Error> {
        let state = self.state();
        let Positions { first_seq, last_seq, .. } = state.positions;
        // A start replays the present; whoever asks for a moment meanwhile is not the start.
        let nowhere = Breadcrumb::default();
        let breadcrumb = if to.is_none() { &self.shared.breadcrumb } else { &nowhere };
        let to = to.unwrap_or(last_seq).min(last_seq);
        if state.segments.is_empty() {
            return Ok(());
        }
        let mut feed = |segment: &Arc<Segment>, frame: &Frame, payload: &[u8]| {
            f(frame.header.record(payload), Place::of(segment, frame));
        };
        let replayed = replay::replay_on(breadcrumb, &state.segments, to, &mut feed);
        match replayed.attempting("replaying", &self.path)? {
            true => Ok(()),
            false => Err(Error::OutOfReach { seq: to, first: first_seq, last: last_seq }),
        }
    }

    /// The newest event learned at or before `time_ns`. Where the clock was set back, the start
    /// of a segment decides: what it holds was learned after it.
    pub fn seq_at(&self, time_ns: i64) -> Option<Seq> {
        let state = self.state();
        let started_before = |&index: &usize| state.segments[index].header.created_ns <= time_ns;
        let candidates = (0..state.segments.len()).rev().filter(started_before);
        // What cannot be read was noted as damage by whoever met it first, and holds no answer.
        candidates.flat_map(|index| last_at(&state, index, time_ns).ok().flatten()).next()
    }

    /// Facts about every segment, oldest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let state = self.state();
        let info = |(index, segment): (usize, &Arc<Segment>)| {
            let last = segment.last_seq().min(state.limit(index));
            let holds_events = last >= segment.header.base_seq;
            SegmentInfo {
                name: segment.name.clone(),
                epoch: segment.header.epoch,
                first_seq: holds_events.then_some(segment.header.base_seq),
                last_seq: holds_events.then_some(last),
                bytes: state.data_end(index),
                sealed: segment.is_sealed(),
                created_ns: segment.header.created_ns,
                damaged: segment.damage_count(),
            }
        };
        state.segments.iter().enumerate().map(info).collect()
    }
}

/// The newest event of one segment that was learned at or before a time.
fn last_at(state: &State, index: usize, time_ns: i64) -> io::Result<Option<Seq>> {
    let (segment, limit) = (&state.segments[index], state.limit(index));
    let runs = Index::of(segment)?.runs(segment.end(), Wanted::All);
    for run in runs.iter().rev().filter(|run| run.time_min_ns <= time_ns) {
        let mut found = None;
        let mut walk = segment.walk(run.from);
        while let Some(frame) = walk.next_frame_before(run.to)? {
            let header = frame.header;
            if header.is_event() && header.seq <= limit && header.time_ns <= time_ns {
                found = Some(header.seq);
            }
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
