//! Which pods a selection matches, and what runs in them: a list, then a watch from it on.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{Stream, StreamExt, TryFutureExt};
use kube::{
    api::{ListParams, WatchEvent, WatchParams},
    core::{ListMeta, Request},
};
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    PodLogs,
    failure::Error,
    stamp::{self, StampNs},
};
use crate::cluster::Cluster;

/// Pods a page.
const PAGE_PODS: u32 = 500;

/// A page, or the beginning of a watch, that takes longer is not coming.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The server no longer knows the version that it was asked for.
const GONE: u16 = 410;

/// So much of a run's id tells it from others.
const RUN_ID_CHARS: usize = 16;

/// A run of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The start of the id that the node gave it.
    pub id: String,
    /// Whether it has ended.
    pub has_ended: bool,
    /// When it began, if the node told.
    pub started_ns: Option<StampNs>,
    /// When it ended, if it has.
    pub ended_ns: Option<StampNs>,
}

/// A container as its pod tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// The run whose log is its log.
    pub run: Option<Run>,
    /// The run before that.
    pub previous: Option<Run>,
    /// How often it was restarted.
    pub restarts: u64,
}

/// A pod that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its containers, by name.
    pub containers: BTreeMap<String, Container>,
}

/// What changed.
#[derive(Debug)]
pub enum Change {
    /// A pod by its uid, as it is now.
    Is(String, Pod),
    /// A pod is gone, by its uid.
    Gone(String),
    /// The version of the present.
    Version(String),
    /// The server has forgotten the version: a list has to tell.
    Forgotten,
}

#[derive(Debug, Deserialize)]
struct Page {
    metadata: ListMeta,
    /// The server writes null for none.
    items: Option<Vec<Item>>,
}

