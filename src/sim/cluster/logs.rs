//! The logs of containers, as the API server passes them on from the kubelet.
//!
//! A log is a pure function of the id of its run and of time: nothing is stored, and whoever asks
//! again is told the same.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::body::Frame;
use serde_json::Value;

use super::{
    Shared,
    log_lines::{Line, RunLog},
    objects::has_condition,
    resources::{ObjectKey, Resource},
    status::Refusal,
};
use crate::event::{Millis, now};

/// How often a log that is followed has something new.
const FOLLOW_TICK: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Debug, Clone, Default)]
struct Asked {
    container: Option<String>,
    follow: bool,
    previous: bool,
    timestamps: bool,
    since: Option<Millis>,
    tail_lines: Option<usize>,
}

/// A run of a container.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    id: String,
    started: Millis,
    /// `None` while it runs.
    ended: Option<Millis>,
}

/// The pod whose log a path asks for; `None` for another path.
pub(super) fn pod_of(path: &str) -> Option<ObjectKey> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["api", "v1", "namespaces", namespace, "pods", pod, "log"] = parts.as_slice() else {
        return None;
    };
    Some(Resource::of_kind("Pod")?.key(namespace, pod))
}

/// The frames of an answer, which go on while a log is followed.
pub(super) fn log(
    shared: &Arc<Shared>,
    key: ObjectKey,
    query: &str,
) -> Result<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + use<>, Refusal> {
    let asked = Asked::parse(query)?;
    let (run, name) = find(shared, &key, &asked)?;
    let log = RunLog::of(&name, &run.id, run.started);
    let until = end_of(&run);
    let since = asked.since.unwrap_or(Millis::NEG_INFINITY);
    let mut first = log.between(since, until);
    if let Some(count) = asked.tail_lines {
        first.drain(..first.len().saturating_sub(count));
    }
    let follows = asked.follow && run.ended.is_none();
    let following =
        Following { shared: Arc::clone(shared), key, asked, run, log, until: until.max(since) };
    let first = text_of(&first, following.asked.timestamps);
    Ok(stream::unfold(
        (Some(first), following, follows),
        |(first, mut following, follows)| async move {
            let text = match first {
                Some(first) if !first.is_empty() => first,
                _ if !follows => return None,
                _ => following.next().await?,
            };
            Some((Ok(Frame::data(Bytes::from(text))), (None, following, follows)))
        },
    ))
}

struct Following {
    shared: Arc<Shared>,
    key: ObjectKey,
    asked: Asked,
    run: Run,
    log: RunLog,
    until: Millis,
}

impl Following {
    /// What is written next; `None` when the run has ended, and all was told.
    async fn next(&mut self) -> Option<String> {
        loop {
            tokio::time::sleep(FOLLOW_TICK).await;
            let present = find(&self.shared, &self.key, &self.asked);
            // The answers of a lost node stand still.
            if present.as_ref().is_err_and(|refusal| refusal.code.is_server_error()) {
                continue;
            }
            let run = present.ok().map(|(run, _)| run).filter(|run| run.id == self.run.id);
            let is_over = run.as_ref().is_none_or(|run| run.ended.is_some());
            let until = run.map_or(self.until, |run| end_of(&run));
            let lines = self.log.between(self.until, until);
            self.until = until.max(self.until);
            if !lines.is_empty() {
                return Some(text_of(&lines, self.asked.timestamps));
            }
            if is_over {
                return None;
            }
        }
    }
}

/// A run that has ended wrote until the end of the second that its end is told in.
fn end_of(run: &Run) -> Millis {
    run.ended.map_or_else(now, |ended| ended + 1000.0)
}

fn text_of(lines: &[Line], timestamps: bool) -> String {
    let line = |line: &Line| match timestamps {
        true => format!("{} {}\n", line.stamp, line.text),
        false => format!("{}\n", line.text),
    };
    lines.iter().map(line).collect()
}

/// The run whose log is asked for, and the name of its container.
fn find(shared: &Shared, key: &ObjectKey, asked: &Asked) -> Result<(Run, String), Refusal> {
    let store = shared.store();
    let pod = store.get(key).ok_or_else(|| Refusal::no_such_object(key.plural, &key.name))?;
    let containers = pod["spec"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names = containers.iter().filter_map(|container| container["name"].as_str());
    let name = match &asked.container {
        Some(wanted) => names.find(|name| name == wanted),
        None => names.next(),
    };
    let name = name.ok_or_else(|| {
        let wanted = asked.container.as_deref().unwrap_or_default();
        Refusal::bad_request(format!("container {wanted} is not valid for pod {}", key.name))
    })?;
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let node_key = Resource::of_kind("Node").map(|nodes| nodes.key("", node));
    let found = node_key.and_then(|key| store.get(&key));
    if found.is_some_and(|found| !has_condition(&found, "Ready")) {
        return Err(Refusal::internal(format!(
            "Get \"https://{node}:10250/containerLogs/{}/{}/{name}\": dial tcp: i/o timeout",
            key.namespace, key.name
        )));
    }
    let status = &pod["status"]["containerStatuses"][0];
    let run = if asked.previous { None } else { running(status) };
    let run = run.or_else(|| terminated(&status["lastState"]));
    let run = run.ok_or_else(|| match asked.previous {
        true => Refusal::bad_request(format!(
            "previous terminated container \"{name}\" in pod \"{}\" not found",
            key.name
        )),
        false => Refusal::bad_request(format!(
            "container \"{name}\" in pod \"{}\" is waiting to start: {}",
            key.name,
            status["state"]["waiting"]["reason"].as_str().unwrap_or("ContainerCreating")
        )),
    })?;
    Ok((run, name.to_owned()))
}

fn running(status: &Value) -> Option<Run> {
    let started = time(&status["state"]["running"]["startedAt"])?;
    let id = status["containerID"].as_str()?.to_owned();
    Some(Run { id, started, ended: None })
}

fn terminated(state: &Value) -> Option<Run> {
    let state = &state["terminated"];
    let id = state["containerID"].as_str()?.to_owned();
    Some(Run { id, started: time(&state["startedAt"])?, ended: Some(time(&state["finishedAt"])?) })
}

fn time(field: &Value) -> Option<Millis> {
    let stamp: jiff::Timestamp = field.as_str()?.parse().ok()?;
    Some(stamp.as_millisecond() as Millis)
}

impl Asked {
    fn parse(query: &str) -> Result<Asked, Refusal> {
        let mut asked = Asked::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let invalid = || Refusal::bad_request(format!("invalid {name}: {value:?}"));
            match name.as_ref() {
                "container" => asked.container = Some(value.into_owned()),
                "follow" => asked.follow = value == "true",
                "previous" => asked.previous = value == "true",
                "timestamps" => asked.timestamps = value == "true",
                "sinceTime" => {
                    let since: jiff::Timestamp = value.parse().map_err(|_| invalid())?;
                    asked.since = Some(since.as_millisecond() as Millis);
                }
                "sinceSeconds" => {
                    let seconds: u32 = value.parse().map_err(|_| invalid())?;
                    asked.since = Some(now() - f64::from(seconds) * 1000.0);
                }
                "tailLines" => asked.tail_lines = Some(value.parse().map_err(|_| invalid())?),
                // Others change nothing that matters here.
                _ => {}
            }
        }
        Ok(asked)
    }
}
