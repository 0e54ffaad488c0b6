//! A segment that starts died in: the recorder goes on without it and says so.

use std::fs;

use super::*;
use crate::faulty::Faulty;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_two_starts_died_in_is_left_out_and_said_so_and_read_by_the_next_start() {
    let (dir, disk) = (tempfile::tempdir().expect("a directory"), Faulty::new());
    let start = || async {
        let setup = setup(dir.path());
        let started = recorder::start_with(setup, Arc::new(disk.clone())).expect("it starts");
        assert!(started.published.replayed().await);
        started
    };
    let started = start().await;
    send(&started, vec![log_line("in the segment")]).await;
    settle(&started).await;
    stop(started).await;

    let mark = dir.path().join("replay.mark");
    let names = fs::read_dir(dir.path()).expect("it is listed").map(|e| e.expect("it is read"));
    let names: Vec<_> = names.map(|entry| entry.file_name().into_string().expect("text")).collect();
    let segment = names.iter().find(|name| name.ends_with(".seg")).expect("there is one");
    fs::write(&mark, format!("boot {}\n2 {segment}\n", "07".repeat(16))).expect("it is written");
    let started = start().await;
    let health = started.published.health.load_full();
    let is_said = |line: &String| line.contains(segment) && line.contains("left out");
    assert!(health.degraded.iter().any(is_said), "{:?}", health.degraded);
    let lines = |started: &Started| events(&reader(started), &[kind::LOG_LINE]).len();
    assert_eq!(lines(&started), 0);
    assert!(!mark.exists(), "the start is done");
    stop(started).await;

    let started = start().await;
    assert!(started.published.health.load().degraded.is_empty());
    assert_eq!(lines(&started), 2, "what was left out is there again");
    stop(started).await;
}
