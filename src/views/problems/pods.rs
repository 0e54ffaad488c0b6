//! Pods in trouble: images that cannot be had, containers that were killed or crash, pods that do
//! not start. The pods of one workload that have the same trouble are one problem.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Context, Kind, LOOK_BACK, OBJECTS_MAX, Problem, RECORDS_MAX, Severity, Subject, named, since_of,
};
use crate::{
    event::{Event, Key, Millis, ObjectRef},
    journal::Seq,
    views::{
        Object,
        trouble::{self, Container, Failed, Owner, Trouble},
    },
};

/// What a container waits for while its image cannot be had.
const PULL_WAITS: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
];

const OOM_KILLED: &str = "OOMKilled";
const CRASH_WAIT: &str = "CrashLoopBackOff";

/// States of pods that a problem names as its proof at most; the rest are for warnings and failures.
const STATES_MAX: usize = 4;

/// A pod, and what is wrong with it.
struct Finding<'a> {
    pod: &'a Object,
    since: Millis,
    /// How often its containers failed within the look-back, as far as that was recorded.
    failures: u64,
    /// The records of those failures.
    proof: Vec<Seq>,
    /// The image, the exit, or why it does not start.
    why: String,
}

/// Whose pods have the same trouble.
type Group<'a> = (Kind, &'a str, Option<&'a Owner>, &'a str);

/// Everything that is wrong with pods.
pub(super) fn find(context: &Context<'_>) -> Vec<Problem> {
    let mut groups: BTreeMap<Group<'_>, Vec<Finding<'_>>> = BTreeMap::new();
    for pod in context.objects_of("Pod") {
        let Some((kind, finding)) = judge(context, pod) else { continue };
        let owner = pod.trouble.as_ref().and_then(|trouble| trouble.owner.as_ref());
        let alone = if owner.is_none() { pod.object.name.as_str() } else { "" };
        let group = (kind, pod.object.namespace.as_str(), owner, alone);
        groups.entry(group).or_default().push(finding);
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let workloads = workloads(context);
    groups.into_iter().map(|(group, found)| problem(context, group, found, &workloads)).collect()
}

/// Objects whose own past tells how often and since when they fail, those in the worst state first.
pub(super) fn suspects<'a>(context: &Context<'a>) -> Vec<&'a Object> {
    let failed = |pod: &&Object| {
        let containers = pod.trouble.iter().flat_map(|trouble| &trouble.containers);
        containers.into_iter().any(|container| failed_lately(context, pod, container).is_some())
    };
    let mut pods: Vec<&Object> = context.objects_of("Pod").filter(failed).collect();
    pods.sort_by_key(|pod| pod.healthy);
    pods
}

type Workloads<'a> = HashMap<(&'a str, &'a str, &'a str), &'a Object>;

fn workloads<'a>(context: &Context<'a>) -> Workloads<'a> {
    let owners = context.state.objects.values().filter(|row| row.object.kind != "Pod");
    owners
        .map(|row| {
            let object = &row.object;
            ((object.kind.as_str(), object.namespace.as_str(), object.name.as_str()), row)
        })
        .collect()
}

