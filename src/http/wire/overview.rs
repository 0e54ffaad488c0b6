//! The first page.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Action, ClusterEvent, Gap, LogEntry, ObjectRow, Problem, Source};

/// How many objects of a kind there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct KindCount {
    /// For example `Pod`.
    pub kind: String,
    /// All living ones.
    pub total: u64,
    /// Those whose state is not as it should be.
    pub unhealthy: u64,
}

/// `GET /api/overview`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// What is wrong, as `/api/problems` tells it: the worst first, at most 200.
    pub problems: Vec<Problem>,
    /// Every source, by name.
    pub sources: Vec<Source>,
    /// Objects by kind.
    pub kinds: Vec<KindCount>,
    /// Living objects whose state is not as it should be, newest change first; at most 100.
    pub unhealthy: Vec<ObjectRow>,
    /// The newest warnings of the cluster; at most 20.
    pub warnings: Vec<ClusterEvent>,
    /// The newest error lines; at most 20.
    pub errors: Vec<LogEntry>,
    /// The newest actions; at most 5.
    pub actions: Vec<Action>,
    /// The newest gaps; at most 5.
    pub gaps: Vec<Gap>,
    /// Warnings, errors, actions and gaps were looked for back to this event, and no further for
    /// want of time; null where each list is full or the journal's beginning was reached.
    pub looked_back_to: Option<u64>,
    /// Live queries known now.
    pub live_queries: u64,
    /// Requests open now.
    pub open_requests: u64,
}
