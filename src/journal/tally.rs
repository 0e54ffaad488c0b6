//! What each segment holds, counted from the headers of its records: no payload is touched.

use std::{collections::BTreeMap, io, sync::Arc};

use super::{
    error::{Attempt, Error},
    format::Header,
    reader::{Reader, SegmentInfo},
    record::Seq,
    segment::Segment,
};

/// What one segment holds.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The segment.
    pub info: SegmentInfo,
    /// Records that its keyframe restates.
    pub keyframe: Count,
    /// Its events by kind.
    pub kinds: BTreeMap<u16, Count>,
    /// The earliest and the latest time of its events, nanoseconds since 1970.
    pub times_ns: Option<(i64, i64)>,
}

/// Records, and the bytes that they take with their headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Count {
    /// Counts one record of so many bytes.
    pub fn add(&mut self, bytes: u64) {
        self.records += 1;
        self.bytes += bytes;
    }
}

impl Reader {
    /// Counts what every segment holds, oldest first.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn tally(&self) -> Result<Vec<Tally>, Error> {
        let state = self.state();
        let infos = self.segments().into_iter();
        let tally = |(index, (segment, info)): (usize, (&Arc<Segment>, SegmentInfo))| {
            let mut tally =
                Tally { info, keyframe: Count::default(), kinds: BTreeMap::new(), times_ns: None };
            let counted = tally.count(segment, state.limit(index));
            counted.attempting("counting the records of", &segment.path).map(|()| tally)
        };
        state.segments.iter().zip(infos).enumerate().map(tally).collect()
    }
}

impl Tally {
    /// Events after `last` stand again in the next segment.
    fn count(&mut self, segment: &Segment, last: Seq) -> io::Result<()> {
        let mut walk = segment.walk(0);
        while let Some(frame) = walk.next_frame_before(segment.end())? {
            let header = &frame.header;
            if header.is_restated() {
                self.keyframe.add(header.frame_bytes());
            } else if header.is_event() && header.seq <= last {
                self.event(header);
            }
        }
        Ok(())
    }

    fn event(&mut self, header: &Header) {
        self.kinds.entry(header.kind).or_default().add(header.frame_bytes());
        let (first, last) = self.times_ns.unwrap_or((header.time_ns, header.time_ns));
        self.times_ns = Some((first.min(header.time_ns), last.max(header.time_ns)));
    }
}
