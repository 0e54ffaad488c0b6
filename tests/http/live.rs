//! The live feed: everything once, in order, across lost connections; and honest when it cannot.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    feed::{Feed, Message},
    support::{
        Recording, Server, live_query, log, pod_deleted, pod_observed, source_up, trace, warning,
    },
};
use monitor_backend::event::{Event, Extensions, Gap, Level};

async fn ready() -> Recording {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    recording
}

fn lines(from: usize, to: usize) -> Vec<Event> {
    (from..to).map(|n| log(Level::Info, &n.to_string())).collect()
}

async fn wipe(server: &Server) -> Value {
    let body = json!({"confirm": "wipe", "reason": "test"});
    let answer = server.ask(Method::POST, "/api/journal/wipe").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_resumes_gets_every_line_once_and_in_order() {
    const LINES: usize = 20_000;
    let recording = ready().await;
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "?topics=logs", None).await;
    let mut last_id = feed.next_of("hello").await.id;
    let writing = tokio::spawn(async move {
        for from in (0..LINES).step_by(100) {
            recording.observe(lines(from, from + 100)).await;
        }
        recording
    });
    let mut seen = Vec::new();
    let mut messages = 0;
    while seen.len() < LINES {
        let message = feed.next().await.expect("the feed goes on");
        assert_ne!(message.event, "reset");
        assert_ne!(message.event, "shed");
        if let Some(id) = message.id {
            assert!(last_id.is_none_or(|last| id >= last), "numbers only grow");
            last_id = Some(id);
        }
        let entries = message.data["logs"].as_array().into_iter().flatten();
        seen.extend(entries.map(|entry| entry["message"].as_str().unwrap().to_owned()));
        messages += 1;
        if messages % 7 == 0 {
            feed = Feed::open(&server, "?topics=logs", last_id).await;
        }
    }
    let expected: Vec<String> = (0..LINES).map(|n| n.to_string()).collect();
    assert!(seen == expected, "{} lines, or another order", seen.len());
    let _recording = writing.await.unwrap();
}

#[tokio::test]
async fn rows_have_the_shape_of_the_lists() {
    let recording = ready().await;
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "", None).await;
    feed.next_of("hello").await;
    let gap = Event::Gap(Gap {
        source: "app-server".into(),
        reason: "it was down".into(),
        from: 1.0,
        to: 2.0,
        dropped: None,
        ext: Extensions::default(),
    });
    let events = vec![
        source_up("app-server"),
        log(Level::Warn, "a line"),
        trace("t1", None),
        live_query("users"),
        pod_observed("a", "Running"),
        warning("w1", "a"),
        gap,
    ];
    recording.observe(events).await;
    let mut batch = feed.next_of("batch").await.data;
    while batch["gaps"].is_null() {
        merge(&mut batch, feed.next_of("batch").await);
    }
    let requests = server.json("/api/requests").await;
    assert_eq!(batch["logs"], server.json("/api/logs").await["entries"]);
    assert_eq!(batch["requests"], requests["requests"]);
    assert_eq!(batch["live_queries"], server.json("/api/live-queries").await["live_queries"]);
    assert_eq!(batch["objects"], server.json("/api/objects").await["objects"]);
    assert_eq!(batch["events"], server.json("/api/timeline").await["events"]);
    let sources = server.json("/api/sources").await;
    assert_eq!(batch["sources"], sources["sources"]);
    assert_eq!(batch["gaps"], sources["gaps"]);

    recording.observe(vec![pod_deleted("a")]).await;
    let batch = feed.next_of("batch").await.data;
    assert_eq!(batch["objects"], server.json("/api/objects").await["objects"]);
}

/// One burst may be announced in several parts.
fn merge(batch: &mut Value, more: Message) {
    for (topic, rows) in more.data.as_object().unwrap() {
        match (&mut batch[topic], rows) {
            (Value::Array(known), Value::Array(rows)) => known.extend(rows.iter().cloned()),
            (known, rows) => *known = rows.clone(),
        }
    }
}

#[tokio::test]
async fn other_topics_pass_in_silence_but_their_numbers_count() {
    let recording = ready().await;
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "?topics=objects,actions", None).await;
    feed.next_of("hello").await;
    recording.observe(lines(0, 10)).await;
    let last = recording.published.snapshot.load().seq;
    loop {
        let batch = feed.next_of("batch").await;
        assert!(batch.data["logs"].is_null());
        assert_eq!(batch.data["to"], json!(batch.id));
        if batch.id == Some(last) {
            break;
        }
    }
}

#[tokio::test]
async fn what_was_announced_becomes_durable() {
    let recording = ready().await;
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "", None).await;
    feed.next_of("hello").await;
    recording.observe(lines(0, 1)).await;
    let to = feed.next_of("batch").await.id.unwrap();
    while feed.next_of("durable").await.data["durable_seq"].as_u64().unwrap() < to {}
}

