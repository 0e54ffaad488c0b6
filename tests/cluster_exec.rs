//! `df` in pods on a real API server: with the rights of the base alone, and with the component that
//! grants exec. No kubelet runs here, so what is granted ends at a node that nobody answers for.

#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/collected.rs"]
mod collected;

use std::{fs, path::Path, time::Duration};

use cluster::Cluster;
use collected::{Collected, Seen, fast};
use monitor_backend::{
    cluster::Access,
    collect::{
        Config, Resume,
        volumes::{self, Df, WhichPod},
    },
    event::{Event, SourceState, State},
};
use serde_json::json;

const NAMESPACE: &str = "monitor";
const QUEUE_MESSAGES: usize = 64;
const DF: &str = "volumes/df";
const KUBELET: &str = "volumes/kubelet";

/// A node's address at which nobody listens.
const NOBODY: &str = "127.0.0.1";

#[tokio::test]
async fn exec_needs_the_component_and_a_kubelet_that_is_not_there_is_told() {
    let cluster = Cluster::start().await;
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
    let overlay = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a folder");
    apply(&cluster, overlay.path(), "").await;
    put_node_and_pod(&cluster).await;
    let token = cluster.kubectl(&["-n", NAMESPACE, "create", "token", "monitor-backend"]).await;
    let kubeconfig = cluster.kubeconfig_for(token.trim());
    let config = Config {
        cluster: Some(Access { kubeconfig: Some(kubeconfig) }),
        pace: fast(),
        volumes: volumes::Config {
            interval: Duration::from_millis(100),
            df: vec![Df {
                namespace: NAMESPACE.into(),
                pod: WhichPod::Labelled("app=db".into()),
                container: None,
                path: "/data".into(),
                claim: "data".into(),
            }],
            ..volumes::Config::default()
        },
        ..Config::default()
    };
    let mut collected = Collected::start(&config, &Resume::default(), QUEUE_MESSAGES);
    let [down, refused] = both_down(&mut collected).await;
    assert!(
        down.reason.contains("1 of 1: nowhere: ") && down.reason.contains("refused"),
        "{down:?}"
    );

    for part in ["403", "pods/exec", "grant get and create on pods/exec", "exec-df"] {
        assert!(refused.reason.contains(part), "{part}: {}", refused.reason);
    }
    collected.only = DF;
    apply(&cluster, overlay.path(), "components: [../manifests/components/exec-df]").await;
    let granted = loop {
        let down = collected.state(DF, State::Down).await;
        if !down.reason.contains("403") {
            break down;
        }
    };
    assert!(granted.reason.contains("refused"), "{}", granted.reason);
}

/// How the sources are first told to be down, in whichever order.
async fn both_down(collected: &mut Collected) -> [SourceState; 2] {
    let [mut kubelet, mut df] = [None, None];
    loop {
        if let Seen::Event(Event::SourceState(told)) = collected.next().await
            && told.state == State::Down
        {
            match told.name.as_str() {
                KUBELET => kubelet = kubelet.or(Some(told)),
                DF => df = df.or(Some(told)),
                _ => {}
            }
        }
        if let (Some(kubelet), Some(df)) = (&kubelet, &df) {
            return [kubelet.clone(), df.clone()];
        }
    }
}

/// Applies the base, and more, as an overlay does.
async fn apply(cluster: &Cluster, folder: &Path, more: &str) {
    let text = format!("namespace: {NAMESPACE}\nresources: [../manifests/base]\n{more}\n");
    fs::write(folder.join("kustomization.yaml"), text).expect("the folder can be written");
    cluster.kubectl(&["apply", "--kustomize", &folder.display().to_string()]).await;
}

async fn put_node_and_pod(cluster: &Cluster) {
    let status = json!({
        "addresses": [{"type": "InternalIP", "address": NOBODY}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
    });
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "nowhere"}});
    put(cluster, &node, &status).await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "db", "namespace": NAMESPACE, "labels": {"app": "db"}},
        "spec": {
            "nodeName": "nowhere", "containers": [{"name": "main", "image": "example/main:1"}],
        },
    });
    put(cluster, &pod, &json!({"phase": "Running"})).await;
}

/// Creates an object, and gives it a status as its kubelet would.
async fn put(cluster: &Cluster, object: &serde_json::Value, status: &serde_json::Value) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), object.to_string()).expect("it can be written");
    cluster.kubectl(&["create", "-f", &file.path().display().to_string()]).await;
    let metadata = &object["metadata"];
    let kind = object["kind"].as_str().expect("a kind");
    let name = metadata["name"].as_str().expect("a name");
    let namespace = metadata["namespace"].as_str().unwrap_or("default");
    let patch = json!({"status": status}).to_string();
    let asked = ["-n", namespace, "patch", kind, name, "--subresource=status", "--type=merge"];
    cluster.kubectl(&[&asked[..], &["-p", &patch]].concat()).await;
}
