//! A new segment while it is built: under a temporary name, synced before it is renamed, so that a
//! file with a segment's name is always one that can be read.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    control::Control,
    error::{Attempt, Error},
    format::{self, Header, Salt},
    fs::{File, Fs},
    header::SegmentHeader,
    index::Index,
    keymap::{KeyMap, state_hash},
    record::{Flags, Seq},
    segment::Segment,
    sizes,
    walk::Frame,
};

/// Written out whenever this much has been gathered.
const PIECE_BYTES: usize = 1 << 20;

/// Fewer bytes behind the end of a segment stay where they are: a full segment gives back nothing.
const RELEASE_BYTES_MIN: u64 = 1 << 20;

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
    /// It is time for the next one: by age, or since the volume has no more places for this one.
    pub is_due: bool,
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
            let step = sizes::allocation(to, self.segment.header.capacity);
            self.file.allocate(self.allocated..step).attempting("allocating", path)?;
            self.allocated = step;
        }
        let written = self.file.write_all_at(bytes, from);
        self.unsure = written.is_err();
        written.attempting("writing to", path)
    }

    /// Gives back the places behind the end, where they are worth it: nothing more comes.
    pub fn release_rest(&self) {
        let end = self.segment.end().next_multiple_of(sizes::PAGE_BYTES);
        if self.allocated.saturating_sub(end) >= RELEASE_BYTES_MIN {
            // Where that fails they come back with the segment.
            let _: io::Result<()> = self.file.release(end..self.allocated);
        }
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

    /// Whether the file still has its name; somebody may have removed it.
    pub fn is_in_place(&self) -> bool {
        self.file.is_at(&self.path).unwrap_or(false)
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

    /// Makes the segment durable and gives it its name.
    ///
    /// # Errors
    /// A step failed. If it was the last one, the segment has its name and must lose it again.
    pub fn commit(mut self, fs: &dyn Fs, dir: &Path) -> Result<Committed, Error> {
        self.flush()?;
        self.site.file.sync_data().attempting("syncing", &self.site.path)?;
        let path = dir.join(self.header.name());
        let place = (0, self.header.capacity);
        let segment =
            Segment::of_file(self.header, path.clone(), &*self.site.file, place, self.written);
        let segment = segment.attempting("mapping", &self.site.path)?;
        fs.rename(&self.site.path, &path).attempting("renaming a new segment to", &path)?;
        // Without this its name may be gone after a power cut, and with it what follows.
        fs.sync_dir(dir).attempting("syncing directory", dir)?;
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
        // It was written a moment ago, from payloads that were looked at.
        segment.keyframe_whole.get_or_init(|| true);
        let mut index = Index::new(self.header.base_seq);
        self.events.iter().for_each(|frame| index.add(frame));
        let open = OpenSegment {
            segment,
            file: self.site.file,
            allocated: self.site.allocated,
            synced_end: self.written,
            events: self.events.len() as u64,
            is_due: false,
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
