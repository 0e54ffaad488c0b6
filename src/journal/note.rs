//! The note about one block of records: what it may hold, and the bytes of that. Knows neither
//! segments nor queries.

use super::{
    format::{Header, u64_at},
    keymap::mixed,
    record::Seq,
    walk::Frame,
};

/// The block holds a record with flag state, end or must understand: a replay has to look at it.
pub const STATEFUL: u64 = 1 << 62;

/// Bits of a block's filter of keys. A block of objects has about 130 records, one of traces about
/// 600: with three probes 1 and 20 of 100 keys pass by mistake.
const KEY_BITS: u64 = 2048;
const KEY_WORDS: usize = (KEY_BITS / 64) as usize;
const KEY_PROBES: u32 = 3;

const KEYS_AT: usize = 40;

/// Length of a note.
pub const NOTE_BYTES: usize = KEYS_AT + KEY_WORDS * 8;

/// The note about one block, which begins with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it begins.
    pub offset: u64,
    /// Its first event.
    pub first_seq: Seq,
    /// The earliest time of its events.
    pub time_min_ns: i64,
    /// The latest time of its events.
    pub time_max_ns: i64,
    /// A bit for each pair of kind and class that it holds; further ones are [`STATEFUL`] and the
    /// index's own.
    pub holds: u64,
    keys: Keys,
}

impl Note {
    /// The note about a block that begins with this event.
    pub fn first(frame: &Frame, bit: u64) -> Note {
        let Frame { offset, header } = frame;
        let mut note = Note {
            offset: *offset,
            first_seq: header.seq,
            time_min_ns: header.time_ns,
            time_max_ns: header.time_ns,
            holds: 0,
            keys: Keys::default(),
        };
        note.add(header, bit);
        note
    }

    /// Notes an event; `bit` is that of its kind and class.
    pub fn add(&mut self, header: &Header, bit: u64) {
        self.time_min_ns = self.time_min_ns.min(header.time_ns);
        self.time_max_ns = self.time_max_ns.max(header.time_ns);
        self.holds |= bit;
        if header.concerns_state() {
            self.holds |= STATEFUL;
        }
        if header.key != 0 {
            self.keys.add(header.key);
        }
    }

    /// Whether an event about this entity may be among them.
    pub fn may_concern(&self, key: u64) -> bool {
        self.keys.may_hold(key)
    }

    /// Appends the note's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let times = [self.time_min_ns as u64, self.time_max_ns as u64];
        for number in [self.offset, self.first_seq, times[0], times[1], self.holds] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        self.keys.0.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Reads [`NOTE_BYTES`].
    pub fn decode(bytes: &[u8]) -> Note {
        let mut keys = Keys::default();
        for (at, word) in keys.0.iter_mut().enumerate() {
            *word = u64_at(bytes, KEYS_AT + 8 * at);
        }
        Note {
            offset: u64_at(bytes, 0),
            first_seq: u64_at(bytes, 8),
            time_min_ns: u64_at(bytes, 16) as i64,
            time_max_ns: u64_at(bytes, 24) as i64,
            holds: u64_at(bytes, 32),
            keys,
        }
    }
}

/// A set of keys that may be wrong when it says that it holds one, never when it says that it does
/// not: B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Keys([u64; KEY_WORDS]);

impl Keys {
    fn bits(key: u64) -> impl Iterator<Item = (usize, u64)> {
        let hash = mixed(key);
        let width = KEY_BITS.trailing_zeros();
        let bit = move |probe| (hash >> (probe * width)) % KEY_BITS;
        (0..KEY_PROBES).map(bit).map(|bit| ((bit / 64) as usize, 1 << (bit % 64)))
    }

    fn add(&mut self, key: u64) {
        Keys::bits(key).for_each(|(word, bit)| self.0[word] |= bit);
    }

    fn may_hold(&self, key: u64) -> bool {
        Keys::bits(key).all(|(word, bit)| self.0[word] & bit != 0)
    }
}
