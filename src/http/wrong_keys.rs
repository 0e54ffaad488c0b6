//! Wrong keys: each is delayed, none locks anyone out, and once a minute their count is recorded.
//!
//! There is one count for all callers: behind a port-forward every address is 127.0.0.1.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::limits::{WRONG_KEY_DELAY_MAX, WRONG_KEY_DELAY_MIN, WRONG_KEY_MEMORY};
use crate::{
    event::{ActionOutcome, Event, Extensions, Millis, Outcome, now},
    recorder::Recorder,
};

/// The action that stands in the audit.
const ACTION: &str = "log-in-failures";

/// Counts wrong keys.
#[derive(Debug, Default)]
pub(super) struct WrongKeys(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// In a row, without a quiet while between them.
    row: u32,
    last: Option<Instant>,
    unreported: Option<Unreported>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Unreported {
    count: u64,
    first: Millis,
}

impl WrongKeys {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one and says how long its answer waits.
    pub(super) fn count(&self) -> Duration {
        self.counts().add(1, now());
        self.delay()
    }

    /// How long the answer to what may have been a wrong key waits.
    pub(super) fn delay(&self) -> Duration {
        let mut counts = self.counts();
        if counts.last.is_none_or(|last| last.elapsed() > WRONG_KEY_MEMORY) {
            counts.row = 0;
        }
        counts.last = Some(Instant::now());
        counts.row = counts.row.saturating_add(1);
        delay(counts.row)
    }

    /// Records what has been counted since the last time. What cannot be recorded stays counted.
    pub(super) async fn report(&self, recorder: &Recorder) {
        let Some(unreported) = self.counts().unreported.take() else { return };
        if let Err(error) = recorder.record_or_keep(vec![unreported.event(now())]).await {
            self.counts().add(unreported.count, unreported.first);
            tracing::warn!(%error, "recording {} wrong admin keys failed", unreported.count);
        }
    }
}

impl Counts {
    fn add(&mut self, count: u64, first: Millis) {
        let known = self.unreported.unwrap_or(Unreported { count: 0, first });
        let first = known.first.min(first);
        self.unreported = Some(Unreported { count: known.count + count, first });
    }
}

impl Unreported {
    fn event(self, now: Millis) -> Event {
        let Unreported { count, first } = self;
        Event::ActionOutcome(ActionOutcome {
            id: format!("{ACTION}-{first:.0}"),
            actor: "unknown".into(),
            action: ACTION.into(),
            args: format!(r#"{{"count":{count}}}"#),
            started: first,
            ended: now,
            outcome: Outcome::Failed,
            detail: format!("a wrong admin key was given, {count} times"),
            ext: Extensions::default(),
        })
    }
}

/// Doubles with each wrong key in a row, up to its bound.
fn delay(row: u32) -> Duration {
    let doubled = WRONG_KEY_DELAY_MIN.saturating_mul(1 << row.saturating_sub(1).min(16));
    doubled.min(WRONG_KEY_DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_its_bound_and_no_further() {
        assert_eq!(delay(1), WRONG_KEY_DELAY_MIN);
        assert_eq!(delay(2), 2 * WRONG_KEY_DELAY_MIN);
        assert_eq!(delay(6), WRONG_KEY_DELAY_MAX);
        assert_eq!(delay(u32::MAX), WRONG_KEY_DELAY_MAX);
    }

    #[test]
    fn counts_are_joined_from_the_first_on() {
        let mut counts = Counts::default();
        counts.add(2, 50.0);
        counts.add(3, 40.0);
        assert_eq!(counts.unreported, Some(Unreported { count: 5, first: 40.0 }));
    }
}
