//! Bytes to hand out: parts of segments and a few made up around them, read as one long file
//! without building it anywhere. Holding the segments, it outlives a wipe.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use super::segment::Segment;

/// A checksum is taken over pieces of this size.
const PIECE_BYTES: usize = 64 << 10;

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

    /// Reads some bytes at `offset`; 0 at the end. Touches maps: call it on a reader thread.
    ///
    /// # Errors
    /// None at present; a caller that streams must expect one all the same.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut index = self.parts.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        let mut filled = 0;
        while filled < buf.len() {
            let Some((start, part)) = self.parts.get(index) else { break };
            let within = offset + filled as u64 - start;
            match part.read_at(within, &mut buf[filled..]) {
                0 => index += 1,
                count => filled += count,
            }
        }
        Ok(filled)
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

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> usize {
        match self {
            Part::Bytes(bytes) => copy(bytes, offset, buf),
            Part::Zeros(len) => {
                let count = len.saturating_sub(offset).min(buf.len() as u64) as usize;
                buf[..count].fill(0);
                count
            }
            Part::Segment(cut) => cut.segment.read_at(offset, cut.end, buf),
            Part::Checksums { of, text } => {
                let lines = || of.iter().flat_map(|cut| cut.line(cut.crc()).into_bytes());
                copy(text.get_or_init(|| lines().collect()), offset, buf)
            }
        }
    }
}

impl Cut {
    /// One line of the checksums; its length does not depend on the checksum.
    fn line(&self, crc: u32) -> String {
        format!("{crc:08x} {:>20} {}\n", self.end, self.segment.name)
    }

    fn crc(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        let mut piece = vec![0; PIECE_BYTES];
        let mut offset = 0;
        while offset < self.end {
            let count = self.segment.read_at(offset, self.end, &mut piece);
            hasher.update(&piece[..count]);
            offset += count as u64;
        }
        hasher.finalize()
    }
}

fn copy(bytes: &[u8], offset: u64, buf: &mut [u8]) -> usize {
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    let count = rest.len().min(buf.len());
    buf[..count].copy_from_slice(&rest[..count]);
    count
}