/// A pod, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    uid: String,
    resource_version: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    init_container_statuses: Option<Vec<ContainerStatus>>,
    container_statuses: Option<Vec<ContainerStatus>>,
    ephemeral_container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    #[serde(rename = "containerID")]
    container_id: Option<String>,
    restart_count: u64,
    state: Option<ContainerState>,
    last_state: Option<ContainerState>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    running: Option<Moments>,
    terminated: Option<Moments>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Moments {
    #[serde(rename = "containerID")]
    container_id: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl PodLogs {
    fn path(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
            None => "/api/v1/pods".into(),
        }
    }

    /// Every pod that matches, by uid, and the version to watch from.
    pub(super) async fn list(
        &self,
        cluster: &Cluster,
    ) -> Result<(BTreeMap<String, Pod>, String), Error> {
        let (mut pods, mut token, mut version) = (BTreeMap::new(), None, None);
        loop {
            let mut params = ListParams::default().limit(PAGE_PODS).labels(&self.label_selector);
            params.continue_token = token;
            let request = Request::new(self.path())
                .list(&params)
                .map_err(|e| Error::Kube(kube::Error::BuildRequest(e)))?;
            // As text, because the client would log the whole answer where it cannot be read.
            let text = in_time(cluster.client.request_text(request)).await?;
            let page: Page =
                serde_json::from_str(&text).map_err(|e| Error::Kube(kube::Error::SerdeError(e)))?;
            let items = page.items.unwrap_or_default().into_iter();
            pods.extend(items.map(|item| (item.metadata.uid.clone(), self.pod(item))));
            // All pages show the moment of the first one.
            version = version.or(page.metadata.resource_version);
            token = page.metadata.continue_.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok((pods, version.unwrap_or_default()));
            }
        }
    }

    /// Every change from a version on, until the server ends the watch.
    pub(super) async fn watch(
        &self,
        cluster: &Cluster,
        version: &str,
        seconds: u32,
    ) -> Result<impl Stream<Item = Result<Change, Error>> + use<>, Error> {
        let params = WatchParams::default().labels(&self.label_selector).timeout(seconds);
        let request = Request::new(self.path())
            .watch(&params, version)
            .map_err(|e| Error::Kube(kube::Error::BuildRequest(e)))?;
        let events = in_time(cluster.client.request_events::<Item>(request)).await;
        let events = match events {
            Ok(events) => events.left_stream(),
            Err(Error::Kube(kube::Error::Api(status))) if status.code == GONE => {
                futures_util::stream::iter([Ok(WatchEvent::Error(status))]).right_stream()
            }
            Err(error) => return Err(error),
        };
        let selection = self.clone();
        Ok(events.flat_map(move |event| futures_util::stream::iter(selection.changes(event))))
    }

    fn changes(&self, event: Result<WatchEvent<Item>, kube::Error>) -> Vec<Result<Change, Error>> {
        match event {
            Ok(WatchEvent::Added(item) | WatchEvent::Modified(item)) => {
                let version = Change::Version(item.metadata.resource_version.clone());
                vec![Ok(Change::Is(item.metadata.uid.clone(), self.pod(item))), Ok(version)]
            }
            Ok(WatchEvent::Deleted(item)) => {
                let version = Change::Version(item.metadata.resource_version.clone());
                // What it ended with is the last that is known of it.
                let uid = item.metadata.uid.clone();
                vec![
                    Ok(Change::Is(uid.clone(), self.pod(item))),
                    Ok(Change::Gone(uid)),
                    Ok(version),
                ]
            }
            Ok(WatchEvent::Bookmark(bookmark)) => {
                vec![Ok(Change::Version(bookmark.metadata.resource_version))]
            }
            Ok(WatchEvent::Error(status)) if status.code == GONE => vec![Ok(Change::Forgotten)],
            Ok(WatchEvent::Error(status)) => vec![Err(kube::Error::Api(status).into())],
            Err(error) => vec![Err(error.into())],
        }
    }

    fn pod(&self, item: Item) -> Pod {
        let Status { init_container_statuses, container_statuses, ephemeral_container_statuses } =
            item.status;
        let all = [init_container_statuses, container_statuses, ephemeral_container_statuses];
        let wanted = all.into_iter().flatten().flatten().filter(|status| self.wants(&status.name));
        let containers = wanted.map(|status| (status.name.clone(), container(&status))).collect();
        Pod { namespace: item.metadata.namespace, name: item.metadata.name, containers }
    }

    fn wants(&self, container: &str) -> bool {
        self.containers.is_empty() || self.containers.iter().any(|name| name == container)
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Error> {
    let answer = answer.map_err(Error::Kube);
    timeout(ANSWER_TIME_MAX, answer).await.unwrap_or(Err(Error::Silent(ANSWER_TIME_MAX)))
}

/// A container that runs has its own log and that of the run before; one that waits has no other
/// log than that of its last run.
fn container(status: &ContainerStatus) -> Container {
    let state = status.state.as_ref();
    let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    let last = last.and_then(|last| run(None, last, true));
    let running = state.and_then(|state| state.running.as_ref());
    let terminated = state.and_then(|state| state.terminated.as_ref());
    let id = status.container_id.as_deref();
    let present = match (running, terminated) {
        (Some(moments), _) => run(id, moments, false),
        (None, Some(moments)) => run(id, moments, true),
        (None, None) => None,
    };
    let (run, previous) = match present {
        Some(present) => (Some(present), last),
        None => (last, None),
    };
    let previous = previous.filter(|previous| run.as_ref().is_some_and(|r| r.id != previous.id));
    Container { run, previous, restarts: status.restart_count }
}

fn run(id: Option<&str>, moments: &Moments, has_ended: bool) -> Option<Run> {
    let id = moments.container_id.as_deref().filter(|id| !id.is_empty()).or(id)?;
    let bare = id.rsplit('/').next().filter(|id| !id.is_empty())?;
    let time = |text: &Option<String>| text.as_deref().and_then(stamp::of_text);
    Some(Run {
        id: bare.chars().take(RUN_ID_CHARS).collect(),
        has_ended,
        started_ns: time(&moments.started_at),
        ended_ns: time(&moments.finished_at).filter(|_| has_ended),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(status: Value) -> (Option<String>, Option<String>, bool) {
        let status: ContainerStatus = serde_json::from_value(status).expect("a status");
        let Container { run, previous, .. } = container(&status);
        let has_ended = run.as_ref().is_some_and(|run| run.has_ended);
        (run.map(|run| run.id), previous.map(|run| run.id), has_ended)
    }

    #[test]
    fn the_log_is_that_of_the_run_that_the_node_would_read() {
        let id = |text: &str| Some(text.to_owned());
        let running = json!({
            "name": "a", "containerID": "containerd://bbb", "state": {"running": {"startedAt": "x"}},
            "lastState": {"terminated": {"containerID": "containerd://aaa"}},
        });
        assert_eq!(read(running), (id("bbb"), id("aaa"), false));
        let ended = json!({
            "name": "a", "containerID": "containerd://aaa",
            "state": {"terminated": {"containerID": "containerd://aaa"}}, "lastState": {},
        });
        assert_eq!(read(ended), (id("aaa"), None, true));
        let crashing = json!({
            "name": "a", "containerID": "containerd://aaa",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"containerID": "containerd://aaa"}},
        });
        assert_eq!(read(crashing), (id("aaa"), None, true));
        let new = json!({"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}});
        assert_eq!(read(new), (None, None, false));
    }
}
