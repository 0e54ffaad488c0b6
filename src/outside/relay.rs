//! One request to a tool and its answer, streamed: bounded in number, time and bytes.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, LOCATION},
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, watch},
    time::timeout,
};

use super::{Escapes, Health, Limits, Reached, headers};
use crate::peer;

/// Chunks that are ready before the browser takes them.
const CHUNKS_AHEAD: usize = 4;

/// A tool that was down when it was last asked how it is gets so long, and not the time of a query.
const DOWN_TIME_MAX: Duration = Duration::from_secs(10);

/// What a tool is asked.
#[derive(Debug)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The path within the tool, as it was sent: it begins with a slash.
    pub path: String,
    /// The query, as it was sent.
    pub query: Option<String>,
    /// The browser's headers; what a tool may not see is left out.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What a tool answers.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Those of its headers that pass.
    pub headers: HeaderMap,
    /// Its content security policies, without what they say about frames.
    pub policies: Vec<HeaderValue>,
    /// Where it redirects to: a path within the tool.
    pub place: Option<String>,
    /// Its body; an error where it ends before its end.
    pub body: mpsc::Receiver<io::Result<Bytes>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The path was not sent.
    #[error(transparent)]
    Escapes(#[from] Escapes),
    /// The bound on requests at once is reached.
    #[error("{0} requests to this tool are running already; try again when one has ended")]
    Busy(usize),
    /// It cannot be reached, hangs, or answers what is no HTTP.
    #[error("{0}")]
    Down(String),
    /// It sent the browser to a place that is not its own.
    #[error("it answered with a redirect that leads out of it, which is not followed")]
    LedAway,
}

/// Asks a tool.
pub(super) async fn relay(to: &Reached, limits: &Limits, ask: Ask) -> Result<Answer, Failure> {
    let url = to.config.url.below(&ask.path, ask.query.as_deref())?;
    let slot = Arc::clone(&to.slots).try_acquire_owned();
    let slot = slot.map_err(|_| Failure::Busy(limits.at_once))?;
    let request = to.client.request(ask.method, url.clone());
    let request = request.headers(headers::asked(&ask.headers)).body(ask.body);
    let sent = request.send();
    let mut health = to.health.clone();
    let was_down = health.borrow_and_update().up == Some(false);
    let time = if was_down { DOWN_TIME_MAX.min(limits.first_byte) } else { limits.first_byte };
    let answered = tokio::select! {
        answered = timeout(time, sent) => match answered {
            Ok(answered) => answered.map_err(|error| peer::explain(&error)),
            Err(_) => Err(format!("it did not begin to answer within {} s", time.as_secs_f64())),
        },
        reason = turned_down(health) => Err(reason),
    };
    let response = answered.map_err(|reason| {
        // How it is now may be another thing than what the last question found.
        to.ask_now.notify_one();
        Failure::Down(reason)
    })?;
    answer(to, limits, &url, response, slot)
}

/// Resolves when a tool that was well, or not asked yet, is found to be down.
async fn turned_down(mut health: watch::Receiver<Health>) -> String {
    while health.changed().await.is_ok() {
        let now = health.borrow_and_update();
        if now.up == Some(false) {
            return now.reason.clone();
        }
    }
    std::future::pending().await
}

fn answer(
    to: &Reached,
    limits: &Limits,
    url: &Url,
    response: reqwest::Response,
    slot: OwnedSemaphorePermit,
) -> Result<Answer, Failure> {
    let from = response.headers();
    if response.status().is_informational() {
        return Err(Failure::Down(format!("it answered {}", response.status())));
    }
    let place = place(to, url, from)?;
    let answer_headers = headers::answered(from);
    let policies = from.get_all(CONTENT_SECURITY_POLICY).iter();
    let policies = policies.filter_map(|policy| {
        let kept = headers::policy_within_a_frame(policy.to_str().ok()?)?;
        HeaderValue::try_from(kept).ok()
    });
    let (policies, status) = (policies.collect(), response.status());
    let (chunks, body) = mpsc::channel(CHUNKS_AHEAD);
    tokio::spawn(pump(response, chunks, limits.clone(), slot));
    Ok(Answer { status, headers: answer_headers, policies, place, body })
}

/// Where a redirect leads, as a path within the tool.
fn place(to: &Reached, url: &Url, from: &HeaderMap) -> Result<Option<String>, Failure> {
    const REFRESH: HeaderName = HeaderName::from_static("refresh");
    if from.contains_key(REFRESH) {
        return Err(Failure::LedAway);
    }
    let Some(place) = from.get(LOCATION) else { return Ok(None) };
    let place = place.to_str().map_err(|_| Failure::LedAway)?;
    let place = to.config.url.inside(url, place).map_err(|_| Failure::LedAway)?;
    Ok(Some(to.config.inside(&place).to_owned()))
}

/// Passes a body on. A browser that has gone ends it, and the connection to the tool with it.
async fn pump(
    mut response: reqwest::Response,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    limits: Limits,
    slot: OwnedSemaphorePermit,
) {
    let mut bytes = 0;
    loop {
        let next = match timeout(limits.still, response.chunk()).await {
            Ok(Ok(None)) => break,
            Ok(Ok(Some(chunk))) => {
                bytes += chunk.len() as u64;
                if bytes <= limits.answer_bytes { Ok(chunk) } else { Err("it is too large".into()) }
            }
            Ok(Err(error)) => Err(peer::explain(&error)),
            Err(_) => Err("it stood still for too long".into()),
        };
        let next = next.map_err(|why: String| io::Error::other(why));
        let is_last = next.is_err();
        // A browser that takes nothing is cut off by the stall time of its connection.
        if chunks.send(next).await.is_err() || is_last {
            break;
        }
    }
    drop(slot);
}
