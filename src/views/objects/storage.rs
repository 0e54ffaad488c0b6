//! Volumes and claims to them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Condition, Said, UNKNOWN, joined};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    storage_class_name: Option<String>,
    capacity: BTreeMap<String, String>,
    claim_ref: Option<ClaimRef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClaimRef {
    namespace: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    phase: Option<String>,
    message: Option<String>,
    capacity: BTreeMap<String, String>,
    conditions: Vec<Condition>,
}

fn phase(status: &Status) -> String {
    status.phase.clone().unwrap_or_else(|| UNKNOWN.into())
}

fn storage(capacity: &BTreeMap<String, String>) -> &str {
    capacity.get("storage").map_or("", String::as_str)
}

/// A claim is well when it has its volume. One that waits for its first pod is pending too: the
/// claim does not tell which of the two it is.
pub fn claim(spec: Spec, status: Status) -> Said {
    let phase = phase(&status);
    let underway = status.conditions.iter().filter(|c| c.is_true()).map(|c| c.name.as_str());
    let underway = underway.collect::<Vec<_>>().join(", ");
    let class = spec.storage_class_name.unwrap_or_default();
    let detail = joined([storage(&status.capacity), &class, &underway]);
    let is_bound = phase == "Bound";
    Said::new(phase, is_bound, detail)
}

/// A volume that was released waits for somebody to reuse or delete it, which is as it should be.
pub fn volume(spec: Spec, status: Status) -> Said {
    let phase = phase(&status);
    let claim = spec.claim_ref.map(|claim| format!("{}/{}", claim.namespace, claim.name));
    let class = spec.storage_class_name.unwrap_or_default();
    let detail = joined([
        storage(&spec.capacity),
        &class,
        &claim.unwrap_or_default(),
        &status.message.unwrap_or_default(),
    ]);
    let healthy = phase != "Failed" && phase != UNKNOWN;
    Said::new(phase, healthy, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{row, said};

    #[test]
    fn a_claim_is_well_when_it_is_bound() {
        let of = |status| {
            let body = json!({"spec": {"storageClassName": "fast"}, "status": status});
            said("v1", "PersistentVolumeClaim", body)
        };
        let bound = json!({"phase": "Bound", "capacity": {"storage": "10Gi"},
            "conditions": [{"type": "Resizing", "status": "True"}]});
        assert_eq!(of(bound), row("Bound", true, "10Gi, fast, Resizing"));
        assert_eq!(of(json!({"phase": "Pending"})), row("Pending", false, "fast"));
        assert_eq!(of(json!({"phase": "Lost"})), row("Lost", false, "fast"));
    }

    #[test]
    fn a_volume_is_unwell_when_it_failed() {
        let of = |status| {
            let body = json!({"spec": {"capacity": {"storage": "10Gi"},
                "claimRef": {"namespace": "ns", "name": "data"}}, "status": status});
            said("v1", "PersistentVolume", body)
        };
        for phase in ["Available", "Bound", "Released"] {
            assert_eq!(of(json!({"phase": phase})), row(phase, true, "10Gi, ns/data"));
        }
        let failed = of(json!({"phase": "Failed", "message": "no such disk"}));
        assert_eq!(failed, row("Failed", false, "10Gi, ns/data, no such disk"));
    }
}
