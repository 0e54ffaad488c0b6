//! What an admin does: on record before it is done, and with its outcome after.

use monitor_backend::actions::{Actions, Procedures, runbook::Runbook};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    feed::Feed,
    support::{Recording, Server, refusal, until},
};

fn restart() -> Value {
    let args = json!({"kind": "Deployment", "namespace": "default", "name": "app",
        "method": "rollout"});
    json!({"action": "restart-workload", "args": args})
}

#[tokio::test]
async fn an_action_is_on_record_before_and_after() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "?topics=actions", None).await;
    feed.next_of("hello").await;
    let answer = server.ask(Method::POST, "/api/actions").json(&restart()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let started: Value = answer.json().await.unwrap();

    let mut told = Vec::new();
    while told.len() < 2 {
        let batch = feed.next_of("batch").await;
        told.extend(batch.data["actions"].as_array().cloned().unwrap_or_default());
    }
    for row in &told {
        assert_eq!(row["id"], started["id"]);
        assert_eq!(row["actor"], "admin key");
        assert_eq!(row["args"]["name"], "app");
    }
    assert_eq!((&told[0]["seq"], &told[0]["outcome"]), (&started["seq"], &Value::Null));
    assert_eq!(told[1]["outcome"], "failed", "these tests have no cluster");
    let actions = server.json("/api/actions").await;
    assert_eq!(actions["actions"], json!([told[1]]));
    let then = server.json(&format!("/api/actions?at={}", started["seq"])).await;
    assert_eq!(then["actions"], json!([told[0]]));
}

#[tokio::test]
async fn an_action_that_makes_no_sense_is_refused_and_not_recorded() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    let mut no_name = restart();
    no_name["args"]["name"] = json!("");
    for body in [json!({"action": "launch", "args": {}}), no_name] {
        let write = server.ask(Method::POST, "/api/actions").json(&body);
        assert_eq!(refusal(write).await, (400, "invalid".into()), "{body}");
    }
    for body in ["", "7", r#"{"action":"restart-workload"}"#] {
        let write = server.ask(Method::POST, "/api/actions").body(body);
        assert_eq!(refusal(write).await, (400, "bad_body".into()), "{body}");
    }
    assert_eq!(server.json("/api/actions").await["actions"], json!([]));
}

/// A server with one runbook, which waits for longer than a test does.
async fn with_runbook(recording: &Recording) -> Server {
    let book = json!({"name": "wait", "what": "Waits.", "steps": [{"kind": "wait", "ms": 600_000}],
        "args": [{"name": "who", "what": "For whom.", "default": "me"}]});
    let book: Runbook = serde_json::from_value(book).unwrap();
    let procedures = Procedures { runbooks: vec![book], ..Procedures::default() };
    let (recorder, published) = (recording.recorder.clone(), recording.published.clone());
    let actions = Actions::new(recorder, published, None, procedures);
    Server::live(recording, |desk| desk.actions = Some(actions)).await
}

#[tokio::test]
async fn what_can_be_done_is_declared_with_its_arguments() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = with_runbook(&recording).await;
    let declared = server.json("/api/actions").await["declared"].clone();
    let names: Vec<&str> =
        declared.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["restart-workload", "delete-pod", "scale-workload", "run-runbook", "run-test-sequence"]
    );
    let uid = &declared[1]["args"][2];
    assert_eq!((&uid["name"], &uid["optional"]), (&json!("uid"), &json!(true)));
    let runbooks = server.json("/api/runbooks").await;
    let book = &runbooks["runbooks"][0];
    assert_eq!(book["steps"], json!([{"kind": "wait", "what": "wait for 600000 ms"}]));
    assert_eq!((&book["args"][0]["default"], &book["timeout"]), (&json!("me"), &json!(600_000.0)));
    assert_eq!(runbooks["sequences"], json!([]));
}

#[tokio::test]
async fn output_is_shown_and_told_live_and_an_action_is_cancelled() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = with_runbook(&recording).await;
    let mut feed = Feed::open(&server, "?topics=actions", None).await;
    feed.next_of("hello").await;
    let run = json!({"action": "run-runbook", "args": {"name": "wait"}});
    let answer = server.ask(Method::POST, "/api/actions").json(&run).send().await.unwrap();
    let started: Value = answer.json().await.unwrap();
    let told = loop {
        let batch = feed.next_of("batch").await;
        if let Some(line) = batch.data["action_progress"].get(0) {
            break line.clone();
        }
    };
    assert_eq!(
        (&told["id"], &told["line"]),
        (&started["id"], &json!("step 1 of 1: wait for 600000 ms"))
    );
    let path = format!("/api/actions/{}", started["id"].as_str().unwrap());
    let detail = server.json(&path).await;
    assert_eq!(detail["action"]["outcome"], Value::Null);
    assert_eq!((&detail["progress"], &detail["next"]), (&json!([told]), &Value::Null));

    let cancel = format!("{path}/cancel");
    let answer = server.ask(Method::POST, &cancel).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    until("it has ended", || recording.published.snapshot.load().state.running_actions.is_empty())
        .await;
    let detail = server.json(&path).await;
    assert_eq!(detail["action"]["outcome"], "cancelled");
    assert_eq!(detail["progress"][0]["line"], "cancelled by admin key");
    assert_eq!(detail["progress"][1], told, "newest first");
    let again = server.ask(Method::POST, &cancel);
    assert_eq!(refusal(again).await, (409, "not_running".into()));
    let unknown = server.ask(Method::GET, "/api/actions/none");
    assert_eq!(refusal(unknown).await, (404, "not_found".into()));
    let then = server.json(&format!("{path}?at={}", told["seq"])).await;
    assert_eq!(then["action"]["outcome"], Value::Null, "as it was at that line");
}

#[tokio::test]
async fn a_dry_run_answers_at_once_and_records_nothing() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = with_runbook(&recording).await;
    let run = json!({"action": "run-runbook", "args": {"name": "wait"}, "dry_run": true});
    let answer = server.ask(Method::POST, "/api/actions").json(&run).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let told: Value = answer.json().await.unwrap();
    assert_eq!(told, json!({"would": ["step 1: wait for 600000 ms"]}));
    let mut restart = restart();
    restart["dry_run"] = json!(true);
    let answer = server.ask(Method::POST, "/api/actions").json(&restart).send().await.unwrap();
    let told: Value = answer.json().await.unwrap();
    assert!(told["would"][0].as_str().unwrap().starts_with("this would fail: "), "{told}");
    assert_eq!(server.json("/api/actions").await["actions"], json!([]));
}
