//! One connection, from the handshake to its end: frames to batches of events.

use std::time::Instant;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message};

use super::{
    Socket,
    frame::{self, Frame, Said},
    heard::Heard,
    overflow::Overflow,
    traces::Traces,
};
use crate::{
    collect::{outlet::Stopped, pace::Pace, report::Report},
    event::{Event, Millis, Trace, now},
};

/// How many frames go to the recorder at once: enough to make its cost a frame small.
const BATCH_FRAMES_MAX: usize = 512;

/// A batch ends when it has so many bytes of frames, so that few long ones do not pile up.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// The state of one connection. What the other side knew of open traces and live queries ended
/// with the connection before, so nothing counts as sent yet.
pub struct Session {
    socket: Socket,
    pace: Pace,
    /// What came first, until it is taken.
    first: Option<Came>,
    is_settled: bool,
    heard: Heard,
    traces: Traces,
    overflow: Overflow,
    /// When anything came last.
    last_came: Instant,
    ping_sent: Instant,
    /// The payload of the last ping: when it was sent.
    ping_at: Millis,
}

/// A message, the end of the connection, or its failure.
type Came = Option<Result<Message, WsError>>;

/// What came at once.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    bytes: usize,
}

impl Session {
    /// A session on a socket that has just been greeted.
    pub fn new(socket: Socket, pace: Pace) -> Session {
        Session {
            socket,
            pace,
            first: None,
            is_settled: false,
            heard: Heard::new(now()),
            traces: Traces::new(pace.trace_interval),
            overflow: Overflow::default(),
            last_came: Instant::now(),
            ping_sent: Instant::now(),
            ping_at: 0.0,
        }
    }

    /// Forgets what was sent: the journal was wiped.
    pub fn start_over(&mut self) {
        self.traces = Traces::new(self.pace.trace_interval);
        self.overflow = Overflow::default();
    }

    /// Waits a moment for the first frame, and tells since when nothing is missed.
    ///
    /// Frames come in order, so that is when the first one was sent. Whatever the other side sent
    /// between its greeting and that frame, it sent before it thought of us.
    pub async fn settled(&mut self) -> Millis {
        if !self.is_settled {
            self.first = timeout(self.pace.first_frame_max, self.socket.next()).await.ok();
            self.is_settled = true;
            self.heard = Heard::new(now());
            if let Some(Some(Ok(Message::Text(text)))) = &self.first
                && let Ok(Said::Known(frame)) = frame::read(text)
            {
                self.heard.frame(now(), frame.claimed);
            }
        }
        self.heard.until()
    }

    /// Takes frames until the connection ends; returns why it did.
    ///
    /// # Errors
    /// The recorder has stopped.
    pub async fn run(&mut self, report: &mut Report) -> Result<String, Stopped> {
        report.heard(self.heard.until());
        let mut tick = interval(self.pace.link_tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ended = match self.first.take() {
            Some(first) => self.take(first, report)?,
            None => None,
        };
        let ended = loop {
            if let Some(why) = ended {
                break why;
            }
            ended = tokio::select! {
                came = self.socket.next() => self.take(came, report)?,
                _ = tick.tick() => self.look_after(report).await?,
            };
        };
        // There is time now: what waited is sent before the news that the link is down.
        report.send(self.overflow.waiting(report)).await?;
        for traces in chunks(self.traces.flush(Instant::now())) {
            report.send(traces).await?;
        }
        Ok(ended)
    }

    /// What waits, for the case that there will be no time for it.
    pub fn last_words(&self) -> Vec<Event> {
        let traces = self.traces.pending().cloned().map(Event::Trace);
        self.overflow.last_words().into_iter().chain(traces).collect()
    }

    /// Takes a message and all that came with it. Returns why the connection has ended, if it has.
    fn take(&mut self, first: Came, report: &mut Report) -> Result<Option<String>, Stopped> {
        self.last_came = Instant::now();
        let heard_before = self.heard.until();
        let mut batch = Batch::default();
        let mut came = first;
        let ended = loop {
            let ended = self.take_one(came, &mut batch, report);
            if ended.is_some()
                || batch.events.len() >= BATCH_FRAMES_MAX
                || batch.bytes >= BATCH_BYTES_MAX
            {
                break ended;
            }
            match self.socket.next().now_or_never() {
                Some(next) => came = next,
                None => break None,
            }
        };
        batch.events.extend(report.malformed_due());
        self.overflow.offer(batch.events, heard_before, report)?;
        report.heard(self.heard.until());
        Ok(ended)
    }

    fn take_one(&mut self, came: Came, batch: &mut Batch, report: &mut Report) -> Option<String> {
        match came {
            Some(Ok(Message::Text(text))) => {
                batch.bytes += text.len();
                match frame::read(&text) {
                    Ok(Said::Known(frame)) => batch.events.extend(self.note(frame, text.len())),
                    Ok(Said::Unknown(name)) => report.unknown(name),
                    Err(malformed) => report.malformed(malformed),
                }
            }
            Some(Ok(Message::Binary(bytes))) => {
                batch.bytes += bytes.len();
                report.malformed(format!("a binary frame of {} bytes; expected text", bytes.len()));
            }
            Some(Ok(Message::Pong(payload))) => self.answered(&payload),
            Some(Ok(Message::Close(_))) => {
                return Some("the app-server closed it; did it restart?".into());
            }
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
            Some(Err(e)) => {
                return Some(format!("{e}; did the app-server restart, or did the network fail?"));
            }
            None => return Some("the app-server closed it without a word; did it restart?".into()),
        }
        None
    }

    /// What is to be recorded now that a frame of so many bytes came.
    fn note(&mut self, frame: Frame, bytes: usize) -> Option<Event> {
        self.heard.frame(now(), frame.claimed);
        match frame.event {
            Event::Trace(trace) => self.traces.take(trace, bytes, Instant::now()).map(Event::Trace),
            event => Some(event),
        }
    }

    fn answered(&mut self, payload: &[u8]) {
        if payload == self.ping_at.to_be_bytes() {
            self.heard.answered(self.ping_at);
        }
    }

    /// What time alone asks for: room for what waits, traces that are due, a ping, the end of a
    /// silent connection.
    async fn look_after(&mut self, report: &mut Report) -> Result<Option<String>, Stopped> {
        let counts = report.malformed_due();
        self.overflow.offer(counts.into_iter().collect(), self.heard.until(), report)?;
        for traces in chunks(self.traces.due(Instant::now())) {
            self.overflow.offer(traces, self.heard.until(), report)?;
        }
        report.heard(self.heard.until());
        if self.last_came.elapsed() >= self.pace.silence_max {
            let silent = self.pace.silence_max.as_secs();
            return Ok(Some(format!(
                "nothing came for {silent} s, not even the answer to a ping; does the app-server \
                 hang, or did the network fail?"
            )));
        }
        if self.ping_sent.elapsed() < self.pace.ping_interval {
            return Ok(None);
        }
        self.ping_sent = Instant::now();
        self.ping_at = now();
        let payload = Bytes::copy_from_slice(&self.ping_at.to_be_bytes());
        let sent = self.socket.send(Message::Ping(payload)).await;
        Ok(sent.err().map(|e| format!("{e}; did the app-server restart?")))
    }
}

/// Traces in messages of a usual size.
fn chunks(traces: Vec<Trace>) -> impl Iterator<Item = Vec<Event>> {
    let mut rest = traces.into_iter().map(Event::Trace);
    std::iter::from_fn(move || {
        let chunk: Vec<Event> = rest.by_ref().take(BATCH_FRAMES_MAX).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}
