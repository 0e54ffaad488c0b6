//! `journal cut` and `journal wipe`.

use std::{fs, ops::ControlFlow};

use monitor_backend::{
    event::Level,
    journal::{self, Flags, Range, Transcript},
};
use serde_json::Value;

use crate::support::{Raw, Recorded, copy, flip, log, options, pod, run, segments, text};

/// What lives after the event `seq`, without the keys, which a redacted name changes.
fn state_after(path: &str, seq: u64) -> Vec<Value> {
    let from = (seq + 1).to_string();
    let mut rows = run(&["journal", "export", path, "--from", &from]).ended(0).rows();
    rows.retain(|row| row["restated"] == true);
    rows
}

fn events(path: &str, from: &str, to: &str) -> Vec<Value> {
    let args = ["journal", "cat", path, "--output", "ndjson", "--from", from, "--to", to];
    run(&args).ended(0).rows()
}

#[test]
fn a_part_has_the_same_numbers_times_and_state() {
    let dir = Recorded::filled();
    let original = text(dir.path());
    for (from, to) in [("1", "528"), ("100", "400"), ("300", "300")] {
        let out = dir.path().join(format!("cut-{from}"));
        let cut = run(&["journal", "cut", original, text(&out), "--from", from, "--to", to]);
        cut.ended(0);
        run(&["journal", "verify", text(&out), "--deep"]).ended(0);
        assert_eq!(events(text(&out), "1", "9999"), events(original, from, to));
        let last: u64 = to.parse().expect("a number");
        assert_eq!(state_after(text(&out), last), state_after(original, last), "{from} to {to}");
        let first: u64 = from.parse().expect("a number");
        assert_eq!(state_after(text(&out), first - 1), state_after(original, first - 1));
        let (of_cut, _) = journal::Reader::open(&out).expect("it opens");
        let (of_all, _) = journal::Reader::open(dir.path()).expect("it opens");
        assert_ne!(of_cut.positions().journal_id, of_all.positions().journal_id);
    }
}

#[test]
fn a_transcript_of_many_segments_is_sound() {
    let dir = Recorded::filled();
    let (reader, _) = journal::Reader::open(dir.path()).expect("it opens");
    let out = dir.path().join("transcript");
    let mut transcript = Transcript::create(out.clone(), 3, 0, 8 << 10).expect("it can be made");
    let mut appended = Ok(());
    let scanned = reader.scan(Range::ALL, &mut |record| {
        // A number that is left out has to be told as such.
        if !(100..102).contains(&record.seq) {
            appended = transcript.append(&record);
        }
        if appended.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    scanned.expect("it can be read");
    appended.expect("it can be written");
    transcript.finish().expect("it can be written");
    assert!(segments(&out).len() > 5);
    let report = run(&["journal", "verify", text(&out), "--deep", "--json"]).ended(0).json();
    assert_eq!((&report["events"], &report["leapt"]), (&526.into(), &2.into()));
    assert_eq!(report["epoch"], 3);
}

#[test]
fn a_cut_journal_can_be_appended_to() {
    let dir = Recorded::filled();
    let out = dir.path().join("cut");
    run(&["journal", "cut", text(dir.path()), text(&out), "--to", "50"]).ended(0);
    let (writer, reader, recovery) = journal::open(options(&out)).expect("it opens");
    assert!(recovery.leap.is_none() && recovery.damaged.is_empty(), "{recovery:?}");
    assert_eq!(reader.positions().last_seq, 50);
    writer.close().expect("it closes");
}

#[test]
fn credentials_and_what_is_named_are_in_no_byte_of_the_result() {
    let mut recorded = Recorded::start();
    recorded.append(&[
        pod(1, "owner acme-corp"),
        log(Level::Info, "Authorization: Bearer abcdefgh12345 for 10.1.2.3"),
        log(Level::Info, "nothing to hide"),
    ]);
    let dir = recorded.close();
    let out = dir.path().join("cut");
    let args = ["--redact", "(?i)ACME", "--redact", r"\d+\.\d+\.\d+\.\d+"];
    let cut = run(&[&["journal", "cut", text(dir.path()), text(&out)], &args[..]].concat());
    assert!(cut.ended(0).stderr.contains("2 texts redacted"));
    for path in segments(&out) {
        let bytes = fs::read(path).expect("it can be read");
        for secret in ["acme", "abcdefgh12345", "10.1.2.3"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}");
        }
    }
    let rows = events(text(&out), "1", "3");
    assert_eq!(rows[1]["event"]["message"], "Authorization: Bearer [redacted] for [redacted]");
    assert_eq!(rows[2], events(text(dir.path()), "3", "3")[0]);
}

#[test]
fn what_cannot_be_decoded_is_left_out_and_a_gap_says_so() {
    let mut recorded = Recorded::start();
    let unknown = |key| Raw {
        kind: 0x0ff0,
        class: 0,
        flags: Flags::STATE,
        key,
        payload: b"what a later version wrote".to_vec(),
    };
    recorded.append_raw(&[unknown(5)]);
    recorded.append(&[log(Level::Info, "a"), log(Level::Info, "b")]);
    recorded.append_raw(&[unknown(6)]);
    let dir = recorded.close();
    let out = dir.path().join("cut");
    let args = ["journal", "cut", text(dir.path()), text(&out), "--from", "2"];
    assert!(run(&args).ended(0).stderr.contains("2 records were left out"));
    assert!(state_after(text(&out), 1).is_empty(), "its state is not given away either");
    let rows = events(text(&out), "1", "9");
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[2]["seq"], &rows[2]["kind"]), (&4.into(), &"gap".into()));
    assert_eq!(rows[2]["event"]["source"], "journal cut");
}

