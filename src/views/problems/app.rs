//! What an application suffers from: error lines that jump, and requests that hang or are slow.

use std::collections::BTreeMap;

use super::{Context, Kind, Problem, RECORDS_MAX, Severity, Subject};
use crate::{
    event::Millis,
    views::{
        OpenTrace,
        read::look_back::{EndedRequest, ErrorLines, MINUTES},
    },
};

/// Targets and paths that a detail names at most.
const NAMES_MAX: usize = 3;

/// A message in a detail is cut after so many bytes.
const MESSAGE_BYTES_MAX: usize = 160;

/// The counts of a minute, the last one first.
type Counts = [u64; MINUTES];

/// Sources whose error lines have jumped, over all or of one of their targets.
pub(super) fn errors(context: &Context<'_>) -> Vec<Problem> {
    let sources = context.back.errors.iter();
    sources.filter_map(|(source, targets)| error_problem(context, source, targets)).collect()
}

fn error_problem(
    context: &Context<'_>,
    source: &str,
    targets: &BTreeMap<String, ErrorLines>,
) -> Option<Problem> {
    let mut total = Counts::default();
    for lines in targets.values() {
        total.iter_mut().zip(&lines.counts).for_each(|(sum, count)| *sum += count);
    }
    let all = jump(context, &total);
    let jumped: Vec<Jump> =
        targets.values().filter_map(|lines| jump(context, &lines.counts)).collect();
    let minutes = all.iter().chain(&jumped).map(|jump| jump.minutes).max()?;
    let jump = all.as_ref().or(jumped.first())?;
    let since = targets.values().flat_map(|lines| &lines.firsts[..minutes]);
    let since = super::since_of(since.copied().filter(|at| *at > 0.0));
    let mut worst: Vec<(&String, &ErrorLines)> = targets.iter().collect();
    worst.sort_by_key(|(_, lines)| std::cmp::Reverse(lines.counts[0]));
    worst.truncate(NAMES_MAX);
    let mut records: Vec<_> =
        worst.iter().flat_map(|(_, lines)| lines.newest.iter().copied()).collect();
    records.sort_unstable_by(|a, b| b.cmp(a));
    records.truncate(RECORDS_MAX);
    let thresholds = context.thresholds;
    Some(Problem {
        id: format!("{}/{source}", Kind::ErrorRate.as_str()),
        kind: Kind::ErrorRate,
        severity: Severity::Critical,
        subject: Subject::Source(source.to_owned()),
        title: format!(
            "{source} logged {} errors in the last minute; {} is usual",
            total[0], jump.usual
        ),
        detail: error_detail(&worst),
        advice: "Read the error lines from where they begin; what changed just before is the \
                 likeliest cause"
            .into(),
        since,
        records,
        threshold: format!(
            "at least {} error lines in a minute (errors_per_minute) and {} times the usual number \
             (errors_factor), or {} (errors_per_minute_max)",
            thresholds.errors_per_minute,
            thresholds.errors_factor,
            thresholds.errors_per_minute_max
        ),
        count: 1,
        objects: Vec::new(),
        last_seen: context.last_seen(source),
    })
}

fn error_detail(worst: &[(&String, &ErrorLines)]) -> String {
    let named = worst.iter().filter(|(_, lines)| lines.counts[0] > 0);
    let parts: Vec<String> = named
        .map(|(target, lines)| {
            let end = lines.message.floor_char_boundary(MESSAGE_BYTES_MAX);
            format!("{} of {target}: {}", lines.counts[0], &lines.message[..end])
        })
        .collect();
    parts.join("; ")
}

/// A jump, and how many minutes it has lasted.
struct Jump {
    minutes: usize,
    usual: u64,
}

