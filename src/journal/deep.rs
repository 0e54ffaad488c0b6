//! One segment replayed by itself, to hold the state that its records make up against the hashes
//! that stand in it. The same bytes give the same state, so a difference without damage is an error
//! of the program that wrote them.

use std::{collections::HashMap, io};

use super::{
    control::Control,
    format::Header,
    keymap::state_hash,
    record::{Flags, Seq},
    segment::Segment,
    survey::Damage,
    walk::Step,
};

/// How many keys live, and the hash of their state.
type Sum = (u64, u64);

/// What a segment makes of its keyframe and its events.
#[derive(Debug, Default)]
pub struct Deep {
    /// The state that it begins with, where it restates one that is whole.
    pub begins: Option<Sum>,
    /// The state that it ends with, where nothing on the way is damaged.
    pub ends: Option<Sum>,
    /// Sums on record that were compared.
    pub compared: u64,
    /// Where one on record is another than that of the records.
    pub differing: Vec<Damage>,
}

/// What lives, without its places: each key with what it adds to the hash.
#[derive(Debug, Default)]
struct Fold {
    living: HashMap<u64, u64>,
    hash: u64,
}

impl Fold {
    fn apply(&mut self, header: &Header) {
        let (flags, key) = (header.flags, header.key);
        if key == 0 || !(flags.has(Flags::STATE) || flags.has(Flags::END)) {
            return;
        }
        let gone = if flags.has(Flags::END) {
            self.living.remove(&key)
        } else {
            let adds = state_hash(header);
            self.hash = self.hash.wrapping_add(adds);
            self.living.insert(key, adds)
        };
        self.hash = self.hash.wrapping_sub(gone.unwrap_or(0));
    }

    fn sum(&self) -> Sum {
        (self.living.len() as u64, self.hash)
    }
}

impl Deep {
    /// Replays a segment: what stands before `data_end`, and of events those up to `last`.
    ///
    /// # Errors
    /// The segment cannot be read.
    pub fn of(segment: &Segment, data_end: u64, last: Seq) -> io::Result<Deep> {
        let mut deep = Deep::default();
        let (mut fold, mut is_sound) = (Fold::default(), true);
        let mut walk = segment.walk(0);
        loop {
            let frame = match walk.next()? {
                Step::Frame(frame) if frame.offset < data_end => frame,
                Step::Frame(_) | Step::End { .. } => break,
                Step::Damage { .. } => {
                    is_sound = false;
                    continue;
                }
            };
            let Some(payload) = walk.payload(&frame)? else {
                is_sound = false;
                continue;
            };
            let header = frame.header;
            if header.is_restated() || (header.is_event() && header.seq <= last) {
                fold.apply(&header);
            }
            let control = Control::decode(header.kind, payload).filter(|_| is_sound);
            deep.hold(frame.offset, control.as_ref(), fold.sum());
        }
        deep.ends = is_sound.then_some(fold.sum());
        Ok(deep)
    }

    /// Holds what a record says of the state against the state there.
    fn hold(&mut self, offset: u64, control: Option<&Control>, folded: Sum) {
        match control {
            Some(Control::KeyframeEnd { count, state_hash }) => {
                self.begins = Some(folded);
                self.compare(offset, (*count, *state_hash), folded);
            }
            Some(Control::Seal(seal)) => {
                self.compare(offset, (seal.living, seal.state_hash), folded);
            }
            _ => {}
        }
    }

    /// Notes where a sum on record is another than the one that the records give.
    pub fn compare(&mut self, offset: u64, on_record: Sum, folded: Sum) {
        self.compared += 1;
        if on_record != folded {
            let what = format!(
                "a state of {} keys with hash {:016x} is on record; the records make up {} keys \
                 with hash {:016x}",
                on_record.0, on_record.1, folded.0, folded.1
            );
            self.differing.push(Damage { offset, what });
        }
    }
}
