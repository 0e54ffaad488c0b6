//! What happens after a failed sync. The kernel may have dropped what it could not write and call
//! it clean, so a second sync of the same file proves nothing: everything since the last good one
//! is written again, to a new segment, under the same sequence numbers.

use std::{io, sync::Arc};

use super::{
    error::{Attempt, Error},
    format::{self, Header},
    header::Previous,
    keymap::KeyMap,
    replay,
    rotation::Start,
    segment::Segment,
    writer::Writer,
};

impl Writer {
    /// Writes again what a failed sync left in doubt; nothing to do where none failed.
    ///
    /// # Errors
    /// It could not be done now. Nothing is forgotten; the next call tries again.
    pub(super) fn heal(&mut self) -> Result<(), Error> {
        self.may_record()?;
        let Some(open) = &self.open else { return Ok(()) };
        let Some(doubt) = open.doubt.clone() else { return Ok(()) };
        let (segment, from) = (open.segment.clone(), open.synced_end);
        let path = self.dir.join(&segment.name);
        self.write_again(&segment, from).map_err(|source| Error::NotDurable {
            path,
            reason: doubt,
            source: Box::new(source),
        })
    }

    fn write_again(&mut self, segment: &Arc<Segment>, from: u64) -> Result<(), Error> {
        segment.rescue(from);
        let living = self.living_when_durable()?;
        let events = events_from(segment, from).attempting("reading", &self.dir)?;
        let committed = self.start_segment(&Start {
            epoch: self.epoch,
            prev: Previous {
                salt: segment.header.salt,
                last_seq: self.durable_seq,
                data_end: from,
            },
            // Behind a leap the segment in doubt began later than that.
            base_seq: segment.header.base_seq.max(self.durable_seq + 1),
            time_ns: events.first().map_or(self.last_time_ns, |(header, _)| header.time_ns),
            room: 0,
            wipe: None,
            living: &living,
            events: &events,
        })?;
        self.durable_seq = self.last_seq;
        self.take_over(committed, self.published_segments());
        Ok(())
    }

    /// The state that the new segment's keyframe restates: the one before what is written again.
    fn living_when_durable(&self) -> Result<KeyMap, Error> {
        let state = self.shared.state.load();
        let mut living = KeyMap::default();
        let replayed =
            replay::replay(&state.segments, self.durable_seq, &mut |segment, frame, _| {
                living.apply(segment, frame);
            });
        replayed.attempting("replaying", &self.dir)?;
        Ok(living)
    }
}

fn events_from(segment: &Arc<Segment>, from: u64) -> io::Result<Vec<(Header, &[u8])>> {
    let mut events = Vec::new();
    let mut walk = segment.walk(from);
    while let Some(frame) = walk.next_frame_before(segment.end())? {
        let start = frame.payload_offset();
        let payload = segment.slice(start, start + u64::from(frame.header.len));
        if frame.header.is_event() && format::payload_crc(payload) == frame.header.payload_crc {
            events.push((frame.header, payload));
        }
    }
    Ok(events)
}
