//! What readers see: the segments and how far they have come, taken together at one moment.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{breadcrumb::Breadcrumb, record::Seq, replay, segment::Segment};

/// How far the journal has come; taken at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions {
    /// The journal's random id.
    pub journal_id: [u8; 16],
    /// Counts wipes.
    pub epoch: u64,
    /// The oldest event's number; `last_seq + 1` where there is none.
    pub first_seq: Seq,
    /// The newest published event's number.
    pub last_seq: Seq,
    /// Everything up to here survives a power cut.
    pub durable_seq: Seq,
    /// Bytes of recorded data in all segments.
    pub bytes: u64,
}

impl Positions {
    /// Whether there can be a backup up to an event: it is here and durable. Without any event, the
    /// backup of that is one too; but an event that was wiped or retired has none.
    pub fn can_back_up(&self, to: Seq) -> bool {
        to == self.durable_seq || (self.first_seq..=self.durable_seq).contains(&to)
    }
}

/// Segments and positions that belong together; immutable but for the last segment's end.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub positions: Positions,
    /// Oldest first, all of one epoch.
    pub segments: Arc<Vec<Arc<Segment>>>,
    /// Recorded bytes in all segments but the last.
    pub older_bytes: u64,
}

/// The state that the writer replaces and readers take.
#[derive(Debug, Default)]
pub struct Shared {
    pub state: ArcSwap<State>,
    /// Where the start is; of a journal that is only read, nowhere.
    pub breadcrumb: Breadcrumb,
}

impl Shared {
    /// Of a journal that is being opened.
    pub fn new(breadcrumb: Breadcrumb) -> Shared {
        Shared { state: ArcSwap::default(), breadcrumb }
    }
}

impl State {
    /// The last event that counts in segment `index`.
    pub fn limit(&self, index: usize) -> Seq {
        replay::limit(&self.segments, index).min(self.positions.last_seq)
    }

    /// Where the data of segment `index` ends. What its successor was told counts, so that the
    /// answer is the same after every start.
    pub fn data_end(&self, index: usize) -> u64 {
        let segment = &self.segments[index];
        match self.segments.get(index + 1) {
            Some(next) if next.header.prev.salt == segment.header.salt => {
                next.header.prev.data_end.min(segment.end())
            }
            _ => segment.end(),
        }
    }

    /// The segment that holds `seq`, or that an event after it would stand in.
    pub fn holding(&self, seq: Seq) -> Option<usize> {
        self.segments.partition_point(|s| s.header.base_seq <= seq).checked_sub(1)
    }
}
