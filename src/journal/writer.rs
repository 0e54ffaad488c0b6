//! Appends. Owned by one thread; what it publishes is read by any.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    control::{Control, SYNC_MARK_BYTES},
    draft::{OpenSegment, Site},
    error::{Attempt, Error},
    format::{self, Header},
    fs::{Fs, Lock},
    header::Previous,
    keymap::KeyMap,
    place::{Place, Places},
    record::{NewRecord, SEQ_END, Seq},
    retention::Keeping,
    segment::Segment,
    sizes::Sizes,
    spare::Spare,
    state::{Positions, Shared, State},
    walk::Frame,
};

/// The most that one batch may hold, encoded: it is gathered in memory and written at once.
pub const BATCH_BYTES_MAX: u64 = 128 << 20;

/// How much the writer keeps of its buffer between batches.
const BUFFER_KEPT_BYTES: usize = 4 << 20;

/// Appends. One per journal, owned by one thread.
#[derive(Debug)]
pub struct Writer {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) dir: PathBuf,
    pub(super) sizes: Sizes,
    pub(super) shared: Arc<Shared>,
    pub(super) boot_id: [u8; 16],
    pub(super) journal_id: [u8; 16],
    pub(super) epoch: u64,
    /// The segment that is appended to; `None` until the first append, and after a failed start.
    pub(super) open: Option<OpenSegment>,
    /// The segment before the open one, or before the next one.
    pub(super) prev: Previous,
    /// Counts the journal's segments.
    pub(super) segment_number: u64,
    pub(super) last_seq: Seq,
    /// `last_seq + 1`, or more after a leap.
    pub(super) next_seq: Seq,
    pub(super) durable_seq: Seq,
    /// What the last sync mark says.
    pub(super) marked_seq: Seq,
    pub(super) last_time_ns: i64,
    pub(super) living: KeyMap,
    pub(super) spare: Spare,
    pub(super) reserve: Option<Site>,
    pub(super) keeping: Keeping,
    pub(super) segments_started: u64,
    pub(super) scratch: Scratch,
    /// `None` where it has to be taken again.
    pub(super) lock: Option<Lock>,
    /// The file system says of an open file whether a name is its own. Some number their files
    /// anew whenever they are asked.
    pub(super) tells_files_apart: bool,
    /// Another process has taken the lock, since somebody removed the lock file.
    pub(super) is_ousted: bool,
    /// A segment that may have got its name though starting it failed.
    pub(super) leftover: Option<PathBuf>,
}

/// Buffers that live from batch to batch.
#[derive(Debug, Default)]
pub struct Scratch {
    bytes: Vec<u8>,
    frames: Vec<Frame>,
}

/// What was appended.
#[derive(Debug)]
pub struct Appended {
    /// The number of the first record; the others follow, +1 each.
    pub first_seq: Seq,
    /// Where each payload is, in order.
    pub places: Places,
}

