//! Appends. Owned by one thread; what it publishes is read by any.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    control::{Control, SEAL_BYTES, SYNC_MARK_BYTES, Seal},
    draft::{self, Committed, Draft, NEXT_NAME, OpenSegment, Site},
    error::{Attempt, Error},
    format::{self, Header},
    fs::{Fs, Lock},
    header::{Previous, SegmentHeader},
    index,
    keymap::KeyMap,
    record::{NewRecord, Seq},
    retention::Keeping,
    segment::{Place, Segment},
    sizes::{self, Sizes},
    spare::{self, Spare},
    state::{Positions, Shared, State},
    walk::Frame,
};

/// The most that one batch may hold, encoded: it is gathered in memory and written at once.
pub const BATCH_BYTES_MAX: u64 = 128 << 20;

/// How much the writer keeps of its buffer between batches.
const BUFFER_KEPT_BYTES: usize = 4 << 20;

/// Upper bits of a salt count the segments; these lower ones are random.
const SALT_RANDOM_BITS: u32 = 40;

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
    pub(super) lock: Lock,
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
    pub places: Vec<Place>,
}

/// What a new segment begins with.
pub(super) struct Start<'a> {
    pub epoch: u64,
    pub prev: Previous,
    pub base_seq: Seq,
    pub time_ns: i64,
    /// Room for so many bytes of events, beside those given here.
    pub room: u64,
    pub wipe: Option<Control>,
    pub living: &'a KeyMap,
    pub events: &'a [(Header, &'a [u8])],
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
        let (bytes, time_ns) = checked(batch)?;
        if batch.is_empty() {
            return Ok(Appended { first_seq: self.next_seq, places: Vec::new() });
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
        Appended { first_seq, places: places(&open.segment, &scratch.frames) }
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

    /// Sees to it that the open segment can take `bytes` more.
    pub(super) fn make_room(&mut self, bytes: u64, time_ns: i64) -> Result<(), Error> {
        if let Some(open) = &mut self.open {
            open.unsure |= open.segment.is_broken();
            let end = open.segment.end() + bytes;
            let end = end + index::bytes_max(end) + SEAL_BYTES;
            // A leap stands where a segment begins.
            let in_order = self.next_seq == self.last_seq + 1;
            if in_order && !open.unsure && !open.is_due && end <= open.segment.header.capacity {
                return Ok(());
            }
            self.finish_segment()?;
        }
        if self.open.is_some() {
            // Its sync failed, and the segment that took over has its place already.
            return self.make_room(bytes, time_ns);
        }
        // Taken out for the time, since building a segment changes the writer as well.
        let living = std::mem::take(&mut self.living);
        let committed = self.start_segment(&Start {
            epoch: self.epoch,
            prev: self.prev,
            base_seq: self.next_seq,
            time_ns,
            room: bytes,
            wipe: None,
            living: &living,
            events: &[],
        });
        self.living = living;
        self.take_over(committed?, self.published_segments());
        Ok(())
    }

    /// Seals and syncs the open segment. Afterwards none is open, or the one that took over from
    /// a segment whose sync failed.
    fn finish_segment(&mut self) -> Result<(), Error> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if !open.unsure {
            let mut bytes = Vec::new();
            let (header, payload) = open.index.encode(self.last_seq, self.last_time_ns);
            format::push(&mut bytes, &header, &payload, open.segment.salt);
            let seal = Control::Seal(Seal {
                last_seq: self.last_seq,
                events: open.events,
                living: self.living.len(),
                state_hash: self.living.hash(),
                index_offset: open.segment.end(),
            });
            let (header, payload) = seal.encode(self.last_seq, self.last_time_ns);
            format::push(&mut bytes, &header, &payload, open.segment.salt);
            // A segment without a seal is read like one that a crash has ended.
            if open.write(&bytes).is_ok() {
                open.segment.extend(&bytes, self.last_seq);
            }
        }
        let segment = open.segment.clone();
        self.sync_once()?;
        if let Some(open) = self.open.take_if(|open| Arc::ptr_eq(&open.segment, &segment)) {
            self.prev = previous(&segment, self.last_seq);
            open.release_rest();
        }
        Ok(())
    }

    /// Builds a segment and puts it in its place. Nothing is published yet.
    pub(super) fn start_segment(&mut self, start: &Start<'_>) -> Result<Committed, Error> {
        let salt = self.next_salt()?;
        let site = self.site_for(start)?;
        let path = site.path.clone();
        let header = self.header_of(&site, salt, start);
        let built = self.build(site, header, start);
        if built.is_err() {
            // Its blocks may be what the volume lacks.
            draft::remove_quietly(&*self.fs, &path);
            self.leftover = Some(self.dir.join(header.name()));
            // Where it cannot be taken away now, nothing is recorded before it can.
            let _: Result<(), Error> = self.remove_leftover();
        }
        built
    }

    fn header_of(&self, site: &Site, salt: u64, start: &Start<'_>) -> SegmentHeader {
        SegmentHeader {
            journal_id: self.journal_id,
            epoch: start.epoch,
            base_seq: start.base_seq,
            salt,
            created_ns: start.time_ns,
            capacity: site.len,
            prev: start.prev,
            boot_id: self.boot_id,
        }
    }

    fn build(
        &self,
        site: Site,
        header: SegmentHeader,
        start: &Start<'_>,
    ) -> Result<Committed, Error> {
        let mut draft = Draft::new(site, header);
        let last_seq = start.prev.last_seq;
        if let Some(wipe) = &start.wipe {
            draft.control(wipe, last_seq)?;
        }
        draft.keyframe(start.living, last_seq)?;
        if start.base_seq > last_seq + 1 {
            draft.control(&Control::Leap { from: last_seq, to: start.base_seq }, last_seq)?;
        }
        for (header, payload) in start.events {
            draft.event(header, payload)?;
        }
        draft.commit(&*self.fs, &self.dir)
    }

    /// A file for a new segment.
    fn site_for(&mut self, start: &Start<'_>) -> Result<Site, Error> {
        let keyframe_bytes = start.living.frame_bytes();
        let event_bytes: u64 = start.events.iter().map(|(h, _)| h.frame_bytes()).sum();
        let other_bytes = start.room + event_bytes + wipe_bytes(start);
        let len = self.sizes.capacity(keyframe_bytes, other_bytes);
        let needed = sizes::needed(keyframe_bytes, other_bytes);
        if let Some(spare) = self.spare.take(needed.max(spare::len_min(len))) {
            return Ok(spare);
        }
        let allocated = sizes::allocation(keyframe_bytes + other_bytes, len);
        let create = |w: &Writer| Site::create(&*w.fs, w.dir.join(NEXT_NAME), len, allocated);
        create(self).or_else(|error| {
            // The volume has no room, or no patience. What was kept back is there already.
            if let Some(spare) = self.spare.take(needed) {
                return Ok(spare);
            }
            if self.spare.discard(&*self.fs)
                && let Ok(site) = create(self)
            {
                return Ok(site);
            }
            let reserve = start.wipe.is_some().then(|| self.reserve_for(needed)).flatten();
            reserve.ok_or(error)
        })
    }

    fn next_salt(&mut self) -> Result<u64, Error> {
        let salt = salt(self.segment_number + 1, &self.dir)?;
        self.segment_number += 1;
        Ok(salt)
    }

    pub(super) fn published_segments(&self) -> Vec<Arc<Segment>> {
        self.shared.state.load().segments.to_vec()
    }

    /// Goes on in a segment that was just put in its place, and publishes it behind `older` ones.
    pub(super) fn take_over(&mut self, committed: Committed, older: Vec<Arc<Segment>>) {
        let Committed { open, living, .. } = committed;
        self.marked_seq = open.segment.header.prev.last_seq;
        let mut segments = older;
        segments.push(open.segment.clone());
        self.living = living;
        self.open = Some(open);
        self.segments_started += 1;
        self.publish(Arc::new(segments));
    }

    /// Makes everything appended durable; returns the durable sequence number.
    ///
    /// # Errors
    /// What was appended since the last sync could not be made durable, neither here nor in a
    /// new segment. It stays readable; a later call tries again.
    pub fn sync(&mut self) -> Result<Seq, Error> {
        self.with_remedies(self.last_time_ns, Writer::sync_once)
    }

    fn sync_once(&mut self) -> Result<Seq, Error> {
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
        self.living.get(key).map(|living| place(&living.segment, &living.frame))
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

/// Refuses what cannot be recorded; gives the batch's size and the time of its first record.
pub(super) fn checked(batch: &[NewRecord<'_>]) -> Result<(u64, i64), Error> {
    let mut bytes = SYNC_MARK_BYTES;
    for (index, record) in batch.iter().enumerate() {
        if let Some(reason) = record.refusal() {
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

pub(super) fn places(segment: &Arc<Segment>, frames: &[Frame]) -> Vec<Place> {
    frames.iter().map(|frame| place(segment, frame)).collect()
}

fn place(segment: &Arc<Segment>, frame: &Frame) -> Place {
    Place::Map { segment: segment.clone(), offset: frame.payload_offset(), len: frame.header.len }
}

/// What the next segment says of this one.
pub(super) fn previous(segment: &Segment, last_seq: Seq) -> Previous {
    Previous { salt: segment.header.salt, last_seq, data_end: segment.end() }
}

/// A new salt for the segment that has this number in its journal.
pub(super) fn salt(segment_number: u64, dir: &Path) -> Result<u64, Error> {
    let low = u64::from_le_bytes(random::<8>(dir)?) >> (u64::BITS - SALT_RANDOM_BITS);
    Ok(segment_number << SALT_RANDOM_BITS | low)
}

/// The number of the segment that has this salt.
pub(super) fn segment_number(salt: u64) -> u64 {
    salt >> SALT_RANDOM_BITS
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>(dir: &Path) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let drawn = getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()));
    drawn.attempting("drawing random numbers for", dir)?;
    Ok(bytes)
}

fn wipe_bytes(start: &Start<'_>) -> u64 {
    let encoded = |wipe: &Control| format::frame_bytes(wipe.encode(0, 0).1.len());
    start.wipe.as_ref().map_or(0, encoded)
}
