//! What the server has, and its bytes. Tries again where it may help, a bounded number of times.
//!
//! Bytes of a segment never change once they are written, and its name holds a random number that
//! no other has. So a part that is here already stays good however the segment has grown, and needs
//! no entity tag to go on from.

use std::{io, time::Duration};

use hyper::{
    Response, StatusCode,
    body::Incoming,
    header::{CONTENT_RANGE, LOCATION},
};
use serde::Deserialize;

use super::{
    Error,
    client::{self, Client},
    folder::Part,
};

/// The pause before the second attempt; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// What is recorded becomes durable within a tenth of a second; so often that is waited for.
const SETTLE_TIMES: u32 = 50;
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// A list of a million segments; and no error text is longer.
const TEXT_BYTES_MAX: usize = 256 << 20;

/// The server, asked with patience.
pub struct Server {
    client: Client,
    attempts_max: u32,
}

/// What the server has.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "JournalJson")]
pub struct Listing {
    /// The journal's id.
    pub id: String,
    pub epoch: u64,
    /// The oldest event.
    pub first_seq: u64,
    last_seq: u64,
    durable_seq: u64,
    /// Oldest first.
    pub segments: Vec<Segment>,
}

/// One segment of the server.
#[derive(Debug, Clone, Deserialize)]
pub struct Segment {
    pub name: String,
    /// Recorded bytes.
    pub bytes: u64,
}

#[derive(Deserialize)]
struct JournalJson {
    journal: PositionsJson,
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
struct PositionsJson {
    id: String,
    epoch: u64,
    first_seq: u64,
    last_seq: u64,
    durable_seq: u64,
}

impl From<JournalJson> for Listing {
    fn from(json: JournalJson) -> Listing {
        let PositionsJson { id, epoch, first_seq, last_seq, durable_seq } = json.journal;
        Listing { id, epoch, first_seq, last_seq, durable_seq, segments: json.segments }
    }
}

/// How one attempt went wrong.
enum Failed {
    /// Another attempt may go better.
    ForNow(io::Error),
    /// It will not.
    ForGood(Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::ForNow(error)
    }
}

/// Attempts in a row that brought nothing.
struct Patience {
    failures: u32,
    max: u32,
}

impl Patience {
    /// Waits before the next attempt.
    async fn wait(&mut self, url: String, failed: Failed) -> Result<(), Error> {
        let source = match failed {
            Failed::ForNow(source) => source,
            Failed::ForGood(error) => return Err(error),
        };
        self.failures += 1;
        if self.failures >= self.max {
            return Err(Error::Unreachable { url, source });
        }
        eprintln!("{url}: {source}; trying again");
        let doubled = PAUSE_MIN.saturating_mul(1 << (self.failures - 1).min(16));
        tokio::time::sleep(doubled.min(PAUSE_MAX)).await;
        Ok(())
    }
}

impl Server {
    /// Gives up after so many attempts in a row that brought nothing.
    pub fn new(client: Client, attempts_max: u32) -> Server {
        Server { client, attempts_max }
    }

