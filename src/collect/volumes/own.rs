//! The recorder's own volume: how full it is, asked of the file system.

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{Config, book::Book};
use crate::{
    collect::{
        report::Report,
        supervisor::{Failure, Retry, Source},
    },
    event::{Event, Extensions, VolumeUsage, now},
};

/// What it is called: it has no namespace.
const CLAIM: &str = "recorder";

/// Measures the volume of a directory.
pub struct Own {
    dir: Option<PathBuf>,
    interval: Duration,
    answer_time_max: Duration,
    book: Book,
    /// Asked, and not answered yet: a volume that hangs is asked once.
    asked: Option<JoinHandle<io::Result<VolumeUsage>>>,
}

impl Own {
    /// The name of the source.
    pub const NAME: &str = "volumes/recorder";

    /// Goes on from what is recorded.
    pub fn new(config: &Config, recorded: &[Event]) -> Own {
        let Config { interval, answer_time_max, .. } = *config;
        let book = Book::new(Own::NAME, recorded);
        Own { dir: config.own.clone(), interval, answer_time_max, book, asked: None }
    }

    async fn round(&mut self, dir: &Path, report: &mut Report) -> Result<(), Failure> {
        let (asked, named) = (dir.to_owned(), dir.display());
        let down = |reason| Failure::Down { reason, retry: Retry::BackOff };
        let asked = self.asked.get_or_insert_with(|| spawn_blocking(move || measure(&asked)));
        let answer = timeout(self.answer_time_max, asked).await;
        let answer =
            answer.map_err(|_| down(format!("statvfs of {named} hangs; does its volume?")))?;
        self.asked = None;
        let answer = answer.map_err(|_| down(format!("statvfs of {named} failed in itself")))?;
        let usage = answer
            .map_err(|error| down(format!("statvfs of {named} failed: {error}; is it there?")))?;
        report.send(self.book.volume(usage).into_iter().collect()).await?;
        report.up().await?;
        report.heard(now());
        Ok(())
    }
}

fn measure(dir: &Path) -> io::Result<VolumeUsage> {
    let volume = rustix::fs::statvfs(dir)?;
    let bytes = |blocks: u64| blocks.saturating_mul(volume.f_frsize);
    Ok(VolumeUsage {
        source: Own::NAME.into(),
        namespace: String::new(),
        claim: CLAIM.into(),
        pod: String::new(),
        node: String::new(),
        path: Some(dir.display().to_string()),
        used_bytes: bytes(volume.f_blocks.saturating_sub(volume.f_bfree)),
        capacity_bytes: bytes(volume.f_blocks),
        available_bytes: bytes(volume.f_bavail),
        inodes_used: volume.f_files.saturating_sub(volume.f_ffree),
        inodes: volume.f_files,
        observed: now(),
        gone: false,
        ext: Extensions::default(),
    })
}

impl Source for Own {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let Some(dir) = self.dir.clone() else {
            let reason = "no directory of the recorder is known".to_owned();
            return Err(Failure::NotConfigured { reason });
        };
        loop {
            let began = Instant::now();
            self.round(&dir, report).await?;
            tokio::time::sleep_until((began + self.interval).into()).await;
        }
    }

    fn forget(&mut self) {
        self.book.start_over();
    }
}
