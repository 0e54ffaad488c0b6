//! A new epoch: an empty journal that begins by saying who wiped the old one, when, why and what
//! went. The new segment's name is the commit; files of the old epoch are unlinked after it.

use std::{path::Path, sync::Arc};

use super::{
    control::{Control, Wipe},
    draft::{self, Committed},
    error::Error,
    format::Header,
    fs::Fs,
    header::Previous,
    keymap::KeyMap,
    place::Places,
    record::NewRecord,
    rotation::Start,
    segment::Segment,
    writer::{self, Appended, Writer},
};

/// Who wipes, and why.
#[derive(Debug, Clone)]
pub struct WipeNote {
    /// The name that stands in the audit.
    pub actor: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// When, nanoseconds since 1970.
    pub time_ns: i64,
}

impl Writer {
    /// Starts a new epoch: an empty journal whose first records are the wipe record and `first`.
    /// They are durable when this returns. Sequence numbers go on.
    ///
    /// # Errors
    /// The new epoch could not be written: nothing was wiped. If the volume does not even let its
    /// name be taken back, nothing more is recorded either until it does: a start before that
    /// would find the wipe done.
    pub fn wipe(&mut self, note: &WipeNote, first: &[NewRecord<'_>]) -> Result<Appended, Error> {
        writer::checked(self.next_seq, first)?;
        self.make_up_for_removed(note.time_ns);
        self.may_record()?;
        let events: Vec<(Header, &[u8])> = first
            .iter()
            .zip(self.next_seq..)
            .map(|(record, seq)| (writer::header(record, seq), record.payload))
            .collect();
        let wipe = self.wipe_record(note);
        let committed = self.start_epoch(&Start {
            epoch: self.epoch + 1,
            prev: Previous { last_seq: self.last_seq, ..Previous::default() },
            base_seq: self.next_seq,
            time_ns: note.time_ns,
            room: 0,
            wipe: Some(wipe),
            living: &KeyMap::default(),
            events: &events,
        })?;
        let old = self.published_segments();
        let appended = Appended {
            first_seq: self.next_seq,
            places: Places::of(&committed.open.segment, &committed.events),
        };
        self.epoch += 1;
        self.last_seq = committed.open.segment.last_seq();
        self.next_seq = self.last_seq + 1;
        self.durable_seq = self.last_seq;
        self.last_time_ns = note.time_ns;
        self.take_over(committed, Vec::new());
        unlink(&*self.fs, &self.dir, &old);
        self.make_reserve();
        Ok(appended)
    }

    /// Starts the new epoch's first segment. Where neither the volume nor what was kept
    /// back has room, the
    /// oldest segments go first: they are wiped anyway. The newest stays, so that a crash leaves a
    /// journal that goes on.
    fn start_epoch(&mut self, start: &Start<'_>) -> Result<Committed, Error> {
        loop {
            let mut segments = self.published_segments();
            let started = self.start_segment(start);
            // A failed attempt may have used it up.
            self.make_reserve();
            match started {
                Err(error) if error.is_storage_full() && segments.len() > 1 => {
                    let oldest = segments.remove(0);
                    self.publish(Arc::new(segments));
                    unlink(&*self.fs, &self.dir, &[oldest]);
                }
                other => return other,
            }
        }
    }

    fn wipe_record(&self, note: &WipeNote) -> Control {
        let old = self.shared.state.load();
        Control::Wipe(Wipe {
            old_epoch: self.epoch,
            first_seq: old.positions.first_seq,
            last_seq: self.last_seq,
            bytes: old.positions.bytes,
            segments: u32::try_from(old.segments.len()).unwrap_or(u32::MAX),
            actor: note.actor.clone(),
            reason: note.reason.clone(),
        })
    }
}

/// Unlinks the files of a wiped epoch. What cannot be unlinked now is unlinked at the next start,
/// which finds the wipe record.
fn unlink(fs: &dyn Fs, dir: &Path, segments: &[Arc<Segment>]) {
    for segment in segments {
        draft::remove_quietly(fs, &segment.path);
    }
    let _: std::io::Result<()> = fs.sync_dir(dir);
}
