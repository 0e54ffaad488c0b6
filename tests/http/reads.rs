//! The lists: their contract, their pages and their past.

use serde_json::{Value, json};

use crate::support::{
    Recording, Server, live_query, log, pod_deleted, pod_observed, source_up, trace, warning,
};
use monitor_backend::event::Level;

async fn filled() -> (Recording, Server) {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let events = vec![
        source_up("app-server"),
        source_up("cluster/Pod"),
        pod_observed("b", "Running"),
        pod_observed("a", "Pending"),
        pod_observed("gone", "Running"),
        pod_deleted("gone"),
        warning("w1", "a"),
        log(Level::Error, "Connection REFUSED"),
        trace("open", None),
        trace("ended", Some(5.0)),
        live_query("users"),
    ];
    recording.observe(events).await;
    let server = Server::live(&recording, |_| {}).await;
    (recording, server)
}

#[tokio::test]
async fn the_lists_keep_their_contract() {
    let (_recording, server) = filled().await;
    let line = &server.json("/api/logs").await["entries"][0];
    assert_eq!(line["time"], 1000.5);
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["target"], "app::db");
    assert_eq!(line["span_name"], "");
    assert_eq!(line["message"], "Connection REFUSED");
    assert_eq!(line["source"], "app-server");

    let requests = server.json("/api/requests").await;
    assert_eq!(requests["requests"][0]["id"], "ended");
    assert_eq!(requests["requests"][0]["duration"], 5.0);
    assert_eq!(requests["requests"][1]["duration"], Value::Null);
    let section = &requests["requests"][1]["sections"][0];
    assert_eq!(section["extra_info"], json!({"rows": 2}));
    assert_eq!(server.json("/api/requests/open").await["requests"][0]["end"], "open");

    let query = &server.json("/api/live-queries").await["live_queries"][0];
    assert_eq!(query["table_name"], "users");
    assert_eq!(query["filter"], json!({"id": "x"}));
    assert_eq!(query["last_entries"], json!([{"id": "x"}]));
    assert_eq!(query["watchers_count"], 2);
    assert_eq!(query["observed"], true);

    let status = server.json("/api/status").await;
    assert_eq!(status["mode"], "live");
    assert_eq!(status["version"], "1.2.3");
    assert_eq!(status["replay"]["done"], true);
    assert_eq!(status["sources"][0]["name"], "app-server");
    assert_eq!(status["sources"][0]["state"], "up");
    assert_eq!(status["journal"]["id"].as_str().unwrap().len(), 32);
    assert_eq!(status["journal"]["last_seq"], status["seq"]);

    let segment = &server.json("/api/journal").await["segments"][0];
    assert_eq!(segment["sealed"], false);
    assert_eq!(segment["last_seq"], status["seq"]);
}

#[tokio::test]
async fn objects_are_living_ones_by_name_then_deleted_ones() {
    let (_recording, server) = filled().await;
    let objects = server.json("/api/objects?kind=Pod&namespace=default").await;
    let row = |index: usize| objects["objects"][index].clone();
    assert_eq!((&row(0)["name"], &row(0)["phase"]), (&json!("a"), &json!("Pending")));
    assert_eq!((&row(1)["name"], &row(1)["deleted"]), (&json!("b"), &json!(false)));
    assert_eq!((&row(2)["name"], &row(2)["deleted"]), (&json!("gone"), &json!(6.0)));
    assert_eq!(row(2)["deleted_because"], "gone_unobserved");
    let none = server.json("/api/objects?kind=Node").await;
    assert_eq!(none["objects"], json!([]));

    let living = server.json("/api/objects/uid-a").await;
    assert_eq!(living["body"]["status"]["phase"], "Pending");
    assert_eq!(living["events"][0]["reason"], "BackOff");
    let gone = server.json("/api/objects/uid-gone").await;
    assert_eq!(gone["object"]["deleted"], 6.0);
    assert_eq!(gone["body"]["status"]["phase"], "Running");
    let history = server.json("/api/objects/uid-gone/history").await;
    let deleted = history["versions"].as_array().unwrap().iter().map(|v| v["deleted"].clone());
    assert_eq!(deleted.collect::<Vec<_>>(), [json!(true), json!(false)]);
}

