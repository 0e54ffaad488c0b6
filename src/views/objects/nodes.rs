//! Nodes: ready, and without pressure.

use serde::Deserialize;

use super::{Condition, Said, find};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    unschedulable: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    conditions: Vec<Condition>,
}

pub fn read(spec: Spec, status: Status) -> Said {
    let conditions = &status.conditions;
    let ready = find(conditions, "Ready");
    let is_ready = ready.is_some_and(Condition::is_true);
    let pressure = conditions
        .iter()
        .filter(|c| c.name != "Ready" && c.is_true())
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
    if spec.unschedulable {
        detail = [detail.as_str(), "cordoned"].join(" ").trim().to_owned();
    }
    Said::new(phase, is_ready && pressure.is_empty(), detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{row, said};

    #[test]
    fn a_node_is_well_when_it_is_ready_and_without_pressure() {
        let of = |conditions| said("v1", "Node", json!({"status": {"conditions": conditions}}));
        let ready = json!({"type": "Ready", "status": "True"});
        assert_eq!(of(json!([ready])), row("Ready", true, ""));
        let lost = json!([{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]);
        assert_eq!(of(lost), row("NotReady", false, "NodeStatusUnknown"));
        let full = json!([{"type": "DiskPressure", "status": "True"}, ready]);
        assert_eq!(of(full), row("Ready", false, "DiskPressure"));
        let cordoned = json!({"spec": {"unschedulable": true}, "status": {"conditions": [ready]}});
        assert_eq!(said("v1", "Node", cordoned), row("Ready", true, "cordoned"));
    }
}
