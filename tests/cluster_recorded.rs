//! The real binary against a real API server: what the cluster did is on record, and what nobody saw
//! is on record as that.

#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/process.rs"]
mod process;
#[path = "support/proxy.rs"]
mod proxy;

use cluster::Cluster;
use process::Process;
use proxy::Proxy;
use serde_json::Value;

const PODS: &str = "/api/objects?kind=Pod&namespace=default";

async fn create_pod(cluster: &Cluster, name: &str) {
    let overrides = r#"{"spec":{"automountServiceAccountToken":false}}"#;
    let image = ["run", name, "--image=i", "--restart=Never", "--overrides", overrides];
    cluster.kubectl(&image).await;
}

async fn set_phase(cluster: &Cluster, name: &str, phase: &str) {
    let status = format!(r#"{{"status":{{"phase":"{phase}"}}}}"#);
    let patch = ["patch", "pod", name, "--subresource=status", "--type=merge", "-p", &status];
    cluster.kubectl(&patch).await;
}

async fn delete_pod(cluster: &Cluster, name: &str) {
    // Without a kubelet nobody would confirm that it has stopped.
    cluster.kubectl(&["delete", "pod", name, "--grace-period=0", "--force"]).await;
}

fn pod<'a>(pods: &'a Value, name: &str) -> Option<&'a Value> {
    pods["objects"].as_array()?.iter().find(|pod| pod["name"] == name)
}

/// Waits until a pod's row has this value in this field.
async fn wait_for_pod(process: &Process, name: &str, field: &str, value: &str) -> Value {
    let is_so = |pods: &Value| pod(pods, name).is_some_and(|pod| pod[field] == value);
    let pods = process.wait_for(PODS, is_so).await;
    pod(&pods, name).expect("it was waited for").clone()
}

async fn wait_for_state(process: &Process, state: &str) {
    let is_so = |sources: &Value| {
        let sources = sources["sources"].as_array();
        let watch = sources.and_then(|all| all.iter().find(|s| s["name"] == "cluster/Pod"));
        watch.is_some_and(|watch| watch["state"] == state)
    };
    process.wait_for("/api/sources", is_so).await;
}

#[tokio::test]
async fn what_a_cluster_did_is_on_record_and_so_is_what_nobody_saw() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut cluster = Cluster::start().await;
    let proxy = Proxy::start(&cluster.url()).await;
    let kubeconfig = proxy.kubeconfig(cluster.kubeconfig());
    let kubeconfig = kubeconfig.to_str().expect("temporary paths are text");
    let process = Process::serve(dir.path(), &["--kubeconfig", kubeconfig]).ready().await;
    wait_for_state(&process, "up").await;

    for name in ["changes", "goes", "deleted"] {
        create_pod(&cluster, name).await;
        wait_for_pod(&process, name, "phase", "Pending").await;
    }
    set_phase(&cluster, "changes", "Running").await;
    wait_for_pod(&process, "changes", "phase", "Running").await;
    delete_pod(&cluster, "deleted").await;
    let deleted = wait_for_pod(&process, "deleted", "deleted_because", "deleted").await;
    assert!(deleted["deleted"].is_number(), "the time of the deletion is known: {deleted}");

    cluster.stop_apiserver();
    wait_for_state(&process, "down").await;
    // It must not see the server before the pod is gone and forgotten.
    proxy.set_open(false);
    cluster.start_apiserver().await;
    delete_pod(&cluster, "goes").await;
    cluster.stop_apiserver();
    cluster.start_apiserver().await;
    proxy.set_open(true);

    wait_for_state(&process, "up").await;
    let goes = wait_for_pod(&process, "goes", "deleted_because", "gone_unobserved").await;
    let sources = process.get("/api/sources").await;
    let gaps = sources["gaps"].as_array().expect("it is a list");
    let gap = gaps.iter().find(|gap| gap["source"] == "cluster/Pod").expect("a gap is on record");
    let (from, to) = (gap["from"].as_f64(), gap["to"].as_f64());
    assert!(from < goes["deleted"].as_f64(), "{gap} {goes}");
    assert!(from < to, "{gap}");

    create_pod(&cluster, "afterwards").await;
    wait_for_pod(&process, "afterwards", "phase", "Pending").await;
    let living = process.get(&format!("{PODS}&deleted=false")).await;
    let names: Vec<&str> = living["objects"]
        .as_array()
        .expect("it is a list")
        .iter()
        .filter_map(|pod| pod["name"].as_str())
        .collect();
    assert_eq!(names, ["afterwards", "changes"]);
}

#[tokio::test]
async fn the_binary_takes_the_tokens_that_its_configuration_says() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start().await;
    let url = "--non-resource-url=/desk";
    cluster.kubectl(&["create", "clusterrole", "desk", url, "--verb=get"]).await;
    cluster.kubectl(&["create", "serviceaccount", "ann"]).await;
    let bound = ["--clusterrole=desk", "--serviceaccount=default:ann"];
    cluster.kubectl(&[&["create", "clusterrolebinding", "ann"][..], &bound].concat()).await;
    let token = cluster.kubectl(&["create", "token", "ann", "--audience=mine"]).await;
    // The API server takes a moment to act on a binding.
    let may = ["auth", "can-i", "get", "/desk", "--as=system:serviceaccount:default:ann"];
    let bound = async { while cluster.try_kubectl(&may).await.is_err() {} };
    tokio::time::timeout(process::WAIT_MAX, bound).await.expect("it is bound");
    let config = dir.path().join("config.toml");
    std::fs::write(&config, "[access]\naudience = \"mine\"\npath = \"/desk\"\n")
        .expect("the folder can be written");
    let config = config.to_str().expect("temporary paths are text");
    let kubeconfig = cluster.kubeconfig().to_str().expect("temporary paths are text");
    let args = ["--kubeconfig", kubeconfig, "--config", config];
    let process = Process::serve(&dir.path().join("data"), &args).ready().await;
    let client = process::client::plain();
    let url = format!("{}/api/session", process.address());
    let answer = client.get(&url).bearer_auth(token.trim()).send().await.expect("it answers");
    assert_eq!(answer.status(), 200);
    let session: Value = answer.json().await.expect("it is JSON");
    assert_eq!(session["actor"], "system:serviceaccount:default:ann");
    assert_eq!((&session["can_act"], &session["via"]), (&false.into(), &"token".into()));
}
