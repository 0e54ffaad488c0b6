//! The bytes of a record: header, checksums, alignment. Drawn in `journal-format.md`, which changes
//! with this file. Knows no files.

use super::record::{EVENT_KIND_MIN, Flags, PAYLOAD_BYTES_MAX, Record, SEQ_END, Seq};

/// Records start at multiples of this, counted from the start of the segment.
pub const ALIGN: u64 = 8;

const HEADER_CRC: usize = 0;
const PAYLOAD_CRC: usize = HEADER_CRC + 4;
const LEN: usize = PAYLOAD_CRC + 4;
const KIND: usize = LEN + 4;
const FLAGS: usize = KIND + 2;
const CLASS: usize = FLAGS + 1;
const SEQ: usize = CLASS + 1;
const TIME_NS: usize = SEQ + 8;
const KEY: usize = TIME_NS + 8;

/// Length of a record's header; the payload follows.
pub const HEADER_BYTES: usize = KEY + 8;

/// A segment's salt, as the checksum state that every header CRC of the segment starts from.
///
/// Bytes of another segment, stale ones on recycled blocks included, fail the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(u32);

impl Salt {
    /// The state after the eight little-endian bytes of the salt.
    pub fn new(salt: u64) -> Salt {
        Salt(crc32fast::hash(&salt.to_le_bytes()))
    }

    fn header_crc(self, header: &[u8; HEADER_BYTES]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.0);
        hasher.update(&header[PAYLOAD_CRC..]);
        hasher.finalize()
    }
}

/// A record's header without its own checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// CRC of the payload alone: independent of salt and header, so that a restated record keeps it.
    pub payload_crc: u32,
    /// Payload bytes, never 0.
    pub len: u32,
    /// The kind.
    pub kind: u16,
    /// The flags.
    pub flags: Flags,
    /// Sorts the records of one kind; 0 for none.
    pub class: u8,
    /// Of an event its own number, of a restated record that of the original, of a control record
    /// that of the last event before it.
    pub seq: Seq,
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    /// The entity; 0 for none.
    pub key: u64,
}

impl Header {
    /// The header's bytes in a segment with this salt.
    pub fn encode(&self, salt: Salt) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[PAYLOAD_CRC..LEN].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[LEN..KIND].copy_from_slice(&self.len.to_le_bytes());
        bytes[KIND..FLAGS].copy_from_slice(&self.kind.to_le_bytes());
        bytes[FLAGS] = self.flags.0;
        bytes[CLASS] = self.class;
        bytes[SEQ..TIME_NS].copy_from_slice(&self.seq.to_le_bytes());
        bytes[TIME_NS..KEY].copy_from_slice(&self.time_ns.to_le_bytes());
        bytes[KEY..].copy_from_slice(&self.key.to_le_bytes());
        let crc = salt.header_crc(&bytes);
        bytes[HEADER_CRC..PAYLOAD_CRC].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header in these bytes, if they are one of a segment with this salt.
    pub fn decode(bytes: &[u8; HEADER_BYTES], salt: Salt) -> Option<Header> {
        // The length is looked at first: it turns away nearly all of the bytes that a search for
        // the next header meets, before any checksum is computed.
        let len = u32_at(bytes, LEN);
        if len == 0 || len as usize > PAYLOAD_BYTES_MAX {
            return None;
        }
        let seq = u64_at(bytes, SEQ);
        if seq >= SEQ_END || u32_at(bytes, HEADER_CRC) != salt.header_crc(bytes) {
            return None;
        }
        Some(Header {
            payload_crc: u32_at(bytes, PAYLOAD_CRC),
            len,
            kind: u16::from_le_bytes([bytes[KIND], bytes[KIND + 1]]),
            flags: Flags(bytes[FLAGS]),
            class: bytes[CLASS],
            seq,
            time_ns: u64_at(bytes, TIME_NS) as i64,
            key: u64_at(bytes, KEY),
        })
    }

    /// Bytes from this record's start to the next one's.
    pub fn frame_bytes(&self) -> u64 {
        frame_bytes(self.len as usize)
    }

    /// An event, as opposed to a control or a restated record.
    pub fn is_event(&self) -> bool {
        self.kind >= EVENT_KIND_MIN && !self.flags.has(Flags::RESTATED)
    }

    /// The state of an entity, its end, or what nobody may pass over, as opposed to history.
    pub fn concerns_state(&self) -> bool {
        self.flags.0 & (Flags::STATE.0 | Flags::END.0 | Flags::MUST_UNDERSTAND.0) != 0
    }

    /// A record of a keyframe.
    pub fn is_restated(&self) -> bool {
        self.kind >= EVENT_KIND_MIN && self.flags.has(Flags::RESTATED)
    }

    /// The record of this header and a payload that has been verified.
    pub fn record<'a>(&self, payload: &'a [u8]) -> Record<'a> {
        Record {
            kind: self.kind,
            flags: self.flags,
            seq: self.seq,
            time_ns: self.time_ns,
            key: self.key,
            class: self.class,
            payload,
        }
    }
}

/// Bytes of a record with a payload of `len` bytes: header, payload, zeros up to the alignment.
pub fn frame_bytes(len: usize) -> u64 {
    (HEADER_BYTES as u64 + len as u64).next_multiple_of(ALIGN)
}

/// Appends a record to `out`, whose length is a multiple of [`ALIGN`].
pub fn push(out: &mut Vec<u8>, header: &Header, payload: &[u8], salt: Salt) {
    debug_assert_eq!(header.len as usize, payload.len());
    out.extend_from_slice(&header.encode(salt));
    out.extend_from_slice(payload);
    out.resize(out.len().next_multiple_of(ALIGN as usize), 0);
}

/// The checksum of a payload: CRC-32/ISO-HDLC.
pub fn payload_crc(payload: &[u8]) -> u32 {
    crc32fast::hash(payload)
}

/// Reads a little-endian number; `at + 4` must lie within `bytes`.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a range of 4 is 4 bytes"))
}

/// Reads a little-endian number; `at + 8` must lie within `bytes`.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a range of 8 is 8 bytes"))
}
