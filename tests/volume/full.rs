//! A volume without room: at the start, at a rotation, at a wipe.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    mount::Volume,
    site::{
        LINE_BYTES, SEGMENT_BYTES, SEGMENT_LINES, Site, act, degraded, dropped, is_alive, lines,
        readiness, sound, wipe,
    },
};

const VOLUME_MIB: u64 = 24;

/// More than the volume takes.
const VOLUME_LINES: u64 = (VOLUME_MIB << 20) / LINE_BYTES as u64;

/// Long enough for some attempts to heal.
const STEADY: Duration = Duration::from_secs(3);

#[tokio::test]
async fn it_starts_on_a_volume_that_others_have_filled_and_heals_when_they_go() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    std::fs::create_dir(&site.data).expect("the volume is writable");
    volume.fill();

    let recorder = site.record().await;
    is_alive(&recorder).await;
    assert_eq!(readiness(&recorder).await, 200);
    recorder.wait_for("/api/status", |status| !degraded(status).is_empty()).await;
    let told = site.say(10).await;
    let (status, refused) = act(&recorder, json!({})).await;
    assert_eq!(status, 507, "{refused}");
    assert!(lines(&recorder).await.is_empty());

    volume.clear();
    sound(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    assert_eq!(lines(&recorder).await, [told + 1]);
    assert_eq!(dropped(&recorder).await, told, "what was lost is counted");
    assert_eq!(act(&recorder, json!({})).await.0, 202);
    site.log.holds_no_panic();
}

#[tokio::test]
async fn a_start_on_a_full_volume_retires_its_oldest_segments_and_records() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 6 * SEGMENT_LINES).await;
    recorder.kill();
    volume.fill();
    let before = site.segments();

    let recorder = site.record().await;
    site.say_and_see(&recorder, 2 * SEGMENT_LINES).await;
    sound(&recorder).await;
    assert_eq!(volume.free() / SEGMENT_BYTES, 0, "it had to make room itself");
    let after = site.segments();
    assert!(!after.contains(&before[0]), "the oldest segment is retired: {after:?}");
    let kept = lines(&recorder).await;
    let last = 8 * SEGMENT_LINES;
    assert_eq!(kept, (kept[0]..=last).collect::<Vec<_>>(), "no hole after the oldest line");
    assert_eq!(dropped(&recorder).await, 0);
    site.log.holds_no_panic();
}

#[tokio::test]
async fn rotations_on_a_full_volume_retire_the_oldest_segments() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    // Twice what it holds, the second time beside a neighbour that has taken the rest.
    site.say_and_see(&recorder, VOLUME_LINES).await;
    volume.fill();
    site.say_and_see(&recorder, VOLUME_LINES).await;
    sound(&recorder).await;
    let kept = lines(&recorder).await;
    assert!(kept[0] > VOLUME_LINES / 2, "the oldest lines are gone");
    assert_eq!(kept, (kept[0]..=2 * VOLUME_LINES).collect::<Vec<_>>());
    assert_eq!(dropped(&recorder).await, 0, "nothing new was lost");
    let status = recorder.get("/api/status").await;
    recorder.kill();

    let recorder = site.record().await;
    assert_eq!(lines(&recorder).await, kept, "and the same after a crash");
    let again = recorder.get("/api/status").await;
    assert!(again["journal"]["last_seq"].as_u64() >= status["journal"]["last_seq"].as_u64());
    assert_eq!(recorder.get("/api/journal").await["recovery"]["lost"], json!([]));
    site.log.holds_no_panic();
}

#[tokio::test]
async fn with_nothing_left_to_retire_it_says_so_counts_and_heals_by_itself() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    let mut told = exhaust(&volume, &site, &recorder).await;

    let deadline = Instant::now() + STEADY;
    while Instant::now() < deadline {
        told = site.say(1).await;
        let status = recorder.get("/api/status").await;
        assert!(!degraded(&status).is_empty(), "it says so all the while");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(readiness(&recorder).await, 200);
    let kept = lines(&recorder).await;
    assert!(!kept.is_empty(), "what is there can be read");
    let (status, refused) = act(&recorder, json!({})).await;
    assert_eq!((status, &refused["code"]), (507, &json!("not_recorded")), "{refused}");
    let (status, started) = act(&recorder, json!({"unrecorded": true})).await;
    assert_eq!(status, 202, "{started}");

    volume.clear();
    sound(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    let kept = lines(&recorder).await;
    let first = kept[0];
    let missing = told + 1 - (first - 1) - kept.len() as u64;
    assert!(missing > 0);
    assert_eq!(dropped(&recorder).await, missing, "what is not there is counted");
    let has_outcome = |actions: &serde_json::Value| {
        let rows = actions["actions"].as_array().into_iter().flatten();
        let mut rows = rows.filter(|row| row["id"] == started["id"]);
        rows.next().is_some_and(|row| row["outcome"].is_string())
    };
    recorder.wait_for("/api/actions", has_outcome).await;
    recorder.kill();

    let recorder = site.record().await;
    recorder.wait_for("/api/actions", has_outcome).await;
    assert_eq!(lines(&recorder).await, kept);
    site.log.holds_no_panic();
}

/// Takes all room and lets the recorder retire what it can, until it says that it cannot record.
/// Returns the number of the last line told.
async fn exhaust(volume: &Volume, site: &Site, recorder: &crate::process::Process) -> u64 {
    for _ in 0..VOLUME_MIB {
        volume.fill();
        let told = site.say(SEGMENT_LINES).await;
        let last = format!("line {told} ");
        // Either it is recorded, or it is said that it is not.
        let deadline = Instant::now() + crate::process::WAIT_MAX;
        loop {
            if !degraded(&recorder.get("/api/status").await).is_empty() {
                volume.fill();
                return told;
            }
            let newest = recorder.get("/api/logs?limit=1").await;
            let newest = newest["entries"][0]["message"].as_str().unwrap_or_default().to_owned();
            if newest.starts_with(&last) {
                break;
            }
            assert!(Instant::now() < deadline, "neither recorded nor said to be lost");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    panic!("a full volume took everything");
}

#[tokio::test]
async fn a_wipe_on_a_full_volume_gives_the_room_back() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 4 * SEGMENT_LINES).await;
    volume.fill();
    assert!(volume.free() < SEGMENT_BYTES);

    let epoch = wipe(&recorder).await;
    site.until("the room is free", || volume.free() > 3 * SEGMENT_BYTES).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    sound(&recorder).await;
    recorder.kill();

    let recorder = site.record().await;
    let status = recorder.get("/api/status").await;
    assert_eq!(status["journal"]["epoch"], epoch);
    assert_eq!(lines(&recorder).await, [4 * SEGMENT_LINES + 1]);
    site.log.holds_no_panic();
}

#[tokio::test]
async fn a_wipe_works_even_with_nothing_left_to_retire() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    exhaust(&volume, &site, &recorder).await;
    let epoch = wipe(&recorder).await;
    let status = recorder.get("/api/status").await;
    assert_eq!(status["journal"]["epoch"], epoch);
    recorder.kill();

    let recorder = site.record().await;
    let actions = recorder.get("/api/actions").await;
    assert_eq!(actions["actions"][0]["action"], "wipe");
    assert!(lines(&recorder).await.is_empty());
    site.log.holds_no_panic();
}
