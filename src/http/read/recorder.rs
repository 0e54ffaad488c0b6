//! What the recorder knows of itself: status, sources, actions.

use std::sync::Arc;

use super::{Call, all_sources, gaps, ok};
use crate::{
    event::ActionOutcome,
    http::{
        Surface,
        body::Response,
        convert,
        error::Error,
        moment::{self, Moment},
        openapi::{AtQuery, PageQuery},
        wire,
    },
    recorder::Snapshot,
    views::read::{self, Action, Recorded},
};

/// Mode, positions, how far the start has come, sources, and what does not work.
///
/// Answers while everything else is still starting.
#[utoipa::path(get, path = "/api/status", params(AtQuery),
    responses((status = 200, body = wire::Status)))]
pub(in crate::http) async fn status(surface: &Arc<Surface>, call: Call) -> Result<Response, Error> {
    let Some(at) = call.params.at()? else {
        return ok(&status_of(surface, &surface.desk.published.snapshot.load()));
    };
    moment::reader(&surface.desk.published)?;
    let asked = surface.clone();
    let answer = move || {
        let moment = asked.moments.get(&asked.desk.published, Some(at))?;
        ok(&status_of(&asked, &moment.snapshot))
    };
    surface.queries.run(answer).await?
}

fn status_of(surface: &Surface, snapshot: &Snapshot) -> wire::Status {
    let published = &surface.desk.published;
    let health = published.health.load();
    let sources = snapshot.state.sources.values();
    wire::Status {
        mode: surface.desk.mode,
        version: surface.desk.version.clone(),
        now: jiff::Timestamp::now().as_microsecond() as f64 / 1000.0,
        seq: snapshot.seq,
        journal: convert::journal(&published.positions.borrow()),
        replay: wire::ReplayStatus { done: health.replayed, applied: health.applied },
        sources: sources.map(|source| convert::source(source.state.clone())).collect(),
        degraded: health.degraded.clone(),
        unsaved: snapshot.unsaved.as_deref().map(|unsaved| wire::Unsaved {
            since: unsaved.since,
            reason: unsaved.reason.clone(),
            kept: unsaved.kept,
            dropped: unsaved.dropped,
        }),
    }
}

/// Every source, and the newest gaps.
#[utoipa::path(get, path = "/api/sources", params(PageQuery),
    responses((status = 200, body = wire::Sources)))]
pub(in crate::http) fn sources(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let gaps = gaps(moment, moment.window(&call.params)?)?;
    ok(&wire::Sources {
        seq: moment.seq(),
        sources: all_sources(moment),
        gaps: gaps.rows,
        next: gaps.next,
    })
}

/// What admins did and do, newest record first; before it what waits for the journal.
#[utoipa::path(get, path = "/api/actions", params(PageQuery),
    responses((status = 200, body = wire::Actions)))]
pub(in crate::http) fn actions(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let window = moment.window(&call.params)?;
    let page = read::actions(&moment.reader, &moment.snapshot.state, window)?;
    let is_newest = window.before > moment.seq();
    let waiting = if is_newest { unsaved_outcomes(moment) } else { Vec::new() };
    let recorded = page.rows.into_iter().map(|row| shown(moment, row));
    ok(&wire::Actions {
        seq: moment.seq(),
        next: page.next,
        actions: waiting.into_iter().chain(recorded).collect(),
    })
}

/// Outcomes that no history has yet, newest first.
fn unsaved_outcomes(moment: &Moment) -> Vec<wire::Action> {
    let unsaved = moment.snapshot.unsaved.as_ref();
    let outcomes = unsaved.map_or(&[][..], |unsaved| &unsaved.outcomes);
    let row = |outcome: &ActionOutcome| Recorded {
        seq: moment.seq(),
        learned: outcome.ended,
        value: Action::Ended(outcome.clone()),
    };
    let rows = outcomes.iter().rev().map(|outcome| convert::action(row(outcome)));
    rows.map(|row| wire::Action { saved: false, ..row }).collect()
}

fn shown(moment: &Moment, row: Recorded<Action>) -> wire::Action {
    let running = &moment.snapshot.state.running_actions;
    let saved = match &row.value {
        Action::Running(intent) => running.get(&intent.id).is_none_or(|one| one.is_saved),
        Action::Ended(_) => true,
    };
    wire::Action { saved, ..convert::action(row) }
}
