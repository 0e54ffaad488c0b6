//! Entity keys: a 64-bit name for everything that has a present state.

use sha2::{Digest, Sha256};

/// The key of an entity: the first eight bytes (little-endian) of the SHA-256 of its identity.
///
/// The identity is a list of strings, each followed by a NUL byte. Two entities share a key with a
/// probability of about n^2 / 2^65; at a million living entities that is below 10^-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

impl Key {
    /// No entity: the record is history alone.
    pub const NONE: Key = Key(0);

    fn of(identity: &[&str]) -> Key {
        let mut hash = Sha256::new();
        for part in identity {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Key(u64::from_le_bytes(first).max(1))
    }

    /// The key of the cluster object with this uid.
    pub fn object(uid: &str) -> Key {
        Key::of(&["object", uid])
    }

    /// The key of a trace of a source.
    pub fn trace(source: &str, id: &str) -> Key {
        Key::of(&["trace", source, id])
    }

    /// The key of a live query; `filter` is JSON text with sorted keys.
    pub fn live_query(source: &str, table_name: &str, filter: &str) -> Key {
        Key::of(&["live query", source, table_name, filter])
    }

    /// The key of a source.
    pub fn source(name: &str) -> Key {
        Key::of(&["source", name])
    }

    /// The key of the position of a source's watch.
    pub fn watch_position(source: &str) -> Key {
        Key::of(&["watch position", source])
    }

    /// The key of a probe.
    pub fn probe(name: &str) -> Key {
        Key::of(&["probe", name])
    }

    /// The key of a volume, by its claim.
    pub fn volume(namespace: &str, claim: &str) -> Key {
        Key::of(&["volume", namespace, claim])
    }

    /// The key of a process.
    pub fn process(name: &str) -> Key {
        Key::of(&["process", name])
    }

    /// The key of the position in a container's log.
    pub fn pod_log_position(source: &str, uid: &str, container: &str) -> Key {
        Key::of(&["pod log position", source, uid, container])
    }

    /// The key of an action.
    pub fn action(id: &str) -> Key {
        Key::of(&["action", id])
    }
}
