//! The output of a running action: its lines go into the journal as they come, a few at a time, and
//! within bounds, so that a program that never stops talking costs the journal no more than a book.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use super::secret::Mask;
use crate::{
    event::{ActionProgress, Event, Extensions},
    recorder::{self, Recorded, Recorder},
};

/// A longer line is cut: nobody reads it, and a record must stay small.
pub const LINE_BYTES_MAX: usize = 4096;

/// The lines of one action that are recorded: more than anybody reads, less than a segment.
pub const LINES_MAX: u64 = 20_000;

/// The bytes of those lines; the smallest segment holds a few times as much.
pub const BYTES_MAX: u64 = 4 << 20;

/// Lines wait for this long for others to share their record's sync.
const BATCH_TIME: Duration = Duration::from_millis(100);

/// ... or until so many wait.
const BATCH_LINES_MAX: usize = 256;

/// Lines that an action keeps in memory while the journal takes nothing: that memory is for
/// intents and outcomes, of which a thousand fit.
const KEPT_MAX: usize = 40;

/// Takes the lines of one action. Clones take them for the same one.
#[derive(Debug, Clone)]
pub struct Progress {
    lines: mpsc::Sender<String>,
    mask: Arc<Mask>,
}

impl Progress {
    /// Records one line; waits while too many wait already. Secrets are masked.
    pub async fn line(&self, text: &str) {
        let text = cut(self.mask.apply(text.trim_end_matches(['\n', '\r'])));
        // The writer ends before the action only when the recorder has stopped.
        let _ = self.lines.send(text).await;
    }

    /// The same, with more secrets to mask.
    pub fn masking(&self, mask: Arc<Mask>) -> Progress {
        Progress { lines: self.lines.clone(), mask }
    }
}

/// Starts to record the lines of an action; the task ends when every [`Progress`] is gone.
pub fn start(recorder: Recorder, id: String) -> (Progress, JoinHandle<()>) {
    let (lines, waiting) = mpsc::channel(BATCH_LINES_MAX);
    let writer = Writer { recorder, id, lines: 0, bytes: 0, kept: 0, dropped: 0 };
    (Progress { lines, mask: Arc::default() }, tokio::spawn(writer.run(waiting)))
}

struct Writer {
    recorder: Recorder,
    id: String,
    lines: u64,
    bytes: u64,
    kept: usize,
    dropped: u64,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<String>) {
        while let Some(first) = waiting.recv().await {
            let batch = gather(first, &mut waiting).await;
            let within: Vec<String> = batch.into_iter().filter(|line| self.admits(line)).collect();
            self.record(within).await;
        }
        if self.dropped > 0 {
            let line = format!("{} lines of output were dropped", self.dropped);
            self.record(vec![line]).await;
        }
    }

    fn admits(&mut self, line: &str) -> bool {
        self.lines += 1;
        self.bytes += line.len() as u64;
        let is_within = self.lines <= LINES_MAX && self.bytes <= BYTES_MAX;
        self.dropped += u64::from(!is_within);
        is_within
    }

    async fn record(&mut self, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let count = lines.len();
        let events = lines.into_iter().map(|line| self.event(line)).collect();
        let recorded = if self.kept + count <= KEPT_MAX {
            self.recorder.record_or_keep(events).await
        } else {
            self.recorder.record_durable(events).await.map(Recorded::Durable)
        };
        match recorded {
            Ok(Recorded::Durable(_)) | Err(recorder::Error::Unsure { .. }) => {}
            Ok(Recorded::InMemory) => self.kept += count,
            Err(recorder::Error::NotRecorded { .. } | recorder::Error::Stopped) => {
                self.dropped += count as u64;
            }
        }
    }

    fn event(&self, line: String) -> Event {
        Event::ActionProgress(ActionProgress {
            id: self.id.clone(),
            line,
            ext: Extensions::default(),
        })
    }
}

/// A line and those that follow it soon.
async fn gather(first: String, waiting: &mut mpsc::Receiver<String>) -> Vec<String> {
    let due = Instant::now() + BATCH_TIME;
    let mut batch = vec![first];
    while batch.len() < BATCH_LINES_MAX
        && let Ok(Some(next)) = timeout_at(due, waiting.recv()).await
    {
        batch.push(next);
    }
    batch
}

/// Cuts a line that is too long, and says how much went.
fn cut(mut line: String) -> String {
    if line.len() > LINE_BYTES_MAX {
        let end = line.floor_char_boundary(LINE_BYTES_MAX);
        let cut = line.len() - end;
        line.truncate(end);
        line.push_str(&format!(" [{cut} bytes more]"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let line = cut("\u{e4}".repeat(LINE_BYTES_MAX));
        assert!(line.ends_with(&format!("[{LINE_BYTES_MAX} bytes more]")));
        assert!(line.len() < LINE_BYTES_MAX + 32);
        assert_eq!(cut("short".into()), "short");
    }
}
