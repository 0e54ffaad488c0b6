//! What a simulated kubelet tells of its node: `/stats/summary`, in the words of the real one.

use serde_json::{Value, json};

use super::{objects::is_terminating, store::Store, volumes::Volumes};
use crate::{
    event::Millis,
    sim::{clock::rfc3339, rng::fnv1a},
};

/// The processes of a node itself: cores and bytes.
const NODE_CORES: f64 = 0.08;
const NODE_BYTES: u64 = 420 << 20;

/// As [`super::objects::node`] has it.
const NODE_MEMORY_BYTES: u64 = 16_384_000 << 10;

/// The summary of a node.
pub(super) fn summary(store: &Store, volumes: &Volumes, node: &str, now: Millis) -> Value {
    let here = store.all("pods").map(|(_, pod)| pod);
    let here = here.filter(|pod| pod["spec"]["nodeName"] == node && !is_terminating(pod));
    let here = here.filter(|pod| pod["status"]["phase"] == "Running");
    let (mut cores, mut bytes) = (NODE_CORES, NODE_BYTES);
    let mut pods = Vec::new();
    for pod in here {
        let usage = usage(pod, now);
        cores += usage.0;
        bytes += usage.1;
        pods.push(pod_summary(pod, usage, volumes, now));
    }
    json!({
        "node": {
            "nodeName": node, "cpu": cpu(cores, now),
            "memory": memory(bytes, NODE_MEMORY_BYTES, now),
        },
        "pods": pods,
    })
}

/// Cores and bytes: what the pod is decides how much, and the minute by how much it differs.
fn usage(pod: &Value, now: Millis) -> (f64, u64) {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let own = fnv1a(&[uid]);
    let minute = ((now / 60_000.0) as u64).to_string();
    let wave = fnv1a(&[uid, &minute]) % 100;
    let cores = 0.01 + (own % 90) as f64 / 1000.0 + wave as f64 / 5000.0;
    (cores, ((40 + own % 200) << 20) + (wave << 16))
}

fn pod_summary(pod: &Value, (cores, bytes): (f64, u64), volumes: &Volumes, now: Millis) -> Value {
    let metadata = &pod["metadata"];
    let container = json!({
        "name": pod["spec"]["containers"][0]["name"],
        "cpu": cpu(cores, now), "memory": memory(bytes, NODE_MEMORY_BYTES, now),
    });
    json!({
        "podRef": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
        },
        "startTime": pod["status"]["startTime"],
        "containers": [container],
        "cpu": cpu(cores, now), "memory": memory(bytes, NODE_MEMORY_BYTES, now),
        "volume": claims(pod).map(|(volume, claim)| volume_summary(pod, volume, claim, volumes, now))
            .collect::<Vec<_>>(),
    })
}

/// The claims that a pod mounts, after the names of its volumes.
pub(super) fn claims(pod: &Value) -> impl Iterator<Item = (&str, &str)> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    volumes.filter_map(|volume| {
        let claim = volume["persistentVolumeClaim"]["claimName"].as_str()?;
        Some((volume["name"].as_str()?, claim))
    })
}

fn volume_summary(pod: &Value, volume: &str, claim: &str, volumes: &Volumes, now: Millis) -> Value {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
    let measure = volumes.measure(&(namespace.to_owned(), claim.to_owned()), now);
    json!({
        "time": rfc3339(now), "name": volume,
        "pvcRef": {"name": claim, "namespace": namespace},
        "usedBytes": measure.used, "capacityBytes": measure.capacity,
        "availableBytes": measure.available(),
        "inodes": measure.inodes, "inodesUsed": measure.inodes_used,
        "inodesFree": measure.inodes - measure.inodes_used,
    })
}

fn cpu(cores: f64, now: Millis) -> Value {
    json!({"time": rfc3339(now), "usageNanoCores": (cores * 1e9) as u64})
}

fn memory(bytes: u64, of: u64, now: Millis) -> Value {
    json!({
        "time": rfc3339(now), "availableBytes": of.saturating_sub(bytes),
        "usageBytes": bytes + bytes / 4, "workingSetBytes": bytes, "rssBytes": bytes - bytes / 8,
    })
}
