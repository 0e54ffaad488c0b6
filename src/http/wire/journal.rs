//! The journal itself.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::JournalStatus;

/// One segment file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Segment {
    /// Its file name.
    pub name: String,
    /// The epoch that it belongs to.
    pub epoch: u64,
    /// Its first event's number; null where it holds none.
    pub first_seq: Option<u64>,
    /// Its last event's number; null where it holds none.
    pub last_seq: Option<u64>,
    /// Bytes of data, without the unused rest of the file.
    pub bytes: u64,
    /// Whether it is complete.
    pub sealed: bool,
    /// When it was created.
    pub created: f64,
    /// Records in it that are damaged.
    pub damaged: u64,
}

/// A file in the data directory that is not part of this journal.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftAlone {
    /// Its name.
    pub name: String,
    /// Why it was left alone.
    pub reason: String,
}

/// `GET /api/journal`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Journal {
    /// The positions.
    pub journal: JournalStatus,
    /// Oldest first.
    pub segments: Vec<Segment>,
    /// Files that are not part of this journal.
    pub left_alone: Vec<LeftAlone>,
    /// What recovery found at the start.
    #[schema(value_type = Value)]
    pub recovery: Value,
    /// Size of the volume in bytes; null where it is not known.
    pub volume_bytes: Option<u64>,
    /// Free bytes on the volume; null where it is not known.
    pub volume_free_bytes: Option<u64>,
}
