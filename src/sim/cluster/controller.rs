//! What the deployment and node controllers do: keep as many pods as asked for, replace those of
//! an older template one by one, say how far they are.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    events::{Note, report},
    kubelet::{Images, Kubelet},
    objects::{Condition, has_condition, is_terminating, pod_of, set_condition, template_hash},
    pace::Pace,
    patch::mark_deleted,
    resources::{ObjectKey, Resource},
    store::{Store, key_of},
};
use crate::{
    event::Millis,
    sim::rng::{Rng, safe_suffix},
};

#[derive(Debug)]
pub(super) struct Controller {
    kubelet: Kubelet,
    rng: Rng,
}

/// A pod of a deployment.
struct Owned {
    key: ObjectKey,
    pod: Arc<Value>,
    /// Made from the present template.
    current: bool,
}

impl Controller {
    pub(super) fn new(pace: Pace, seed: u64) -> Controller {
        Controller { kubelet: Kubelet::new(pace, seed), rng: Rng::new(seed, "controller") }
    }

    /// Brings the cluster as far as it can be by `now`.
    pub(super) fn step(&mut self, store: &mut Store, images: &Images, now: Millis) {
        let deployments: Vec<_> = store.all("deployments").map(|(_, d)| d.clone()).collect();
        for deployment in &deployments {
            self.scale(store, deployment, now);
        }
        stop_orphans(store, &deployments, now);
        self.kubelet.step(store, images, now);
        for deployment in &deployments {
            post_status(store, deployment, now);
        }
    }

    /// At most one pod more than asked for, and never fewer ready ones than asked for.
    fn scale(&mut self, store: &mut Store, deployment: &Value, now: Millis) {
        let wanted = replicas(deployment);
        let mut pods = owned_by(store, deployment);
        pods.retain(|owned| !is_terminating(&owned.pod));
        let (current, old): (Vec<_>, Vec<_>) = pods.iter().partition(|owned| owned.current);
        let ready = pods.iter().filter(|owned| owned.is_ready()).count();

        if let Some(broken) = old.iter().find(|owned| !owned.is_ready()) {
            stop(store, deployment, broken, now);
        } else if current.len() < wanted && pods.len() <= wanted {
            self.create(store, deployment, now);
        } else if let Some(surplus) = old.first().filter(|_| ready > wanted) {
            stop(store, deployment, surplus, now);
        } else if let Some(surplus) = current.last().filter(|_| current.len() > wanted) {
            stop(store, deployment, surplus, now);
        }
    }

    fn create(&mut self, store: &mut Store, deployment: &Value, now: Millis) {
        let Some(pods) = Resource::of_kind("Pod") else { return };
        let pod = store.put(pods, pod_of(deployment, &safe_suffix(self.rng.bits(), 5)), now);
        let message = format!("Created pod: {}", pod["metadata"]["name"].as_str().unwrap_or(""));
        report(store, deployment, scaling("SuccessfulCreate", &message), now);
    }
}

impl Owned {
    fn is_ready(&self) -> bool {
        has_condition(&self.pod, "Ready")
    }
}

/// A node's kubelet fell silent or is back.
pub(super) fn report_node(store: &mut Store, node: &Value, ready: bool, now: Millis) {
    let name = node["metadata"]["name"].as_str().unwrap_or_default();
    let (reason, component) =
        if ready { ("NodeReady", "kubelet") } else { ("NodeNotReady", "node-controller") };
    let message = format!("Node {name} status is now: {reason}");
    let event_type = if ready { "Normal" } else { "Warning" };
    report(store, node, Note { event_type, reason, message: &message, component }, now);
}

fn owned_by(store: &Store, deployment: &Value) -> Vec<Owned> {
    let hash = template_hash(deployment);
    let uid = &deployment["metadata"]["uid"];
    let of_deployment = |(_, pod): &(&ObjectKey, &Arc<Value>)| owner(pod) == uid;
    let pods = store.all("pods").filter(of_deployment).map(|(key, pod)| Owned {
        key: key.clone(),
        pod: pod.clone(),
        current: pod["metadata"]["labels"]["pod-template-hash"] == hash,
    });
    pods.collect()
}

fn owner(pod: &Value) -> &Value {
    &pod["metadata"]["ownerReferences"][0]["uid"]
}

/// Pods whose deployment is gone.
fn stop_orphans(store: &mut Store, deployments: &[Arc<Value>], now: Millis) {
    let Some(resource) = Resource::of_kind("Pod") else { return };
    let has_owner = |pod: &Value| {
        owner(pod).is_null() || deployments.iter().any(|d| d["metadata"]["uid"] == *owner(pod))
    };
    let orphans = store.all("pods").filter(|(_, pod)| !has_owner(pod));
    let orphans: Vec<ObjectKey> = orphans.map(|(key, _)| key.clone()).collect();
    for key in &orphans {
        store.edit(resource, key, now, |pod| mark_deleted(pod, None, now));
    }
}

fn stop(store: &mut Store, deployment: &Value, owned: &Owned, now: Millis) {
    let Some(pods) = Resource::of_kind("Pod") else { return };
    store.edit(pods, &owned.key, now, |pod| mark_deleted(pod, None, now));
    let message = format!("Deleted pod: {}", owned.key.name);
    report(store, deployment, scaling("SuccessfulDelete", &message), now);
}

fn scaling<'a>(reason: &'a str, message: &'a str) -> Note<'a> {
    Note { event_type: "Normal", reason, message, component: "deployment-controller" }
}

fn replicas(deployment: &Value) -> usize {
    // The real API's default; the bound keeps a wrong patch from filling the memory.
    const REPLICAS_MAX: u64 = 100;
    let replicas = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    replicas.min(REPLICAS_MAX) as usize
}

fn post_status(store: &mut Store, deployment: &Value, now: Millis) {
    let Some(deployments) = Resource::of_kind("Deployment") else { return };
    let mut pods = owned_by(store, deployment);
    pods.retain(|owned| !is_terminating(&owned.pod));
    let wanted = replicas(deployment);
    let ready = pods.iter().filter(|owned| owned.is_ready()).count();
    let updated = pods.iter().filter(|owned| owned.current).count();
    let key = key_of(deployments, deployment);
    store.edit(deployments, &key, now, |deployment| {
        let mut status = json!({
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": pods.len(),
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": wanted.saturating_sub(ready),
        });
        status["conditions"] = deployment["status"]["conditions"].take();
        deployment["status"] = status;
        set_condition(deployment, "Available", availability(ready >= wanted), now);
        set_condition(deployment, "Progressing", progress(updated.min(ready) >= wanted), now);
    });
}

fn availability(enough: bool) -> Condition<'static> {
    if enough {
        Condition { status: "True", reason: "MinimumReplicasAvailable", message: "" }
    } else {
        Condition { status: "False", reason: "MinimumReplicasUnavailable", message: "" }
    }
}

fn progress(complete: bool) -> Condition<'static> {
    let reason = if complete { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" };
    Condition { status: "True", reason, message: "" }
}
