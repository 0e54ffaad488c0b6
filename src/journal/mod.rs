//! Records on disk and back. Knows no Kubernetes, no HTTP and no event type.
//!
//! A record is (kind, flags, time, key, payload bytes). The bytes are drawn in `journal-format.md`.

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The number of an event; strictly +1, never reused.
pub type Seq = u64;

/// What a record's header says about its entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The whole present state of the entity: it replaces, never amends.
    pub const STATE: Flags = Flags(1);
    /// The entity is gone.
    pub const END: Flags = Flags(2);
    /// Repeated in a keyframe; takes no sequence number of its own.
    pub const RESTATED: Flags = Flags(4);
    /// A reader that does not know the kind must say that its picture is incomplete.
    pub const MUST_UNDERSTAND: Flags = Flags(0x80);
}

/// A record to be appended.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// At least `0x0100`; lower ones are the journal's own.
    pub kind: u16,
    /// State and end at most; the journal sets the others.
    pub flags: Flags,
    /// When it was learned, nanoseconds since 1970.
    pub time_ns: i64,
    /// The entity that it is about; 0 for none.
    pub key: u64,
    /// 1 byte to [`PAYLOAD_BYTES_MAX`].
    pub payload: &'a [u8],
}

/// A record as it was read; both checksums have been verified.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The kind.
    pub kind: u16,
    /// The flags.
    pub flags: Flags,
    /// The sequence number; for a restated record that of the original.
    pub seq: Seq,
    /// When it was learned, nanoseconds since 1970.
    pub time_ns: i64,
    /// The entity that it is about; 0 for none.
    pub key: u64,
    /// The payload.
    pub payload: &'a [u8],
}

/// The largest payload.
pub const PAYLOAD_BYTES_MAX: usize = 8 << 20;

/// Where a payload is, so that memory need not hold it.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a segment's map; keeps the map alive, also after the file is unlinked.
    Map { segment: Arc<Segment>, offset: u64, len: u32 },
    /// On the heap: not saved, or read where maps do not work.
    Heap(Arc<[u8]>),
}

impl Place {
    /// The payload's bytes. Touches the map: call it on a reader thread or the recorder.
    pub fn payload(&self) -> &[u8] {
        unimplemented!()
    }
}

/// How far the journal has come; taken at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions {
    /// The journal's random id.
    pub journal_id: [u8; 16],
    /// Counts wipes.
    pub epoch: u64,
    /// The oldest event's number; `last_seq + 1` where there is none.
    pub first_seq: Seq,
    /// The newest published event's number.
    pub last_seq: Seq,
    /// Everything up to here survives a power cut.
    pub durable_seq: Seq,
    /// Bytes of recorded data in all segments.
    pub bytes: u64,
}

/// How to open a journal.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; created when absent.
    pub dir: PathBuf,
    /// Size of a new segment, bytes.
    pub segment_bytes: u64,
}

/// A segment: one file, or one part of a tar. Internals belong to the journal.
#[derive(Debug)]
pub struct Segment {}

/// Facts about one segment.
#[derive(Debug, Clone)]
pub struct SegmentInfo {
    pub name: String,
    pub epoch: u64,
    pub first_seq: Option<Seq>,
    pub last_seq: Option<Seq>,
    pub bytes: u64,
    pub sealed: bool,
    pub created_ns: i64,
    pub damaged: u64,
}

/// A file that was left alone, and why.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LeftAlone {
    pub name: String,
    pub reason: String,
}

/// What recovery found; part of the boot record and shown on screen.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Recovery {
    pub left_alone: Vec<LeftAlone>,
}

/// Appends. One per journal, owned by one thread.
#[derive(Debug)]
pub struct Writer {}

/// What was appended.
#[derive(Debug)]
pub struct Appended {
    /// The number of the first record; the others follow, +1 each.
    pub first_seq: Seq,
    /// Where each payload is, in order.
    pub places: Vec<Place>,
}

