//! A second process on the same journal, as a rolling update starts it.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use serde_json::json;

use crate::{
    process::Process,
    site::{Lines, Site, act, degraded, is_alive, lines, readiness},
};

/// Some of its attempts to take the lock.
const WATCHED: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_second_process_waits_serves_writes_nothing_and_takes_over() {
    let site = Site::new().await;
    let first = site.record().await;
    site.say_and_see(&first, 10).await;
    // It holds the lock, and whatever changes now is not its doing.
    signal(&first, "STOP");
    let before = contents(&site);

    let second = site.start();
    let says_why = |status: &serde_json::Value| {
        degraded(status).iter().any(|text| text.as_str().is_some_and(|t| t.contains("process")))
    };
    second.wait_for("/api/status", says_why).await;
    let deadline = Instant::now() + WATCHED;
    while Instant::now() < deadline {
        is_alive(&second).await;
        assert_eq!(readiness(&second).await, 503, "it has nothing to show yet");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, refused) = act(&second, json!({})).await;
    assert_eq!(status, 507, "{refused}");
    assert_eq!(contents(&site), before, "it has written nothing");

    signal(&first, "CONT");
    first.kill();
    let second = second.ready().await;
    assert_eq!(readiness(&second).await, 200);
    site.linked().await;
    site.say_and_see(&second, 1).await;
    assert_eq!(lines(&second).await, Lines::all(1..=11));
    assert!(degraded(&second.get("/api/status").await).is_empty());
    site.log.holds_no_panic();
}

#[tokio::test]
async fn a_second_process_ends_when_asked_to_while_it_waits() {
    let site = Site::new().await;
    let first = site.record().await;
    let second = site.start();
    second.wait_for("/api/status", |status| !degraded(status).is_empty()).await;
    assert_eq!(second.terminate(), Some(0));
    site.say_and_see(&first, 1).await;
    assert_eq!(first.terminate(), Some(0));
    site.log.holds_no_panic();
}

fn signal(process: &Process, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// Names, times of change and bytes of all files.
fn contents(site: &Site) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let entries = fs::read_dir(&site.data).expect("it is there");
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("it can be read").path();
        let changed = fs::metadata(&path).and_then(|file| file.modified());
        let bytes = fs::read(&path).expect("it can be read");
        (path, (changed.expect("it has a time"), bytes))
    };
    entries.map(file).collect()
}
