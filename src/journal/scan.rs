//! Events of a range, in order or newest first. The index passes over blocks, a text is looked for
//! in raw bytes, and headers are looked at before payloads: what is filtered out costs no checksum
//! and no page of its body.

use std::{io, ops::ControlFlow, sync::Arc, time::Instant};

use super::{
    error::{Attempt, Error},
    format,
    index::{Index, Run, Wanted},
    reader::Reader,
    record::{Record, Seq},
    segment::{Published, Segment},
    state::State,
    text::Text,
    walk::{Frame, Step, Walk},
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
    /// A scan that has not come to an end by then stops, and says where to go on. It looks at one
    /// block at least, so that going on comes to an end.
    pub until: Option<Instant>,
}

/// Takes events; says whether it wants more.
pub type Feed<'a> = dyn FnMut(Record<'_>) -> ControlFlow<()> + 'a;

/// How a scan stopped: it was told to, or time ran out and here it goes on.
type Stop = Option<Seq>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Back,
}

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

    fn wants(&self, frame: &Frame, last: Seq) -> bool {
        let header = &frame.header;
        header.is_event()
            && header.seq > self.after
            && header.seq <= last
            && (self.kinds.is_empty() || self.kinds.contains(&header.kind))
            && (self.classes.is_empty() || self.classes.contains(&header.class))
            && self.key.is_none_or(|key| key == header.key)
    }

    fn is_out_of_time(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// The stretches of a segment that may hold what is wanted, up to and including event `last`.
    fn runs(&self, segment: &Segment, last: Seq) -> io::Result<Vec<Run>> {
        let wanted = Wanted::Some { kinds: self.kinds, classes: self.classes, key: self.key };
        let mut runs = Index::of(segment)?.runs(segment.end(), wanted);
        runs.retain(|run| run.first_seq <= last && run.end_seq > self.after.saturating_add(1));
        Ok(runs)
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
        let wanted = |index: &usize| state.segments[*index].header.base_seq < range.before;
        let indices = (first..state.segments.len()).take_while(wanted);
        let stopped = self.scan_segments(&state, indices, &range, Direction::Forward, f)?;
        let end = range.before.min(state.positions.last_seq.saturating_add(1));
        Ok(stopped.filter(|after| after.saturating_add(1) < end))
    }

    /// Feeds the events of a range, newest first. Where time ran out, the answer is the `before` to
    /// go on with.
    ///
    /// # Errors
    /// As for [`Reader::scan`].
    pub fn scan_back(&self, range: Range<'_>, f: &mut Feed<'_>) -> Result<Option<Seq>, Error> {
        let state = self.state();
        let all = (0..state.segments.len()).rev();
        let indices = all
            .skip_while(|&index| state.segments[index].header.base_seq >= range.before)
            .take_while(|&index| state.limit(index) > range.after);
        let stopped = self.scan_segments(&state, indices, &range, Direction::Back, f)?;
        let start = range.after.saturating_add(1).max(state.positions.first_seq);
        Ok(stopped.filter(|&before| before > start))
    }

    fn scan_segments(
        &self,
        state: &State,
        indices: impl Iterator<Item = usize>,
        range: &Range<'_>,
        direction: Direction,
        f: &mut Feed<'_>,
    ) -> Result<Stop, Error> {
        for index in indices {
            let scanned = scan_segment(state, index, range, direction, f);
            if let ControlFlow::Break(stop) = scanned.attempting("scanning", &self.path)? {
                return Ok(stop);
            }
        }
        Ok(None)
    }
}

/// Looks at the clock after each stretch and after the segment, never before the first.
fn scan_segment(
    state: &State,
    index: usize,
    range: &Range<'_>,
    direction: Direction,
    f: &mut Feed<'_>,
) -> io::Result<ControlFlow<Stop>> {
    let segment = &state.segments[index];
    let last = state.limit(index).min(range.before.saturating_sub(1));
    let mut runs = range.runs(segment, last)?;
    if direction == Direction::Back {
        runs.reverse();
    }
    let mut frames = Vec::new();
    for run in runs {
        gather(segment, run, range, last, &mut frames)?;
        if direction == Direction::Back {
            frames.reverse();
        }
        for frame in frames.drain(..) {
            if feed(segment, &frame, f).is_break() {
                return Ok(ControlFlow::Break(None));
            }
        }
        if range.is_out_of_time() {
            return Ok(ControlFlow::Break(Some(match direction {
                Direction::Forward => last.min(run.end_seq - 1),
                Direction::Back => run.first_seq,
            })));
        }
    }
    if range.is_out_of_time() {
        return Ok(ControlFlow::Break(Some(match direction {
            Direction::Forward => last,
            Direction::Back => segment.header.base_seq,
        })));
    }
    Ok(ControlFlow::Continue(()))
}

/// The wanted records of a stretch, in order, their payloads not yet looked at; or, where a text is
/// wanted, those that hold it.
fn gather(
    segment: &Segment,
    run: Run,
    range: &Range<'_>,
    last: Seq,
    frames: &mut Vec<Frame>,
) -> io::Result<()> {
    if let Some(text) = range.text {
        return gather_hits(segment, run, text, |frame| range.wants(frame, last), frames);
    }
    let mut walk = segment.walk_through(run.from..run.to);
    while let Some(frame) = next_frame(segment, &mut walk, run.to)? {
        if frame.header.is_event() && frame.header.seq > last {
            break;
        }
        if range.wants(&frame, last) {
            frames.push(frame);
        }
    }
    Ok(())
}

/// Searches the raw bytes, headers and all; only where the text stands are records told apart.
fn gather_hits(
    segment: &Segment,
    run: Run,
    text: &Text,
    wants: impl Fn(&Frame) -> bool,
    frames: &mut Vec<Frame>,
) -> io::Result<()> {
    let end = run.to.min(segment.end());
    let mut walk = segment.walk_through(run.from..end);
    let mut at = run.from;
    while at < end {
        let bytes = segment.piece(at, end);
        let Some(hit) = text.find_in(bytes) else {
            at += bytes.len() as u64;
            continue;
        };
        let hit = at + hit as u64;
        // The record that the text begins in, or the next one where that place is damaged. All of
        // its payload counts, as the text may have begun in its header.
        let frame = loop {
            match next_frame(segment, &mut walk, end)? {
                Some(frame) if frame.end() <= hit => {}
                Some(frame) => break frame,
                None => return Ok(()),
            }
        };
        if wants(&frame) && text.is_in(segment.payload(&frame)) {
            frames.push(frame);
        }
        at = frame.end();
    }
    Ok(())
}

/// The next record before `end`; what is damaged on the way is noted.
fn next_frame(
    segment: &Segment,
    walk: &mut Walk<Published<'_>>,
    end: u64,
) -> io::Result<Option<Frame>> {
    while walk.offset() < end {
        match walk.next()? {
            Step::Frame(frame) => return Ok((frame.offset < end).then_some(frame)),
            Step::Damage { from, .. } => segment.note_damage(from),
            Step::End { .. } => return Ok(None),
        }
    }
    Ok(None)
}

fn feed(segment: &Arc<Segment>, frame: &Frame, f: &mut Feed<'_>) -> ControlFlow<()> {
    let payload = segment.payload(frame);
    if format::payload_crc(payload) != frame.header.payload_crc {
        segment.note_damage(frame.offset);
        return ControlFlow::Continue(());
    }
    f(frame.header.record(payload))
}
