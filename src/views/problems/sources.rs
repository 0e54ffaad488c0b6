//! Sources that are not observed: what is shown of them is as it was last seen.

use std::collections::BTreeMap;

use super::{Kind, Problem, Severity, Subject, Thresholds};
use crate::{
    event::{self, Millis},
    views::{Source, State},
};

/// Names that a detail lists at most.
const NAMES_MAX: usize = 5;

/// Sources that are down, or cannot be reached at all, for too long. Those of one peer, which share
/// the word before the slash, are one problem.
pub(super) fn down(state: &State, now: Millis, thresholds: &Thresholds) -> Vec<Problem> {
    let limit = thresholds.source_down_seconds as f64 * 1000.0;
    let mut peers: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in state.sources.values() {
        let is_missing = matches!(source.state.state, event::State::Down)
            || source.state.state == event::State::Connecting;
        if is_missing && now - source.state.since >= limit {
            peers.entry(peer_of(&source.state.name)).or_default().push(source);
        }
    }
    let all = |peer: &str| state.sources.keys().filter(|name| peer_of(name) == peer).count();
    peers.iter().map(|(peer, sources)| problem(peer, sources, all(peer), thresholds)).collect()
}

fn peer_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

fn problem(peer: &str, down: &[&Source], all: usize, thresholds: &Thresholds) -> Problem {
    let first = down.iter().min_by(|a, b| a.state.since.total_cmp(&b.state.since));
    let first = first.map_or(0.0, |source| source.state.since);
    let mut records: Vec<_> = down.iter().map(|source| source.seq).collect();
    records.sort_unstable_by(|a, b| b.cmp(a));
    records.truncate(super::RECORDS_MAX);
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
        since: first,
        records,
        threshold: format!(
            "not observed for {} s (source_down_seconds)",
            thresholds.source_down_seconds
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
