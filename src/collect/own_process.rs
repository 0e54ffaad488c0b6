//! What the recorder's own process uses, as the kernel counts it.

use std::{
    convert::Infallible,
    io,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    report::Report,
    supervisor::{Failure, Retry, Source},
};
use crate::event::{Event, Extensions, ProcessUsage, now};

/// The name of this source.
pub const NAME: &str = "recorder/process";

/// It is measured this often.
const INTERVAL: Duration = Duration::from_secs(60);

/// The first measurement of the processor covers this time.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);

/// This process.
#[derive(Debug, Default)]
pub struct OwnProcess {
    before: Option<Reading>,
}

/// What the kernel has counted by some moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    cpu_seconds: f64,
    /// Memory that nothing but this process needs; segments in maps are not among it.
    private_bytes: u64,
    /// All that is in memory, mapped segments included.
    resident_bytes: u64,
    threads: u64,
}

impl Source for OwnProcess {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let failed = |error: io::Error| Failure::Down {
            reason: format!("reading /proc/self failed: {error}; is /proc mounted?"),
            retry: Retry::Rarely,
        };
        let mut before = match self.before {
            Some(before) => before,
            None => Reading::take().map_err(failed)?,
        };
        report.up().await?;
        let mut wait = FIRST_INTERVAL;
        loop {
            tokio::time::sleep(wait).await;
            let reading = Reading::take().map_err(failed)?;
            report.heard(now());
            report.send(vec![Event::ProcessUsage(usage(&before, &reading))]).await?;
            before = reading;
            self.before = Some(reading);
            wait = INTERVAL;
        }
    }

    fn forget(&mut self) {
        self.before = None;
    }
}

impl Reading {
    fn take() -> io::Result<Reading> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "it has another form");
        let field = |name: &str| number_in(&status, name).ok_or_else(unreadable);
        let ticks = cpu_ticks(&stat).ok_or_else(unreadable)?;
        Ok(Reading {
            at: Instant::now(),
            cpu_seconds: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
            private_bytes: field("RssAnon:")? << 10,
            resident_bytes: field("VmRSS:")? << 10,
            threads: field("Threads:")?,
        })
    }
}

/// The number behind a name in `/proc/self/status`.
fn number_in(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time from `/proc/self/stat`, whose second field may hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

fn usage(before: &Reading, reading: &Reading) -> ProcessUsage {
    let seconds = reading.at.duration_since(before.at).as_secs_f64();
    let cpu = (reading.cpu_seconds - before.cpu_seconds) / seconds;
    let body = json!({
        "private_bytes": reading.private_bytes,
        "resident_bytes": reading.resident_bytes,
        "threads": reading.threads,
    });
    ProcessUsage {
        source: NAME.into(),
        name: "recorder".into(),
        cpu_cores: Some(cpu).filter(|cpu| cpu.is_finite() && *cpu >= 0.0),
        memory_bytes: Some(reading.private_bytes),
        body: body.to_string(),
        observed: now(),
        gone: false,
        ext: Extensions::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_read() {
        let before = Reading::take().expect("/proc is mounted");
        assert!(before.private_bytes > 0 && before.resident_bytes >= before.private_bytes);
        assert!(before.threads > 0);
        let mut sum = 0_u64;
        while Reading::take().expect("/proc is mounted").cpu_seconds <= before.cpu_seconds {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let usage = usage(&before, &Reading::take().expect("/proc is mounted"));
        assert!(usage.cpu_cores.is_some_and(|cores| cores > 0.0), "{usage:?}");
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_fields() {
        let stat = "1 (a ) b) S 0 1 1 0 -1 4194560 5 6 7 8 30 12 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("1 (a) S"), None);
    }
}
