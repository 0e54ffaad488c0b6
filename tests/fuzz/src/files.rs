//! Files of a journal, made of arbitrary bytes by `journal-format.md` alone. Checksums are put
//! right on the way, unless the bytes say otherwise: otherwise hardly anything would get past them.

/// A file for a journal's directory.
#[derive(Debug)]
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Its events have the numbers that a writer gives: rising, from `base_seq` on. What is said of
    /// order and of sums holds for such files alone.
    pub is_orderly: bool,
}

/// Flags of a record that readers ignore, and that keep its number or its checksums wrong here.
const BAD_NUMBER: u8 = 0x10;
const BAD_HEADER: u8 = 0x20;
const BAD_PAYLOAD: u8 = 0x40;

const RESTATED: u8 = 0x04;

const RECORD_HEADER: usize = 40;
const SEGMENT_HEADER: usize = 4096;
const COPY: usize = 512;

/// More segments than these show nothing new.
const SEGMENTS_MAX: usize = 4;

/// Splits bytes into segments: for each a length (two bytes), then so many bytes of it.
pub fn segments(mut input: &[u8]) -> Vec<File> {
    let mut files = Vec::new();
    while files.len() < SEGMENTS_MAX
        && let Some((len, rest)) = input.split_first_chunk()
    {
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (piece, rest) = rest.split_at(len);
        files.extend(segment(piece));
        input = rest;
    }
    files
}

/// Numbers of the segment's header, then its records. `None` where not even those numbers are there.
fn segment(input: &[u8]) -> Option<File> {
    let mut numbers = [0u64; 8];
    let mut rest = input;
    for number in &mut numbers {
        let (bytes, behind) = rest.split_first_chunk()?;
        *number = u64::from_le_bytes(*bytes);
        rest = behind;
    }
    let (&[id, boot, damage], records) = rest.split_first_chunk()?;
    let [epoch, base_seq, salt, created, prev_salt, prev_last_seq, prev_data_end, tail] = numbers;
    let mut copy = vec![0; COPY];
    let mut put = |at: usize, bytes: &[u8]| copy[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x89MBJ\r\n\x1a\n");
    put(8, &1u16.to_le_bytes());
    put(12, &(SEGMENT_HEADER as u32).to_le_bytes());
    // Zeros stand for an id that is lost.
    put(24, &[id.max(1); 16]);
    put(40, &epoch.to_le_bytes());
    put(48, &base_seq.to_le_bytes());
    put(56, &salt.to_le_bytes());
    put(64, &created.to_le_bytes());
    put(72, &(1u64 << 20).to_le_bytes());
    put(80, &prev_salt.to_le_bytes());
    put(88, &prev_last_seq.to_le_bytes());
    put(96, &prev_data_end.to_le_bytes());
    put(104, &[boot; 16]);
    let crc = crc32fast::hash(&copy[..COPY - 4]);
    copy[COPY - 4..].copy_from_slice(&crc.to_le_bytes());
    let mut bytes = vec![0; SEGMENT_HEADER];
    for (at, bit) in [(0, 1), (SEGMENT_HEADER / 2, 2)] {
        bytes[at..at + COPY].copy_from_slice(&copy);
        bytes[at + 100] ^= u8::from(damage & bit != 0);
    }
    bytes.extend_from_slice(records);
    let is_orderly = put_right(&mut bytes[SEGMENT_HEADER..], salt, base_seq);
    bytes.resize(bytes.len() + (tail & 0xfff) as usize, 0);
    Some(File { name: format!("{epoch:08}-{base_seq:020}-{salt:016x}.seg"), bytes, is_orderly })
}

/// Gives the records that follow each other from the start the numbers and checksums that they
/// should have; says whether every event has such a number.
fn put_right(mut records: &mut [u8], salt: u64, base_seq: u64) -> bool {
    let (mut next_seq, mut is_orderly) = (base_seq, true);
    while records.len() > RECORD_HEADER {
        let (header, rest) = records.split_at_mut(RECORD_HEADER);
        // The upper half would only be more than there is.
        let len = usize::from(u16::from_le_bytes([header[8], header[9]]));
        if len == 0 || len > rest.len() {
            // Whatever stands there may be found to be a record.
            return false;
        }
        header[10..12].fill(0);
        let flags = header[14];
        if header[13] != 0 && flags & RESTATED == 0 {
            if flags & BAD_NUMBER == 0 {
                // One number in some is missing.
                let seq = next_seq.wrapping_add(u64::from(header[23] & 1));
                header[16..24].copy_from_slice(&seq.to_le_bytes());
                next_seq = seq.wrapping_add(1);
            } else {
                is_orderly = false;
            }
        }
        if flags & BAD_PAYLOAD == 0 {
            let crc = crc32fast::hash(&rest[..len]);
            header[4..8].copy_from_slice(&crc.to_le_bytes());
        }
        if flags & BAD_HEADER == 0 {
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&salt.to_le_bytes());
            hasher.update(&header[4..]);
            header[..4].copy_from_slice(&hasher.finalize().to_le_bytes());
        }
        let frame = (RECORD_HEADER + len).next_multiple_of(8) - RECORD_HEADER;
        let from = frame.min(rest.len());
        records = &mut rest[from..];
    }
    is_orderly
}

/// An archive of these files as `tar` would write it, then as many bytes changed as `changes` says:
/// for each its place (three bytes) and its new value.
pub fn archive(files: &[File], changes: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("monitor-backend-journal/{}", file.name);
        // A name that is too long for a header is refused, and the file left out.
        let _ = archive.append_data(&mut header, path, &file.bytes[..]);
    }
    let mut bytes = archive.into_inner().expect("memory takes everything");
    for change in changes.chunks_exact(4) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = change[3];
        }
    }
    bytes
}
