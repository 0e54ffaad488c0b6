//! What is where in a segment: a short note for each block of records, so that a query passes over
//! the blocks that cannot hold what it wants. Stored before the seal, as `journal-format.md` draws
//! it; built from headers, by the same hand, for a segment that has none. Knows no queries.

use std::{io, sync::Arc};

use super::{
    control::{self, SEAL_BYTES},
    format::{self, ALIGN, Header, u32_at},
    header::SEGMENT_HEADER_BYTES,
    note::{NOTE_BYTES, Note, STATEFUL},
    record::Seq,
    segment::Segment,
    walk::{Frame, Step},
};

/// A block ends with the first record behind this. Small enough to be read at once, so large that
/// the notes are about a thousandth of the records.
pub const BLOCK_BYTES: u64 = 256 << 10;

/// Pairs of kind and class that have a bit of their own in a block's note; further ones share one.
const PAIRS_MAX: usize = 62;

/// The block holds a pair that has no bit of its own.
const OTHERS: u64 = 1 << 63;

const PAIRS_AT: usize = 8;
const PAIR_BYTES: usize = 4;

/// The notes of one segment, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Kinds and classes; the place of a pair is its bit in `holds`.
    pairs: Vec<(u16, u8)>,
    notes: Vec<Note>,
    /// Behind the last record that was noted.
    noted_to: u64,
    /// Larger than every number that was noted, and not larger than any that follows.
    next_seq: Seq,
}

/// A stretch of records that may hold what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Where it begins, with a record.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// No event in it has a smaller number.
    pub first_seq: Seq,
    /// Every event in it has a smaller number.
    pub end_seq: Seq,
    /// No event in it was learned earlier.
    pub time_min_ns: i64,
}

/// What a block must hold to be looked at.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Anything.
    All,
    /// What changes the state.
    States,
    /// Some kinds, classes and an entity; each empty one means all.
    Some {
        /// Kinds.
        kinds: &'a [u16],
        /// Classes.
        classes: &'a [u8],
        /// The entity.
        key: Option<u64>,
    },
}

impl Index {
    /// The index of a segment that has no events yet.
    pub fn new(base_seq: Seq) -> Index {
        Index { pairs: Vec::new(), notes: Vec::new(), noted_to: 0, next_seq: base_seq }
    }

    /// The index of a segment: the stored one where it can be read, else one made of the headers
    /// and kept for the next time. It may lag a block behind the published end.
    ///
    /// # Errors
    /// The segment cannot be read.
    pub fn of(segment: &Segment) -> io::Result<Arc<Index>> {
        if let Some(stored) = Index::stored(segment)? {
            return Ok(Arc::new(stored));
        }
        let known = segment.index.load_full();
        if segment.end() < known.noted_to + BLOCK_BYTES {
            return Ok(known);
        }
        let mut longer = Index::clone(&known);
        longer.note_on(segment)?;
        let longer = Arc::new(longer);
        // Another reader may have done the same meanwhile; either will do.
        segment.index.store(longer.clone());
        Ok(longer)
    }

    fn stored(segment: &Segment) -> io::Result<Option<Index>> {
        let Some(seal) = segment.seal().filter(|seal| seal.index_offset != 0) else {
            return Ok(None);
        };
        let mut walk = segment.walk(seal.index_offset);
        let Step::Frame(frame) = walk.next()? else { return Ok(None) };
        let is_there = frame.offset == seal.index_offset
            && frame.header.kind == control::kind::INDEX
            && frame.end() + SEAL_BYTES == segment.end();
        let payload = if is_there { walk.payload(&frame)? } else { None };
        let index = payload.and_then(|payload| Index::decode(payload, seal.index_offset));
        if index.is_none() {
            segment.note_damage(frame.offset);
        }
        Ok(index)
    }

