//! A directory with every kind of damage at once.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::{FileExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use serde_json::Value;

use crate::{
    process::Process,
    site::{SEGMENT_LINES, Site, degraded, is_alive, lines, readiness, says_lost},
};

/// Each damage has a segment of its own, with a sound one behind it.
const SEGMENTS: u64 = 18;

/// A segment with less in it is not damaged: there may be no line where it is hit.
const BYTES_MIN: u64 = 256 << 10;

/// Where lines are in such a segment.
const MIDDLE: u64 = 128 << 10;

/// Of a file's magic, bytes.
const MAGIC_BYTES: usize = 8;

#[tokio::test]
async fn it_starts_serves_records_and_reports_whatever_the_directory_holds() {
    let site = Site::new().await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, SEGMENTS * SEGMENT_LINES).await;
    let before = lines(&recorder).await;
    let segments = well_filled(&site, &recorder).await;
    recorder.kill();
    let damaged = damage(&segments);
    let foreign = add_foreign(&site);
    let untouched = contents(&site.data);

    let recorder = site.record().await;
    assert_eq!(readiness(&recorder).await, 200);
    let count = before.count();
    site.say_and_see(&recorder, 10).await;
    let kept = lines(&recorder).await;
    assert!(kept.count() > count * 2 / 3, "what is sound is read: {kept:?}");
    assert!(kept.end_with(count + 1..=count + 10));
    everything_answers(&recorder).await;
    is_reported(&recorder, &damaged, &foreign).await;
    let after = contents(&site.data);
    for (name, bytes) in &untouched {
        assert!(after.get(name) == Some(bytes), "{name} was touched");
    }
    recorder.kill();

    let recorder = site.record().await;
    site.say_and_see(&recorder, 1).await;
    assert_eq!(lines(&recorder).await.count(), kept.count() + 1, "and again");
    site.log.holds_no_panic();
}

/// The segments that hold enough to be damaged.
async fn well_filled(site: &Site, recorder: &Process) -> Vec<PathBuf> {
    let journal = recorder.get("/api/journal").await;
    let segments = journal["segments"].as_array().expect("a list").iter();
    let filled = segments.filter(|segment| segment["bytes"].as_u64() >= Some(BYTES_MIN));
    filled.map(|segment| site.data.join(segment["name"].as_str().expect("a name"))).collect()
}

/// Damages segments; returns those that lose something.
fn damage(segments: &[PathBuf]) -> Vec<PathBuf> {
    let open = |path| File::options().read(true).write(true).open(path).expect("it is there");
    let last = segments.len() - 1;
    flip(&open(&segments[1]), MIDDLE);
    zero(&open(&segments[3]), MIDDLE, 4096);
    // Both copies of the header: the name says what they said.
    zero(&open(&segments[5]), 0, 4096);
    open(&segments[7]).set_len(MIDDLE + 5).expect("it can be cut");
    // The beginning of the keyframe: the one before does as well.
    zero(&open(&segments[9]), 4096, 64);
    fs::remove_file(&segments[11]).expect("it is there");
    zero(&open(&segments[last]), 16 << 10, 512);
    [1, 3, 7, 9, 11, last].map(|index| segments[index].clone()).into()
}

fn flip(file: &File, offset: u64) {
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).expect("it is long enough");
    file.write_all_at(&[byte[0] ^ 1], offset).expect("it is ours");
}

fn zero(file: &File, offset: u64, len: usize) {
    file.write_all_at(&vec![0; len], offset).expect("it is ours");
}

/// Puts things beside the segments that are none of the journal's; returns those to be reported.
fn add_foreign(site: &Site) -> Vec<String> {
    let at = |name: &str| site.data.join(name);
    let segments = site.segments();
    let whole = fs::read(&segments[0]).expect("it is there");
    let mut other_magic = whole.clone();
    other_magic[..MAGIC_BYTES].fill(b'x');
    let in_far_epoch = "00000099-00000000000000000001-0123456789abcdef.seg";
    fs::write(at(in_far_epoch), b"not a segment").expect("writable");
    fs::write(at("foreign.seg"), other_magic).expect("writable");
    fs::write(at("copy.seg"), whole).expect("writable");
    fs::write(at("empty.seg"), b"").expect("writable");
    fs::write(at("zeros.seg"), vec![0; 1 << 20]).expect("writable");
    File::create(at("huge.seg")).and_then(|file| file.set_len(1 << 40)).expect("writable");
    fs::create_dir(at("folder.seg")).expect("writable");
    symlink("nowhere", at("dangling.seg")).expect("writable");
    symlink("loop.seg", at("loop.seg")).expect("writable");
    let pipe = Command::new("mkfifo").arg(at("pipe.seg")).status().expect("there is `mkfifo`");
    assert!(pipe.success());
    fs::write(at("next.tmp"), b"left by a crash").expect("writable");
    fs::write(at("replay.mark"), b"\xff\xfe no mark").expect("writable");
    fs::create_dir_all(at("wipe-on-start")).expect("writable");
    let reported = [
        in_far_epoch,
        "foreign.seg",
        "empty.seg",
        "zeros.seg",
        "huge.seg",
        "folder.seg",
        "dangling.seg",
        "loop.seg",
        "pipe.seg",
    ];
    reported.map(str::to_owned).into()
}

/// An admin sees what each damaged segment has lost, and the name of each foreign file.
async fn is_reported(recorder: &Process, damaged: &[PathBuf], foreign: &[String]) {
    let journal = recorder.get("/api/journal").await;
    let left_alone = journal["left_alone"].as_array().expect("a list");
    let left_alone: Vec<&str> = left_alone.iter().filter_map(|f| f["name"].as_str()).collect();
    for name in foreign {
        assert!(left_alone.contains(&name.as_str()), "{name} is not in {left_alone:?}");
    }
    for path in damaged {
        assert!(says_lost(&journal, path), "{}: {journal:#}", path.display());
    }
}

/// Whatever is asked is answered, from the beginning to now.
async fn everything_answers(recorder: &Process) {
    let journal = recorder.get("/api/journal").await;
    for segment in journal["segments"].as_array().expect("a list") {
        let Some(first) = segment["first_seq"].as_u64() else { continue };
        // Its keyframe and a little more.
        let at = first + 5;
        let answer = recorder.request(Method::GET, &format!("/api/overview?at={at}")).send().await;
        let status = answer.expect("it answers").status();
        assert!(status.is_success(), "{at}: {status}");
        is_alive(recorder).await;
    }
    let backup = recorder.request(Method::GET, "/api/journal/backup").send().await;
    assert_eq!(backup.expect("it answers").status(), 200);
    let status = recorder.get("/api/status").await;
    let texts: Vec<&Value> = degraded(&status).iter().collect();
    assert!(texts.iter().all(|text| text.is_string()), "{texts:?}");
}

/// The bytes of all files but the few that the start writes anew.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("it is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let is_plain = |path: &PathBuf| {
        let meta = fs::symlink_metadata(path).expect("it is there");
        meta.is_file() && meta.len() < 1 << 30
    };
    let is_kept = |path: &PathBuf| path.extension().is_some_and(|end| end == "seg");
    let files = paths.filter(is_plain).filter(is_kept);
    files.map(|path| (name_of(&path), fs::read(&path).expect("it can be read"))).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("names are text").to_owned()
}
