//! Actions on a real API server: what they change, what a dry run leaves alone, what is missing.

use monitor_backend::event::Outcome;
use serde_json::{Value, json};

use crate::{
    ACTOR,
    cluster::{self, Cluster},
    create_pod,
    desk::Desk,
    pod_names,
};

fn scale(kind: &str, replicas: u64) -> Value {
    json!({"kind": kind, "namespace": "default", "name": "web", "replicas": replicas})
}

async fn replicas(cluster: &Cluster) -> String {
    cluster.kubectl(&["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"]).await
}

#[tokio::test]
async fn a_real_cluster_is_scaled_and_a_dry_run_changes_nothing() {
    let cluster = Cluster::start().await;
    let desk = Desk::start().await;
    let actions = desk.actions(cluster.kubeconfig());
    cluster.kubectl(&["create", "deployment", "web", "--image=i"]).await;
    create_pod(&cluster, "pod-1", "web").await;

    let would = actions.dry_run("scale-workload", &scale("Deployment", 3)).await;
    assert_eq!(
        would.expect("it is told"),
        ["scale Deployment default/web from 1 to 3 pods; the API server would allow it"]
    );
    let pod = json!({"namespace": "default", "name": "pod-1"});
    let would = actions.dry_run("delete-pod", &pod).await.expect("it is told");
    assert!(would[0].contains("delete pod default/pod-1 (uid "), "{would:?}");
    for method in ["rollout", "delete-newest-pod"] {
        let would = actions.dry_run("restart-workload", &crate::args(method)).await;
        let would = would.expect("it is told");
        assert!(would[0].ends_with("the API server would allow it"), "{would:?}");
    }
    assert_eq!(replicas(&cluster).await, "1");
    assert_eq!(pod_names(&cluster).await, ["pod-1"]);
    let template = ["get", "deployment", "web", "-o", "jsonpath={.spec.template.metadata}"];
    assert!(!cluster.kubectl(&template).await.contains("restartedAt"));
    assert!(desk.intents().is_empty());

    actions.start(ACTOR, "scale-workload", &scale("Deployment", 3)).await.expect("it starts");
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    assert!(outcome.detail.contains("told to have 3 pods; it was told 1 before"));
    assert_eq!(replicas(&cluster).await, "3");
    actions.start(ACTOR, "scale-workload", &scale("StatefulSet", 3)).await.expect("it starts");
    let (_, outcome) = desk.outcome(2).await;
    assert!(outcome.detail.contains("404"), "{}", outcome.detail);
}

#[tokio::test]
async fn a_pod_of_a_real_cluster_is_deleted_and_no_other_one() {
    let cluster = Cluster::start().await;
    let desk = Desk::start().await;
    let actions = desk.actions(cluster.kubeconfig());
    create_pod(&cluster, "pod-1", "web").await;
    let pod = |uid: Option<&str>| json!({"namespace": "default", "name": "pod-1", "uid": uid});

    actions.start(ACTOR, "delete-pod", &pod(Some("other"))).await.expect("it starts");
    let (_, outcome) = desk.outcome(1).await;
    assert!(outcome.detail.contains("409"), "{}", outcome.detail);
    let other = actions.dry_run("delete-pod", &pod(Some("other"))).await.expect("it is told");
    assert!(other[0].contains("this would fail") && other[0].contains("409"), "{other:?}");
    assert_eq!(pod_names(&cluster).await, ["pod-1"]);

    let uid = cluster.kubectl(&["get", "pod", "pod-1", "-o", "jsonpath={.metadata.uid}"]).await;
    actions.start(ACTOR, "delete-pod", &pod(Some(&uid))).await.expect("it starts");
    let (_, outcome) = desk.outcome(2).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    assert!(outcome.detail.contains(&uid), "{}", outcome.detail);
    assert!(pod_names(&cluster).await.is_empty());

    actions.start(ACTOR, "delete-pod", &pod(None)).await.expect("it starts");
    let (_, outcome) = desk.outcome(3).await;
    assert!(outcome.detail.contains("404"), "{}", outcome.detail);
}

#[tokio::test]
async fn who_may_not_act_learns_by_a_dry_run_what_is_missing() {
    let cluster = Cluster::start().await;
    let desk = Desk::start().await;
    let actions = desk.actions(&cluster.kubeconfig_for(cluster::USER_TOKEN));
    let pod = json!({"namespace": "default", "name": "p", "uid": "u"});
    for (action, args, missing) in [
        ("scale-workload", scale("Deployment", 1), "grant get on deployments/scale"),
        ("delete-pod", pod, "grant delete on pods"),
        ("restart-workload", crate::args("rollout"), "grant patch on deployments"),
    ] {
        let told = actions.dry_run(action, &args).await.expect("it is told");
        assert!(told[0].contains("403") && told[0].contains(missing), "{told:?}");
    }
    assert!(desk.intents().is_empty());
}
