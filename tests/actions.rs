//! Actions with a real recorder: what is recorded before and after, and what is done in between.

#[path = "support/client.rs"]
mod client;

#[path = "support/cluster.rs"]
mod cluster;

#[path = "actions/desk.rs"]
mod desk;

#[path = "actions/degraded.rs"]
mod degraded;

#[path = "journal/faulty.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests of the journal")]
mod faulty;

#[path = "actions/peer.rs"]
mod peer;

#[path = "actions/real_cluster.rs"]
mod real_cluster;

#[path = "actions/runbooks.rs"]
mod runbooks;

#[path = "actions/sequences.rs"]
mod sequences;

use std::{sync::Arc, time::Duration};

use cluster::Cluster;
use desk::{Desk, write_kubeconfig};
use faulty::{Faulty, Op};
use monitor_backend::{
    actions::{Error, RUNNING_MAX},
    event::Outcome,
    recorder,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Anything that is waited for is there by then; a healthy run needs a fraction of it.
const PATIENCE: Duration = Duration::from_secs(30);
const ACTION: &str = "restart-workload";
const ACTOR: &str = "admin key";

fn args(method: &str) -> Value {
    json!({"kind": "Deployment", "namespace": "default", "name": "web", "method": method})
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name_and_nothing_is_recorded() {
    let desk = Desk::start().await;
    let actions = desk.actions_without_cluster();
    let with = |field: &str, value: Value| {
        let mut args = args("rollout");
        args[field] = value;
        args
    };
    let without = |field: &str| {
        let mut args = args("rollout");
        args.as_object_mut().expect("an object").remove(field);
        args
    };
    let cases = [
        ("no-such-action", args("rollout"), "action"),
        (ACTION, json!([]), "args"),
        (ACTION, Value::Null, "args"),
        (ACTION, without("kind"), "kind"),
        (ACTION, without("namespace"), "namespace"),
        (ACTION, without("name"), "name"),
        (ACTION, without("method"), "method"),
        (ACTION, with("kind", json!("Pod")), "kind"),
        (ACTION, with("method", json!(1)), "method"),
        (ACTION, with("name", json!("")), "name"),
        (ACTION, with("name", json!("../secrets/x")), "name"),
        (ACTION, with("name", json!("a".repeat(254))), "name"),
        (ACTION, with("namespace", json!("Default")), "namespace"),
        (ACTION, with("namespace", json!("a?b")), "namespace"),
        (ACTION, with("replicas", json!(1)), "replicas"),
    ];
    for (action, args, expected) in cases {
        match actions.start(ACTOR, action, &args).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, expected, "{args}"),
            other => panic!("{args}: {other:?}"),
        }
    }
    assert!(desk.intents().is_empty());
}

#[tokio::test]
async fn an_action_that_cannot_be_done_has_a_failed_outcome_that_repeats_its_intent() {
    let desk = Desk::start().await;
    let actions = desk.actions_without_cluster();
    let started = actions.start(ACTOR, ACTION, &args("rollout")).await.expect("it starts");
    let (outcome_seq, outcome) = desk.outcome(1).await;
    let [(seq, intent)] = &desk.intents()[..] else { panic!("one intent") };
    assert_eq!((Some(*seq), &intent.id), (started.seq, &started.id));
    assert!(outcome_seq > *seq);
    assert_eq!((outcome.outcome, &outcome.id), (Outcome::Failed, &intent.id));
    assert_eq!((&outcome.actor, &outcome.action), (&intent.actor, &intent.action));
    assert_eq!((&outcome.args, outcome.started), (&intent.args, intent.started));
    assert!(outcome.ended >= outcome.started);
    assert!(outcome.detail.contains("switched off"), "{}", outcome.detail);
    let recorded: Value = serde_json::from_str(&intent.args).expect("JSON");
    assert_eq!(recorded, args("rollout"));
    let is_url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
    assert!(started.id.chars().all(is_url_safe), "{}", started.id);
}

#[tokio::test]
async fn the_intent_is_durable_before_the_cluster_hears_of_it() {
    let desk = Desk::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let dir = TempDir::new().expect("a folder");
    let actions = desk.actions(&write_kubeconfig(&dir, port));
    let start = tokio::spawn(async move { actions.start(ACTOR, ACTION, &args("rollout")).await });
    let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
    let connection = accepted.expect("it asks the cluster").expect("accepting works");
    let [(seq, _)] = &desk.intents()[..] else { panic!("one intent") };
    assert!(desk.published.positions.borrow().durable_seq >= *seq);
    assert!(desk.outcomes().is_empty());
    drop(connection);
    let started = start.await.expect("no panic").expect("it starts");
    assert_eq!(started.seq, Some(*seq));
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert!(outcome.detail.contains("is the API server running"), "{}", outcome.detail);
}

#[tokio::test]
async fn an_action_goes_on_when_whoever_asked_is_gone() {
    let desk = Desk::start().await;
    let actions = desk.actions_without_cluster();
    let args = args("rollout");
    let mut asked = Box::pin(actions.start(ACTOR, ACTION, &args));
    let polled_once = std::future::poll_fn(|context| {
        let _ = asked.as_mut().poll(context);
        std::task::Poll::Ready(())
    });
    polled_once.await;
    drop(asked);
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
}

