//! Bytes to hand out: parts of segments and a few made up around them, read as one long file
//! without building it anywhere. Holding the segments, it outlives a wipe.

use std::{
    ops::Range,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::segment::Segment;

/// What was not sent before its checksum is asked for is read in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes to hand out, of a fixed length; holds its files open.
#[derive(Debug)]
pub struct Download {
    /// Length, bytes.
    pub len: u64,
    /// A strong entity tag without quotes.
    pub etag: String,
    /// A file name for the person who saves it.
    pub name: String,
    /// With where each begins.
    parts: Vec<(u64, Part)>,
}

/// One stretch of a download.
#[derive(Debug)]
pub(super) enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many zeros.
    Zeros(u64),
    /// A segment up to an end.
    Segment(Cut),
    /// The checksums of segments, computed when they are first read.
    Checksums { of: Vec<Cut>, text: OnceLock<Vec<u8>> },
}

/// A segment up to an end.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    pub segment: Arc<Segment>,
    pub end: u64,
    /// What was handed out so far, added up: a download goes from the start to the end, and its
    /// checksums stand last, so that nothing need be read a second time.
    sum: Arc<Mutex<Sum>>,
}

/// The checksum of a segment's first bytes.
#[derive(Debug, Default)]
struct Sum {
    upto: u64,
    hasher: crc32fast::Hasher,
}

/// Some bytes of a download.
#[derive(Debug)]
pub enum Chunk {
    /// Lent by a segment's map.
    Lent {
        /// The segment.
        segment: Arc<Segment>,
        /// Which of its bytes; they were made safe to touch.
        range: Range<u64>,
    },
    /// Made up.
    Made(Vec<u8>),
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        match self {
            Chunk::Lent { segment, range } => segment.piece(range.start, range.end),
            Chunk::Made(bytes) => bytes,
        }
    }
}

impl Download {
    pub(super) fn new(name: String, etag: String, parts: Vec<Part>) -> Download {
        let mut len = 0;
        let mut placed = Vec::with_capacity(parts.len());
        for part in parts {
            let part_len = part.len();
            placed.push((len, part));
            len += part_len;
        }
        Download { len, etag, name, parts: placed }
    }

    /// Bytes from `offset` on, at most so many; none at the end. Touches maps: call it on a reader
    /// thread.
    pub fn chunk(&self, offset: u64, bytes_max: usize) -> Chunk {
        let first = self.parts.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        let chunks = self.parts[first..].iter().map(|(start, part)| {
            // Only the first begins before `offset`; the others follow parts of no length.
            part.chunk(offset.max(*start) - start, bytes_max)
        });
        let mut found = chunks.filter(|chunk| !chunk.as_ref().is_empty());
        found.next().unwrap_or(Chunk::Made(Vec::new()))
    }

    /// Copies bytes from `offset` on, as many as there are and fit. Touches maps, as
    /// [`Download::chunk`] does.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buf.len() {
            let chunk = self.chunk(offset + filled as u64, buf.len() - filled);
            let bytes = chunk.as_ref();
            if bytes.is_empty() {
                break;
            }
            buf[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        }
        filled
    }
}

impl Part {
    pub fn len(&self) -> u64 {
        match self {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Zeros(len) => *len,
            Part::Segment(cut) => cut.end,
            Part::Checksums { of, .. } => of.iter().map(|cut| cut.line(0).len() as u64).sum(),
        }
    }

    fn chunk(&self, offset: u64, bytes_max: usize) -> Chunk {
        let some = |bytes: &[u8]| {
            let rest = bytes.get(offset as usize..).unwrap_or_default();
            Chunk::Made(rest[..rest.len().min(bytes_max)].to_vec())
        };
        match self {
            Part::Bytes(bytes) => some(bytes),
            Part::Zeros(len) => {
                let rest = len.saturating_sub(offset).min(bytes_max as u64);
                Chunk::Made(vec![0; rest as usize])
            }
            Part::Segment(cut) => cut.chunk(offset, bytes_max),
            Part::Checksums { of, text } => {
                let lines = || of.iter().flat_map(|cut| cut.line(cut.crc()).into_bytes());
                some(text.get_or_init(|| lines().collect()))
            }
        }
    }
}

impl Cut {
    pub fn new(segment: Arc<Segment>, end: u64) -> Cut {
        Cut { segment, end, sum: Arc::default() }
    }

    fn chunk(&self, offset: u64, bytes_max: usize) -> Chunk {
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        self.next_chunk(&mut sum, offset, bytes_max)
    }

    fn next_chunk(&self, sum: &mut Sum, offset: u64, bytes_max: usize) -> Chunk {
        let range = self.segment.lendable(offset..self.end.min(offset + bytes_max as u64));
        let chunk = Chunk::Lent { segment: self.segment.clone(), range };
        if sum.upto == offset {
            sum.hasher.update(chunk.as_ref());
            sum.upto += chunk.as_ref().len() as u64;
        }
        chunk
    }

    /// One line of the checksums; its length does not depend on the checksum.
    fn line(&self, crc: u32) -> String {
        format!("{crc:08x} {:>20} {}\n", self.end, self.segment.name)
    }

    /// Where a download did not begin at the start, the rest is read now.
    fn crc(&self) -> u32 {
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        while sum.upto < self.end {
            let upto = sum.upto;
            self.next_chunk(&mut sum, upto, PIECE_BYTES);
        }
        sum.hasher.clone().finalize()
    }
}
