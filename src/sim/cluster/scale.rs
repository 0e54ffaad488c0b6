//! The subresource `scale` of workloads: how many pods they are to have.

use serde_json::{Value, json};

use super::resources::Target;

/// What `.../NAME/scale` is the scale of.
pub(super) fn target_of(path: &str) -> Option<Target> {
    let target = Target::parse(path.strip_suffix("/scale")?)?;
    let is_workload = target.resource.kind == "Deployment" && target.name.is_some();
    is_workload.then_some(target)
}

/// The scale of a workload.
pub(super) fn scale_of(workload: &Value) -> Value {
    let metadata = &workload["metadata"];
    json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "spec": {"replicas": workload["spec"]["replicas"]},
        "status": {"replicas": workload["status"]["replicas"].as_u64().unwrap_or(0)},
    })
}

/// What a patch of the scale is as a patch of the workload.
pub(super) fn change_of(patch: &Value) -> Value {
    json!({"spec": {"replicas": patch["spec"]["replicas"]}})
}
