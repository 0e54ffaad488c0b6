//! The cluster collector: one list and one watch a kind, each its own source.
//!
//! It lists and watches by itself, because it must begin at a recorded version and must see
//! bookmarks. Answers are read as plain JSON: typed metadata would lose the fields that this
//! version does not know. Once a list was complete, every change is asked for from its version on,
//! so a failure loses nothing as long as the cluster still knows that version; when it does not
//! (410), a new list tells what is there, and the recorder ends what it did not name.

mod cluster_event;

mod discovery;

mod failure;

mod kinds;

mod list;

mod object;

mod watch;

use std::{convert::Infallible, sync::Arc, time::Instant};

use serde_json::Value;

pub use kinds::{Kind, Kinds, More};

use super::{
    pace::Pace,
    report::Report,
    supervisor::{Failure, Source},
};
use crate::{
    cluster::Access,
    event::{Event, Extensions, Millis, WatchPosition},
};

/// Observes one kind.
pub struct Watcher {
    kind: Arc<Kind>,
    access: Option<Access>,
    pace: Pace,
    /// Where its objects are, as it was found at the last attempt.
    path: String,
    /// Everything up to this version was sent. `None`: not known, a list has to tell.
    version: Option<String>,
    /// The same of history, and known even where the cluster has forgotten the version.
    history_sent_until: Option<u64>,
    /// When the recorder was last told the version.
    position_told: Instant,
    /// When the last list was taken, until the watch that goes on from it is open.
    listed_at: Option<Millis>,
    /// The last list has not been watched from.
    is_fresh: bool,
}

impl Watcher {
    /// A watcher that goes on from a recorded position, if there is one.
    pub fn new(
        kind: Arc<Kind>,
        access: Option<Access>,
        position: Option<String>,
        pace: Pace,
    ) -> Watcher {
        Watcher {
            kind,
            access,
            pace,
            path: String::new(),
            history_sent_until: position.as_deref().and_then(number),
            version: position,
            position_told: Instant::now(),
            listed_at: None,
            is_fresh: false,
        }
    }

    /// The event that an object of the cluster is, unless it was sent before.
    fn observed(&self, object: Value) -> Result<Option<Event>, String> {
        if self.kind.is_history {
            let event = cluster_event::read(&self.kind, object)?;
            let is_sent = self.is_sent(&event.resource_version);
            return Ok((!is_sent).then_some(Event::ClusterEvent(event)));
        }
        object::read(&self.kind, object).map(|object| Some(Event::ObjectObserved(object)))
    }

    /// Whether a report of history was sent. Where versions are not numbers, it may be sent twice.
    fn is_sent(&self, version: &str) -> bool {
        match (number(version), self.history_sent_until) {
            (Some(version), Some(sent_until)) => version <= sent_until,
            _ => false,
        }
    }

    /// Notes that everything up to a version was sent.
    fn sent_until(&mut self, version: &str) {
        self.history_sent_until = number(version).max(self.history_sent_until);
        self.version = Some(version.into());
    }

    fn position_sent(&mut self) {
        self.position_told = Instant::now();
    }

    fn position_event(&self, version: &str) -> Event {
        Event::WatchPosition(WatchPosition {
            source: self.kind.source.clone(),
            resource_version: version.into(),
            ext: Extensions::default(),
        })
    }
}

/// Versions of one kind are numbers that grow.
fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

impl Source for Watcher {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let Some(access) = &self.access else {
            let reason = "the cluster is not observed: it is switched off in the configuration";
            return Err(Failure::NotConfigured { reason: reason.into() });
        };
        // Made anew after every failure, so that renewed credentials are found.
        let cluster = access.cluster().await?;
        report.connecting().await?;
        self.path = self.find_path(&cluster).await?;
        loop {
            let version = match &self.version {
                Some(version) => version.clone(),
                None => self.list(&cluster, report).await?,
            };
            self.watch(&cluster, &version, report).await?;
        }
    }

    fn forget(&mut self) {
        let access = self.access.take();
        *self = Watcher::new(Arc::clone(&self.kind), access, None, self.pace);
    }

    fn last_words(&self) -> Vec<Event> {
        // Also where it is known: its time tells until when this was observed.
        self.version.iter().map(|version| self.position_event(version)).collect()
    }
}
