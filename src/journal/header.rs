//! The first 4096 bytes of a segment, and its file name, which repeats what reading needs most.

use super::{
    format::{u32_at, u64_at},
    record::{SEQ_END, Seq},
};

/// Catches foreign files, and files that a text-mode copy has damaged.
pub const MAGIC: [u8; 8] = *b"\x89MBJ\r\n\x1a\n";
/// Another major version is another layout: refused and left alone.
pub const MAJOR: u16 = 1;
/// Raised by additions that this version may ignore.
pub const MINOR: u16 = 0;

/// Records start here.
pub const SEGMENT_HEADER_BYTES: u64 = 4096;

/// The header stands twice, half a page apart: one damaged sector costs nothing.
const COPIES: [usize; 2] = [0, 2048];
const COPY_BYTES: usize = 512;

const MAJOR_AT: usize = 8;
const MINOR_AT: usize = MAJOR_AT + 2;
const HEADER_LEN: usize = MINOR_AT + 2;
const INCOMPATIBLE: usize = HEADER_LEN + 4;
const COMPATIBLE: usize = INCOMPATIBLE + 4;
const JOURNAL_ID: usize = COMPATIBLE + 4;
const EPOCH: usize = JOURNAL_ID + 16;
const BASE_SEQ: usize = EPOCH + 8;
const SALT: usize = BASE_SEQ + 8;
const CREATED_NS: usize = SALT + 8;
const CAPACITY: usize = CREATED_NS + 8;
const PREV_SALT: usize = CAPACITY + 8;
const PREV_LAST_SEQ: usize = PREV_SALT + 8;
const PREV_DATA_END: usize = PREV_LAST_SEQ + 8;
const BOOT_ID: usize = PREV_DATA_END + 8;
const WRITER: usize = BOOT_ID + 16;
const WRITER_BYTES: usize = 64;
const CRC: usize = COPY_BYTES - 4;

/// The program that wrote a segment, for people who look at one.
const WRITER_NAME: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Behind the largest epoch: names have eight digits for it.
const EPOCH_END: u64 = 100_000_000;

const EXTENSION: &str = ".seg";

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The journal's random id; zeros where both copies of the header are damaged.
    pub journal_id: [u8; 16],
    /// Counts wipes.
    pub epoch: u64,
    /// The number of the segment's first event, also while it has none.
    pub base_seq: Seq,
    /// Upper 24 bits: counts the journal's segments, so that names sort in log order also where two
    /// segments have the same base. Lower 40 bits: random.
    pub salt: u64,
    /// The time of the record that the segment was started for, nanoseconds since 1970.
    pub created_ns: i64,
    /// Length of the file as it was allocated.
    pub capacity: u64,
    /// The segment before it, as its writer saw it.
    pub prev: Previous,
    /// The id of the machine's boot that wrote it; zeros where unknown.
    pub boot_id: [u8; 16],
}

/// Where a segment's predecessor ends. Written after the predecessor was synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Previous {
    /// Its salt; 0 for none.
    pub salt: u64,
    /// The last event before this segment, or before this epoch.
    pub last_seq: Seq,
    /// Where its data ends; what stands behind was never acknowledged. 0 for none.
    pub data_end: u64,
}

/// Why a file cannot be read as a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Neither copy of the header is whole.
    NoHeader,
    /// Written by a version whose layout is another.
    OtherVersion(String),
}

