//! What is wrong: the same in the running process, in its past and in a downloaded copy.

use serde_json::{Value, json};

use monitor_backend::event::{
    Event, Extensions, Gap, Level, ObjectObserved, SourceState, State, now,
};

use crate::support::{
    Recording, Server, live_query, log, pod, pod_deleted, pod_observed, source_up, trace, warning,
};

fn in_state(name: &str, container: Value) -> Event {
    let body = json!({"status": {"phase": "Running", "containerStatuses": [container]}});
    Event::ObjectObserved(ObjectObserved {
        object: pod(name),
        source: "cluster/Pod".into(),
        resource_version: "1".into(),
        body: body.to_string(),
        ext: Extensions::default(),
    })
}

fn down(name: &str) -> Event {
    Event::SourceState(SourceState {
        name: name.into(),
        state: State::Down,
        reason: "connection refused".into(),
        since: now() - 60_000.0,
        malformed: 0,
        last_malformed: String::new(),
        ext: Extensions::default(),
    })
}

/// A night, as the collectors tell it.
fn night() -> Vec<Event> {
    let waiting = |reason: &str| json!({"name": "main", "state": {"waiting": {"reason": reason}}});
    let killed = json!({"name": "main", "ready": true, "restartCount": 2, "state": {"running": {}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}});
    let gap = Event::Gap(Gap {
        source: "app-server".into(),
        reason: "it was away".into(),
        from: now() - 60_000.0,
        to: now(),
        dropped: None,
        ext: Extensions::default(),
    });
    let mut events = vec![
        source_up("cluster/Pod"),
        source_up("app-server"),
        pod_observed("a", "Running"),
        in_state("b", waiting("ImagePullBackOff")),
        warning("w1", "b"),
        in_state("c", killed),
        trace("open", None),
        trace("ended", Some(5.0)),
        live_query("users"),
        gap,
    ];
    events.extend((0..25).map(|number| log(Level::Error, &format!("refused {number}"))));
    events.extend([pod_deleted("b"), in_state("c", waiting("CrashLoopBackOff"))]);
    events.push(down("cluster/Pod"));
    events
}

async fn list_at(server: &Server, seq: u64) -> Value {
    server.json(&format!("/api/problems?at={seq}")).await
}

fn kinds(list: &Value) -> Vec<String> {
    let problems = list["problems"].as_array().unwrap().iter();
    let mut kinds: Vec<_> = problems.map(|p| p["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn every_moment_has_the_same_problems_live_in_the_past_and_in_a_copy() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let live = Server::live(&recording, |_| {}).await;
    let mut as_it_was = Vec::new();
    for event in night() {
        recording.observe(vec![event]).await;
        // The moment is the present one here: its views were never folded from the journal.
        let seq = recording.published.snapshot.load().seq;
        as_it_was.push((seq, list_at(&live, seq).await));
    }
    let copy = Server::replay(recording.dir.path()).await;
    for (seq, list) in &as_it_was {
        assert_eq!(list_at(&live, *seq).await, *list, "the past of event {seq}");
        assert_eq!(list_at(&copy, *seq).await, *list, "event {seq} in a copy");
    }
    let (last, list) = as_it_was.last().unwrap();
    let expected = ["crash_loop", "error_rate", "records_missing", "slow_requests", "source_down"];
    assert_eq!(kinds(list), expected);
    assert_eq!(copy.json("/api/problems").await, *list, "a copy ends at its last event, {last}");
}

#[tokio::test]
async fn a_problem_says_what_since_when_and_what_proves_it() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    let first = recording.published.snapshot.load().seq + 1;
    recording.observe(night()[..5].to_vec()).await;
    let list = server.json("/api/problems").await;
    assert_eq!((&list["seq"], &list["clock"]), (&json!(first + 4), &json!("wall")));
    assert_eq!((&list["left_out"], &list["looked_back_to"]), (&json!(0), &Value::Null));
    let problem = &list["problems"][0];
    assert_eq!(problem["id"], "image_pull/default/Pod/b");
    assert_eq!(problem["severity"], "critical");
    assert_eq!(problem["subject"]["uid"], "uid-b");
    // The warning and the state that it is about.
    assert_eq!(problem["records"], json!([first + 4, first + 3]));
    assert_eq!(problem["last_seen"], Value::Null);
    let overview = server.json("/api/overview").await;
    assert_eq!(overview["problems"], list["problems"]);

    recording.observe(vec![pod_deleted("b")]).await;
    let over = server.json("/api/problems").await;
    assert_eq!((&over["seq"], &over["problems"]), (&json!(first + 5), &json!([])));
}

#[tokio::test]
async fn an_answer_is_never_older_than_the_question() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    for number in 0..4 {
        recording.observe(vec![pod_observed(&format!("p{number}"), "Running")]).await;
        let seq = recording.published.snapshot.load().seq;
        let asked: Vec<_> = (0..3).map(|_| server.json("/api/problems")).collect();
        for list in futures_util::future::join_all(asked).await {
            assert!(list["seq"].as_u64().unwrap() >= seq);
        }
    }
}

#[tokio::test]
async fn a_kind_that_is_switched_off_is_not_looked_for() {
    use monitor_backend::views::problems::Kind;
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |desk| desk.thresholds.off = vec![Kind::ImagePull]).await;
    recording.observe(night()[..5].to_vec()).await;
    assert_eq!(server.json("/api/problems").await["problems"], json!([]));
}
