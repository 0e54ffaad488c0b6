//! What was shortly before a moment: the part of the problems that no state tells.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::{
    ClusterEventFilter, LogFilter, Page, Recorded, Window, about, cluster_events, decode, gaps,
    learned_at, logs, of_kinds, page, upkeep,
};
use crate::{
    event::{ClusterEvent, Degraded, Event, Gap, Key, Level, Millis, TraceEnd, kind},
    journal::{Error, Flags, Reader, Seq},
    views::problems::{LOOK_BACK, RECORDS_MAX},
};

/// Error lines that are counted at most, the newest ones: some milliseconds of decoding. Where there
/// are more, minutes further back are not known.
const ERRORS_MAX: usize = 20_000;

/// Warnings of the cluster that are looked at most: more than its own controllers keep apart.
const WARNINGS_MAX: usize = 2_000;

/// Ended requests that are measured at most: enough to tell one in twenty.
const REQUESTS_MAX: usize = 1_000;

/// Gaps, and times without a journal, that are looked at.
const GAPS_MAX: usize = 100;

/// Entities whose own past is looked at, and records of each: those in trouble are few, or many have
/// the same.
pub const HISTORIES_MAX: usize = 20;
const VERSIONS_MAX: usize = 20;

/// All of it is looked for so long; a quiet cluster needs a millisecond.
const TIME_MAX: Duration = Duration::from_millis(250);

/// Minutes of the look-back, the last one first.
pub const MINUTES: usize = LOOK_BACK.as_secs() as usize / 60;

const MINUTE_MS: Millis = 60_000.0;

/// What was shortly before a moment.
#[derive(Debug, Clone, Default)]
pub struct LookBack {
    /// Error lines by source, then by target.
    pub errors: BTreeMap<String, BTreeMap<String, ErrorLines>>,
    /// How many minutes are known of error lines, the last one included.
    pub error_minutes: usize,
    /// Warnings of the cluster by the object that they are about, newest first.
    pub warnings: HashMap<Key, Vec<Recorded<ClusterEvent>>>,
    /// Requests that ended lately, newest first.
    pub requests: Vec<EndedRequest>,
    /// Gaps, newest first.
    pub gaps: Vec<Recorded<Gap>>,
    /// Times without a journal, newest first.
    pub degraded: Vec<Recorded<Degraded>>,
    /// The recorded states of those that were asked for, newest first.
    pub histories: HashMap<Key, Vec<Recorded<Event>>>,
    /// Something was looked for back to this event, and no further; `None` where all was.
    pub looked_back_to: Option<Seq>,
}

/// Error lines of one target of a source.
#[derive(Debug, Clone, Default)]
pub struct ErrorLines {
    /// How many, by minute: the last one first.
    pub counts: [u64; MINUTES],
    /// When the first of each minute was learned.
    pub firsts: [Millis; MINUTES],
    /// The newest ones.
    pub newest: Vec<Seq>,
    /// The newest message.
    pub message: String,
}

/// A request that ended.
#[derive(Debug, Clone)]
pub struct EndedRequest {
    /// The record.
    pub seq: Seq,
    /// The source that brought it.
    pub source: String,
    /// What was asked for.
    pub path: String,
    /// How long it took.
    pub duration: Millis,
    /// When its end was learned.
    pub learned: Millis,
}

/// Looks back from event `to`, which was at `now`; of the entities in `keys` their own past as well.
///
/// # Errors
/// The journal could not be read.
pub fn look_back(reader: &Reader, to: Seq, now: Millis, keys: &[Key]) -> Result<LookBack, Error> {
    let from = now - LOOK_BACK.as_secs_f64() * 1000.0;
    let window = Window {
        limit: 0,
        before: to.saturating_add(1),
        after: seq_at(reader, from),
        until: Some(Instant::now() + TIME_MAX),
    };
    let mut back = LookBack::default();
    back.take_errors(reader, window, now)?;
    back.take_warnings(reader, window, from)?;
    back.take_requests(reader, window, from)?;
    back.take_upkeep(reader, window, from)?;
    for key in keys.iter().take(HISTORIES_MAX) {
        back.take_history(reader, window, *key)?;
    }
    Ok(back)
}

/// The newest event learned at or before a time; 0 for none.
fn seq_at(reader: &Reader, time: Millis) -> Seq {
    reader.seq_at((time * 1e6) as i64).unwrap_or(0)
}

