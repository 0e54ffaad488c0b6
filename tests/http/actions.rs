//! What an admin does: on record before it is done, and with its outcome after.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    feed::Feed,
    support::{Recording, Server, refusal},
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
