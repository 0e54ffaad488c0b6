//! Events that wait to be appended together, already encoded.

use std::collections::HashSet;

use crate::{
    event::{Event, Key, Role},
    journal::{Flags, NewRecord},
};

/// A batch is appended when its payloads reach this size: it is still in the processor's cache when
/// it is written and applied, and a larger one would cost no less per byte.
const FULL_BYTES: usize = 256 << 10;

/// What a record takes beside its payload, with the zeros behind it.
const HEADER_BYTES: usize = 44;

/// Some events and their payloads.
#[derive(Debug, Default)]
pub(in crate::recorder) struct Batch {
    events: Vec<Event>,
    keys: HashSet<Key>,
    payloads: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// A batch of these events.
    pub fn of(events: Vec<Event>) -> Batch {
        let mut batch = Batch::default();
        events.into_iter().for_each(|event| _ = batch.push(event));
        batch
    }

    /// Adds an event; returns what its record takes, bytes.
    pub fn push(&mut self, event: Event) -> usize {
        let before = self.payloads.len();
        event.encode_to(&mut self.payloads);
        self.ends.push(self.payloads.len());
        if event.role() != Role::History {
            self.keys.insert(event.key());
        }
        self.events.push(event);
        self.payloads.len() - before + HEADER_BYTES
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The same events, with another one in one place.
    pub fn with(&self, index: usize, event: Event) -> Batch {
        let mut events = self.events.clone();
        events[index] = event;
        Batch::of(events)
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether it is time to append.
    pub fn is_full(&self) -> bool {
        self.payloads.len() >= FULL_BYTES
    }

    /// Bytes of all payloads.
    pub fn bytes(&self) -> usize {
        self.payloads.len()
    }

    /// Whether an event that changes this entity is among them.
    pub fn concerns(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// The records to append, all learned at one time.
    pub fn records(&self, time_ns: i64) -> Vec<NewRecord<'_>> {
        let mut start = 0;
        let cut = |&end: &usize| &self.payloads[std::mem::replace(&mut start, end)..end];
        let with_payloads = self.events.iter().zip(self.ends.iter().map(cut));
        with_payloads
            .map(|(event, payload)| NewRecord {
                kind: event.kind(),
                flags: flags(event.role()),
                time_ns,
                key: event.key().0,
                class: event.class(),
                payload,
            })
            .collect()
    }
}

/// What a record's header says of an event's role.
pub(super) fn flags(role: Role) -> Flags {
    match role {
        Role::History => Flags::default(),
        Role::State => Flags::STATE,
        Role::End => Flags::END,
    }
}
