//! What the recorder knows of itself: status and sources.

use std::sync::Arc;

use super::{Call, all_sources, gaps, ok};
use crate::{
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
