//! Makes things happen on an API server: pods of a real size, nodes that beat like a kubelet's, and
//! a bounded number of requests at once.

use std::path::Path;

use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use monitor_backend::cluster::Access;
use serde_json::{Value, json};

/// Requests at once: enough to keep an API server busy, and few enough for it to answer in time.
const AT_ONCE: usize = 16;

const PODS: &str = "/api/v1/namespaces/default/pods";
const NODES: &str = "/api/v1/nodes";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

/// Conditions that a kubelet tells with each heartbeat.
const CONDITIONS: [(&str, &str); 4] = [
    ("MemoryPressure", "False"),
    ("DiskPressure", "False"),
    ("PIDPressure", "False"),
    ("Ready", "True"),
];

/// Asks an API server for changes.
#[derive(Clone)]
pub struct Driver {
    pub client: kube::Client,
}

impl Driver {
    pub async fn new(kubeconfig: &Path) -> Driver {
        let access = Access { kubeconfig: Some(kubeconfig.to_owned()) };
        Driver { client: access.cluster().await.expect("a client").client }
    }

    /// Creates pods, some at once.
    pub async fn create_pods(&self, names: impl Iterator<Item = String>) {
        let creating = stream::iter(names).map(|name| async move { self.create_pod(&name).await });
        creating.buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    pub async fn create_pod(&self, name: &str) {
        self.create(PODS, &pod(name)).await;
    }

    /// Changes a pod's status, as a kubelet would.
    pub async fn change_pod(&self, name: &str, message: &str) {
        let status = json!({"status": {"phase": "Running", "message": message}});
        self.patch(&format!("{PODS}/{name}/status"), &status).await;
    }

    /// Deletes a pod; nobody would confirm that it has stopped, so it is gone at once.
    pub async fn delete_pod(&self, name: &str) {
        self.send("DELETE", &format!("{PODS}/{name}?gracePeriodSeconds=0"), None).await;
    }

    /// Creates nodes and the leases that their kubelets renew.
    pub async fn create_nodes(&self, count: usize) {
        for number in 0..count {
            self.create(NODES, &node(number)).await;
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": node_name(number)}, "spec": {"leaseDurationSeconds": 40},
            });
            self.create(LEASES, &lease).await;
        }
    }

    /// What the kubelet of each node does every ten seconds, at the latest.
    pub async fn beat(&self, count: usize) {
        let beating = stream::iter(0..count).map(|number| async move {
            let name = node_name(number);
            let status = json!({"status": {"conditions": conditions()}});
            self.patch(&format!("{NODES}/{name}/status"), &status).await;
            let renewed = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
            let renewed = json!({"spec": {"holderIdentity": name, "renewTime": renewed}});
            self.patch(&format!("{LEASES}/{name}"), &renewed).await;
        });
        beating.buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    /// The version of now.
    pub async fn version(&self) -> String {
        let list = self.send("GET", &format!("{PODS}?limit=1"), None).await;
        list["metadata"]["resourceVersion"].as_str().expect("a list has a version").to_owned()
    }

    async fn create(&self, path: &str, object: &Value) {
        self.send("POST", path, Some(("application/json", object))).await;
    }

    async fn patch(&self, path: &str, change: &Value) {
        // Conditions are merged by their type, as a kubelet has them merged.
        let kind = "application/strategic-merge-patch+json";
        self.send("PATCH", path, Some((kind, change))).await;
    }

    async fn send(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Value {
        let mut request = hyper::Request::builder().method(method).uri(path);
        if let Some((kind, _)) = body {
            request = request.header("content-type", kind);
        }
        let body = body.map(|(_, value)| value.to_string()).unwrap_or_default();
        let request = request.body(body.into_bytes()).expect("a good request");
        let text = self.client.request_text(request).await;
        let text = text.unwrap_or_else(|error| panic!("{method} {path} failed: {error}"));
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn node_name(number: usize) -> String {
    format!("node-{number:03}")
}

fn conditions() -> Value {
    let now = jiff::Timestamp::now();
    let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let all = CONDITIONS.map(|(name, status)| {
        json!({"type": name, "status": status, "lastHeartbeatTime": now,
            "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": format!("KubeletSays{name}"),
            "message": "kubelet has looked"})
    });
    json!(all)
}

/// A node with as many images as one usually has.
fn node(number: usize) -> Value {
    let images: Vec<Value> = (0..40)
        .map(|image| {
            json!({"names": [format!("registry.example.com/team/service-{image}@sha256:{image:064x}")],
                "sizeBytes": 100_000_000 + image})
        })
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node_name(number), "labels": {"kubernetes.io/os": "linux"}},
        "status": {
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "allocatable": {"cpu": "8", "memory": "31Gi", "pods": "110"},
            "conditions": conditions(), "images": images,
        },
    })
}

/// A pod whose recorded body is about 3 kB, which is what one of a real deployment takes.
fn pod(name: &str) -> Value {
    let env: Vec<Value> = (0..8)
        .map(|number| json!({"name": format!("SETTING_{number}"), "value": "a setting of the app"}))
        .collect();
    let container = |container: &str| {
        json!({
            "name": container, "image": "registry.example.com/team/service:2026-01-01",
            "env": env, "ports": [{"containerPort": 8080, "name": "http"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "256Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
            "volumeMounts": [{"name": "cache", "mountPath": "/var/cache/service"}],
        })
    };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": "service", "pod-template-hash": "6d4cf56db6"},
            "annotations": {"checksum/config": format!("{:064x}", name.len())},
        },
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [container("service"), container("proxy")],
            "volumes": [{"name": "cache", "emptyDir": {}}],
        },
    })
}

/// What a watcher of its own saw of a pod.
#[derive(Debug, Clone)]
pub struct Change {
    pub uid: String,
    pub version: String,
    pub is_deleted: bool,
    /// When, in milliseconds since 1970.
    pub seen: f64,
}

/// Watches every pod from a version on, until it sees a pod of this name. Shares no code with the
/// collector: it reads the lines of the answer by itself.
pub async fn watch_until(driver: Driver, version: String, last: String) -> Vec<Change> {
    let path = format!("/api/v1/pods?watch=1&resourceVersion={version}&timeoutSeconds=600");
    let request = hyper::Request::get(path).body(kube::client::Body::empty());
    let answer = driver.client.send(request.expect("a good request")).await.expect("a watch");
    assert!(answer.status().is_success(), "{}", answer.status());
    let mut body = std::pin::pin!(answer.into_body());
    let (mut changes, mut rest) = (Vec::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.expect("the watch goes on").into_data() else { continue };
        rest.extend_from_slice(&data);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let line: Value = serde_json::from_slice(&line).expect("a line is JSON");
            let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
            let field = |name: &str| text(&format!("/object/metadata/{name}")).expect("it has one");
            let kind = text("/type").expect("a line has a type");
            assert!(["ADDED", "MODIFIED", "DELETED"].contains(&kind), "{line}");
            let is_last = field("name") == last;
            changes.push(Change {
                uid: field("uid").into(),
                version: field("resourceVersion").into(),
                is_deleted: kind == "DELETED",
                seen: jiff::Timestamp::now().as_microsecond() as f64 / 1000.0,
            });
            if is_last {
                return changes;
            }
        }
    }
    panic!("the watch ended before {last} came");
}
