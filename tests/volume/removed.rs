//! Files of the journal removed under the running process, by a hand or a script that "cleans up".

use std::fs;

use serde_json::{Value, json};

use crate::{
    process::Process,
    site::{SEGMENT_LINES, Site, degraded, is_alive, kept_without_name, lines},
};

#[tokio::test]
async fn it_goes_on_in_a_new_file_when_the_open_segment_is_removed() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 2 * SEGMENT_LINES).await;
    let segments = site.segments();
    let (open, sealed) = segments.split_last().expect("there are some");
    fs::remove_file(open).expect("it is there");

    site.until("a new segment", || site.segments().len() > sealed.len()).await;
    assert_eq!(&site.segments()[..sealed.len()], sealed, "the others stay");
    goes_on(&site, recorder).await;
}

#[tokio::test]
async fn it_goes_on_in_new_files_when_all_segments_are_removed() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 3 * SEGMENT_LINES).await;
    for segment in site.segments() {
        fs::remove_file(segment).expect("it is there");
    }
    site.until("a new segment", || !site.segments().is_empty()).await;
    goes_on(&site, recorder).await;
}

#[tokio::test]
async fn it_goes_on_in_a_new_directory_when_the_whole_one_is_removed() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 3 * SEGMENT_LINES).await;
    fs::remove_dir_all(&site.data).expect("it is there");
    site.until("a new segment", || !site.segments().is_empty()).await;
    goes_on(&site, recorder).await;
}

#[tokio::test]
async fn it_goes_on_when_the_directory_is_replaced_by_an_empty_one() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, SEGMENT_LINES).await;
    fs::rename(&site.data, site.data.with_extension("old")).expect("it is there");
    fs::create_dir(&site.data).expect("the folder is writable");
    site.until("a new segment", || !site.segments().is_empty()).await;
    goes_on(&site, recorder).await;
}

#[tokio::test]
async fn a_sealed_segment_that_is_removed_is_missed_and_said_so() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 4 * SEGMENT_LINES).await;
    let gone = site.segments().swap_remove(1);
    fs::remove_file(&gone).expect("it is there");
    let name = gone.file_name().and_then(|name| name.to_str()).expect("names are text");
    let is_gone = |journal: &Value| !listed(journal).contains(&name);
    recorder.wait_for("/api/journal", is_gone).await;
    goes_on(&site, recorder).await;
}

/// The names of the segments that the journal says it has.
fn listed(journal: &Value) -> Vec<&str> {
    let segments = journal["segments"].as_array().expect("a list");
    segments.iter().map(|s| s["name"].as_str().expect("a name")).collect()
}

/// New lines are recorded where the next start finds them, and it was said what is missing.
async fn goes_on(site: &Site, recorder: Process) {
    is_alive(&recorder).await;
    site.say_and_see(&recorder, SEGMENT_LINES / 2).await;
    let told = site.say(0).await;
    site.until("no removed file is held", || kept_without_name(&recorder).is_empty()).await;
    // The list of segments is what the volume has; that something is missing from it is recorded
    // with the next batch.
    let is_told = |journal: &Value| {
        let said = journal["upkeep"].as_array().expect("a list");
        said.iter().any(|one| one["what"] == "files_removed")
    };
    let journal = recorder.wait_for("/api/journal", is_told).await;
    let last_seq = journal["journal"]["last_seq"].as_u64();
    recorder.kill();

    let recorder = site.record().await;
    let kept = lines(&recorder).await;
    let since = told - SEGMENT_LINES / 2 + 1;
    assert!(kept.end_with(since..=told), "what was told after is there: {kept:?}");
    let journal = recorder.get("/api/journal").await;
    assert!(journal["journal"]["last_seq"].as_u64() > last_seq, "no number is used again");
    assert_eq!(journal["recovery"]["damaged"], json!([]));
    assert!(degraded(&recorder.get("/api/status").await).is_empty());
    site.log.holds_no_panic();
}
