//! How much is kept. Whole segments go, the oldest first: taken out of sight of readers, then
//! unlinked. A reader that holds one reads on in its map; its blocks come back when it lets go.
//!
//! What lives is never lost: only segments before a whole keyframe go, and that keyframe has it.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Weak},
    time::Duration,
};

use super::{
    maintain::Maintained, record::Seq, remedy, replay, segment::Segment, sizes, state::State,
    writer::Writer,
};

/// What the journal takes where the configuration says nothing, in fifths of what the volume has for
/// it: file systems grow slow and scattered when they are nearly full.
const SHARE_FIFTHS: u64 = 4;

/// Segments that one call of [`Writer::maintain`] retires: far more than a second can bring, and a
/// moment's work.
const AT_ONCE_MAX: usize = 8;

/// The time between the starts of two segments counts for no more than this part of the longest
/// age. A segment is closed in half of that.
const AGE_STEPS: u32 = 8;

/// How much is kept. What is `None` follows from the volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Bytes that the journal takes on the volume; by default four fifths of what it takes now and
    /// what is free together, so that it never crowds out what else is on the volume.
    pub bytes_max: Option<u64>,
    /// How long events are kept, counted from the end of their segment; by default as long as
    /// there is room. Time in which nothing ran hardly counts, nor does a clock that is set:
    /// no more than an eighth of the age each.
    pub age_max: Option<Duration>,
    /// Bytes that stay free on the volume; by default what a segment takes.
    pub free_min: Option<u64>,
}

/// Why a segment was retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The journal took more than [`Retention::bytes_max`].
    Bytes,
    /// It was older than [`Retention::age_max`].
    Age,
    /// The volume had less than [`Retention::free_min`] left.
    Free,
    /// The volume was full, and there was something to record.
    Full,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Because::Bytes => "bytes",
            Because::Age => "age",
            Because::Free => "free",
            Because::Full => "full",
        })
    }
}

/// A segment that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Its name.
    pub segment: String,
    /// Its first event.
    pub first_seq: Seq,
    /// Its last event; `first_seq - 1` where it had none.
    pub last_seq: Seq,
    /// What it took on the volume.
    pub bytes: u64,
    /// Why it went.
    pub because: Because,
}

/// What retention remembers.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    pub retention: Retention,
    /// Bytes on the volume of segments that are closed, by salt: they do not change any more.
    sizes: HashMap<u64, u64>,
    /// Retired segments that somebody may still read, and the blocks that they hold meanwhile.
    held: Vec<(Weak<Segment>, u64)>,
    /// What [`Writer::maintain`] has still to tell.
    pub news: Maintained,
}

/// How the volume stands.
#[derive(Debug, Clone, Copy)]
struct Usage {
    /// What the journal takes.
    used: u64,
    /// What is free, retired segments that are still read included.
    free: u64,
}

impl Keeping {
    pub fn new(retention: Retention) -> Keeping {
        Keeping { retention, ..Keeping::default() }
    }

    /// Blocks that come back without anybody retiring more.
    fn held_bytes(&mut self) -> u64 {
        self.held_count();
        self.held.iter().map(|(_, bytes)| bytes).sum()
    }

    /// How many retired segments somebody may still read.
    pub fn held_count(&mut self) -> usize {
        self.held.retain(|(segment, _)| segment.strong_count() > 0);
        self.held.len()
    }
}

impl Writer {
    /// What the journal may take on the volume now, bytes; `None` where neither the configuration
    /// nor the volume tells.
    pub fn allowed_bytes(&mut self) -> Option<u64> {
        let usage = self.usage();
        let tells = self.keeping.retention.bytes_max.is_some() || usage.free < u64::MAX;
        tells.then(|| self.bytes_max(&usage))
    }

    /// What the journal leaves free on the volume, bytes.
    pub fn kept_free_bytes(&self) -> u64 {
        self.free_min()
    }

    /// Retires what the policy says.
    pub(super) fn retire_by_policy(&mut self, now_ns: i64) {
        self.look_at_volume();
        let mut usage = self.usage();
        for _ in 0..AT_ONCE_MAX {
            let Some(because) = self.due(&usage, now_ns) else { return };
            let Some(bytes) = self.retire_oldest(because) else { return };
            usage.used = usage.used.saturating_sub(bytes);
            usage.free = usage.free.saturating_add(bytes);
        }
    }

    /// Why the oldest segment has to go, if it has.
    fn due(&self, usage: &Usage, now_ns: i64) -> Option<Because> {
        let age_max = self.keeping.retention.age_max;
        let spare_to_come = match self.spare.bytes() {
            0 => self.next_capacity(),
            _ => 0,
        };
        if age_max.is_some_and(|max| age_of_oldest(&self.shared.state.load(), now_ns, max) >= max) {
            Some(Because::Age)
        } else if usage.used + spare_to_come > self.bytes_max(usage) {
            Some(Because::Bytes)
        } else if usage.free < self.free_min().saturating_add(spare_to_come) {
            Some(Because::Free)
        } else {
            None
        }
    }

