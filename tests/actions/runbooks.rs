//! Runbooks: what is sent, what is recorded of it, and what becomes of peers that misbehave.

use std::collections::BTreeMap;

use monitor_backend::{
    actions::{Actions, Error, Procedures, RUNNING_MAX, runbook::Runbook, secret::SecretPlace},
    cluster::Access,
    event::{ActionOutcome, Outcome},
    sim::{End, Scenario, Script, Sim, Step},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    ACTOR,
    desk::{Desk, write_kubeconfig},
    peer::{Answer, Peer, part, wait, whole},
};

const RUN: &str = "run-runbook";
const SECRET: &str = "s3cret-that-nobody-may-see";

/// A runbook from its steps.
fn runbook(steps: Value) -> Runbook {
    told(json!({"name": "book", "what": "A test.", "steps": steps}))
}

fn told(runbook: Value) -> Runbook {
    serde_json::from_value(runbook).expect("it has the form of the configuration")
}

fn with(runbook: Runbook) -> Procedures {
    Procedures { runbooks: vec![runbook], ..Procedures::default() }
}

async fn run(actions: &Actions, args: Value) -> String {
    let args = json!({"name": "book", "args": args});
    actions.start(ACTOR, RUN, &args).await.expect("it starts").id
}

/// Runs steps to their end: what is recorded of them.
async fn outcome_of(steps: Value) -> (ActionOutcome, Vec<String>) {
    let desk = Desk::start().await;
    let actions = desk.actions_of(None, with(runbook(steps)));
    let id = run(&actions, json!({})).await;
    let (seq, outcome) = desk.outcome(1).await;
    let lines = desk.progress(&id);
    assert!(lines.iter().all(|(line_seq, _)| *line_seq < seq), "the outcome stands last");
    (outcome, lines.into_iter().map(|(_, line)| line).collect())
}

/// Every byte of the journal.
fn bytes_of(desk: &Desk) -> Vec<u8> {
    let files = std::fs::read_dir(desk.dir.path()).expect("it is there");
    let paths = files.map(|file| file.expect("it is there").path()).filter(|path| path.is_file());
    paths.flat_map(|path| std::fs::read(path).expect("it can be read")).collect()
}

