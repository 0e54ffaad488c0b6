//! `journal verify` and `journal stat`.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use monitor_backend::{event::Level, journal::WipeNote};

use crate::support::{Recorded, backup, copy, flip, log, round_of_events, run, segments, text};

#[test]
fn a_sound_journal_is_clean_as_directory_segment_and_tar() {
    let dir = Recorded::filled();
    let files = segments(dir.path());
    assert!(files.len() > 3, "there are several segments");
    let tar = dir.path().join("backup.tar");
    fs::write(&tar, backup(dir.path())).expect("it can be written");
    for path in [dir.path(), &files[1], &tar] {
        let verified = run(&["journal", "verify", text(path), "--json"]).ended(0).json();
        assert_eq!(verified["clean"], true);
        assert!(verified["events"].as_u64() > Some(50), "{verified}");
        let said = run(&["journal", "verify", text(path)]).ended(0);
        assert!(said.stdout.starts_with("clean: "), "{}", said.stdout);
    }
    let deep = run(&["journal", "verify", text(dir.path()), "--deep", "--json"]).ended(0).json();
    assert!(deep["states"].as_u64() >= Some(2 * files.len() as u64 - 1), "{deep}");
    let stat = run(&["journal", "stat", text(dir.path()), "--json"]).ended(0).json();
    assert_eq!(stat["segments"].as_array().expect("a list").len(), files.len());
    assert_eq!(stat["kinds"]["log_line"]["records"], 40 * 11);
    assert_eq!(stat["living"]["source_state"]["records"], 1);
    assert!(stat["segments"][1]["keyframe_records"].as_u64() > Some(1));
    assert!(stat["bytes_per_hour"].as_f64() > Some(0.0));
    let said = run(&["journal", "stat", text(dir.path())]).ended(0);
    assert!(said.stdout.contains("clean"), "{}", said.stdout);
}

#[test]
fn a_flipped_bit_is_one_lost_event_and_named() {
    let dir = Recorded::filled();
    let damaged = copy(dir.path());
    let segment = &segments(damaged.path())[1];
    flip(segment, "line 5");
    let name = segment.file_name().expect("a name").to_str().expect("text").to_owned();
    let report = run(&["journal", "verify", text(damaged.path()), "--json"]).ended(1).json();
    assert_eq!(report["clean"], false);
    assert_eq!(report["damaged"].as_array().expect("a list").len(), 1);
    assert_eq!(report["damaged"][0]["segment"], name);
    let lost = &report["lost"][0];
    assert_eq!(lost["first_seq"], lost["last_seq"]);
    assert_eq!(lost["acknowledged"], true);
    let said = run(&["journal", "verify", text(damaged.path())]).ended(1).stdout;
    assert!(said.contains(&name) && said.contains("lost: acknowledged"), "{said}");
    let stat = run(&["journal", "stat", text(damaged.path()), "--json"]).ended(0).json();
    assert_eq!((&stat["clean"], &stat["lost"]), (&false.into(), &1.into()));
}

#[test]
fn a_missing_segment_is_a_loss_of_all_its_events() {
    let dir = Recorded::filled();
    let damaged = copy(dir.path());
    fs::remove_file(&segments(damaged.path())[1]).expect("it can be removed");
    let report = run(&["journal", "verify", text(damaged.path()), "--json"]).ended(1).json();
    let lost = &report["lost"][0];
    assert!(lost["last_seq"].as_u64() > lost["first_seq"].as_u64(), "{report}");
}

#[test]
fn a_tar_that_was_changed_or_cut_on_the_way_is_told() {
    let dir = Recorded::filled();
    let whole = backup(dir.path());
    let tar = dir.path().join("backup.tar");
    let mismatch = |bytes: &[u8]| {
        fs::write(&tar, bytes).expect("it can be written");
        let report = run(&["journal", "verify", text(&tar), "--json"]).ended(1).json();
        report["mismatches"][0]["what"].as_str().expect("a mismatch").to_owned()
    };
    // The salt's copy in the second half of a segment's header: no record is hurt by it.
    let mut flipped = whole.clone();
    flipped[512 + 2048 + 300] ^= 4;
    assert!(mismatch(&flipped).contains("checksum"));
    assert!(mismatch(&whole[..whole.len() / 2]).contains("cut off"));
    assert!(mismatch(&whole[..whole.len() - 2048]).contains("cut off"));
    let cat = run(&["journal", "cat", text(&tar)]).ended(0);
    assert!(cat.stdout.lines().count() > 400, "the rest can be read");
}

#[test]
fn what_is_no_journal_ends_with_2_and_says_why() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("holiday.jpg");
    fs::write(&file, b"\xff\xd8\xff").expect("it can be written");
    for path in [dir.path(), &file, &dir.path().join("absent")] {
        for command in ["verify", "stat", "cat", "export"] {
            let ran = run(&["journal", command, text(path)]).ended(2);
            assert!(ran.stderr.contains(text(path)), "{}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
    }
    run(&["journal", "verify", "--no-such-flag"]).ended(64);
}

#[test]
fn a_live_directory_is_clean_while_it_is_appended_to_and_wiped() {
    let mut recorded = Recorded::start();
    recorded.append(&[log(Level::Info, "first")]);
    let dir = recorded.path().to_owned();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                recorded.append(&round_of_events(round));
                if round % 50 == 49 {
                    let note = WipeNote {
                        actor: "test".into(),
                        reason: "test".into(),
                        time_ns: i64::from(round),
                    };
                    recorded.writer.wipe(&note, &[]).expect("it is wiped");
                }
                round += 1;
            }
        });
        for _ in 0..5 {
            let ran = run(&["journal", "verify", text(&dir)]);
            if ran.code != Some(0) {
                stop.store(true, Ordering::Relaxed);
            }
            ran.ended(0);
        }
        stop.store(true, Ordering::Relaxed);
    });
}
