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
use crate::{
    event::{Event, Extensions, ProcessUsage, now},
    process::{self, Usage},
};

/// The name of this source.
pub const NAME: &str = "recorder/process";

/// It is measured this often.
const INTERVAL: Duration = Duration::from_secs(60);

/// The first measurement of the processor covers this time.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);

/// This process.
#[derive(Debug, Default)]
pub struct OwnProcess {
    before: Option<(Instant, Usage)>,
}

impl Source for OwnProcess {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let failed = |error: io::Error| Failure::Down {
            reason: format!("reading /proc/self failed: {error}; is /proc mounted?"),
            retry: Retry::Rarely,
        };
        let measured = || process::usage().map(|usage| (Instant::now(), usage)).map_err(failed);
        let mut before = match self.before {
            Some(before) => before,
            None => measured()?,
        };
        report.up().await?;
        let mut wait = FIRST_INTERVAL;
        loop {
            tokio::time::sleep(wait).await;
            let (at, usage) = measured()?;
            let cpu_seconds = usage.cpu_seconds - before.1.cpu_seconds;
            let cores = cpu_seconds / at.duration_since(before.0).as_secs_f64();
            report.heard(now());
            report.send(vec![Event::ProcessUsage(event(cores, &usage))]).await?;
            before = (at, usage);
            self.before = Some(before);
            wait = INTERVAL;
        }
    }

    fn forget(&mut self) {
        self.before = None;
    }
}

fn event(cores: f64, usage: &Usage) -> ProcessUsage {
    let body = json!({
        "private_bytes": usage.private_bytes,
        "resident_bytes": usage.resident_bytes,
        "threads": usage.threads,
    });
    ProcessUsage {
        source: NAME.into(),
        name: "recorder".into(),
        cpu_cores: Some(cores).filter(|cores| cores.is_finite() && *cores >= 0.0),
        memory_bytes: Some(usage.private_bytes),
        body: body.to_string(),
        observed: now(),
        gone: false,
        ext: Extensions::default(),
    }
}
