//! A new segment while it is built: under a temporary name, synced before it is renamed, so that a
//! file with a segment's name is always one that can be read.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    control::{Control, SEAL_BYTES, SYNC_MARK_BYTES},
    error::{Attempt, Error},
    format::{self, Header, Salt},
    fs::{File, Fs},
    header::{SEGMENT_HEADER_BYTES, SegmentHeader},
    index::{self, Index},
    keymap::{KeyMap, state_hash},
    record::{Flags, Seq},
    segment::Segment,
    walk::Frame,
};

/// Written out whenever this much has been gathered.
const PIECE_BYTES: usize = 1 << 20;

/// A segment has room for this many keyframes, so that most of it is events.
const KEYFRAMES_MIN: u64 = 5;

/// Where a segment is built when the spare is not used.
pub const NEXT_NAME: &str = "next.tmp";

/// A segment that is open for appending.
#[derive(Debug)]
pub struct OpenSegment {
    pub segment: Arc<Segment>,
    pub file: Arc<dyn File>,
    /// Bytes that have their place on the volume.
    pub allocated: u64,
    /// Everything below was synced; the start of a record.
    pub synced_end: u64,
    /// Events in it.
    pub events: u64,
    /// What is where in it, to be stored with the seal. Readers make their own until then.
    pub index: Index,
    /// A write failed: what stands behind the end is unknown, so nothing more is written here.
    pub unsure: bool,
    /// Why a sync failed: what stands behind `synced_end` has to be written again elsewhere.
    pub doubt: Option<String>,
}

impl OpenSegment {
    /// Writes bytes at the published end, without publishing them.
    ///
    /// # Errors
    /// Where the volume is full nothing was written. After any other failure nobody knows what
    /// stands behind the end, and the segment takes no more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (from, path) = (self.segment.end(), &self.segment.path);
        let to = from + bytes.len() as u64;
        if to > self.allocated {
            let step = allocation(to, self.segment.header.capacity);
            self.file.allocate(self.allocated..step).attempting("allocating", path)?;
            self.allocated = step;
        }
        let written = self.file.write_all_at(bytes, from);
        self.unsure = written.is_err();
        written.attempting("writing to", path)
    }
}

/// A file of zeros that a segment is built in.
#[derive(Debug)]
pub struct Site {
    pub file: Arc<dyn File>,
    pub path: PathBuf,
    /// Its length.
    pub len: u64,
    /// Bytes that have their place on the volume.
    pub allocated: u64,
}

impl Site {
    /// Creates the file; on an error nothing of it remains.
    ///
    /// # Errors
    /// The volume has no room, or the file cannot be created.
    pub fn create(fs: &dyn Fs, path: PathBuf, len: u64, allocated: u64) -> Result<Site, Error> {
        let file = fs.create(&path, len).attempting("creating", &path)?;
        if let Err(error) = file.allocate(0..allocated) {
            // A failed allocation may have taken blocks already.
            remove_quietly(fs, &path);
            return Err(error).attempting("allocating", &path);
        }
        Ok(Site { file, path, len, allocated })
    }
}

/// A segment under construction.
#[derive(Debug)]
pub struct Draft {
    site: Site,
    header: SegmentHeader,
    salt: Salt,
    piece: Vec<u8>,
    /// Bytes written to the file before `piece`.
    written: u64,
    living: Vec<Frame>,
    events: Vec<Frame>,
}

/// A segment that was just put in its place.
#[derive(Debug)]
pub struct Committed {
    pub open: OpenSegment,
    /// The state at its end, standing in this segment.
    pub living: KeyMap,
    /// The events that were drafted with it, in order.
    pub events: Vec<Frame>,
}

/// Places on the volume are taken in steps: a segment that a crash cuts short wastes one step.
const STEP_BYTES: u64 = 4 << 20;

/// Lengths of files are multiples of a page.
const PAGE_BYTES: u64 = 4096;

/// How large a segment is made that must hold this keyframe and so many bytes beside it.
pub fn capacity(segment_bytes: u64, keyframe_bytes: u64, other_bytes: u64) -> u64 {
    let needed = around_bytes() + KEYFRAMES_MIN * keyframe_bytes + other_bytes;
    let needed = needed + index::bytes_max(needed);
    segment_bytes.max(needed).next_multiple_of(PAGE_BYTES)
}

/// How far places are taken for a segment that must hold so many bytes.
pub fn allocation(bytes: u64, capacity: u64) -> u64 {
    (bytes + around_bytes() + index::bytes_max(bytes)).next_multiple_of(STEP_BYTES).min(capacity)
}

