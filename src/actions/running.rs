//! The actions that run, by id, so that they can be cancelled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// Tells an action who cancelled it.
pub type Cancelled = watch::Receiver<Option<String>>;

/// The running actions. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<HashMap<String, watch::Sender<Option<String>>>>>);

/// An action that runs until this is dropped.
#[derive(Debug)]
pub struct Entry {
    running: Running,
    id: String,
}

impl Running {
    /// Adds an action.
    pub fn add(&self, id: &str) -> (Entry, Cancelled) {
        let (cancel, cancelled) = watch::channel(None);
        self.lock(|running| running.insert(id.to_owned(), cancel));
        (Entry { running: self.clone(), id: id.to_owned() }, cancelled)
    }

    /// Cancels one; false where it does not run. The first who cancels is the one who did.
    pub fn cancel(&self, id: &str, who: &str) -> bool {
        self.lock(|running| match running.get(id) {
            Some(cancel) => {
                tell(cancel, who);
                true
            }
            None => false,
        })
    }

    /// Cancels all.
    pub fn cancel_all(&self, who: &str) {
        self.lock(|running| running.values().for_each(|cancel| tell(cancel, who)));
    }

    fn lock<T>(
        &self,
        f: impl FnOnce(&mut HashMap<String, watch::Sender<Option<String>>>) -> T,
    ) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn tell(cancel: &watch::Sender<Option<String>>, who: &str) {
    cancel.send_if_modified(|known| {
        let is_first = known.is_none();
        known.get_or_insert_with(|| who.to_owned());
        is_first
    });
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.lock(|running| running.remove(&self.id));
    }
}