/// What is usual is what the quieter quarter of the minutes before had at most: a jump that goes on
/// must not soon become its own measure.
fn jump(context: &Context<'_>, counts: &Counts) -> Option<Jump> {
    let thresholds = context.thresholds;
    let known = &counts[..context.back.error_minutes.min(MINUTES)];
    let mut before: Vec<u64> = known.iter().skip(1).copied().collect();
    before.sort_unstable();
    let usual = before.get(before.len().saturating_sub(1) / 4).copied().unwrap_or(0);
    let is_jump = |count: u64| {
        let is_many = count >= thresholds.errors_per_minute
            && count >= usual.saturating_mul(thresholds.errors_factor);
        is_many || count >= thresholds.errors_per_minute_max
    };
    let minutes = known.iter().take_while(|count| is_jump(**count)).count();
    // The first minute of it may have begun in the midst of one.
    let is_part = known.get(minutes).is_some_and(|count| *count > usual);
    (minutes > 0).then_some(Jump { minutes: minutes + usize::from(is_part), usual })
}

/// Sources with requests that hang, or of which one in twenty is too slow.
pub(super) fn requests(context: &Context<'_>) -> Vec<Problem> {
    let limit = context.thresholds.request_open_seconds as f64 * 1000.0;
    let mut sources: BTreeMap<&str, (Vec<&OpenTrace>, Vec<&EndedRequest>)> = BTreeMap::new();
    for open in context.state.open_traces.values() {
        // A time after its own record is that of a wrong clock.
        let is_credible = open.started > 0.0 && open.started <= open.body.learned;
        if is_credible && context.now - open.started >= limit {
            sources.entry(&open.source).or_default().0.push(open);
        }
    }
    let from = context.now - context.thresholds.request_minutes as f64 * 60_000.0;
    for ended in context.back.requests.iter().filter(|ended| ended.learned >= from) {
        sources.entry(&ended.source).or_default().1.push(ended);
    }
    let found = sources.into_iter();
    found.filter_map(|(source, (open, ended))| slow(context, source, open, ended)).collect()
}

fn slow(
    context: &Context<'_>,
    source: &str,
    mut open: Vec<&OpenTrace>,
    ended: Vec<&EndedRequest>,
) -> Option<Problem> {
    let thresholds = context.thresholds;
    open.sort_by(|a, b| a.started.total_cmp(&b.started));
    let late = late(&ended, thresholds.request_p95_ms as f64, thresholds.requests_min);
    let since = open.iter().map(|one| one.started).chain(late.iter().map(|late| late.since));
    let since = since.reduce(Millis::min)?;
    let mut parts = Vec::new();
    if let Some(oldest) = open.first() {
        parts.push(format!(
            "{} requests are open for more than {} s, the oldest is {}",
            open.len(),
            thresholds.request_open_seconds,
            oldest.path
        ));
    }
    if let Some(late) = &late {
        parts.push(format!(
            "one of twenty ended requests took more than {:.1} s, the slowest {:.1} s ({})",
            late.p95 / 1000.0,
            late.slowest.duration / 1000.0,
            late.slowest.path
        ));
    }
    let open_seqs = open.iter().map(|one| one.body.seq);
    let mut records: Vec<_> =
        open_seqs.chain(late.iter().flat_map(|late| late.records.iter().copied())).collect();
    records.sort_unstable_by(|a, b| b.cmp(a));
    records.truncate(RECORDS_MAX);
    Some(Problem {
        id: format!("{}/{source}", Kind::SlowRequests.as_str()),
        kind: Kind::SlowRequests,
        severity: if open.is_empty() { Severity::Warning } else { Severity::Critical },
        subject: Subject::Source(source.to_owned()),
        title: if open.is_empty() {
            format!("requests to {source} are slow")
        } else {
            format!("requests to {source} hang")
        },
        detail: parts.join("; "),
        advice: "Open one of them: the section that takes long says what it waits for".into(),
        since,
        records,
        threshold: format!(
            "open for {} s (request_open_seconds), or of at least {} requests (requests_min) \
             within {} minutes (request_minutes) one in twenty above {} ms (request_p95_ms)",
            thresholds.request_open_seconds,
            thresholds.requests_min,
            thresholds.request_minutes,
            thresholds.request_p95_ms
        ),
        count: 1,
        objects: Vec::new(),
        last_seen: context.last_seen(source),
    })
}

