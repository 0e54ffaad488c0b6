//! Records into a state, one by one, so that none can spoil the rest: what cannot be taken in is
//! counted and passed over.

use std::{
    collections::BTreeMap,
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

impl Fold {
    /// Takes one record in. History changes no state, so its payload is not even decoded.
    pub fn take(&mut self, record: Record<'_>, place: Place) {
        let is_state = record.flags.0 & (Flags::STATE.0 | Flags::END.0) != 0;
        if event::word_of(record.kind).is_none() {
            self.unread.note_unknown(record);
        } else if is_state {
            match Event::decode(record.kind, record.payload) {
                Ok(Some(event)) => {
                    let body = Body { seq: record.seq, learned: millis(record.time_ns), place };
                    self.apply(&event, body);
                }
                Ok(None) | Err(_) => self.unread.undecodable.add(record.seq),
            }
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

    fn nowhere() -> Place {
        Place::Heap([].into())
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_costs_nothing_else() {
        let mut fold = Fold::default();
        fold.take(record(1, kind::TRACE, Flags::STATE, b"no"), nowhere());
        fold.take(record(2, 0x7777, Flags::STATE, b"later"), nowhere());
        fold.take(record(3, 0x7777, Flags::default(), b"later"), nowhere());
        fold.take(record(4, kind::LOG_LINE, Flags::default(), b"not looked at"), nowhere());
        assert_eq!(fold.state, State::default());
        let named = Named { count: 1, first: vec![1] };
        let unknown = BTreeMap::from([(0x7777, 2)]);
        let unread = Unread { unknown, undecodable: named, ..Unread::default() };
        assert_eq!(fold.unread, unread);
        assert_eq!((unread.alarms().len(), unread.lines().len()), (1, 2));
    }

    #[test]
    fn what_must_be_understood_and_is_not_makes_the_picture_incomplete() {
        let mut fold = Fold::default();
        fold.take(record(1, 0x7777, Flags::MUST_UNDERSTAND, b"later"), nowhere());
        assert!(fold.unread.is_incomplete);
        assert!(fold.unread.lines()[0].contains("incomplete"));
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
