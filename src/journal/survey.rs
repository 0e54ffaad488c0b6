//! One segment read from end to end, every checksum included: what is there, what is damaged, what
//! it promises. Only reads.

use std::{collections::BTreeSet, io};

use super::{
    control::Control,
    pages::Withheld,
    record::{Flags, Seq},
    recovery::Damaged,
    walk::{Source, Step, Walk},
};

/// Damaged places of one segment that are told apart in a report.
const DAMAGED_MAX: usize = 1000;

/// What a segment holds.
#[derive(Debug, Default)]
pub struct Survey {
    /// Behind its last record.
    pub end: u64,
    /// What stands behind that is neither record nor zero.
    pub torn: bool,
    /// Records whose checksums hold, of every sort.
    pub records: u64,
    /// Readable events, as ranges of consecutive numbers.
    pub present: Vec<(Seq, Seq)>,
    /// The largest number in any header: it was given, whether or not its event can be read.
    pub last_seq: Seq,
    /// What it says is durable.
    pub durable_seq: Seq,
    /// Kinds of records that say that a reader must know them.
    pub must_understand: BTreeSet<u16>,
    /// Its last record is a seal.
    pub sealed: bool,
    /// Damaged places, at most [`DAMAGED_MAX`].
    pub damaged: Vec<Damage>,
    /// What the volume would not give.
    pub withheld: Vec<Withheld>,
}

/// A damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Counted from the segment's start.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

impl Damage {
    /// For a report.
    pub fn of(self, segment: &str) -> Damaged {
        Damaged { segment: segment.to_owned(), offset: self.offset, what: self.what }
    }
}

impl Survey {
    /// Walks a segment.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of<S: Source>(mut walk: Walk<S>) -> io::Result<Survey> {
        let mut survey = Survey::default();
        loop {
            match walk.next()? {
                Step::Frame(frame) => {
                    let header = frame.header;
                    survey.last_seq = survey.last_seq.max(header.seq);
                    survey.sealed = false;
                    match walk.payload(&frame)? {
                        Some(payload) => survey.record(&header, payload),
                        None => survey.damage(frame.offset, payload_damage(&header)),
                    }
                }
                Step::Damage { from, to } => {
                    survey.damage(from, format!("{} bytes are no record", to - from));
                }
                Step::End { at, torn } => {
                    (survey.end, survey.torn) = (at, torn);
                    survey.withheld = walk.withheld();
                    return Ok(survey);
                }
            }
        }
    }

    fn record(&mut self, header: &super::format::Header, payload: &[u8]) {
        self.records += 1;
        if header.flags.has(Flags::MUST_UNDERSTAND) {
            self.must_understand.insert(header.kind);
        }
        if header.is_event() {
            match self.present.last_mut() {
                Some((_, last)) if header.seq == *last + 1 => *last = header.seq,
                Some((_, last)) if header.seq <= *last => {}
                _ => self.present.push((header.seq, header.seq)),
            }
        }
        match Control::decode(header.kind, payload) {
            Some(Control::SyncMark { durable_seq }) => {
                self.durable_seq = self.durable_seq.max(durable_seq);
            }
            Some(Control::Seal(_)) => self.sealed = true,
            _ => {}
        }
    }

    fn damage(&mut self, offset: u64, what: String) {
        if self.damaged.len() < DAMAGED_MAX {
            self.damaged.push(Damage { offset, what });
        }
    }
}

fn payload_damage(header: &super::format::Header) -> String {
    let (len, seq) = (header.len, header.seq);
    if header.is_event() {
        format!("payload of event {seq} ({len} bytes) does not match its checksum")
    } else {
        format!("payload of a record of kind {:#06x} does not match its checksum", header.kind)
    }
}
