//! Events of a range, in order or newest first. Headers are looked at before payloads, so what is
//! filtered out costs no checksum and no page of its body.

use std::{io, ops::ControlFlow, sync::Arc, time::Instant};

use super::{
    blocks::Blocks,
    error::{Attempt, Error},
    format,
    reader::Reader,
    record::{Record, Seq},
    segment::Segment,
    state::State,
    text::Text,
    walk::{Frame, Step},
};

/// Which events a scan is about; both ends exclusive.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// Only events after this one.
    pub after: Seq,
    /// Only events before this one; `u64::MAX` for all.
    pub before: Seq,
    /// Only these kinds; empty for all.
    pub kinds: &'a [u16],
    /// Only these classes; empty for all.
    pub classes: &'a [u8],
    /// Only this entity.
    pub key: Option<u64>,
    /// Only payloads in which this stands.
    pub text: Option<&'a Text>,
    /// A scan that has not come to an end by then stops, and says where to go on.
    pub until: Option<Instant>,
}

/// Takes events; says whether it wants more.
pub type Feed<'a> = dyn FnMut(Record<'_>) -> ControlFlow<()> + 'a;

impl Range<'_> {
    /// Every event, however long it takes.
    pub const ALL: Range<'static> = Range {
        after: 0,
        before: Seq::MAX,
        kinds: &[],
        classes: &[],
        key: None,
        text: None,
        until: None,
    };

    fn wants(&self, frame: &Frame) -> bool {
        let header = &frame.header;
        (self.kinds.is_empty() || self.kinds.contains(&header.kind))
            && (self.classes.is_empty() || self.classes.contains(&header.class))
            && self.key.is_none_or(|key| key == header.key)
    }
}

impl Reader {
    /// Feeds the events of a range, oldest first; never control or restated records. Where time ran
    /// out, the answer is the `after` to go on with.
    ///
    /// # Errors
    /// A segment cannot be read. A damaged record is no error: it is noted and passed over.
    pub fn scan(&self, range: Range<'_>, f: &mut Feed<'_>) -> Result<Option<Seq>, Error> {
        let state = self.state();
        let first = state.holding(range.after.saturating_add(1)).unwrap_or(0);
        for index in first..state.segments.len() {
            if state.segments[index].header.base_seq >= range.before {
                break;
            }
            let scanned = scan_segment(&state, index, &range, f);
            if scanned.attempting("scanning", &self.path)?.is_break() {
                break;
            }
        }
        Ok(None)
    }

    /// Feeds the events of a range, newest first. Where time ran out, the answer is the `before` to
    /// go on with.
    ///
    /// # Errors
    /// As for [`Reader::scan`].
    pub fn scan_back(&self, range: Range<'_>, f: &mut Feed<'_>) -> Result<Option<Seq>, Error> {
        let state = self.state();
        for index in (0..state.segments.len()).rev() {
            if state.segments[index].header.base_seq >= range.before {
                continue;
            }
            if state.limit(index) <= range.after {
                break;
            }
            let scanned = scan_segment_back(&state, index, &range, f);
            if scanned.attempting("scanning", &self.path)?.is_break() {
                break;
            }
        }
        Ok(None)
    }
}

fn scan_segment(
    state: &State,
    index: usize,
    range: &Range<'_>,
    f: &mut Feed<'_>,
) -> io::Result<ControlFlow<()>> {
    let segment = &state.segments[index];
    let last = state.limit(index).min(range.before.saturating_sub(1));
    let mut walk = segment.walk(Blocks::seek(segment, range.after.saturating_add(1))?);
    loop {
        let frame = match walk.next()? {
            Step::Frame(frame) => frame,
            Step::Damage { from, .. } => {
                segment.note_damage(from);
                continue;
            }
            Step::End { .. } => return Ok(ControlFlow::Continue(())),
        };
        if !frame.header.is_event() {
            continue;
        }
        if frame.header.seq > last {
            return Ok(ControlFlow::Continue(()));
        }
        if frame.header.seq > range.after
            && range.wants(&frame)
            && feed(segment, &frame, f).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// Blocks newest first; the headers of one block are gathered, then fed in reverse.
fn scan_segment_back(
    state: &State,
    index: usize,
    range: &Range<'_>,
    f: &mut Feed<'_>,
) -> io::Result<ControlFlow<()>> {
    let segment = &state.segments[index];
    let last = state.limit(index).min(range.before.saturating_sub(1));
    let blocks = Blocks::of(segment)?;
    let mut end = segment.end();
    let mut frames = Vec::new();
    for block in blocks.iter().rev() {
        if block.first_seq <= last {
            gather(segment, (block.offset, end), range, last, &mut frames)?;
            for frame in frames.drain(..).rev() {
                if feed(segment, &frame, f).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        if block.first_seq <= range.after {
            break;
        }
        end = block.offset;
    }
    Ok(ControlFlow::Continue(()))
}

fn gather(
    segment: &Segment,
    (from, to): (u64, u64),
    range: &Range<'_>,
    last: Seq,
    frames: &mut Vec<Frame>,
) -> io::Result<()> {
    let mut walk = segment.walk(from);
    while let Some(frame) = walk.next_frame_before(to)? {
        let seq = frame.header.seq;
        let within = frame.header.is_event() && seq > range.after && seq <= last;
        if within && range.wants(&frame) {
            frames.push(frame);
        }
    }
    Ok(())
}

fn feed(segment: &Arc<Segment>, frame: &Frame, f: &mut Feed<'_>) -> ControlFlow<()> {
    let from = frame.payload_offset();
    let payload = segment.slice(from, from + u64::from(frame.header.len));
    if format::payload_crc(payload) != frame.header.payload_crc {
        segment.note_damage(frame.offset);
        return ControlFlow::Continue(());
    }
    f(frame.header.record(payload))
}
