//! Test sequences: what is sent, in which order, and what is counted.

use std::sync::atomic::{AtomicUsize, Ordering};

use monitor_backend::{
    actions::{Actions, AppServer, Error, Procedures},
    event::{Event, Extensions, Gap, Level, LogLine, Observation, Observed, Outcome, kind},
};
use serde_json::{Value, json};

use crate::{
    ACTOR,
    desk::Desk,
    peer::{Answer, Peer, wait, whole},
};

const RUN: &str = "run-test-sequence";

fn actions(desk: &Desk, peer: &Peer) -> Actions {
    let app_server = AppServer { url: Some(peer.url.clone()), ..AppServer::default() };
    desk.actions_of(None, Procedures { app_server, ..Procedures::default() })
}

async fn run(actions: &Actions, steps: Value) -> String {
    actions.start(ACTOR, RUN, &json!({"steps": steps})).await.expect("it starts").id
}

fn line(level: Level) -> Event {
    Event::LogLine(LogLine {
        source: "app-server".into(),
        time: 0.0,
        level,
        target: String::new(),
        span_name: String::new(),
        message: "m".into(),
        ext: Extensions::default(),
    })
}

async fn observe(desk: &Desk, events: Vec<Event>) {
    let observed = Observed { generation: 0, what: Observation::Events(events) };
    desk.queue.send(observed).await.expect("the recorder takes it");
}

