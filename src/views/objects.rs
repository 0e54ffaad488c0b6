//! What one row says of a cluster object: its phase in a word, and whether that is as it should be.

use serde::Deserialize;

use super::{Body, Object, trouble};
use crate::event::{Millis, ObjectDeleted, ObjectObserved};

/// The row of a living object.
pub fn living(event: &ObjectObserved, body: Body) -> Object {
    let summary = Summary::of(&event.object.kind, &event.body);
    Object {
        object: event.object.clone(),
        source: event.source.clone(),
        phase: summary.phase,
        healthy: summary.healthy,
        detail: summary.detail,
        created: summary.created,
        trouble: trouble::of(event, summary.healthy, body.learned),
        body,
    }
}

/// The row of an object that is gone: its last state.
pub fn gone(event: &ObjectDeleted, body: Body) -> Object {
    let summary = Summary::of(&event.object.kind, &event.body);
    Object {
        object: event.object.clone(),
        source: event.source.clone(),
        phase: summary.phase,
        healthy: true,
        detail: summary.detail,
        created: summary.created,
        trouble: None,
        body,
    }
}

#[derive(Debug, PartialEq)]
struct Summary {
    phase: String,
    healthy: bool,
    detail: String,
    created: Option<Millis>,
}

impl Summary {
    /// A body that cannot be read as its kind gives the phase `Unknown`.
    fn of(kind: &str, body: &str) -> Summary {
        let shape: Shape = serde_json::from_str(body).unwrap_or_default();
        let (phase, healthy, detail) = match kind {
            "Pod" => pod(&shape),
            "Node" => node(&shape),
            "Deployment" => deployment(&shape),
            _ => (shape.status.phase.clone().unwrap_or_default(), true, String::new()),
        };
        let created = shape.metadata.creation_timestamp.as_deref().and_then(millis_of);
        Summary { phase, healthy, detail, created }
    }
}

/// RFC 3339 to milliseconds.
pub(super) fn millis_of(text: &str) -> Option<Millis> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_microsecond() as f64 / 1000.0)
}

