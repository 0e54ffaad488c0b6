//! The read side: what the recorder publishes.

use std::{sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use super::tally::Tally;
use crate::{
    event::{ActionOutcome, ActionProgress, Millis},
    journal::{self, Positions, Reader, Recovery, Seq},
    views::{
        self,
        read::{self, LogCounts},
    },
};

/// The views at one moment; immutable.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The last event applied.
    pub seq: Seq,
    /// The views.
    pub state: views::State,
    /// What the views show and the journal does not hold; `None` while it takes records.
    pub unsaved: Option<Arc<Unsaved>>,
}

/// What is kept in memory while the journal takes no records.
#[derive(Debug, Clone, Default)]
pub struct Unsaved {
    /// Since when.
    pub since: Millis,
    /// Why.
    pub reason: String,
    /// Records that wait in memory.
    pub kept: u64,
    /// Records that are lost, as far as that can be known.
    pub dropped: u64,
    /// Outcomes that wait in memory, oldest first: no history has them yet.
    pub outcomes: Vec<ActionOutcome>,
    /// Output of actions that waits with them, oldest first.
    pub progress: Vec<ActionProgress>,
}

/// How much is kept, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// What the journal may take on the volume, bytes; `None` where the volume does not tell its
    /// size.
    pub bytes_max: Option<u64>,
    /// How long events are kept; `None` for as long as there is room.
    pub age_max: Option<Duration>,
    /// What is left free on the volume, bytes.
    pub free_min: u64,
    /// What each source of log lines and traces may record a day, bytes; `None` for no bound.
    pub source_bytes_per_day: Option<u64>,
}

/// What the recorder says of itself.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The views are complete.
    pub replayed: bool,
    /// Records applied at the start so far.
    pub applied: u64,
    /// Why something does not work as it should; empty when all is well.
    pub degraded: Vec<String>,
    /// What recovery found; `None` until the journal is open.
    pub recovery: Option<Arc<Recovery>>,
    /// Records that the views could not take in, a line each.
    pub passed_over: Vec<String>,
    /// How much is kept; all zero in a backup, of which everything is.
    pub limits: Limits,
}

/// What every reader shares.
#[derive(Debug)]
pub struct Published {
    /// Replaced after a batch, at most every 20 ms.
    pub snapshot: ArcSwap<Snapshot>,
    /// `None` until the journal is open.
    pub reader: ArcSwapOption<Reader>,
    /// The recorder's health.
    pub health: ArcSwap<Health>,
    /// Changes after the snapshot did, and with every sync.
    pub positions: watch::Receiver<Positions>,
    /// What was done since the start.
    pub tally: Tally,
}

impl Published {
    /// Nothing published yet.
    pub(super) fn empty(positions: watch::Receiver<Positions>) -> Published {
        Published {
            snapshot: ArcSwap::default(),
            reader: ArcSwapOption::empty(),
            health: ArcSwap::default(),
            positions,
            tally: Tally::default(),
        }
    }

    /// The whole of a journal that nobody appends to: a backup.
    ///
    /// # Errors
    /// The journal could not be read.
    pub fn of_backup(reader: Reader, recovery: Recovery) -> Result<Published, journal::Error> {
        let mut applied = 0;
        let fold = read::fold_at(&reader, None, &mut |count| applied = count)?;
        let positions = reader.positions();
        let published = Published::empty(watch::channel(positions).1);
        published.snapshot.store(Arc::new(Snapshot {
            seq: positions.last_seq,
            state: fold.state,
            unsaved: None,
        }));
        published.reader.store(Some(Arc::new(reader)));
        published.health.store(Arc::new(Health {
            replayed: true,
            applied,
            degraded: fold.unread.alarms(),
            recovery: Some(Arc::new(recovery)),
            passed_over: fold.unread.lines(),
            limits: Limits::default(),
        }));
        Ok(published)
    }

    /// What some sources have logged after an event, as far as the journal holds it. Touches the
    /// map: not for an async worker.
    ///
    /// # Errors
    /// The journal could not be read.
    pub fn log_counts(&self, after: Seq, sources: &[String]) -> Result<LogCounts, journal::Error> {
        let Some(reader) = self.reader.load_full() else { return Ok(LogCounts::default()) };
        read::log_counts(&reader, after, sources)
    }

    /// Waits until the views are complete; false when the recorder stopped before.
    pub async fn replayed(&self) -> bool {
        let mut positions = self.positions.clone();
        while !self.health.load().replayed {
            if positions.changed().await.is_err() {
                return self.health.load().replayed;
            }
        }
        true
    }
}
