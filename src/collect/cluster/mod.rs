//! The cluster collector: one list and one watch a kind, each its own source.
//!
//! It lists and watches by itself, because it must begin at a recorded version and must see
//! bookmarks. Answers are read as plain JSON: typed metadata would lose the fields that this
//! version does not know. Once a list was complete, every change is asked for from its version on,
//! so a failure loses nothing as long as the cluster still knows that version; when it does not
//! (410), a new list tells what is there, and the recorder ends what it did not name.

mod cluster_event;

mod failure;

mod list;

mod object;

mod watch;

use std::{convert::Infallible, time::Instant};

use serde_json::Value;

use super::{
    pace::Pace,
    report::Report,
    supervisor::{Failure, Retry, Source},
};
use crate::{
    cluster::{self, Access},
    event::{Event, Extensions, Millis, WatchPosition},
};

/// The kinds that are observed.
pub const KINDS: [Kind; 4] = [
    Kind {
        source: "cluster/Pod",
        group: "",
        version: "v1",
        kind: "Pod",
        plural: "pods",
        is_history: false,
    },
    Kind {
        source: "cluster/Node",
        group: "",
        version: "v1",
        kind: "Node",
        plural: "nodes",
        is_history: false,
    },
    Kind {
        source: "cluster/Event",
        group: "",
        version: "v1",
        kind: "Event",
        plural: "events",
        is_history: true,
    },
    Kind {
        source: "cluster/Deployment",
        group: "apps",
        version: "v1",
        kind: "Deployment",
        plural: "deployments",
        is_history: false,
    },
];

/// A kind of object.
#[derive(Debug)]
pub struct Kind {
    /// The name of the source.
    pub source: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    /// Its objects report what happened. They are not things that live, and that the cluster
    /// forgets them means nothing.
    is_history: bool,
}

impl Kind {
    fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of the objects of all namespaces.
    fn path(&self) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        format!("/{root}/{}/{}", self.api_version(), self.plural)
    }
}

/// Observes one kind.
pub struct Watcher {
    kind: &'static Kind,
    access: Option<Access>,
    pace: Pace,
    /// Everything up to this version was sent. `None`: not known, a list has to tell.
    version: Option<String>,
    /// The same of history, and known even where the cluster has forgotten the version.
    history_sent_until: Option<u64>,
    /// The version that was recorded last.
    position: Option<String>,
    position_told: Instant,
    /// When the last list was taken, until the watch that goes on from it is open.
    listed_at: Option<Millis>,
    /// The last list has not been watched from.
    is_fresh: bool,
}

impl Watcher {
    /// A watcher that goes on from a recorded position, if there is one.
    pub fn new(
        kind: &'static Kind,
        access: Option<Access>,
        position: Option<String>,
        pace: Pace,
    ) -> Watcher {
        Watcher {
            kind,
            access,
            pace,
            version: position.clone(),
            history_sent_until: position.as_deref().and_then(number),
            position,
            position_told: Instant::now(),
            listed_at: None,
            is_fresh: false,
        }
    }

    /// The event that an object of the cluster is, unless it was sent before.
    fn observed(&self, object: Value) -> Result<Option<Event>, String> {
        if self.kind.is_history {
            let event = cluster_event::read(self.kind, object)?;
            let is_sent = self.is_sent(&event.resource_version);
            return Ok((!is_sent).then_some(Event::ClusterEvent(event)));
        }
        object::read(self.kind, object).map(|object| Some(Event::ObjectObserved(object)))
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

    fn position_sent(&mut self, version: &str) {
        self.position = Some(version.into());
        self.position_told = Instant::now();
    }

    fn position_event(&self, version: &str) -> Event {
        Event::WatchPosition(WatchPosition {
            source: self.kind.source.into(),
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
        let cluster = access.cluster().await.map_err(|e| match e {
            cluster::Error::NotConfigured => Failure::NotConfigured { reason: e.to_string() },
            _ => Failure::Down { reason: e.to_string(), retry: Retry::BackOff },
        })?;
        report.connecting().await?;
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
        *self = Watcher::new(self.kind, access, None, self.pace);
    }

    fn last_words(&self) -> Vec<Event> {
        if self.version == self.position {
            return vec![];
        }
        self.version.iter().map(|version| self.position_event(version)).collect()
    }
}
