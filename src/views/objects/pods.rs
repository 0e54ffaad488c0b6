//! Pods: a container's trouble comes before the pod's own phase.

use serde::{Deserialize, de::IgnoredAny};

use super::Said;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    phase: Option<String>,
    reason: Option<String>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
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
pub(in crate::views) const ORDINARY_WAITS: [&str; 2] = ["ContainerCreating", "PodInitializing"];

pub fn read(_spec: IgnoredAny, status: Status) -> Said {
    let containers = &status.container_statuses;
    let phase = phase(&status);
    let ready = containers.iter().filter(|c| c.ready).count();
    let healthy = match phase.as_str() {
        "Running" => ready == containers.len(),
        "Succeeded" | "Completed" => true,
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
    Said::new(phase, healthy, detail)
}

/// The most telling word: a container's trouble before the pod's own phase.
fn phase(status: &Status) -> String {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{row, said};

    #[test]
    fn a_container_in_trouble_names_the_pods_phase() {
        let of = |status| said("v1", "Pod", json!({"status": status}));
        let looping = of(json!({"phase": "Running", "containerStatuses": [{
            "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}));
        let detail = "ready 0/1, restarts 3, last OOMKilled (137)";
        assert_eq!(looping, row("CrashLoopBackOff", false, detail));
        let running = json!({"phase": "Running", "containerStatuses": [{"ready": true}]});
        assert_eq!(of(running), row("Running", true, "ready 1/1"));
        assert_eq!(of(json!({"phase": "Pending"})), row("Pending", false, "ready 0/0"));
        assert_eq!(of(json!({"phase": "Succeeded"})), row("Succeeded", true, "ready 0/0"));
    }
}
