//! History, answered by scanning the journal: the one file of the views that reads it.
//!
//! Every function touches maps: call it on a reader thread. A page is bounded by its limit and its
//! time; `next` says where the next page goes on, also where this one has no rows.

mod actions;

pub mod look_back;

pub use actions::{Action, LogCounts, action, action_progress, actions, log_counts};

use std::{
    collections::HashSet,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use super::{
    Source, State,
    fold::{Fold, Latest},
};
use crate::{
    event::{
        ClusterEvent, DecodeError, Event, Gap, Key, Level, LogLine, Millis, ObjectDeleted,
        ProbeResult, State as SourceWord, Trace, TraceEnd, VolumeUsage, kind, millis,
    },
    journal::{Error, Flags, Range, Reader, Record, Seq, Text},
};

/// How long the last line of a source is looked for: a start, or a gap, waits for it.
const LAST_LINE_TIME: Duration = Duration::from_millis(500);

/// A value and the record that it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded<T> {
    /// The record's number.
    pub seq: Seq,
    /// When it was learned.
    pub learned: Millis,
    /// The value.
    pub value: T,
}

/// Some rows, newest first, and the `before` of the next page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Newest first.
    pub rows: Vec<T>,
    /// `None` when there is nothing older. Not everything older was looked at where it is some.
    pub next: Option<Seq>,
}

/// Which page of a history; both ends exclusive.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// At most this many rows.
    pub limit: usize,
    /// Only records with a lower number.
    pub before: Seq,
    /// Only records with a higher number.
    pub after: Seq,
    /// The page ends with what it has by then.
    pub until: Option<Instant>,
}

impl Window {
    /// The newest rows of all, however long it takes.
    pub fn newest(limit: usize) -> Window {
        Window { limit, before: Seq::MAX, after: 0, until: None }
    }
}

/// Which log lines.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// This level or worse.
    pub level: Option<Level>,
    /// Stands in the message.
    pub text: Option<Text>,
}

/// Which objects.
#[derive(Debug, Clone, Default)]
pub struct ObjectFilter {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this namespace.
    pub namespace: Option<String>,
}

/// One recorded state of an object: [`Event::ObjectObserved`] or [`Event::ObjectDeleted`].
pub type ObjectVersion = Recorded<Event>;

/// Folds the state at `to` (the present when `None`); returns it with the last number applied.
///
/// `progress` is told how many records have been applied, now and then.
///
/// # Errors
/// The journal could not be read.
pub fn state_at(
    reader: &Reader,
    to: Option<Seq>,
    progress: &mut dyn FnMut(u64),
) -> Result<State, Error> {
    fold_at(reader, to, progress).map(|fold| fold.state)
}

/// As [`state_at`], with what could not be taken in.
///
/// # Errors
/// The journal could not be read.
pub fn fold_at(
    reader: &Reader,
    to: Option<Seq>,
    progress: &mut dyn FnMut(u64),
) -> Result<Fold, Error> {
    /// How many records lie between two calls of `progress`.
    const PROGRESS_EVERY: u64 = 1 << 14;
    let mut latest = Latest::default();
    let mut applied = 0;
    reader.replay(to, &mut |record, place| {
        applied += 1;
        if applied % PROGRESS_EVERY == 0 {
            progress(applied);
        }
        latest.take(record, place);
    })?;
    progress(applied);
    Ok(latest.fold())
}

/// Scans backwards through what is wanted and keeps what `pick` makes a row of.
fn page<T>(
    reader: &Reader,
    window: Window,
    wanted: Range<'_>,
    mut pick: impl FnMut(Record<'_>) -> Option<T>,
) -> Result<Page<T>, Error> {
    let mut page = Page { rows: Vec::new(), next: None };
    let Window { limit, before, after, until } = window;
    let range = Range { after, before, until, ..wanted };
    let resume = reader.scan_back(range, &mut |record| {
        if page.rows.len() >= limit {
            page.next = Some(record.seq + 1);
            return ControlFlow::Break(());
        }
        page.rows.extend(pick(record));
        ControlFlow::Continue(())
    })?;
    page.next = page.next.or(resume);
    Ok(page)
}

/// Records of some kinds.
fn of_kinds(kinds: &[u16]) -> Range<'_> {
    Range { kinds, ..Range::ALL }
}

/// Records of some kinds about one entity.
fn about(key: Key, kinds: &[u16]) -> Range<'_> {
    Range { key: Some(key.0), ..of_kinds(kinds) }
}

