//! A kubelet's summary to usages.
//!
//! Fields that are not named here are not read; those that a kubelet may leave out are optional.
//! <https://pkg.go.dev/k8s.io/kubelet/pkg/apis/stats/v1alpha1>

use serde::Deserialize;

use crate::event::{Extensions, Millis, ProcessUsage, VolumeUsage, millis};

/// What one kubelet told.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// One a claim and pod, in order of the pods' names.
    pub(super) volumes: Vec<VolumeUsage>,
    /// The node and its pods.
    pub(super) processes: Vec<ProcessUsage>,
}

#[derive(Debug, Deserialize)]
struct Summary {
    node: Part,
    #[serde(default)]
    pods: Vec<Pod>,
}

#[derive(Debug, Default, Deserialize)]
struct Part {
    cpu: Option<Cpu>,
    memory: Option<Memory>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cpu {
    time: Option<String>,
    usage_nano_cores: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    time: Option<String>,
    working_set_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pod {
    pod_ref: Name,
    #[serde(flatten)]
    all: Part,
    #[serde(default)]
    containers: Vec<Part>,
    #[serde(default)]
    volume: Vec<Volume>,
}

#[derive(Debug, Deserialize)]
struct Name {
    name: String,
    namespace: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    time: Option<String>,
    pvc_ref: Option<Name>,
    used_bytes: Option<u64>,
    capacity_bytes: Option<u64>,
    available_bytes: Option<u64>,
    inodes: Option<u64>,
    inodes_used: Option<u64>,
}

/// Reads the summary of a node. `now` stands for times that are missing or lie in the future.
///
/// # Errors
/// It is no summary; the reason.
pub(super) fn read(node: &str, bytes: &[u8], now: Millis) -> Result<Told, String> {
    let mut summary: Summary =
        serde_json::from_slice(bytes).map_err(|e| format!("its answer is no summary: {e}"))?;
    summary.pods.sort_by(|a, b| a.name().cmp(&b.name()));
    let mut told = Told::default();
    told.processes.extend(process(format!("node/{node}"), &summary.node, &[], now));
    for pod in &summary.pods {
        let Name { name, namespace } = &pod.pod_ref;
        let process = process(format!("pod/{namespace}/{name}"), &pod.all, &pod.containers, now);
        told.processes.extend(process);
        told.volumes.extend(pod.volume.iter().filter_map(|one| volume(node, pod, one, now)));
    }
    Ok(told)
}

impl Pod {
    fn name(&self) -> (&str, &str) {
        (&self.pod_ref.namespace, &self.pod_ref.name)
    }
}

/// Of a pod without numbers of its own, those of its containers are added up.
fn process(name: String, all: &Part, parts: &[Part], now: Millis) -> Option<ProcessUsage> {
    let nano_cores = |part: &Part| part.cpu.as_ref().and_then(|cpu| cpu.usage_nano_cores);
    let bytes = |part: &Part| part.memory.as_ref().and_then(|memory| memory.working_set_bytes);
    let cores = nano_cores(all).or_else(|| sum(parts, nano_cores));
    let memory_bytes = bytes(all).or_else(|| sum(parts, bytes));
    if cores.is_none() && memory_bytes.is_none() {
        return None;
    }
    let time = all.memory.as_ref().and_then(|memory| memory.time.as_deref());
    let time = time.or_else(|| all.cpu.as_ref().and_then(|cpu| cpu.time.as_deref()));
    Some(ProcessUsage {
        source: String::new(),
        name,
        cpu_cores: cores.map(|nanos| nanos as f64 / 1e9),
        memory_bytes,
        body: String::new(),
        observed: measured(time, now),
        gone: false,
        ext: Extensions::default(),
    })
}

fn sum(parts: &[Part], number: impl Fn(&Part) -> Option<u64>) -> Option<u64> {
    parts.iter().filter_map(number).reduce(u64::saturating_add)
}

/// A claim's volume; `None` for another volume, and for one that has not been measured yet.
fn volume(node: &str, pod: &Pod, volume: &Volume, now: Millis) -> Option<VolumeUsage> {
    let claim = volume.pvc_ref.as_ref()?;
    let used_bytes = volume.used_bytes?;
    Some(VolumeUsage {
        source: String::new(),
        namespace: claim.namespace.clone(),
        claim: claim.name.clone(),
        pod: pod.pod_ref.name.clone(),
        node: node.into(),
        path: None,
        used_bytes,
        capacity_bytes: volume.capacity_bytes.unwrap_or(0),
        available_bytes: volume.available_bytes.unwrap_or(0),
        inodes_used: volume.inodes_used.unwrap_or(0),
        inodes: volume.inodes.unwrap_or(0),
        observed: measured(volume.time.as_deref(), now),
        gone: false,
        ext: Extensions::default(),
    })
}

fn measured(time: Option<&str>, now: Millis) -> Millis {
    let time = time.and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let time = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok()).map(millis);
    time.filter(|time| *time <= now).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Millis = 1_000_000.0;

    fn told(summary: &serde_json::Value) -> Told {
        read("node-1", summary.to_string().as_bytes(), NOW).expect("a summary")
    }

    #[test]
    fn claims_are_told_and_other_volumes_are_not() {
        let told = told(&json!({
            "node": {"nodeName": "node-1"},
            "pods": [{
                "podRef": {"name": "db-0", "namespace": "a", "uid": "u"},
                "volume": [
                    {"name": "token", "usedBytes": 1, "capacityBytes": 2, "availableBytes": 1},
                    {
                        "name": "data", "pvcRef": {"name": "data-db-0", "namespace": "a"},
                        "time": "1970-01-01T00:10:00Z", "usedBytes": 30, "capacityBytes": 100,
                        "availableBytes": 60, "inodes": 9, "inodesUsed": 4, "inodesFree": 5,
                    },
                    {"name": "new", "pvcRef": {"name": "new", "namespace": "a"}},
                ],
            }],
        }));
        assert_eq!(told.volumes.len(), 1, "{:?}", told.volumes);
        let volume = &told.volumes[0];
        assert_eq!((&*volume.namespace, &*volume.claim, &*volume.pod), ("a", "data-db-0", "db-0"));
        let bytes = (volume.used_bytes, volume.capacity_bytes, volume.available_bytes);
        assert_eq!(bytes, (30, 100, 60));
        assert_eq!((volume.inodes_used, volume.inodes, volume.observed), (4, 9, 600_000.0));
        assert!(told.processes.is_empty(), "nothing was measured");
    }

    #[test]
    fn a_pod_without_numbers_is_the_sum_of_its_containers() {
        let told = told(&json!({
            "node": {"cpu": {"usageNanoCores": 1_500_000_000_u64}, "memory": {"workingSetBytes": 7}},
            "pods": [
                {
                    "podRef": {"name": "b", "namespace": "a"},
                    "containers": [
                        {"name": "x", "memory": {"workingSetBytes": 1}},
                        {"name": "y", "memory": {"workingSetBytes": 2}, "cpu": {"usageNanoCores": 5}},
                    ],
                },
                {
                    "podRef": {"name": "a", "namespace": "a"},
                    "memory": {"workingSetBytes": 9, "time": "2999-01-01T00:00:00Z"},
                    "containers": [{"name": "x", "memory": {"workingSetBytes": 1}}],
                },
            ],
        }));
        let told: Vec<_> = told
            .processes
            .into_iter()
            .map(|one| (one.name, one.cpu_cores, one.memory_bytes, one.observed))
            .collect();
        assert_eq!(
            told,
            [
                ("node/node-1".to_owned(), Some(1.5), Some(7), NOW),
                ("pod/a/a".to_owned(), None, Some(9), NOW),
                ("pod/a/b".to_owned(), Some(5e-9), Some(3), NOW),
            ]
        );
    }

    #[test]
    fn what_is_no_summary_is_told() {
        for text in
            ["", "<html>", "[]", "{}", r#"{"node":{},"pods":[{}]}"#, r#"{"node":{},"pods":"#]
        {
            let error = read("node-1", text.as_bytes(), NOW).expect_err(text);
            assert!(error.contains("no summary"), "{error}");
        }
    }
}