    fn note_on(&mut self, segment: &Segment) -> io::Result<()> {
        let mut walk = segment.walk(self.noted_to);
        loop {
            match walk.next()? {
                Step::Frame(frame) => {
                    if frame.header.is_event() {
                        self.add(&frame);
                    }
                    self.noted_to = frame.end();
                }
                Step::Damage { from, to } => {
                    segment.note_damage(from);
                    self.noted_to = to;
                }
                Step::End { at, torn } => {
                    if torn {
                        segment.note_damage(at);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Notes an event, which stands behind those noted before.
    pub fn add(&mut self, frame: &Frame) {
        let header = &frame.header;
        let bit = self.bit_of(header.kind, header.class);
        let has_room = |note: &&mut Note| frame.offset < note.offset + BLOCK_BYTES;
        match self.notes.last_mut().filter(has_room) {
            Some(note) => note.add(header, bit),
            None => self.notes.push(Note::first(frame, bit)),
        }
        self.noted_to = frame.end();
        self.next_seq = header.seq.saturating_add(1);
    }

    fn bit_of(&mut self, kind: u16, class: u8) -> u64 {
        let pair = (kind, class);
        match self.pairs.iter().position(|known| *known == pair) {
            Some(place) => 1 << place,
            None if self.pairs.len() < PAIRS_MAX => {
                self.pairs.push(pair);
                1 << (self.pairs.len() - 1)
            }
            None => OTHERS,
        }
    }

    /// The stretches that may hold what is wanted, oldest first, up to the segment's `end`. What
    /// has not been noted yet is one of them.
    pub fn runs(&self, end: u64, wanted: Wanted<'_>) -> Vec<Run> {
        let mask = self.mask(wanted);
        let next = |at: usize| self.notes.get(at + 1).map(|note| (note.offset, note.first_seq));
        let mut runs = Vec::new();
        for (at, note) in self.notes.iter().enumerate() {
            if note.holds & mask != 0 && wanted.key().is_none_or(|key| note.may_concern(key)) {
                let (to, end_seq) = next(at).unwrap_or((self.noted_to, self.next_seq));
                let (from, first_seq) = (note.offset, note.first_seq);
                runs.push(Run { from, to, first_seq, end_seq, time_min_ns: note.time_min_ns });
            }
        }
        if self.noted_to < end {
            runs.push(Run {
                from: self.noted_to,
                to: end,
                first_seq: self.next_seq,
                end_seq: Seq::MAX,
                time_min_ns: i64::MIN,
            });
        }
        runs
    }

    /// The bits of which a block must have one.
    fn mask(&self, wanted: Wanted<'_>) -> u64 {
        match wanted {
            Wanted::All => u64::MAX,
            Wanted::States => STATEFUL,
            Wanted::Some { kinds, classes, .. } => {
                let fits = |&(kind, class): &(u16, u8)| {
                    (kinds.is_empty() || kinds.contains(&kind))
                        && (classes.is_empty() || classes.contains(&class))
                };
                let places = self.pairs.iter().enumerate().filter(|(_, pair)| fits(pair));
                places.fold(OTHERS, |mask, (place, _)| mask | 1 << place)
            }
        }
    }

    /// The record's header and payload; `seq` is that of the segment's last event.
    pub fn encode(&self, seq: Seq, time_ns: i64) -> (Header, Vec<u8>) {
        let mut out = Vec::with_capacity(payload_bytes(self.pairs.len(), self.notes.len()));
        out.extend_from_slice(&(self.notes.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.pairs.len() as u32).to_le_bytes());
        for &(kind, class) in &self.pairs {
            out.extend_from_slice(&kind.to_le_bytes());
            out.extend_from_slice(&[class, 0]);
        }
        out.resize(out.len().next_multiple_of(ALIGN as usize), 0);
        self.notes.iter().for_each(|note| note.encode(&mut out));
        (control::header(control::kind::INDEX, &out, seq, time_ns), out)
    }

    /// Reads a verified payload; `None` where it contradicts itself or its place in the segment. A
    /// longer one is of a later version: the rest is ignored.
    fn decode(payload: &[u8], offset: u64) -> Option<Index> {
        let head = payload.get(..PAIRS_AT)?;
        let (notes, pairs) = (u32_at(head, 0) as usize, u32_at(head, 4) as usize);
        if pairs > PAIRS_MAX || notes > payload.len() / NOTE_BYTES {
            return None;
        }
        let notes_at = notes_at(pairs);
        let notes = payload.get(notes_at..notes_at + notes * NOTE_BYTES)?;
        let pair = |b: &[u8]| (u16::from_le_bytes([b[0], b[1]]), b[2]);
        let pairs = payload[PAIRS_AT..PAIRS_AT + pairs * PAIR_BYTES].chunks_exact(PAIR_BYTES);
        let index = Index {
            pairs: pairs.map(pair).collect(),
            notes: notes.chunks_exact(NOTE_BYTES).map(Note::decode).collect(),
            // Nothing follows but the seal.
            noted_to: u64::MAX,
            next_seq: Seq::MAX,
        };
        index.is_consistent(offset).then_some(index)
    }

    fn is_consistent(&self, offset: u64) -> bool {
        let ascends = |pair: &[Note]| {
            pair[0].offset < pair[1].offset && pair[0].first_seq < pair[1].first_seq
        };
        let within = |note: &Note| (SEGMENT_HEADER_BYTES..offset).contains(&note.offset);
        let aligned = |note: &Note| note.offset.is_multiple_of(ALIGN);
        self.notes.windows(2).all(ascends) && self.notes.iter().all(|n| within(n) && aligned(n))
    }
}

impl Wanted<'_> {
    fn key(self) -> Option<u64> {
        match self {
            // Records without an entity are not in the filter.
            Wanted::Some { key, .. } => key.filter(|key| *key != 0),
            Wanted::All | Wanted::States => None,
        }
    }
}

/// Length at most of the index record of a segment that ends at `end`, so that every segment keeps
/// room for its own.
pub fn bytes_max(end: u64) -> u64 {
    format::frame_bytes(payload_bytes(PAIRS_MAX, (end / BLOCK_BYTES) as usize + 1))
}

fn payload_bytes(pairs: usize, notes: usize) -> usize {
    notes_at(pairs) + notes * NOTE_BYTES
}

fn notes_at(pairs: usize) -> usize {
    (PAIRS_AT + pairs * PAIR_BYTES).next_multiple_of(ALIGN as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{self, Flags, NewRecord, Options, Retention, segment::Segment};

    fn event(seq: Seq, kind: u16) -> Frame {
        let header = Header { kind, ..control::header(0x0100, b"x", seq, 0) };
        Frame { offset: SEGMENT_HEADER_BYTES + 48 * seq, header }
    }

    #[test]
    fn pairs_without_a_bit_of_their_own_share_one() {
        let mut index = Index::new(1);
        (0..200).for_each(|n| index.add(&event(n, 0x0100 + n as u16)));
        assert_eq!(index.pairs.len(), PAIRS_MAX);
        let kinds = |kinds| Wanted::Some { kinds, classes: &[], key: None };
        assert_eq!(index.runs(0, kinds(&[0x0100 + 199])).len(), 1, "it may be among the others");
        let mut few = Index::new(1);
        few.add(&event(1, 0x0100));
        assert!(few.runs(0, kinds(&[0x0101])).is_empty());
        assert!(few.runs(0, Wanted::States).is_empty());
    }

    #[test]
    fn what_contradicts_itself_is_no_index() {
        let mut index = Index::new(1);
        index.add(&event(1, 0x0100));
        index.add(&Frame { offset: SEGMENT_HEADER_BYTES + BLOCK_BYTES + 48, ..event(2, 0x0100) });
        let (_, payload) = index.encode(2, 0);
        let end = SEGMENT_HEADER_BYTES + 2 * BLOCK_BYTES;
        let read = Index::decode(&payload, end).expect("it is whole");
        assert_eq!((&read.pairs, &read.notes), (&index.pairs, &index.notes));
        let later = [&payload[..], b"more"].concat();
        assert!(Index::decode(&later, end).is_some(), "a later version says more");
        assert!(Index::decode(&payload[..payload.len() - 1], end).is_none());
        assert!(Index::decode(&payload, SEGMENT_HEADER_BYTES + 48).is_none(), "behind itself");
        for (at, value) in [(0, 9), (4, 63), (16, 1), (16 + NOTE_BYTES + 2, 0)] {
            let mut wrong = payload.clone();
            wrong[at] = value;
            assert!(Index::decode(&wrong, end).is_none(), "byte {at} = {value}");
        }
        assert!(Index::decode(&[0xff; 7], end).is_none());
    }

    #[test]
    fn what_the_writer_stores_is_what_the_headers_give() {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            dir: dir.path().to_owned(),
            segment_bytes: 2 << 20,
            keep: Retention::default(),
        };
        let (mut writer, reader, _) = journal::open(options).expect("the journal opens");
        for n in 0..900u64 {
            let payload = vec![n as u8; 1 + (n as usize * 37) % 8000];
            let record = NewRecord {
                kind: 0x0100 + (n % 5) as u16,
                flags: if n % 7 == 0 { Flags::STATE } else { Flags::default() },
                time_ns: (n as i64 * 31) % 1000,
                key: n % 7 * 999_999 + u64::from(n % 7 == 0),
                class: (n % 3) as u8,
                payload: &payload,
            };
            writer.append(&[record]).expect("it is appended");
        }
        let state = reader.state();
        let sealed: Vec<&Arc<Segment>> = state.segments.iter().filter(|s| s.is_sealed()).collect();
        assert!(!sealed.is_empty());
        for segment in sealed {
            let stored = Index::stored(segment).expect("readable").expect("stored");
            let mut built = Index::new(segment.header.base_seq);
            built.note_on(segment).expect("readable");
            assert!(stored.notes.len() > 3);
            assert_eq!((stored.pairs, stored.notes), (built.pairs, built.notes));
        }
    }
}
