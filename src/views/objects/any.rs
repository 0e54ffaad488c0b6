//! Namespaces, and every kind that has no reader of its own.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Condition, Said, find};

/// The phase of what cannot end: something of it cannot be deleted. Shown as `Terminating`.
pub const STUCK: &str = "Stuck";

/// Conditions of a namespace that say why it does not go
/// ([API](https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus)).
const STUCK_BY: [&str; 3] = [
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
];

/// What remains of a namespace is on its way out, and names what holds it up.
const REMAINS: [&str; 2] = ["NamespaceFinalizersRemaining", "NamespaceContentRemaining"];

/// Phases that mean trouble in whatever kind says them.
const TROUBLE: [&str; 2] = ["Failed", "Error"];

/// Conditions that sum all others up, the first of these that is there.
const SUMS: [&str; 2] = ["Ready", "Available"];

/// Not typed: the `status` of a stranger may hold anything.
pub fn read(_spec: IgnoredAny, status: Value) -> Said {
    let conditions = status.get("conditions").map(conditions).unwrap_or_default();
    let named = |names: &[&str]| {
        let is_one = |c: &&Condition| names.contains(&c.name.as_str()) && c.is_true();
        conditions.iter().find(is_one).map(|c| c.message.clone().unwrap_or_default())
    };
    if let Some(why) = named(&STUCK_BY) {
        return Said::unwell(STUCK, why);
    }
    let detail = named(&REMAINS).unwrap_or_default();
    let sum = SUMS.iter().find_map(|name| find(&conditions, name));
    match (status.get("phase").and_then(Value::as_str), sum) {
        (Some(phase), Some(sum)) => Said::new(phase, sum.is_true(), unless_true(sum)),
        (Some(phase), None) => Said::new(phase, !TROUBLE.contains(&phase), detail),
        (None, Some(sum)) if sum.is_true() => Said::well(sum.name.clone(), detail),
        (None, Some(sum)) => Said::unwell(format!("Not{}", sum.name), unless_true(sum)),
        (None, None) => Said::well("", detail),
    }
}

fn conditions(all: &Value) -> Vec<Condition> {
    let all = all.as_array().into_iter().flatten();
    all.filter_map(|one| serde_json::from_value(one.clone()).ok()).collect()
}

fn unless_true(sum: &Condition) -> &str {
    if sum.is_true() { "" } else { sum.reason() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{row, said};

    #[test]
    fn a_namespace_that_cannot_end_is_not_well() {
        let status = |name: &str| {
            json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"},
                "status": {"phase": "Terminating", "conditions": [
                    {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "no"},
                    {"type": name, "status": "True", "message": "x has 1 resource"}]}})
        };
        let of = |body| said("v1", "Namespace", body);
        assert_eq!(of(json!({"status": {"phase": "Active"}})), row("Active", true, ""));
        let remains = of(status("NamespaceContentRemaining"));
        assert_eq!(remains, row("Terminating", true, "x has 1 resource"));
        let stuck = of(status("NamespaceDeletionDiscoveryFailure"));
        assert_eq!(stuck, row("Terminating", false, "x has 1 resource"));
    }

    #[test]
    fn a_strangers_kind_is_read_by_the_usual_conventions() {
        let of = |status| said("example.com/v1", "Thing", json!({"status": status}));
        let condition = |name: &str, status: &str| {
            json!({"conditions": [{"type": "Synced", "status": "False"},
                {"type": name, "status": status, "reason": "Why"}]})
        };
        assert_eq!(of(condition("Ready", "True")), row("Ready", true, ""));
        assert_eq!(of(condition("Ready", "False")), row("NotReady", false, "Why"));
        assert_eq!(of(condition("Ready", "Unknown")), row("NotReady", false, "Why"));
        assert_eq!(of(condition("Available", "True")), row("Available", true, ""));
        assert_eq!(of(json!({"phase": "Failed"})), row("Failed", false, ""));
        assert_eq!(of(json!({"phase": "Blue"})), row("Blue", true, ""));
        assert_eq!(of(json!({"phase": 5, "conditions": [7]})), row("", true, ""));
        assert_eq!(said("example.com/v1", "Thing", json!({})), row("", true, ""));
    }
}
