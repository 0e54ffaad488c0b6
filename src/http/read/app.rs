//! What the application tells: log lines, requests, live queries; and what probes found.

use std::time::Instant;

use super::{Call, found, gaps, ok};
use crate::{
    event::{Event, Key, Trace, TraceEnd, kind},
    http::{
        body::Response,
        convert,
        error::Error,
        limits::{LIST_TIME, REQUESTS_DEFAULT, ROWS_DEFAULT},
        moment::Moment,
        openapi::{AtQuery, PageQuery},
        wire,
    },
    views::{
        self, Body,
        read::{self, LogFilter, Page, Recorded, Window},
    },
};

/// Log lines, newest first.
#[utoipa::path(get, path = "/api/logs", params(
    PageQuery,
    ("level" = Option<String>, Query, description = "This level or worse."),
    ("q" = Option<String>, Query, description = "A substring of the message, in any case."),
), responses((status = 200, body = wire::Logs)))]
pub(in crate::http) fn logs(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let filter = LogFilter { level: call.params.level()?, text: call.params.search("q")? };
    let window = moment.window(&call.params)?;
    let mut page = read::logs(&moment.reader, window, &filter)?;
    let mut gaps = gaps(moment, covered_by(window, &page))?;
    // A page shows no lines from a time whose gaps it does not show.
    page.next = page.next.max(gaps.next);
    page.rows.retain(|row| page.next.is_none_or(|next| row.seq >= next));
    gaps.rows.retain(|gap| is_of_logs(&gap.source));
    ok(&wire::Logs {
        seq: moment.seq(),
        next: page.next,
        entries: page.rows.into_iter().map(convert::log).collect(),
        gaps: gaps.rows,
    })
}

/// The numbers that a page went through to find its rows.
fn covered_by<T>(window: Window, page: &Page<T>) -> Window {
    let after = page.next.map_or(window.after, |next| next - 1);
    let until = Some(Instant::now() + LIST_TIME);
    Window { limit: ROWS_DEFAULT, after, until, ..window }
}

/// The watches of the cluster bring no log lines; every other source may.
fn is_of_logs(source: &str) -> bool {
    !source.starts_with("cluster/")
}

/// Requests, open and ended, newest record first.
#[utoipa::path(get, path = "/api/requests", params(PageQuery),
    responses((status = 200, body = wire::Requests)))]
pub(in crate::http) fn requests(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let limit = call.params.limit_or(REQUESTS_DEFAULT)?;
    let window = Window { limit, ..moment.window(&call.params)? };
    let page = read::requests(&moment.reader, &moment.snapshot.state, window)?;
    ok(&wire::Requests {
        seq: moment.seq(),
        next: page.next,
        requests: page.rows.into_iter().map(|row| shown(moment, row)).collect(),
    })
}

fn shown(moment: &Moment, row: Recorded<Trace>) -> wire::Request {
    let key = Key::trace(&row.value.source, &row.value.id);
    let open = moment.snapshot.state.open_traces.get(&key);
    let saved = row.value.end != TraceEnd::Open || open.is_none_or(|open| open.body.is_saved());
    wire::Request { saved, ..convert::request(row) }
}

/// One request, as a list of one.
#[utoipa::path(get, path = "/api/requests/{id}",
    params(("id" = String, Path, description = "The id that the application gave."), AtQuery),
    responses((status = 200, body = wire::Requests)))]
pub(in crate::http) fn request(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let state = &moment.snapshot.state;
    let newest = read::request(&moment.reader, state, call.place(), moment.lookup())?;
    let row = shown(moment, found(newest, "this request")?);
    ok(&wire::Requests { seq: moment.seq(), requests: vec![row], next: None })
}

/// Live queries, by table and filter.
#[utoipa::path(get, path = "/api/live-queries", params(AtQuery),
    responses((status = 200, body = wire::LiveQueries)))]
pub(in crate::http) fn live_queries(moment: &Moment, _: &Call) -> Result<Response, Error> {
    let state = &moment.snapshot.state;
    let mut known: Vec<&views::LiveQuery> = state.live_queries.values().collect();
    known.sort_by_key(|query| (&query.table_name, &query.filter));
    let live_queries = known.into_iter().filter_map(|query| {
        let Event::LiveQuery(value) = query.body.event(kind::LIVE_QUERY)? else { return None };
        let row = Recorded { seq: query.body.seq, learned: query.body.learned, value };
        let saved = query.body.is_saved();
        Some(wire::LiveQuery { saved, ..convert::live_query(row, state.is_observed(query)) })
    });
    ok(&wire::LiveQueries { seq: moment.seq(), live_queries: live_queries.collect() })
}

/// Probes, by name.
#[utoipa::path(get, path = "/api/probes", params(AtQuery),
    responses((status = 200, body = wire::Probes)))]
pub(in crate::http) fn probes(moment: &Moment, _: &Call) -> Result<Response, Error> {
    let mut known: Vec<&views::Probe> = moment.snapshot.state.probes.values().collect();
    known.sort_by_key(|probe| &probe.result.name);
    let probes = known.into_iter().map(|probe| {
        let Body { seq, learned, .. } = probe.body;
        let row = Recorded { seq, learned, value: probe.result.clone() };
        wire::Probe { saved: probe.body.is_saved(), ..convert::probe(row) }
    });
    ok(&wire::Probes { seq: moment.seq(), probes: probes.collect() })
}
