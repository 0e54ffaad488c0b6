//! Runs every probe in its interval, and tells each result.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep_until};

use super::{
    Probe,
    check::{Checker, Found, SystemClient},
};
use crate::{
    collect::{
        report::Report,
        supervisor::{Failure, Source},
    },
    event::{Event, Extensions, Millis, ProbeResult, now},
};

/// The first checks are spread over this time at most, so that they do not all begin at once.
const SPREAD_MAX: Duration = Duration::from_secs(5);

/// The probes, and what they found last.
pub struct Prober {
    probes: Vec<Probe>,
    /// By name. At first what the journal knows, some of it maybe of probes that are no longer.
    last: BTreeMap<String, ProbeResult>,
}

impl Prober {
    /// Goes on from what is recorded.
    pub fn new(probes: Vec<Probe>, recorded: Vec<ProbeResult>) -> Prober {
        let last = recorded.into_iter().map(|result| (result.name.clone(), result)).collect();
        Prober { probes, last }
    }

    /// The ends of the probes that are no longer configured.
    fn gone(&self) -> Vec<Event> {
        let is_configured = |name: &String| self.probes.iter().any(|probe| probe.name == *name);
        let unconfigured = self.last.iter().filter(|(name, _)| !is_configured(name));
        unconfigured
            .map(|(_, last)| Event::ProbeResult(ProbeResult { gone: true, ..last.clone() }))
            .collect()
    }

    fn result(&self, probe: &Probe, observed: Millis, found: Found) -> ProbeResult {
        let target = probe.target();
        let before = self.last.get(&probe.name);
        let before = before.filter(|before| before.ok == found.ok && before.target == target);
        ProbeResult {
            name: probe.name.clone(),
            target,
            ok: found.ok,
            latency: found.latency,
            status: found.status,
            detail: found.detail,
            since: before.map_or(observed, |before| before.since),
            observed,
            gone: false,
            ext: Extensions::default(),
        }
    }
}

impl Source for Prober {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        report.send(self.gone()).await?;
        self.last.retain(|name, _| self.probes.iter().any(|probe| probe.name == *name));
        if self.probes.is_empty() {
            let reason = "not configured: add [[probes]] to the configuration file";
            return Err(Failure::NotConfigured { reason: reason.into() });
        }
        report.up().await?;
        let (probes, system) = (self.probes.clone(), SystemClient::new());
        let begin = Instant::now();
        let first = |probe| run_at(Checker::new(probe, &system), begin + spread(probe));
        let mut running: FuturesUnordered<_> = probes.iter().map(first).collect();
        while let Some(Ran { checker, began, observed, found }) = running.next().await {
            let result = self.result(checker.probe, observed, found);
            report.heard(observed);
            report.send(vec![Event::ProbeResult(result.clone())]).await?;
            self.last.insert(result.name.clone(), result);
            let next = began + checker.probe.interval;
            running.push(run_at(checker, next));
        }
        unreachable!("every probe that has run runs again")
    }

    fn forget(&mut self) {
        // What was found stays true, whatever became of its record.
    }
}

/// A check that has run.
struct Ran<'a> {
    checker: Checker<'a>,
    began: Instant,
    observed: Millis,
    found: Found,
}

async fn run_at(mut checker: Checker<'_>, at: Instant) -> Ran<'_> {
    sleep_until(at).await;
    let (began, observed) = (Instant::now(), now());
    let found = checker.run().await;
    Ran { checker, began, observed, found }
}

/// When a probe begins: anywhere in its first interval. Without randomness they begin together.
fn spread(probe: &Probe) -> Duration {
    let random = f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX);
    probe.interval.min(SPREAD_MAX).mul_f64(random)
}
