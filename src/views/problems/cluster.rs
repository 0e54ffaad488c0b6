//! Nodes, workloads and jobs in trouble.

use super::{Context, Kind, Problem, RECORDS_MAX, Severity, Subject, named};
use crate::{
    event::{Event, Millis},
    views::{
        Object,
        trouble::{self, Trouble},
    },
};

/// What workloads are.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// A problem of one object; the caller says what is special about it.
fn problem_of(context: &Context<'_>, kind: Kind, row: &Object, since: Millis) -> Problem {
    let object = &row.object;
    let mut records: Vec<_> =
        [row.body.seq].into_iter().chain(context.warnings(row).iter().map(|w| w.seq)).collect();
    records.sort_unstable_by(|a, b| b.cmp(a));
    records.truncate(RECORDS_MAX);
    Problem {
        id: format!("{}/{}/{}/{}", kind.as_str(), object.namespace, object.kind, object.name),
        kind,
        severity: Severity::Critical,
        subject: Subject::Object(object.clone()),
        title: String::new(),
        detail: String::new(),
        advice: String::new(),
        since,
        records,
        threshold: String::new(),
        count: 1,
        objects: vec![object.clone()],
        last_seen: context.last_seen(&row.source),
    }
}

/// Nodes that are not ready, or that say that they are short of something.
pub(super) fn nodes(context: &Context<'_>) -> Vec<Problem> {
    context.objects_of("Node").filter_map(|node| node_problem(context, node)).collect()
}

fn node_problem(context: &Context<'_>, node: &Object) -> Option<Problem> {
    let trouble = node.trouble.as_deref()?;
    let ready = trouble.condition("Ready").filter(|ready| ready.status != "True");
    let name = &node.object.name;
    if let Some(ready) = ready {
        let since = ready.since.unwrap_or(node.body.learned);
        return Some(Problem {
            title: format!("node {name} is not ready: its pods may not run, and cannot be reached"),
            detail: [ready.reason.as_str(), ready.message.as_str()].join(" ").trim().to_owned(),
            advice:
                "Look whether the machine runs and reaches the cluster API; its pods are moved \
                     after some minutes"
                    .into(),
            threshold: "at once".into(),
            ..problem_of(context, Kind::NodeNotReady, node, since)
        });
    }
    let pressure = |c: &&trouble::Condition| c.name != "Ready" && c.status == "True";
    let short: Vec<_> = trouble.conditions.iter().filter(pressure).collect();
    let since = short.iter().filter_map(|condition| condition.since).reduce(Millis::min);
    let names: Vec<&str> = short.iter().map(|condition| condition.name.as_str()).collect();
    let messages: Vec<&str> = short.iter().map(|condition| condition.message.as_str()).collect();
    (!short.is_empty()).then(|| Problem {
        severity: Severity::Warning,
        title: format!("node {name} reports {}", names.join(", ")),
        detail: messages.join("; "),
        advice: "It takes no new pods, and may evict some: find what uses it up".into(),
        threshold: "at once".into(),
        ..problem_of(context, Kind::NodeNotReady, node, since.unwrap_or(node.body.learned))
    })
}

/// Workloads that lack replicas for too long, where no problem of their pods says why.
pub(super) fn workloads(context: &Context<'_>, explained: &[Problem]) -> Vec<Problem> {
    let is_explained = |row: &Object| {
        let whose = format!("/{}/{}/{}", row.object.namespace, row.object.kind, row.object.name);
        explained.iter().any(|problem| problem.id.ends_with(&whose))
    };
    let short = short_workloads(context).filter(|(row, _)| !is_explained(row));
    short.filter_map(|(row, trouble)| workload_problem(context, row, trouble)).collect()
}

/// Workloads with fewer ready replicas than they want.
pub(super) fn short_workloads<'a>(
    context: &Context<'a>,
) -> impl Iterator<Item = (&'a Object, &'a Trouble)> {
    context.state.objects.values().filter_map(|row| {
        let trouble = row.trouble.as_deref()?;
        let is_short = trouble.replicas.is_some() && WORKLOADS.contains(&&*row.object.kind);
        is_short.then_some((row, trouble))
    })
}

fn workload_problem(context: &Context<'_>, row: &Object, trouble: &Trouble) -> Option<Problem> {
    let (ready, wanted) = trouble.replicas?;
    let since = short_since(context, row, trouble);
    let limit = context.thresholds.replicas_seconds;
    (context.now - since >= limit as f64 * 1000.0).then(|| Problem {
        severity: if ready == 0 { Severity::Critical } else { Severity::Warning },
        title: format!("{} has {ready} of {wanted} replicas ready", named(&row.object)),
        detail: trouble.condition("Available").map_or(String::new(), |c| c.message.clone()),
        advice: "Look at its pods: those that are not ready say why".into(),
        threshold: format!("replicas missing for {limit} s (replicas_seconds)"),
        ..problem_of(context, Kind::ReplicasMissing, row, since)
    })
}

/// The cluster tells it of deployments; of others it is the oldest of the states in a row in which
/// replicas were missing.
fn short_since(context: &Context<'_>, row: &Object, trouble: &Trouble) -> Millis {
    let available = trouble.condition("Available").filter(|c| c.status == "False");
    if let Some(since) = available.and_then(|condition| condition.since) {
        return since;
    }
    let versions = context.back.histories.get(&row.object.key()).into_iter().flatten();
    let short = versions.take_while(|version| match &version.value {
        Event::ObjectObserved(event) => trouble::of(event, false, version.learned)
            .is_some_and(|trouble| trouble.replicas.is_some()),
        _ => false,
    });
    short.last().map_or(row.body.learned, |version| version.learned)
}

/// Jobs that have failed.
pub(super) fn jobs(context: &Context<'_>) -> Vec<Problem> {
    context.objects_of("Job").filter_map(|job| job_problem(context, job)).collect()
}

fn job_problem(context: &Context<'_>, job: &Object) -> Option<Problem> {
    let failed = job.trouble.as_deref()?.condition("Failed").filter(|c| c.status == "True")?;
    let since = failed.since.unwrap_or(job.body.learned);
    let hours = context.thresholds.job_hours;
    (context.now - since < hours as f64 * 3_600_000.0).then(|| Problem {
        severity: Severity::Warning,
        title: format!("the job {} has failed", named(&job.object)),
        detail: format!("{} {}", failed.reason, failed.message).trim().to_owned(),
        advice: "Read the log lines of its pods; delete it, or let it run again".into(),
        threshold: format!("a job that failed within {hours} h (job_hours)"),
        ..problem_of(context, Kind::JobFailed, job, since)
    })
}
