//! Pod logs: follows the logs of chosen pods through the cluster API.
//!
//! A selection is a source. It lists and watches its pods, and each container has a follower, which
//! reads the log of every run of it: on from where it was left, over restarts of the container, of
//! the connection and of the recorder. With the lines goes a record of how far each log is read, so
//! that no line comes twice and none is lost that the node still has. The API does not tell standard
//! output and standard error apart, so neither does this.

mod failure;

mod flock;

mod follower;

mod level;

mod lines;

mod place;

mod pods;

mod reading;

mod shape;

mod stamp;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt};
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::{
    failure::Error,
    flock::{CONTAINERS_MAX, FOLLOWED_MAX, Flock},
    follower::Told,
    pods::Change,
};
use super::{
    pace::Pace,
    report::Report,
    supervisor::{Failure, Retry, Source},
};
use crate::{
    cluster::{Access, Cluster},
    event::{Event, Millis, PodLogPosition, now},
};

/// How often the source looks after itself.
const TICK: Duration = Duration::from_millis(500);

/// That some logs are not followed is told at most this often.
const CROWDED_INTERVAL: Duration = Duration::from_secs(60);

/// What is told of the time in which a selection was not observed.
const READ_AFTERWARDS: &str = "what the nodes still had of the logs was read afterwards";

/// A selection of pods whose logs are followed; its source is `pod-logs/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodLogs {
    /// The name of the selection.
    pub name: String,
    /// In which namespace; `None` for all.
    pub namespace: Option<String>,
    /// Which pods, in the form of `kubectl get --selector`; empty for all.
    pub label_selector: String,
    /// Which of their containers; empty for all.
    pub containers: Vec<String>,
    /// Whether the last lines of a container that crashed are read from its last run.
    pub previous: bool,
}

impl PodLogs {
    /// The name of its source.
    pub fn source(&self) -> String {
        format!("pod-logs/{}", self.name)
    }
}

/// The positions of a source, by pod uid and container.
type Positions = BTreeMap<(String, String), PodLogPosition>;

/// Observes one selection.
pub struct Selection {
    selection: PodLogs,
    access: Option<Access>,
    pace: Pace,
    /// How far each log is read, as it was sent.
    positions: Positions,
    /// The journal does not have them any more.
    are_positions_lost: bool,
    /// When it is told again that some logs are not followed, and since when it was not told.
    crowded: Option<(Instant, Millis)>,
}

impl Selection {
    /// A selection that goes on from recorded positions.
    pub fn new(
        selection: PodLogs,
        access: Option<Access>,
        positions: &[PodLogPosition],
        pace: Pace,
    ) -> Selection {
        let source = selection.source();
        let own = positions.iter().filter(|position| position.source == source);
        let key = |at: &PodLogPosition| (at.uid.clone(), at.container.clone());
        let positions = own.map(|position| (key(position), position.clone())).collect();
        Selection { selection, access, pace, positions, are_positions_lost: false, crowded: None }
    }

    fn attempted(&self, verb: &str, cluster: &Cluster) -> String {
        format!("{verb} the pods of {} at {}", self.selection.source(), cluster.address)
    }

    /// Tells what is already known to a journal that has lost it.
    async fn tell_positions(&mut self, report: &Report) -> Result<(), Failure> {
        if self.are_positions_lost {
            let positions = self.positions.values().cloned();
            report.send(positions.map(Event::PodLogPosition).collect()).await?;
            self.are_positions_lost = false;
        }
        Ok(())
    }

