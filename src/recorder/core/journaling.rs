//! Appending, applying and syncing while the journal takes records. What it does not take goes to
//! `trouble`.

use tokio::{sync::oneshot, time::Instant};

use super::{Batch, Core, Waiter, loss};
use crate::{
    event::{Event, Role, millis, now, now_ns},
    journal::{self, Appended, Seq},
    recorder::{Error, Recorded, with_causes},
    views::Body,
};

impl Core {
    /// Takes an event into the next batch; returns what it takes of the journal, bytes.
    pub(super) fn stage(&mut self, event: Event) -> usize {
        let bytes = self.staged.push(event);
        if self.staged.is_full() {
            self.commit();
        }
        bytes
    }

    /// Appends, publishes and applies what is staged, or keeps it while the journal takes nothing.
    pub(super) fn commit(&mut self) {
        let staged = std::mem::take(&mut self.staged);
        if !self.healing.is_troubled() {
            let told = self.tell_losses();
            match told.and_then(|()| self.append_accepted(&staged)) {
                Ok(()) => return,
                Err(error) => self.fall_ill(&error),
            }
        }
        let time_ns = now_ns();
        for event in staged.events() {
            self.keep(event, time_ns);
        }
    }

    /// Tells what was discarded on its way here.
    fn tell_losses(&mut self) -> Result<(), journal::Error> {
        if !self.losses.is_empty() {
            let reason = "records on their way when the journal took none were dropped";
            self.append(&Batch::of(self.losses.as_gaps(reason, now())))?;
            self.forget_losses();
        }
        Ok(())
    }

    /// The losses are told; what is shown of their sources may still be out of date.
    pub(super) fn forget_losses(&mut self) {
        let losses = std::mem::take(&mut self.losses);
        for (source, from) in losses.stale_since() {
            let known = self.blind_since.entry(source.clone()).or_insert(from);
            *known = known.min(from);
        }
    }

    /// Appends a batch; in the place of an event that no journal can hold stands the gap it leaves.
    fn append_accepted(&mut self, batch: &Batch) -> Result<(), journal::Error> {
        if batch.is_empty() {
            return Ok(());
        }
        match self.append(batch) {
            Err(journal::Error::Refused { index, reason }) => {
                let gap = loss::refused(&batch.events()[index], &reason, now());
                self.append_accepted(&batch.with(index, gap))
            }
            result => result.map(|_| ()),
        }
    }

    /// Appends events and applies them; returns the number of the last one.
    fn append(&mut self, batch: &Batch) -> Result<Seq, journal::Error> {
        let time_ns = now_ns();
        let appended = self.writer.append(&batch.records(time_ns))?;
        self.note_appended(batch.events(), batch.events().len(), batch.bytes());
        Ok(self.apply(batch.events(), appended, time_ns))
    }

    /// Notes what was appended: so many events, `told` among them.
    pub(super) fn note_appended(&mut self, told: &[Event], events: usize, bytes: usize) {
        let tally = &self.outputs.published.tally;
        tally.appended(events as u64, bytes);
        tally.note_gaps(told);
        self.unsynced_bytes += bytes;
        self.unsynced_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn apply(&mut self, events: &[Event], appended: Appended, time_ns: i64) -> Seq {
        let Appended { first_seq, places } = appended;
        for (index, event) in events.iter().enumerate() {
            // History changes nothing that lives, and is nearly everything.
            if event.role() != Role::History
                && let Some(place) = places.get(index)
            {
                let seq = first_seq + index as u64;
                self.fold.apply(event, Body { seq, learned: millis(time_ns), place });
            }
        }
        self.is_stale = true;
        self.refresh_places();
        first_seq + places.len() as u64 - 1
    }

    /// Records an admin's events; the answer waits for the sync. `keeps`: where the journal takes
    /// nothing, the events wait in memory, and the answer does not wait for them.
    pub(super) fn record(
        &mut self,
        events: Vec<Event>,
        keeps: bool,
        done: oneshot::Sender<Result<Recorded, Error>>,
    ) {
        self.commit();
        if !self.healing.is_troubled() {
            match self.append(&Batch::of(events.clone())) {
                Ok(seq) => return self.waiters.push(Waiter { seq, keeps, done }),
                Err(error @ journal::Error::Refused { .. }) => {
                    // The asker may have gone; there is nothing to undo.
                    let _ = done.send(Err(Error::NotRecorded { reason: with_causes(&error) }));
                    return;
                }
                Err(error) => self.fall_ill(&error),
            }
        }
        // The asker may have gone; what is kept is recorded all the same.
        let _ = done.send(self.record_in_memory(&events, keeps));
    }

    fn record_in_memory(&mut self, events: &[Event], keeps: bool) -> Result<Recorded, Error> {
        let not_recorded = |reason: &str| Error::NotRecorded { reason: reason.to_owned() };
        let time_ns = now_ns();
        if !keeps {
            return Err(not_recorded(self.healing.reason()));
        }
        match events.iter().all(|event| self.keep(event, time_ns)) {
            true => Ok(Recorded::InMemory),
            false => Err(not_recorded("too many records of actions wait for the journal already")),
        }
    }

    pub(super) fn sync(&mut self) {
        let began = Instant::now();
        let result = self.writer.sync();
        if self.unsynced_since.is_some() {
            self.outputs.published.tally.synced(began.elapsed(), result.is_ok());
        }
        self.unsynced_bytes = 0;
        self.unsynced_since = None;
        self.is_stale = true;
        if let Err(error) = &result {
            self.fall_ill(error);
        }
        if !self.waiters.is_empty() {
            // Whoever is told that it is recorded finds it in the views.
            self.publish();
        }
        for waiter in self.waiters.drain(..) {
            let answer = match &result {
                Ok(_) => Ok(Recorded::Durable(waiter.seq)),
                Err(_) if waiter.keeps => Ok(Recorded::InMemory),
                Err(error) => Err(Error::Unsure { reason: with_causes(error) }),
            };
            // The asker may have gone; the record stands all the same.
            let _ = waiter.done.send(answer);
        }
    }
}
