//! When something counts as a problem: every threshold, its default, and the reason of the default.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::Kind;

/// The thresholds; the section `[problems]` of the configuration file has the same names.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Kinds that are not looked for.
    pub off: Vec<Kind>,
    /// A container that failed so often within the look-back loops, also while it runs: two
    /// failures are bad luck.
    pub crash_restarts: u64,
    /// A pod may be without a node, or not start, for so long: an autoscaler brings a node, and a
    /// large image comes, in a minute or two.
    pub pending_seconds: u64,
    /// A workload may lack replicas for so long: a rollout and a moved pod take some ten seconds.
    pub replicas_seconds: u64,
    /// A failed job is told of for so long: until somebody has slept over it.
    pub job_hours: u64,
    /// A volume that is so full should be looked at today.
    pub volume_warning_percent: u64,
    /// A volume that is so full may stop what writes to it within the hour.
    pub volume_critical_percent: u64,
    /// Fewer error lines than this in a minute are no jump: a few are normal.
    pub errors_per_minute: u64,
    /// So many times the error lines of a quiet minute before are a jump.
    pub errors_factor: u64,
    /// So many error lines in a minute are a problem whatever was before: ten a second.
    pub errors_per_minute_max: u64,
    /// A request that is open for longer hangs: gateways and browsers give up about then.
    pub request_open_seconds: u64,
    /// One request in twenty takes longer than this: people notice.
    pub request_p95_ms: u64,
    /// So long back ended requests are measured: long enough for some, short enough to be now.
    pub request_minutes: u64,
    /// Fewer ended requests within that time say nothing of one in twenty.
    pub requests_min: u64,
    /// A source may be down for so long: a connection that comes back at once is no trouble.
    pub source_down_seconds: u64,
    /// A probe may fail for so long; 0 names the first failure, since probes are minutes apart.
    pub probe_failing_seconds: u64,
    /// A stretch without observation that is shorter than this, and in which nothing is known to be
    /// lost, is not told of: reconnecting takes some seconds.
    pub gap_seconds: u64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            off: Vec::new(),
            crash_restarts: 3,
            pending_seconds: 60,
            replicas_seconds: 60,
            job_hours: 24,
            volume_warning_percent: 80,
            volume_critical_percent: 90,
            errors_per_minute: 20,
            errors_factor: 5,
            errors_per_minute_max: 600,
            request_open_seconds: 30,
            request_p95_ms: 2_000,
            request_minutes: 5,
            requests_min: 20,
            source_down_seconds: 2,
            probe_failing_seconds: 0,
            gap_seconds: 30,
        }
    }
}

/// A stretch of time that a threshold names, seconds: up to a week.
const SECONDS: RangeInclusive<u64> = 0..=7 * 24 * 3600;

/// A count that a threshold names: none would be reached by nothing at all.
const COUNT: RangeInclusive<u64> = 1..=1_000_000_000;

impl Thresholds {
    /// What is wrong with its numbers.
    pub fn fault(&self) -> Option<String> {
        let numbers = [
            ("crash_restarts", self.crash_restarts, COUNT),
            ("pending_seconds", self.pending_seconds, SECONDS),
            ("replicas_seconds", self.replicas_seconds, SECONDS),
            ("job_hours", self.job_hours, 1..=7 * 24),
            ("volume_warning_percent", self.volume_warning_percent, 1..=100),
            ("volume_critical_percent", self.volume_critical_percent, 1..=100),
            ("errors_per_minute", self.errors_per_minute, COUNT),
            ("errors_factor", self.errors_factor, COUNT),
            ("errors_per_minute_max", self.errors_per_minute_max, COUNT),
            ("request_open_seconds", self.request_open_seconds, SECONDS),
            ("request_p95_ms", self.request_p95_ms, COUNT),
            ("request_minutes", self.request_minutes, 1..=15),
            ("requests_min", self.requests_min, COUNT),
            ("source_down_seconds", self.source_down_seconds, SECONDS),
            ("probe_failing_seconds", self.probe_failing_seconds, SECONDS),
            ("gap_seconds", self.gap_seconds, SECONDS),
        ];
        if let Some((name, _, range)) = numbers.into_iter().find(|(_, n, range)| !range.contains(n))
        {
            return Some(format!("{name} must lie between {} and {}", range.start(), range.end()));
        }
        (self.volume_warning_percent > self.volume_critical_percent)
            .then(|| "volume_warning_percent must not be above volume_critical_percent".into())
    }

    /// Whether a kind is looked for.
    pub fn names(&self, kind: Kind) -> bool {
        !self.off.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_every_number_has_its_range() {
        assert_eq!(Thresholds::default().fault(), None);
        let wrong = Thresholds { errors_factor: 0, ..Thresholds::default() };
        assert_eq!(wrong.fault().unwrap(), "errors_factor must lie between 1 and 1000000000");
        let wrong = Thresholds { volume_warning_percent: 95, ..Thresholds::default() };
        assert!(wrong.fault().unwrap().contains("must not be above"));
    }
}
