//! Events in the form in which the recorder appends them. The one place that makes records.

use monitor_backend::{
    event::{Event, Role},
    journal::{Flags, NewRecord},
};

/// Records to be appended, their payloads in one buffer.
#[derive(Debug, Default)]
pub struct Records {
    heads: Vec<Head>,
    payloads: Vec<u8>,
}

#[derive(Debug)]
struct Head {
    kind: u16,
    flags: Flags,
    key: u64,
    class: u8,
    time_ns: i64,
    end: usize,
}

impl Records {
    /// Adds an event that was learned at a time.
    pub fn push(&mut self, event: &Event, time_ns: i64) {
        event.encode_to(&mut self.payloads);
        self.heads.push(Head {
            kind: event.kind(),
            flags: flags(event.role()),
            key: event.key().0,
            class: event.class(),
            time_ns,
            end: self.payloads.len(),
        });
    }

    /// Empties it, and keeps its memory.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.payloads.clear();
    }

    /// Bytes of all payloads.
    pub fn bytes(&self) -> usize {
        self.payloads.len()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The batch to append.
    pub fn batch(&self) -> Vec<NewRecord<'_>> {
        let mut start = 0;
        let record = |head: &Head| {
            let payload = &self.payloads[std::mem::replace(&mut start, head.end)..head.end];
            NewRecord {
                kind: head.kind,
                flags: head.flags,
                time_ns: head.time_ns,
                key: head.key,
                class: head.class,
                payload,
            }
        };
        self.heads.iter().map(record).collect()
    }
}

fn flags(role: Role) -> Flags {
    match role {
        Role::History => Flags::default(),
        Role::State => Flags::STATE,
        Role::End => Flags::END,
    }
}