impl SegmentHeader {
    /// The file's first [`SEGMENT_HEADER_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        let copy = self.encode_copy();
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES as usize];
        for start in COPIES {
            bytes[start..start + COPY_BYTES].copy_from_slice(&copy);
        }
        bytes
    }

    fn encode_copy(&self) -> [u8; COPY_BYTES] {
        let mut copy = [0; COPY_BYTES];
        let mut put = |at: usize, bytes: &[u8]| copy[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &MAGIC);
        put(MAJOR_AT, &MAJOR.to_le_bytes());
        put(MINOR_AT, &MINOR.to_le_bytes());
        put(HEADER_LEN, &(SEGMENT_HEADER_BYTES as u32).to_le_bytes());
        put(JOURNAL_ID, &self.journal_id);
        put(EPOCH, &self.epoch.to_le_bytes());
        put(BASE_SEQ, &self.base_seq.to_le_bytes());
        put(SALT, &self.salt.to_le_bytes());
        put(CREATED_NS, &self.created_ns.to_le_bytes());
        put(CAPACITY, &self.capacity.to_le_bytes());
        put(PREV_SALT, &self.prev.salt.to_le_bytes());
        put(PREV_LAST_SEQ, &self.prev.last_seq.to_le_bytes());
        put(PREV_DATA_END, &self.prev.data_end.to_le_bytes());
        put(BOOT_ID, &self.boot_id);
        let writer = WRITER_NAME.as_bytes();
        put(WRITER, &writer[..writer.len().min(WRITER_BYTES)]);
        let crc = crc32fast::hash(&copy[..CRC]);
        copy[CRC..].copy_from_slice(&crc.to_le_bytes());
        copy
    }

    /// Reads the header from a file's start, which may be shorter than a header.
    ///
    /// # Errors
    /// No copy is whole, or it is of a version that cannot be read.
    pub fn decode(start: &[u8]) -> Result<SegmentHeader, Unreadable> {
        let mut copies = COPIES.iter().filter_map(|&at| start.get(at..at + COPY_BYTES));
        let copy = copies.find(|copy| is_whole(copy)).ok_or(Unreadable::NoHeader)?;
        let major = u16::from_le_bytes([copy[MAJOR_AT], copy[MAJOR_AT + 1]]);
        if major != MAJOR {
            let reason = format!("written in version {major} of the format; this is {MAJOR}");
            return Err(Unreadable::OtherVersion(reason));
        }
        let (incompatible, header_len) = (u32_at(copy, INCOMPATIBLE), u32_at(copy, HEADER_LEN));
        if incompatible != 0 || u64::from(header_len) != SEGMENT_HEADER_BYTES {
            let reason = format!(
                "needs what this version lacks (flags {incompatible:#x}, header {header_len} bytes)"
            );
            return Err(Unreadable::OtherVersion(reason));
        }
        let header = SegmentHeader::fields(copy);
        if !header.is_in_range() {
            let reason = "its header says what no writer of this version can have said".to_owned();
            return Err(Unreadable::OtherVersion(reason));
        }
        Ok(header)
    }

    /// Whether every number is one that a writer of this version can have written.
    fn is_in_range(&self) -> bool {
        let prev_ends = self.prev.salt == 0 || self.prev.data_end >= SEGMENT_HEADER_BYTES;
        let seqs_fit = (1..SEQ_END).contains(&self.base_seq) && self.prev.last_seq < self.base_seq;
        self.epoch < EPOCH_END && seqs_fit && prev_ends
    }

    fn fields(copy: &[u8]) -> SegmentHeader {
        let id = |at: usize| copy[at..at + 16].try_into().expect("a range of 16 is 16 bytes");
        SegmentHeader {
            journal_id: id(JOURNAL_ID),
            epoch: u64_at(copy, EPOCH),
            base_seq: u64_at(copy, BASE_SEQ),
            salt: u64_at(copy, SALT),
            created_ns: u64_at(copy, CREATED_NS) as i64,
            capacity: u64_at(copy, CAPACITY),
            prev: Previous {
                salt: u64_at(copy, PREV_SALT),
                last_seq: u64_at(copy, PREV_LAST_SEQ),
                data_end: u64_at(copy, PREV_DATA_END),
            },
            boot_id: id(BOOT_ID),
        }
    }

    /// What the file's name alone tells, for a segment whose header is lost.
    pub fn from_name(name: &str) -> Option<SegmentHeader> {
        let mut parts = name.strip_suffix(EXTENSION)?.split('-');
        let (epoch, base, salt) = (parts.next()?, parts.next()?, parts.next()?);
        let sizes_hold = (epoch.len(), base.len(), salt.len()) == (8, 20, 16);
        if parts.next().is_some() || !sizes_hold {
            return None;
        }
        let header = SegmentHeader {
            journal_id: [0; 16],
            epoch: epoch.parse().ok()?,
            base_seq: base.parse().ok()?,
            salt: u64::from_str_radix(salt, 16).ok()?,
            created_ns: 0,
            capacity: 0,
            prev: Previous::default(),
            boot_id: [0; 16],
        };
        header.is_in_range().then_some(header)
    }

    /// The file's name; names sort in log order.
    pub fn name(&self) -> String {
        format!("{:08}-{:020}-{:016x}{EXTENSION}", self.epoch, self.base_seq, self.salt)
    }

    /// What segments are sorted by.
    pub fn order(&self) -> (u64, Seq, u64) {
        (self.epoch, self.base_seq, self.salt)
    }
}

/// Whether a name asks to be taken for a segment.
pub fn is_segment_name(name: &str) -> bool {
    name.ends_with(EXTENSION)
}

/// Where copies of the header stand that are damaged, in a file's start. As long as one is whole
/// nothing is lost, but the volume has changed a byte.
pub fn damaged_copies(start: &[u8]) -> impl Iterator<Item = u64> {
    let is_damaged = |at: &&usize| !start.get(**at..**at + COPY_BYTES).is_some_and(is_whole);
    COPIES.iter().filter(is_damaged).map(|&at| at as u64)
}

fn is_whole(copy: &[u8]) -> bool {
    copy.starts_with(&MAGIC) && u32_at(copy, CRC) == crc32fast::hash(&copy[..CRC])
}
