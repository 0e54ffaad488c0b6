//! The bodies of simulated objects, and small edits of their statuses.

use serde_json::{Value, json};

use super::programs::MOUNTS;
use crate::{
    event::Millis,
    sim::{
        clock::rfc3339,
        rng::{fnv1a, safe_suffix},
    },
};

/// A namespace.
pub(crate) fn namespace(name: &str) -> Value {
    let labels = json!({"kubernetes.io/metadata.name": name});
    json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

/// Every simulated node is here; their kubelets differ by their ports.
pub(crate) const NODE_ADDRESS: &str = "127.0.0.1";

/// A node that is ready.
pub(crate) fn node(name: &str, now: Millis) -> Value {
    let size = json!({"cpu": "4", "memory": "16384000Ki", "pods": "110"});
    let mut node = json!({
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        },
        "spec": {"providerID": format!("sim://{name}")},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": NODE_ADDRESS},
                {"type": "Hostname", "address": name},
            ],
            "capacity": size, "allocatable": size,
            "nodeInfo": {
                "kubeletVersion": "v1.33.1", "osImage": "Debian GNU/Linux 12 (bookworm)",
                "containerRuntimeVersion": "containerd://1.7.27", "architecture": "amd64",
                "kernelVersion": "6.1.0-37-amd64", "operatingSystem": "linux",
            },
        },
    });
    let calm = Condition { status: "False", reason: "KubeletHasSufficientMemory", message: "" };
    set_condition(&mut node, "MemoryPressure", calm, now);
    let calm = Condition { status: "False", reason: "KubeletHasNoDiskPressure", message: "" };
    set_condition(&mut node, "DiskPressure", calm, now);
    set_node_ready(&mut node, true, now);
    node
}

/// Whether a node's kubelet posts its status.
pub(crate) fn set_node_ready(node: &mut Value, ready: bool, now: Millis) {
    let (condition, taints) = if ready {
        let message = "kubelet is posting ready status";
        (Condition { status: "True", reason: "KubeletReady", message }, Value::Null)
    } else {
        let message = "Kubelet stopped posting node status.";
        let key = "node.kubernetes.io/unreachable";
        let taint = |effect: &str| json!({"key": key, "effect": effect, "timeAdded": rfc3339(now)});
        let taints = json!([taint("NoSchedule"), taint("NoExecute")]);
        (Condition { status: "Unknown", reason: "NodeStatusUnknown", message }, taints)
    };
    set_condition(node, "Ready", condition, now);
    match taints {
        Value::Null => node["spec"].as_object_mut().map(|spec| spec.remove("taints")),
        taints => node["spec"].as_object_mut().map(|spec| spec.insert("taints".into(), taints)),
    };
}

/// What a deployment runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) image: &'a str,
    pub(crate) replicas: u64,
    pub(crate) memory_limit: &'a str,
    /// The claim of its data, if it keeps any.
    pub(crate) claim: Option<&'a str>,
}

/// A deployment whose pods do not exist yet.
pub(crate) fn deployment(workload: Workload<'_>) -> Value {
    let labels = json!({"app": workload.name});
    let mut container = json!({
        "name": workload.name, "image": workload.image, "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"memory": workload.memory_limit}},
        "env": [{"name": "RUST_LOG", "value": "info"}],
    });
    let mut volumes = json!([]);
    if let Some(claim) = workload.claim {
        volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
        container["volumeMounts"] =
            json!([{"name": "data", "mountPath": format!("{MOUNTS}/data")}]);
    }
    let mut deployment = json!({
        "metadata": {
            "namespace": workload.namespace, "name": workload.name, "labels": labels,
            "generation": 1,
        },
        "spec": {
            "replicas": workload.replicas,
            "selector": {"matchLabels": labels},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "restartPolicy": "Always"},
            },
        },
        "status": {},
    });
    if workload.claim.is_some() {
        deployment["spec"]["template"]["spec"]["volumes"] = volumes;
    }
    deployment
}

/// What a pod of this template is called by: a change of the template changes it.
pub(crate) fn template_hash(deployment: &Value) -> String {
    safe_suffix(fnv1a(&[&deployment["spec"]["template"].to_string()]), 10)
}

/// A new pod of a deployment, not scheduled yet.
pub(crate) fn pod_of(deployment: &Value, suffix: &str) -> Value {
    let hash = template_hash(deployment);
    let owner = &deployment["metadata"];
    let template = &deployment["spec"]["template"];
    let name = format!("{}-{hash}-{suffix}", owner["name"].as_str().unwrap_or_default());
    let mut metadata = template["metadata"].clone();
    metadata["namespace"] = owner["namespace"].clone();
    metadata["name"] = json!(name);
    metadata["labels"]["pod-template-hash"] = json!(hash);
    metadata["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "Deployment", "controller": true,
        "name": owner["name"], "uid": owner["uid"], "blockOwnerDeletion": true,
    }]);
    let mut spec = template["spec"].clone();
    spec["terminationGracePeriodSeconds"] = json!(30);
    json!({
        "metadata": metadata,
        "spec": spec,
        "status": {"phase": "Pending", "qosClass": "Burstable"},
    })
}

/// The state of one condition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<'a> {
    pub(crate) status: &'a str,
    /// Empty for none.
    pub(crate) reason: &'a str,
    /// Empty for none.
    pub(crate) message: &'a str,
}

/// Sets a condition; its transition time changes only when its status does.
pub(crate) fn set_condition(object: &mut Value, name: &str, to: Condition<'_>, now: Millis) {
    let conditions = &mut object["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    let mut condition =
        json!({"type": name, "status": to.status, "lastTransitionTime": rfc3339(now)});
    for (field, text) in [("reason", to.reason), ("message", to.message)] {
        if !text.is_empty() {
            condition[field] = json!(text);
        }
    }
    match conditions.iter_mut().find(|condition| condition["type"] == name) {
        Some(known) => {
            if known["status"] == to.status {
                condition["lastTransitionTime"] = known["lastTransitionTime"].clone();
            }
            *known = condition;
        }
        None => conditions.push(condition),
    }
}

/// Whether an object's condition is `True`.
pub(crate) fn has_condition(object: &Value, name: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == name && condition["status"] == "True")
}

/// Whether an object is being deleted.
pub(crate) fn is_terminating(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}
