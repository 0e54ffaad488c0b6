//! One segment as readers see it: its bytes up to the published end, and what has been learned
//! about them on the way. A [`Place`] is a payload within it.

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;

use super::{
    control::{Control, SEAL_BYTES, Seal},
    format::Salt,
    fs::File,
    header::SegmentHeader,
    index::Index,
    map::Map,
    record::Seq,
    walk::{Frame, Source, Step, Walk},
};

/// Damaged places of one segment that are remembered; beyond, the exact count tells nobody more.
const DAMAGE_MAX: usize = 10_000;

/// A segment: one file, or one part of a tar. Internals belong to the journal.
#[derive(Debug)]
pub struct Segment {
    pub(super) name: String,
    /// The file that it stands in.
    pub(super) path: PathBuf,
    pub(super) header: SegmentHeader,
    pub(super) salt: Salt,
    map: Map,
    /// The newest event, or `base_seq - 1`.
    last_seq: AtomicU64,
    /// Copy of the bytes that a failed sync left in doubt: the page cache may drop them.
    rescued: OnceLock<Rescued>,
    /// What readers noted while no index is stored in it. The writer keeps its own.
    pub(super) index: ArcSwap<Index>,
    /// Places that readers found damaged, each once.
    damage: Mutex<BTreeSet<u64>>,
    /// Whether the keyframe is whole; looked at once.
    pub(super) keyframe_whole: OnceLock<bool>,
}

#[derive(Debug)]
struct Rescued {
    from: u64,
    bytes: Box<[u8]>,
}

/// Where a payload is, so that memory need not hold it.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a segment's map; keeps the map alive, also after the file is unlinked.
    Map {
        /// The segment.
        segment: Arc<Segment>,
        /// Where the payload begins, counted from the segment's start.
        offset: u64,
        /// Payload bytes.
        len: u32,
    },
    /// On the heap: not saved.
    Heap(Arc<[u8]>),
}

impl Place {
    /// The payload's bytes. Touches the map: call it on a reader thread or the recorder.
    pub fn payload(&self) -> &[u8] {
        match self {
            Place::Map { segment, offset, len } => {
                segment.slice(*offset, *offset + u64::from(*len))
            }
            Place::Heap(bytes) => bytes,
        }
    }
}

impl Segment {
    /// A segment in `file` at `offset`, of `len` bytes, the first `end` of them recorded.
    ///
    /// # Errors
    /// The file can neither be mapped nor read.
    pub(super) fn of_file(
        header: SegmentHeader,
        path: PathBuf,
        file: &dyn File,
        (offset, len): (u64, u64),
        end: u64,
    ) -> io::Result<Segment> {
        let map = match file.map(offset, len, end) {
            Ok(map) => map,
            Err(_) => copied(file, offset, len, end)?,
        };
        Ok(Segment {
            name: header.name(),
            path,
            salt: Salt::new(header.salt),
            map,
            last_seq: AtomicU64::new(header.base_seq.saturating_sub(1)),
            rescued: OnceLock::new(),
            index: ArcSwap::from_pointee(Index::new(header.base_seq)),
            damage: Mutex::default(),
            keyframe_whole: OnceLock::new(),
            header,
        })
    }

    /// How many bytes are recorded and published, the header included.
    pub(super) fn end(&self) -> u64 {
        self.map.end()
    }

    /// The newest event in it; `base_seq - 1` where there is none.
    pub(super) fn last_seq(&self) -> Seq {
        self.last_seq.load(Ordering::Acquire)
    }

    /// Published bytes.
    pub(super) fn slice(&self, from: u64, to: u64) -> &[u8] {
        if let Some(rescued) = self.rescued.get()
            && from >= rescued.from
        {
            return &rescued.bytes[(from - rescued.from) as usize..(to - rescued.from) as usize];
        }
        self.map.slice(from, to)
    }

    /// Published bytes from `from` on, up to `to` where they lie in one place, else up to the end of
    /// a record.
    pub(super) fn piece(&self, from: u64, to: u64) -> &[u8] {
        let border = self.rescued.get().map(|rescued| rescued.from).filter(|at| from < *at);
        self.slice(from, border.map_or(to, |at| to.min(at)))
    }

    /// A record's payload, its checksum not yet looked at.
    pub(super) fn payload(&self, frame: &Frame) -> &[u8] {
        let from = frame.payload_offset();
        self.slice(from, from + u64::from(frame.header.len))
    }

    /// Copies published bytes from `offset` on, as many as there are and fit.
    pub(super) fn read_at(&self, offset: u64, end: u64, buf: &mut [u8]) -> usize {
        let mut to = end.min(offset + buf.len() as u64);
        if let Some(rescued) = self.rescued.get()
            && offset < rescued.from
        {
            to = to.min(rescued.from);
        }
        let bytes = self.slice(offset, to.max(offset));
        buf[..bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }

    /// Publishes bytes that were written to the file at [`Segment::end`].
    pub(super) fn extend(&self, bytes: &[u8], last_seq: Seq) {
        self.map.extend(bytes);
        self.last_seq.store(last_seq, Ordering::Release);
    }

    pub(super) fn set_last_seq(&self, last_seq: Seq) {
        self.last_seq.store(last_seq, Ordering::Release);
    }

    /// Keeps everything from the record at `from` on in memory of its own. `from` is the start of
    /// a record, so that no later slice begins before it and ends behind it.
    pub(super) fn rescue(&self, from: u64) {
        self.rescued.get_or_init(|| Rescued { from, bytes: self.slice(from, self.end()).into() });
    }

    /// Walks the records from `offset` on, up to the end that is published now.
    pub(super) fn walk(&self, offset: u64) -> Walk<Published<'_>> {
        Walk::new(Published { segment: self, end: self.end() }, self.salt, offset)
    }

    /// Whether the last record is a seal. Touches the map.
    pub(super) fn is_sealed(&self) -> bool {
        self.seal().is_some()
    }

    /// The seal, where it is the last record. Touches the map.
    pub(super) fn seal(&self) -> Option<Seal> {
        let mut walk = self.walk(self.end().saturating_sub(SEAL_BYTES));
        let Ok(Step::Frame(frame)) = walk.next() else { return None };
        if frame.end() != self.end() {
            return None;
        }
        let payload = walk.payload(&frame).ok()??;
        match Control::decode(frame.header.kind, payload) {
            Some(Control::Seal(seal)) => Some(seal),
            _ => None,
        }
    }

    /// Remembers a damaged place.
    pub(super) fn note_damage(&self, offset: u64) {
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        if damage.len() < DAMAGE_MAX {
            damage.insert(offset);
        }
    }

    /// How many damaged places have been met so far.
    pub(super) fn damage_count(&self) -> u64 {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

/// A segment's published bytes.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    segment: &'a Segment,
    end: u64,
}

impl Source for Published<'_> {
    fn len(&self) -> u64 {
        self.end
    }

    fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        Ok(self.segment.slice(offset, offset + len as u64))
    }
}

/// The recorded bytes in plain memory, where the file system has no maps.
fn copied(file: &dyn File, offset: u64, len: u64, end: u64) -> io::Result<Map> {
    let mut recorded = vec![0; usize::try_from(end).map_err(io::Error::other)?];
    file.read_exact_at(&mut recorded, offset)?;
    let map = Map::in_memory(len)?;
    map.extend(&recorded);
    Ok(map)
}
