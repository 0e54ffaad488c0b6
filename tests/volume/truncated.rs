//! A segment cut short by someone else while it is mapped: touching the map would be the end.

use std::{fs::File, path::Path};

use reqwest::Method;
use serde_json::Value;

use crate::{
    process::Process,
    site::{SEGMENT_LINES, Site, is_alive, lines, says_lost},
};

/// Leaves the header and a few records.
const LEFT_BYTES: u64 = 64 << 10;

#[tokio::test]
async fn a_sealed_segment_cut_short_costs_its_own_records() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 4 * SEGMENT_LINES).await;
    let cut = site.segments().swap_remove(1);
    shorten(&cut);

    survives(&recorder, &cut).await;
    let kept = lines(&recorder).await;
    assert_eq!(kept.first(), 1, "the segment before is read");
    assert_eq!(kept.last(), 4 * SEGMENT_LINES, "the segments after are read");
    assert!(kept.count() < 4 * SEGMENT_LINES, "this segment's records are lost");
    says_so(&recorder, &cut).await;
    site.say_and_see(&recorder, 1).await;
    recorder.kill();

    let recorder = site.record().await;
    site.say_and_see(&recorder, 1).await;
    survives(&recorder, &cut).await;
    assert_eq!(lines(&recorder).await.count(), kept.count() + 2);
    says_so(&recorder, &cut).await;
    site.log.holds_no_panic();
}

#[tokio::test]
async fn the_open_segment_cut_short_costs_its_own_records() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 3 * SEGMENT_LINES + SEGMENT_LINES / 2).await;
    let cut = site.segments().pop().expect("there are some");
    shorten(&cut);

    survives(&recorder, &cut).await;
    site.say(SEGMENT_LINES).await;
    let newest = |page: &Value| {
        let text = page["entries"][0]["message"].as_str().unwrap_or_default();
        text.starts_with(&format!("line {} ", 9 * SEGMENT_LINES / 2))
    };
    recorder.wait_for("/api/logs?limit=1", newest).await;
    survives(&recorder, &cut).await;
    recorder.kill();

    let recorder = site.record().await;
    let kept = lines(&recorder).await;
    assert_eq!(kept.first(), 1, "the segments before are read");
    assert_eq!(kept.last(), 9 * SEGMENT_LINES / 2, "what came after is read");
    says_so(&recorder, &cut).await;
    site.log.holds_no_panic();
}

fn shorten(path: &Path) {
    let file = File::options().write(true).open(path).expect("it is there");
    file.set_len(LEFT_BYTES).expect("it can be cut");
}

/// Everything that reads the segment ends in an answer, whatever it says.
async fn survives(recorder: &Process, cut: &Path) {
    let journal = recorder.get("/api/journal").await;
    let segments = journal["segments"].as_array().expect("a list");
    let name = cut.file_name().and_then(|name| name.to_str()).expect("names are text");
    let within = segments.iter().find(|s| s["name"] == name).map(|s| &s["last_seq"]);
    let within = within.and_then(Value::as_u64).unwrap_or(1);
    for path in [
        format!("/api/logs?limit=1000&before={within}"),
        format!("/api/overview?at={within}"),
        format!("/api/objects?at={within}"),
        format!("/api/logs?limit=1000&q=nowhere&before={within}"),
        format!("/api/journal/segments/{name}"),
        "/api/journal/backup".into(),
        "/api/requests".into(),
        "/api/sources".into(),
    ] {
        let answer = recorder.request(Method::GET, &path).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{path} gave no answer: {error}"));
        let status = answer.status();
        // A download of what is gone may be cut off.
        let _ = answer.bytes().await;
        assert!(status != 404 || path.contains("segments"), "{path}: {status}");
        is_alive(recorder).await;
    }
}

async fn says_so(recorder: &Process, cut: &Path) {
    let journal = recorder.get("/api/journal").await;
    assert!(says_lost(&journal, cut), "{}: {journal:#}", cut.display());
}