    fn bytes_max(&self, usage: &Usage) -> u64 {
        let share = || usage.used.saturating_add(usage.free) / 5 * SHARE_FIFTHS;
        self.keeping.retention.bytes_max.unwrap_or_else(share)
    }

    fn free_min(&self) -> u64 {
        self.keeping.retention.free_min.unwrap_or_else(|| self.next_capacity())
    }

    pub(super) fn next_capacity(&self) -> u64 {
        self.sizes.capacity(self.living.frame_bytes(), 0)
    }

    /// The least that the next segment takes.
    pub(super) fn next_needed(&self) -> u64 {
        sizes::needed(self.living.frame_bytes(), 0)
    }

    /// Whether the volume can take a spare of this length and keep free what is to stay free.
    pub(super) fn has_room_for_spare(&self, len: u64) -> bool {
        self.free_bytes() >= self.free_min().saturating_add(len)
    }

    /// What is free on the volume; without bounds where it does not say.
    fn free_bytes(&self) -> u64 {
        self.fs.space(&self.dir).map_or(u64::MAX, |space| space.free)
    }

    /// Lets the next append begin a segment where the open one has been open for long enough:
    /// otherwise a quiet journal would never grow old.
    pub(super) fn close_by_age(&mut self, now_ns: i64) {
        if let (Some(open), Some(age_max)) = (&mut self.open, self.keeping.retention.age_max) {
            let created_ns = open.segment.header.created_ns;
            open.is_due |= open.events > 0 && step(created_ns, now_ns) >= age_step(age_max) / 2;
        }
    }

    /// Takes in the size of the volume, which may have been changed.
    pub(super) fn look_at_volume(&mut self) {
        let total = self.fs.space(&self.dir).map_or(u64::MAX, |space| space.total);
        self.sizes.room = self.keeping.retention.bytes_max.map_or(total, |max| max.min(total));
    }

    /// Retires the oldest segment; gives the bytes that it took. `None` where nothing can go.
    pub(super) fn retire_oldest(&mut self, because: Because) -> Option<u64> {
        let state = self.shared.state.load_full();
        if retirable(&state.segments) == 0 {
            return None;
        }
        let mut segments = state.segments.to_vec();
        let oldest = segments.remove(0);
        let bytes = self.size_of(&oldest);
        self.publish(Arc::new(segments));
        if remedy::removed(&*self.fs, &oldest.path).is_err() {
            self.publish(state.segments.clone());
            return None;
        }
        // One by one: a power cut must not take a newer one and leave an older one.
        let _: io::Result<()> = self.fs.sync_dir(&self.dir);
        self.keeping.news.retired.push(Retired {
            segment: oldest.name.clone(),
            first_seq: oldest.header.base_seq,
            last_seq: oldest.last_seq().min(state.limit(0)),
            bytes,
            because,
        });
        self.keeping.held.push((Arc::downgrade(&oldest), bytes));
        Some(bytes)
    }

    fn usage(&mut self) -> Usage {
        let segments = self.published_segments();
        let known = |salt: &u64| segments.iter().any(|s| s.header.salt == *salt);
        self.keeping.sizes.retain(|salt, _| known(salt));
        let reserve = self.reserve.as_ref().map_or(0, |site| site.len);
        let mut used = self.spare.bytes() + reserve;
        for segment in &segments {
            used += self.size_of(segment);
        }
        let free = self.free_bytes().saturating_add(self.keeping.held_bytes());
        Usage { used, free }
    }

    /// What a segment takes on the volume; what it holds, where the volume does not say.
    fn size_of(&mut self, segment: &Arc<Segment>) -> u64 {
        let salt = segment.header.salt;
        if let Some(&bytes) = self.keeping.sizes.get(&salt) {
            return bytes;
        }
        let Ok(bytes) = self.fs.allocated(&segment.path) else { return segment.end() };
        if !self.open.as_ref().is_some_and(|open| Arc::ptr_eq(&open.segment, segment)) {
            self.keeping.sizes.insert(salt, bytes);
        }
        bytes
    }
}

/// How many of the oldest segments can go: those before the newest whole keyframe.
fn retirable(segments: &[Arc<Segment>]) -> usize {
    let whole = |segment| replay::keyframe_is_whole(segment).unwrap_or(false);
    segments.iter().rposition(whole).unwrap_or(0)
}

/// How long ago the oldest segment ended, in steps between the starts of segments. No step counts
/// for more than a segment stays open, and none backwards: so a clock that was set makes nothing
/// look old.
fn age_of_oldest(state: &State, now_ns: i64, age_max: Duration) -> Duration {
    let step_max = age_step(age_max);
    let starts = state.segments.iter().skip(1).map(|segment| segment.header.created_ns);
    let ends = starts.clone().skip(1).chain([now_ns]);
    starts.zip(ends).map(|(from, to)| step(from, to).min(step_max)).sum()
}

fn step(from_ns: i64, to_ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(to_ns.saturating_sub(from_ns)).unwrap_or(0))
}

fn age_step(age_max: Duration) -> Duration {
    age_max / AGE_STEPS
}
