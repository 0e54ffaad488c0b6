//! Counts of what the recorder has done, for whoever watches the process itself. Only numbers, and
//! nothing waits for them.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::event::Event;

/// Gaps are counted for so many sources; a configuration names some dozen.
const SOURCES_MAX: usize = 500;

/// What was done since the start.
#[derive(Debug, Default)]
pub struct Tally {
    /// Writes to the journal.
    pub batches: AtomicU64,
    /// Events in them.
    pub events: AtomicU64,
    /// Bytes of their payloads.
    pub payload_bytes: AtomicU64,
    /// How long it took to make them durable.
    pub syncs: Timings,
    /// Attempts to make them durable that failed.
    pub failed_syncs: AtomicU64,
    /// Segments that were given up for room.
    pub retired_segments: AtomicU64,
    /// Bytes that they held.
    pub retired_bytes: AtomicU64,
    gaps: Mutex<BTreeMap<String, Gaps>>,
}

/// The recorded gaps of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gaps {
    /// How many.
    pub count: u64,
    /// Records that were dropped in them, as far as that is known.
    pub dropped: u64,
}

impl Tally {
    /// Counts a write of these events.
    pub(super) fn appended(&self, events: u64, payload_bytes: usize) {
        self.batches.fetch_add(1, Relaxed);
        self.events.fetch_add(events, Relaxed);
        self.payload_bytes.fetch_add(payload_bytes as u64, Relaxed);
    }

    /// Counts a sync.
    pub(super) fn synced(&self, took: Duration, is_done: bool) {
        self.syncs.add(took);
        self.failed_syncs.fetch_add(u64::from(!is_done), Relaxed);
    }

    /// Counts a segment that was given up.
    pub(super) fn retired(&self, bytes: u64) {
        self.retired_segments.fetch_add(1, Relaxed);
        self.retired_bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts the gaps among recorded events.
    pub(super) fn note_gaps(&self, events: &[Event]) {
        for event in events {
            let Event::Gap(gap) = event else { continue };
            let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
            if gaps.len() < SOURCES_MAX || gaps.contains_key(&gap.source) {
                let of_source = gaps.entry(gap.source.clone()).or_default();
                of_source.count += 1;
                of_source.dropped += gap.dropped.unwrap_or(0);
            }
        }
    }

    /// The gaps recorded since the start, by source.
    pub fn gaps(&self) -> BTreeMap<String, Gaps> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Upper bounds of the buckets of [`Timings`], seconds: from what memory takes to what hangs.
pub const TIMING_BOUNDS: [f64; 13] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// How long something took, each time, in buckets.
#[derive(Debug, Default)]
pub struct Timings {
    /// The last one holds what took longer than every bound.
    buckets: [AtomicU64; TIMING_BOUNDS.len() + 1],
    sum_ns: AtomicU64,
}

impl Timings {
    /// Counts one.
    pub fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = TIMING_BOUNDS.partition_point(|bound| *bound < seconds);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// The sum of all, seconds.
    pub fn sum(&self) -> f64 {
        self.sum_ns.load(Relaxed) as f64 / 1e9
    }

    /// How many took up to each bound and longer than the one before; the last bound is
    /// [`f64::MAX`].
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = TIMING_BOUNDS.iter().copied().chain([f64::MAX]);
        bounds.zip(self.buckets.iter().map(|bucket| bucket.load(Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Extensions, Gap};

    #[test]
    fn a_duration_is_counted_in_the_first_bucket_that_holds_it() {
        let timings = Timings::default();
        for micros in [0, 100, 101, 11_000_000] {
            timings.add(Duration::from_micros(micros));
        }
        let buckets = timings.buckets();
        assert_eq!(buckets[..2], [(0.0001, 2), (0.0005, 1)]);
        assert_eq!(buckets.last(), Some(&(f64::MAX, 1)));
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 4);
        assert!((timings.sum() - 11.000_201).abs() < 1e-9);
    }

    #[test]
    fn gaps_are_counted_by_source_and_sources_are_bounded() {
        let tally = Tally::default();
        let gap = |source: usize, dropped| {
            let (source, reason) = (source.to_string(), String::new());
            let ext = Extensions::default();
            Event::Gap(Gap { source, reason, from: 0.0, to: 0.0, dropped, ext })
        };
        tally.note_gaps(&[gap(1, Some(3)), gap(1, None)]);
        assert_eq!(tally.gaps()["1"], Gaps { count: 2, dropped: 3 });
        let many: Vec<Event> = (0..2 * SOURCES_MAX).map(|source| gap(source, None)).collect();
        tally.note_gaps(&many);
        assert_eq!(tally.gaps().len(), SOURCES_MAX);
    }
}
