//! How much each source of log lines and traces may record, so that a flood of them does not push
//! out the rest. What goes beyond is counted and told in gaps.
//!
//! The arithmetic: the sources together get half of what the journal may take, a day. At full use
//! they fill that half in a day (and what the bucket holds, a quarter of it, once); the other half
//! is for states, events, actions and keyframes, which take at most a fifth of each segment. So the
//! volume reaches back a day at least.

use std::collections::HashMap;

use tokio::time::{Duration, Instant};

use crate::event::{Event, Extensions, Gap, Millis};

const DAY_S: f64 = 86_400.0;
/// A bucket holds what its source may record in this time, so that an incident is recorded whole
/// after a quiet stretch.
const BURST_S: f64 = 6.0 * 3600.0;
/// One gap at most in this time, so that the gaps are no flood themselves.
const GAP_INTERVAL: Duration = Duration::from_secs(10);

/// The budgets of all sources that have one.
#[derive(Debug)]
pub(super) struct Budgets {
    /// What each source may record a day; `None` where they share.
    per_source: Option<u64>,
    /// What they share a day; `None` where nobody knows how large the volume is.
    shared: Option<u64>,
    buckets: Vec<Bucket>,
    by_source: HashMap<String, usize>,
}

/// Fills with time, and is emptied by what is recorded.
#[derive(Debug)]
struct Bucket {
    source: String,
    /// Below zero after a record that had to be taken; `None` before a bound was known.
    bytes: Option<f64>,
    filled_at: Instant,
    over: Option<Over>,
}

/// A stretch in which records were dropped.
#[derive(Debug)]
struct Over {
    from: Millis,
    since: Instant,
    dropped: u64,
}

impl Budgets {
    /// `per_source`: what each source may record a day, bytes.
    pub fn new(per_source: Option<u64>) -> Budgets {
        Budgets { per_source, shared: None, buckets: Vec::new(), by_source: HashMap::new() }
    }

    /// Notes what the journal may take on the volume, bytes.
    pub fn set_journal_bytes(&mut self, bytes: Option<u64>) {
        self.shared = bytes.map(|bytes| bytes / 2);
    }

    /// What one source may record a day, bytes; `None` for no bound.
    pub fn bytes_per_day(&self) -> Option<u64> {
        let sharing = self.buckets.len().max(1) as u64;
        self.per_source.or(self.shared.map(|shared| shared / sharing))
    }

    /// The bucket of a source, filled up to now.
    pub fn bucket(&mut self, source: &str, now: Instant) -> usize {
        let index = match self.by_source.get(source) {
            Some(&index) => index,
            None => self.new_bucket(source, now),
        };
        let rate = self.bytes_per_day().map(|bytes| bytes as f64 / DAY_S);
        self.buckets[index].fill(rate, now);
        index
    }

    fn new_bucket(&mut self, source: &str, now: Instant) -> usize {
        let index = self.buckets.len();
        let source = source.to_owned();
        self.by_source.insert(source.clone(), index);
        self.buckets.push(Bucket { source, bytes: None, filled_at: now, over: None });
        index
    }

    /// Whether a source may record something now.
    pub fn admits(&self, bucket: usize) -> bool {
        self.buckets[bucket].bytes.is_none_or(|bytes| bytes > 0.0)
    }

    /// Notes what a source recorded, bytes.
    pub fn charge(&mut self, bucket: usize, bytes: usize) {
        if let Some(left) = &mut self.buckets[bucket].bytes {
            *left -= bytes as f64;
        }
    }

    /// Counts what a source was not allowed to record.
    pub fn drop_one(&mut self, bucket: usize, at: Millis) {
        let begun = || Over { from: at, since: Instant::now(), dropped: 0 };
        self.buckets[bucket].over.get_or_insert_with(begun).dropped += 1;
    }

    /// The gaps that are due; all of them at the end.
    pub fn gaps(&mut self, to: Millis, is_end: bool) -> Vec<Event> {
        let budget = self.bytes_per_day().unwrap_or(0);
        let mut gaps = Vec::new();
        for bucket in &mut self.buckets {
            let due = |over: &mut Over| is_end || over.since.elapsed() >= GAP_INTERVAL;
            if let Some(over) = bucket.over.take_if(due) {
                gaps.push(gap(&bucket.source, &over, to, budget));
            }
        }
        gaps
    }
}

impl Bucket {
    /// Fills it up to now; full when a bound is first known.
    fn fill(&mut self, rate: Option<f64>, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.bytes = rate.map(|rate| match self.bytes {
            Some(bytes) => (bytes + elapsed * rate).min(rate * BURST_S),
            None => rate * BURST_S,
        });
        self.filled_at = now;
    }
}

fn gap(source: &str, over: &Over, to: Millis, bytes_per_day: u64) -> Event {
    Event::Gap(Gap {
        source: source.to_owned(),
        reason: format!(
            "it sent more than its budget of {} MiB a day; raise source_bytes_per_day in the \
             section [journal], or let it log less",
            bytes_per_day >> 20
        ),
        from: over.from,
        to,
        dropped: Some(over.dropped),
        ext: Extensions::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    /// Records of 100 bytes, as many as are admitted, one each second.
    fn admitted(budgets: &mut Budgets, source: &str, from: Instant, seconds: u64) -> u64 {
        let mut bytes = 0;
        for second in 0..seconds {
            let bucket = budgets.bucket(source, from + Duration::from_secs(second));
            while budgets.admits(bucket) {
                budgets.charge(bucket, 100);
                bytes += 100;
            }
        }
        bytes
    }

    #[test]
    fn at_full_use_a_day_holds_the_budget_and_one_burst() {
        let start = Instant::now();
        let mut budgets = Budgets::new(Some(8_640_000));
        let first = admitted(&mut budgets, "a", start, DAY.as_secs());
        assert!((8_640_000 + 2_160_000 - first as i64).abs() < 1000, "{first}");
        let second = admitted(&mut budgets, "a", start + DAY, DAY.as_secs());
        assert!((8_640_000 - second as i64).abs() < 1000, "{second}");
    }

    #[test]
    fn sources_share_half_of_the_journal_unless_each_has_its_own() {
        let now = Instant::now();
        let mut budgets = Budgets::new(None);
        let bucket = budgets.bucket("a", now);
        assert!(budgets.admits(bucket) && budgets.bytes_per_day().is_none(), "no bound known");
        budgets.set_journal_bytes(Some(4000));
        assert_eq!(budgets.bytes_per_day(), Some(2000));
        budgets.bucket("b", now);
        assert_eq!(budgets.bytes_per_day(), Some(1000));
        assert_eq!(Budgets::new(Some(7)).bytes_per_day(), Some(7));
    }

    #[test]
    fn what_is_dropped_is_told_in_one_gap() {
        let now = Instant::now();
        let mut budgets = Budgets::new(Some(86_400));
        let bucket = budgets.bucket("a", now);
        budgets.charge(bucket, 1 << 20);
        assert!(!budgets.admits(bucket));
        assert!(budgets.gaps(1.0, true).is_empty());
        budgets.drop_one(bucket, 2.0);
        budgets.drop_one(bucket, 3.0);
        assert!(budgets.gaps(4.0, false).is_empty(), "more may follow");
        let gaps = budgets.gaps(5.0, true);
        let [Event::Gap(gap)] = &gaps[..] else { panic!("{gaps:?}") };
        assert_eq!((gap.from, gap.to, gap.dropped), (2.0, 5.0, Some(2)));
        assert!(budgets.gaps(6.0, true).is_empty(), "it is told once");
    }
}
