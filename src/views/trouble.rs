//! What is wrong with an object, as its body tells it: kept with the object's row, so that problems
//! are found without reading any body again. Most objects have no trouble, and keep nothing.

use serde::Deserialize;

use super::{
    objects::{ORDINARY_WAITS, millis_of},
    problems::LOOK_BACK,
};
use crate::event::{Millis, ObjectObserved};

/// A message of the cluster is kept up to so many bytes: what matters stands at its beginning.
const MESSAGE_BYTES_MAX: usize = 240;

/// Containers and conditions that are kept at most; a pod with more has other worries.
const PARTS_MAX: usize = 8;

/// What is wrong with an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trouble {
    /// The workload that made it, where one did.
    pub owner: Option<Owner>,
    /// Its conditions, those of interest.
    pub conditions: Vec<Condition>,
    /// Its containers in trouble.
    pub containers: Vec<Container>,
    /// Replicas that are ready, and that are wanted; of a workload that has fewer than it wants.
    pub replicas: Option<(u64, u64)>,
}

/// The workload that made an object: for a pod of a deployment's replica set, the deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// For example `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A condition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    /// For example `Ready`.
    pub name: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word; may be empty.
    pub reason: String,
    /// Human text; may be empty.
    pub message: String,
    /// When it came to this status.
    pub since: Option<Millis>,
}

/// A container that waits for something else than its ordinary start, or that has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The image that it runs.
    pub image: String,
    /// How often it was started again.
    pub restarts: u64,
    /// What it waits for, for example `CrashLoopBackOff`, and the message.
    pub waiting: Option<(String, String)>,
    /// How it failed last, where that was shortly before the record.
    pub failed: Option<Failed>,
}

/// How a container failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// For example `OOMKilled` or `Error`.
    pub reason: String,
    /// Its exit code, where there was one.
    pub exit_code: Option<i64>,
    /// When.
    pub at: Option<Millis>,
}

/// What is wrong with an object whose record was learned then; `None` where nothing is.
pub fn of(event: &ObjectObserved, healthy: bool, learned: Millis) -> Option<Box<Trouble>> {
    let (kind, body) = (event.object.kind.as_str(), event.body.as_str());
    // Parsing twice is for those alone that may have something to tell.
    let may_tell = match kind {
        "Pod" => !healthy || body.contains("\"terminated\":"),
        "Node" | "Deployment" => !healthy,
        "StatefulSet" | "DaemonSet" => true,
        "Job" => body.contains("\"Failed\""),
        _ => false,
    };
    if !may_tell {
        return None;
    }
    let shape: Shape = serde_json::from_str(body).ok()?;
    let trouble = shape.trouble(kind, healthy, learned);
    (trouble != Trouble::default()).then(|| Box::new(trouble))
}