    /// Follows the changes of a watch until it ends; returns the version to go on from, `None` where
    /// a list has to tell.
    async fn follow(
        &mut self,
        changes: impl Stream<Item = Result<Change, Error>>,
        version: String,
        flock: &mut Flock,
        report: &mut Report,
    ) -> Result<Option<String>, Failure> {
        let mut changes = pin!(changes);
        let mut version = version;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                told = flock.told() => self.take(told, flock, report).await?,
                change = changes.next() => match change {
                    None => return Ok(Some(version)),
                    Some(Ok(Change::Is(uid, pod))) => flock.is(uid, pod, &self.positions),
                    Some(Ok(Change::Gone(uid))) => flock.gone(&uid),
                    Some(Ok(Change::Version(newer))) => version = newer,
                    Some(Ok(Change::Forgotten)) => return Ok(None),
                    Some(Err(error)) => {
                        let attempted = self.attempted("watching", flock.cluster());
                        return Err(error.failure(&attempted, "watch on pods"));
                    }
                },
                _ = tick.tick() => self.look_after(flock, report).await?,
            }
        }
    }

    /// Takes what a follower tells.
    async fn take(
        &mut self,
        told: Told,
        flock: &mut Flock,
        report: &mut Report,
    ) -> Result<(), Failure> {
        match told {
            Told::Opened => {
                report.up_again(READ_AFTERWARDS).await?;
                // What is lost before the next tick must lie in a gap too.
                report.heard(now());
            }
            Told::Read(mut events, position) => {
                events.extend(position.clone().map(Event::PodLogPosition));
                events.extend(report.malformed_due());
                report.send(events).await?;
                // Only now: what was not sent must be read again.
                if let Some(position) = position {
                    self.note(position);
                }
            }
            Told::Odd(odd) => report.malformed(format!("a log line without a time: {odd}")),
            Told::Failed(error) => {
                if matches!(error.code(), Some(401 | 403)) {
                    return Err(self.unreadable(&error, flock));
                }
                flock.note_failure(error);
            }
        }
        Ok(())
    }

    fn note(&mut self, position: PodLogPosition) {
        let key = (position.uid.clone(), position.container.clone());
        if position.gone {
            self.positions.remove(&key);
        } else {
            self.positions.insert(key, position);
        }
    }

    fn unreadable(&self, error: &Error, flock: &Flock) -> Failure {
        let source = self.selection.source();
        let attempted = format!("reading the logs of {source} at {}", flock.cluster().address);
        error.failure(&attempted, "get on pods/log")
    }

    async fn look_after(&mut self, flock: &mut Flock, report: &mut Report) -> Result<(), Failure> {
        if flock.has_died() {
            let reason = "a follower of a log failed in itself, and all begin anew; this is a bug, \
                          please report it with the panic in the log";
            return Err(Failure::Down { reason: reason.into(), retry: Retry::BackOff });
        }
        if !report.is_up() {
            match flock.failure() {
                Some(error) if flock.age() >= self.pace.greeting_max => {
                    return Err(self.unreadable(error, flock));
                }
                None if flock.has_nothing_to_read(&self.positions) => {
                    report.up_again(READ_AFTERWARDS).await?
                }
                _ => return Ok(()),
            }
        }
        report.heard(now());
        self.tell_crowded(flock, report).await
    }

    /// Tells of the logs that are not followed, because there are too many.
    async fn tell_crowded(&mut self, flock: &Flock, report: &Report) -> Result<(), Failure> {
        let count = flock.crowd();
        if count == 0 {
            self.crowded = None;
            return Ok(());
        }
        let (due, since) = *self.crowded.get_or_insert_with(|| (Instant::now(), now()));
        if Instant::now() < due {
            return Ok(());
        }
        self.crowded = Some((Instant::now() + CROWDED_INTERVAL, now()));
        let reason = format!(
            "{count} more containers match than can be followed at once ({FOLLOWED_MAX} logs of \
             {CONTAINERS_MAX} containers); narrow the selection"
        );
        Ok(report.send(vec![report.gap_between(since, now(), &reason, None)]).await?)
    }
}

impl Source for Selection {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let Some(access) = &self.access else {
            let reason = "the cluster is not observed: it is switched off in the configuration";
            return Err(Failure::NotConfigured { reason: reason.into() });
        };
        // Made anew after every failure, so that renewed credentials are found.
        let cluster = access.cluster().await?;
        report.connecting().await?;
        self.tell_positions(report).await?;
        let mut flock = Flock::new(self.selection.clone(), cluster, self.pace, report);
        loop {
            let listed = self.selection.list(flock.cluster()).await;
            let (pods, listed_version) = listed.map_err(|error| {
                error.failure(&self.attempted("listing", flock.cluster()), "list on pods")
            })?;
            let gone = flock.listed(pods, &mut self.positions);
            report.send(gone).await?;
            let mut next = Some(listed_version);
            while let Some(version) = next {
                let watch =
                    self.selection.watch(flock.cluster(), &version, self.pace.watch_seconds);
                let changes = watch.await.map_err(|error| {
                    error.failure(&self.attempted("watching", flock.cluster()), "watch on pods")
                })?;
                let started = Instant::now();
                next = self.follow(changes, version, &mut flock, report).await?;
                sleep(self.pace.watch_min.saturating_sub(started.elapsed())).await;
            }
        }
    }

    /// Where each log was left is still true.
    fn forget(&mut self) {}

    fn start_over(&mut self) {
        self.are_positions_lost = true;
    }
}