/// Requests of which one in twenty was too slow.
struct Late<'a> {
    p95: Millis,
    slowest: &'a EndedRequest,
    since: Millis,
    records: Vec<u64>,
}

fn late<'a>(ended: &[&'a EndedRequest], limit: Millis, at_least: u64) -> Option<Late<'a>> {
    let mut by_duration = ended.to_vec();
    by_duration.sort_by(|a, b| a.duration.total_cmp(&b.duration));
    let p95 = by_duration.get(by_duration.len() * 95 / 100)?.duration;
    let slowest = *by_duration.last()?;
    if (ended.len() as u64) < at_least || p95 < limit {
        return None;
    }
    let slow = ended.iter().filter(|request| request.duration >= limit);
    let since = slow.clone().map(|request| request.learned - request.duration);
    Some(Late {
        p95,
        slowest,
        since: super::since_of(since),
        records: slow.map(|request| request.seq).take(RECORDS_MAX).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::{
        State,
        problems::{Thresholds, find},
        read::look_back::LookBack,
    };

    /// What is found where one target has these error lines, the last minute first.
    fn found(counts: &[u64], known: usize) -> Vec<Problem> {
        let mut lines = ErrorLines { newest: vec![7], ..ErrorLines::default() };
        lines.counts[..counts.len()].copy_from_slice(counts);
        for (minute, first) in lines.firsts.iter_mut().enumerate() {
            *first = 1e9 - minute as f64 * 60_000.0;
        }
        let targets = BTreeMap::from([("db".to_owned(), lines)]);
        let errors = BTreeMap::from([("app-server".to_owned(), targets)]);
        let back = LookBack { errors, error_minutes: known, ..LookBack::default() };
        find(&State::default(), &back, 1e9, &Thresholds::default()).problems
    }

    #[test]
    fn a_jump_needs_enough_lines_and_many_more_than_before() {
        assert_eq!(found(&[19], 15), []);
        assert_eq!(found(&[20; MINUTES], 15), [], "as many as ever");
        let few: Counts = std::array::from_fn(|minute| if minute == 0 { 30 } else { 7 });
        assert_eq!(found(&few, 15), []);
        let jump = found(&[30, 1, 2], 15);
        assert_eq!(
            (jump[0].id.as_str(), &jump[0].records[..]),
            ("error_rate/app-server", &[7][..])
        );
        assert_eq!(found(&[600; MINUTES], 15).len(), 1, "too many whatever was before");
    }

    #[test]
    fn a_jump_that_goes_on_is_not_its_own_measure() {
        let mut counts = Counts::default();
        counts[..10].fill(100);
        assert_eq!(found(&counts, 15)[0].since, 1e9 - 9.0 * 60_000.0);
    }

    #[test]
    fn minutes_that_are_not_known_are_no_quiet_ones() {
        assert_eq!(found(&[100, 100, 100], 3), []);
    }

    fn ended(durations: impl Iterator<Item = f64>) -> Vec<Problem> {
        let request = |duration| EndedRequest {
            seq: 1,
            source: "app-server".into(),
            path: "get".into(),
            duration,
            learned: 1e9,
        };
        let back = LookBack { requests: durations.map(request).collect(), ..LookBack::default() };
        find(&State::default(), &back, 1e9, &Thresholds::default()).problems
    }

    #[test]
    fn one_in_twenty_of_enough_requests_is_slow() {
        let some_slow =
            |all: u32, slow: u32| (0..all).map(move |n| if n < slow { 2_500.0 } else { 100.0 });
        assert_eq!(ended(some_slow(10, 10)), [], "too few to tell");
        assert_eq!(ended(some_slow(100, 4)), []);
        let slow = ended(some_slow(100, 6));
        assert_eq!((slow[0].kind, slow[0].since), (Kind::SlowRequests, 1e9 - 2_500.0));
    }
}
