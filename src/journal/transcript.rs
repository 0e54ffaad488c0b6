//! A journal written anew from records that have their numbers already: a part of another journal
//! that is given away. Nobody reads it while it is written, so it needs neither maps nor a spare.
//!
//! A number that is left out begins a new segment: there the format has a place to say so.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{
    control::{Control, Seal},
    draft::NEXT_NAME,
    error::{Attempt, Error},
    format::{self, Header, Salt},
    fs::{Disk, File, Fs},
    header::{Previous, SEGMENT_HEADER_BYTES, SegmentHeader},
    index::Index,
    keymap::state_hash,
    record::{Flags, Record, Seq},
    rotation, sizes,
    walk::Frame,
    writer,
};

/// Written out whenever this much has been gathered.
const PIECE_BYTES: usize = 1 << 20;

/// A journal under construction.
#[derive(Debug)]
pub struct Transcript {
    dir: PathBuf,
    journal_id: [u8; 16],
    epoch: u64,
    segment_bytes: u64,
    open: Option<Sheet>,
    prev: Previous,
    segments: u64,
    living: Living,
    last_time_ns: i64,
}

/// What lives, with the payloads: the next keyframe.
#[derive(Debug, Default)]
struct Living {
    records: BTreeMap<u64, (Header, Box<[u8]>)>,
    hash: u64,
}

/// A segment that is being written.
#[derive(Debug)]
struct Sheet {
    file: Arc<dyn File>,
    path: PathBuf,
    header: SegmentHeader,
    salt: Salt,
    piece: Vec<u8>,
    /// Bytes in the file before `piece`.
    written: u64,
    /// Where the keyframe ends.
    keyframe_end: u64,
    index: Index,
    events: u64,
    last_seq: Seq,
}

impl Transcript {
    /// Begins a journal of its own in a directory, behind the event `after` of an epoch. A segment
    /// takes so many bytes, or five keyframes where those are larger.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn create(
        dir: PathBuf,
        epoch: u64,
        after: Seq,
        segment_bytes: u64,
    ) -> Result<Transcript, Error> {
        Disk.create_dir_all(&dir).attempting("creating directory", &dir)?;
        Ok(Transcript {
            journal_id: writer::random(&dir)?,
            epoch,
            segment_bytes,
            open: None,
            prev: Previous { last_seq: after, ..Previous::default() },
            segments: 0,
            living: Living::default(),
            last_time_ns: 0,
            dir,
        })
    }

    /// Takes in what lived before the first event.
    pub fn restate(&mut self, record: &Record<'_>) {
        self.last_time_ns = record.time_ns;
        self.living.apply(&header(record), record.payload);
    }

    /// Adds an event; its number is larger than that of the one before.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn append(&mut self, record: &Record<'_>) -> Result<(), Error> {
        let (header, bytes) = (header(record), format::frame_bytes(record.payload.len()));
        let fits = |open: &Sheet| {
            let keyframe = open.keyframe_end - SEGMENT_HEADER_BYTES;
            let room = self.segment_bytes.max(sizes::KEYFRAMES * keyframe);
            record.seq == open.last_seq.saturating_add(1) && open.end() + bytes <= room
        };
        if !self.open.as_ref().is_some_and(fits) {
            self.finish_segment()?;
            self.start_segment(record.seq, record.time_ns)?;
        }
        let open = self.open.as_mut().expect("one was just started where there was none");
        open.index.add(&Frame { offset: open.end(), header });
        open.push(&header, record.payload)?;
        open.events += 1;
        open.last_seq = record.seq;
        self.last_time_ns = record.time_ns;
        self.living.apply(&header, record.payload);
        Ok(())
    }

    /// Ends the journal and makes it durable.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.segments == 0 {
            self.start_segment(self.prev.last_seq.saturating_add(1), self.last_time_ns)?;
        }
        self.finish_segment()
    }

    fn start_segment(&mut self, base_seq: Seq, created_ns: i64) -> Result<(), Error> {
        self.segments += 1;
        let path = self.dir.join(NEXT_NAME);
        let header = SegmentHeader {
            journal_id: self.journal_id,
            epoch: self.epoch,
            base_seq,
            salt: rotation::salt(self.segments, &self.dir)?,
            created_ns,
            // Known at the end, when the header is written.
            capacity: 0,
            prev: self.prev,
            boot_id: [0; 16],
        };
        let mut sheet = Sheet {
            file: Disk.create(&path, SEGMENT_HEADER_BYTES).attempting("creating", &path)?,
            path,
            header,
            salt: Salt::new(header.salt),
            piece: Vec::new(),
            written: SEGMENT_HEADER_BYTES,
            keyframe_end: 0,
            index: Index::new(base_seq),
            events: 0,
            last_seq: base_seq.saturating_sub(1),
        };
        let before = self.prev.last_seq;
        sheet.keyframe(&self.living, before)?;
        if base_seq > before.saturating_add(1) {
            sheet.control(&Control::Leap { from: before, to: base_seq }, before)?;
        }
        self.open = Some(sheet);
        Ok(())
    }

    /// Everything but the seal is synced before the seal's segment says so.
    fn finish_segment(&mut self) -> Result<(), Error> {
        let Some(mut sheet) = self.open.take() else { return Ok(()) };
        let last_seq = sheet.last_seq;
        sheet.sync()?;
        sheet.control(&Control::SyncMark { durable_seq: last_seq }, last_seq)?;
        let index_offset = sheet.end();
        let (header, payload) = sheet.index.encode(last_seq, self.last_time_ns);
        sheet.push(&header, &payload)?;
        let seal = Seal {
            last_seq,
            events: sheet.events,
            living: self.living.records.len() as u64,
            state_hash: self.living.hash,
            index_offset,
        };
        sheet.control(&Control::Seal(seal), last_seq)?;
        sheet.flush()?;
        let data_end = sheet.end();
        sheet.header.capacity = data_end;
        sheet.write(&sheet.header.encode(), 0)?;
        sheet.sync()?;
        let path = self.dir.join(sheet.header.name());
        Disk.rename(&sheet.path, &path).attempting("renaming a new segment to", &path)?;
        Disk.sync_dir(&self.dir).attempting("syncing directory", &self.dir)?;
        self.prev = Previous { salt: sheet.header.salt, last_seq, data_end };
        Ok(())
    }
}