#[test]
fn what_was_lost_stays_told_and_the_result_is_sound() {
    let dir = Recorded::filled();
    let damaged = copy(dir.path());
    let files = segments(damaged.path());
    flip(&files[1], "line 5");
    fs::remove_file(&files[3]).expect("it can be removed");
    let report = run(&["journal", "verify", text(damaged.path()), "--json"]).ended(1).json();
    let lost = report["lost"].as_array().expect("a list");
    assert_eq!(lost.len(), 2);
    let out = dir.path().join("cut");
    run(&["journal", "cut", text(damaged.path()), text(&out)]).ended(0);
    run(&["journal", "verify", text(&out)]).ended(0);
    let gaps = run(&["journal", "cat", text(&out), "--kind", "gap", "--output", "ndjson"]);
    let gaps = gaps.ended(0).rows();
    for (gap, lost) in gaps.iter().zip(lost) {
        assert_eq!(gap["seq"], lost["first_seq"]);
        let count = lost["last_seq"].as_u64().expect("a number")
            - lost["first_seq"].as_u64().expect("a number")
            + 1;
        assert_eq!(gap["event"]["dropped"], count);
    }
    assert_eq!(gaps.len(), 2);
}

#[test]
fn a_cut_goes_nowhere_near_other_files() {
    let dir = Recorded::filled();
    let before = fs::read_dir(dir.path()).expect("it can be listed").count();
    let path = text(dir.path());
    assert!(run(&["journal", "cut", path, path]).ended(2).stderr.contains("empty"));
    let file = text(&segments(dir.path())[0]).to_owned();
    run(&["journal", "cut", path, &file]).ended(2);
    let out = dir.path().join("cut");
    run(&["journal", "cut", path, text(&out), "--from", "7000"]).ended(2);
    run(&["journal", "cut", path, text(&out), "--redact", "("]).ended(64);
    assert!(!out.exists(), "nothing is made before it is known to work");
    assert_eq!(fs::read_dir(dir.path()).expect("it can be listed").count(), before);
}

#[test]
fn a_wipe_empties_the_journal_and_says_who_and_why() {
    let dir = Recorded::filled();
    let path = text(dir.path());
    let wipe = ["journal", "wipe", path, "--reason", "disk trouble"];
    assert!(run(&wipe).ended(2).stderr.contains("--yes"));
    assert!(segments(dir.path()).len() > 1, "nothing happened");
    run(&[&wipe[..], &["--yes"]].concat()).ended(0);
    let rows = run(&["journal", "cat", path, "--output", "ndjson"]).ended(0).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["seq"], &rows[0]["kind"]), (&529.into(), &"action_outcome".into()));
    assert_eq!(rows[0]["event"]["args"]["reason"], "disk trouble");
    assert_eq!(segments(dir.path()).len(), 1);
    run(&["journal", "verify", path]).ended(0);
    run(&["journal", "wipe", path, "--yes"]).ended(64);
}

#[test]
fn a_journal_that_a_recorder_holds_is_wiped_through_it() {
    let mut recorded = Recorded::start();
    recorded.append(&[log(Level::Info, "kept")]);
    let args = ["journal", "wipe", text(recorded.path()), "--reason", "x", "--yes"];
    assert!(run(&args).ended(2).stderr.contains("api/journal/wipe"));
    let kept = run(&["journal", "cat", text(recorded.path())]).ended(0).stdout;
    assert!(kept.contains("kept"));
    let empty = tempfile::tempdir().expect("a temporary folder");
    run(&["journal", "wipe", text(empty.path()), "--reason", "x", "--yes"]).ended(2);
    assert_eq!(fs::read_dir(empty.path()).expect("it can be listed").count(), 0);
}