    /// What the server has, once all of that survives a power cut there: what it may lose yet is
    /// no part of a backup.
    pub async fn settled(&self) -> Result<Listing, Error> {
        let listing = self.listing().await?;
        if listing.segments.is_empty() {
            return Err(Error::NothingRecorded);
        }
        // Asked for later, so that it covers every byte of the list.
        let mut later = self.listing().await?;
        let wanted = later.last_seq;
        for _ in 0..SETTLE_TIMES {
            if later.durable_seq >= wanted {
                return Ok(listing);
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
            later = self.listing().await?;
        }
        eprintln!(
            "the server cannot make its newest events durable; they are fetched all the same"
        );
        Ok(listing)
    }

    async fn listing(&self) -> Result<Listing, Error> {
        const ROUTE: &str = "api/journal";
        let mut patience = self.patience();
        loop {
            match self.attempt_list(ROUTE).await {
                Ok(listing) => return Ok(listing),
                Err(failed) => patience.wait(self.url(ROUTE), failed).await?,
            }
        }
    }

    async fn attempt_list(&self, route: &str) -> Result<Listing, Failed> {
        let answer = self.client.get(route, None).await?;
        let mut answer = self.accepted(route, answer)?;
        let text = text(answer.body_mut()).await?;
        let strange = |what: String| Failed::ForGood(Error::Strange { url: self.url(route), what });
        if answer.status() != StatusCode::OK {
            return Err(strange(refusal(answer.status(), &text)));
        }
        let listing: Listing = serde_json::from_slice(&text)
            .map_err(|error| strange(format!("something that is no list of segments ({error})")))?;
        let foreign = listing.segments.iter().find(|segment| !is_segment_name(&segment.name));
        match foreign {
            Some(segment) => Err(strange(format!("a segment named {:?}", segment.name))),
            None => Ok(listing),
        }
    }

    /// Fetches what a part lacks of a segment; `false` where the server has it no more.
    pub async fn fetch(&self, segment: &Segment, part: &mut Part) -> Result<bool, Error> {
        let route = format!("api/journal/segments/{}", segment.name);
        let mut patience = self.patience();
        while part.len() < segment.bytes {
            let before = part.len();
            match self.attempt_fetch(&route, segment.bytes, part).await {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(failed) => {
                    if part.len() > before {
                        patience.failures = 0;
                    }
                    patience.wait(self.url(&route), failed).await?;
                }
            }
        }
        Ok(true)
    }

    async fn attempt_fetch(
        &self,
        route: &str,
        bytes: u64,
        part: &mut Part,
    ) -> Result<bool, Failed> {
        let from = part.len();
        let answer = self.client.get(route, Some((from, bytes - 1))).await?;
        let mut answer = self.accepted(route, answer)?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(&answer, from) => {}
            StatusCode::OK => part.restart().map_err(Failed::ForGood)?,
            StatusCode::NOT_FOUND => return Ok(false),
            status => {
                let what = refusal(status, &text(answer.body_mut()).await?);
                return Err(Failed::ForGood(Error::Strange { url: self.url(route), what }));
            }
        }
        while let Some(piece) = client::piece(answer.body_mut()).await? {
            let wanted = (bytes - part.len()).min(piece.len() as u64) as usize;
            part.append(&piece[..wanted]).map_err(Failed::ForGood)?;
            if part.len() == bytes {
                return Ok(true);
            }
        }
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }

    /// Sorts out what is no answer to the question.
    fn accepted(
        &self,
        route: &str,
        answer: Response<Incoming>,
    ) -> Result<Response<Incoming>, Failed> {
        let (url, status) = (self.url(route), answer.status());
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(Failed::ForGood(Error::NoAccess { url, status: status.as_u16() }));
        }
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let to = to.unwrap_or("nowhere").to_owned();
            return Err(Failed::ForGood(Error::Redirected { url, to }));
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(io::Error::other(format!("the server answered {status}")).into());
        }
        Ok(answer)
    }

    fn url(&self, route: &str) -> String {
        self.client.address.url(route)
    }

    fn patience(&self) -> Patience {
        Patience { failures: 0, max: self.attempts_max }
    }
}

/// Whether a part is the one that was asked for.
fn starts_at(answer: &Response<Incoming>, from: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    first == Some(from.to_string().as_str())
}

async fn text(body: &mut Incoming) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(piece) = client::piece(body).await? {
        if text.len() + piece.len() > TEXT_BYTES_MAX {
            return Err(io::Error::other("the answer does not end"));
        }
        text.extend_from_slice(&piece);
    }
    Ok(text)
}

/// What a refusal says, if it is one of ours.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => format!("{status}: {}", refusal.message),
        Err(_) => status.to_string(),
    }
}

/// A name becomes a path: whatever else a server says, it names a file of the directory.
fn is_segment_name(name: &str) -> bool {
    name.strip_suffix(".seg").is_some_and(|stem| {
        !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_directory() {
        assert!(is_segment_name("00000001-00000000000000000001-0000010123456789.seg"));
        for name in ["../../etc/passwd", "a/b.seg", "/a.seg", ".seg", "..seg", "admin-key", ""] {
            assert!(!is_segment_name(name), "{name}");
        }
    }
}
