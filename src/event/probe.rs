//! What a configured check of some target found.

use serde::{Deserialize, Serialize};

use super::{Extensions, Millis};

/// A probe's result as it is now: the last check, and since when checks end the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// The name that the configuration gave; unique among probes.
    pub name: String,
    /// What is checked, without what may be secret: `http://host/path` or `tcp://host:port`.
    pub target: String,
    /// Whether the target answered as expected.
    pub ok: bool,
    /// How long the check took up to its result; `None` where it had no answer.
    pub latency: Option<Millis>,
    /// The status of the HTTP answer; `None` where there was none.
    pub status: Option<u16>,
    /// What was attempted, what failed and what to do; empty when ok.
    pub detail: String,
    /// When the first of the checks in a row that ended the same way began.
    pub since: Millis,
    /// When this check began.
    pub observed: Millis,
    /// It is not configured any more: this is the last record of it.
    pub gone: bool,
    /// Fields of later versions.
    pub ext: Extensions,
}

impl ProbeResult {
    /// The name of the source that brings all of them.
    pub const SOURCE: &str = "probes";
}