fn decode(record: Record<'_>) -> Option<Recorded<Event>> {
    let decoded: Result<Option<Event>, DecodeError> = Event::decode(record.kind, record.payload);
    let value = decoded.ok().flatten()?;
    Some(Recorded { seq: record.seq, learned: millis(record.time_ns), value })
}

/// Log lines.
///
/// # Errors
/// The journal could not be read.
pub fn logs(
    reader: &Reader,
    window: Window,
    filter: &LogFilter,
) -> Result<Page<Recorded<LogLine>>, Error> {
    const LEVELS: [u8; 5] = [1, 2, 3, 4, 5];
    let classes = filter.level.map_or(&[][..], |worst| &LEVELS[..worst as usize]);
    let text = filter.text.as_ref();
    let wanted = Range { classes, text, ..of_kinds(&[kind::LOG_LINE]) };
    page(reader, window, wanted, |record| {
        let Recorded { seq, learned, value: Event::LogLine(value) } = decode(record)? else {
            return None;
        };
        // The text may stand in another field; the class of a line is that of its level.
        let text_fits = text.is_none_or(|text| text.is_in(value.message.as_bytes()));
        text_fits.then_some(Recorded { seq, learned, value })
    })
}

/// When the newest record at or before `seq` was learned; where the journal does not reach back that
/// far, the oldest one. `None` for an empty journal.
///
/// # Errors
/// The journal could not be read.
pub fn learned_at(reader: &Reader, seq: Seq) -> Result<Option<Millis>, Error> {
    let mut learned = None;
    let mut take = |record: Record<'_>| {
        learned = Some(millis(record.time_ns));
        ControlFlow::Break(())
    };
    let until_then = Range { before: seq.saturating_add(1), ..Range::ALL };
    reader.scan_back(until_then, &mut take)?;
    if learned.is_none() {
        reader.scan(Range { after: seq, ..Range::ALL }, &mut |record| {
            learned = Some(millis(record.time_ns));
            ControlFlow::Break(())
        })?;
    }
    Ok(learned)
}

/// Gaps of all sources.
///
/// # Errors
/// The journal could not be read.
pub fn gaps(reader: &Reader, window: Window) -> Result<Page<Recorded<Gap>>, Error> {
    page(reader, window, of_kinds(&[kind::GAP]), |record| match decode(record)? {
        Recorded { seq, learned, value: Event::Gap(value) } => {
            Some(Recorded { seq, learned, value })
        }
        _ => None,
    })
}

/// The recorded states of one volume.
///
/// # Errors
/// The journal could not be read.
pub fn volume_history(
    reader: &Reader,
    key: Key,
    window: Window,
) -> Result<Page<Recorded<VolumeUsage>>, Error> {
    page(reader, window, about(key, &[kind::VOLUME_USAGE]), |record| match decode(record)? {
        Recorded { seq, learned, value: Event::VolumeUsage(value) } => {
            Some(Recorded { seq, learned, value })
        }
        _ => None,
    })
}

/// Which cluster events.
#[derive(Debug, Clone, Default)]
pub struct ClusterEventFilter {
    /// Only events about objects of this namespace.
    pub namespace: Option<String>,
    /// Only events about the object with this uid.
    pub uid: Option<String>,
    /// Only this type, for example `Warning`.
    pub event_type: Option<String>,
}

/// Cluster events: of each uid the newest record within the page.
///
/// # Errors
/// The journal could not be read.
pub fn cluster_events(
    reader: &Reader,
    window: Window,
    filter: &ClusterEventFilter,
) -> Result<Page<Recorded<ClusterEvent>>, Error> {
    let fits = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|w| w == value);
    let mut seen = HashSet::new();
    let classes = filter.event_type.as_deref().map(|word| [ClusterEvent::class_of(word)]);
    let wanted = Range {
        classes: classes.as_ref().map_or(&[], |class| class),
        key: filter.uid.as_deref().map(|uid| Key::object(uid).0),
        ..of_kinds(&[kind::CLUSTER_EVENT])
    };
    page(reader, window, wanted, |record| {
        let Recorded { seq, learned, value: Event::ClusterEvent(value) } = decode(record)? else {
            return None;
        };
        let wanted = fits(&filter.namespace, &value.regarding.namespace)
            && fits(&filter.uid, &value.regarding.uid)
            && fits(&filter.event_type, &value.event_type);
        (wanted && seen.insert(value.uid.clone())).then_some(Recorded { seq, learned, value })
    })
}

