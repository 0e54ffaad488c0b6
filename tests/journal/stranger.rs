//! A reader that somebody else wrote: from `journal-format.md` alone, out of raw bytes and a CRC,
//! with nothing of the crate. That it reads the golden segments is the proof that the page suffices.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use crate::golden::{account_line, event_line, golden_dir, golden_listing};

const SEGMENT_HEADER: usize = 4096;
const RECORD_HEADER: usize = 40;
const PAYLOAD_MAX: usize = 8_388_608;
const STATE: u8 = 1;
const END: u8 = 2;
const RESTATED: u8 = 4;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Section 2: the segment's header.
#[derive(Debug)]
struct Segment {
    bytes: Vec<u8>,
    journal_id: Vec<u8>,
    epoch: u64,
    base_seq: u64,
    salt: u64,
    created_ns: i64,
    prev_salt: u64,
    prev_last_seq: u64,
    prev_data_end: u64,
}

impl Segment {
    fn read(bytes: Vec<u8>) -> Option<Segment> {
        let is_whole = |copy: &&[u8]| {
            copy[..8] == [0x89, 0x4d, 0x42, 0x4a, 0x0d, 0x0a, 0x1a, 0x0a]
                && u32_at(copy, 508) == crc32fast::hash(&copy[..508])
        };
        let copies = [0, 2048].into_iter().filter_map(|at| bytes.get(at..at + 512));
        let copy = copies.into_iter().find(is_whole)?.to_vec();
        let is_known = u16_at(&copy, 8) == 1 && u32_at(&copy, 16) == 0 && u32_at(&copy, 12) == 4096;
        is_known.then(|| Segment {
            bytes,
            journal_id: copy[24..40].to_vec(),
            epoch: u64_at(&copy, 40),
            base_seq: u64_at(&copy, 48),
            salt: u64_at(&copy, 56),
            created_ns: u64_at(&copy, 64) as i64,
            prev_salt: u64_at(&copy, 80),
            prev_last_seq: u64_at(&copy, 88),
            prev_data_end: u64_at(&copy, 96),
        })
    }

    /// Section 6: the record at a place, if its header holds and its payload lies within the file.
    fn record_at(&self, at: usize) -> Option<Record<'_>> {
        let header = self.bytes.get(at..at + RECORD_HEADER)?;
        let len = u32_at(header, 8) as usize;
        let salted = [&self.salt.to_le_bytes(), &header[4..]].concat();
        if len == 0 || len > PAYLOAD_MAX || crc32fast::hash(&salted) != u32_at(header, 0) {
            return None;
        }
        let payload = self.bytes.get(at + RECORD_HEADER..at + RECORD_HEADER + len)?;
        Some(Record {
            at,
            end: (at + RECORD_HEADER + len).next_multiple_of(8),
            crc: u32_at(header, 4),
            is_whole: crc32fast::hash(payload) == u32_at(header, 4),
            kind: u16_at(header, 12),
            flags: header[14],
            class: header[15],
            seq: u64_at(header, 16),
            time_ns: u64_at(header, 24) as i64,
            key: u64_at(header, 32),
            payload,
        })
    }

    /// Section 6: the decision table, up to `end`.
    fn records(&self, end: usize) -> Vec<Record<'_>> {
        let (mut records, mut at, mut last_seq) = (Vec::new(), SEGMENT_HEADER, 0);
        while at < end {
            if let Some(record) = self.record_at(at) {
                at = record.end;
                if record.is_event() {
                    last_seq = record.seq;
                }
                if record.is_whole {
                    records.push(record);
                }
                continue;
            }
            let is_next = |&place: &usize| {
                self.record_at(place)
                    .is_some_and(|r| r.is_whole && (!r.is_event() || r.seq >= last_seq))
            };
            match (at + 8..end).step_by(8).find(is_next) {
                Some(next) => at = next,
                None => break,
            }
        }
        records
    }
}

#[derive(Debug, Clone, Copy)]
struct Record<'a> {
    at: usize,
    end: usize,
    crc: u32,
    is_whole: bool,
    kind: u16,
    flags: u8,
    class: u8,
    seq: u64,
    time_ns: i64,
    key: u64,
    payload: &'a [u8],
}