/// What every segment holds beside keyframe and events: header, seal, marks, a leap. The index
/// comes on top, as it grows with them.
const fn around_bytes() -> u64 {
    SEGMENT_HEADER_BYTES + SEAL_BYTES + 4 * SYNC_MARK_BYTES
}

impl Draft {
    /// Starts a segment; the header's capacity is the length of the file.
    pub fn new(site: Site, header: SegmentHeader) -> Draft {
        let (salt, piece) = (Salt::new(header.salt), header.encode());
        Draft { site, header, salt, piece, written: 0, living: Vec::new(), events: Vec::new() }
    }

    fn push(&mut self, header: &Header, payload: &[u8]) -> Result<Frame, Error> {
        let frame = Frame { offset: self.written + self.piece.len() as u64, header: *header };
        format::push(&mut self.piece, header, payload, self.salt);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(frame)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self.site.file.write_all_at(&self.piece, self.written);
        written.attempting("writing to", &self.site.path)?;
        self.written += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }

    /// Adds a record of the journal's own.
    pub fn control(&mut self, control: &Control, last_seq: Seq) -> Result<(), Error> {
        let (header, payload) = control.encode(last_seq, self.header.created_ns);
        self.push(&header, &payload).map(drop)
    }

    /// Restates everything that lives, and ends the keyframe. What cannot be read any more is
    /// left out: it was lost where it stood, and would spoil every later keyframe.
    pub fn keyframe(&mut self, living: &KeyMap, last_seq: Seq) -> Result<(), Error> {
        let mut hash = 0u64;
        for living in living.in_order() {
            let original = &living.frame;
            let from = original.payload_offset();
            let payload = living.segment.slice(from, from + u64::from(original.header.len));
            if format::payload_crc(payload) != original.header.payload_crc {
                living.segment.note_damage(original.offset);
                continue;
            }
            let flags = original.header.flags.with(Flags::RESTATED);
            let header = Header { flags, ..original.header };
            let frame = self.push(&header, payload)?;
            hash = hash.wrapping_add(state_hash(&header));
            self.living.push(frame);
        }
        let end = Control::KeyframeEnd { count: self.living.len() as u64, state_hash: hash };
        self.control(&end, last_seq)
    }

    /// Adds an event.
    pub fn event(&mut self, header: &Header, payload: &[u8]) -> Result<(), Error> {
        let frame = self.push(header, payload)?;
        self.events.push(frame);
        Ok(())
    }

    /// Makes the segment durable and gives it its name. On an error nothing of it remains in
    /// sight.
    ///
    /// # Errors
    /// A step failed; the journal is as it was.
    pub fn commit(mut self, fs: &dyn Fs, dir: &Path) -> Result<Committed, Error> {
        self.flush()?;
        self.site.file.sync_data().attempting("syncing", &self.site.path)?;
        let path = dir.join(self.header.name());
        let place = (0, self.header.capacity);
        let segment =
            Segment::of_file(self.header, path.clone(), &*self.site.file, place, self.written);
        let segment = segment.attempting("mapping", &self.site.path)?;
        fs.rename(&self.site.path, &path).attempting("renaming a new segment to", &path)?;
        if let Err(error) = fs.sync_dir(dir) {
            // Without this its name may be gone after a power cut, and with it what follows.
            remove_quietly(fs, &path);
            return Err(error).attempting("syncing directory", dir);
        }
        if let Some(last) = self.events.last() {
            segment.set_last_seq(last.header.seq);
        }
        Ok(self.committed(Arc::new(segment)))
    }

    fn committed(self, segment: Arc<Segment>) -> Committed {
        let mut living = KeyMap::default();
        for frame in self.living.iter().chain(&self.events) {
            living.apply(&segment, frame);
        }
        let mut index = Index::new(self.header.base_seq);
        self.events.iter().for_each(|frame| index.add(frame));
        let open = OpenSegment {
            segment,
            file: self.site.file,
            allocated: self.site.allocated,
            synced_end: self.written,
            events: self.events.len() as u64,
            index,
            unsure: false,
            doubt: None,
        };
        Committed { open, living, events: self.events }
    }
}

/// Unlinks a file where failing to do so harms nothing: it is looked at again at the next start.
pub fn remove_quietly(fs: &dyn Fs, path: &Path) {
    let _: io::Result<()> = fs.remove(path);
}
