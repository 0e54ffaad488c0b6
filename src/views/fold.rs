//! Records into a state, one by one, so that none can spoil the rest: what cannot be taken in is
//! counted and passed over.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{Body, State};
use crate::{
    event::{self, Event, millis},
    journal::{Flags, Place, Record, Seq},
};

/// So many records are named; beyond, the count tells enough.
const NAMED_MAX: usize = 20;

/// A state while it is folded.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    /// The state.
    pub state: State,
    /// What was passed over.
    pub unread: Unread,
}

/// Records that could not be taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// Kinds that this version does not know, and how many records of each.
    pub unknown: BTreeMap<u16, u64>,
    /// Records of states whose payload is not what their kind promises.
    pub undecodable: Named,
    /// Records at which this version failed in itself: a bug.
    pub failed: Named,
    /// A record of an unknown kind says that without it the picture is incomplete.
    pub is_incomplete: bool,
}

/// A count, and the first of what was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many.
    pub count: u64,
    /// The first ones.
    pub first: Vec<Seq>,
}

impl Named {
    fn add(&mut self, seq: Seq) {
        self.count += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push(seq);
        }
    }
}

/// The latest state of every living key while records are replayed, none of them decoded: a state
/// replaces the one before it, so that only the last need be.
#[derive(Debug, Default)]
pub struct Latest {
    living: HashMap<u64, Undecoded>,
    unread: Unread,
}

#[derive(Debug)]
struct Undecoded {
    kind: u16,
    seq: Seq,
    time_ns: i64,
    place: Place,
}

impl Latest {
    /// Takes one record in. History changes no state.
    pub fn take(&mut self, record: Record<'_>, place: Place) {
        let Record { kind, seq, time_ns, .. } = record;
        if event::word_of(kind).is_none() {
            self.unread.note_unknown(record);
        }
        if record.flags.has(Flags::END) {
            self.living.remove(&record.key);
        } else if record.flags.has(Flags::STATE) {
            self.living.insert(record.key, Undecoded { kind, seq, time_ns, place });
        }
    }

    /// Decodes what lives, in order. Touches the maps that the places are in.
    pub fn fold(self) -> Fold {
        let mut living: Vec<Undecoded> = self.living.into_values().collect();
        living.sort_unstable_by_key(|one| one.seq);
        let mut fold = Fold { state: State::default(), unread: self.unread };
        living.into_iter().for_each(|one| fold.take(one));
        fold
    }
}

impl Fold {
    fn take(&mut self, one: Undecoded) {
        let Undecoded { kind, seq, time_ns, place } = one;
        if event::word_of(kind).is_none() {
            return;
        }
        match Event::decode(kind, place.payload()) {
            Ok(Some(event)) => self.apply(&event, Body { seq, learned: millis(time_ns), place }),
            Ok(None) | Err(_) => self.unread.undecodable.add(seq),
        }
    }

    /// Applies one event; a bug in doing so costs that event alone.
    pub fn apply(&mut self, event: &Event, body: Body) {
        self.guarded(body.seq, |state| state.apply(event, body));
    }

    /// A state is changed by one insertion or one removal at the end, so that it is whole after a
    /// panic.
    fn guarded(&mut self, seq: Seq, change: impl FnOnce(&mut State)) {
        if catch_unwind(AssertUnwindSafe(|| change(&mut self.state))).is_err() {
            self.unread.failed.add(seq);
        }
    }
}

impl Unread {
    fn note_unknown(&mut self, record: Record<'_>) {
        *self.unknown.entry(record.kind).or_default() += 1;
        self.is_incomplete |= record.flags.has(Flags::MUST_UNDERSTAND);
    }

    /// What was passed over, a line each, for an admin; empty where nothing was.
    pub fn lines(&self) -> Vec<String> {
        let unknown = self.unknown.iter().map(|(kind, count)| {
            format!(
                "{count} records of the unknown kind {kind:#06x} were passed over; a later version \
                 may know it"
            )
        });
        self.alarms().into_iter().chain(unknown).collect()
    }

    /// What makes the picture wrong, a line each. A record of an unknown kind that need not be
    /// understood does not.
    pub fn alarms(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.is_incomplete {
            lines.push(
                "the picture is incomplete: the journal holds records that this version must \
                 understand and does not; use the version that wrote them, or a later one"
                    .into(),
            );
        }
        let named = |named: &Named, what: &str| {
            let first: Vec<String> = named.first.iter().map(Seq::to_string).collect();
            let more = if named.count > named.first.len() as u64 { ", ..." } else { "" };
            format!("{} records {what}: events {}{more}", named.count, first.join(", "))
        };
        if self.undecodable.count > 0 {
            lines.push(named(&self.undecodable, "could not be decoded and were passed over"));
        }
        if self.failed.count > 0 {
            lines.push(named(&self.failed, "could not be taken in, which is a bug"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::kind;

    fn record(seq: Seq, kind: u16, flags: Flags, payload: &[u8]) -> Record<'_> {
        Record { kind, flags, seq, time_ns: 0, key: 7, class: 0, payload }
    }

    fn fold(records: &[Record<'_>]) -> Fold {
        let mut latest = Latest::default();
        for record in records {
            latest.take(*record, Place::Heap(record.payload.into()));
        }
        latest.fold()
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_costs_nothing_else() {
        let Fold { state, unread } = fold(&[
            record(1, kind::TRACE, Flags::STATE, b"no"),
            record(2, 0x7777, Flags::default(), b"later"),
            record(3, 0x7777, Flags::default(), b"later"),
            record(4, kind::LOG_LINE, Flags::default(), b"not looked at"),
        ]);
        assert_eq!(state, State::default());
        let named = Named { count: 1, first: vec![1] };
        let unknown = BTreeMap::from([(0x7777, 2)]);
        assert_eq!(unread, Unread { unknown, undecodable: named, ..Unread::default() });
        assert_eq!((unread.alarms().len(), unread.lines().len()), (1, 2));
    }

    #[test]
    fn only_the_last_state_of_what_lives_is_decoded() {
        let replaced = fold(&[
            record(1, kind::TRACE, Flags::STATE, b"replaced by what no version of now knows"),
            record(2, 0x7777, Flags::STATE, b"later"),
        ]);
        let ended = fold(&[
            record(1, kind::TRACE, Flags::STATE, b"ended"),
            record(2, kind::TRACE, Flags::END, b"its end"),
        ]);
        for Fold { state, unread } in [replaced, ended] {
            assert_eq!((state, unread.undecodable.count), (State::default(), 0));
        }
    }

    #[test]
    fn what_must_be_understood_and_is_not_makes_the_picture_incomplete() {
        let unread = fold(&[record(1, 0x7777, Flags::MUST_UNDERSTAND, b"later")]).unread;
        assert!(unread.is_incomplete);
        assert!(unread.lines()[0].contains("incomplete"));
    }

    #[test]
    fn a_bug_in_the_fold_costs_one_record_and_names_it() {
        let mut fold = Fold::default();
        for seq in 1..=30 {
            fold.guarded(seq, |_| panic!("a bug"));
        }
        assert_eq!(fold.unread.failed.count, 30);
        assert_eq!(fold.unread.failed.first, (1..=20).collect::<Vec<_>>());
        assert!(fold.unread.lines()[0].starts_with("30 records"), "{:?}", fold.unread.lines());
    }
}