#[tokio::test]
async fn steps_are_sent_in_order_with_their_places_filled_in() {
    let peer = Peer::start(|_| whole(200, r#"{"data": {}}"#)).await;
    let desk = Desk::start().await;
    let step = json!({"http": {"path": "/graphql", "body": {"at": "[time]", "id": "[uuid]"}}});
    let batch = json!({"preWait": 1, "stepBatch": {"steps": [step], "repeatCount": 2}});
    let last = json!({"waitTillDurationX": 1, "http": {"method": "GET", "path": "/end?[datetime-ms]",
        "headers": {"x-mark": "[datetime]"}}});
    run(&actions(&desk, &peer), json!([batch, last])).await;
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    assert!(outcome.detail.starts_with("3 steps were run, 0 failed"), "{}", outcome.detail);
    let asked = peer.asked();
    let sent: Vec<_> = asked.iter().map(|asked| (&*asked.method, &asked.path[..4])).collect();
    assert_eq!(sent, [("POST", "/gra"), ("POST", "/gra"), ("GET", "/end")]);
    assert_eq!(asked[0].headers["content-type"], "application/json");
    assert!(asked[2].headers["x-mark"].len() == 19, "{:?}", asked[2].headers);
    let bodies = asked[..2].iter().map(|asked| serde_json::from_str::<Value>(&asked.body));
    let bodies: Vec<Value> = bodies.map(|body| body.expect("JSON")).collect();
    assert_ne!(bodies[0]["id"], bodies[1]["id"]);
    assert!(bodies[0]["at"].as_str().is_some_and(|at| at.parse::<u64>().is_ok()));
}

#[tokio::test]
async fn a_step_that_is_not_waited_for_runs_on_while_the_next_begins() {
    let later = AtomicUsize::new(0);
    // The first request is not answered at all; the sequence goes on.
    let peer = Peer::start(move |asked| match &*asked.path {
        "/held" => Answer::Hold(Vec::new()),
        _ => whole(200, &later.fetch_add(1, Ordering::Relaxed).to_string()),
    });
    let peer = peer.await;
    let desk = Desk::start().await;
    let held = json!({"waitTillComplete": false, "http": {"path": "/held"}});
    let actions = actions(&desk, &peer);
    let id = run(&actions, json!([held, {"http": {"path": "/next"}}])).await;
    desk.line(&id, "/next: the answer is 200").await;
    assert!(desk.outcomes().is_empty(), "the one that is held is part of the sequence");
    actions.cancel(ACTOR, &id).expect("it runs");
    desk.outcome(1).await;
    peer.wait_for_closed(1).await;
}

#[tokio::test]
async fn failures_are_counted_and_what_was_logged_meanwhile_too() {
    let (logged, told) = tokio::sync::oneshot::channel();
    let logged = std::sync::Mutex::new(Some(logged));
    let peer = Peer::start(move |asked| {
        if let Some(logged) = logged.lock().expect("no panic").take() {
            logged.send(()).expect("the test waits");
        }
        match &*asked.path {
            "/errors" => whole(200, r#"{"errors": [{"message": "no such node"}]}"#),
            "/500" => whole(500, "oh"),
            _ => whole(200, r#"{"errors": []}"#),
        }
    });
    let peer = peer.await;
    let desk = Desk::start().await;
    observe(&desk, vec![line(Level::Error)]).await;
    // What was logged before the intent counts for nothing.
    wait(|| desk.events(kind::LOG_LINE).len() == 1, "the line is recorded").await;
    let paths = ["/fine", "/errors", "/500"].map(|path| json!({"http": {"path": path}}));
    let id = run(&actions(&desk, &peer), json!(paths)).await;
    told.await.expect("it is asked");
    observe(&desk, vec![line(Level::Warn), line(Level::Error), line(Level::Info)]).await;
    observe(&desk, vec![line(Level::Error)]).await;
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert_eq!(
        outcome.detail,
        "3 steps were run, 2 failed; meanwhile app-server logged 1 warnings and 2 errors"
    );
    desk.line(&id, "no such node").await;
    desk.line(&id, "the answer is 500 Internal Server Error: oh").await;
}

#[tokio::test]
async fn with_a_gap_in_between_the_counts_are_the_least_that_there_were() {
    let desk = Desk::start().await;
    let queue = desk.queue.clone();
    let (reason, ext) = ("the link was down".into(), Extensions::default());
    let gap = Gap { source: "app-server".into(), reason, from: 0.0, to: 1.0, dropped: None, ext };
    let peer = Peer::start(move |_| {
        let what = Observation::Events(vec![Event::Gap(gap.clone())]);
        queue.try_send(Observed { generation: 0, what }).expect("the queue is empty");
        whole(200, "")
    });
    let peer = peer.await;
    run(&actions(&desk, &peer), json!([{"http": {"path": "/"}}])).await;
    let (_, outcome) = desk.outcome(1).await;
    assert!(
        outcome.detail.contains("logged at least 0 warnings and at least 0 errors"),
        "{}",
        outcome.detail
    );
}

#[tokio::test]
async fn a_sequence_that_makes_no_sense_is_refused() {
    let desk = Desk::start().await;
    let actions = desk.actions_without_cluster();
    let step = json!({"http": {"path": "/"}});
    let with_key = json!({"http": {"path": "/", "headers": {"Authorization": "Bearer x"}}});
    let cases = [
        (json!({}), "name"),
        (json!({"name": "x"}), "name"),
        (json!({"name": "x", "steps": [step]}), "name"),
        (json!({"steps": 5}), "steps"),
        (json!({"steps": [{"preWait": -1}]}), "steps"),
        (json!({"steps": [{"sleep": 1}]}), "steps"),
        (json!({"steps": [with_key]}), "steps"),
        (json!({"steps": [step], "timeout_ms": 0}), "timeout_ms"),
    ];
    for (args, expected) in cases {
        match actions.start(ACTOR, RUN, &args).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, expected, "{args}"),
            other => panic!("{args}: {other:?}"),
        }
    }
    let told = actions.dry_run(RUN, &json!({"steps": [step]})).await.expect("it is told");
    assert!(told[0].contains("http_url"), "{told:?}");
}

#[tokio::test]
async fn a_dry_run_tells_the_steps_and_sends_nothing() {
    let peer = Peer::start(|_| whole(200, "")).await;
    let desk = Desk::start().await;
    let step = json!({"preWait": 5, "waitTillComplete": false, "http": {"path": "/a"}});
    let batch = json!({"stepBatch": {"steps": [step], "repeatCount": 200}});
    let told = actions(&desk, &peer).dry_run(RUN, &json!({"steps": [batch]})).await;
    let told = told.expect("it is told");
    assert_eq!(told[0], format!("200 steps, sent to {}", peer.url));
    assert_eq!(told[1], "step 1: POST /a, 5 ms before it, not waited for");
    assert_eq!(told.last().expect("a line"), "and 100 steps more");
    assert!(peer.asked().is_empty() && desk.intents().is_empty());
}