/// The worst that is wrong with a pod, and nothing twice.
fn judge<'a>(context: &Context<'a>, pod: &'a Object) -> Option<(Kind, Finding<'a>)> {
    let is_looked_at = |kind| context.thresholds.names(kind);
    let without = Trouble::default();
    let trouble = pod.trouble.as_deref().unwrap_or(&without);
    let recorded = failures(context, pod);
    let finding = |since: Millis, why: String| Finding {
        pod,
        since,
        failures: recorded.count,
        proof: recorded.proof.clone(),
        why,
    };

    let waits_for = |container: &&Container, reasons: &[&str]| {
        container.waiting.as_ref().is_some_and(|(reason, _)| reasons.contains(&reason.as_str()))
    };
    if let Some(container) = trouble.containers.iter().find(|c| waits_for(c, &PULL_WAITS)) {
        return is_looked_at(Kind::ImagePull).then(|| {
            let since = context.first_warning(pod, &["Failed", "BackOff", "ErrImagePull"]);
            let ready = trouble.condition("Ready").and_then(|ready| ready.since);
            (
                Kind::ImagePull,
                finding(earliest([since, ready], pod.body.learned), container.image.clone()),
            )
        });
    }
    let killed = |c: &&Container| {
        failed_lately(context, pod, c).is_some_and(|failed| failed.reason == OOM_KILLED)
    };
    if let Some(container) = trouble.containers.iter().find(killed)
        && is_looked_at(Kind::OomKilled)
    {
        let since = failing_since(context, pod, container, &recorded);
        return Some((Kind::OomKilled, finding(since, container.name.clone())));
    }
    let crashes = |c: &&Container| {
        waits_for(c, &[CRASH_WAIT])
            || failed_lately(context, pod, c).is_some_and(|failed| {
                recorded.count >= context.thresholds.crash_restarts
                    || was_held_back(context, pod, failed)
            })
    };
    if let Some(container) = trouble.containers.iter().find(crashes) {
        return is_looked_at(Kind::CrashLoop).then(|| {
            let since = failing_since(context, pod, container, &recorded);
            (Kind::CrashLoop, finding(since, how_it_ended(container)))
        });
    }
    let (since, why) = not_starting(context, pod, trouble)?;
    is_looked_at(Kind::Pending).then(|| (Kind::Pending, finding(since, why)))
}

/// Since when a pod does not start, and why; `None` where it does, or not for too long yet.
fn not_starting(
    context: &Context<'_>,
    pod: &Object,
    trouble: &Trouble,
) -> Option<(Millis, String)> {
    if let Some((reason, message)) = trouble.containers.iter().find_map(|c| c.waiting.as_ref()) {
        let since = context.first_warning(pod, &["Failed"]).unwrap_or(pod.body.learned);
        return Some((since, joined(reason, message)));
    }
    if pod.phase != "Pending" {
        return None;
    }
    let scheduled = trouble.condition("PodScheduled");
    let since = scheduled.and_then(|condition| condition.since).or(pod.created);
    let since = since.unwrap_or(pod.body.learned);
    if context.now - since < context.thresholds.pending_seconds as f64 * 1000.0 {
        return None;
    }
    let warning = context.warnings(pod).first();
    let refused = scheduled.filter(|condition| condition.status == "False");
    let why = match (refused, warning) {
        (Some(condition), _) => joined(&condition.reason, &condition.message),
        (None, Some(warning)) => joined(&warning.value.reason, &warning.value.message),
        (None, None) => "it has not started, and the cluster does not say why".into(),
    };
    Some((since, why))
}

fn joined(reason: &str, message: &str) -> String {
    match (reason.is_empty(), message.is_empty()) {
        (_, true) => reason.to_owned(),
        (true, false) => message.to_owned(),
        (false, false) => format!("{reason}: {message}"),
    }
}

fn how_it_ended(container: &Container) -> String {
    let Some(failed) = &container.failed else { return container.name.clone() };
    match failed.exit_code {
        Some(code) => format!("{} ended with {} ({code})", container.name, failed.reason),
        None => format!("{} ended with {}", container.name, failed.reason),
    }
}

/// How a container failed within the look-back. Its record may be older: nothing is recorded of a
/// container that goes on well.
fn failed_lately<'a>(
    context: &Context<'_>,
    pod: &Object,
    container: &'a Container,
) -> Option<&'a Failed> {
    let from = context.now - LOOK_BACK.as_secs_f64() * 1000.0;
    container.failed.as_ref().filter(|failed| failed.at.unwrap_or(pod.body.learned) >= from)
}

/// The cluster held a container back after its failure: it was not the first one. While it runs in
/// between, the pod is still in the loop.
fn was_held_back(context: &Context<'_>, pod: &Object, failed: &Failed) -> bool {
    let mut warnings = context.warnings(pod).iter();
    warnings.any(|row| {
        row.value.reason == "BackOff" && failed.at.is_some_and(|at| row.value.last >= at)
    })
}

/// A back-off is reported as one Event with its first time, which may be older than the look-back.
fn failing_since(
    context: &Context<'_>,
    pod: &Object,
    container: &Container,
    recorded: &Failures,
) -> Millis {
    let failed = container.failed.as_ref().and_then(|failed| failed.at);
    let reported = context.first_warning(pod, &["BackOff"]);
    earliest([failed, recorded.first, reported], pod.body.learned)
}

