//! The way from the collectors to the recorder: a bounded queue, and the generation to work in.
//! Everything is redacted here, whoever sends it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use crate::{
    event::{Observation, Observed},
    redact::Rules,
};

/// The sending side of the recorder's queue. Clones share it.
#[derive(Debug, Clone)]
pub struct Outlet {
    queue: mpsc::Sender<Observed>,
    generation: watch::Receiver<u64>,
    rules: Arc<Rules>,
    waits: Arc<AtomicU64>,
}

/// The recorder does not listen any more: the process is stopping.
#[derive(Debug, thiserror::Error)]
#[error("the recorder has stopped")]
pub struct Stopped;

/// Why a message was not taken at once.
#[derive(Debug)]
pub enum Refused {
    /// The queue is full; the message comes back.
    Full(Observation),
    /// The recorder has stopped.
    Stopped,
}

impl Outlet {
    /// An outlet into the recorder's queue; `generation` changes when they must start over.
    pub fn new(queue: mpsc::Sender<Observed>, generation: watch::Receiver<u64>) -> Outlet {
        Outlet { queue, generation, rules: Arc::default(), waits: Arc::default() }
    }

    /// The same outlet with other rules of redaction.
    pub fn redacting(self, rules: Arc<Rules>) -> Outlet {
        Outlet { rules, ..self }
    }

    /// How often [`Outlet::send`] had to wait for room; all clones count together.
    pub fn waits(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.waits)
    }

    /// Whether anything is redacted.
    pub fn is_redacting(&self) -> bool {
        self.rules.is_on()
    }

    /// The present generation.
    pub fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    /// Waits until the generation is another one than `known`.
    ///
    /// # Errors
    /// The recorder has stopped, so there will be no other one.
    pub async fn generation_after(mut self, known: u64) -> Result<u64, Stopped> {
        tokio::select! {
            () = self.queue.closed() => Err(Stopped),
            generation = self.generation.wait_for(|generation| *generation != known) => {
                generation.map(|generation| *generation).map_err(|_| Stopped)
            }
        }
    }

    /// Sends, and waits while the queue is full: for sources that can be asked again.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn send(&self, generation: u64, what: Observation) -> Result<(), Stopped> {
        let what = self.redacted(what);
        let observed = Observed { generation, what };
        match self.queue.try_send(observed) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Stopped),
            Err(TrySendError::Full(observed)) => {
                self.waits.fetch_add(1, Relaxed);
                self.queue.send(observed).await.map_err(|_| Stopped)
            }
        }
    }

    /// Sends at once or not at all: for a source that nobody can ask again, and must not be held up.
    ///
    /// # Errors
    /// The queue is full, or the recorder has stopped.
    pub fn try_send(&self, generation: u64, what: Observation) -> Result<(), Refused> {
        let what = self.redacted(what);
        self.queue.try_send(Observed { generation, what }).map_err(|refused| match refused {
            TrySendError::Full(observed) => Refused::Full(observed.what),
            TrySendError::Closed(_) => Refused::Stopped,
        })
    }

    fn redacted(&self, mut what: Observation) -> Observation {
        if let Observation::Events(events) = &mut what {
            events.iter_mut().for_each(|event| self.rules.event(event));
        }
        what
    }
}
