//! The one thread that joins journal and views; snapshots; the live feed.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{mpsc, watch};

use crate::{
    event::{Event, Observed},
    journal::{Positions, Reader, Recovery, Seq, WipeNote},
    views,
};

/// How many messages of collectors may wait for the recorder.
pub const QUEUE_MESSAGES_MAX: usize = 8192;

/// The views at one moment; immutable.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The last event applied.
    pub seq: Seq,
    /// The views.
    pub state: views::State,
}

/// What the recorder says of itself.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The views are complete.
    pub replayed: bool,
    /// Events applied at the start so far.
    pub applied: u64,
    /// Why something does not work as it should; empty when all is well.
    pub degraded: Vec<String>,
    /// What recovery found.
    pub recovery: Option<Arc<Recovery>>,
}

/// The read side: shared by every reader, without a lock.
#[derive(Debug)]
pub struct Published {
    /// Replaced after each batch, at most every 20 ms.
    pub snapshot: ArcSwap<Snapshot>,
    /// `None` until the journal is open.
    pub reader: ArcSwapOption<Reader>,
    /// The recorder's health.
    pub health: ArcSwap<Health>,
    /// Changes with every published batch and every sync.
    pub positions: watch::Receiver<Positions>,
}

/// The write side. Clones share one bounded queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    #[expect(dead_code, reason = "skeleton")]
    queue: mpsc::Sender<Observed>,
}

/// Why the recorder did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recorder has stopped.
    #[error("the recorder has stopped; the process is shutting down")]
    Stopped,
    /// The journal cannot take it now.
    #[error("the journal cannot record this now: {reason}")]
    NotRecorded {
        /// What failed.
        reason: String,
    },
}

impl Recorder {
    /// Records events and waits until they are durable; returns the number of the last one.
    ///
    /// # Errors
    /// The journal could not take them: nothing was done.
    pub async fn record_durable(&self, _events: Vec<Event>) -> Result<Seq, Error> {
        unimplemented!()
    }

    /// Empties journal and views and starts a new epoch. The wipe itself is recorded as an action.
    ///
    /// # Errors
    /// The new epoch could not be written: nothing was wiped.
    pub async fn wipe(&self, _note: WipeNote) -> Result<(u64, Seq), Error> {
        unimplemented!()
    }
}