impl Record<'_> {
    fn is_event(&self) -> bool {
        self.kind >= 0x0100 && self.flags & RESTATED == 0
    }

    fn is_restated(&self) -> bool {
        self.kind >= 0x0100 && self.flags & RESTATED != 0
    }
}

/// Section 5: the state, as key to number and payload CRC.
type State = BTreeMap<u64, (u64, u32)>;

fn apply(state: &mut State, record: &Record<'_>) {
    if record.flags & END != 0 {
        state.remove(&record.key);
    } else if record.flags & STATE != 0 {
        state.insert(record.key, (record.seq, record.crc));
    }
}

fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn hash(state: &State) -> u64 {
    let of_one = |(key, (seq, crc)): (&u64, &(u64, u32))| {
        mix(mix(mix(key.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ seq) ^ u64::from(*crc))
    };
    state.iter().map(of_one).fold(0, u64::wrapping_add)
}

/// Sections 1 and 6: the segments of the journal that goes on.
fn segments() -> Vec<Segment> {
    let entries = fs::read_dir(golden_dir()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|ending| ending == "seg"));
    let mut segments: Vec<Segment> =
        files.filter_map(|path| Segment::read(fs::read(path).unwrap())).collect();
    let newest = segments.iter().max_by_key(|s| s.created_ns).unwrap().journal_id.clone();
    segments.retain(|segment| segment.journal_id == newest);
    let epoch = segments.iter().map(|segment| segment.epoch).max().unwrap();
    segments.retain(|segment| segment.epoch == epoch);
    segments.sort_by_key(|segment| (segment.base_seq, segment.salt));
    segments
}

/// Section 6: where nothing more is read, and the first number that counts elsewhere.
fn limits(segments: &[Segment], index: usize) -> (usize, u64) {
    let len = segments[index].bytes.len();
    match segments.get(index + 1) {
        Some(next) if next.prev_salt == segments[index].salt => {
            (len.min(next.prev_data_end as usize), next.base_seq)
        }
        Some(next) => (len, next.base_seq),
        None => (len, u64::MAX),
    }
}

/// Section 4: the index says of each block what its events say.
fn check_index(record: &Record<'_>, events: &[Record<'_>]) {
    let payload = record.payload;
    let (blocks, pairs) = (u32_at(payload, 0) as usize, u32_at(payload, 4) as usize);
    let table: HashMap<(u16, u8), usize> =
        (0..pairs).map(|n| ((u16_at(payload, 8 + 4 * n), payload[8 + 4 * n + 2]), n)).collect();
    let notes = &payload[(8 + 4 * pairs).next_multiple_of(8)..];
    assert_eq!(notes.len(), 296 * blocks);
    let mut starts: Vec<usize> = Vec::new();
    for event in events {
        if starts.last().is_none_or(|start| event.at >= start + 262_144) {
            starts.push(event.at);
        }
    }
    assert_eq!(starts.len(), blocks);
    for (n, note) in notes.chunks(296).enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(record.at);
        let within: Vec<&Record<'_>> =
            events.iter().filter(|event| (starts[n]..end).contains(&event.at)).collect();
        let (mut holds, mut keys) = (0u64, [0u8; 256]);
        for event in &within {
            holds |= table.get(&(event.kind, event.class)).map_or(1 << 63, |bit| 1 << bit);
            if event.flags & (STATE | END | 0x80) != 0 {
                holds |= 1 << 62;
            }
            let hash = mix(event.key);
            for bit in [hash % 2048, (hash >> 11) % 2048, (hash >> 22) % 2048] {
                keys[bit as usize / 8] |= if event.key == 0 { 0 } else { 1 << (bit % 8) };
            }
        }
        let times = || within.iter().map(|event| event.time_ns);
        assert_eq!(u64_at(note, 0), starts[n] as u64);
        assert_eq!(u64_at(note, 8), within[0].seq);
        assert_eq!(u64_at(note, 16) as i64, times().min().unwrap());
        assert_eq!(u64_at(note, 24) as i64, times().max().unwrap());
        assert_eq!(u64_at(note, 32), holds);
        assert_eq!(note[40..], keys);
    }
}

