//! The state at a moment as records in memory: what a range begins with when it stands alone.

use std::collections::HashMap;

use crate::journal::{Error, Flags, Reader, Record, Seq};

/// The latest state record of a living key.
#[derive(Debug, Clone)]
pub struct Living {
    kind: u16,
    class: u8,
    flags: Flags,
    seq: Seq,
    time_ns: i64,
    key: u64,
    payload: Vec<u8>,
}

impl Living {
    /// The record.
    pub fn record(&self) -> Record<'_> {
        Record {
            kind: self.kind,
            class: self.class,
            flags: self.flags,
            seq: self.seq,
            time_ns: self.time_ns,
            key: self.key,
            payload: &self.payload,
        }
    }
}

/// Everything that lives after the event `at`, in the order of its numbers.
///
/// # Errors
/// The journal does not reach back that far, or cannot be read.
pub fn living_at(reader: &Reader, at: Seq) -> Result<Vec<Living>, Error> {
    let mut living = HashMap::new();
    reader.replay(Some(at), &mut |record, _| {
        if record.key == 0 {
            return;
        }
        if record.flags.has(Flags::END) {
            living.remove(&record.key);
        } else if record.flags.has(Flags::STATE) {
            living.insert(record.key, Living::of(&record));
        }
    })?;
    let mut living: Vec<Living> = living.into_values().collect();
    living.sort_unstable_by_key(|living| living.seq);
    Ok(living)
}

impl Living {
    fn of(record: &Record<'_>) -> Living {
        Living {
            kind: record.kind,
            class: record.class,
            flags: record.flags,
            seq: record.seq,
            time_ns: record.time_ns,
            key: record.key,
            payload: record.payload.to_vec(),
        }
    }
}
