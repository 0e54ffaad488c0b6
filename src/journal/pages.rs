//! Positional reads past pages that cannot be read: those come as zeros and are told. An error of
//! the volume is not damage of the format, but costs no more than a damaged page would.

use std::{io, ops::Range};

use super::{fs::File, survey::Damage};

/// What a volume that fails is asked for at a time.
const PAGE_BYTES: usize = 4096;

/// After so many pages that cannot be read, the rest of what was asked for is given up at once: a
/// dying disk may take seconds for each.
const UNREADABLE_PAGES_MAX: u64 = 64;

/// Bytes that a volume would not give, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Where they stand, counted from the segment's start.
    pub range: Range<u64>,
    /// What the system said.
    pub why: String,
}

impl Withheld {
    /// As a damaged place, which it is for whoever looks for what stood there.
    pub fn damage(&self) -> Damage {
        let bytes = self.range.end - self.range.start;
        let what = format!("{bytes} bytes cannot be read: {}", self.why);
        Damage { offset: self.range.start, what }
    }
}

/// Fills `buf` from `offset` of a segment that begins `base` bytes into a file.
pub fn read(file: &dyn File, base: u64, offset: u64, buf: &mut [u8]) -> Vec<Withheld> {
    if file.read_exact_at(buf, base + offset).is_ok() {
        return Vec::new();
    }
    let mut unreadable = Vec::new();
    let (mut at, mut pages) = (0, 0);
    while at < buf.len() {
        let start = offset + at as u64;
        let page = PAGE_BYTES - (base + start) as usize % PAGE_BYTES;
        let give_up = pages == UNREADABLE_PAGES_MAX;
        let to = if give_up { buf.len() } else { buf.len().min(at + page) };
        let read = match give_up {
            true => Err(io::Error::other("too much before it could not be read")),
            false => file.read_exact_at(&mut buf[at..to], base + start),
        };
        if let Err(error) = read {
            buf[at..to].fill(0);
            pages += 1;
            note(&mut unreadable, start..offset + to as u64, &error);
        }
        at = to;
    }
    unreadable
}

/// Tells neighbours with the same reason as one.
fn note(unreadable: &mut Vec<Withheld>, range: Range<u64>, error: &io::Error) {
    let why = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends before".to_owned(),
        _ => error.to_string(),
    };
    match unreadable.last_mut() {
        Some(last) if last.range.end == range.start && last.why == why => {
            last.range.end = range.end;
        }
        _ => unreadable.push(Withheld { range, why }),
    }
}
