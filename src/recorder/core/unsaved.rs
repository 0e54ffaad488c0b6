//! What could not be appended and is kept in memory until it can: what admins and the recorder did,
//! in order, and of each entity the last record. Knows no journal; what does not fit is for the
//! caller to count.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    event::{Event, Key, Role},
    journal::{NewRecord, PAYLOAD_BYTES_MAX, Place},
};

use super::batch::flags;

/// The most that waiting records take: enough for the living state of a cluster of some thousand
/// pods, and a third of the memory that the process may have.
const BYTES_MAX: usize = 32 << 20;

/// What a waiting record takes beside its payload, about.
const RECORD_BYTES: usize = 256;

/// Records of actions, and of what the recorder did, that wait. An admin does not do as much in a
/// night; beyond that actions are refused even unrecorded.
const AUDIT_MAX: usize = 1024;

/// What those may take: each is some hundred bytes, a report of a start with much damage more.
const AUDIT_BYTES_MAX: usize = 4 << 20;

/// A record that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    kind: u16,
    role: Role,
    key: Key,
    time_ns: i64,
    class: u8,
    payload: Arc<[u8]>,
    /// The journal holds the entity as living, so its end has to be recorded.
    is_known: bool,
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It waits; so many older ones of the same entity went for it.
    Waits {
        /// 0 or 1.
        replaced: u64,
    },
    /// It ends an entity that the journal never knew, so nothing has to be recorded. It is lost,
    /// and with it what waited of that entity.
    Forgotten {
        /// 1 or 2.
        lost: u64,
    },
    /// There is no room for it.
    NoRoom,
}

/// The records that wait.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    audit: Vec<Waiting>,
    audit_bytes: usize,
    /// By the order in which they were learned.
    last: BTreeMap<u64, Waiting>,
    by_key: HashMap<Key, u64>,
    next: u64,
    bytes: usize,
}

impl Waiting {
    fn of(event: &Event, time_ns: i64, is_known: bool) -> Waiting {
        let mut payload = Vec::new();
        event.encode_to(&mut payload);
        Waiting {
            kind: event.kind(),
            role: event.role(),
            key: event.key(),
            time_ns,
            class: event.class(),
            payload: payload.into(),
            is_known,
        }
    }

    fn bytes(&self) -> usize {
        RECORD_BYTES + self.payload.len()
    }

    /// The event again, as the journal's readers will see it.
    pub fn event(&self) -> Option<Event> {
        Event::decode(self.kind, &self.payload).ok().flatten()
    }

    /// When it was learned.
    pub fn time_ns(&self) -> i64 {
        self.time_ns
    }

    /// The record to append.
    pub fn record(&self) -> NewRecord<'_> {
        NewRecord {
            kind: self.kind,
            flags: flags(self.role),
            time_ns: self.time_ns,
            key: self.key.0,
            class: self.class,
            payload: &self.payload,
        }
    }
}

impl Unsaved {
    /// Keeps what an admin or the recorder did; false where too much waits already.
    pub fn keep_audit(&mut self, event: &Event, time_ns: i64) -> bool {
        let waiting = Waiting::of(event, time_ns, false);
        let bytes = self.audit_bytes + waiting.bytes();
        let fits = self.audit.len() < AUDIT_MAX && bytes <= AUDIT_BYTES_MAX;
        if fits {
            self.audit_bytes = bytes;
            self.audit.push(waiting);
        }
        fits
    }

    /// Keeps the last record of an entity. `is_known`: the journal holds that entity as living,
    /// which counts only while nothing of it waits.
    pub fn keep(&mut self, event: &Event, time_ns: i64, is_known: bool) -> Kept {
        let key = event.key();
        let before = self.by_key.get(&key).and_then(|order| self.last.get(order));
        let is_known = before.map_or(is_known, |before| before.is_known);
        let is_end = event.role() == Role::End;
        if is_end && !is_known {
            return Kept::Forgotten { lost: 1 + u64::from(self.remove(key)) };
        }
        let freed = before.map_or(0, Waiting::bytes);
        let mut waiting = Waiting::of(event, time_ns, is_known);
        if !self.has_room(&waiting, freed) {
            // Without its end an entity would live for ever. Ends are as many as the journal holds
            // living, and small without what they repeat.
            let bare = if is_end { bare_end(event) } else { None };
            let Some(bare) = bare else { return Kept::NoRoom };
            waiting = Waiting::of(&bare, time_ns, is_known);
        }
        let replaced = u64::from(self.remove(key));
        self.bytes += waiting.bytes();
        self.by_key.insert(key, self.next);
        self.last.insert(self.next, waiting);
        self.next += 1;
        Kept::Waits { replaced }
    }

    fn has_room(&self, waiting: &Waiting, freed: usize) -> bool {
        self.bytes - freed + waiting.bytes() <= BYTES_MAX
            && waiting.payload.len() <= PAYLOAD_BYTES_MAX
    }

    fn remove(&mut self, key: Key) -> bool {
        let order = self.by_key.remove(&key);
        let removed = order.and_then(|order| self.last.remove(&order));
        self.bytes -= removed.as_ref().map_or(0, Waiting::bytes);
        removed.is_some()
    }