impl Trouble {
    /// A condition by its name.
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.name == name)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shape {
    metadata: MetadataShape,
    spec: SpecShape,
    status: StatusShape,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MetadataShape {
    deletion_timestamp: Option<String>,
    labels: Labels,
    owner_references: Vec<OwnerShape>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    #[serde(rename = "pod-template-hash")]
    template_hash: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnerShape {
    kind: String,
    name: String,
    controller: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpecShape {
    replicas: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusShape {
    conditions: Vec<ConditionShape>,
    init_container_statuses: Vec<ContainerShape>,
    container_statuses: Vec<ContainerShape>,
    ready_replicas: u64,
    desired_number_scheduled: u64,
    number_ready: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConditionShape {
    #[serde(rename = "type")]
    name: String,
    status: String,
    reason: String,
    message: String,
    last_transition_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerShape {
    name: String,
    image: String,
    restart_count: u64,
    state: ContainerStateShape,
    last_state: ContainerStateShape,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerStateShape {
    waiting: Option<WaitingShape>,
    terminated: Option<TerminatedShape>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WaitingShape {
    reason: String,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TerminatedShape {
    reason: String,
    exit_code: Option<i64>,
    finished_at: Option<String>,
}

impl Shape {
    fn trouble(self, kind: &str, healthy: bool, learned: Millis) -> Trouble {
        match kind {
            // What is on its way out is nobody's trouble any more.
            "Pod" if self.metadata.deletion_timestamp.is_some() => Trouble::default(),
            "Pod" => self.pod(healthy, learned),
            "Deployment" | "StatefulSet" => {
                let replicas = (self.status.ready_replicas, self.spec.replicas.unwrap_or(1));
                self.workload(replicas)
            }
            "DaemonSet" => {
                let replicas = (self.status.number_ready, self.status.desired_number_scheduled);
                self.workload(replicas)
            }
            _ => Trouble { conditions: self.conditions(), ..Trouble::default() },
        }
    }

    fn pod(self, healthy: bool, learned: Millis) -> Trouble {
        let conditions = if healthy { Vec::new() } else { self.conditions() };
        let owner = self.metadata.owner();
        let StatusShape { init_container_statuses, container_statuses, .. } = self.status;
        let containers = init_container_statuses.into_iter().chain(container_statuses);
        let containers: Vec<_> =
            containers.filter_map(|container| container.trouble(learned)).take(PARTS_MAX).collect();
        if healthy && containers.is_empty() {
            return Trouble::default();
        }
        Trouble { owner, conditions, containers, replicas: None }
    }

    fn workload(&self, (ready, wanted): (u64, u64)) -> Trouble {
        if ready >= wanted {
            return Trouble::default();
        }
        let replicas = Some((ready, wanted));
        Trouble { conditions: self.conditions(), replicas, ..Trouble::default() }
    }

    fn conditions(&self) -> Vec<Condition> {
        let conditions = self.status.conditions.iter().take(PARTS_MAX);
        let kept = conditions.map(|condition| Condition {
            name: condition.name.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: beginning(&condition.message),
            since: condition.last_transition_time.as_deref().and_then(millis_of),
        });
        kept.collect()
    }
}

impl MetadataShape {
    fn owner(&self) -> Option<Owner> {
        let owner = self.owner_references.iter().find(|owner| owner.controller)?;
        let hash = self.labels.template_hash.as_deref();
        let deployment = hash.and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
        let (kind, name) = match deployment.filter(|_| owner.kind == "ReplicaSet") {
            Some(deployment) => ("Deployment", deployment),
            None => (owner.kind.as_str(), owner.name.as_str()),
        };
        Some(Owner { kind: kind.to_owned(), name: name.to_owned() })
    }
}

impl ContainerShape {
    fn trouble(self, learned: Millis) -> Option<Container> {
        let waiting = self.state.waiting.filter(|waiting| {
            !waiting.reason.is_empty() && !ORDINARY_WAITS.contains(&waiting.reason.as_str())
        });
        let ended = self.state.terminated.or(self.last_state.terminated);
        let failed = ended.and_then(|ended| ended.failed(learned));
        if waiting.is_none() && failed.is_none() {
            return None;
        }
        Some(Container {
            name: self.name,
            image: self.image,
            restarts: self.restart_count,
            waiting: waiting.map(|waiting| (waiting.reason, beginning(&waiting.message))),
            failed,
        })
    }
}

impl TerminatedShape {
    /// What was before the look-back of the record is before that of every later moment.
    fn failed(self, learned: Millis) -> Option<Failed> {
        let at = self.finished_at.as_deref().and_then(millis_of);
        let is_recent = at.is_none_or(|at| learned - at < LOOK_BACK.as_secs_f64() * 1000.0);
        let is_failure = self.exit_code != Some(0);
        (is_recent && is_failure).then_some(Failed {
            reason: self.reason,
            exit_code: self.exit_code,
            at,
        })
    }
}

fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(MESSAGE_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Extensions, ObjectRef};

    fn trouble(kind: &str, body: &str, healthy: bool, learned: Millis) -> Option<Trouble> {
        let object = ObjectRef {
            api_version: "v1".into(),
            kind: kind.into(),
            namespace: "default".into(),
            name: "a".into(),
            uid: "u".into(),
        };
        let event = ObjectObserved {
            object,
            source: format!("cluster/{kind}"),
            resource_version: "1".into(),
            body: body.into(),
            ext: Extensions::default(),
        };
        of(&event, healthy, learned).map(|trouble| *trouble)
    }

    const KILLED: &str = r#"{"metadata":{"labels":{"pod-template-hash":"7d9"},"ownerReferences":[
        {"kind":"ReplicaSet","name":"app-server-7d9","controller":true}]},
        "status":{"containerStatuses":[{"name":"main","image":"i:1","restartCount":4,
        "state":{"running":{}},"lastState":{"terminated":{"reason":"OOMKilled","exitCode":137,
        "finishedAt":"1970-01-01T00:10:00Z"}}}]}}"#;

    #[test]
    fn a_pod_that_was_killed_shortly_before_has_trouble_though_it_runs() {
        let trouble = trouble("Pod", KILLED, true, 700_000.0).unwrap();
        let owner = Owner { kind: "Deployment".into(), name: "app-server".into() };
        assert_eq!(trouble.owner, Some(owner));
        let failed = trouble.containers[0].failed.clone().unwrap();
        assert_eq!((failed.reason.as_str(), failed.at), ("OOMKilled", Some(600_000.0)));
        assert_eq!(trouble.containers[0].restarts, 4);
    }

    #[test]
    fn what_was_long_before_is_no_trouble() {
        assert_eq!(trouble("Pod", KILLED, true, 2_000_000.0), None);
    }

    #[test]
    fn a_pod_that_starts_ends_or_completed_has_none() {
        let starting = r#"{"status":{"containerStatuses":[{"state":
            {"waiting":{"reason":"ContainerCreating"}}}]}}"#;
        assert_eq!(trouble("Pod", starting, false, 0.0), None);
        let leaving = r#"{"metadata":{"deletionTimestamp":"1970-01-01T00:00:00Z"},
            "status":{"containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}"#;
        assert_eq!(trouble("Pod", leaving, true, 0.0), None);
        let completed =
            r#"{"status":{"containerStatuses":[{"state":{"terminated":{"exitCode":0}}}]}}"#;
        assert_eq!(trouble("Pod", completed, true, 0.0), None);
    }

    #[test]
    fn a_workload_has_trouble_while_replicas_are_missing() {
        let short = r#"{"spec":{"replicas":3},"status":{"readyReplicas":1}}"#;
        assert_eq!(trouble("StatefulSet", short, true, 0.0).unwrap().replicas, Some((1, 3)));
        let whole = r#"{"status":{"desiredNumberScheduled":2,"numberReady":2}}"#;
        assert_eq!(trouble("DaemonSet", whole, true, 0.0), None);
    }

    #[test]
    fn a_long_message_is_kept_up_to_its_bound() {
        let message = "\u{e4}".repeat(500);
        let body = format!(
            r#"{{"status":{{"conditions":[{{"type":"Ready","status":"False","message":"{message}"}}]}}}}"#
        );
        let trouble = trouble("Node", &body, false, 0.0).unwrap();
        assert_eq!(trouble.condition("Ready").unwrap().message.len(), MESSAGE_BYTES_MAX);
    }
}
