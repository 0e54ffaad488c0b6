//! One segment as readers see it: its bytes up to the published end, and what has been learned
//! about them on the way.

use std::{
    collections::BTreeSet,
    io,
    ops::Range,
    path::PathBuf,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    pages::{self, Withheld},
    record::Seq,
    walk::{Frame, Source, Step, Walk},
};

/// Damaged places of one segment that are remembered; beyond, the exact count tells nobody more.
const DAMAGE_MAX: usize = 10_000;

/// The first window that a walk makes safe to touch: as much as lies between two places that a
/// scan begins at.
const WINDOW_MIN: u64 = 256 << 10;
/// The largest one: reading it in takes a few milliseconds, asking about it next to nothing.
const WINDOW_MAX: u64 = 4 << 20;

/// A segment is copied to memory in pieces of this size.
const COPIED_BYTES: usize = 1 << 20;

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
    /// Pages of its map were replaced by zeros: nothing that is written there can be seen.
    broken: AtomicBool,
    /// Whether the keyframe is whole; looked at once.
    pub(super) keyframe_whole: OnceLock<bool>,
}

#[derive(Debug)]
struct Rescued {
    from: u64,
    bytes: Box<[u8]>,
}

impl Segment {
    /// A segment in `file` at `offset`, of `len` bytes, the first `end` of them recorded.
    ///
    /// # Errors
    /// The file can neither be mapped nor copied to memory.
    pub(super) fn of_file(
        header: SegmentHeader,
        path: PathBuf,
        file: &dyn File,
        place: (u64, u64),
        end: u64,
    ) -> io::Result<Segment> {
        match file.map(place.0, place.1, end) {
            Ok(map) => Ok(Segment::new(header, path, map)),
            Err(_) => Ok(Segment::copied(header, path, file, place, end)?.0),
        }
    }

    /// As [`Segment::of_file`], in plain memory, filled by positional reads: no touch of it can end
    /// the process. With what could not be read.
    ///
    /// # Errors
    /// There is not that much memory.
    pub(super) fn copied(
        header: SegmentHeader,
        path: PathBuf,
        file: &dyn File,
        (offset, len): (u64, u64),
        end: u64,
    ) -> io::Result<(Segment, Vec<Withheld>)> {
        let map = Map::in_memory(len.max(end))?;
        let mut unreadable = Vec::new();
        let mut piece = vec![0; COPIED_BYTES];
        while map.end() < end {
            let len = piece.len().min((end - map.end()) as usize);
            unreadable.extend(pages::read(file, offset, map.end(), &mut piece[..len]));
            map.extend(&piece[..len]);
        }
        let segment = Segment::new(header, path, map);
        unreadable.iter().for_each(|lacks| segment.note_damage(lacks.range.start));
        Ok((segment, unreadable))
    }

    fn new(header: SegmentHeader, path: PathBuf, map: Map) -> Segment {
        Segment {
            name: header.name(),
            path,
            salt: Salt::new(header.salt),
            map,
            last_seq: AtomicU64::new(header.base_seq.saturating_sub(1)),
            rescued: OnceLock::new(),
            index: ArcSwap::from_pointee(Index::new(header.base_seq)),
            damage: Mutex::default(),
            broken: AtomicBool::new(false),
            keyframe_whole: OnceLock::new(),
            header,
        }
    }

    /// How many bytes are recorded and published, the header included.
    pub(super) fn end(&self) -> u64 {
        self.map.end()
    }

    /// The newest event in it; `base_seq - 1` where there is none.
    pub(super) fn last_seq(&self) -> Seq {
        self.last_seq.load(Ordering::Acquire)
    }

    /// Whether pages of it could not be read: it is no place to append to.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Published bytes. Asks the kernel before they are touched; who goes through many walks
    /// instead, which asks less often.
    pub(super) fn slice(&self, from: u64, to: u64) -> &[u8] {
        self.guard(from..to);
        self.bytes(from, to)
    }

    /// Makes published bytes safe to touch; gives what cannot be read, which is zeros from now on.
    pub(super) fn guard(&self, range: Range<u64>) -> Vec<Withheld> {
        let unreadable = self.map.guard(range);
        for range in &unreadable {
            self.note_damage(range.start);
            self.broken.store(true, Ordering::Relaxed);
        }
        let why = "the volume failed, or the file was cut short";
        unreadable.into_iter().map(|range| Withheld { range, why: why.to_owned() }).collect()
    }

    /// Published bytes that were made safe to touch.
    fn bytes(&self, from: u64, to: u64) -> &[u8] {
        if let Some(rescued) = self.rescued.get()
            && from >= rescued.from
        {
            return &rescued.bytes[(from - rescued.from) as usize..(to - rescued.from) as usize];
        }
        self.map.slice(from, to)
    }

    /// Published bytes from `from` on, up to `to` where they lie in one place, else up to the end of
    /// a record. They were guarded.
    pub(super) fn piece(&self, from: u64, to: u64) -> &[u8] {
        let border = self.rescued.get().map(|rescued| rescued.from).filter(|at| from < *at);
        self.bytes(from, border.map_or(to, |at| to.min(at)))
    }

    /// A record's payload, its checksum not yet looked at. Its place was guarded.
    pub(super) fn payload(&self, frame: &Frame) -> &[u8] {
        let from = frame.payload_offset();
        self.bytes(from, from + u64::from(frame.header.len))
    }

    /// The first of some published bytes that lie in one place, made safe to touch.
    pub(super) fn lendable(&self, range: Range<u64>) -> Range<u64> {
        let range = range.start..range.end.max(range.start);
        self.guard(range.clone());
        range.start..range.start + self.piece(range.start, range.end).len() as u64
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
        Walk::new(Published::new(self), self.salt, offset)
    }

    /// As [`Segment::walk`], through a stretch that begins with a record. All of it is made safe to
    /// touch at once, payloads included.
    pub(super) fn walk_through(&self, stretch: Range<u64>) -> Walk<Published<'_>> {
        let from = stretch.start;
        let mut published = Published::new(self);
        published.show(stretch);
        Walk::new(published, self.salt, from)
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

/// A segment's published bytes, made safe to touch window by window.
#[derive(Debug)]
pub struct Published<'a> {
    segment: &'a Segment,
    end: u64,
    /// Bytes that are safe to touch.
    window: Range<u64>,
    withheld: Vec<Withheld>,
}

impl<'a> Published<'a> {
    fn new(segment: &'a Segment) -> Published<'a> {
        Published { segment, end: segment.end(), window: 0..0, withheld: Vec::new() }
    }

    /// Windows double in size, so that a walk of a few records reads few pages, and a long one
    /// asks rarely.
    fn open_window(&mut self, from: u64, to: u64) {
        let size = ((self.window.end - self.window.start) * 2).clamp(WINDOW_MIN, WINDOW_MAX);
        self.show(from..to.max(from + size));
    }

    fn show(&mut self, window: Range<u64>) {
        self.window = window.start..window.end.min(self.end);
        self.withheld.extend(self.segment.guard(self.window.clone()));
    }
}

impl Source for Published<'_> {
    fn len(&self) -> u64 {
        self.end
    }

    fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let to = offset + len as u64;
        if offset < self.window.start || to > self.window.end {
            self.open_window(offset, to);
        }
        Ok(self.segment.bytes(offset, to))
    }

    fn withheld(&mut self) -> Vec<Withheld> {
        std::mem::take(&mut self.withheld)
    }
}
