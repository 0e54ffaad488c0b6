//! Messages of the live feed.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Action, ActionProgress, ClusterEvent, Gap, LiveQuery, LogEntry, ObjectRow, Probe, Process,
    Request, Source, Volume,
};

/// `hello`: the first message of `GET /api/live`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveHello {
    /// The journal's id.
    pub journal_id: String,
    /// Counts wipes.
    pub epoch: u64,
    /// The oldest event's number.
    pub first_seq: u64,
    /// The newest event's number.
    pub last_seq: u64,
    /// Everything up to here survives a power cut.
    pub durable_seq: u64,
}

/// `batch`: events after `from` up to and including `to`, of the topics that were asked for.
///
/// Rows have the same shape as in the lists; a row with a known id replaces the earlier one.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LiveBatch {
    /// Exclusive.
    pub from: u64,
    /// Inclusive; also the message's id.
    pub to: u64,
    /// Topic `logs`, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogEntry>,
    /// Topic `requests`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// Topic `live-queries`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub live_queries: Vec<LiveQuery>,
    /// Topic `objects`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectRow>,
    /// Topic `events`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ClusterEvent>,
    /// Topic `sources`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Topic `probes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// Topic `volumes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Topic `volumes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Process>,
    /// Every topic: gaps are always told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Topic `actions`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Topic `actions`: their output, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub action_progress: Vec<ActionProgress>,
}

/// `durable`: how far the journal is durable.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveDurable {
    /// Everything up to here survives a power cut.
    pub durable_seq: u64,
}

/// `shed`: records that were left out because this client is too slow.
///
/// They are in the journal: lists of states are to be fetched again, log lines can be.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveShed {
    /// Exclusive.
    pub from: u64,
    /// Inclusive; also the message's id.
    pub to: u64,
    /// Records left out.
    pub count: u64,
}

/// `reset`: what the client knows is no longer a beginning of what is true; it fetches again.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveReset {
    /// `wiped`, `retired`, `lost` or `too_far_behind`.
    pub reason: String,
    /// Go on after this number.
    pub last_seq: u64,
}

/// `heartbeat`: the feed is alive; its id is the last number considered.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveHeartbeat {
    /// The process's own clock, now.
    pub now: f64,
}