#[tokio::test]
async fn a_wipe_resets_the_feed_and_the_wipe_is_on_record() {
    let recording = ready().await;
    recording.observe(lines(0, 10)).await;
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "?after=0", None).await;
    let hello = feed.next_of("hello").await;
    feed.next_of("batch").await;
    let wiped = wipe(&server).await;
    assert_eq!(wiped["epoch"], json!(hello.data["epoch"].as_u64().unwrap() + 1));
    let reset = feed.next_of("reset").await;
    assert_eq!(reset.data["reason"], "wiped");
    assert!(server.json("/api/logs").await["entries"].as_array().unwrap().is_empty());
    let actions = server.json("/api/actions").await;
    assert_eq!(actions["actions"][0]["action"], "wipe");
    assert_eq!(actions["actions"][0]["actor"], "admin key");
    recording.observe(lines(10, 11)).await;
    loop {
        let batch = feed.next_of("batch").await;
        if let Some(entry) = batch.data["logs"].get(0) {
            assert_eq!(entry["message"], "10", "nothing of before the wipe comes after it");
            break;
        }
    }
    let before = hello.data["last_seq"].as_u64().unwrap();
    let mut late = Feed::open(&server, "", Some(before)).await;
    assert_eq!(late.next_of("reset").await.data["reason"], "retired");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_of_before_a_wipe_comes_after_its_reset() {
    const WIPES: usize = 20;
    let recording = ready().await;
    let server = Server::live(&recording, |_| {}).await;
    let mut feed = Feed::open(&server, "", None).await;
    let mut last = feed.next_of("hello").await.id.unwrap();
    let writing = tokio::spawn(async move {
        loop {
            // What was sent before a wipe may be dropped with it.
            recording.send(lines(0, 50)).await;
        }
    });
    let wiping = tokio::spawn(async move {
        for _ in 0..WIPES {
            tokio::time::sleep(Duration::from_millis(10)).await;
            wipe(&server).await;
        }
        server
    });
    let mut resets = 0;
    while resets < WIPES && !wiping.is_finished() {
        let message = feed.next().await.expect("the feed goes on");
        for entry in message.data["logs"].as_array().into_iter().flatten() {
            let seq = entry["seq"].as_u64().unwrap();
            assert!(seq > last, "{seq} was told already, or wiped");
            last = seq;
        }
        if message.event == "reset" {
            assert_eq!(message.data["reason"], "wiped");
            last = message.data["last_seq"].as_u64().unwrap();
            resets += 1;
        }
    }
    assert!(resets > 0);
    writing.abort();
    wiping.await.unwrap().stop().await;
}

#[tokio::test]
async fn a_client_that_knows_another_history_fetches_again() {
    let recording = ready().await;
    recording.observe(lines(0, 50)).await;
    let server = Server::live(&recording, |desk| desk.limits.feed_resume = 20).await;
    let last = recording.published.snapshot.load().seq;
    let cases = [(last + 1, "lost"), (last - 21, "too_far_behind"), (1, "too_far_behind")];
    for (after, reason) in cases {
        let mut feed = Feed::open(&server, &format!("?after={after}"), None).await;
        let reset = feed.next_of("reset").await;
        assert_eq!(reset.data, json!({"reason": reason, "last_seq": last}), "{after}");
        assert_eq!(reset.id, Some(last));
    }
    let mut feed = Feed::open(&server, "?after=0", Some(last - 20)).await;
    let batch = feed.next_of("batch").await;
    assert_eq!(batch.data["logs"].as_array().unwrap().len(), 20, "the header wins");
}

#[tokio::test]
async fn what_a_slow_client_misses_is_counted() {
    let recording = ready().await;
    let server = Server::live(&recording, |desk| desk.limits.feed_behind = 10).await;
    let mut feed = Feed::open(&server, "", None).await;
    let hello = feed.next_of("hello").await;
    let mut told = hello.id.unwrap();
    let mut shed = 0;
    for round in 0..20 {
        recording.observe(lines(round * 100, round * 100 + 100)).await;
        let last = recording.published.snapshot.load().seq;
        while told < last {
            let message = feed.next().await.unwrap();
            if !matches!(message.event.as_str(), "batch" | "shed") {
                continue;
            }
            let (from, to) = (message.data["from"].as_u64(), message.data["to"].as_u64());
            assert_eq!(from, Some(told), "nothing is passed over without a word");
            told = to.unwrap();
            if message.event == "shed" {
                assert_eq!(message.data["count"], json!(told - from.unwrap()));
                shed += 1;
            }
        }
    }
    assert!(shed > 0, "a burst of 100 is more than 10 behind");
}

#[tokio::test]
async fn a_quiet_feed_says_that_it_is_alive() {
    let recording = ready().await;
    let server = Server::live(&recording, |desk| {
        desk.limits.heartbeat = Duration::from_millis(10);
    })
    .await;
    let mut feed = Feed::open(&server, "", None).await;
    let hello = feed.next_of("hello").await;
    let heartbeat = feed.next_of("heartbeat").await;
    assert!(heartbeat.id >= hello.id);
    assert!(heartbeat.data["now"].as_f64().unwrap() > 0.0);
}
