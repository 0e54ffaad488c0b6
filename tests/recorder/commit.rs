//! Group commit: what becomes durable when, and who shares a sync.

use std::sync::Arc;

use super::*;
use crate::faulty::Faulty;

#[tokio::test]
async fn observations_become_durable_without_being_asked() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    send(&started, vec![pod("a", "Running"), log_line("one")]).await;
    until("all is durable", || {
        let positions = *started.published.positions.borrow();
        let shown = started.published.snapshot.load();
        shown.state.objects.len() == 1 && positions.durable_seq == positions.last_seq
    })
    .await;
    stop(started).await;
}

#[tokio::test]
async fn waiters_share_syncs_and_each_is_told_its_own_number() {
    const WAITERS: usize = 64;
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let setup = setup(dir.path());
    let started = recorder::start_with(setup, Arc::new(fs.clone())).expect("a thread starts");
    assert!(started.published.replayed().await);
    let syncs = || {
        let mut syncs = 0;
        fs.set(|plan| syncs = plan.syncs);
        syncs
    };
    let before = syncs();
    let waiters: Vec<_> = (0..WAITERS)
        .map(|index| {
            let recorder = started.recorder.clone();
            let line = log_line(&index.to_string());
            tokio::spawn(async move { recorder.record_durable(vec![line]).await })
        })
        .collect();
    let mut told = Vec::new();
    for waiter in waiters {
        told.push(waiter.await.expect("no panic").expect("it is durable"));
    }
    let durable = started.published.positions.borrow().durable_seq;
    assert!(told.iter().all(|seq| *seq <= durable));
    let lines = events(&reader(&started), &[kind::LOG_LINE]);
    told.sort_unstable();
    told.dedup();
    assert_eq!((told.len(), lines.len()), (WAITERS, WAITERS));
    let syncs = syncs() - before;
    assert!(syncs < WAITERS as u64, "{syncs} syncs");
    stop(started).await;
}
