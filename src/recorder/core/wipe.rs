//! The wipe, as the recorder does it: an empty journal, empty views, and collectors that start over.

use super::{Batch, Core};
use crate::{
    event::{ActionOutcome, Event, Wiped, millis},
    journal::{self, Appended, Positions, Reader, Seq, WipeNote, Writer},
    recorder::{Error, with_causes},
    views::fold::Fold,
};

impl Core {
    /// What admins did while the journal took nothing is recorded after the wipe; what was observed
    /// meanwhile is wiped with the rest.
    pub(super) fn wipe(&mut self, note: &WipeNote) -> Result<(u64, Seq), Error> {
        self.commit();
        self.sync();
        let (event, appended) = wipe(&mut self.writer, &self.reader, note)
            .map_err(|error| Error::NotRecorded { reason: with_causes(&error) })?;
        self.fold = Fold::default();
        self.unsaved.forget_entities();
        self.resends.clear();
        self.blind_since.clear();
        let seq = self.apply(&[event], appended, note.time_ns);
        if self.healing.is_troubled() {
            self.heal();
        }
        self.publish_health();
        self.publish();
        self.start_collectors_over();
        self.wiped_before = self.generation;
        Ok((self.reader.positions().epoch, seq))
    }
}

/// Starts a new epoch whose first event says who wiped, when, why and what went.
pub(in crate::recorder) fn wipe(
    writer: &mut Writer,
    reader: &Reader,
    note: &WipeNote,
) -> Result<(Event, Appended), journal::Error> {
    let event = wipe_event(&reader.positions(), note);
    let first = Batch::of(vec![event.clone()]);
    let appended = writer.wipe(note, &first.records(note.time_ns))?;
    Ok((event, appended))
}

fn wipe_event(went: &Positions, note: &WipeNote) -> Event {
    let Positions { epoch, first_seq, last_seq, bytes, .. } = *went;
    let went = Wiped { epoch, first_seq, last_seq, bytes };
    let at = millis(note.time_ns);
    Event::ActionOutcome(ActionOutcome::of_wipe(went, &note.actor, &note.reason, at))
}
