//! Publish, durable and wake under load: many who wait for their own records, a flood that nobody
//! waits for, rotations and a wipe in between. Who is told "durable" finds it so, nobody is told
//! too early, nobody is forgotten.

use std::collections::BTreeSet;

use monitor_backend::journal::{Positions, Seq};
use tokio::task::JoinSet;

use super::*;

const WAITERS: usize = 24;
const RECORDS_EACH: usize = 40;

/// Records one line after the other, each when the one before was durable; gives those numbers.
async fn waiter(started: Arc<Started>, id: usize) -> Vec<(Seq, String)> {
    let mut told = Vec::new();
    for round in 0..RECORDS_EACH {
        let message = format!("{id}/{round} {}", "x".repeat(200));
        let line = log_line(&message);
        let seq = started.recorder.record_durable(vec![line]).await.expect("it is recorded");
        let positions = reader(&started).positions();
        assert!(positions.durable_seq >= seq, "{seq} was called durable: {positions:?}");
        told.push((seq, message));
    }
    told
}

/// What is announced goes on, and no further than what is there.
async fn watcher(started: Arc<Started>) {
    let mut announced = started.published.positions.clone();
    let mut before = Positions::default();
    while announced.changed().await.is_ok() {
        let now = *announced.borrow_and_update();
        assert!(now.durable_seq <= now.last_seq);
        let order = |p: &Positions| (p.epoch, p.last_seq, p.durable_seq);
        assert!(order(&now) >= order(&before), "{now:?} after {before:?}");
        let there = reader(&started).positions();
        assert!(order(&there) >= order(&now), "{now:?} was announced: {there:?}");
        before = now;
    }
}

async fn flood(started: Arc<Started>) {
    for round in 0..300 {
        let lines = (0..20).map(|line| log_line(&format!("flood {round}/{line}"))).collect();
        send(&started, lines).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_durable_finds_it_so_and_nobody_waits_for_ever() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut setup = setup(dir.path());
    setup.journal.segment_bytes = 64 << 10;
    let started = Arc::new(start(setup.clone()).await);
    let watching = tokio::spawn(watcher(started.clone()));
    let mut tasks = JoinSet::new();
    for id in 0..WAITERS {
        tasks.spawn(waiter(started.clone(), id));
    }
    let flooding = tokio::spawn(flood(started.clone()));
    let all = async {
        let mut told: Vec<(Seq, String)> = Vec::new();
        let mut wiped_to = 0;
        while let Some(records) = tasks.join_next().await {
            told.extend(records.expect("the waiter ends well"));
            if wiped_to == 0 {
                let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 1 };
                wiped_to = started.recorder.wipe(note).await.expect("it is wiped").1;
            }
        }
        flooding.await.expect("the flood ends well");
        (told, wiped_to)
    };
    let (told, wiped_to) =
        tokio::time::timeout(Duration::from_secs(60), all).await.expect("nobody is forgotten");
    watching.abort();
    let _ = watching.await;
    assert_eq!(told.len(), WAITERS * RECORDS_EACH);
    assert_eq!(told.iter().map(|(seq, _)| seq).collect::<BTreeSet<_>>().len(), told.len());
    stop(Arc::into_inner(started).expect("everybody else has ended")).await;

    let (reader, recovery) = Reader::open(dir.path()).expect("it opens");
    assert!(recovery.lost.is_empty() && recovery.damaged.is_empty());
    assert!(reader.verify_deep().expect("it is read").differing.is_empty());
    let stored: BTreeSet<String> = events(&reader, &[kind::LOG_LINE])
        .into_iter()
        .filter_map(|event| match event {
            Event::LogLine(line) => Some(line.message),
            _ => None,
        })
        .collect();
    for (seq, message) in told.iter().filter(|(seq, _)| *seq > wiped_to) {
        assert!(stored.contains(message), "{seq} was called durable");
    }
}
