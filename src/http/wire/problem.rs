//! What is wrong.

use serde::Serialize;
use utoipa::ToSchema;

/// What kind of trouble.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Containers end soon after their start, again and again.
    CrashLoop,
    /// Containers were killed for want of memory.
    OomKilled,
    /// Pods that have no node, or do not start.
    Pending,
    /// Images that cannot be had.
    ImagePull,
    /// Nodes that are not ready, or short of something.
    NodeNotReady,
    /// Workloads with fewer replicas than asked for.
    ReplicasMissing,
    /// Jobs that have failed.
    JobFailed,
    /// Volumes that are almost full.
    VolumeFilling,
    /// Many more error lines than before.
    ErrorRate,
    /// Requests that hang or are slow.
    SlowRequests,
    /// Sources that are not observed.
    SourceDown,
    /// Stretches that were not observed, or records that were dropped.
    RecordsMissing,
    /// The journal takes no records, or took none for a while.
    JournalDegraded,
    /// Probes that fail.
    ProbeFailing,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Critical,
    /// Something will not work soon, or did not work shortly before.
    Warning,
}

/// An object of the cluster.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ObjectName {
    /// For example `Pod`.
    pub kind: String,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid; empty where the object itself is not known.
    pub uid: String,
}

/// What a problem is about: an object, or a source.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ProblemSubject {
    /// An object of the cluster.
    Object(ObjectName),
    /// Something else.
    Source {
        /// The name of a source, of a probe, of a peer with several sources, or `recorder`.
        source: String,
    },
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// The same for the same trouble, however often it is asked for.
    pub id: String,
    /// What kind of trouble.
    pub kind: ProblemKind,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: the workload where several of its pods have the same trouble.
    pub subject: ProblemSubject,
    /// What is wrong, in a sentence.
    pub title: String,
    /// What is known of it; may be empty.
    pub detail: String,
    /// What to look at next.
    pub advice: String,
    /// Since when, as far as that is known.
    pub since: f64,
    /// The records that prove it, newest first; at most 10.
    pub records: Vec<u64>,
    /// From when on this is a problem, and what to set to change that.
    pub threshold: String,
    /// How many objects have this trouble; 1 for a source.
    pub count: u64,
    /// The first of them by name; at most 10; none for a source.
    pub objects: Vec<ObjectName>,
    /// This is as it was last seen at this time, since when its source is not observed; null while
    /// it is.
    pub last_seen: Option<f64>,
}

/// By which clock `now` was read.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemClock {
    /// The process's own: the answer is of the present.
    Wall,
    /// The time at which the newest record of the moment was learned.
    Record,
}

/// `GET /api/problems`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problems {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// What is wrong, the worst first, then the newest; at most 200.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub left_out: u64,
    /// The time that counts as now: how long something has lasted is told by it.
    pub now: f64,
    /// By which clock `now` was read.
    pub clock: ProblemClock,
    /// What was before was looked at back to this event, and no further for want of time or for too
    /// many records; null where the whole look-back was.
    pub looked_back_to: Option<u64>,
}
