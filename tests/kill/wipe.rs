//! Kills the recorder around the moment at which a wipe takes effect.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use super::{Process, Site, plan};

/// Kills during a wipe, for each one in the flood.
const SHARE: usize = 5;

#[tokio::test]
async fn a_kill_during_a_wipe_leaves_all_or_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = Site::new(folder.path());
    let mut after = Duration::from_millis(2);
    for _ in 0..plan::rounds() / SHARE {
        let recorder = site.start(&[]).ready().await;
        let epoch = epoch(&recorder).await;
        let before = recorded(&recorder).await;
        let answered = wipe_and_kill(recorder, after).await;

        let recorder = site.start(&[]).ready().await;
        let is_wiped = self::epoch(&recorder).await > epoch;
        assert!(is_wiped || !answered, "a wipe was answered, and is not there");
        if is_wiped {
            holds_the_wipe_alone(&recorder, epoch + 1).await;
        } else {
            assert_eq!(actions(&recorder).await, before, "not wiped, and not as before");
        }
        assert_eq!(epochs_on_disk(&site), BTreeSet::from([epoch + u64::from(is_wiped)]));
        recorder.kill();
        // So that the kills gather around the moment.
        after = if is_wiped { after / 2 } else { after * 3 / 2 };
    }
    site.log.holds_no_panic();
}

/// Asks for a wipe and kills so long after; says whether the wipe was answered.
async fn wipe_and_kill(recorder: Process, after: Duration) -> bool {
    let wipe = json!({"confirm": "wipe", "reason": "kill"});
    let request = recorder.request(Method::POST, "/api/journal/wipe").json(&wipe);
    let asked = tokio::spawn(request.send());
    tokio::time::sleep(after).await;
    recorder.kill();
    let answer = asked.await.expect("no panic");
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// The actions, after some more.
async fn recorded(recorder: &Process) -> Vec<Value> {
    for name in ["one", "two", "three"] {
        let args =
            json!({"kind": "Deployment", "namespace": "none", "name": name, "method": "rollout"});
        let action = json!({"action": "restart-workload", "args": args});
        let (status, started) = recorder.post("/api/actions", &action).await;
        assert_eq!(status, 202, "{started}");
    }
    let has_ended = |page: &Value| {
        let rows = page["actions"].as_array().expect("actions");
        rows.iter().all(|row| row["outcome"].is_string())
    };
    recorder.wait_for("/api/actions", has_ended).await;
    actions(recorder).await
}

async fn actions(recorder: &Process) -> Vec<Value> {
    let mut page = recorder.get("/api/actions?limit=1000").await;
    let Value::Array(rows) = page["actions"].take() else { panic!("no actions") };
    rows
}

async fn holds_the_wipe_alone(recorder: &Process, epoch: u64) {
    let rows = actions(recorder).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["action"], "wipe");
    let status = recorder.get("/api/status").await;
    assert_eq!(status["journal"]["first_seq"], rows[0]["seq"], "the wipe is the first record");
    assert_eq!(status["journal"]["epoch"], epoch);
}

async fn epoch(recorder: &Process) -> u64 {
    let status = recorder.get("/api/status").await;
    status["journal"]["epoch"].as_u64().expect("an epoch")
}

/// The epochs that the names of the segments tell.
fn epochs_on_disk(site: &Site) -> BTreeSet<u64> {
    let names = std::fs::read_dir(&site.data).expect("it is there").map(|entry| {
        entry.expect("it can be read").file_name().into_string().expect("names are text")
    });
    let segments = names.filter(|name| name.ends_with(".seg"));
    segments.map(|name| name[..8].parse().expect("an epoch")).collect()
}