/// How many minutes before `now`, where the look-back reaches that far. What was learned after it,
/// by a clock that was set back, is now.
fn minute(learned: Millis, now: Millis) -> Option<usize> {
    let minute = ((now - learned) / MINUTE_MS).max(0.0) as usize;
    (minute < MINUTES).then_some(minute)
}

impl LookBack {
    fn take_errors(&mut self, reader: &Reader, window: Window, now: Millis) -> Result<(), Error> {
        let filter = LogFilter { level: Some(Level::Error), text: None };
        let lines = logs(reader, Window { limit: ERRORS_MAX, ..window }, &filter)?;
        self.note_end(&lines);
        let oldest = match lines.next {
            Some(_) => lines.rows.last().map_or(now, |line| line.learned),
            None => learned_at(reader, window.after)?.unwrap_or(now),
        };
        self.error_minutes = minute(oldest, now).unwrap_or(MINUTES - 1) + 1;
        for Recorded { seq, learned, value: line } in lines.rows {
            let Some(minute) = minute(learned, now) else { continue };
            let targets = self.errors.entry(line.source).or_default();
            let known = targets.entry(line.target).or_default();
            known.counts[minute] += 1;
            known.firsts[minute] = learned;
            if known.newest.is_empty() {
                known.message = line.message;
            }
            if known.newest.len() < RECORDS_MAX {
                known.newest.push(seq);
            }
        }
        Ok(())
    }

    fn take_warnings(
        &mut self,
        reader: &Reader,
        window: Window,
        from: Millis,
    ) -> Result<(), Error> {
        let filter =
            ClusterEventFilter { event_type: Some("Warning".into()), ..Default::default() };
        let warnings = cluster_events(reader, Window { limit: WARNINGS_MAX, ..window }, &filter)?;
        self.note_end(&warnings);
        for row in warnings.rows.into_iter().filter(|row| row.learned >= from) {
            self.warnings.entry(row.value.regarding.key()).or_default().push(row);
        }
        Ok(())
    }

    fn take_requests(
        &mut self,
        reader: &Reader,
        window: Window,
        from: Millis,
    ) -> Result<(), Error> {
        let window = Window { limit: REQUESTS_MAX, ..window };
        let ended = page(reader, window, of_kinds(&[kind::TRACE]), |record| {
            let is_end = record.flags.has(Flags::END);
            let Recorded { seq, learned, value: Event::Trace(trace) } =
                is_end.then(|| decode(record)).flatten()?
            else {
                return None;
            };
            let duration = trace.duration().filter(|_| trace.end == TraceEnd::Ended)?;
            let path = trace.path().to_owned();
            Some(EndedRequest { seq, source: trace.source, path, duration, learned })
        })?;
        // Fewer requests than there were tell one in twenty as well.
        self.requests = ended.rows.into_iter().filter(|row| row.learned >= from).collect();
        Ok(())
    }

    fn take_upkeep(&mut self, reader: &Reader, window: Window, from: Millis) -> Result<(), Error> {
        let window = Window { limit: GAPS_MAX, ..window };
        let gaps = gaps(reader, window)?;
        self.note_end(&gaps);
        self.gaps = gaps.rows.into_iter().filter(|row| row.learned >= from).collect();
        let upkeep = upkeep(reader, window)?;
        self.note_end(&upkeep);
        let degraded = upkeep.rows.into_iter().filter_map(|row| match row.value {
            Event::Degraded(value) if row.learned >= from => {
                Some(Recorded { seq: row.seq, learned: row.learned, value })
            }
            _ => None,
        });
        self.degraded = degraded.collect();
        Ok(())
    }

    fn take_history(&mut self, reader: &Reader, window: Window, key: Key) -> Result<(), Error> {
        let kinds = [kind::OBJECT_OBSERVED, kind::VOLUME_USAGE];
        let window = Window { limit: VERSIONS_MAX, ..window };
        let versions = page(reader, window, about(key, &kinds), decode)?;
        self.histories.insert(key, versions.rows);
        Ok(())
    }

    /// A list that was cut short says how far it got.
    fn note_end<T>(&mut self, page: &Page<T>) {
        self.looked_back_to = self.looked_back_to.max(page.next);
    }
}
