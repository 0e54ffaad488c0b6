//! The state at any moment: the nearest whole keyframe, then the events up to that moment. Blocks
//! of history alone are passed over, and so are the payloads of the rest of it.

use std::{io, sync::Arc};

use super::{
    breadcrumb::Breadcrumb,
    control::Control,
    format::Header,
    index::{Index, Run, Wanted},
    keymap::state_hash,
    record::Seq,
    segment::Segment,
    walk::{Frame, Step},
};

/// Takes records whose checksums hold, with the segment that they stand in.
pub type Sink<'a> = dyn FnMut(&Arc<Segment>, &Frame, &[u8]) + 'a;

/// As [`Sink`]; says whether it wants more.
type Taster<'a> = dyn FnMut(&Arc<Segment>, &Frame, &[u8]) -> bool + 'a;

/// The last event that counts in segment `index`: what its successor repeats counts there.
pub fn limit(segments: &[Arc<Segment>], index: usize) -> Seq {
    segments.get(index + 1).map_or(Seq::MAX, |next| next.header.base_seq.saturating_sub(1))
}

/// Feeds what makes up the state at `to`. `false` where the journal begins later than that.
///
/// # Errors
/// A segment cannot be read.
pub fn replay(segments: &[Arc<Segment>], to: Seq, f: &mut Sink<'_>) -> io::Result<bool> {
    replay_on(&Breadcrumb::default(), segments, to, f)
}

/// As [`replay()`], for a start, which leaves word of the segment that it is in.
///
/// # Errors
/// A segment cannot be read.
pub fn replay_on(
    breadcrumb: &Breadcrumb,
    segments: &[Arc<Segment>],
    to: Seq,
    f: &mut Sink<'_>,
) -> io::Result<bool> {
    let count = segments.partition_point(|s| s.header.base_seq <= to.saturating_add(1));
    if count == 0 {
        return Ok(false);
    }
    let mut start = count - 1;
    breadcrumb.enter(&segments[start].name);
    while start > 0 && !keyframe_is_whole(&segments[start])? {
        start -= 1;
        breadcrumb.enter(&segments[start].name);
    }
    feed(&segments[start], &mut |segment, frame, payload| {
        if frame.header.is_restated() {
            f(segment, frame, payload);
        }
        !frame.header.is_event()
    })?;
    for (index, segment) in segments.iter().enumerate().take(count).skip(start) {
        breadcrumb.enter(&segment.name);
        let last = to.min(limit(segments, index));
        let runs = Index::of(segment)?.runs(segment.end(), Wanted::States);
        for run in runs.into_iter().take_while(|run| run.first_seq <= last) {
            feed_states(segment, run, last, f)?;
        }
    }
    Ok(true)
}

/// Feeds the events of a stretch that change the state, up to and including `last`.
fn feed_states(segment: &Arc<Segment>, run: Run, last: Seq, f: &mut Sink<'_>) -> io::Result<()> {
    let mut walk = segment.walk(run.from);
    loop {
        match walk.next()? {
            Step::Frame(frame) if frame.offset >= run.to => return Ok(()),
            Step::Frame(frame) if !frame.header.is_event() => {}
            Step::Frame(frame) if frame.header.seq > last => return Ok(()),
            Step::Frame(frame) if frame.header.concerns_state() => match walk.payload(&frame)? {
                Some(payload) => f(segment, &frame, payload),
                None => segment.note_damage(frame.offset),
            },
            Step::Frame(_) => {}
            Step::Damage { from, .. } => segment.note_damage(from),
            Step::End { .. } => return Ok(()),
        }
    }
}

/// Feeds every whole record until `f` says that it has enough.
fn feed(segment: &Arc<Segment>, f: &mut Taster<'_>) -> io::Result<()> {
    let mut walk = segment.walk(0);
    loop {
        match walk.next()? {
            Step::Frame(frame) => match walk.payload(&frame)? {
                Some(payload) => {
                    if !f(segment, &frame, payload) {
                        return Ok(());
                    }
                }
                None => segment.note_damage(frame.offset),
            },
            Step::Damage { from, .. } => segment.note_damage(from),
            Step::End { .. } => return Ok(()),
        }
    }
}

/// Whether everything that a segment restates can be read.
pub fn keyframe_is_whole(segment: &Arc<Segment>) -> io::Result<bool> {
    if let Some(&whole) = segment.keyframe_whole.get() {
        return Ok(whole);
    }
    let (mut count, mut hash, mut whole) = (0, 0u64, false);
    feed(segment, &mut |_, frame, payload| {
        let header: &Header = &frame.header;
        if header.is_restated() {
            count += 1;
            hash = hash.wrapping_add(state_hash(header));
        }
        let end = Control::decode(header.kind, payload);
        if let Some(Control::KeyframeEnd { count: promised, state_hash }) = end {
            whole = (promised, state_hash) == (count, hash);
        }
        !header.is_event() && !matches!(end, Some(Control::KeyframeEnd { .. }))
    })?;
    Ok(*segment.keyframe_whole.get_or_init(|| whole))
}
