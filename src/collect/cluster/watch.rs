//! The watch of a kind: every change from a version on.

use std::{
    fmt::Display,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, Stream, StreamExt};
use kube::{
    api::{WatchEvent, WatchParams},
    core::Request,
};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{Watcher, failure::Attempt, object};
use crate::{
    cluster::Cluster,
    collect::{report::Report, supervisor::Failure},
    event::{DeletedBecause, Event, Extensions, Millis, ObjectDeleted, now},
};

/// How much later than promised the end may come.
const WATCH_GRACE: Duration = Duration::from_secs(10);

/// How much earlier it may come, since the clocks differ.
const WATCH_EARLY: Duration = Duration::from_secs(2);

/// The server no longer knows the version that it was asked for. Comes as the status of the
/// answer, or as the first line of a good answer.
const GONE: u16 = 410;

/// How long that line is waited for before the source is told to be up again; it comes at once.
const VERDICT_TIME: Duration = Duration::from_millis(300);

/// A watch that takes longer to begin is not coming.
const OPEN_TIME_MAX: Duration = Duration::from_secs(15);

/// How many changes go to the recorder at once.
const BATCH_EVENTS_MAX: usize = 512;

type Change = Result<WatchEvent<Value>, kube::Error>;

/// What came at once.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    version: Option<String>,
}

/// How a watch went on after a change.
enum Next {
    /// It goes on.
    Goes,
    /// The server has forgotten the version: a list has to tell.
    Gone,
}

/// How a watch ended.
enum Ended {
    /// Its time was over.
    InTime,
    /// The server ended it before.
    Early,
    /// The server has forgotten the version, before or after it told any news.
    Gone { had_news: bool },
}

impl Watcher {
    /// Watches from a version until the server ends the watch. After a 410 there is no version to
    /// go on from.
    pub(super) async fn watch(
        &mut self,
        cluster: &Cluster,
        version: &str,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (kind, path) = (Arc::clone(&self.kind), self.path.clone());
        let attempt =
            Attempt { verb: "watch", kind: &kind, path: &path, address: &cluster.address };
        let is_fresh = std::mem::take(&mut self.is_fresh);
        let started = Instant::now();
        let ended = match self.open(cluster, version, attempt).await? {
            Some(changes) => self.follow(pin!(changes), started, is_fresh, attempt, report).await?,
            None => Ended::Gone { had_news: false },
        };
        match ended {
            Ended::InTime => self.nothing_missed(version, report).await?,
            Ended::Early => sleep_until(started + self.pace.watch_min).await,
            Ended::Gone { had_news } => {
                self.version = None;
                if is_fresh && !had_news {
                    // Listing again at once could go on forever.
                    let explained = "the API server forgot the version of its own list at once";
                    return Err(attempt.down(explained, "is the API server well?"));
                }
            }
        }
        Ok(())
    }

    /// A watch was whole until its end. The position is told again where nothing new came, so that
    /// after a crash it is known how long the quiet was heard.
    async fn nothing_missed(&mut self, version: &str, report: &mut Report) -> Result<(), Failure> {
        report.heard(now());
        if self.position_told.elapsed() >= self.pace.position_interval {
            let version = self.version.clone().unwrap_or_else(|| version.into());
            report.send(vec![self.position_event(&version)]).await?;
            self.position_sent();
        }
        Ok(())
    }

    /// Opens the watch; `None` where the server has forgotten the version.
    async fn open(
        &self,
        cluster: &Cluster,
        version: &str,
        attempt: Attempt<'_>,
    ) -> Result<Option<impl Stream<Item = Change> + use<>>, Failure> {
        let params = WatchParams::default().timeout(self.pace.watch_seconds);
        let request = Request::new(&self.path)
            .watch(&params, version)
            .map_err(|e| attempt.failed(&kube::Error::BuildRequest(e)))?;
        let opening = cluster.client.request_events::<Value>(request);
        match timeout(OPEN_TIME_MAX, opening).await {
            Ok(Ok(changes)) => Ok(Some(changes)),
            Ok(Err(kube::Error::Api(status))) if status.code == GONE => Ok(None),
            Ok(Err(e)) => Err(attempt.failed(&e)),
            Err(_) => Err(attempt.silent(OPEN_TIME_MAX)),
        }
    }

    async fn follow(
        &mut self,
        mut changes: Pin<&mut impl Stream<Item = Change>>,
        started: Instant,
        is_fresh: bool,
        attempt: Attempt<'_>,
        report: &mut Report,
    ) -> Result<Ended, Failure> {
        let promised_end = started + Duration::from_secs(self.pace.watch_seconds.into());
        let mut ahead = None;
        if !is_fresh && !report.is_up() {
            ahead = timeout(VERDICT_TIME, changes.next()).await.ok();
            if let Some(Some(Ok(WatchEvent::Error(status)))) = &ahead
                && status.code == GONE
            {
                return Ok(Ended::Gone { had_news: false });
            }
        }
        self.observed_again(report).await?;
        let mut had_news = false;
        loop {
            let came = match ahead.take() {
                Some(came) => came,
                None => timeout_at(promised_end + WATCH_GRACE, changes.next())
                    .await
                    .map_err(|_| attempt.silent(started.elapsed()))?,
            };
            let Some(first) = came else { break };
            match self.take(first, &mut changes, attempt, report).await? {
                Next::Goes => had_news = true,
                Next::Gone => return Ok(Ended::Gone { had_news }),
            }
        }
        let is_in_time = Instant::now() + WATCH_EARLY >= promised_end;
        Ok(if is_in_time { Ended::InTime } else { Ended::Early })
    }

