//! What is wrong, as of one moment: no fold, but computed from the [`State`] at that moment and a
//! look-back of at most [`LOOK_BACK`].
//!
//! [`find`] is pure, so that the same moment has the same problems in the running process, in its
//! past and in a downloaded copy. "Now" is given: the wall clock for the present, the time of the
//! moment's own record for the past.

mod sources;

mod thresholds;

use std::{cmp::Reverse, time::Duration};

use serde::Deserialize;

pub use self::thresholds::Thresholds;
use super::State;
use crate::{
    event::{Millis, ObjectRef},
    journal::Seq,
};

/// How far back what has been is still looked at.
pub const LOOK_BACK: Duration = Duration::from_secs(15 * 60);

/// Problems that are told at most; beyond, the count tells enough.
pub const PROBLEMS_MAX: usize = 200;

/// Records that prove a problem at most, the newest ones.
pub const RECORDS_MAX: usize = 10;

/// Objects that a problem names at most.
pub const OBJECTS_MAX: usize = 10;

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
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

impl Kind {
    /// The word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::CrashLoop => "crash_loop",
            Kind::OomKilled => "oom_killed",
            Kind::Pending => "pending",
            Kind::ImagePull => "image_pull",
            Kind::NodeNotReady => "node_not_ready",
            Kind::ReplicasMissing => "replicas_missing",
            Kind::JobFailed => "job_failed",
            Kind::VolumeFilling => "volume_filling",
            Kind::ErrorRate => "error_rate",
            Kind::SlowRequests => "slow_requests",
            Kind::SourceDown => "source_down",
            Kind::RecordsMissing => "records_missing",
            Kind::JournalDegraded => "journal_degraded",
            Kind::ProbeFailing => "probe_failing",
        }
    }
}

/// How bad it is; the worse one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something does not work.
    Critical,
    /// Something will not work soon, or did not work shortly before.
    Warning,
}

/// What a problem is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An object of the cluster; the uid is empty where the object itself is not known.
    Object(ObjectRef),
    /// A source, a probe or the recorder itself.
    Source(String),
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The same for the same trouble, however often it is asked for.
    pub id: String,
    /// What kind of trouble.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: the workload where several of its pods have the same trouble.
    pub subject: Subject,
    /// What is wrong, in a sentence.
    pub title: String,
    /// What is known of it; may be empty.
    pub detail: String,
    /// What to look at next.
    pub advice: String,
    /// Since when, as far as that is known.
    pub since: Millis,
    /// The records that prove it, newest first; at most [`RECORDS_MAX`].
    pub records: Vec<Seq>,
    /// From when on this is a problem, and what to set to change that.
    pub threshold: String,
    /// How many objects have this trouble.
    pub count: u64,
    /// The first of them by name; at most [`OBJECTS_MAX`].
    pub objects: Vec<ObjectRef>,
    /// The source is not observed: this is so as it was last seen then.
    pub last_seen: Option<Millis>,
}

/// What is wrong, the worst first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// At most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub left_out: u64,
}

/// What is wrong at a moment.
pub fn find(state: &State, now: Millis, thresholds: &Thresholds) -> Found {
    let mut problems = sources::down(state, now, thresholds);
    problems.retain(|problem| thresholds.names(problem.kind));
    ordered(problems)
}

/// By severity, then the newest trouble first: what just broke is what an admin came for.
fn ordered(mut problems: Vec<Problem>) -> Found {
    problems.sort_by(|a, b| {
        let rank = |problem: &Problem| (problem.severity, Reverse(problem.since.to_bits()));
        rank(a).cmp(&rank(b)).then_with(|| a.id.cmp(&b.id))
    });
    let left_out = problems.len().saturating_sub(PROBLEMS_MAX) as u64;
    problems.truncate(PROBLEMS_MAX);
    Found { problems, left_out }
}