/// Requests: the open ones of `state`, and ended ones, by their newest record.
///
/// # Errors
/// The journal could not be read.
pub fn requests(
    reader: &Reader,
    state: &State,
    window: Window,
) -> Result<Page<Recorded<Trace>>, Error> {
    let open = state.open_traces.values().filter_map(|open| {
        let Event::Trace(value) = open.body.event(kind::TRACE)? else { return None };
        Some(Recorded { seq: open.body.seq, learned: open.body.learned, value })
    });
    let mut seen = HashSet::new();
    let ended = page(reader, window, of_kinds(&[kind::TRACE]), |record| {
        if record.flags.0 & Flags::END.0 == 0 || state.open_traces.contains_key(&Key(record.key)) {
            return None;
        }
        let Recorded { seq, learned, value: Event::Trace(value) } = decode(record)? else {
            return None;
        };
        seen.insert(record.key).then_some(Recorded { seq, learned, value })
    })?;
    Ok(merge(open.collect(), ended, window))
}

/// One request by its id, whichever source brought it: a page with its newest record.
///
/// # Errors
/// The journal could not be read.
pub fn request(
    reader: &Reader,
    state: &State,
    id: &str,
    window: Window,
) -> Result<Page<Recorded<Trace>>, Error> {
    let mut newest = Page { rows: Vec::new(), next: None };
    for name in state.sources.keys() {
        let wanted = about(Key::trace(name, id), &[kind::TRACE]);
        let found = page(reader, Window { limit: 1, ..window }, wanted, |record| {
            let Recorded { seq, learned, value: Event::Trace(value) } = decode(record)? else {
                return None;
            };
            Some(Recorded { seq, learned, value })
        })?;
        if !found.rows.is_empty() {
            return Ok(found);
        }
        newest.next = newest.next.max(found.next);
    }
    Ok(newest)
}

/// Puts living rows among ended ones, newest record first, and cuts the page at its limit.
fn merge<T>(
    living: Vec<Recorded<T>>,
    ended: Page<Recorded<T>>,
    window: Window,
) -> Page<Recorded<T>> {
    let reached = ended.next.unwrap_or(window.after + 1);
    let mut rows = ended.rows;
    let in_page = |row: &Recorded<T>| (reached..window.before).contains(&row.seq);
    rows.extend(living.into_iter().filter(in_page));
    rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
    let mut next = ended.next;
    if rows.len() > window.limit {
        rows.truncate(window.limit);
        next = rows.last().map(|row| row.seq);
    }
    Page { rows, next }
}

/// What the recorder did to the journal, or found: retention, removed files, degraded times.
///
/// # Errors
/// The journal could not be read.
pub fn upkeep(reader: &Reader, window: Window) -> Result<Page<Recorded<Event>>, Error> {
    let kinds = [kind::RETENTION, kind::FILES_REMOVED, kind::DEGRADED];
    page(reader, window, of_kinds(&kinds), decode)
}

/// Deleted objects.
///
/// # Errors
/// The journal could not be read.
pub fn deleted_objects(
    reader: &Reader,
    window: Window,
    filter: &ObjectFilter,
) -> Result<Page<Recorded<ObjectDeleted>>, Error> {
    page(reader, window, of_kinds(&[kind::OBJECT_DELETED]), |record| {
        let Recorded { seq, learned, value: Event::ObjectDeleted(deleted) } = decode(record)?
        else {
            return None;
        };
        if !filter.fits(&deleted.object) {
            return None;
        }
        Some(Recorded { seq, learned, value: deleted })
    })
}

/// The recorded states of one object, its end included.
///
/// # Errors
/// The journal could not be read.
pub fn object_history(
    reader: &Reader,
    state: &State,
    uid: &str,
    window: Window,
) -> Result<Page<ObjectVersion>, Error> {
    let kinds = [kind::OBJECT_OBSERVED, kind::OBJECT_DELETED];
    let mut versions = page(reader, window, about(Key::object(uid), &kinds), decode)?;
    if versions.rows.is_empty() && versions.next.is_none() {
        versions.rows.extend(present_version(state, uid, window));
    }
    Ok(versions)
}

