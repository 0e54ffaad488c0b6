//! One answer of the log endpoint: what is asked for, and the lines that come.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use futures_util::{AsyncBufRead, AsyncBufReadExt};
use jiff::Timestamp;
use kube::{api::LogParams, core::Request};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    failure::Error,
    lines::{Piece, Splitter},
    place::{Came, Line, Place, Search},
};
use crate::cluster::Cluster;

/// An answer that takes longer to begin is not coming.
const OPEN_TIME_MAX: Duration = Duration::from_secs(15);

/// A log in which nothing is written for so long is asked for again: nothing is lost by it, and a
/// dead connection is noticed.
const QUIET_MAX: Duration = Duration::from_secs(240);

/// Lines whose place is still searched wait so long for the next one.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(2);

/// Which log is asked for.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's name.
    pub pod: &'a str,
    /// Which of its containers.
    pub container: &'a str,
    /// Of the run before the present one.
    pub previous: bool,
    /// Whether to wait for more.
    pub follow: bool,
    /// From when on, in seconds since 1970; `None` from the beginning on.
    pub since_second: Option<i64>,
}

/// What came next.
#[derive(Debug)]
pub enum Next {
    /// New lines, or none where what came was known.
    Lines(Vec<Line>),
    /// The same, but the last line that was read is not there any more.
    Broken(Vec<Line>),
    /// A line that is none.
    Odd(String),
    /// The end of the log.
    End,
    /// Nothing came for long.
    Quiet,
}

/// An answer that is being read.
pub struct Reading {
    answer: Pin<Box<dyn AsyncBufRead + Send>>,
    splitter: Splitter,
    pieces: VecDeque<Piece>,
    search: Search,
    heard: Instant,
    /// Whether what has no newline at the end is a line.
    ends_whole: bool,
    has_ended: bool,
    /// What the node said last in the log's place.
    odd: Option<String>,
}

impl Ask<'_> {
    /// Opens the log; what stands behind the place is new.
    pub async fn open(&self, cluster: &Cluster, place: Option<Place>) -> Result<Reading, Error> {
        let opening = cluster.client.request_stream(self.request()?);
        let answer = timeout(OPEN_TIME_MAX, opening).await;
        let answer = answer.map_err(|_| Error::Silent(OPEN_TIME_MAX))??;
        Ok(Reading {
            answer: Box::pin(answer),
            splitter: Splitter::default(),
            pieces: VecDeque::new(),
            search: Search::new(place),
            heard: Instant::now(),
            ends_whole: !self.follow,
            has_ended: false,
            odd: None,
        })
    }

    fn request(&self) -> Result<hyper::Request<Vec<u8>>, Error> {
        let params = LogParams {
            container: Some(self.container.into()),
            follow: self.follow,
            previous: self.previous,
            since_time: self.since_second.and_then(|s| Timestamp::from_second(s).ok()),
            timestamps: true,
            ..LogParams::default()
        };
        let pods = format!("/api/v1/namespaces/{}/pods", self.namespace);
        Request::new(pods)
            .logs(self.pod, &params)
            .map_err(|e| Error::Kube(kube::Error::BuildRequest(e)))
    }
}

impl Reading {
    /// Waits for what comes next. May be dropped while it waits.
    pub async fn next(&mut self) -> Result<Next, Error> {
        loop {
            if let Some(next) = self.next_of_pieces() {
                return Ok(next);
            }
            if self.has_ended {
                return self.end();
            }
            let is_searching = self.search.has_waiting();
            let patience = if is_searching { SEARCH_TIME_MAX } else { QUIET_MAX };
            let Ok(came) = timeout_at(self.heard + patience, self.answer.fill_buf()).await else {
                return Ok(self.given_up().unwrap_or(Next::Quiet));
            };
            self.heard = Instant::now();
            let bytes = came?;
            let count = bytes.len();
            self.splitter.take(bytes, &mut self.pieces);
            self.answer.as_mut().consume(count);
            if count == 0 {
                self.has_ended = true;
                self.pieces.extend(self.splitter.end().filter(|_| self.ends_whole));
            }
        }
    }

    fn next_of_pieces(&mut self) -> Option<Next> {
        let mut lines = Vec::new();
        while let Some(piece) = self.pieces.pop_front() {
            let line = match piece {
                Piece::Line(line) => line,
                Piece::Odd(text) => {
                    self.odd = Some(text);
                    continue;
                }
            };
            if let Some(odd) = self.odd.take() {
                self.pieces.push_front(Piece::Line(line));
                if lines.is_empty() {
                    return Some(Next::Odd(odd));
                }
                self.odd = Some(odd);
                break;
            }
            match self.search.take(line) {
                Came::Nothing => {}
                Came::New(new) => lines.extend(new),
                Came::NotFound(new) => {
                    lines.extend(new);
                    return Some(Next::Broken(lines));
                }
            }
        }
        (!lines.is_empty()).then_some(Next::Lines(lines))
    }

    fn end(&mut self) -> Result<Next, Error> {
        match self.odd.take() {
            Some(odd) => Err(Error::Node(odd)),
            None => Ok(self.given_up().unwrap_or(Next::End)),
        }
    }

    /// Nothing more comes: where the place is still searched, it is not there.
    fn given_up(&mut self) -> Option<Next> {
        let must = self.search.is_on() && (self.has_ended || self.search.has_waiting());
        match must.then(|| self.search.give_up())? {
            Came::NotFound(lines) => Some(Next::Broken(lines)),
            _ => None,
        }
    }
}
