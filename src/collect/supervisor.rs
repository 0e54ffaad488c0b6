//! Keeps one source observed: tries, tells why it failed, waits, tries again.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tokio::sync::watch;

use super::{outlet::Stopped, pace::Pace, report::Report};
use crate::{
    cluster,
    event::{Event, State},
};

/// How long a collector that stops waits for room in the recorder's queue.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// Something that can be observed.
pub trait Source: Send + 'static {
    /// Connects, tells [`Report::up`] and observes until something fails. May be dropped while it
    /// waits, and is called again after each failure: what it knows stays in `self`.
    fn observe(
        &mut self,
        report: &mut Report,
    ) -> impl Future<Output = Result<Infallible, Failure>> + Send;

    /// Forgets everything, an open connection too.
    fn forget(&mut self);

    /// Forgets what was sent: the journal was wiped. An open connection may stay.
    fn start_over(&mut self) {
        self.forget();
    }

    /// What should still be recorded when the process stops.
    fn last_words(&self) -> Vec<Event> {
        vec![]
    }
}

/// Why a source cannot be observed.
#[derive(Debug)]
pub enum Failure {
    /// Something failed. The reason says what was attempted, what failed and what to do.
    Down {
        /// For an admin.
        reason: String,
        /// When to try again.
        retry: Retry,
    },
    /// There is nothing to observe. The reason says what to do about it.
    NotConfigured {
        /// For an admin.
        reason: String,
    },
    /// The recorder has stopped: nobody listens any more.
    Stopped,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Soon, then less and less often.
    BackOff,
    /// Rarely: somebody has to do something first.
    Rarely,
}

impl Failure {
    fn bug() -> Failure {
        let reason = "the collector failed in itself and begins anew; this is a bug, please report \
                      it with the panic in the log";
        Failure::Down { reason: reason.into(), retry: Retry::BackOff }
    }
}

impl From<cluster::Error> for Failure {
    fn from(error: cluster::Error) -> Failure {
        let reason = error.to_string();
        match error {
            cluster::Error::NotConfigured => Failure::NotConfigured { reason },
            _ => Failure::Down { reason, retry: Retry::BackOff },
        }
    }
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Failure {
        Failure::Stopped
    }
}

/// Observes a source until `shutdown` turns true or the recorder stops.
pub async fn supervise(
    mut source: impl Source,
    mut report: Report,
    pace: Pace,
    mut shutdown: watch::Receiver<bool>,
) {
    loop {
        let generation_changed = report.generation_changed();
        tokio::select! {
            // A closed channel is a shutdown too: whoever could ask for one is gone.
            _ = shutdown.wait_for(|stop| *stop) => break,
            changed = generation_changed => match changed {
                Ok(_) => {
                    source.start_over();
                    report.start_over();
                }
                Err(Stopped) => return,
            },
            Stopped = keep_observing(&mut source, &mut report, pace) => return,
        }
    }
    let words = source.last_words();
    // A recorder that is gone or hangs cannot be told; the stop does not wait for it.
    let _ = tokio::time::timeout(LAST_WORDS_MAX, report.send(words)).await;
}

async fn keep_observing(source: &mut impl Source, report: &mut Report, pace: Pace) -> Stopped {
    let mut back_off = BackOff::new(pace);
    loop {
        let started = Instant::now();
        // A task that died of a bug would leave a source that seems to be observed.
        let observed = AssertUnwindSafe(source.observe(report)).catch_unwind().await;
        let Err(failure) = observed.unwrap_or_else(|_| {
            source.forget();
            Err(Failure::bug())
        });
        if report.is_up() && started.elapsed() >= pace.stable {
            back_off = BackOff::new(pace);
        }
        let (state, reason, retry) = match failure {
            Failure::Down { reason, retry } => (State::Down, reason, retry),
            Failure::NotConfigured { reason } => (State::Off, reason, Retry::BackOff),
            Failure::Stopped => return Stopped,
        };
        if let Err(stopped) = report.not_observed(state, &reason).await {
            return stopped;
        }
        tokio::time::sleep(back_off.next(retry)).await;
    }
}

/// The waits between attempts: doubling, and each a little different, so that the collectors of
/// many kinds do not come back in one moment.
struct BackOff {
    pace: Pace,
    next: Duration,
}

impl BackOff {
    fn new(pace: Pace) -> BackOff {
        BackOff { pace, next: pace.retry_first }
    }

    fn next(&mut self, retry: Retry) -> Duration {
        let wait = match retry {
            Retry::Rarely => self.pace.retry_refused,
            Retry::BackOff => {
                let wait = self.next;
                self.next = (self.next * 2).min(self.pace.retry_max);
                wait
            }
        };
        wait.mul_f64(jitter())
    }
}

/// Between a half and one. Without randomness the waits are only less well spread.
fn jitter() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::{collect::Outlet, event::Observation};

    #[test]
    fn waits_double_up_to_the_longest() {
        let pace = Pace::default();
        let mut back_off = BackOff::new(pace);
        let mut expected = pace.retry_first;
        for _ in 0..12 {
            let wait = back_off.next(Retry::BackOff);
            assert!(wait >= expected / 2 && wait <= expected, "{wait:?} for {expected:?}");
            expected = (expected * 2).min(pace.retry_max);
        }
        assert_eq!(expected, pace.retry_max);
    }

    #[test]
    fn a_refusal_is_retried_rarely_and_does_not_count_as_a_failure() {
        let pace = Pace::default();
        let mut back_off = BackOff::new(pace);
        assert!(back_off.next(Retry::Rarely) >= pace.retry_refused / 2);
        assert!(back_off.next(Retry::BackOff) <= pace.retry_first);
    }

    /// Fails in itself once, then observes; counts how often it forgot.
    struct Buggy {
        attempts: u32,
        forgot: watch::Sender<u32>,
    }

    impl Source for Buggy {
        async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
            self.attempts += 1;
            assert!(self.attempts > 1, "a bug");
            report.up().await?;
            std::future::pending().await
        }

        fn forget(&mut self) {
            self.forgot.send_modify(|count| *count += 1);
        }
    }

    #[tokio::test]
    async fn a_bug_in_a_collector_is_told_and_the_collector_begins_anew() {
        let (sender, mut queue) = mpsc::channel(8);
        let (_generation, generation) = watch::channel(1);
        let (_stop, stopping) = watch::channel(false);
        let forgot = watch::Sender::new(0);
        let source = Buggy { attempts: 0, forgot: forgot.clone() };
        let report = Report::new("buggy", Outlet::new(sender, generation), None);
        let pace = Pace { retry_first: Duration::from_millis(1), ..Pace::default() };
        let task = tokio::spawn(supervise(source, report, pace, stopping));
        let mut told = Vec::new();
        while told.len() < 2 {
            let observed = queue.recv().await.expect("it goes on");
            let Observation::Events(events) = observed.what else { panic!("no list") };
            told.extend(events.into_iter().filter_map(|event| match event {
                Event::SourceState(state) => Some((state.state, state.reason)),
                _ => None,
            }));
        }
        assert!(told[0].0 == State::Down && told[0].1.contains("this is a bug"), "{told:?}");
        assert_eq!((told[1].0, *forgot.borrow()), (State::Up, 1));
        drop(queue);
        task.await.expect("it ends with the recorder");
    }
}
