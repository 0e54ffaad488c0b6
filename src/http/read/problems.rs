//! What is wrong: computed for a moment, and for the present at most once a snapshot and some times
//! a second, however many ask.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use super::{Call, ok};
use crate::{
    event::{self, Millis, ObjectRef},
    http::{
        Surface,
        body::Response,
        error::Error,
        moment::{self, Moment},
        openapi::AtQuery,
        wire::{self, Mode},
    },
    recorder::{self, Snapshot},
    views::{
        problems::{self, Kind, Problem, Severity, Subject},
        read::{self, look_back},
    },
};

/// A list of the present is as good as new for so long, if nothing was recorded since: what lasts
/// too long becomes a problem without a record.
const FRESH: Duration = Duration::from_secs(1);

/// Between two computations for those who ask for the present: at 20 ms each they take a tenth of a
/// core at most.
const PACE: Duration = Duration::from_millis(200);

/// The list of the present that was computed last.
#[derive(Debug, Default)]
pub(in crate::http) struct Board {
    kept: Mutex<Option<Kept>>,
    /// Whoever holds it computes; when that was done last.
    turn: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Kept {
    /// Holds no file of the journal.
    of: Weak<Snapshot>,
    computed: Instant,
    list: Arc<wire::Problems>,
}

impl Board {
    fn fresh(&self, snapshot: &Arc<Snapshot>) -> Option<Arc<wire::Problems>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| kept.computed.elapsed() < FRESH)?;
        (kept.of.as_ptr() == Arc::as_ptr(snapshot)).then(|| Arc::clone(&kept.list))
    }

    fn keep(&self, snapshot: &Arc<Snapshot>, list: &Arc<wire::Problems>) {
        let kept =
            Kept { of: Arc::downgrade(snapshot), computed: Instant::now(), list: Arc::clone(list) };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}

/// What is wrong, the worst first, at any moment.
#[utoipa::path(get, path = "/api/problems", params(AtQuery),
    responses((status = 200, body = wire::Problems)))]
pub(in crate::http) async fn problems(
    surface: &Arc<Surface>,
    call: Call,
) -> Result<Response, Error> {
    let at = call.params.at()?;
    moment::reader(&surface.desk.published)?;
    let asked = surface.clone();
    if at.is_some() {
        let answer = move || {
            let moment = asked.moments.get(&asked.desk.published, at)?;
            ok(&of_past(&asked, &moment)?)
        };
        return surface.queries.run(answer).await?;
    }
    let mut last = surface.board.turn.lock().await;
    if let Some(list) = surface.board.fresh(&surface.desk.published.snapshot.load()) {
        return ok(&*list);
    }
    if let Some(last) = *last {
        tokio::time::sleep_until((last + PACE).into()).await;
    }
    let answer = move || {
        let moment = asked.moments.get(&asked.desk.published, None)?;
        ok(&*of_present(&asked, &moment)?)
    };
    let answered = surface.queries.run(answer).await?;
    *last = Some(Instant::now());
    answered
}

/// The list for a page that shows it among others.
pub(super) fn shown(
    surface: &Surface,
    moment: &Moment,
    call: &Call,
) -> Result<Arc<wire::Problems>, Error> {
    match call.params.at()? {
        Some(_) => of_past(surface, moment).map(Arc::new),
        None => of_present(surface, moment),
    }
}

fn of_present(surface: &Surface, moment: &Moment) -> Result<Arc<wire::Problems>, Error> {
    if let Some(list) = surface.board.fresh(&moment.snapshot) {
        return Ok(list);
    }
    let list = match surface.desk.mode {
        Mode::Replay => of_past(surface, moment)?,
        Mode::Live | Mode::Demo => of(surface, moment, event::now(), wire::ProblemClock::Wall)?,
    };
    let list = Arc::new(list);
    surface.board.keep(&moment.snapshot, &list);
    Ok(list)
}

fn of_past(surface: &Surface, moment: &Moment) -> Result<wire::Problems, Error> {
    let now = read::learned_at(&moment.reader, moment.seq())?.unwrap_or_default();
    of(surface, moment, now, wire::ProblemClock::Record)
}

fn of(
    surface: &Surface,
    moment: &Moment,
    now: Millis,
    clock: wire::ProblemClock,
) -> Result<wire::Problems, Error> {
    let (state, thresholds) = (&moment.snapshot.state, &surface.desk.thresholds);
    let suspects = problems::suspects(state, now, thresholds);
    let back = look_back::look_back(&moment.reader, moment.seq(), now, &suspects)?;
    let mut found = problems::find(state, &back, now, thresholds);
    if let Some(unsaved) = &moment.snapshot.unsaved
        && thresholds.names(Kind::JournalDegraded)
    {
        let recorder::Unsaved { since, reason, kept, dropped, .. } = &**unsaved;
        found = found.and(problems::not_recording(*since, reason, *kept, *dropped));
    }
    Ok(wire::Problems {
        seq: moment.seq(),
        problems: found.problems.into_iter().map(problem).collect(),
        left_out: found.left_out,
        now,
        clock,
        looked_back_to: back.looked_back_to,
    })
}

fn problem(problem: Problem) -> wire::Problem {
    wire::Problem {
        id: problem.id,
        kind: kind(problem.kind),
        severity: match problem.severity {
            Severity::Critical => wire::Severity::Critical,
            Severity::Warning => wire::Severity::Warning,
        },
        subject: match problem.subject {
            Subject::Object(object) => wire::ProblemSubject::Object(name(object)),
            Subject::Source(source) => wire::ProblemSubject::Source { source },
        },
        title: problem.title,
        detail: problem.detail,
        advice: problem.advice,
        since: problem.since,
        records: problem.records,
        threshold: problem.threshold,
        count: problem.count,
        objects: problem.objects.into_iter().map(name).collect(),
        last_seen: problem.last_seen,
    }
}

fn name(object: ObjectRef) -> wire::ObjectName {
    let ObjectRef { kind, namespace, name, uid, .. } = object;
    wire::ObjectName { kind, namespace, name, uid }
}

fn kind(kind: Kind) -> wire::ProblemKind {
    match kind {
        Kind::CrashLoop => wire::ProblemKind::CrashLoop,
        Kind::OomKilled => wire::ProblemKind::OomKilled,
        Kind::Pending => wire::ProblemKind::Pending,
        Kind::ImagePull => wire::ProblemKind::ImagePull,
        Kind::NodeNotReady => wire::ProblemKind::NodeNotReady,
        Kind::ReplicasMissing => wire::ProblemKind::ReplicasMissing,
        Kind::JobFailed => wire::ProblemKind::JobFailed,
        Kind::VolumeFilling => wire::ProblemKind::VolumeFilling,
        Kind::ErrorRate => wire::ProblemKind::ErrorRate,
        Kind::SlowRequests => wire::ProblemKind::SlowRequests,
        Kind::SourceDown => wire::ProblemKind::SourceDown,
        Kind::RecordsMissing => wire::ProblemKind::RecordsMissing,
        Kind::JournalDegraded => wire::ProblemKind::JournalDegraded,
        Kind::ProbeFailing => wire::ProblemKind::ProbeFailing,
    }
}
