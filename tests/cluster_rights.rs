//! The rights of the shipped manifests, and each of them missing in turn, on a real API server: what
//! needs a right says that it is missing, and the rest goes on.
//!
//! One API server serves the whole test, since most of its time would go into starting more.

#[path = "rights/actions.rs"]
mod actions;
#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/collected.rs"]
mod collected;
#[path = "rights/collectors.rs"]
mod collectors;
#[path = "rights/pod_logs.rs"]
mod pod_logs;
#[path = "rights/role.rs"]
mod role;
#[path = "support/http.rs"]
#[allow(dead_code, reason = "every test binary uses its own part of it")]
mod support;
#[path = "rights/tokens.rs"]
mod tokens;

use std::{
    fs,
    path::{Path, PathBuf},
};

use cluster::Cluster;
use role::{ACTIONS, BASE, NAMESPACE, Right, await_right};
use serde_json::{Value, json};

/// A cluster on which the manifests are applied, and the way in of the recorder's service account.
struct Applied {
    cluster: Cluster,
    kubeconfig: PathBuf,
}

impl Applied {
    async fn start() -> Applied {
        let cluster = Cluster::start().await;
        cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/overlays/with-actions");
        cluster.kubectl(&["apply", "--kustomize", &folder.display().to_string()]).await;
        let token = cluster.kubectl(&["-n", NAMESPACE, "create", "token", "monitor-backend"]).await;
        let kubeconfig = cluster.kubeconfig_for(token.trim());
        put(&cluster, &objects()).await;
        let status = json!({"status": {"phase": "Running", "containerStatuses": [{
            "name": "main", "image": "i", "imageID": "i", "ready": true, "restartCount": 0,
            "containerID": "containerd://1", "state": {"running": {}},
        }]}});
        let patch = ["-n", NAMESPACE, "patch", "pod", "web-1", "--subresource=status", "-p"];
        cluster.kubectl(&[&patch[..], &[&status.to_string()]].concat()).await;
        for role in [BASE, ACTIONS] {
            let rights = role.rights(&cluster).await;
            await_right(&cluster, &rights[0], true).await;
        }
        Applied { cluster, kubeconfig }
    }
}

#[tokio::test]
async fn each_missing_right_is_the_reason_of_what_needs_it_and_of_nothing_else() {
    let applied = Applied::start().await;
    // Each part but the last leaves the roles as it found them.
    actions::each_missing_right_is_in_the_outcome(&applied).await;
    tokens::each_missing_right_is_in_the_refusal(&applied).await;
    pod_logs::the_missing_right_is_the_reason_of_the_source(&applied).await;
    the_kubelets_are_told_what_the_role_says(&applied.cluster).await;
    collectors::each_missing_right_is_the_reason_of_its_source(&applied).await;
}

/// `nodes/stats` is checked by the kubelet, of which none runs here: before it answers it asks the API
/// server this very question. What the source says when a kubelet refuses is tested with a double.
async fn the_kubelets_are_told_what_the_role_says(cluster: &Cluster) {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": role::ACCOUNT,
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "resourceAttributes": {
                "verb": "get", "version": "v1", "resource": "nodes", "subresource": "stats",
                "name": "nowhere",
            },
        },
    });
    let allowed = async || {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), review.to_string()).expect("it can be written");
        let asked = ["create", "-f", &file.path().display().to_string(), "-o", "json"];
        let answer: Value =
            serde_json::from_str(&cluster.kubectl(&asked).await).expect("kubectl prints JSON");
        answer["status"]["allowed"].clone()
    };
    assert_eq!(allowed().await, true);
    let stats = Right::of("get", "nodes/stats");
    let shipped = BASE.take_away(cluster, &stats).await;
    assert_eq!(allowed().await, false);
    BASE.grant(cluster, &shipped).await;
    await_right(cluster, &stats, true).await;
}

/// What actions act on, and a pod that runs on a node that nobody answers for.
fn objects() -> Value {
    let metadata = |name: &str| json!({"name": name, "namespace": NAMESPACE});
    let labels = json!({"app": "web"});
    let containers = json!([{"name": "main", "image": "i"}]);
    let workload = |kind: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": metadata("web"),
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
        })
    };
    let mut items: Vec<Value> =
        ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].map(workload).into();
    items.push(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": NAMESPACE, "labels": labels},
        "spec": {"nodeName": "nowhere", "containers": containers},
    }));
    items.push(json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "nowhere"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
        },
    }));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

async fn put(cluster: &Cluster, objects: &Value) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), objects.to_string()).expect("it can be written");
    cluster.kubectl(&["create", "-f", &file.path().display().to_string()]).await;
}
