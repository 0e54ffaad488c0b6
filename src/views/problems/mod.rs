//! What is wrong, as of one moment: no fold, but computed from the [`State`] at that moment and a
//! look-back of at most [`LOOK_BACK`].
//!
//! [`find`] is pure, so that the same moment has the same problems in the running process, in its
//! past and in a downloaded copy. "Now" is given: the wall clock for the present, the time of the
//! moment's own record for the past.

mod app;

mod cluster;

mod pods;

mod sources;

mod thresholds;

mod usage;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Deserialize;

pub use self::{sources::not_recording, thresholds::Thresholds};
use super::{
    Object, State,
    read::look_back::{HISTORIES_MAX, LookBack},
};
use crate::{
    event::{self, Key, Millis, ObjectRef},
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

/// What the recorder itself is called where a problem is about it.
const OWN_NAME: &str = "recorder";

/// The claim by which the usage of the recorder's own volume is told, in no namespace.
const OWN_CLAIM: &str = "recorder";

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

/// What finding problems goes by.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    state: &'a State,
    back: &'a LookBack,
    now: Millis,
    thresholds: &'a Thresholds,
}

impl<'a> Context<'a> {
    /// The living objects of a kind.
    fn objects_of(&self, kind: &'a str) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.state.objects.values().filter(move |row| row.object.kind == kind)
    }

    /// Since when a source is not observed; `None` while it is.
    fn last_seen(&self, source: &str) -> Option<Millis> {
        let known = &self.state.sources.get(source)?.state;
        (known.state != event::State::Up).then_some(known.since)
    }
}

/// Whose own past [`find`] wants to look at, for [`look_back`](super::read::look_back::look_back).
pub fn suspects(state: &State, now: Millis, thresholds: &Thresholds) -> Vec<Key> {
    let back = LookBack::default();
    let context = Context { state, back: &back, now, thresholds };
    let pods = pods::suspects(&context).into_iter().map(|pod| pod.object.key());
    let workloads = cluster::short_workloads(&context).map(|(row, _)| row.object.key());
    let volumes = usage::full_volumes(&context).map(super::Volume::key);
    // Of each a share, so that many pods leave room for a volume.
    let share = HISTORIES_MAX / 4;
    let few = volumes.take(share).chain(workloads.take(share));
    few.chain(pods).take(HISTORIES_MAX).collect()
}

/// What is wrong at a moment.
pub fn find(state: &State, back: &LookBack, now: Millis, thresholds: &Thresholds) -> Found {
    let context = Context { state, back, now, thresholds };
    let mut problems = pods::find(&context);
    problems.extend(cluster::workloads(&context, &problems));
    problems.extend(cluster::nodes(&context));
    problems.extend(cluster::jobs(&context));
    problems.extend(usage::volumes(&context));
    problems.extend(usage::probes(&context));
    problems.extend(app::errors(&context));
    problems.extend(app::requests(&context));
    problems.extend(sources::down(&context));
    problems.extend(sources::missing(&context));
    problems.extend(sources::degraded(&context));
    problems.retain(|problem| thresholds.names(problem.kind));
    ordered(problems)
}

impl Found {
    /// Adds one that no record tells of.
    pub fn and(mut self, problem: Problem) -> Found {
        self.problems.push(problem);
        let Found { problems, left_out } = ordered(self.problems);
        Found { problems, left_out: self.left_out + left_out }
    }
}

/// By severity, then the newest trouble first: what just broke is what an admin came for.
fn ordered(mut problems: Vec<Problem>) -> Found {
    problems.sort_by(|a, b| {
        let newest_first = b.since.total_cmp(&a.since);
        a.severity.cmp(&b.severity).then(newest_first).then_with(|| a.id.cmp(&b.id))
    });
    let left_out = problems.len().saturating_sub(PROBLEMS_MAX) as u64;
    problems.truncate(PROBLEMS_MAX);
    Found { problems, left_out }
}

/// The earliest of some times; of none, the beginning of time.
fn since_of(times: impl Iterator<Item = Millis>) -> Millis {
    times.reduce(Millis::min).unwrap_or_default()
}

/// An object as a person calls it.
fn named(object: &ObjectRef) -> String {
    if object.namespace.is_empty() {
        object.name.clone()
    } else {
        format!("{} ({})", object.name, object.namespace)
    }
}
