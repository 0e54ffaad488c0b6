//! Output of actions while the journal takes no records.

use std::sync::Arc;

use monitor_backend::{
    actions::{Procedures, runbook::Runbook},
    event::Outcome,
};
use serde_json::json;

use crate::{
    ACTOR,
    desk::Desk,
    faulty::{Faulty, Op},
    peer::{Peer, wait, whole},
};

#[tokio::test]
async fn some_lines_wait_in_memory_and_the_rest_is_counted() {
    let peer = Peer::start(|_| whole(200, &"line\n".repeat(100))).await;
    let fs = Faulty::new();
    let desk = Desk::on(Arc::new(fs.clone())).await;
    for op in [Op::Create, Op::Allocate, Op::Write] {
        fs.fail(op, std::io::ErrorKind::StorageFull);
    }
    let book = json!({"name": "book", "what": "", "steps": [{"kind": "http", "url": peer.url}]});
    let book: Runbook = serde_json::from_value(book).expect("a runbook");
    let procedures = Procedures { runbooks: vec![book], ..Procedures::default() };
    let actions = desk.actions_of(None, procedures);
    let args = json!({"name": "book"});
    let started = actions.start_unrecorded(ACTOR, "run-runbook", &args).await;
    let id = started.expect("it is started").id;
    let has_ended = || {
        let snapshot = desk.published.snapshot.load();
        snapshot.unsaved.as_ref().is_some_and(|unsaved| !unsaved.outcomes.is_empty())
    };
    wait(has_ended, "the outcome waits in memory").await;
    let unsaved = desk.published.snapshot.load().unsaved.clone().expect("the journal is ill");
    assert!(unsaved.progress.iter().all(|line| line.id == id));
    assert!(!unsaved.progress.is_empty(), "what waits is shown");

    fs.mend();
    let (seq, outcome) = desk.outcome(1).await;
    assert_eq!(outcome.outcome, Outcome::Succeeded, "{}", outcome.detail);
    let lines = desk.progress(&id);
    assert_eq!(lines.len(), unsaved.progress.len());
    assert!(lines.len() <= 42, "{}", lines.len());
    assert!(lines.iter().all(|(line_seq, _)| *line_seq < seq));
    let (_, last) = lines.last().expect("a line");
    assert!(last.ends_with("lines of output were dropped"), "{lines:?}");
}
