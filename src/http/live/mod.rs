//! The live feed: server-sent events, from the journal.
//!
//! The journal is the buffer. A feed is a cursor in it; it waits for the recorder's announcements,
//! scans what is new and sends it on. So a slow client costs no memory, and one that comes back
//! with the last number that it saw goes on there.

mod feed;

mod message;

mod rows;

use std::{ops::ControlFlow, sync::Arc};

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use tokio::sync::{Semaphore, mpsc};

use self::{
    feed::{Feed, Start},
    rows::Topics,
};
use super::{
    Surface,
    access::Caller,
    answer,
    body::{Body, Response},
    error::Error,
    moment,
    params::{Params, bad, seq_of},
    wire,
};
use crate::journal::{self, Positions, Range, Reader, Seq};

/// Messages that wait for the client; the journal is the real buffer.
const MESSAGES_AHEAD: usize = 2;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// nginx and its kin would otherwise hold messages back.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The live feed: server-sent events `hello`, `batch`, `durable`, `shed`, `reset`, `heartbeat`.
#[utoipa::path(get, path = "/api/live", params(
    ("topics" = Option<String>, Query, description = "Some of logs, requests, live-queries, \
        objects, events, sources, probes, volumes, actions, parted by commas; all when absent. Gaps are always \
        told."),
    ("after" = Option<u64>, Query, description = "Go on after this number; from now on when \
        absent. The header `Last-Event-ID` wins."),
), responses((status = 200, content_type = "text/event-stream", body = wire::LiveBatch)))]
pub(super) async fn live(
    surface: &Arc<Surface>,
    method: &Method,
    headers: &HeaderMap,
    params: &Params,
    caller: &Caller,
) -> Result<Response, Error> {
    if params.names_a_moment() {
        return Err(bad("at", "has no place here: the live feed has no past"));
    }
    let topics = Topics::parse(params.get("topics"))?;
    let after = after(headers, params)?;
    let reader = moment::reader(&surface.desk.published)?;
    let mut response = answer::empty(StatusCode::OK);
    let said = response.headers_mut();
    said.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    said.insert(NO_BUFFERING, HeaderValue::from_static("no"));
    if *method == Method::HEAD {
        return Ok(response);
    }
    let max = surface.desk.limits.feeds;
    let slot = Semaphore::try_acquire_owned(surface.feeds.clone());
    let slot = slot.map_err(|_| Error::TooMany { what: "live feeds", max })?;
    let start = start(surface, reader, after).await?;
    let (out, body) = mpsc::channel(MESSAGES_AHEAD);
    let feed = Feed::new(surface.clone(), topics, out);
    // A browser comes back by itself, and is then asked who it is.
    let holds = caller.session_time();
    tokio::spawn(async move {
        // Its end is the end of the session; nothing is lost with it.
        let _ = tokio::time::timeout(holds, feed.run(start)).await;
        drop(slot);
    });
    *response.body_mut() = Body::Stream(body);
    Ok(response)
}

/// Where the client wants to go on.
fn after(headers: &HeaderMap, params: &Params) -> Result<Option<Seq>, Error> {
    let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else {
        return params.seq("after");
    };
    let seq = id.to_str().ok().and_then(seq_of);
    seq.map(Some).ok_or_else(|| bad("Last-Event-ID", "must be a sequence number"))
}

/// Decides whether what the client knows is a beginning of what the journal holds.
async fn start(surface: &Surface, reader: Arc<Reader>, after: Option<Seq>) -> Result<Start, Error> {
    let behind_max = surface.desk.limits.feed_resume;
    let now = *surface.desk.published.positions.borrow();
    let Some(after) = after else {
        return Ok(Start { reader, now, cursor: now.last_seq, reset: None });
    };
    let checked = move || -> Result<Start, journal::Error> {
        let reset = mismatch(&reader, &now, after, behind_max)?;
        let cursor = if reset.is_some() { now.last_seq } else { after };
        Ok(Start { reader, now, cursor, reset })
    };
    Ok(surface.streams.run(checked).await??)
}

/// Why a client that knows everything up to `after` has to fetch again.
fn mismatch(
    reader: &Reader,
    now: &Positions,
    after: Seq,
    behind_max: u64,
) -> Result<Option<&'static str>, journal::Error> {
    Ok(if after > now.last_seq {
        Some("lost")
    } else if after + 1 < now.first_seq {
        Some("retired")
    } else if now.last_seq - after > behind_max {
        Some("too_far_behind")
    } else if after > 0 && !holds(reader, after)? {
        // Numbers leap over a tail that a crash may have lost, and go on over a wipe.
        Some(if after < now.first_seq { "retired" } else { "lost" })
    } else {
        None
    })
}

fn holds(reader: &Reader, seq: Seq) -> Result<bool, journal::Error> {
    let mut found = false;
    let range = Range { after: seq - 1, before: seq + 1, ..Range::ALL };
    reader.scan(range, &mut |_| {
        found = true;
        ControlFlow::Break(())
    })?;
    Ok(found)
}
