//! Raw bytes of the journal: one segment, or a backup of all of it, in ranges.

use std::{io, sync::Arc};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{
        ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
        HeaderValue,
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    Surface, answer,
    body::{Body, Response},
    error::Error,
    limits::{CHUNK_BYTES, CHUNKS_AHEAD, DOWNLOADS_MAX},
    params::{Params, bad},
    pool::Pool,
    range::{self, Wanted},
};
use crate::journal::{Download, Reader, Seq};

/// A request for bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
}

/// One segment's bytes as they are now; ranges.
#[utoipa::path(get, path = "/api/journal/segments/{name}",
    params(("name" = String, Path, description = "A name from `/api/journal`.")),
    responses((status = 200, content_type = "application/octet-stream", body = [u8])))]
pub(super) async fn segment(
    surface: &Surface,
    ask: Ask<'_>,
    name: &str,
) -> Result<Response, Error> {
    let reader = surface.journal()?;
    let name = name.to_owned();
    let found = surface.streams.run(move || reader.segment_file(&name)).await?;
    let download = found.ok_or_else(|| Error::NotFound { what: "this segment".into() })?;
    respond(surface, ask, download, "application/octet-stream")
}

/// The whole journal up to an event, as a tar; ranges. Without `to`, a redirect to the newest
/// durable event.
#[utoipa::path(get, path = "/api/journal/backup",
    params(("to" = Option<u64>, Query, description = "The last event in it.")),
    responses(
        (status = 200, content_type = "application/x-tar", body = [u8]),
        (status = 307, description = "To the same with `to`."),
    ))]
pub(super) async fn backup(
    surface: &Surface,
    ask: Ask<'_>,
    params: &Params,
) -> Result<Response, Error> {
    let reader = surface.journal()?;
    let Some(to) = params.seq("to")? else { return newest_backup(ask, &reader) };
    check_held(ask, &reader, to)?;
    let download = surface.streams.run(move || reader.backup(to)).await??;
    respond(surface, ask, download, "application/x-tar")
}

/// The part that a client has is of another `to`: put together, the two would be no backup.
fn newest_backup(ask: Ask<'_>, reader: &Reader) -> Result<Response, Error> {
    if range::is_bare(ask.headers) {
        let reason = "name the backup with `to`, or send If-Range";
        return Err(Error::Changed { reason });
    }
    let to = reader.positions().durable_seq;
    Ok(answer::redirect(StatusCode::TEMPORARY_REDIRECT, &format!("backup?to={to}")))
}

fn check_held(ask: Ask<'_>, reader: &Reader, to: Seq) -> Result<(), Error> {
    let held = reader.positions();
    if held.can_back_up(to) {
        return Ok(());
    }
    if range::is_bare(ask.headers) {
        return Err(Error::Changed { reason: "the journal no longer holds this backup's events" });
    }
    if to > held.durable_seq {
        return Err(bad(
            "to",
            &format!("lies after the newest durable event, {}", held.durable_seq),
        ));
    }
    Err(Error::Retired { first_seq: held.first_seq })
}

fn respond(
    surface: &Surface,
    ask: Ask<'_>,
    download: Download,
    content_type: &'static str,
) -> Result<Response, Error> {
    let etag = format!("\"{}\"", download.etag);
    let len = download.len;
    // A range means something in a GET alone.
    let wanted = match *ask.method {
        Method::GET => range::wanted(ask.headers, len, &etag)?,
        _ => Wanted::Whole,
    };
    let (status, first, end) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, len),
        Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last + 1),
    };
    let mut response = answer::empty(status);
    let disposition = format!("attachment; filename=\"{}\"", download.name);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - first));
    let mut said = vec![(ETAG, etag), (CONTENT_DISPOSITION, disposition)];
    if status == StatusCode::PARTIAL_CONTENT {
        said.push((CONTENT_RANGE, format!("bytes {first}-{}/{len}", end - 1)));
    }
    for (name, value) in said {
        let value = HeaderValue::try_from(value).map_err(|e| Error::Internal(e.into()))?;
        headers.insert(name, value);
    }
    if ask.method != Method::HEAD {
        *response.body_mut() = surface.stream(download, first, end)?;
    }
    Ok(response)
}

impl Surface {
    /// Reads ahead of the client by a few chunks, so that a slow one costs only these.
    fn stream(&self, download: Download, first: u64, end: u64) -> Result<Body, Error> {
        let slot = Semaphore::try_acquire_owned(self.downloads.clone());
        let slot = slot.map_err(|_| Error::TooMany { what: "downloads", max: DOWNLOADS_MAX })?;
        let (chunks, body) = mpsc::channel(CHUNKS_AHEAD);
        let sending = Sending { download: Arc::new(download), chunks, _slot: slot };
        tokio::spawn(sending.send(self.streams.clone(), first, end));
        Ok(Body::Stream(body))
    }
}

/// A download on its way to one client.
struct Sending {
    download: Arc<Download>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    _slot: OwnedSemaphorePermit,
}

impl Sending {
    async fn send(self, pool: Pool, mut at: u64, end: u64) {
        while at < end {
            let download = self.download.clone();
            let read = pool.run(move || chunk(&download, at, end)).await;
            let chunk = read.map_err(io::Error::other).flatten();
            match &chunk {
                Ok(bytes) => at += bytes.len() as u64,
                Err(error) => {
                    tracing::error!(%error, "reading {} at {at} failed", self.download.name);
                    at = end;
                }
            }
            // A client that has gone needs no more.
            if self.chunks.send(chunk).await.is_err() {
                return;
            }
        }
    }
}

/// The next chunk; never nothing. The reader thread has touched it: sending it makes no page wait.
fn chunk(download: &Download, at: u64, end: u64) -> io::Result<Bytes> {
    let wanted = (end - at).min(CHUNK_BYTES as u64) as usize;
    let bytes = Bytes::from_owner(download.chunk(at, wanted));
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}
