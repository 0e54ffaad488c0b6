//! Open traces at a bounded cadence: each is recorded when it is first seen, then at most once in an
//! interval, and at its end.
//!
//! The app-server tells an open trace again about once a second. What it told since the last record
//! is kept here: a crash of the recorder loses at most an interval of what open requests did.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use crate::event::{Trace, TraceEnd};

/// How many open traces are remembered, at some 200 bytes each. Beyond that the half that was not
/// heard of for longest is forgotten, which costs a repeated record for each that is heard of again.
const OPEN_MAX: usize = 32_768;

/// What may be kept of states that are not recorded yet, in bytes of their frames. Beyond that the
/// state waits for the app-server to tell it again.
const PENDING_BYTES_MAX: usize = 16 << 20;

/// The open traces. Ended ones are not sent again by the app-server, and are forgotten.
#[derive(Debug)]
pub struct Traces {
    /// Between two records of one open trace.
    interval: Duration,
    open: HashMap<String, Open>,
    pending_bytes: usize,
}

/// An open trace: what of it is recorded, and what is newer.
#[derive(Debug)]
struct Open {
    recorded: u64,
    recorded_at: Instant,
    heard_at: Instant,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    trace: Trace,
    bytes: usize,
}

impl Traces {
    /// None yet; each will be recorded once in an interval.
    pub fn new(interval: Duration) -> Traces {
        Traces { interval, open: HashMap::new(), pending_bytes: 0 }
    }

    /// Takes in what came in a frame of so many bytes; gives back what is to be recorded now.
    pub fn take(&mut self, trace: Trace, bytes: usize, now: Instant) -> Option<Trace> {
        if trace.end != TraceEnd::Open {
            let open = self.open.remove(&trace.id);
            self.forget_pending(open.and_then(|open| open.pending));
            return Some(trace);
        }
        let hash = hash(&trace);
        let Some(open) = self.open.get_mut(&trace.id) else {
            self.make_room();
            let open = Open { recorded: hash, recorded_at: now, heard_at: now, pending: None };
            self.open.insert(trace.id.clone(), open);
            return Some(trace);
        };
        open.heard_at = now;
        let before = open.pending.take();
        let is_due = now.duration_since(open.recorded_at) >= self.interval;
        let result = if open.recorded == hash {
            None
        } else if is_due {
            (open.recorded, open.recorded_at) = (hash, now);
            Some(trace)
        } else {
            let others = self.pending_bytes - before.as_ref().map_or(0, |before| before.bytes);
            if others + bytes <= PENDING_BYTES_MAX {
                open.pending = Some(Pending { trace, bytes });
                self.pending_bytes += bytes;
            }
            None
        };
        self.forget_pending(before);
        result
    }

    /// The newer states of which it is time to record one.
    pub fn due(&mut self, now: Instant) -> Vec<Trace> {
        let interval = self.interval;
        self.take_pending(|open| now.duration_since(open.recorded_at) >= interval, now)
    }

    /// Every newer state: nothing more will come.
    pub fn flush(&mut self, now: Instant) -> Vec<Trace> {
        self.take_pending(|_| true, now)
    }

    /// Every newer state, which stays here.
    pub fn pending(&self) -> impl Iterator<Item = &Trace> {
        self.open.values().filter_map(|open| open.pending.as_ref()).map(|pending| &pending.trace)
    }

    fn take_pending(&mut self, is_wanted: impl Fn(&Open) -> bool, now: Instant) -> Vec<Trace> {
        let mut taken = Vec::new();
        for open in self.open.values_mut() {
            if !is_wanted(open) {
                continue;
            }
            if let Some(Pending { trace, bytes }) = open.pending.take() {
                self.pending_bytes -= bytes;
                (open.recorded, open.recorded_at) = (hash(&trace), now);
                taken.push(trace);
            }
        }
        taken
    }

    fn forget_pending(&mut self, pending: Option<Pending>) {
        self.pending_bytes -= pending.map_or(0, |pending| pending.bytes);
    }

    fn make_room(&mut self) {
        if self.open.len() < OPEN_MAX {
            return;
        }
        let mut heard: Vec<Instant> = self.open.values().map(|open| open.heard_at).collect();
        let (_, &mut median, _) = heard.select_nth_unstable(OPEN_MAX / 2);
        // Where all were heard at one moment, none is older than the median.
        let mut excess = OPEN_MAX / 2;
        self.open.retain(|_, open| {
            let goes = open.heard_at <= median && excess > 0;
            excess -= usize::from(goes);
            if goes {
                self.pending_bytes -= open.pending.take().map_or(0, |pending| pending.bytes);
            }
            !goes
        });
    }
}