/// What the journal was found to be.
#[derive(Debug, Default)]
struct Found {
    listing: String,
    numbers: Vec<u64>,
    leaps: Vec<(u64, u64)>,
    watermark: u64,
    wipes: Vec<String>,
    keyframes: usize,
    seals: usize,
    indexes: usize,
}

impl Found {
    /// Reads one segment and checks its keyframe, seal and index against what was read.
    fn take(&mut self, segment: &Segment, (end, next_base): (usize, u64), damaged: bool) -> State {
        let (mut state, mut events) = (State::new(), Vec::new());
        self.watermark = self.watermark.max(segment.prev_last_seq);
        for record in segment.records(end) {
            let word = |n: usize| u64_at(record.payload, 8 * n);
            match record.kind {
                _ if record.is_restated() => apply(&mut state, &record),
                _ if record.is_event() && record.seq < next_base => {
                    apply(&mut state, &record);
                    self.event(&record);
                    events.push(record);
                }
                1 => self.watermark = self.watermark.max(word(0)),
                2 => {
                    assert_eq!((word(0), word(1)), (state.len() as u64, hash(&state)));
                    self.keyframes += 1;
                }
                3 if !damaged => {
                    check_index(&record, &events);
                    self.indexes += 1;
                }
                4 => {
                    assert_eq!((word(2), word(3)), (state.len() as u64, hash(&state)));
                    assert!(damaged || word(1) == events.len() as u64);
                    let index = segment.record_at(word(4) as usize).unwrap();
                    assert_eq!((index.kind, index.end), (3, record.at));
                    self.seals += 1;
                }
                5 => self.leaps.push((word(0), word(1))),
                6 => {
                    let actor_end = 48 + u32_at(record.payload, 36) as usize;
                    self.wipes
                        .push(String::from_utf8(record.payload[48..actor_end].into()).unwrap());
                }
                _ => {}
            }
        }
        state
    }

    fn event(&mut self, record: &Record<'_>) {
        let Record { seq, kind, flags, class, time_ns, key, payload, .. } = *record;
        self.listing += &event_line(seq, (kind, flags, class, time_ns, key), payload);
        self.numbers.push(seq);
    }

    /// Section 6, losses: missing numbers that were not left out, as ranges.
    fn lost(&self, first: u64) -> Vec<(u64, u64, bool)> {
        let mut lost = Vec::new();
        let mut expected = first;
        for &seq in &self.numbers {
            let leap = self.leaps.iter().find(|(from, _)| *from + 1 == expected);
            expected = leap.filter(|(_, to)| *to <= seq).map_or(expected, |(_, to)| *to);
            if seq > expected {
                lost.push((expected, seq - 1, seq - 1 <= self.watermark));
            }
            expected = seq + 1;
        }
        lost
    }
}

#[test]
fn a_reader_from_the_document_alone_reads_the_golden_segments() {
    let segments = segments();
    let mut found = Found::default();
    let mut state = State::new();
    for (index, segment) in segments.iter().enumerate() {
        let (end, next_base) = limits(&segments, index);
        // The two damaged lines are missing where the segment that holds them is counted.
        let damaged = [19, 31].iter().any(|n| (segment.base_seq..next_base).contains(n));
        state = found.take(segment, (end, next_base), damaged);
    }
    let (first, last) = (segments[0].base_seq, *found.numbers.last().unwrap());
    let left_out = found.leaps.iter().map(|(from, to)| to - from - 1).sum();
    let recorded = found.numbers.len() as u64;
    let lost = found.lost(first);
    let missing: u64 = lost.iter().map(|(first, last, _)| last - first + 1).sum();
    assert_eq!(recorded + missing + left_out, last - first + 1, "every number has its place");
    let living: Vec<(u64, u64)> = state.iter().map(|(key, (seq, _))| (*key, *seq)).collect();
    found.listing += &account_line((first, last, recorded, left_out), &lost, &living);
    assert_eq!(found.listing, golden_listing());
    assert_eq!((found.wipes.len(), found.keyframes), (1, segments.len()));
    assert_eq!(found.wipes[0], "admin key");
    assert!(found.seals >= 4 && found.indexes >= 3, "{} {}", found.seals, found.indexes);
}
