//! One client's feed: a cursor that follows the journal.

use std::{
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use bytes::Bytes;
use serde::Serialize;
use tokio::{
    sync::{mpsc, watch},
    time::{Duration, Instant, MissedTickBehavior, interval_at, sleep_until},
};

use super::{
    message::message,
    rows::{self, Topics},
};
use crate::{
    http::{Surface, convert, error::Error, wire},
    journal::{Positions, Reader, Seq},
};

/// At most 60 batches a second: as often as a screen is drawn.
const BATCH_INTERVAL: Duration = Duration::from_millis(17);

/// Where a feed begins.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) reader: Arc<Reader>,
    /// The journal as it was when the client was compared with it.
    pub(super) now: Positions,
    pub(super) cursor: Seq,
    /// Why the client has to fetch again, if it has.
    pub(super) reset: Option<&'static str>,
}

/// A feed on its way to one client.
#[derive(Debug)]
pub(super) struct Feed {
    surface: Arc<Surface>,
    topics: Topics,
    out: mpsc::Sender<io::Result<Bytes>>,
}

/// Why a feed ends.
enum End {
    /// The client went away.
    Gone,
    /// The journal could not be read: the log says why, the client connects again.
    Failed(Error),
}

/// How far the client has been told.
struct Told {
    epoch: u64,
    cursor: Seq,
    durable: Seq,
    /// Once it has caught up, falling far behind means that the client is too slow.
    caught_up: bool,
}

impl Feed {
    pub(super) fn new(
        surface: Arc<Surface>,
        topics: Topics,
        out: mpsc::Sender<io::Result<Bytes>>,
    ) -> Feed {
        Feed { surface, topics, out }
    }

    /// Runs until the client goes, the server shuts down or the journal cannot be read.
    pub(super) async fn run(self, start: Start) {
        let mut closing = self.surface.closing.clone();
        let result = tokio::select! {
            result = self.follow(start) => result,
            // An error means that the server is gone altogether.
            _ = closing.wait_for(|closing| *closing) => Ok(()),
        };
        if let Err(End::Failed(error)) = result {
            tracing::error!(error = &error as &dyn std::error::Error, "a live feed ended");
        }
    }

    async fn follow(&self, start: Start) -> Result<(), End> {
        let Start { reader, now, cursor, reset } = start;
        let mut told =
            Told { epoch: now.epoch, cursor, durable: now.durable_seq, caught_up: false };
        self.hello(&now, &told).await?;
        if let Some(reason) = reset {
            self.reset(reason, &now, &mut told).await?;
        }
        let mut positions = self.surface.desk.published.positions.clone();
        let heartbeat = self.surface.desk.limits.heartbeat;
        let mut heartbeats = interval_at(Instant::now() + heartbeat, heartbeat);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let began = Instant::now();
            self.catch_up(&reader, &mut positions, &mut told).await?;
            tokio::select! {
                () = changed(&mut positions) => {}
                _ = heartbeats.tick() => self.heartbeat(&told).await?,
                () = self.out.closed() => return Err(End::Gone),
            }
            sleep_until(began + BATCH_INTERVAL).await;
        }
    }

    /// Sends everything that has been announced.
    async fn catch_up(
        &self,
        reader: &Arc<Reader>,
        positions: &mut watch::Receiver<Positions>,
        told: &mut Told,
    ) -> Result<(), End> {
        loop {
            let now = *positions.borrow_and_update();
            if now.epoch != told.epoch {
                self.reset("wiped", &now, told).await?;
            } else if told.cursor + 1 < now.first_seq {
                self.reset("retired", &now, told).await?;
            }
            self.shed(&now, told).await?;
            if told.cursor >= now.last_seq {
                told.caught_up = true;
                return self.durable(&now, told).await;
            }
            self.batch(reader, &now, told).await?;
        }
    }

    /// Sends one batch. A wipe meanwhile does no harm: numbers go on over it, so what comes after
    /// it lies beyond `now`, and the reset follows.
    async fn batch(
        &self,
        reader: &Arc<Reader>,
        now: &Positions,
        told: &mut Told,
    ) -> Result<(), End> {
        let (reader, topics) = (reader.clone(), self.topics.clone());
        let (after, last) = (told.cursor, now.last_seq);
        let made = move || {
            let batch = rows::batch(&reader, &topics, after, last)?;
            Ok((batch.to, message("batch", Some(batch.to), &batch)))
        };
        let made = self.surface.streams.run(made).await.flatten();
        let (to, bytes) = made.map_err(End::Failed)?;
        self.send(bytes).await?;
        self.surface.meters.live_batches.fetch_add(1, Relaxed);
        told.cursor = to;
        Ok(())
    }

    /// Moves a client that is too slow to the present, and says what it missed.
    async fn shed(&self, now: &Positions, told: &mut Told) -> Result<(), End> {
        let limits = &self.surface.desk.limits;
        let behind_max = if told.caught_up { limits.feed_behind } else { limits.feed_resume };
        let count = now.last_seq.saturating_sub(told.cursor);
        if count <= behind_max {
            return Ok(());
        }
        self.surface.meters.live_sheds.fetch_add(1, Relaxed);
        self.surface.meters.live_shed_records.fetch_add(count, Relaxed);
        let shed = wire::LiveShed { from: told.cursor, to: now.last_seq, count };
        told.cursor = now.last_seq;
        self.tell("shed", Some(told.cursor), &shed).await
    }

    async fn hello(&self, now: &Positions, told: &Told) -> Result<(), End> {
        let hello = wire::LiveHello {
            journal_id: convert::id(&now.journal_id),
            epoch: now.epoch,
            first_seq: now.first_seq,
            last_seq: now.last_seq,
            durable_seq: now.durable_seq,
        };
        self.tell("hello", Some(told.cursor), &hello).await
    }

    async fn reset(&self, reason: &str, now: &Positions, told: &mut Told) -> Result<(), End> {
        told.epoch = now.epoch;
        told.cursor = now.last_seq;
        self.surface.meters.live_resets.fetch_add(1, Relaxed);
        let reset = wire::LiveReset { reason: reason.into(), last_seq: now.last_seq };
        self.tell("reset", Some(told.cursor), &reset).await
    }

    async fn durable(&self, now: &Positions, told: &mut Told) -> Result<(), End> {
        if now.durable_seq == told.durable {
            return Ok(());
        }
        told.durable = now.durable_seq;
        let durable = wire::LiveDurable { durable_seq: now.durable_seq };
        self.tell("durable", None, &durable).await
    }

    async fn heartbeat(&self, told: &Told) -> Result<(), End> {
        let now = jiff::Timestamp::now().as_microsecond() as f64 / 1000.0;
        self.tell("heartbeat", Some(told.cursor), &wire::LiveHeartbeat { now }).await
    }

    async fn tell(&self, event: &str, id: Option<Seq>, data: &impl Serialize) -> Result<(), End> {
        self.send(message(event, id, data)).await
    }

    async fn send(&self, bytes: Bytes) -> Result<(), End> {
        self.out.send(Ok(bytes)).await.map_err(|_| End::Gone)
    }
}

/// Waits for an announcement; for ever where none will come, as in a replay.
async fn changed(positions: &mut watch::Receiver<Positions>) {
    if positions.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