/// The parts of a body that a row needs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shape {
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

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    replicas: Option<u64>,
    unschedulable: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: Option<String>,
    reason: Option<String>,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
    ready_replicas: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    name: String,
    status: String,
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    ready: bool,
    restart_count: u64,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerState {
    waiting: Option<Because>,
    terminated: Option<Because>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Because {
    reason: Option<String>,
    exit_code: Option<i64>,
}

/// Reasons for which a container waits in the course of an ordinary start.
pub(super) const ORDINARY_WAITS: [&str; 2] = ["ContainerCreating", "PodInitializing"];

fn pod(shape: &Shape) -> (String, bool, String) {
    let status = &shape.status;
    let containers = &status.container_statuses;
    let phase = pod_phase(shape);
    let ready = containers.iter().filter(|c| c.ready).count();
    let healthy = match phase.as_str() {
        "Running" => ready == containers.len(),
        "Succeeded" | "Completed" | "Terminating" => true,
        _ => false,
    };
    let restarts: u64 = containers.iter().map(|c| c.restart_count).sum();
    let mut detail = format!("ready {ready}/{}", containers.len());
    if restarts > 0 {
        detail += &format!(", restarts {restarts}");
    }
    if let Some(last) = containers.iter().find_map(|c| c.last_state.terminated.as_ref()) {
        let reason = last.reason.as_deref().unwrap_or("ended");
        detail += &format!(", last {reason}");
        if let Some(code) = last.exit_code {
            detail += &format!(" ({code})");
        }
    }
    (phase, healthy, detail)
}

/// The most telling word: a container's trouble before the pod's own phase.
fn pod_phase(shape: &Shape) -> String {
    let status = &shape.status;
    if shape.metadata.deletion_timestamp.is_some() {
        return "Terminating".into();
    }
    if let Some(reason) = &status.reason {
        return reason.clone();
    }
    let mut states = status.init_container_statuses.iter().chain(&status.container_statuses);
    let trouble = states.find_map(|c| {
        let waiting = c.state.waiting.as_ref().and_then(|w| w.reason.as_deref());
        let failed = c.state.terminated.as_ref().filter(|t| t.exit_code != Some(0));
        waiting
            .filter(|reason| !ORDINARY_WAITS.contains(reason))
            .or(failed.and_then(|t| t.reason.as_deref()))
    });
    trouble.or(status.phase.as_deref()).unwrap_or("Unknown").to_owned()
}

fn node(shape: &Shape) -> (String, bool, String) {
    let conditions = &shape.status.conditions;
    let ready = conditions.iter().find(|c| c.name == "Ready");
    let is_ready = ready.is_some_and(|c| c.status == "True");
    let pressure = conditions
        .iter()
        .filter(|c| c.name != "Ready" && c.status == "True")
        .map(|c| c.name.as_str())
        .collect::<Vec<_>>();
    let phase = match ready {
        Some(_) if is_ready => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let mut detail = pressure.join(", ");
    if !is_ready && detail.is_empty() {
        detail = ready.and_then(|c| c.reason.clone()).unwrap_or_default();
    }
    if shape.spec.unschedulable {
        detail = [detail.as_str(), "cordoned"].join(" ").trim().to_owned();
    }
    (phase.into(), is_ready && pressure.is_empty(), detail)
}

fn deployment(shape: &Shape) -> (String, bool, String) {
    let wanted = shape.spec.replicas.unwrap_or(1);
    let ready = shape.status.ready_replicas;
    let phase = if ready >= wanted {
        "Available"
    } else if ready == 0 {
        "Unavailable"
    } else {
        "Degraded"
    };
    (phase.into(), ready >= wanted, format!("ready {ready}/{wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, body: &str, phase: &str, healthy: bool, detail: &str) {
        let summary = Summary::of(kind, body);
        let got = (summary.phase.as_str(), summary.healthy, summary.detail.as_str());
        assert_eq!(got, (phase, healthy, detail));
    }

    #[test]
    fn a_container_in_trouble_names_the_pods_phase() {
        check(
            "Pod",
            r#"{"status":{"phase":"Running","containerStatuses":[{"ready":false,"restartCount":3,
                "state":{"waiting":{"reason":"CrashLoopBackOff"}},
                "lastState":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}}"#,
            "CrashLoopBackOff",
            false,
            "ready 0/1, restarts 3, last OOMKilled (137)",
        );
        check(
            "Pod",
            r#"{"status":{"phase":"Running","containerStatuses":[{"ready":true}]}}"#,
            "Running",
            true,
            "ready 1/1",
        );
        check("Pod", r#"{"status":{"phase":"Pending"}}"#, "Pending", false, "ready 0/0");
    }

    #[test]
    fn a_node_is_healthy_when_ready_and_without_pressure() {
        let ready = r#"{"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#;
        check("Node", ready, "Ready", true, "");
        let lost = r#"{"status":{"conditions":[{"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown"}]}}"#;
        check("Node", lost, "NotReady", false, "NodeStatusUnknown");
        let full = r#"{"status":{"conditions":[{"type":"DiskPressure","status":"True"},{"type":"Ready","status":"True"}]}}"#;
        check("Node", full, "Ready", false, "DiskPressure");
    }

    #[test]
    fn a_deployment_is_healthy_when_all_wanted_replicas_are_ready() {
        let short = r#"{"spec":{"replicas":3},"status":{"readyReplicas":2}}"#;
        check("Deployment", short, "Degraded", false, "ready 2/3");
        let idle = r#"{"spec":{"replicas":0},"status":{}}"#;
        check("Deployment", idle, "Available", true, "ready 0/0");
    }

    #[test]
    fn an_unreadable_body_has_an_unknown_phase() {
        check("Pod", "not json", "Unknown", false, "ready 0/0");
    }
}
