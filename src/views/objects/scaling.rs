//! Horizontal pod autoscalers
//! ([conditions](https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/#appendix-horizontal-pod-autoscaler-status-conditions)).

use serde::Deserialize;

use super::{Condition, Said, find, joined};

/// Somebody set the replicas of the target to zero: then there is nothing to scale, on purpose.
const SWITCHED_OFF: &str = "ScalingDisabled";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    min_replicas: Option<u64>,
    max_replicas: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    conditions: Vec<Condition>,
    current_replicas: u64,
    desired_replicas: u64,
}

pub fn read(spec: Spec, status: Status) -> Said {
    let (min, max) = (spec.min_replicas.unwrap_or(1), spec.max_replicas);
    let (current, desired) = (status.current_replicas, status.desired_replicas);
    let replicas = format!("replicas {current}/{desired}, between {min} and {max}");
    let limited = find(&status.conditions, "ScalingLimited").filter(|c| c.is_true());
    let limited = limited.map_or("", Condition::reason);
    let cannot = ["AbleToScale", "ScalingActive"]
        .iter()
        .find_map(|name| find(&status.conditions, name).filter(|condition| condition.is_false()));
    match cannot {
        Some(cannot) if cannot.reason() == SWITCHED_OFF => Said::well("Disabled", replicas),
        Some(cannot) => Said::unwell("Inactive", joined([cannot.reason(), &replicas])),
        None => Said::well("Active", joined([&replicas, limited])),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{row, said};

    #[test]
    fn an_autoscaler_that_cannot_scale_says_why() {
        let of = |name: &str, status: &str, reason: &str| {
            let body = json!({"spec": {"maxReplicas": 9}, "status": {
                "currentReplicas": 2, "desiredReplicas": 3,
                "conditions": [{"type": name, "status": status, "reason": reason}]}});
            said("autoscaling/v2", "HorizontalPodAutoscaler", body)
        };
        let replicas = "replicas 2/3, between 1 and 9";
        let cannot = of("ScalingActive", "False", "FailedGetResourceMetric");
        let detail = format!("FailedGetResourceMetric, {replicas}");
        assert_eq!(cannot, row("Inactive", false, &detail));
        assert_eq!(
            of("ScalingActive", "False", "ScalingDisabled"),
            row("Disabled", true, replicas)
        );
        assert_eq!(of("ScalingActive", "True", "ValidMetricFound"), row("Active", true, replicas));
        let limited = of("ScalingLimited", "True", "TooManyReplicas");
        assert_eq!(limited, row("Active", true, &format!("{replicas}, TooManyReplicas")));
    }
}