fn hash(trace: &Trace) -> u64 {
    let mut hash = DefaultHasher::new();
    for section in &trace.sections {
        section.path.hash(&mut hash);
        section.start_time.to_bits().hash(&mut hash);
        section.duration.map(f64::to_bits).hash(&mut hash);
        section.extra_info.hash(&mut hash);
    }
    for (name, value) in trace.ext.0.iter().flatten() {
        name.hash(&mut hash);
        value.hash(&mut hash);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Extensions, Section};

    const BYTES: usize = 100;

    fn trace(id: usize, durations: &[Option<f64>]) -> Trace {
        let sections = durations.iter().map(|duration| Section {
            path: "a".into(),
            start_time: 1.0,
            duration: *duration,
            extra_info: None,
        });
        let is_open = durations.contains(&None);
        Trace {
            source: "app-server".into(),
            id: id.to_string(),
            end: if is_open { TraceEnd::Open } else { TraceEnd::Ended },
            sections: sections.collect(),
            ext: Extensions::default(),
        }
    }

    /// A clock that a test moves.
    struct Clock(Instant);

    impl Clock {
        fn at(&self, seconds: u64) -> Instant {
            self.0 + Duration::from_secs(seconds)
        }
    }

    fn begin() -> (Traces, Clock) {
        (Traces::new(Duration::from_secs(10)), Clock(Instant::now()))
    }

    #[test]
    fn an_open_trace_is_recorded_at_first_then_once_in_an_interval_and_at_its_end() {
        let (mut traces, clock) = begin();
        let grown = |second: u64| trace(1, &[Some(second as f64), None]);
        let mut take = |second| traces.take(grown(second), BYTES, clock.at(second));
        let came: Vec<Trace> = (0..=29).filter_map(&mut take).collect();
        assert_eq!(came, [grown(0), grown(10), grown(20)]);
        let end = trace(1, &[Some(29.0), Some(30.0)]);
        assert_eq!(traces.take(end.clone(), BYTES, clock.at(30)), Some(end));
        assert!(traces.flush(clock.at(30)).is_empty(), "the end says it all");
        assert_eq!(traces.pending_bytes, 0);
        assert!(traces.take(trace(1, &[None]), BYTES, clock.at(31)).is_some(), "it is new again");
    }

    #[test]
    fn what_only_repeats_is_recorded_once() {
        let (mut traces, clock) = begin();
        for second in 0..100 {
            let recorded = traces.take(trace(1, &[None]), BYTES, clock.at(second));
            assert_eq!(recorded.is_some(), second == 0);
            assert!(traces.due(clock.at(second)).is_empty());
        }
        let mut marked = trace(1, &[None]);
        marked.ext = Extensions(Some([("user".to_owned(), 7.into())].into()));
        assert!(traces.take(marked, BYTES, clock.at(100)).is_some(), "an extension is news");
    }

    #[test]
    fn the_newest_state_is_recorded_when_it_is_due_although_nothing_more_comes() {
        let (mut traces, clock) = begin();
        traces.take(trace(1, &[None]), BYTES, clock.at(0));
        traces.take(trace(1, &[Some(1.0), None]), BYTES, clock.at(1));
        let newest = trace(1, &[Some(2.0), None]);
        assert_eq!(traces.take(newest.clone(), BYTES, clock.at(2)), None);
        assert!(traces.due(clock.at(9)).is_empty());
        assert_eq!(traces.due(clock.at(10)), [newest]);
        assert!(traces.due(clock.at(100)).is_empty(), "it is recorded");
        assert_eq!(traces.pending_bytes, 0);
    }

    #[test]
    fn a_state_that_turns_back_to_what_is_recorded_leaves_nothing_to_record() {
        let (mut traces, clock) = begin();
        traces.take(trace(1, &[None]), BYTES, clock.at(0));
        traces.take(trace(1, &[Some(1.0), None]), BYTES, clock.at(1));
        traces.take(trace(1, &[None]), BYTES, clock.at(2));
        assert!(traces.flush(clock.at(2)).is_empty());
    }

    #[test]
    fn when_nothing_more_will_come_every_newest_state_is_given() {
        let (mut traces, clock) = begin();
        for id in 0..3 {
            traces.take(trace(id, &[None]), BYTES, clock.at(0));
            traces.take(trace(id, &[Some(1.0), None]), BYTES, clock.at(1));
        }
        assert_eq!(traces.pending().count(), 3);
        assert_eq!(traces.flush(clock.at(1)).len(), 3);
        assert_eq!(traces.pending().count(), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_longest_unheard_goes_first() {
        let (mut traces, clock) = begin();
        for id in 0..OPEN_MAX {
            traces.take(trace(id, &[None]), BYTES, clock.at(0));
            traces.take(trace(id, &[Some(1.0), None]), BYTES, clock.at(1 + id as u64));
        }
        assert!(traces.take(trace(OPEN_MAX, &[None]), BYTES, clock.at(100_000)).is_some());
        assert_eq!(traces.open.len(), OPEN_MAX / 2 + 1);
        let again = traces.take(trace(OPEN_MAX - 1, &[None]), BYTES, clock.at(0));
        assert!(again.is_none(), "it was heard of last");
        assert!(traces.take(trace(0, &[None]), BYTES, clock.at(0)).is_some());
        assert_eq!(traces.pending_bytes, traces.pending().count() * BYTES);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_and_recorded_when_it_is_told_again() {
        let (mut traces, clock) = begin();
        let large = PENDING_BYTES_MAX / 2 + 1;
        for id in 0..2 {
            traces.take(trace(id, &[None]), large, clock.at(0));
            traces.take(trace(id, &[Some(1.0), None]), large, clock.at(1));
        }
        assert_eq!(traces.pending().count(), 1);
        assert_eq!(traces.due(clock.at(10)).len(), 1);
        for id in 0..2 {
            traces.take(trace(id, &[Some(2.0), None]), large, clock.at(11));
        }
        assert!(traces.take(trace(1, &[Some(3.0), None]), large, clock.at(12)).is_none());
        assert_eq!(traces.pending_bytes, large);
    }
}
