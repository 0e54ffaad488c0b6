//! The read side: what the recorder publishes.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use crate::{
    journal::{self, Positions, Reader, Recovery, Seq},
    views::{self, read},
};

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
    /// Records applied at the start so far.
    pub applied: u64,
    /// Why something does not work as it should; empty when all is well.
    pub degraded: Vec<String>,
    /// What recovery found; `None` until the journal is open.
    pub recovery: Option<Arc<Recovery>>,
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
}

impl Published {
    /// Nothing published yet.
    pub(super) fn empty(positions: watch::Receiver<Positions>) -> Published {
        Published {
            snapshot: ArcSwap::default(),
            reader: ArcSwapOption::empty(),
            health: ArcSwap::default(),
            positions,
        }
    }

    /// The whole of a journal that nobody appends to: a backup.
    ///
    /// # Errors
    /// The journal could not be read.
    pub fn of_backup(reader: Reader, recovery: Recovery) -> Result<Published, journal::Error> {
        let mut applied = 0;
        let state = read::state_at(&reader, None, &mut |count| applied = count)?;
        let positions = reader.positions();
        let published = Published::empty(watch::channel(positions).1);
        published.snapshot.store(Arc::new(Snapshot { seq: positions.last_seq, state }));
        published.reader.store(Some(Arc::new(reader)));
        let recovery = Some(Arc::new(recovery));
        let health = Health { replayed: true, applied, degraded: Vec::new(), recovery };
        published.health.store(Arc::new(health));
        Ok(published)
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
