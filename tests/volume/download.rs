//! Backups and questions under way while what they read is wiped or retired.

use reqwest::{Method, Response};
use serde_json::Value;

use crate::{
    mount::Volume,
    process::Process,
    site::{LINE_BYTES, SEGMENT_BYTES, SEGMENT_LINES, Site, kept_without_name, lines, sound, wipe},
};

const VOLUME_MIB: u64 = 32;

/// Segments recorded before: more than fits between the file and a client that does not read.
const SEGMENTS: u64 = 14;

#[tokio::test]
async fn a_slow_download_has_the_right_bytes_though_everything_was_wiped_meanwhile() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    let (slow, expected) = begin(&site, &recorder).await;
    let moment = format!("/api/overview?at={}", seq(&recorder).await / 2);
    recorder.get(&moment).await;

    wipe(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    assert!(!kept_without_name(&recorder).is_empty(), "the download is still under way");
    ends_well(&site, &recorder, slow, &expected).await;
    site.until("the room is free", || volume.free() > (VOLUME_MIB - 6) * SEGMENT_BYTES).await;
    site.log.holds_no_panic();
}

#[tokio::test]
async fn a_slow_download_has_the_right_bytes_though_everything_was_retired_meanwhile() {
    let volume = Volume::mount(VOLUME_MIB);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    let (slow, expected) = begin(&site, &recorder).await;
    let moment = format!("/api/overview?at={}", seq(&recorder).await / 2);
    recorder.get(&moment).await;

    let names = site.segments();
    // Twice: what the download holds open takes its room until the end.
    site.say(2 * (VOLUME_MIB << 20) / LINE_BYTES as u64).await;
    site.until("a retired segment", || !site.segments().contains(&names[0])).await;
    ends_well(&site, &recorder, slow, &expected).await;
    sound(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 2 * SEGMENT_LINES).await;
    assert!(lines(&recorder).await.count() > 4 * SEGMENT_LINES, "it has room again");
    site.until("no retired file is held", || kept_without_name(&recorder).is_empty()).await;
    site.log.holds_no_panic();
}

/// Records, and begins a download that is not read. Gives it, and its bytes as they were before.
async fn begin(site: &Site, recorder: &Process) -> (Response, Vec<u8>) {
    site.say_and_see(recorder, SEGMENTS * SEGMENT_LINES).await;
    let to = seq(recorder).await;
    let backup = format!("/api/journal/backup?to={to}");
    let durable = |status: &Value| status["journal"]["durable_seq"].as_u64() >= Some(to);
    recorder.wait_for("/api/status", durable).await;
    let request = || recorder.request(Method::GET, &backup).send();
    let whole = request().await.expect("it answers");
    let whole = whole.bytes().await.expect("it is complete").to_vec();
    assert!(whole.len() as u64 > (SEGMENTS - 1) * SEGMENT_BYTES);
    let mut slow = request().await.expect("it answers");
    let first = slow.chunk().await.expect("it begins").expect("it holds something");
    assert_eq!(first, whole[..first.len()]);
    let rest = whole[first.len()..].to_vec();
    (slow, rest)
}

/// The rest of the download is as it was, and then nothing of it is kept.
async fn ends_well(site: &Site, recorder: &Process, slow: Response, expected: &[u8]) {
    let rest = slow.bytes().await.expect("it is complete");
    assert!(rest == expected, "{} bytes, {} expected", rest.len(), expected.len());
    site.until("no wiped file is held", || kept_without_name(recorder).is_empty()).await;
}

async fn seq(recorder: &Process) -> u64 {
    let status = recorder.get("/api/status").await;
    status["journal"]["last_seq"].as_u64().expect("a number")
}