fn earliest<const N: usize>(known: [Option<Millis>; N], otherwise: Millis) -> Millis {
    known.into_iter().flatten().reduce(Millis::min).unwrap_or(otherwise)
}

/// What the recorded states of a pod tell of its failures.
#[derive(Default)]
struct Failures {
    /// How many different ones.
    count: u64,
    /// When the first one was.
    first: Option<Millis>,
    /// The oldest record of each.
    proof: Vec<Seq>,
}

fn failures(context: &Context<'_>, pod: &Object) -> Failures {
    let mut known: BTreeMap<(String, u64), Seq> = BTreeMap::new();
    let mut first = None::<Millis>;
    // Newest first, so that the oldest record of a failure stays.
    for version in context.back.histories.get(&pod.object.key()).into_iter().flatten() {
        let Event::ObjectObserved(event) = &version.value else { continue };
        let trouble = trouble::of(event, false, version.learned).unwrap_or_default();
        for container in trouble.containers {
            let Some(failed) = container.failed else { continue };
            let at = failed.at.unwrap_or(version.learned);
            first = Some(first.map_or(at, |known| known.min(at)));
            known.insert((container.name, at.to_bits()), version.seq);
        }
    }
    Failures { count: known.len() as u64, first, proof: known.into_values().collect() }
}

fn problem(
    context: &Context<'_>,
    (kind, namespace, owner, alone): Group<'_>,
    mut found: Vec<Finding<'_>>,
    workloads: &Workloads<'_>,
) -> Problem {
    found.sort_by(|a, b| a.pod.object.name.cmp(&b.pod.object.name));
    let workload = owner.map(|owner| {
        let known = workloads.get(&(owner.kind.as_str(), namespace, owner.name.as_str()));
        let unknown = || ObjectRef {
            api_version: String::new(),
            kind: owner.kind.clone(),
            namespace: namespace.to_owned(),
            name: owner.name.clone(),
            uid: String::new(),
        };
        known.map_or_else(unknown, |row| row.object.clone())
    });
    let subject = match (&found[..], workload) {
        ([one], _) => one.pod.object.clone(),
        (_, Some(workload)) => workload,
        (_, None) => found[0].pod.object.clone(),
    };
    let whose = owner.map_or_else(|| format!("Pod/{alone}"), |o| format!("{}/{}", o.kind, o.name));
    let words = words(context, kind, &found, &subject);
    Problem {
        id: format!("{}/{namespace}/{whose}", kind.as_str()),
        kind,
        severity: severity(kind, &found),
        subject: Subject::Object(subject),
        title: words.title,
        detail: words.detail,
        advice: words.advice,
        since: since_of(found.iter().map(|finding| finding.since)),
        records: records(context, &found),
        threshold: words.threshold,
        count: found.len() as u64,
        objects: found.iter().take(OBJECTS_MAX).map(|f| f.pod.object.clone()).collect(),
        last_seen: found.first().and_then(|finding| context.last_seen(&finding.pod.source)),
    }
}

/// What was killed or crashed and runs again is a warning.
fn severity(kind: Kind, found: &[Finding<'_>]) -> Severity {
    let is_over = found.iter().all(|finding| finding.pod.healthy);
    match kind {
        Kind::OomKilled | Kind::CrashLoop if is_over => Severity::Warning,
        _ => Severity::Critical,
    }
}

/// The states, the warnings and the recorded failures, newest first.
fn records(context: &Context<'_>, found: &[Finding<'_>]) -> Vec<Seq> {
    let newest = |mut seqs: Vec<Seq>, limit: usize| {
        seqs.sort_unstable_by(|a, b| b.cmp(a));
        seqs.truncate(limit);
        seqs
    };
    let states = newest(found.iter().map(|f| f.pod.body.seq).collect(), STATES_MAX);
    let warnings = found.iter().flat_map(|f| context.warnings(f.pod).iter().map(|row| row.seq));
    let others = newest(
        warnings.chain(found.iter().flat_map(|f| f.proof.iter().copied())).collect(),
        RECORDS_MAX,
    );
    let mut all: BTreeSet<Seq> = states.into_iter().collect();
    for seq in others {
        if all.len() < RECORDS_MAX {
            all.insert(seq);
        }
    }
    all.into_iter().rev().collect()
}

