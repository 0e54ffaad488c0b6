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
    /// How much is kept.
    pub limits: Limits,
    /// How far back it reaches.
    pub reach: Reach,
    /// What the recorder did to the journal or found, newest first; at most 20.
    pub upkeep: Vec<Upkeep>,
}

/// How much is kept. All null in a replay.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Limits {
    /// Bytes that the journal may take on the volume; null where that is not known.
    pub bytes_max: Option<u64>,
    /// How long events are kept; null for as long as there is room.
    pub age_max: Option<f64>,
    /// Bytes that stay free on the volume.
    pub free_min_bytes: Option<u64>,
    /// Bytes that each source of log lines and traces may record a day; null for no bound.
    pub source_bytes_per_day: Option<u64>,
}

/// How far back the journal reaches, and will reach.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Reach {
    /// When the oldest segment was started; null where there is none.
    pub from: Option<f64>,
    /// Bytes recorded an hour, over the last hours; null while too little is known.
    pub bytes_per_hour: Option<f64>,
    /// How far back the limits let it reach at that rate; null while one of them is not known.
    pub duration: Option<f64>,
    /// When the oldest segment will have to go at that rate; null as above.
    pub retires_at: Option<f64>,
}

/// Something that the recorder did to the journal, or found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Upkeep {
    /// The record.
    pub seq: u64,
    /// When it was recorded.
    pub time: f64,
    /// `retention`, `files_removed` or `degraded`.
    pub what: String,
    /// For a human.
    pub detail: String,
}