    /// The watch is open: tells so, after the gap that lies behind.
    async fn observed_again(&mut self, report: &mut Report) -> Result<(), Failure> {
        let listed_at = self.listed_at.take();
        if !report.is_up() {
            report.up().await?;
        } else if let Some(listed_at) = listed_at {
            let reason =
                "the cluster had forgotten the version to go on from, and was listed again";
            report.send(report.gap(listed_at, reason).into_iter().collect()).await?;
        }
        if let Some(listed_at) = listed_at {
            report.heard(listed_at);
        }
        Ok(())
    }

    /// Sends a change and all that came with it.
    async fn take(
        &mut self,
        first: Change,
        changes: &mut (impl Stream<Item = Change> + Unpin),
        attempt: Attempt<'_>,
        report: &mut Report,
    ) -> Result<Next, Failure> {
        let learned = now();
        let mut batch = Batch::default();
        let mut change = first;
        let next = loop {
            match self.take_one(change, learned, &mut batch, attempt, report) {
                Ok(Next::Goes) if batch.events.len() < BATCH_EVENTS_MAX => {}
                next => break next,
            }
            match changes.next().now_or_never().flatten() {
                Some(more) => change = more,
                // At the end, the caller sees it again.
                None => break Ok(Next::Goes),
            }
        };
        self.send(batch, learned, report).await?;
        next
    }

    fn take_one(
        &mut self,
        change: Change,
        learned: Millis,
        batch: &mut Batch,
        attempt: Attempt<'_>,
        report: &mut Report,
    ) -> Result<Next, Failure> {
        let (object, is_deleted) = match change {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => (object, false),
            Ok(WatchEvent::Deleted(object)) => (object, true),
            Ok(WatchEvent::Bookmark(bookmark)) => {
                batch.version = Some(bookmark.metadata.resource_version);
                return Ok(Next::Goes);
            }
            Err(kube::Error::SerdeError(e)) => return Err(self.unreadable(&e, attempt, report)),
            // The client takes any JSON object for a status, and finds nothing in it.
            Err(kube::Error::Api(status)) if status.code == 0 => {
                return Err(self.unreadable(&"neither a change nor a status", attempt, report));
            }
            Ok(WatchEvent::Error(status)) | Err(kube::Error::Api(status)) => {
                return match status.code {
                    GONE => Ok(Next::Gone),
                    _ => Err(attempt.refused(&status)),
                };
            }
            Err(e) => return Err(attempt.failed(&e)),
        };
        let version = object::version(&object).map(str::to_owned);
        match self.changed(object, is_deleted, learned) {
            Ok(event) => batch.events.extend(event),
            Err(malformed) => report.malformed(malformed),
        }
        batch.version = version.or(batch.version.take());
        Ok(Next::Goes)
    }

    /// A line that makes no sense. What it said is lost, so only a list can tell what is there.
    fn unreadable(
        &mut self,
        complaint: &dyn Display,
        attempt: Attempt<'_>,
        report: &mut Report,
    ) -> Failure {
        self.version = None;
        report.malformed(format!("a line of the watch cannot be read: {complaint}"));
        attempt.down(&format!("a line cannot be read: {complaint}"), "is this an API server?")
    }

    fn changed(
        &self,
        object: Value,
        is_deleted: bool,
        learned: Millis,
    ) -> Result<Option<Event>, String> {
        if !is_deleted {
            return self.observed(object);
        }
        if self.kind.is_history {
            return Ok(None);
        }
        let last = object::read(&self.kind, object)?;
        Ok(Some(Event::ObjectDeleted(ObjectDeleted {
            object: last.object,
            source: last.source,
            because: DeletedBecause::Deleted,
            from: learned,
            to: learned,
            body: last.body,
            ext: Extensions::default(),
        })))
    }

    async fn send(
        &mut self,
        batch: Batch,
        learned: Millis,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let Batch { mut events, version } = batch;
        let is_due = self.position_told.elapsed() >= self.pace.position_interval;
        let position = version.as_deref().filter(|_| is_due);
        events.extend(position.map(|version| self.position_event(version)));
        events.extend(report.malformed_due());
        report.send(events).await?;
        // Only now: what was not sent must be asked for again.
        if position.is_some() {
            self.position_sent();
        }
        let Some(version) = version else { return Ok(()) };
        report.heard(learned);
        // Where a change could not be read, only a list can tell what is there.
        if self.version.is_some() {
            self.sent_until(&version);
        }
        Ok(())
    }
}