struct Words {
    title: String,
    detail: String,
    advice: String,
    threshold: String,
}

fn words(context: &Context<'_>, kind: Kind, found: &[Finding<'_>], subject: &ObjectRef) -> Words {
    let whose = named(subject);
    let who = match found {
        [_] => whose,
        _ => format!("{} pods of {whose}", found.len()),
    };
    let verb = |one: &'static str, many: &'static str| if found.len() == 1 { one } else { many };
    let reasons: BTreeSet<&str> = found.iter().map(|finding| finding.why.as_str()).collect();
    let reasons = reasons.into_iter().take(3).collect::<Vec<_>>().join("; ");
    let failures: u64 = found.iter().map(|finding| finding.failures).sum();
    let restarts: u64 = found.iter().map(|finding| restarts(finding.pod)).sum();
    let thresholds = context.thresholds;
    match kind {
        Kind::ImagePull => Words {
            title: format!("{who} cannot start: the image {reasons} cannot be had"),
            detail: context.newest_warning(found.iter().map(|f| f.pod)),
            advice: "Check the image's name and tag in the last deploy, and whether the registry \
                     answers and lets this cluster in"
                .into(),
            threshold: "at once".into(),
        },
        Kind::OomKilled => Words {
            title: format!(
                "{who} {} killed for want of memory{}",
                verb("was", "were"),
                times(failures)
            ),
            detail: format!("container {reasons}; {restarts} restarts so far"),
            advice:
                "Compare its memory limit with what it uses; look at its last log lines before \
                     it was killed, and at the last deploy"
                    .into(),
            threshold: "a container that was killed for want of memory within 15 minutes".into(),
        },
        Kind::CrashLoop => Words {
            title: format!("{who} {} crashing{}", verb("keeps", "keep"), times(failures)),
            detail: format!("{reasons}; {restarts} restarts so far"),
            advice: "Read its last log lines before the end, and look at the last deploy".into(),
            threshold: format!(
                "waiting after a crash, or {} crashes within 15 minutes (crash_restarts)",
                thresholds.crash_restarts
            ),
        },
        _ => Words {
            title: format!("{who} {} not start", verb("does", "do")),
            detail: reasons,
            advice: "The reason says what is missing: room on a node, a volume, a Secret or a \
                     ConfigMap"
                .into(),
            threshold: format!(
                "without a node, or not started, for {} s (pending_seconds); at once where the \
                 cluster says that it cannot",
                thresholds.pending_seconds
            ),
        },
    }
}

/// One failure is told by the verb.
fn times(failures: u64) -> String {
    if failures < 2 { String::new() } else { format!(", {failures} times within 15 minutes") }
}

fn restarts(pod: &Object) -> u64 {
    let containers = pod.trouble.iter().flat_map(|trouble| &trouble.containers);
    containers.map(|container| container.restarts).sum()
}

impl<'a> Context<'a> {
    /// When the oldest of an object's warnings with one of these reasons first happened.
    fn first_warning(&self, object: &Object, reasons: &[&str]) -> Option<Millis> {
        let warnings = self.warnings(object).iter();
        let firsts = warnings.filter(|row| reasons.contains(&row.value.reason.as_str()));
        firsts.map(|row| row.value.first).reduce(Millis::min)
    }

    /// The text of the newest warning about one of these objects.
    fn newest_warning<'b>(&self, objects: impl Iterator<Item = &'b Object>) -> String {
        let warnings = objects.flat_map(|object| self.warnings(object));
        let newest = warnings.max_by_key(|row| row.seq);
        newest.map_or_else(String::new, |row| row.value.message.clone())
    }

    /// The warnings about an object, newest first.
    pub(super) fn warnings(
        &self,
        object: &Object,
    ) -> &'a [crate::views::read::Recorded<crate::event::ClusterEvent>] {
        self.back.warnings.get(&Key::object(&object.object.uid)).map_or(&[], Vec::as_slice)
    }
}