#[tokio::test]
async fn an_answer_is_recorded_line_by_line_and_secrets_never() {
    let echo = |asked: &crate::peer::Asked| {
        let token = &asked.headers["authorization"];
        whole(200, &format!("first\nyou sent {token}\nlast"))
    };
    let peer = Peer::start(echo).await;
    let desk = Desk::start().await;
    let file = desk.dir.path().join("token");
    // Outside of the journal's own bytes.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(file.file_name().expect("a name"));
    std::fs::write(&file, format!("{SECRET}\n")).expect("it can be written");
    let step = json!({"kind": "http", "method": "POST", "url": format!("{}/go/{{args.who}}", peer.url),
        "headers": {"authorization": "Bearer {secret.token}"},
        "body": r#"{"who": "{args.who}", "key": "{secret.token}"}"#});
    let book = told(json!({"name": "book", "what": "", "steps": [step],
        "args": [{"name": "who", "what": "", "default": "nobody"}]}));
    let place = SecretPlace { file: Some(file), env: None };
    let secrets = BTreeMap::from([("token".to_owned(), place)]);
    let actions = desk.actions_of(None, Procedures { secrets, ..with(book) });

    let id = run(&actions, json!({"who": "a \"b\""})).await;
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    let lines: Vec<String> = desk.progress(&id).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines[1..4], ["first", "you sent Bearer [secret token]", "last"], "{lines:?}");
    let [asked] = &peer.asked()[..] else { panic!("one request") };
    assert_eq!((&*asked.method, &*asked.path), ("POST", "/go/a%20%22b%22"));
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    assert_eq!(body, json!({"who": "a \"b\"", "key": SECRET}));

    let would = actions.dry_run(RUN, &json!({"name": "book"})).await.expect("it is told");
    let would = would.join("\n");
    assert!(would.contains("Bearer {secret.token}") && !would.contains(SECRET), "{would}");
    assert!(!bytes_of(&desk).windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
    assert_eq!(peer.asked().len(), 1, "a dry run sends nothing");
    assert_eq!(desk.intents().len(), 1, "and records nothing");
}

#[tokio::test]
async fn lines_are_on_record_while_the_step_still_runs() {
    let peer = Peer::start(|_| Answer::Hold(part(200, "begun\nhalf a li"))).await;
    let desk = Desk::start().await;
    let steps = json!([{"kind": "http", "url": peer.url}]);
    let actions = desk.actions_of(None, with(runbook(steps)));
    let id = run(&actions, json!({})).await;
    desk.line(&id, "begun").await;
    assert!(desk.outcomes().is_empty());
    actions.cancel("somebody", &id).expect("it runs");
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!((outcome.word(), outcome.cancelled_by()), ("cancelled", Some("somebody")));
    desk.line(&id, "cancelled by somebody").await;
    peer.wait_for_closed(1).await;
    assert!(matches!(actions.cancel(ACTOR, &id), Err(Error::NotRunning { .. })));
}

#[tokio::test]
async fn every_kind_of_step_can_be_cancelled() {
    // Connections are made, and nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = silent.local_addr().expect("it is bound").port();
    let dir = tempfile::tempdir().expect("a folder");
    let kubeconfig = write_kubeconfig(&dir, port);
    let workload = json!({"workload": "Deployment", "namespace": "n", "name": "w"});
    let mut restart = workload.clone();
    restart["kind"] = json!("restart");
    restart["method"] = json!("rollout");
    let steps = [
        json!({"kind": "http", "url": format!("http://127.0.0.1:{port}")}),
        json!({"kind": "wait", "ms": 3_600_000}),
        json!({"kind": "wait", "url": format!("http://127.0.0.1:{port}")}),
        json!({"kind": "wait", "rolled_out": workload}),
        json!({"kind": "exec", "namespace": "n", "pod": "p", "command": ["true"]}),
        restart,
    ];
    for step in steps {
        let desk = Desk::start().await;
        let access = Access { kubeconfig: Some(kubeconfig.clone()) };
        let actions = desk.actions_of(Some(access), with(runbook(json!([step]))));
        let id = run(&actions, json!({})).await;
        desk.line(&id, "step 1 of 1").await;
        actions.cancel("somebody", &id).expect("it runs");
        let (_, outcome) = desk.outcome(1).await;
        assert_eq!(outcome.word(), "cancelled", "{step}");
    }
}

#[tokio::test]
async fn a_peer_that_misbehaves_fails_the_step_and_says_how() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("it is bound").port()
    };
    let (outcome, _) =
        outcome_of(json!([{"kind": "http", "url": format!("http://127.0.0.1:{port}")}])).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert!(outcome.detail.contains("refused"), "{}", outcome.detail);

    let cases: [(Answer, u64, &str); 5] = [
        (Answer::Hold(Vec::new()), 200, "did not end within 200 ms"),
        (Answer::Hold(part(200, "slow")), 200, "did not end within 200 ms"),
        (Answer::Bytes(b"\0\0no HTTP\r\n\r\n".to_vec()), 10_000, "no answer"),
        (Answer::Bytes(part(200, "half\n")), 10_000, "the answer broke off"),
        (whole(503, "sorry"), 10_000, "the answer is 503"),
    ];
    for (answer, timeout, expected) in cases {
        let peer = Peer::start(move |_| answer.clone()).await;
        let step = json!({"kind": "http", "url": peer.url, "timeout_ms": timeout});
        let (outcome, lines) = outcome_of(json!([step])).await;
        assert_eq!(outcome.outcome, Outcome::Failed);
        assert!(outcome.detail.contains(expected), "{expected}: {}", outcome.detail);
        assert!(lines.last().expect("a line").contains(expected), "{lines:?}");
    }
}

#[tokio::test]
async fn what_follows_a_failure_is_as_the_step_says() {
    let peer = Peer::start(|asked| whole(if asked.path == "/bad" { 500 } else { 404 }, "")).await;
    let bad = |on_failure: &str| json!({"kind": "http", "url": format!("{}/bad", peer.url), "on_failure": on_failure});
    let fine = json!({"kind": "http", "url": format!("{}/fine", peer.url), "expect_status": [404]});
    let (outcome, _) = outcome_of(json!([bad("stop"), fine])).await;
    assert_eq!((outcome.outcome, peer.asked().len()), (Outcome::Failed, 1));
    let (outcome, lines) = outcome_of(json!([bad("continue"), fine])).await;
    assert_eq!((outcome.outcome, peer.asked().len()), (Outcome::Failed, 3));
    assert!(outcome.detail.starts_with("step 1 of 2 (http) failed"), "{}", outcome.detail);
    assert!(lines.iter().any(|line| line.starts_with("step 2 of 2 is done")), "{lines:?}");
}

