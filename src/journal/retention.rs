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
    maintain::Maintained, record::Seq, replay, segment::Segment, state::State, writer::Writer,
};

/// Kept free for others where the configuration says nothing: a fifth of what the volume has for
/// the journal. File systems grow slow and scattered when they are nearly full.
const FREE_FIFTHS: u64 = 1;

/// A segment is closed when this part of the longest age has passed, so that age is counted in
/// steps that are small against it.
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

impl Usage {
    /// What the journal takes at most where the configuration says nothing.
    fn bytes_max(&self) -> u64 {
        let fifth = self.used.saturating_add(self.free) / 5;
        fifth * (5 - FREE_FIFTHS)
    }
}

impl Keeping {
    pub fn new(retention: Retention) -> Keeping {
        Keeping { retention, ..Keeping::default() }
    }

    /// Blocks that come back without anybody retiring more.
    pub fn held_bytes(&mut self) -> u64 {
        self.held.retain(|(segment, _)| segment.strong_count() > 0);
        self.held.iter().map(|(_, bytes)| bytes).sum()
    }
}

impl Writer {
    /// What the journal may take on the volume now, bytes; `None` where neither the configuration
    /// nor the volume tells.
    pub fn bytes_max(&mut self) -> Option<u64> {
        let configured = self.keeping.retention.bytes_max;
        configured.or_else(|| self.usage().ok().map(|usage| usage.bytes_max()))
    }

    /// Retires what the policy says.
    pub(super) fn retire_by_policy(&mut self, now_ns: i64) {
        let Ok(mut usage) = self.usage() else { return };
        while let Some(because) = self.due(&usage, now_ns) {
            let Some(bytes) = self.retire_oldest(because) else { return };
            usage.used = usage.used.saturating_sub(bytes);
            usage.free += bytes;
        }
    }

    /// Why the oldest segment has to go, if it has.
    fn due(&self, usage: &Usage, now_ns: i64) -> Option<Because> {
        let Retention { bytes_max, age_max, free_min } = self.keeping.retention;
        let bytes_max = bytes_max.unwrap_or_else(|| usage.bytes_max());
        let free_min = free_min.unwrap_or(self.segment_bytes);
        if age_max.is_some_and(|max| age_of_oldest(&self.shared.state.load(), now_ns, max) >= max) {
            Some(Because::Age)
        } else if usage.used > bytes_max {
            Some(Because::Bytes)
        } else if usage.free < free_min {
            Some(Because::Free)
        } else {
            None
        }
    }

    /// Retires the oldest segment; gives the bytes that it took. `None` where nothing can go.
    pub(super) fn retire_oldest(&mut self, because: Because) -> Option<u64> {
        let state = self.shared.state.load_full();
        if retirable(&state.segments) == 0 {
            return None;
        }
        let mut segments = state.segments.to_vec();
        let oldest = segments.remove(0);
        let bytes = self.size_of(&oldest).unwrap_or(0);
        self.publish(Arc::new(segments));
        let removed = self.fs.remove(&oldest.path);
        if removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
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

    fn usage(&mut self) -> io::Result<Usage> {
        let segments = self.published_segments();
        let known = |salt: &u64| segments.iter().any(|s| s.header.salt == *salt);
        self.keeping.sizes.retain(|salt, _| known(salt));
        let mut used = 0;
        for segment in &segments {
            used += self.size_of(segment)?;
        }
        let space = self.fs.space(&self.dir)?;
        Ok(Usage { used, free: space.free + self.keeping.held_bytes() })
    }

    fn size_of(&mut self, segment: &Arc<Segment>) -> io::Result<u64> {
        let salt = segment.header.salt;
        if let Some(&bytes) = self.keeping.sizes.get(&salt) {
            return Ok(bytes);
        }
        let bytes = self.fs.allocated(&segment.path)?;
        if !self.open.as_ref().is_some_and(|open| Arc::ptr_eq(&open.segment, segment)) {
            self.keeping.sizes.insert(salt, bytes);
        }
        Ok(bytes)
    }
}

/// How many of the oldest segments can go: those before the newest whole keyframe.
fn retirable(segments: &[Arc<Segment>]) -> usize {
    let whole = |segment| replay::keyframe_is_whole(segment).unwrap_or(false);
    segments.iter().rposition(whole).unwrap_or(0)
}

/// How long ago the oldest segment ended, in steps between the starts of segments. No step counts
/// for more than the longest that a segment stays open, and none backwards: so a clock that was set
/// makes nothing look old.
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
