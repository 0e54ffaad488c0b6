//! What the recorder does not see: sources that are down, stretches that are missing, times without a
//! journal.

use std::collections::BTreeMap;

use super::{Context, Kind, OWN_NAME, Problem, RECORDS_MAX, Severity, Subject, since_of};
use crate::{
    event::{Degraded, Gap, Millis, State as Word},
    views::{Source, read::Recorded},
};

/// Names that a detail lists at most.
const NAMES_MAX: usize = 5;

/// Sources that are down, or cannot be reached at all, for too long. Those of one peer, which share
/// the word before the slash, are one problem.
pub(super) fn down(context: &Context<'_>) -> Vec<Problem> {
    let limit = context.thresholds.source_down_seconds as f64 * 1000.0;
    let mut peers: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    let sources = &context.state.sources;
    for source in sources.values() {
        let is_missing = matches!(source.state.state, Word::Down | Word::Connecting);
        if is_missing && context.now - source.state.since >= limit {
            peers.entry(peer_of(&source.state.name)).or_default().push(source);
        }
    }
    let all = |peer: &str| sources.keys().filter(|name| peer_of(name) == peer).count();
    peers.iter().map(|(peer, down)| down_problem(context, peer, down, all(peer))).collect()
}

fn peer_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

fn down_problem(context: &Context<'_>, peer: &str, down: &[&Source], all: usize) -> Problem {
    let mut records: Vec<_> = down.iter().map(|source| source.seq).collect();
    records.sort_unstable_by(|a, b| b.cmp(a));
    records.truncate(RECORDS_MAX);
    let (name, title) = match down {
        [one] => (one.state.name.as_str(), format!("{} is not observed", one.state.name)),
        _ => (peer, format!("{} of {all} sources of {peer} are not observed", down.len())),
    };
    Problem {
        id: format!("{}/{peer}", Kind::SourceDown.as_str()),
        kind: Kind::SourceDown,
        severity: if down.len() == all { Severity::Critical } else { Severity::Warning },
        subject: Subject::Source(name.to_owned()),
        title,
        detail: reasons(down),
        advice: "Until it is back, what is shown of it is as it was last seen; the reason says \
                 what to do"
            .into(),
        since: since_of(down.iter().map(|source| source.state.since)),
        records,
        threshold: format!(
            "not observed for {} s (source_down_seconds)",
            context.thresholds.source_down_seconds
        ),
        count: down.len() as u64,
        objects: Vec::new(),
        last_seen: None,
    }
}

/// The names, and each reason once.
fn reasons(down: &[&Source]) -> String {
    let mut parts: Vec<String> = Vec::new();
    if down.len() > 1 {
        let names = down.iter().take(NAMES_MAX).map(|source| source.state.name.as_str());
        let more = if down.len() > NAMES_MAX { ", ..." } else { "" };
        parts.push(format!("{}{more}", names.collect::<Vec<_>>().join(", ")));
    }
    for source in down.iter().take(NAMES_MAX) {
        let reason = &source.state.reason;
        if !reason.is_empty() && !parts.contains(reason) {
            parts.push(reason.clone());
        }
    }
    parts.join(": ")
}

/// Stretches that were not observed, and dropped records; those of one source are one problem.
pub(super) fn missing(context: &Context<'_>) -> Vec<Problem> {
    let limit = context.thresholds.gap_seconds as f64 * 1000.0;
    let mut sources: BTreeMap<&str, Vec<&Recorded<Gap>>> = BTreeMap::new();
    for gap in &context.back.gaps {
        let is_lost = gap.value.dropped.is_some_and(|dropped| dropped > 0);
        if is_lost || gap.value.to - gap.value.from >= limit {
            sources.entry(&gap.value.source).or_default().push(gap);
        }
    }
    sources.iter().map(|(source, gaps)| gap_problem(context, source, gaps)).collect()
}

fn gap_problem(context: &Context<'_>, source: &str, gaps: &[&Recorded<Gap>]) -> Problem {
    let dropped: u64 = gaps.iter().filter_map(|gap| gap.value.dropped).sum();
    let seconds: f64 = gaps.iter().map(|gap| (gap.value.to - gap.value.from) / 1000.0).sum();
    let title = if dropped > 0 {
        format!("{dropped} records of {source} are missing")
    } else {
        format!("{source} was not observed for {seconds:.0} s")
    };
    Problem {
        id: format!("{}/{source}", Kind::RecordsMissing.as_str()),
        kind: Kind::RecordsMissing,
        severity: Severity::Warning,
        subject: Subject::Source(source.to_owned()),
        title,
        detail: gaps.first().map_or_else(String::new, |gap| gap.value.reason.clone()),
        advice: "What happened meanwhile is not in the journal; the reason says what to do".into(),
        since: since_of(gaps.iter().map(|gap| gap.value.from)),
        records: gaps.iter().map(|gap| gap.seq).take(RECORDS_MAX).collect(),
        threshold: format!(
            "a gap of the last 15 minutes with dropped records, or of {} s (gap_seconds)",
            context.thresholds.gap_seconds
        ),
        count: 1,
        objects: Vec::new(),
        last_seen: None,
    }
}

/// The journal took no records for a while.
pub(super) fn degraded(context: &Context<'_>) -> Option<Problem> {
    let times = &context.back.degraded;
    let newest: &Degraded = &times.first()?.value;
    let dropped: u64 = times.iter().map(|time| time.value.dropped).sum();
    let seconds: f64 = times.iter().map(|time| (time.value.to - time.value.from) / 1000.0).sum();
    Some(Problem {
        id: format!("{}/past", Kind::JournalDegraded.as_str()),
        kind: Kind::JournalDegraded,
        severity: Severity::Warning,
        subject: Subject::Source(OWN_NAME.into()),
        title: format!(
            "the journal took no records for {seconds:.0} s; {dropped} records are missing"
        ),
        detail: newest.reason.clone(),
        advice: "It takes records again; the Journal page says how full the volume is".into(),
        since: since_of(times.iter().map(|time| time.value.from)),
        records: times.iter().map(|time| time.seq).take(RECORDS_MAX).collect(),
        threshold: "any such time of the last 15 minutes".into(),
        count: 1,
        objects: Vec::new(),
        last_seen: None,
    })
}

/// The journal takes no records now: what only the running process knows, as no record can tell it.
pub fn not_recording(since: Millis, reason: &str, kept: u64, dropped: u64) -> Problem {
    Problem {
        id: format!("{}/now", Kind::JournalDegraded.as_str()),
        kind: Kind::JournalDegraded,
        severity: Severity::Critical,
        subject: Subject::Source(OWN_NAME.into()),
        title: "the journal takes no records now".into(),
        detail: format!("{reason}; {kept} records wait in memory, {dropped} are lost"),
        advice: "The Journal page says what to do; a wipe works on a full volume as well".into(),
        since,
        records: Vec::new(),
        threshold: "at once".into(),
        count: 1,
        objects: Vec::new(),
        last_seen: None,
    }
}