/// Who wipes, and why.
#[derive(Debug, Clone)]
pub struct WipeNote {
    pub actor: String,
    pub reason: String,
    pub time_ns: i64,
}

/// Opens the journal in a directory for appending: takes the lock, recovers by reading, starts a
/// new segment lazily at the first append.
pub fn open(_options: Options) -> Result<(Writer, Reader, Recovery), Error> {
    unimplemented!()
}

impl Writer {
    /// Appends a batch with one positional write and publishes it to readers.
    pub fn append(&mut self, _batch: &[NewRecord<'_>]) -> Result<Appended, Error> {
        unimplemented!()
    }

    /// Makes everything appended durable; returns the durable sequence number.
    pub fn sync(&mut self) -> Result<Seq, Error> {
        unimplemented!()
    }

    /// Starts a new epoch: an empty journal whose first records are the wipe record and `first`.
    pub fn wipe(&mut self, _note: &WipeNote, _first: &[NewRecord<'_>]) -> Result<Appended, Error> {
        unimplemented!()
    }

    /// Seals the open segment and syncs: a clean end.
    pub fn close(self) -> Result<(), Error> {
        unimplemented!()
    }
}

/// Reads, from any thread, while the writer appends.
#[derive(Debug, Clone)]
pub struct Reader {}

/// Which events a scan is about; both ends exclusive.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    pub after: Seq,
    pub before: Seq,
    /// Only these kinds; empty for all.
    pub kinds: &'a [u16],
    /// Only this entity.
    pub key: Option<u64>,
}

impl Reader {
    /// Opens a backup read-only: a directory, a `.tar`, or one segment. Takes no lock, writes nothing.
    pub fn open(_path: &Path) -> Result<(Reader, Recovery), Error> {
        unimplemented!()
    }

    /// How far the journal has come.
    pub fn positions(&self) -> Positions {
        unimplemented!()
    }

    /// Feeds the state at `to`: the keyframe of the nearest segment, then the events up to and
    /// including `to` (the present when `None`).
    pub fn replay(
        &self,
        _to: Option<Seq>,
        _f: &mut dyn FnMut(Record<'_>, Place),
    ) -> Result<(), Error> {
        unimplemented!()
    }

    /// Feeds the events of a range, oldest first; never control or restated records.
    pub fn scan(
        &self,
        _range: Range<'_>,
        _f: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    /// Feeds the events of a range, newest first.
    pub fn scan_back(
        &self,
        _range: Range<'_>,
        _f: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        unimplemented!()
    }

    /// The newest event learned at or before `time_ns`.
    pub fn seq_at(&self, _time_ns: i64) -> Option<Seq> {
        unimplemented!()
    }

    /// Facts about every segment, oldest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        unimplemented!()
    }

    /// One segment's raw bytes as they are now.
    pub fn segment_file(&self, _name: &str) -> Option<Download> {
        unimplemented!()
    }

    /// The whole journal up to `to` as a tar: a pure function of epoch, first segment and `to`.
    pub fn backup(&self, _to: Seq) -> Result<Download, Error> {
        unimplemented!()
    }
}

/// Bytes to hand out, of a fixed length; holds its files open.
#[derive(Debug)]
pub struct Download {
    /// Length, bytes.
    pub len: u64,
    /// A strong entity tag without quotes.
    pub etag: String,
    /// A file name for the person who saves it.
    pub name: String,
}

impl Download {
    /// Reads some bytes at `offset`; 0 at the end.
    pub fn read_at(&self, _offset: u64, _buf: &mut [u8]) -> io::Result<usize> {
        unimplemented!()
    }
}

/// Why the journal could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the journal open.
    #[error("another process holds the lock of {dir}; it is waited for")]
    Locked { dir: PathBuf },
    /// A file operation failed.
    #[error("{attempted} {path} failed")]
    Io { attempted: &'static str, path: PathBuf, source: io::Error },
}
