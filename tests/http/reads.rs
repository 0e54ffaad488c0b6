//! The lists: their contract, their pages and their past.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{
    Recording, Server, live_query, log, pod_deleted, pod_observed, source_up, trace, warning,
};
use monitor_backend::{
    event::{Event, Extensions, Gap, Level},
    journal::Text,
    views::read::{self, LogFilter, Window},
};

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
async fn a_search_is_for_the_message_in_any_case() {
    let (_recording, server) = filled().await;
    let count = async |query: &str| {
        let answer = server.json(&format!("/api/logs?{query}")).await;
        answer["entries"].as_array().unwrap().len()
    };
    assert_eq!(count("q=connection%20refused").await, 1);
    assert_eq!(count("q=CONN").await, 1);
    // These stand in the record, but in other fields.
    assert_eq!(count("q=app::db").await, 0);
    assert_eq!(count("q=app-server").await, 0);
    assert_eq!(count("q=c.nn").await, 0, "signs mean themselves");
    let refused = server.get(&format!("/api/logs?q={}", "x".repeat(2000))).await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn events_are_found_by_their_type_and_by_what_they_are_about() {
    let (recording, server) = filled().await;
    let normal = |uid: &str, event_type: &str| match warning(uid, "b") {
        Event::ClusterEvent(event) => Event::ClusterEvent(monitor_backend::event::ClusterEvent {
            event_type: event_type.into(),
            ..event
        }),
        other => other,
    };
    recording.observe(vec![normal("n1", "Normal"), normal("o1", "Odd")]).await;
    for (query, expected) in [
        ("type=Warning", json!(["w1"])),
        ("type=Normal", json!(["n1"])),
        ("type=Odd", json!(["o1"])),
        ("uid=uid-a", json!(["w1"])),
        ("uid=uid-b", json!(["o1", "n1"])),
        ("uid=uid-b&type=Normal", json!(["n1"])),
        ("uid=uid-c", json!([])),
    ] {
        let answer = server.json(&format!("/api/timeline?{query}")).await;
        let uids: Vec<&Value> =
            answer["events"].as_array().unwrap().iter().map(|row| &row["uid"]).collect();
        assert_eq!(json!(uids), expected, "{query}");
    }
    let detail = server.json("/api/objects/uid-a").await;
    assert_eq!(detail["events"][0]["uid"], "w1");
    assert_eq!(detail["events_from"], Value::Null);
}

fn gap(source: &str) -> Event {
    Event::Gap(Gap {
        source: source.into(),
        reason: "test".into(),
        from: 1.0,
        to: 2.0,
        dropped: None,
        ext: Extensions::default(),
    })
}

#[tokio::test]
async fn no_page_of_lines_leaves_out_a_gap_between_them() {
    let (recording, server) = filled().await;
    for round in 0..30 {
        let line = log(Level::Info, &format!("line {round}"));
        recording.observe([vec![line], (0..5).map(|_| gap("app-server")).collect()].concat()).await;
    }
    let (mut lines, mut gaps, mut before) = (0, 0, String::new());
    loop {
        let page = server.json(&format!("/api/logs?q=line{before}")).await;
        let oldest = page["next"].as_u64().unwrap_or(0);
        for row in
            page["entries"].as_array().unwrap().iter().chain(page["gaps"].as_array().unwrap())
        {
            assert!(row["seq"].as_u64().unwrap() >= oldest);
        }
        lines += page["entries"].as_array().unwrap().len();
        gaps += page["gaps"].as_array().unwrap().len();
        match page["next"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!((lines, gaps), (30, 150));
}

#[tokio::test]
async fn a_page_that_runs_out_of_time_says_where_to_go_on() {
    let (recording, _server) = filled().await;
    for round in 0..40 {
        let text = format!("{round} {}", "x".repeat(10_000));
        recording.observe((0..5).map(|_| log(Level::Info, &text)).collect()).await;
    }
    recording.observe(vec![trace("open", Some(7.0))]).await;
    let reader = recording.published.reader.load_full().unwrap();
    let state = recording.published.snapshot.load_full().state.clone();
    let at_once = Window { until: Some(Instant::now()), ..Window::newest(1000) };
    let filter = LogFilter { level: None, text: Text::new("refused") };
    let (mut window, mut rows, mut pages) = (at_once, Vec::new(), 0);
    loop {
        let page = read::logs(&reader, window, &filter).unwrap();
        rows.extend(page.rows);
        pages += 1;
        match page.next {
            Some(next) => window.before = next,
            None => break,
        }
    }
    assert_eq!(rows.len(), 1);
    assert!(pages > 3, "pages without rows went before it");
    let found = read::request(&reader, &state, "ended", at_once).unwrap();
    assert!(
        found.rows.is_empty() && found.next.is_some(),
        "not found is not the same as not there"
    );
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