#[tokio::test]
async fn a_wait_ends_when_the_address_answers() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let peer = Peer::start(move |_| {
        let is_first = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        whole(if is_first { 503 } else { 204 }, "")
    });
    let peer = peer.await;
    let (outcome, lines) = outcome_of(json!([{"kind": "wait", "url": peer.url}])).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    assert!(
        lines.iter().any(|line| line == "waiting: it answers 503 Service Unavailable"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_flood_of_output_is_cut_and_the_rest_counted() {
    let peer = Peer::start(|_| whole(200, &"y\n".repeat(30_000))).await;
    let (outcome, lines) = outcome_of(json!([{"kind": "http", "url": peer.url}])).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded);
    let max = monitor_backend::actions::LINES_MAX as usize;
    assert_eq!(lines.len(), max + 1);
    // What was said of the step itself counts too: one line before the output, one behind it.
    assert_eq!(lines.last().expect("a line"), "10002 lines of output were dropped");
}

#[tokio::test]
async fn a_runbook_has_its_own_time() {
    let desk = Desk::start().await;
    let steps = json!([{"kind": "wait", "ms": 3_600_000}]);
    let book = told(json!({"name": "book", "what": "", "steps": steps, "timeout_ms": 100}));
    let actions = desk.actions_of(None, with(book));
    run(&actions, json!({})).await;
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert!(outcome.detail.contains("did not end within"), "{}", outcome.detail);
}

#[tokio::test]
async fn a_stop_cancels_what_runs_and_nothing_starts_afterwards() {
    let desk = Desk::start().await;
    let steps = json!([{"kind": "wait", "ms": 3_600_000}]);
    let actions = desk.actions_of(None, with(runbook(steps)));
    for _ in 0..RUNNING_MAX {
        run(&actions, json!({})).await;
    }
    actions.stop().await;
    let outcomes = desk.outcomes();
    assert_eq!(outcomes.len(), RUNNING_MAX, "all are recorded when the stop returns");
    assert!(outcomes.iter().all(|(_, outcome)| outcome.word() == "cancelled"));
    let refused = actions.start(ACTOR, RUN, &json!({"name": "book"})).await;
    assert!(matches!(refused, Err(Error::NotRecorded { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_a_runbook_is_told_is_checked() {
    let desk = Desk::start().await;
    let book = told(json!({"name": "book", "what": "", "steps": [{"kind": "wait", "ms": 0}],
        "args": [{"name": "word", "what": "", "choices": ["a", "b"]},
            {"name": "tag", "what": "", "pattern": "v[0-9]+", "default": "v1"}]}));
    let actions = desk.actions_of(None, with(book));
    let cases = [
        (json!({"name": "other"}), "name"),
        (json!({}), "name"),
        (json!({"name": "book", "args": []}), "args"),
        (json!({"name": "book", "args": {}}), "word"),
        (json!({"name": "book", "args": {"word": "c"}}), "word"),
        (json!({"name": "book", "args": {"word": 1}}), "word"),
        (json!({"name": "book", "args": {"word": "a", "tag": "v1\nx"}}), "tag"),
        (json!({"name": "book", "args": {"word": "a", "more": "x"}}), "more"),
    ];
    for (args, expected) in cases {
        match actions.start(ACTOR, RUN, &args).await {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, expected, "{args}"),
            other => panic!("{args}: {other:?}"),
        }
    }
    run(&actions, json!({"word": "a"})).await;
    let (_, outcome) = desk.outcome(1).await;
    let recorded: Value = serde_json::from_str(&outcome.args).expect("JSON");
    assert_eq!(recorded, json!({"name": "book", "args": {"word": "a", "tag": "v1"}}));
}

/// The simulated cluster, and actions on it with a runbook of steps.
async fn simulated(desk: &Desk, steps: Value) -> (Sim, Actions) {
    let sim = Sim::start(Scenario::Quiet, 1, desk.dir.path()).await.expect("it starts");
    let access = Access { kubeconfig: Some(sim.kubeconfig().to_owned()) };
    let actions = desk.actions_of(Some(access), with(runbook(steps)));
    let has_ready = || {
        let pods = sim.cluster().all("Pod");
        pods.iter().any(|pod| pod["status"]["conditions"].to_string().contains(r#""Ready""#))
    };
    wait(has_ready, "a pod is ready").await;
    (sim, actions)
}

fn exec(command: &[&str]) -> Value {
    json!({"kind": "exec", "namespace": "default", "label_selector": "app=app-server",
        "command": command})
}

#[tokio::test]
async fn a_program_tells_its_lines_and_how_it_ended() {
    let cases: [(&[&str], Outcome, &str); 5] = [
        (&["echo", "hello  there"], Outcome::Succeeded, "exit status 0 in app-server-"),
        (&["false"], Outcome::Failed, "exit status 1 in app-server-"),
        (&["sleep", "infinity"], Outcome::Failed, "did not end within 1000 ms"),
        (&["no-such-program"], Outcome::Failed, "failed"),
        (&["breaks-off"], Outcome::Failed, "ended before the command did"),
    ];
    for (command, outcome, expected) in cases {
        let desk = Desk::start().await;
        let mut step = exec(command);
        if command[0] == "sleep" {
            step["timeout_ms"] = json!(1000);
        }
        let (sim, actions) = simulated(&desk, json!([step])).await;
        let steps = vec![Step::Out(b"some of it\n".to_vec())];
        sim.cluster().set_program("breaks-off", Some(Script { steps, end: End::BreaksOff }));
        let id = run(&actions, json!({})).await;
        let (_, ended) = desk.outcome(1).await;
        let lines = desk.progress(&id);
        assert_eq!(ended.outcome, outcome, "{command:?}: {} {lines:?}", ended.detail);
        let told = format!("{} {:?}", ended.detail, lines);
        assert!(told.contains(expected), "{command:?}: {told}");
        match command[0] {
            "echo" => assert!(lines.iter().any(|(_, line)| line == "hello  there"), "{lines:?}"),
            "breaks-off" => {
                assert!(lines.iter().any(|(_, line)| line == "some of it"), "{lines:?}");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_program_that_runs_is_cancelled() {
    let desk = Desk::start().await;
    let (sim, actions) = simulated(&desk, json!([exec(&["goes-on"])])).await;
    let steps = vec![Step::Out(b"begun\n".to_vec())];
    sim.cluster().set_program("goes-on", Some(Script { steps, end: End::Never }));
    let id = run(&actions, json!({})).await;
    desk.line(&id, "begun").await;
    actions.cancel("somebody", &id).expect("it runs");
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.word(), "cancelled");
}

#[tokio::test]
async fn a_dry_run_of_a_program_tells_where_it_would_run_and_runs_nothing() {
    let desk = Desk::start().await;
    let (_sim, actions) = simulated(&desk, json!([exec(&["false"])])).await;
    let told = actions.dry_run(RUN, &json!({"name": "book"})).await.expect("it is told");
    assert!(told[0].starts_with("step 1: run [\"false\"] in the newest pod"), "{told:?}");
    assert!(told[1].starts_with("step 1: in app-server-"), "{told:?}");
}

#[tokio::test]
async fn a_rollout_is_waited_for() {
    let desk = Desk::start().await;
    let workload = json!({"workload": "Deployment", "namespace": "default", "name": "app-server"});
    let mut restart = workload.clone();
    restart["kind"] = json!("restart");
    restart["method"] = json!("rollout");
    let wait = json!({"kind": "wait", "rolled_out": workload});
    let (_sim, actions) = simulated(&desk, json!([restart, wait])).await;
    let id = run(&actions, json!({})).await;
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    desk.line(&id, "Deployment default/app-server is rolled out").await;
}

#[tokio::test]
async fn who_may_not_run_programs_learns_what_is_missing() {
    let desk = Desk::start().await;
    let peer = Peer::start(|_| {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 403,
            "status": "Failure", "reason": "Forbidden", "message": "not allowed"});
        whole(403, &status.to_string())
    });
    let peer = peer.await;
    let port = peer.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let access = Access { kubeconfig: Some(write_kubeconfig(&desk.dir, port)) };
    let step = json!({"kind": "exec", "namespace": "n", "pod": "p", "command": ["true"]});
    let actions = desk.actions_of(Some(access), with(runbook(json!([step]))));
    run(&actions, json!({})).await;
    let (_, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Failed);
    assert!(
        outcome.detail.contains("403") && outcome.detail.contains("grant"),
        "{}",
        outcome.detail
    );
}
