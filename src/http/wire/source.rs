//! Sources and gaps.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether a source is being observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Observed.
    Up,
    /// Not observed; the reason says why.
    Down,
    /// The first attempt is under way.
    Connecting,
    /// Not configured.
    Off,
}

/// A source as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    /// For example `app-server` or `cluster/Pod`.
    pub name: String,
    /// Up, down, connecting or off.
    pub state: SourceState,
    /// What was attempted, what failed and what to do; when up, what of it is not observed, and empty
    /// where all is.
    pub reason: String,
    /// When it came into this state.
    pub since: f64,
    /// Malformed messages since the recorder started.
    pub malformed: u64,
    /// What was wrong with the last one; empty for none.
    pub last_malformed: String,
    /// Messages of a sort that this version does not know, since the recorder started, by name.
    pub unknown: Vec<UnknownMessages>,
}

/// Messages of one sort that this version does not know.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnknownMessages {
    /// What the source calls them.
    pub name: String,
    /// How many came since the recorder started.
    pub count: u64,
}

/// A stretch in which a source was not observed, or in which records were dropped.
#[derive(Debug, Serialize, ToSchema)]
pub struct Gap {
    /// The record of the gap.
    pub seq: u64,
    /// Which source.
    pub source: String,
    /// Why.
    pub reason: String,
    /// Everything before was observed.
    pub from: f64,
    /// Everything after is observed again.
    pub to: f64,
    /// Records dropped; null where nobody can know.
    pub dropped: Option<u64>,
}

/// `GET /api/sources`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sources {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Every source, by name.
    pub sources: Vec<Source>,
    /// The newest gaps, newest first.
    pub gaps: Vec<Gap>,
    /// `before` of the next page of gaps; null where there are no older ones.
    pub next: Option<u64>,
}
