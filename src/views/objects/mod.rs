//! What one row says of a cluster object: its phase in a word, and whether that is as it should be.
//!
//! It says only what the object itself tells. A kind that is not known here is read by the
//! conventions of the cluster's own kinds: a `phase`, else a condition `Ready` or `Available`.

mod any;

mod network;

mod nodes;

mod pods;

mod scaling;

mod storage;

mod workloads;

pub(super) use pods::ORDINARY_WAITS;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Body, Object, trouble};
use crate::event::{Millis, ObjectDeleted, ObjectObserved, ObjectRef};

/// The phase of what cannot be read.
const UNKNOWN: &str = "Unknown";

/// The row of a living object.
pub fn living(event: &ObjectObserved, body: Body) -> Object {
    let summary = Summary::of(&event.object, &event.body);
    Object {
        object: event.object.clone(),
        source: event.source.clone(),
        phase: summary.said.phase,
        healthy: summary.said.healthy,
        detail: summary.said.detail,
        created: summary.created,
        trouble: trouble::of(event, summary.said.healthy, body.learned),
        body,
    }
}

/// The row of an object that is gone: its last state.
pub fn gone(event: &ObjectDeleted, body: Body) -> Object {
    let summary = Summary::of(&event.object, &event.body);
    Object {
        object: event.object.clone(),
        source: event.source.clone(),
        phase: summary.said.phase,
        healthy: true,
        detail: summary.said.detail,
        created: summary.created,
        trouble: None,
        body,
    }
}

#[derive(Debug, PartialEq)]
struct Summary {
    said: Said,
    created: Option<Millis>,
}

/// What a kind's own reader makes of a body.
#[derive(Debug, PartialEq)]
struct Said {
    phase: String,
    healthy: bool,
    detail: String,
}

impl Said {
    fn new(phase: impl Into<String>, healthy: bool, detail: impl Into<String>) -> Said {
        Said { phase: phase.into(), healthy, detail: detail.into() }
    }

    fn well(phase: impl Into<String>, detail: impl Into<String>) -> Said {
        Said::new(phase, true, detail)
    }

    fn unwell(phase: impl Into<String>, detail: impl Into<String>) -> Said {
        Said::new(phase, false, detail)
    }
}

impl Summary {
    /// A body that cannot be read as its kind gives the phase `Unknown`.
    fn of(object: &ObjectRef, body: &str) -> Summary {
        let group = object.api_version.split_once('/').map_or("", |(group, _)| group);
        match (group, object.kind.as_str()) {
            ("", "Pod") => read(body, pods::read),
            ("", "Node") => read(body, nodes::read),
            ("apps", "Deployment") => read(body, workloads::deployment),
            ("apps", "ReplicaSet") => read(body, workloads::replica_set),
            ("apps", "StatefulSet") => read(body, workloads::stateful_set),
            ("apps", "DaemonSet") => read(body, workloads::daemon_set),
            ("batch", "Job") => read(body, workloads::job),
            ("batch", "CronJob") => read(body, workloads::cron_job),
            ("autoscaling", "HorizontalPodAutoscaler") => read(body, scaling::read),
            ("", "PersistentVolumeClaim") => read(body, storage::claim),
            ("", "PersistentVolume") => read(body, storage::volume),
            ("", "Service") => read(body, network::service),
            ("networking.k8s.io", "Ingress") => read(body, network::ingress),
            _ => read(body, any::read),
        }
    }
}

/// Reads what a kind's own reader needs; a body that does not fit it is of an unknown phase.
fn read<Spec, Status>(body: &str, reader: fn(Spec, Status) -> Said) -> Summary
where
    Spec: Default + DeserializeOwned,
    Status: Default + DeserializeOwned,
{
    let Ok(Shape { metadata, spec, status }) = serde_json::from_str::<Shape<Spec, Status>>(body)
    else {
        return Summary { said: Said::unwell(UNKNOWN, ""), created: None };
    };
    let said = reader(spec, status);
    let said = if metadata.deletion_timestamp.is_some() { ending(said) } else { said };
    Summary { said, created: metadata.creation_timestamp.as_deref().and_then(millis_of) }
}

/// That an object is being deleted comes before all else. Only what keeps it from going is wrong.
fn ending(said: Said) -> Said {
    Said { phase: "Terminating".into(), healthy: said.phase != any::STUCK, ..said }
}

/// RFC 3339 to milliseconds.
pub(super) fn millis_of(text: &str) -> Option<Millis> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_microsecond() as f64 / 1000.0)
}

/// The parts of a body that a row needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound = "Spec: Default + DeserializeOwned, Status: Default + DeserializeOwned")]
struct Shape<Spec, Status> {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    creation_timestamp: Option<String>,
    deletion_timestamp: Option<String>,
}

/// A condition, as most kinds have them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    name: String,
    status: String,
    reason: Option<String>,
    message: Option<String>,
}

impl Condition {
    fn is_true(&self) -> bool {
        self.status == "True"
    }

    fn is_false(&self) -> bool {
        self.status == "False"
    }

    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}

fn find<'a>(conditions: &'a [Condition], name: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.name == name)
}

/// Parts that say something, joined.
fn joined<const N: usize>(parts: [&str; N]) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

#[cfg(test)]
fn said(api_version: &str, kind: &str, body: serde_json::Value) -> (String, bool, String) {
    said_of_text(api_version, kind, &body.to_string())
}

#[cfg(test)]
fn said_of_text(api_version: &str, kind: &str, body: &str) -> (String, bool, String) {
    let object = ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: "ns".into(),
        name: "n".into(),
        uid: "u".into(),
    };
    let Said { phase, healthy, detail } = Summary::of(&object, body).said;
    (phase, healthy, detail)
}

#[cfg(test)]
fn row(phase: &str, healthy: bool, detail: &str) -> (String, bool, String) {
    (phase.into(), healthy, detail.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_being_deleted_says_so_before_all_else() {
        let ending = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        for (api_version, kind) in [
            ("v1", "Pod"),
            ("apps/v1", "Deployment"),
            ("v1", "PersistentVolumeClaim"),
            ("a/v1", "X"),
        ] {
            let (phase, healthy, _) = said(api_version, kind, json!({"metadata": ending}));
            assert_eq!((phase.as_str(), healthy), ("Terminating", true), "{kind}");
        }
    }

    #[test]
    fn a_body_that_cannot_be_read_has_an_unknown_phase() {
        for (api_version, kind) in [
            ("v1", "Pod"),
            ("v1", "Node"),
            ("apps/v1", "Deployment"),
            ("apps/v1", "ReplicaSet"),
            ("apps/v1", "StatefulSet"),
            ("apps/v1", "DaemonSet"),
            ("batch/v1", "Job"),
            ("batch/v1", "CronJob"),
            ("autoscaling/v2", "HorizontalPodAutoscaler"),
            ("v1", "PersistentVolumeClaim"),
            ("v1", "PersistentVolume"),
            ("v1", "Service"),
            ("networking.k8s.io/v1", "Ingress"),
            ("v1", "Namespace"),
        ] {
            let (phase, healthy, _) = said_of_text(api_version, kind, "not json");
            assert_eq!((phase.as_str(), healthy), ("Unknown", false), "{kind}");
            let odd = said(api_version, kind, json!({"status": 5, "spec": []}));
            assert!(odd.0 == "Unknown" || odd.0.is_empty(), "{kind}: {odd:?}");
        }
    }

    #[test]
    fn another_groups_kind_of_the_same_name_is_not_mistaken() {
        let body = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!(said("serving.knative.dev/v1", "Service", body), row("Ready", true, ""));
    }
}
