//! A backup in the same interface: the same answers, and nothing that can be changed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    feed::Feed,
    support::{Recording, Server, live_query, log, pod_observed, refusal, source_up, trace},
};
use monitor_backend::event::Level;

const PATHS: [&str; 9] = [
    "/api/objects",
    "/api/objects/uid-a",
    "/api/logs?limit=5",
    "/api/requests",
    "/api/live-queries",
    "/api/timeline",
    "/api/sources",
    "/api/actions",
    "/api/overview",
];

/// A server that replays a backup, and what the original answered.
async fn replayed() -> (Server, Vec<Value>, tempfile::TempDir) {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let mut events = vec![source_up("app-server"), pod_observed("a", "Running")];
    events.extend((0..20).map(|n| log(Level::Info, &n.to_string())));
    events.extend([trace("t", None), live_query("users")]);
    recording.observe(events).await;
    recording.recorder.record_durable(vec![log(Level::Info, "last")]).await.unwrap();
    let server = Server::live(&recording, |_| {}).await;
    let to = recording.published.reader.load().as_ref().unwrap().positions().last_seq;
    let backup = server.get(&format!("/api/journal/backup?to={to}")).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup.tar");
    std::fs::write(&file, backup.bytes().await.unwrap()).unwrap();
    let mut answers = Vec::new();
    for path in PATHS {
        answers.push(server.json(&format!("{path}{}at={to}", joiner(path))).await);
    }
    (Server::replay(&file).await, answers, dir)
}

fn joiner(path: &str) -> char {
    if path.contains('?') { '&' } else { '?' }
}

#[tokio::test]
async fn a_replay_gives_the_same_answers() {
    let (server, answers, _dir) = replayed().await;
    for (path, expected) in PATHS.iter().zip(answers) {
        let answer = server.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_replay_is_open_but_nothing_can_be_changed() {
    let (server, _, _dir) = replayed().await;
    let session = server.bare(Method::GET, "/api/session").send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    assert_eq!(session, json!({"actor": "replay", "can_act": false, "via": "replay"}));
    let status = server.bare(Method::GET, "/api/status").send().await.unwrap();
    assert_eq!(status.json::<Value>().await.unwrap()["mode"], "replay");
    let wipe = json!({"confirm": "wipe", "reason": "test"});
    for (path, body) in [("/api/journal/wipe", wipe), ("/api/actions", json!({"action": "x"}))] {
        let write = server.bare(Method::POST, path).json(&body);
        assert_eq!(refusal(write).await, (409, "replay".into()), "{path}");
    }
    let mut feed = Feed::open(&server, "", None).await;
    feed.next_of("hello").await;
}

#[tokio::test]
async fn another_sites_name_for_this_machine_is_refused() {
    let (server, _, _dir) = replayed().await;
    let rebound = server.bare(Method::GET, "/api/logs").header("host", "evil.example");
    assert_eq!(refusal(rebound).await, (403, "foreign_host".into()));
}