#[tokio::test]
async fn no_more_than_some_actions_run_at_once() {
    let desk = Desk::start().await;
    // Connections are made, and nobody ever answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let dir = TempDir::new().expect("a folder");
    let actions = desk.actions(&write_kubeconfig(&dir, port));
    for _ in 0..RUNNING_MAX {
        actions.start(ACTOR, ACTION, &args("rollout")).await.expect("it starts");
    }
    let refused = actions.start(ACTOR, ACTION, &args("rollout")).await;
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
    assert_eq!(desk.intents().len(), RUNNING_MAX);

    // They end, and there is room again.
    drop(listener);
    desk.outcome(RUNNING_MAX).await;
    let poll = async {
        while actions.start(ACTOR, ACTION, &args("rollout")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.expect("a slot is given back");
}

#[tokio::test]
async fn without_a_record_nothing_is_done_unless_that_is_asked_for() {
    let fs = Faulty::new();
    let desk = Desk::on(Arc::new(fs.clone())).await;
    let actions = desk.actions_without_cluster();
    for op in [Op::Create, Op::Allocate, Op::Write] {
        fs.fail(op, std::io::ErrorKind::StorageFull);
    }
    let refused = actions.start(ACTOR, ACTION, &args("rollout")).await;
    let not_recorded = recorder::Error::NotRecorded { reason: String::new() };
    let same = |source: &recorder::Error| {
        std::mem::discriminant(source) == std::mem::discriminant(&not_recorded)
    };
    assert!(matches!(&refused, Err(Error::NotRecorded { source }) if same(source)), "{refused:?}");
    let started = actions.start_unrecorded(ACTOR, ACTION, &args("rollout")).await;
    let started = started.expect("it is started all the same");
    assert_eq!(started.seq, None);
    assert!(desk.intents().is_empty());

    fs.mend();
    let (outcome_seq, outcome) = desk.outcome(1).await;
    let [(seq, intent)] = &desk.intents()[..] else { panic!("one intent") };
    assert_eq!((&intent.id, &outcome.id), (&started.id, &started.id));
    assert!(outcome_seq > *seq, "the intent is recorded before the outcome");
}

#[tokio::test]
async fn an_intent_that_may_not_be_durable_is_not_acted_on_and_its_outcome_says_so() {
    let fs = Faulty::new();
    let desk = Desk::on(Arc::new(fs.clone())).await;
    let actions = desk.actions_without_cluster();
    for op in [Op::Create, Op::Rename, Op::Sync] {
        fs.fail(op, std::io::ErrorKind::Other);
    }
    let refused = actions.start(ACTOR, ACTION, &args("rollout")).await;
    let is_unsure =
        matches!(&refused, Err(Error::NotRecorded { source: recorder::Error::Unsure { .. } }));
    assert!(is_unsure, "{refused:?}");
    fs.mend();
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert!(outcome.detail.contains("not started"), "{}", outcome.detail);
}

#[tokio::test]
async fn a_stopped_recorder_starts_nothing() {
    let desk = Desk::start().await;
    let actions = desk.actions_without_cluster();
    desk.recorder.stop().await;
    let refused = actions.start(ACTOR, ACTION, &args("rollout")).await;
    assert!(matches!(refused, Err(Error::NotRecorded { .. })), "{refused:?}");
}

async fn create_pod(cluster: &Cluster, name: &str, app: &str) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    std::fs::write(file.path(), pod.to_string()).expect("it can be written");
    cluster.kubectl(&["create", "-f", &file.path().display().to_string()]).await;
}

async fn pod_names(cluster: &Cluster) -> Vec<String> {
    let names = cluster.kubectl(&["get", "pods", "-o", "jsonpath={.items[*].metadata.name}"]).await;
    names.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn workloads_of_a_real_cluster_are_restarted() {
    let cluster = Cluster::start().await;
    let desk = Desk::start().await;
    let actions = desk.actions(cluster.kubeconfig());
    let mut count = 0;
    let mut act = async |args: Value| {
        actions.start(ACTOR, ACTION, &args).await.expect("it starts");
        count += 1;
        let (_, outcome) = desk.outcome(count).await;
        (outcome.outcome, outcome.detail)
    };

    let (outcome, detail) = act(args("rollout")).await;
    assert_eq!(outcome, Outcome::Failed);
    assert!(detail.contains("404") && detail.contains("Deployment default/web"), "{detail}");

    cluster.kubectl(&["create", "deployment", "web", "--image=i"]).await;
    let restarted_at =
        r"jsonpath={.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}";
    let (outcome, detail) = act(args("rollout")).await;
    assert_eq!(outcome, Outcome::Succeeded, "{detail}");
    let at = cluster.kubectl(&["get", "deployment", "web", "-o", restarted_at]).await;
    assert!(at.ends_with('Z') && detail.contains(&at), "{at}: {detail}");

    let (outcome, detail) = act(args("delete-newest-pod")).await;
    assert_eq!(outcome, Outcome::Failed, "{detail}");
    assert!(detail.contains("app=web"), "{detail}");
    for (name, app) in [("pod-1", "web"), ("pod-2", "web"), ("pod-3", "other")] {
        create_pod(&cluster, name, app).await;
    }
    let (outcome, detail) = act(args("delete-newest-pod")).await;
    assert_eq!(outcome, Outcome::Succeeded, "{detail}");
    assert!(detail.contains("pod-2"), "{detail}");
    assert_eq!(pod_names(&cluster).await, ["pod-1", "pod-3"]);

    cluster.kubectl(&["rollout", "pause", "deployment", "web"]).await;
    let (outcome, detail) = act(args("rollout")).await;
    assert_eq!(outcome, Outcome::Succeeded);
    assert!(detail.contains("it is paused"), "{detail}");
}

#[tokio::test]
async fn a_user_who_may_not_restart_learns_which_permission_is_missing() {
    let cluster = Cluster::start().await;
    let desk = Desk::start().await;
    let actions = desk.actions(&cluster.kubeconfig_for(cluster::USER_TOKEN));
    actions.start(ACTOR, ACTION, &args("rollout")).await.expect("it starts");
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    for word in ["403", cluster::USER, "grant patch on deployments"] {
        assert!(outcome.detail.contains(word), "{word}: {}", outcome.detail);
    }
}
