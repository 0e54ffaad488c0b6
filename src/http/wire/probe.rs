//! Probes: configured checks of what others serve.

use serde::Serialize;
use utoipa::ToSchema;

/// A probe as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Probe {
    /// The name that the configuration gave; unique among probes.
    pub name: String,
    /// What is checked: `http://host/path` or `tcp://host:port`.
    pub target: String,
    /// Whether the target answered as expected.
    pub ok: bool,
    /// How long the last check took up to its result; null where it had no answer.
    pub latency: Option<f64>,
    /// The status of the HTTP answer; null where there was none.
    pub status: Option<u16>,
    /// What was attempted, what failed and what to do; empty when ok.
    pub detail: String,
    /// When the first of the checks in a row that ended the same way began.
    pub since: f64,
    /// When the last check began.
    pub observed: f64,
    /// The record of that check.
    pub seq: u64,
    /// False while this state is kept in memory, for a journal that takes no records.
    pub saved: bool,
    /// True only in the live feed: it is not configured any more.
    pub removed: bool,
}

/// `GET /api/probes`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Probes {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// By name.
    pub probes: Vec<Probe>,
}
