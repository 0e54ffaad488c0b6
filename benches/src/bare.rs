//! The bare loops that the journal is compared with: what no journal can do without, and nothing
//! else. Not a journal: they keep no state, notice no damage and cannot be opened again.

#![expect(unsafe_code, reason = "a loop that stores through a map needs one that can be written")]

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use memmap2::{Mmap, MmapMut};
use monitor_backend::{
    event::Event,
    journal::{EVENT_KIND_MIN, NewRecord},
};

/// Bytes of a record's header.
pub const HEADER_BYTES: usize = 40;

/// Where the first record of a segment stands.
const FIRST_RECORD: usize = 4096;

/// Copies and checksums records into a mapped file.
#[derive(Debug)]
pub struct Mapped {
    map: MmapMut,
    end: usize,
}

/// How a file is prepared before it is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// Blocks are given to it; they read as zeros.
    Allocated,
    /// Zeros are written to it and synced.
    Zeroed,
}

impl Mapped {
    /// Creates and maps a file of `len` bytes.
    ///
    /// # Errors
    /// The volume does not have them.
    pub fn create(path: &Path, len: u64, prepared: Prepared) -> io::Result<Mapped> {
        let file = prepare(path, len, prepared)?;
        // SAFETY: the file was created here, in a folder of its own; nobody else opens it.
        let map = unsafe { MmapMut::map_mut(&file)? };
        Ok(Mapped { map, end: 0 })
    }

    /// Whether so many more bytes have room.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.end + bytes <= self.map.len()
    }

    /// Stores a batch, of which [`Mapped::has_room`] said that it fits.
    pub fn append(&mut self, batch: &[NewRecord<'_>]) {
        for (record, seq) in batch.iter().zip(1u64..) {
            let len = record.payload.len();
            let mut header = [0; HEADER_BYTES];
            header[4..8].copy_from_slice(&crc32fast::hash(record.payload).to_le_bytes());
            header[8..12].copy_from_slice(&(len as u32).to_le_bytes());
            header[12..14].copy_from_slice(&record.kind.to_le_bytes());
            header[14] = record.flags.0;
            header[16..24].copy_from_slice(&seq.to_le_bytes());
            header[24..32].copy_from_slice(&record.time_ns.to_le_bytes());
            header[32..40].copy_from_slice(&record.key.to_le_bytes());
            let crc = crc32fast::hash(&header[4..]);
            header[..4].copy_from_slice(&crc.to_le_bytes());
            let frame = &mut self.map[self.end..self.end + HEADER_BYTES + len];
            frame[..HEADER_BYTES].copy_from_slice(&header);
            frame[HEADER_BYTES..].copy_from_slice(record.payload);
            self.end = (self.end + HEADER_BYTES + len).next_multiple_of(8);
        }
    }
}

/// Writes a little and syncs it, in a file that was zeroed before.
#[derive(Debug)]
pub struct OneSync {
    file: File,
    offset: u64,
    len: u64,
}

impl OneSync {
    /// Creates the file.
    ///
    /// # Errors
    /// The volume does not have `len` bytes.
    pub fn create(path: &Path, len: u64) -> io::Result<OneSync> {
        Ok(OneSync { file: prepare(path, len, Prepared::Zeroed)?, offset: 0, len })
    }

    /// One write, one `fdatasync`.
    ///
    /// # Errors
    /// Either failed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.offset + bytes.len() as u64 > self.len {
            self.offset = 0;
        }
        self.file.write_all_at(bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        self.file.sync_data()
    }
}

fn prepare(path: &Path, len: u64, prepared: Prepared) -> io::Result<File> {
    let mut file = File::options().read(true).write(true).create_new(true).open(path)?;
    let flags = rustix::fs::FallocateFlags::empty();
    rustix::fs::fallocate(&file, flags, 0, len)?;
    if prepared == Prepared::Zeroed {
        let zeros = vec![0; 1 << 20];
        let mut left = len;
        while left > 0 {
            let piece = left.min(zeros.len() as u64);
            file.write_all(&zeros[..piece as usize])?;
            left -= piece;
        }
        file.sync_data()?;
    }
    Ok(file)
}

/// Maps a file to read it.
///
/// # Errors
/// It cannot be opened.
pub fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: what is measured was closed before, and nobody writes to it meanwhile.
    unsafe { Mmap::map(&file) }
}

/// What a bare loop over a segment has seen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Records whose checksum holds.
    pub records: u64,
    /// Payloads that were decoded.
    pub decoded: u64,
    /// Bytes up to the end of the last record.
    pub bytes: u64,
}

/// Checksums the payload of every record of a segment, and decodes those that `wants` asks for by
/// their flags.
pub fn check_and_decode(segment: &[u8], wants: impl Fn(u8) -> bool) -> Seen {
    let mut seen = Seen::default();
    let mut at = FIRST_RECORD;
    while let Some(header) = segment.get(at..at + HEADER_BYTES) {
        let number = |from: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[from + i]));
        let (crc, len) = (number(4), number(8) as usize);
        if len == 0 {
            break;
        }
        let Some(payload) = segment.get(at + HEADER_BYTES..at + HEADER_BYTES + len) else { break };
        if crc32fast::hash(payload) == crc {
            seen.records += 1;
            let kind = u16::from_le_bytes([header[12], header[13]]);
            if kind >= EVENT_KIND_MIN && wants(header[14]) {
                let event = Event::decode(kind, payload);
                seen.decoded += u64::from(std::hint::black_box(event).is_ok());
            }
        }
        at = (at + HEADER_BYTES + len).next_multiple_of(8);
        seen.bytes = at as u64;
    }
    seen
}
