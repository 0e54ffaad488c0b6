//! The first page: what is wrong now, before everything else.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Call, all_sources, gaps, ok, problems};
use crate::{
    event::Level,
    http::{
        Surface, body::Response, convert, error::Error, moment::Moment, openapi::AtQuery, wire,
    },
    journal::Seq,
    views::{
        Object, State,
        read::{self, ClusterEventFilter, LogFilter, Page},
    },
};

const UNHEALTHY_MAX: usize = 100;
const WARNINGS_MAX: usize = 20;
const ERRORS_MAX: usize = 20;
const ACTIONS_MAX: usize = 5;
const GAPS_MAX: usize = 5;

/// What is wrong, what was done, and how much there is of everything.
#[utoipa::path(get, path = "/api/overview", params(AtQuery),
    responses((status = 200, body = wire::Overview)))]
pub(in crate::http) fn overview(
    surface: &Surface,
    moment: &Moment,
    call: &Call,
) -> Result<Response, Error> {
    let problems = problems::shown(surface, moment, call)?;
    let state = &moment.snapshot.state;
    let warnings =
        ClusterEventFilter { event_type: Some("Warning".into()), ..ClusterEventFilter::default() };
    let warnings = read::cluster_events(&moment.reader, moment.newest(WARNINGS_MAX), &warnings)?;
    let errors = LogFilter { level: Some(Level::Error), text: None };
    let errors = read::logs(&moment.reader, moment.newest(ERRORS_MAX), &errors)?;
    let actions = read::actions(&moment.reader, state, moment.newest(ACTIONS_MAX))?;
    let gaps = gaps(moment, moment.newest(GAPS_MAX))?;
    let unfinished = [
        unfinished(&warnings, WARNINGS_MAX),
        unfinished(&errors, ERRORS_MAX),
        unfinished(&actions, ACTIONS_MAX),
        unfinished(&gaps, GAPS_MAX),
    ];
    ok(&wire::Overview {
        seq: moment.seq(),
        problems: problems.problems.clone(),
        sources: all_sources(moment),
        kinds: kinds(state),
        unhealthy: unhealthy(state),
        warnings: warnings.rows.into_iter().map(convert::cluster_event).collect(),
        errors: errors.rows.into_iter().map(convert::log).collect(),
        actions: actions.rows.into_iter().map(convert::action).collect(),
        gaps: gaps.rows,
        looked_back_to: unfinished.into_iter().flatten().max(),
        live_queries: state.live_queries.len() as u64,
        open_requests: state.open_traces.len() as u64,
    })
}

/// Where a list ends that is not full and might have more.
fn unfinished<T>(page: &Page<T>, limit: usize) -> Option<Seq> {
    page.next.filter(|_| page.rows.len() < limit)
}

fn kinds(state: &State) -> Vec<wire::KindCount> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in state.objects.values() {
        let (total, unhealthy) = counts.entry(&row.object.kind).or_default();
        *total += 1;
        *unhealthy += u64::from(!row.healthy);
    }
    let rows = counts.into_iter().map(|(kind, (total, unhealthy))| wire::KindCount {
        kind: kind.to_owned(),
        total,
        unhealthy,
    });
    rows.collect()
}

fn unhealthy(state: &State) -> Vec<wire::ObjectRow> {
    let mut rows: Vec<&Object> = state.objects.values().filter(|row| !row.healthy).collect();
    rows.sort_by_key(|row| Reverse(row.body.seq));
    rows.into_iter().take(UNHEALTHY_MAX).map(convert::object).collect()
}
