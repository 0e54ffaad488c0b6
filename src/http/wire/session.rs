//! Who is logged in, what this process is, and how it refuses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Source;

/// Every error answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// A stable word for programs, for example `not_found`.
    pub code: String,
    /// What was attempted, what failed and what to do.
    pub message: String,
}

/// Body of `POST /api/session`. Cannot be printed: it holds a secret.
#[derive(Deserialize, ToSchema)]
pub struct LogIn {
    /// The admin key, or a Kubernetes token.
    pub key: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The name that stands in the audit.
    pub actor: String,
    /// Whether this session may act, or only see.
    pub can_act: bool,
    /// Who vouches for it: `key`, `token` or `replay`.
    pub via: String,
}

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Recording a cluster and an app-server.
    Live,
    /// Recording the simulated cluster and app-server.
    Demo,
    /// Showing a backup, read-only.
    Replay,
}

/// `GET /api/status`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Live, demo or replay.
    pub mode: Mode,
    /// The program's version.
    pub version: String,
    /// The process's own clock, now.
    pub now: f64,
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// The journal's positions.
    pub journal: JournalStatus,
    /// How far the start has come.
    pub replay: ReplayStatus,
    /// Every source, by name.
    pub sources: Vec<Source>,
    /// Why something does not work as it should; empty when all is well.
    pub degraded: Vec<String>,
    /// What is kept in memory while the journal takes no records; null while it does.
    pub unsaved: Option<Unsaved>,
}

/// What is kept in memory while the journal takes no records.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unsaved {
    /// Since when.
    pub since: f64,
    /// Why, and what to do.
    pub reason: String,
    /// Records that wait in memory: states of what is alive, and actions.
    pub kept: u64,
    /// Records that are lost; a gap will tell of them.
    pub dropped: u64,
}

/// The positions of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub struct JournalStatus {
    /// The journal's id, 32 hex digits; empty while it is not open.
    pub id: String,
    /// Counts wipes.
    pub epoch: u64,
    /// The oldest event's number.
    pub first_seq: u64,
    /// The newest event's number.
    pub last_seq: u64,
    /// Everything up to here survives a power cut.
    pub durable_seq: u64,
    /// Bytes of recorded data.
    pub bytes: u64,
}

/// Whether the views are complete.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayStatus {
    /// The views can answer.
    pub done: bool,
    /// Events applied so far.
    pub applied: u64,
}