    /// Where the payload of a waiting record is.
    pub fn place(&self, key: Key) -> Place {
        let waiting = self.by_key.get(&key).and_then(|order| self.last.get(order));
        Place::Heap(waiting.map_or_else(|| Arc::from([]), |waiting| waiting.payload.clone()))
    }

    /// What was done, in order.
    pub fn audit(&self) -> &[Waiting] {
        &self.audit
    }

    /// The last record of each entity, in the order in which they were learned.
    pub fn last(&self) -> impl Iterator<Item = &Waiting> {
        self.last.values()
    }

    /// Everything that waits.
    pub fn len(&self) -> u64 {
        (self.audit.len() + self.last.len()) as u64
    }

    /// Bytes of the waiting records of entities, about.
    pub fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    /// Forgets the entities: they were wiped. What was done is kept.
    pub fn forget_entities(&mut self) {
        self.last.clear();
        self.by_key.clear();
        self.bytes = 0;
    }
}

/// An end without what it repeats of the entity's last state.
fn bare_end(event: &Event) -> Option<Event> {
    match event.clone() {
        Event::ObjectDeleted(mut deleted) => {
            deleted.body = String::new();
            Some(Event::ObjectDeleted(deleted))
        }
        Event::Trace(mut trace) => {
            // The first section tells when the request began.
            trace.sections.truncate(1);
            for section in &mut trace.sections {
                section.path = String::new();
                section.extra_info = None;
            }
            Some(Event::Trace(trace))
        }
        Event::LiveQuery(mut query) => {
            query.last_entries = "[]".into();
            Some(Event::LiveQuery(query))
        }
        Event::LiveQueryDropped(dropped) => Some(Event::LiveQueryDropped(dropped)),
        Event::ProbeResult(result) => Some(Event::ProbeResult(result)),
        Event::VolumeUsage(usage) => Some(Event::VolumeUsage(usage)),
        Event::ProcessUsage(mut usage) => {
            usage.body = String::new();
            Some(Event::ProcessUsage(usage))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Extensions, LiveQuery};

    fn query(table: &str, entries: usize, deleting: bool) -> Event {
        Event::LiveQuery(LiveQuery {
            source: "app-server".into(),
            table_name: table.into(),
            filter: "{}".into(),
            last_entries: "x".repeat(entries),
            watchers_count: 1,
            deleting,
            ext: Extensions::default(),
        })
    }

    #[test]
    fn of_each_entity_the_last_record_waits() {
        let mut unsaved = Unsaved::default();
        assert_eq!(unsaved.keep(&query("a", 1, false), 1, true), Kept::Waits { replaced: 0 });
        assert_eq!(unsaved.keep(&query("b", 1, false), 2, false), Kept::Waits { replaced: 0 });
        assert_eq!(unsaved.keep(&query("a", 2, true), 3, false), Kept::Waits { replaced: 1 });
        let waiting: Vec<_> = unsaved.last().map(|one| (one.time_ns, one.event())).collect();
        assert_eq!(waiting, [(2, Some(query("b", 1, false))), (3, Some(query("a", 2, true)))]);
    }

    #[test]
    fn an_entity_that_the_journal_never_knew_ends_without_a_record() {
        let mut unsaved = Unsaved::default();
        unsaved.keep(&query("a", 1, false), 1, false);
        assert_eq!(unsaved.keep(&query("a", 1, true), 2, true), Kept::Forgotten { lost: 2 });
        assert_eq!(unsaved.keep(&query("b", 1, true), 2, false), Kept::Forgotten { lost: 1 });
        assert_eq!((unsaved.len(), unsaved.bytes()), (0, 0));
    }

    #[test]
    fn memory_is_bounded_and_an_end_finds_room_all_the_same() {
        let mut unsaved = Unsaved::default();
        let large = PAYLOAD_BYTES_MAX - 1024;
        for table in ["a", "b", "c", "d"] {
            unsaved.keep(&query(table, large, false), 1, true);
        }
        let before = unsaved.bytes();
        assert_eq!(unsaved.keep(&query("e", large, false), 2, false), Kept::NoRoom);
        assert_eq!(unsaved.keep(&query("f", large, true), 2, true), Kept::Waits { replaced: 0 });
        assert!(unsaved.bytes() < before + 4096, "its entries were left out");
        assert!(before <= BYTES_MAX as u64);
        unsaved.keep(&query("a", 0, true), 3, true);
        assert_eq!(unsaved.keep(&query("e", 10, false), 4, false), Kept::Waits { replaced: 0 });
    }

    #[test]
    fn what_was_done_waits_in_order_and_is_bounded() {
        let mut unsaved = Unsaved::default();
        let kept = (0..2 * AUDIT_MAX).filter(|_| unsaved.keep_audit(&query("a", 1, false), 1));
        assert_eq!(kept.count(), AUDIT_MAX);
        unsaved.forget_entities();
        assert_eq!(unsaved.audit().len(), AUDIT_MAX);
    }
}
