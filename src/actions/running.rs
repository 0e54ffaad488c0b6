//! The actions that run, by id, so that they can be cancelled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// Tells an action who cancelled it.
pub type Cancelled = watch::Receiver<Option<String>>;

/// The running actions. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<String, watch::Sender<Option<String>>>,
    /// Who cancelled all of them, and cancels each that comes.
    stopped_by: Option<String>,
}

/// An action that runs until this is dropped.
#[derive(Debug)]
pub struct Entry {
    running: Running,
    id: String,
}

impl Running {
    /// Adds an action; where all were cancelled, it is too.
    pub fn add(&self, id: &str) -> (Entry, Cancelled) {
        let mut known = self.known();
        let (cancel, cancelled) = watch::channel(known.stopped_by.clone());
        known.by_id.insert(id.to_owned(), cancel);
        (Entry { running: self.clone(), id: id.to_owned() }, cancelled)
    }

    /// Cancels one; false where it does not run. The first who cancels is the one who did.
    pub fn cancel(&self, id: &str, who: &str) -> bool {
        let known = self.known();
        let running = known.by_id.get(id);
        running.inspect(|cancel| tell(cancel, who)).is_some()
    }

    /// Cancels all, and each that is added later.
    pub fn cancel_all(&self, who: &str) {
        let mut known = self.known();
        known.by_id.values().for_each(|cancel| tell(cancel, who));
        known.stopped_by = Some(who.to_owned());
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.running.known().by_id.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_who_cancels_is_the_one_who_did() {
        let running = Running::default();
        let (entry, cancelled) = running.add("a");
        assert!(running.cancel("a", "one") && running.cancel("a", "two"));
        assert_eq!(cancelled.borrow().as_deref(), Some("one"));
        drop(entry);
        assert!(!running.cancel("a", "one"));
    }

    #[test]
    fn what_is_added_after_all_were_cancelled_is_cancelled() {
        let running = Running::default();
        let (_entry, before) = running.add("a");
        running.cancel_all("the stop");
        let (_entry, after) = running.add("b");
        for cancelled in [before, after] {
            assert_eq!(cancelled.borrow().as_deref(), Some("the stop"));
        }
    }
}
