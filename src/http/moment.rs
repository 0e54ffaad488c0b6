//! What an answer is of: the present, or a past moment that is built by replay and kept for a while.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::{
    error::Error,
    limits::{LIST_TIME, LOOKUP_TIME, MOMENTS_MAX, PAGE_TIME},
    params::{At, Params, bad},
};
use crate::{
    journal::{Positions, Reader, Seq},
    recorder::{Published, Snapshot},
    views::read::{Window, state_at},
};

/// The views at one moment, and the journal to ask for what lies before it.
#[derive(Debug)]
pub(super) struct Moment {
    /// The views.
    pub(super) snapshot: Arc<Snapshot>,
    /// The journal.
    pub(super) reader: Arc<Reader>,
}

impl Moment {
    /// The last event that this moment knows.
    pub(super) fn seq(&self) -> Seq {
        self.snapshot.seq
    }

    /// Which page of a history: nothing after this moment.
    pub(super) fn window(&self, params: &Params) -> Result<Window, Error> {
        let end = self.seq() + 1;
        Ok(Window {
            limit: params.limit()?,
            before: params.seq("before")?.map_or(end, |before| before.min(end)),
            after: params.seq("after")?.unwrap_or(0),
            until: Some(Instant::now() + PAGE_TIME),
        })
    }

    /// The newest so many rows, for one list among others.
    pub(super) fn newest(&self, limit: usize) -> Window {
        let until = Some(Instant::now() + LIST_TIME);
        Window { before: self.seq() + 1, until, ..Window::newest(limit) }
    }

    /// The newest record of one thing.
    pub(super) fn lookup(&self) -> Window {
        Window { until: Some(Instant::now() + LOOKUP_TIME), ..self.newest(1) }
    }
}

/// A moment that is being built, or has been. Those who want the same one wait for one build.
type Slot = Arc<Mutex<Option<Arc<Snapshot>>>>;

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Name {
    epoch: u64,
    seq: Seq,
}

/// The past moments that are kept, the last used one last.
#[derive(Debug, Default)]
pub(super) struct Moments(Mutex<Vec<(Name, Slot)>>);

impl Moments {
    /// The moment that is asked for. Touches maps: call it on a reader thread.
    ///
    /// # Errors
    /// The views are not complete, the moment lies outside of the journal, or it cannot be read.
    pub(super) fn get(&self, published: &Published, at: Option<At>) -> Result<Moment, Error> {
        let reader = reader(published)?;
        let present = published.snapshot.load_full();
        let Some(at) = at else { return Ok(Moment { snapshot: present, reader }) };
        let positions = reader.positions();
        let seq = match at {
            At::Seq(seq) => seq,
            At::TimeNs(ns) => {
                let retired = Error::Retired { first_seq: positions.first_seq };
                reader.seq_at(ns).ok_or(retired)?
            }
        };
        if seq > positions.last_seq {
            let reason = format!("lies after the newest event, {}", positions.last_seq);
            return Err(bad("at", &reason));
        }
        if seq + 1 < positions.first_seq {
            return Err(Error::Retired { first_seq: positions.first_seq });
        }
        // What is not saved yet is the present alone: no past moment has it.
        if seq == present.seq && present.unsaved.is_none() {
            return Ok(Moment { snapshot: present, reader });
        }
        let slot = self.slot(Name { epoch: positions.epoch, seq });
        let snapshot = built(&slot, &reader, seq)?;
        Ok(Moment { snapshot, reader })
    }

    /// Forgets them all: after a wipe they would keep what was wiped on the volume.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Forgets those that the journal no longer reaches: they would keep what was retired on the
    /// volume.
    pub(super) fn keep_within(&self, positions: &Positions) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(name, _)| {
            name.epoch == positions.epoch && name.seq + 1 >= positions.first_seq
        });
    }

    fn slot(&self, name: Name) -> Slot {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known.epoch == name.epoch);
        let known = kept.iter().position(|(known, _)| *known == name);
        let entry = known.map_or_else(|| (name, Slot::default()), |index| kept.remove(index));
        if kept.len() >= MOMENTS_MAX {
            kept.remove(0);
        }
        let slot = entry.1.clone();
        kept.push(entry);
        slot
    }
}

/// The journal's reader once the views are complete.
pub(super) fn reader(published: &Published) -> Result<Arc<Reader>, Error> {
    let reader = published.reader.load_full().filter(|_| published.health.load().replayed);
    reader.ok_or(Error::Starting)
}

fn built(slot: &Slot, reader: &Reader, seq: Seq) -> Result<Arc<Snapshot>, Error> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(snapshot) = &*slot {
        return Ok(snapshot.clone());
    }
    let state = state_at(reader, Some(seq), &mut |_| {})?;
    let snapshot = Arc::new(Snapshot { seq, state, unsaved: None });
    *slot = Some(snapshot.clone());
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_four_are_kept_and_the_longest_unused_goes_first() {
        let moments = Moments::default();
        let name = |seq| Name { epoch: 1, seq };
        let first = moments.slot(name(1));
        for seq in [2, 3, 4, 1, 5] {
            moments.slot(name(seq));
        }
        assert!(Arc::ptr_eq(&first, &moments.slot(name(1))), "1 was used after 2");
        let kept: Vec<Seq> = moments.0.lock().unwrap().iter().map(|(n, _)| n.seq).collect();
        assert_eq!(kept, [3, 4, 5, 1]);
    }

    #[test]
    fn what_was_retired_is_forgotten() {
        let moments = Moments::default();
        for seq in [8, 9, 10] {
            moments.slot(Name { epoch: 1, seq });
        }
        let positions = Positions { epoch: 1, first_seq: 10, ..Positions::default() };
        moments.keep_within(&positions);
        let kept: Vec<Seq> = moments.0.lock().unwrap().iter().map(|(n, _)| n.seq).collect();
        assert_eq!(kept, [9, 10], "the state before the first event can be told");
        moments.keep_within(&Positions { epoch: 2, ..positions });
        assert!(moments.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_new_epoch_forgets_the_old_ones() {
        let moments = Moments::default();
        moments.slot(Name { epoch: 1, seq: 1 });
        moments.slot(Name { epoch: 2, seq: 9 });
        assert_eq!(moments.0.lock().unwrap().len(), 1);
    }
}
