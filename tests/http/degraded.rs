//! What clients are told, and can do, while the journal takes no records.

use std::{io::ErrorKind, sync::Arc};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    faulty::{Faulty, Op},
    support::{Recording, Server, live_query, pod_observed, source_up, trace, until},
};

async fn status_with(server: &Server, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let status = server.json("/api/status").await;
        if is_so(&status) {
            return status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn row(server: &Server, path: &str, list: &str, index: usize) -> Value {
    server.json(path).await[list][index].clone()
}

#[tokio::test]
async fn what_is_not_saved_is_marked_and_an_action_needs_leave_to_go_unrecorded() {
    let fs = Faulty::new();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let recording = Recording::on(dir, Arc::new(fs.clone()));
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    recording.observe(vec![source_up("app-server"), pod_observed("a", "Running")]).await;
    for op in [Op::Create, Op::Allocate, Op::Write] {
        fs.fail(op, ErrorKind::StorageFull);
    }
    recording
        .send(vec![pod_observed("b", "Running"), live_query("users"), trace("open", None)])
        .await;
    let status = status_with(&server, |status| status["unsaved"]["kept"] == 3).await;
    assert!(status["degraded"][0].as_str().unwrap().contains("full"), "{status}");
    let objects = server.json("/api/objects").await;
    let saved = |at: usize| (&objects["objects"][at]["name"], &objects["objects"][at]["saved"]);
    assert_eq!((saved(0), saved(1)), ((&json!("a"), &json!(true)), (&json!("b"), &json!(false))));
    assert_eq!(row(&server, "/api/live-queries", "live_queries", 0).await["saved"], false);
    assert_eq!(row(&server, "/api/requests", "requests", 0).await["saved"], false);

    let args = json!({"kind": "Deployment", "namespace": "default", "name": "app",
        "method": "rollout"});
    let mut action = json!({"action": "restart-workload", "args": args});
    let refused = server.ask(Method::POST, "/api/actions").json(&action).send().await.unwrap();
    assert_eq!(refused.status(), 507);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["code"], "action_not_recorded");
    assert!(refused["message"].as_str().unwrap().contains("\"unrecorded\": true"), "{refused}");
    action["unrecorded"] = json!(true);
    let started = server.ask(Method::POST, "/api/actions").json(&action).send().await.unwrap();
    assert_eq!(started.status(), 202);
    let started: Value = started.json().await.unwrap();
    assert_eq!(started["seq"], Value::Null);
    // Three states, an intent and its outcome.
    status_with(&server, |status| status["unsaved"]["kept"] == 5).await;
    let shown = row(&server, "/api/actions", "actions", 0).await;
    assert_eq!((&shown["id"], &shown["outcome"]), (&started["id"], &json!("failed")));
    assert_eq!(shown["saved"], false);

    fs.mend();
    let status = status_with(&server, |status| status["unsaved"].is_null()).await;
    assert_eq!(status["degraded"], json!([]));
    for (path, list) in [
        ("/api/objects", "objects"),
        ("/api/live-queries", "live_queries"),
        ("/api/requests", "requests"),
        ("/api/actions", "actions"),
    ] {
        assert_eq!(row(&server, path, list, 0).await["saved"], true, "{path}");
    }
    assert_eq!(row(&server, "/api/actions", "actions", 0).await["id"], started["id"]);
    let upkeep = row(&server, "/api/journal", "upkeep", 0).await;
    assert_eq!(upkeep["what"], "degraded", "{upkeep}");
}

#[tokio::test]
async fn the_present_and_the_past_of_one_number_differ_while_something_is_not_saved() {
    let fs = Faulty::new();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let recording = Recording::on(dir, Arc::new(fs.clone()));
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    recording.observe(vec![pod_observed("a", "Running")]).await;
    fs.fail(Op::Write, ErrorKind::StorageFull);
    fs.fail(Op::Create, ErrorKind::StorageFull);
    recording.send(vec![pod_observed("b", "Running")]).await;
    until("it is shown", || recording.published.snapshot.load().state.objects.len() == 2).await;
    let present = server.json("/api/objects").await;
    let past = server.json(&format!("/api/objects?at={}", present["seq"])).await;
    let count = |answer: &Value| answer["objects"].as_array().map(Vec::len);
    assert_eq!((count(&present), count(&past)), (Some(2), Some(1)));
}

#[tokio::test]
async fn the_journal_says_how_much_is_kept_and_how_far_it_reaches() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    let journal = server.json("/api/journal").await;
    assert!(journal["limits"]["bytes_max"].as_u64().unwrap() > 0, "{journal}");
    assert!(journal["limits"]["source_bytes_per_day"].as_u64().unwrap() > 0);
    assert_eq!(journal["limits"]["age_max"], Value::Null);
    assert_eq!(journal["reach"]["from"], journal["segments"][0]["created"]);
    assert_eq!(journal["reach"]["duration"], Value::Null, "no rate after a moment");
    assert_eq!(journal["upkeep"], json!([]));
}
