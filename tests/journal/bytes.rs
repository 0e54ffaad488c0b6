//! The format's bytes, drawn a second time from the document alone: to make what no writer writes.

/// Where records begin.
pub const DATA: usize = 4096;

/// Bytes of a record's header.
pub const HEAD: usize = 40;

/// A record of any sort.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    pub kind: u16,
    pub flags: u8,
    pub seq: u64,
    pub key: u64,
    /// What the header says; `None` for the truth.
    pub len: Option<u32>,
    pub payload: &'a [u8],
}

/// A record as it stands in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands {
    pub at: usize,
    pub kind: u16,
    pub flags: u8,
    pub len: usize,
    pub seq: u64,
}

impl Raw<'_> {
    /// Its bytes in a segment with this salt; both checksums hold.
    pub fn bytes(&self, salt: u64) -> Vec<u8> {
        let len = self.len.unwrap_or(self.payload.len() as u32);
        let mut bytes = vec![0; HEAD];
        bytes[8..12].copy_from_slice(&len.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.kind.to_le_bytes());
        bytes[14] = self.flags;
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.key.to_le_bytes());
        bytes.extend_from_slice(self.payload);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let payload_crc = crc32fast::hash(self.payload);
        bytes[4..8].copy_from_slice(&payload_crc.to_le_bytes());
        put_header_crc(&mut bytes, salt);
        bytes
    }
}

fn put_header_crc(record: &mut [u8], salt: u64) {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&record[4..HEAD]);
    record[..4].copy_from_slice(&hasher.finalize().to_le_bytes());
}

/// Makes both checksums of the record at `at` hold again.
pub fn mend(segment: &mut [u8], at: usize) {
    let (salt, len) = (salt(segment), u32_at(segment, at + 8) as usize);
    let payload_crc = crc32fast::hash(&segment[at + HEAD..at + HEAD + len]);
    segment[at + 4..at + 8].copy_from_slice(&payload_crc.to_le_bytes());
    put_header_crc(&mut segment[at..], salt);
}

/// Makes the checksum of a copy of the segment header hold again.
pub fn mend_copy(segment: &mut [u8], copy: usize) {
    let crc = crc32fast::hash(&segment[copy..copy + 508]).to_le_bytes();
    segment[copy + 508..copy + 512].copy_from_slice(&crc);
}

pub fn salt(segment: &[u8]) -> u64 {
    u64_at(segment, 56)
}

/// The records of a segment in which nothing is damaged.
pub fn records(segment: &[u8]) -> Vec<Stands> {
    let mut records = Vec::new();
    let mut at = DATA;
    while at + HEAD <= segment.len() && segment[at..at + HEAD].iter().any(|byte| *byte != 0) {
        let len = u32_at(segment, at + 8) as usize;
        let kind = u16::from_le_bytes([segment[at + 12], segment[at + 13]]);
        let (flags, seq) = (segment[at + 14], u64_at(segment, at + 16));
        records.push(Stands { at, kind, flags, len, seq });
        at += (HEAD + len).next_multiple_of(8);
    }
    records
}

/// Where the data of such a segment ends.
pub fn data_end(segment: &[u8]) -> usize {
    records(segment).last().map_or(DATA, |last| last.at + (HEAD + last.len).next_multiple_of(8))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}
