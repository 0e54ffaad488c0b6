//! Volumes that fill, and probes that fail.

use super::{
    Context, Kind, OWN_CLAIM, OWN_NAME, Problem, RECORDS_MAX, Severity, Subject, Thresholds,
};
use crate::{
    event::{Event, Millis, ObjectRef, VolumeUsage},
    journal::Seq,
    views::{Probe, Volume},
};

/// How full a volume is, percent: of its bytes or of its inodes, whichever is more.
fn percent(usage: &VolumeUsage) -> f64 {
    let share = |used: u64, all: u64| if all == 0 { 0.0 } else { used as f64 / all as f64 * 100.0 };
    let bytes =
        share(usage.capacity_bytes.saturating_sub(usage.available_bytes), usage.capacity_bytes);
    bytes.max(share(usage.inodes_used, usage.inodes))
}

/// The recorder fills four fifths of its own volume on purpose, and says so if it cannot write.
fn is_own(usage: &VolumeUsage) -> bool {
    usage.namespace.is_empty() && usage.claim == OWN_CLAIM
}

fn threshold(thresholds: &Thresholds, usage: &VolumeUsage) -> String {
    let Thresholds { volume_warning_percent, volume_critical_percent, .. } = thresholds;
    if is_own(usage) {
        format!("{volume_critical_percent} % full (volume_critical_percent)")
    } else {
        format!(
            "{volume_warning_percent} % full (volume_warning_percent), critical from \
             {volume_critical_percent} % (volume_critical_percent)"
        )
    }
}

fn limit(context: &Context<'_>, usage: &VolumeUsage) -> u64 {
    let thresholds = context.thresholds;
    if is_own(usage) {
        thresholds.volume_critical_percent
    } else {
        thresholds.volume_warning_percent
    }
}

/// Volumes that are too full, with the past that tells since when.
pub(super) fn full_volumes<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a Volume> {
    let limits =
        (context.thresholds.volume_warning_percent, context.thresholds.volume_critical_percent);
    context.state.volumes.values().filter(move |volume| {
        let limit = if is_own(&volume.usage) { limits.1 } else { limits.0 };
        percent(&volume.usage) >= limit as f64
    })
}

/// Volumes that are too full.
pub(super) fn volumes(context: &Context<'_>) -> Vec<Problem> {
    full_volumes(context).map(|volume| volume_problem(context, volume)).collect()
}

fn volume_problem(context: &Context<'_>, volume: &Volume) -> Problem {
    let usage = &volume.usage;
    let full = percent(usage).floor();
    let (since, records) = full_since(context, volume);
    let thresholds = context.thresholds;
    let is_critical = percent(usage) >= thresholds.volume_critical_percent as f64;
    let by_inodes =
        usage.inodes > 0 && usage.inodes_used as f64 / usage.inodes as f64 * 100.0 >= full;
    let (kind, subject, whose) = if is_own(usage) {
        (
            Kind::JournalDegraded,
            Subject::Source(OWN_NAME.into()),
            "the recorder's own volume".into(),
        )
    } else {
        let claim = ObjectRef {
            api_version: "v1".into(),
            kind: "PersistentVolumeClaim".into(),
            namespace: usage.namespace.clone(),
            name: usage.claim.clone(),
            uid: uid_of(context, usage),
        };
        let whose = format!("the volume {} ({})", usage.claim, usage.namespace);
        (Kind::VolumeFilling, Subject::Object(claim), whose)
    };
    Problem {
        id: format!("{}/{}/volume/{}", kind.as_str(), usage.namespace, usage.claim),
        kind,
        severity: if is_critical { Severity::Critical } else { Severity::Warning },
        objects: match &subject {
            Subject::Object(claim) => vec![claim.clone()],
            Subject::Source(_) => Vec::new(),
        },
        subject,
        title: format!("{whose} is {full} % full"),
        detail: detail(usage, by_inodes),
        advice: "Make room or enlarge the claim; its history says how fast it fills".into(),
        since,
        records,
        threshold: threshold(thresholds, usage),
        count: 1,
        last_seen: context.last_seen(&usage.source),
    }
}

fn uid_of(context: &Context<'_>, usage: &VolumeUsage) -> String {
    let mut claims = context.objects_of("PersistentVolumeClaim");
    let claim = claims
        .find(|row| row.object.namespace == usage.namespace && row.object.name == usage.claim);
    claim.map_or_else(String::new, |row| row.object.uid.clone())
}

fn detail(usage: &VolumeUsage, by_inodes: bool) -> String {
    let mut text = if by_inodes {
        format!("{} of {} inodes are in use", usage.inodes_used, usage.inodes)
    } else {
        format!(
            "{} MiB of {} MiB are left",
            usage.available_bytes >> 20,
            usage.capacity_bytes >> 20
        )
    };
    if !usage.pod.is_empty() {
        text += &format!("; used by pod {}", usage.pod);
    }
    text
}

/// The oldest of the measurements in a row that were too high, and those measurements.
fn full_since(context: &Context<'_>, volume: &Volume) -> (Millis, Vec<Seq>) {
    let versions = context.back.histories.get(&volume.key()).into_iter().flatten();
    let full = versions.map_while(|version| match &version.value {
        Event::VolumeUsage(usage) if percent(usage) >= limit(context, usage) as f64 => {
            Some((usage.observed, version.seq))
        }
        _ => None,
    });
    let full: Vec<_> = full.collect();
    let since = full.last().map_or(volume.usage.observed, |(at, _)| *at);
    let mut records: Vec<Seq> = full.into_iter().map(|(_, seq)| seq).take(RECORDS_MAX).collect();
    if records.is_empty() {
        records.push(volume.seq);
    }
    (since, records)
}

/// Probes that fail.
pub(super) fn probes(context: &Context<'_>) -> Vec<Problem> {
    let limit = context.thresholds.probe_failing_seconds as f64 * 1000.0;
    let failing = context
        .state
        .probes
        .values()
        .filter(|probe| !probe.result.ok && context.now - probe.result.since >= limit);
    failing.map(|probe| probe_problem(context, probe)).collect()
}

fn probe_problem(context: &Context<'_>, probe: &Probe) -> Problem {
    let result = &probe.result;
    Problem {
        id: format!("{}/{}", Kind::ProbeFailing.as_str(), result.name),
        kind: Kind::ProbeFailing,
        severity: Severity::Critical,
        subject: Subject::Source(result.name.clone()),
        title: format!(
            "the probe {} fails: {} does not answer as it should",
            result.name, result.target
        ),
        detail: result.detail.clone(),
        advice: "Look whether what it names runs and can be reached from the recorder's pod".into(),
        since: result.since,
        records: vec![probe.body.seq],
        threshold: format!(
            "failing for {} s (probe_failing_seconds)",
            context.thresholds.probe_failing_seconds
        ),
        count: 1,
        objects: Vec::new(),
        last_seen: None,
    }
}
