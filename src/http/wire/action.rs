//! What admins do.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An action.
#[derive(Debug, Serialize, ToSchema)]
pub struct Action {
    /// Its id.
    pub id: String,
    /// The newest record of it.
    pub seq: u64,
    /// Who.
    pub actor: String,
    /// Which action.
    pub action: String,
    /// Its arguments.
    #[schema(value_type = Value)]
    pub args: Value,
    /// When it was asked for.
    pub started: f64,
    /// When it ended; null while running.
    pub ended: Option<f64>,
    /// `succeeded`, `failed`, `unknown`, or null while running.
    pub outcome: Option<String>,
    /// What was done or what failed.
    pub detail: String,
    /// False while its newest record waits in memory for a journal that takes none.
    pub saved: bool,
}

/// `GET /api/actions`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Actions {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Running ones, then ended ones, newest first.
    pub actions: Vec<Action>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// Body of `POST /api/actions`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct StartAction {
    /// Which action, for example `restart-workload`.
    pub action: String,
    /// Its arguments.
    #[schema(value_type = Value)]
    pub args: Value,
    /// Act although the intent cannot be recorded now: while the journal takes no records, it waits
    /// in memory.
    #[serde(default)]
    pub unrecorded: bool,
}

/// Answer of `POST /api/actions`: the outcome follows in the live feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedAction {
    /// Its id.
    pub id: String,
    /// The record of the intent, which is durable; null where it waits in memory.
    pub seq: Option<u64>,
}

/// Body of `POST /api/journal/wipe`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WipeRequest {
    /// Must be `wipe`.
    pub confirm: String,
    /// Why; recorded.
    pub reason: String,
}

/// Answer of `POST /api/journal/wipe`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Wiped {
    /// The new epoch.
    pub epoch: u64,
    /// The record of the wipe.
    pub seq: u64,
}