/// The present state of an object whose own record has been retired: only keyframes hold it.
fn present_version(state: &State, uid: &str, window: Window) -> Option<ObjectVersion> {
    let body = &state.objects.get(&Key::object(uid))?.body;
    let in_window = body.seq > window.after && body.seq < window.before;
    let value = in_window.then(|| body.event(kind::OBJECT_OBSERVED)).flatten()?;
    Some(Recorded { seq: body.seq, learned: body.learned, value })
}

impl ObjectFilter {
    /// Whether an object is wanted.
    pub fn fits(&self, object: &crate::event::ObjectRef) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == object.kind)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == object.namespace)
    }
}

/// Until when a source had been heard, as far as the journal knows: what was lost afterwards was
/// sent after it. `None` where the source is not known or not configured.
///
/// For a source of log lines that is the time that its last line claims, where that lies shortly
/// before the time it was learned: lines arrive in order, so what is missing was sent later. Else it
/// is shortly before the time it was learned. For a watch it is the time of its last recorded
/// position, for what measures or probes the time of its last result.
///
/// # Errors
/// The journal could not be read.
pub fn heard_until(reader: &Reader, state: &State, source: &str) -> Result<Option<Millis>, Error> {
    match state.sources.get(source) {
        Some(known) if known.state.state == SourceWord::Up => {
            let position = state.watch_positions.get(source).map(|position| position.learned);
            let last = last_measured(state, source).or(position);
            let line = last_line(reader, known)?;
            let since = known.state.since;
            Ok(Some(line.or(last.filter(|at| *at > since)).unwrap_or(since)))
        }
        Some(known) if known.state.state != SourceWord::Off => down_since(reader, known).map(Some),
        _ => Ok(None),
    }
}

/// When a source last measured or probed something.
fn last_measured(state: &State, source: &str) -> Option<Millis> {
    let volumes =
        state.volumes.values().map(|volume| (&*volume.usage.source, volume.usage.observed));
    let processes = state.processes.values().map(|process| (&*process.source, process.observed));
    let probes = state.probes.values().map(|probe| (ProbeResult::SOURCE, probe.result.observed));
    let all = volumes.chain(processes).chain(probes);
    all.filter(|(name, _)| *name == source).map(|(_, observed)| observed).reduce(Millis::max)
}

/// When the last line of a source that is up was sent.
fn last_line(reader: &Reader, up: &Source) -> Result<Option<Millis>, Error> {
    /// A claimed time further than this from the learned one is a wrong clock.
    const CLAIM_MAX_MS: f64 = 60_000.0;
    /// What was lost may have been on its way for so long when the last line came.
    const UNDERWAY_MAX_MS: f64 = 1_000.0;
    // Where time runs out nothing is claimed: the source is then taken as heard when it came up.
    let until = Some(Instant::now() + LAST_LINE_TIME);
    let window = Window { after: up.seq, until, ..Window::newest(1) };
    let last = page(reader, window, of_kinds(&[kind::LOG_LINE]), |record| match decode(record)? {
        Recorded { learned, value: Event::LogLine(line), .. } if line.source == up.state.name => {
            let is_credible = (0.0..CLAIM_MAX_MS).contains(&(learned - line.time));
            Some(if is_credible { line.time } else { learned - UNDERWAY_MAX_MS })
        }
        _ => None,
    })?;
    Ok(last.rows.first().copied())
}

/// Since when a source has been anything but up, over all the states that it had meanwhile.
fn down_since(reader: &Reader, down: &Source) -> Result<Millis, Error> {
    let mut since = down.state.since;
    let wanted = about(Key::source(&down.state.name), &[kind::SOURCE_STATE]);
    let range = Range { before: down.seq, ..wanted };
    reader.scan_back(range, &mut |record| match decode(record).map(|row| row.value) {
        Some(Event::SourceState(earlier))
            if matches!(earlier.state, SourceWord::Down | SourceWord::Connecting) =>
        {
            since = since.min(earlier.since);
            ControlFlow::Continue(())
        }
        _ => ControlFlow::Break(()),
    })?;
    Ok(since)
}

/// The state of traces that a source left open, as they are ended when it goes down.
pub fn unended_traces(state: &State, source: &str) -> Vec<Trace> {
    let open = state.open_traces.values().filter(|open| open.source == source);
    open.filter_map(|open| match open.body.event(kind::TRACE)? {
        Event::Trace(trace) => Some(Trace { end: TraceEnd::NotObserved, ..trace }),
        _ => None,
    })
    .collect()
}
