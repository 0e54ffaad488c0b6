//! Where payloads are: in a segment's map, or on the heap while they are not saved.

use std::sync::Arc;

use super::{segment::Segment, walk::Frame};

/// Where a payload is, so that memory need not hold it.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a segment's map; keeps the map alive, also after the file is unlinked.
    Map {
        /// The segment.
        segment: Arc<Segment>,
        /// Where the payload begins, counted from the segment's start.
        offset: u64,
        /// Payload bytes.
        len: u32,
    },
    /// On the heap: not saved.
    Heap(Arc<[u8]>),
}

impl Place {
    /// The payload of a record.
    pub(super) fn of(segment: &Arc<Segment>, frame: &Frame) -> Place {
        let (offset, len) = (frame.payload_offset(), frame.header.len);
        Place::Map { segment: segment.clone(), offset, len }
    }

    /// The payload's bytes. Touches the map: call it on a reader thread or the recorder.
    pub fn payload(&self) -> &[u8] {
        match self {
            Place::Map { segment, offset, len } => {
                segment.slice(*offset, *offset + u64::from(*len))
            }
            Place::Heap(bytes) => bytes,
        }
    }
}

/// Where the payloads of a batch are, in order.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `None` where there are no payloads.
    segment: Option<Arc<Segment>>,
    /// Where each begins, and its bytes. A batch of log lines asks for none of its places, so that
    /// none holds the segment on its own account.
    payloads: Vec<(u64, u32)>,
}

impl Places {
    /// The payloads of records that stand in one segment.
    pub(super) fn of(segment: &Arc<Segment>, frames: &[Frame]) -> Places {
        let payload = |frame: &Frame| (frame.payload_offset(), frame.header.len);
        Places { segment: Some(segment.clone()), payloads: frames.iter().map(payload).collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.payloads.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }

    /// One of them; `None` behind the last.
    pub fn get(&self, index: usize) -> Option<Place> {
        let &(offset, len) = self.payloads.get(index)?;
        Some(Place::Map { segment: self.segment.clone()?, offset, len })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Place> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}
