//! Journals to measure on, in folders that are gone at the end. Knows nothing of who reads them.

use std::path::{Path, PathBuf};

use anyhow::Context;
use monitor_backend::{
    event::{millis, now_ns},
    journal::{self, Options, Reader, Retention, SEGMENT_BYTES, Writer},
};
use tempfile::TempDir;

use crate::{events::Events, records::Records};

/// A batch is appended when its payloads reach this size, as the recorder does it.
const BATCH_BYTES: usize = 1 << 20;

/// The variable that says on which volume to measure.
const DIR_VARIABLE: &str = "BENCH_DIR";

/// What a filled journal holds.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    /// Recorded bytes, about.
    pub bytes: u64,
    /// Living pods.
    pub pods: u64,
    /// Days from the first event to the last, which is now.
    pub days: f64,
}

/// The average of a record's bytes in a filled journal, by which its times are spread.
const RECORD_BYTES_AVERAGE: f64 = 285.0;

/// The folder below which everything is measured: `BENCH_DIR`, else the system's temporary one.
pub fn root() -> PathBuf {
    std::env::var_os(DIR_VARIABLE).map_or_else(std::env::temp_dir, PathBuf::from)
}

/// A folder of its own on the volume that is measured.
///
/// # Errors
/// It cannot be created.
pub fn folder() -> anyhow::Result<TempDir> {
    let root = root();
    tempfile::Builder::new()
        .prefix("monitor-backend-bench-")
        .tempdir_in(&root)
        .with_context(|| format!("creating a folder in {} failed", root.display()))
}

/// Opens a journal for appending, with segments of the given size.
///
/// # Errors
/// The journal cannot be opened.
pub fn open(dir: &Path, segment_bytes: u64) -> anyhow::Result<(Writer, Reader)> {
    let (writer, reader, _) = journal::open(options(dir, segment_bytes))?;
    Ok((writer, reader))
}

/// As a journal is opened where the volume is its own.
pub fn options(dir: &Path, segment_bytes: u64) -> Options {
    Options { dir: dir.to_owned(), segment_bytes, keep: Retention::default() }
}

/// Fills a journal and closes it in order; `progress` is told the recorded bytes now and then.
///
/// # Errors
/// The journal cannot be written.
pub fn fill(dir: &Path, content: Content, progress: &mut dyn FnMut(u64)) -> anyhow::Result<()> {
    let (mut writer, reader) = open(dir, SEGMENT_BYTES)?;
    let span_ns = content.days * 86_400e9;
    let step_ns = (span_ns / (content.bytes as f64 / RECORD_BYTES_AVERAGE)) as i64;
    let mut time_ns = now_ns() - span_ns as i64;
    let mut events = Events::new(1, content.pods);
    let mut records = Records::default();
    for event in events.beginning(millis(time_ns)) {
        records.push(&event, time_ns);
        if records.bytes() >= BATCH_BYTES {
            writer.append(&records.batch())?;
            records.clear();
        }
    }
    while reader.positions().bytes < content.bytes {
        while records.bytes() < BATCH_BYTES {
            time_ns = (time_ns + step_ns).min(now_ns());
            records.push(&events.next(millis(time_ns)), time_ns);
        }
        writer.append(&records.batch())?;
        records.clear();
        progress(reader.positions().bytes);
    }
    writer.close()?;
    Ok(())
}

/// Batches of encoded log lines alone, so many records each.
pub fn lines(batches: usize, records_per_batch: usize) -> Vec<Records> {
    let mut events = Events::new(2, 1);
    let time_ns = now_ns();
    let mut batch = || {
        let mut records = Records::default();
        for _ in 0..records_per_batch {
            records.push(&events.line(millis(time_ns)), time_ns);
        }
        records
    };
    (0..batches).map(|_| batch()).collect()
}
