//! What the recorder tells of the journal's own upkeep. Knows no files.

use serde::{Deserialize, Serialize};

use super::{Extensions, Millis};

/// Old segments were given up for room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    /// How many.
    pub segments: u64,
    /// Bytes that they held.
    pub bytes: u64,
    /// The first event that went with them.
    pub first_seq: u64,
    /// The last one.
    pub last_seq: u64,
    /// Which limit asked for it, for a human.
    pub because: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// Somebody else removed files of the journal while it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilesRemoved {
    /// Their names.
    pub files: Vec<String>,
    /// What it cost and what was done about it, for a human.
    pub detail: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// The journal took no records for a while; recorded when it did again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Degraded {
    /// Why, for a human.
    pub reason: String,
    /// When it began.
    pub from: Millis,
    /// When it ended.
    pub to: Millis,
    /// How many records were dropped; the gaps say of which sources.
    pub dropped: u64,
    /// How many records were kept in memory and are recorded with this one.
    pub kept: u64,
    /// Fields of later versions.
    pub ext: Extensions,
}