#[tokio::test]
async fn the_overview_says_what_is_wrong() {
    let (_recording, server) = filled().await;
    let overview = server.json("/api/overview").await;
    assert_eq!(overview["kinds"], json!([{"kind": "Pod", "total": 2, "unhealthy": 1}]));
    assert_eq!(overview["unhealthy"][0]["name"], "a");
    assert_eq!(overview["warnings"][0]["uid"], "w1");
    assert_eq!(overview["errors"][0]["message"], "Connection REFUSED");
    assert_eq!(overview["live_queries"], 1);
    assert_eq!(overview["open_requests"], 1);
}

#[tokio::test]
async fn pages_meet_without_overlap_and_filters_hold_over_them() {
    let (recording, server) = filled().await;
    for round in 0..5 {
        let level = if round % 2 == 0 { Level::Debug } else { Level::Warn };
        recording
            .observe((0..50).map(|n| log(level, &format!("Line {round}-{n}"))).collect())
            .await;
    }
    for (filter, expected) in [("", 251), ("&level=warn", 101), ("&q=line%203", 50), ("&q=zzz", 0)]
    {
        let mut seqs: Vec<u64> = Vec::new();
        let mut before = String::new();
        loop {
            let page = server.json(&format!("/api/logs?limit=7{filter}{before}")).await;
            let entries = page["entries"].as_array().unwrap();
            assert!(entries.len() <= 7 && seqs.len() <= expected, "{filter}");
            seqs.extend(entries.iter().map(|entry| entry["seq"].as_u64().unwrap()));
            match page["next"].as_u64() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        assert!(seqs.is_sorted_by(|newer, older| newer > older), "{filter}");
        assert_eq!(seqs.len(), expected, "{filter}");
    }
    let all = server.json("/api/logs?limit=3").await;
    let third = all["entries"][2]["seq"].as_u64().unwrap();
    let newer = server.json(&format!("/api/logs?after={third}")).await;
    assert_eq!(newer["entries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_past_moment_answers_as_it_did_then() {
    let (recording, server) = filled().await;
    let paths = [
        "/api/objects",
        "/api/logs",
        "/api/requests",
        "/api/live-queries",
        "/api/overview",
        "/api/timeline",
        "/api/actions",
        "/api/sources",
    ];
    let mut then = Vec::new();
    for path in paths {
        then.push(server.json(path).await);
    }
    let seq = then[0]["seq"].as_u64().unwrap();
    let learned = then[1]["entries"][0]["learned"].as_f64().unwrap();
    let later = vec![
        pod_observed("a", "Running"),
        pod_deleted("b"),
        trace("open", Some(1.0)),
        live_query("posts"),
        log(Level::Error, "later"),
        warning("w2", "a"),
    ];
    recording.observe(later).await;
    for (path, then) in paths.iter().zip(&then) {
        assert_eq!(server.json(&format!("{path}?at={seq}")).await, *then, "{path}");
        assert_ne!(server.json(path).await, *then, "{path}");
    }
    assert_eq!(server.json("/api/objects?at=0").await["objects"], json!([]));
    let status = server.json(&format!("/api/status?at={seq}")).await;
    assert_eq!(status["seq"], json!(seq));

    let time = jiff::Timestamp::from_microsecond((learned * 1000.0) as i64 + 1).unwrap();
    let at_time = server.json(&format!("/api/logs?at={time}")).await;
    assert!(at_time["seq"].as_u64().unwrap() >= then[1]["entries"][0]["seq"].as_u64().unwrap());
    let long_ago = server.get("/api/logs?at=1971-01-01T00:00:00Z").await;
    assert_eq!(long_ago.status(), 410);
}
