//! A volume without room: at the start, at a rotation, at a wipe.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    mount::Volume,
    process::{Process, WAIT_MAX},
    site::{
        LINE_BYTES, Lines, SEGMENT_BYTES, SEGMENT_LINES, Site, act, are_counted, degraded, dropped,
        is_alive, lines, readiness, sound, wipe,
    },
};

const VOLUME_MIB: u64 = 24;

/// More than the volume takes.
const VOLUME_LINES: u64 = (VOLUME_MIB << 20) / LINE_BYTES as u64;

/// As many starts, each ended by a crash, as there are segments.
const STARTS: usize = 12;

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
    assert_eq!(lines(&recorder).await, Lines::none());

    volume.clear();
    sound(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    assert_eq!(lines(&recorder).await, Lines::all(told + 1..=told + 1));
    are_counted(&recorder, told).await;
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
    let after = site.segments();
    assert!(!after.contains(&before[0]), "the oldest segment is retired: {after:?}");
    let kept = lines(&recorder).await;
    let last = 8 * SEGMENT_LINES;
    assert_eq!(kept, Lines::all(kept.first()..=last), "no hole after the oldest line");
    assert_eq!(dropped(&recorder).await, 0);
    site.log.holds_no_panic();
}

#[tokio::test]
async fn starts_in_a_row_on_a_full_volume_do_not_use_up_the_history() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    let told = 12 * SEGMENT_LINES;
    site.say_and_see(&recorder, told).await;
    let before = lines(&recorder).await;
    recorder.kill();
    volume.fill();
    for _ in 0..STARTS {
        site.start().ready().await.kill();
    }
    let recorder = site.record().await;
    let after = lines(&recorder).await;
    // A quarter of a segment for each start, and what is kept free for the next segments.
    assert!(after.first() <= before.first() + 8 * SEGMENT_LINES, "{after:?} of {before:?}");
    assert_eq!(after, Lines::all(after.first()..=told));
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
    assert!(kept.first() > VOLUME_LINES / 2, "the oldest lines are gone: {kept:?}");
    assert_eq!(kept, Lines::all(kept.first()..=2 * VOLUME_LINES));
    assert_eq!(dropped(&recorder).await, 0, "nothing new was lost");
    let status = recorder.get("/api/status").await;
    recorder.kill();

    let recorder = site.record().await;
    let again = lines(&recorder).await;
    // The start needs room for a segment, the next one and what is kept free.
    assert!(again.first() <= kept.first() + 6 * SEGMENT_LINES, "{again:?} of {kept:?}");
    assert_eq!(again, Lines::all(again.first()..=kept.last()), "nothing else after a crash");
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
    let neighbour = volume.keep_full();
    let mut told = exhaust(&site, &recorder).await;

    let deadline = Instant::now() + WAIT_MAX;
    let mut steady_since = Instant::now();
    while steady_since.elapsed() < STEADY {
        told = site.say(1).await;
        let status = recorder.get("/api/status").await;
        if degraded(&status).is_empty() {
            // A segment that it could still retire gave it room before the neighbour took it.
            steady_since = Instant::now();
        }
        assert!(Instant::now() < deadline, "what can be retired has an end: {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(readiness(&recorder).await, 200);
    let kept = lines(&recorder).await;
    assert!(kept.count() > 0, "what is there can be read");
    let (status, refused) = act(&recorder, json!({})).await;
    assert_eq!((status, &refused["code"]), (507, &json!("action_not_recorded")), "{refused}");
    let (status, started) = act(&recorder, json!({"unrecorded": true})).await;
    assert_eq!(status, 202, "{started}");

    drop(neighbour);
    volume.clear();
    sound(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    let kept = lines(&recorder).await;
    let missing = told + 1 - (kept.first() - 1) - kept.count();
    assert!(missing > 0);
    are_counted(&recorder, missing).await;
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

/// On a volume that is kept full, lets the recorder retire what it can, until it says that it
/// cannot record. Returns the number of the last line told.
async fn exhaust(site: &Site, recorder: &Process) -> u64 {
    let deadline = Instant::now() + WAIT_MAX;
    loop {
        let told = site.say(SEGMENT_LINES / 4).await;
        if !degraded(&recorder.get("/api/status").await).is_empty() {
            return told;
        }
        assert!(Instant::now() < deadline, "a full volume took everything");
    }
}

#[tokio::test]
async fn a_wipe_on_a_full_volume_gives_the_room_back() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    let told = 12 * SEGMENT_LINES;
    site.say_and_see(&recorder, told).await;
    volume.fill();
    assert!(volume.free() < SEGMENT_BYTES);

    // What it keeps ready for the next segment and the next wipe is less than half of it.
    let epoch = wipe(&recorder).await;
    site.until("the room is free", || volume.free() > 6 * SEGMENT_BYTES).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    sound(&recorder).await;
    recorder.kill();

    let recorder = site.record().await;
    let status = recorder.get("/api/status").await;
    assert_eq!(status["journal"]["epoch"], epoch);
    assert_eq!(lines(&recorder).await, Lines::all(told + 1..=told + 1));
    site.log.holds_no_panic();
}

#[tokio::test]
async fn a_wipe_works_even_with_nothing_left_to_retire() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    let _neighbour = volume.keep_full();
    exhaust(&site, &recorder).await;
    let epoch = wipe(&recorder).await;
    let status = recorder.get("/api/status").await;
    assert_eq!(status["journal"]["epoch"], epoch);
    recorder.kill();

    let recorder = site.record().await;
    let actions = recorder.get("/api/actions").await;
    assert_eq!(actions["actions"][0]["action"], "wipe");
    assert_eq!(lines(&recorder).await, Lines::none());
    site.log.holds_no_panic();
}