impl Living {
    fn apply(&mut self, header: &Header, payload: &[u8]) {
        if header.key == 0 {
            return;
        }
        let gone = if header.flags.has(Flags::END) {
            self.records.remove(&header.key)
        } else if header.flags.has(Flags::STATE) {
            self.hash = self.hash.wrapping_add(state_hash(header));
            self.records.insert(header.key, (*header, payload.into()))
        } else {
            None
        };
        if let Some((gone, _)) = gone {
            self.hash = self.hash.wrapping_sub(state_hash(&gone));
        }
    }

    fn in_order(&self) -> Vec<&(Header, Box<[u8]>)> {
        let mut living: Vec<_> = self.records.values().collect();
        living.sort_unstable_by_key(|(header, _)| header.seq);
        living
    }
}

impl Sheet {
    fn end(&self) -> u64 {
        self.written + self.piece.len() as u64
    }

    fn push(&mut self, header: &Header, payload: &[u8]) -> Result<(), Error> {
        format::push(&mut self.piece, header, payload, self.salt);
        if self.piece.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn control(&mut self, control: &Control, last_seq: Seq) -> Result<(), Error> {
        let (header, payload) = control.encode(last_seq, self.header.created_ns);
        self.push(&header, &payload)
    }

    fn keyframe(&mut self, living: &Living, before: Seq) -> Result<(), Error> {
        for (header, payload) in living.in_order() {
            let flags = header.flags.with(Flags::RESTATED);
            self.push(&Header { flags, ..*header }, payload)?;
        }
        let count = living.records.len() as u64;
        self.control(&Control::KeyframeEnd { count, state_hash: living.hash }, before)?;
        self.keyframe_end = self.end();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.write(&self.piece, self.written)?;
        self.written += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.file.write_all_at(bytes, offset).attempting("writing to", &self.path)
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.file.sync_data().attempting("syncing", &self.path)
    }
}

fn header(record: &Record<'_>) -> Header {
    Header {
        payload_crc: format::payload_crc(record.payload),
        len: record.payload.len() as u32,
        kind: record.kind,
        // Whether it is restated depends on where it stands.
        flags: Flags(record.flags.0 & !Flags::RESTATED.0),
        class: record.class,
        seq: record.seq,
        time_ns: record.time_ns,
        key: record.key,
    }
}