impl Writer {
    /// Appends a batch with one positional write and publishes it to readers. The records are
    /// *written*: they survive the end of this process, and a power cut after [`Writer::sync`].
    ///
    /// A full volume makes room by losing the oldest segment; a failed write is tried again in a
    /// new segment.
    ///
    /// # Errors
    /// Nothing of the batch was recorded, and a later call tries again. After a failed write no
    /// part of it comes back after a crash either, unless the volume refused every write since.
    pub fn append(&mut self, batch: &[NewRecord<'_>]) -> Result<Appended, Error> {
        let (bytes, time_ns) = checked(self.next_seq, batch)?;
        if batch.is_empty() {
            return Ok(Appended { first_seq: self.next_seq, places: Places::default() });
        }
        let appended =
            self.with_remedies(time_ns, |writer| writer.append_once(batch, bytes, time_ns));
        if appended.is_err() && self.is_unsure() {
            // The next segment says where the good data ends. Without one, so would the next
            // append; but a crash may come before.
            let _: Result<(), Error> = self.make_room(0, time_ns);
        }
        appended
    }

    fn append_once(
        &mut self,
        batch: &[NewRecord<'_>],
        bytes: u64,
        time_ns: i64,
    ) -> Result<Appended, Error> {
        self.heal()?;
        self.make_room(bytes, time_ns)?;
        let mut open = self.open.take().expect("room was made in an open segment");
        let appended = self.write(&mut open, batch);
        self.open = Some(open);
        appended
    }

    fn write(
        &mut self,
        open: &mut OpenSegment,
        batch: &[NewRecord<'_>],
    ) -> Result<Appended, Error> {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.encode(&open.segment, batch, &mut scratch);
        let written = open.write(&scratch.bytes);
        let appended = written.map(|()| self.written(open, &scratch));
        scratch.bytes.shrink_to(BUFFER_KEPT_BYTES);
        self.scratch = scratch;
        appended
    }

    /// Publishes a batch that was just written.
    fn written(&mut self, open: &mut OpenSegment, scratch: &Scratch) -> Appended {
        let first_seq = self.next_seq;
        let last = scratch.frames.last().expect("an empty batch was answered before").header;
        self.last_seq = last.seq;
        self.last_time_ns = last.time_ns;
        self.next_seq = self.last_seq + 1;
        self.marked_seq = self.durable_seq;
        open.segment.extend(&scratch.bytes, self.last_seq);
        open.events += scratch.frames.len() as u64;
        for frame in &scratch.frames {
            open.index.add(frame);
            self.living.apply(&open.segment, frame);
        }
        self.publish_positions();
        Appended { first_seq, places: Places::of(&open.segment, &scratch.frames) }
    }

    fn encode(&self, segment: &Segment, batch: &[NewRecord<'_>], scratch: &mut Scratch) {
        let Scratch { bytes, frames } = scratch;
        bytes.clear();
        frames.clear();
        if self.durable_seq > self.marked_seq {
            let mark = Control::SyncMark { durable_seq: self.durable_seq };
            let (header, payload) = mark.encode(self.last_seq, self.last_time_ns);
            format::push(bytes, &header, &payload, segment.salt);
        }
        let start = segment.end();
        for (record, seq) in batch.iter().zip(self.next_seq..) {
            let header = header(record, seq);
            frames.push(Frame { offset: start + bytes.len() as u64, header });
            format::push(bytes, &header, record.payload, segment.salt);
        }
    }

    /// Makes everything appended durable; returns the durable sequence number.
    ///
    /// # Errors
    /// What was appended since the last sync could not be made durable, neither here nor in a
    /// new segment. It stays readable; a later call tries again.
    pub fn sync(&mut self) -> Result<Seq, Error> {
        self.with_remedies(self.last_time_ns, Writer::sync_once)
    }

    pub(super) fn sync_once(&mut self) -> Result<Seq, Error> {
        self.heal()?;
        let Some(open) = &mut self.open else { return Ok(self.durable_seq) };
        let end = open.segment.end();
        if end > open.synced_end {
            if let Err(error) = open.file.sync_data() {
                open.doubt = Some(error.to_string());
                self.heal()?;
                return Ok(self.durable_seq);
            }
            open.synced_end = end;
            self.durable_seq = self.last_seq;
            self.publish_positions();
        }
        Ok(self.durable_seq)
    }

    /// How many segments this writer has started. When it has grown, every living key has a new
    /// place: [`Writer::place_of`] gives it, and who still keeps the old one keeps the blocks of a
    /// file that may have been unlinked.
    pub fn segments_started(&self) -> u64 {
        self.segments_started
    }

    /// Where the latest state of a living key stands now.
    pub fn place_of(&self, key: u64) -> Option<Place> {
        self.living.get(key).map(|living| Place::of(&living.segment, &living.frame))
    }

    /// Seals the open segment and syncs: a clean end.
    ///
    /// # Errors
    /// As for [`Writer::sync`]; the journal is then as after a crash.
    pub fn close(mut self) -> Result<(), Error> {
        self.with_remedies(self.last_time_ns, |writer| {
            writer.heal()?;
            writer.finish_segment()
        })
    }

    /// Publishes another list of segments, with the positions that belong to it.
    pub(super) fn publish(&self, segments: Arc<Vec<Arc<Segment>>>) {
        let mut state = State { segments, ..State::default() };
        let older = 0..state.segments.len().saturating_sub(1);
        state.older_bytes = older.map(|index| state.data_end(index)).sum();
        self.publish_with(state);
    }

    fn publish_positions(&self) {
        let state = State::clone(&self.shared.state.load());
        self.publish_with(state);
    }

    fn publish_with(&self, mut state: State) {
        let first = state.segments.first().map_or(Seq::MAX, |s| s.header.base_seq);
        state.positions = Positions {
            journal_id: self.journal_id,
            epoch: self.epoch,
            first_seq: first.min(self.last_seq + 1),
            last_seq: self.last_seq,
            durable_seq: self.durable_seq,
            bytes: state.older_bytes + state.segments.last().map_or(0, |s| s.end()),
        };
        self.shared.state.store(Arc::new(state));
    }
}

/// Refuses what cannot be recorded from a number on; gives the batch's size and the time of its
/// first record.
pub(super) fn checked(first_seq: Seq, batch: &[NewRecord<'_>]) -> Result<(u64, i64), Error> {
    let mut bytes = SYNC_MARK_BYTES;
    for (index, record) in batch.iter().enumerate() {
        let is_numbered = first_seq.saturating_add(index as u64) < SEQ_END;
        let used_up = || "all numbers are given; begin a journal in an empty directory".to_owned();
        if let Some(reason) = record.refusal().or_else(|| (!is_numbered).then(used_up)) {
            return Err(Error::Refused { index, reason });
        }
        bytes += format::frame_bytes(record.payload.len());
    }
    if bytes > BATCH_BYTES_MAX {
        return Err(Error::BatchTooLarge { bytes, limit: BATCH_BYTES_MAX });
    }
    Ok((bytes, batch.first().map_or(0, |record| record.time_ns)))
}

/// The header of a new event.
pub(super) fn header(record: &NewRecord<'_>, seq: Seq) -> Header {
    Header {
        payload_crc: format::payload_crc(record.payload),
        len: record.payload.len() as u32,
        kind: record.kind,
        flags: record.flags,
        class: record.class,
        seq,
        time_ns: record.time_ns,
        key: record.key,
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>(dir: &Path) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let drawn = getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()));
    drawn.attempting("drawing random numbers for", dir)?;
    Ok(bytes)
}
