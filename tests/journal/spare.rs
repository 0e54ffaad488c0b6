//! The next segment's file, made ready in the background.

use std::{
    io::ErrorKind,
    thread,
    time::{Duration, Instant},
};

use monitor_backend::journal::{Retention, Writer, fs::Space};

use crate::{
    faults::{check, fill, note},
    faulty::{Faulty, Op},
    support::*,
};

/// Much longer than any of this takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// More than the writer waits for before it makes a spare.
const CALLS: usize = 40;

pub fn plenty() -> Faulty {
    let fs = Faulty::new();
    fs.set(|plan| plan.space = Some(Space { total: 1 << 40, free: 1 << 39 }));
    fs
}

pub fn await_spare(writer: &mut Writer) {
    let started = Instant::now();
    while !writer.has_spare() {
        assert!(started.elapsed() < DEADLINE, "no spare was made");
        writer.maintain(0);
        thread::yield_now();
    }
}

#[test]
fn a_full_volume_goes_on_in_the_spare() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = append(&mut writer, &[state(1, "lives")]);
    await_spare(&mut writer);
    fs.fail(Op::Create, ErrorKind::StorageFull);
    fs.fail(Op::Allocate, ErrorKind::StorageFull);
    let big = history(&"x".repeat(900));
    while let Ok(appended) = writer.append(&[big.as_new()]) {
        written.push(Owned { seq: appended.first_seq, ..big.clone() });
    }
    // The first of three was retired for the last events, where there was nothing but it.
    assert_eq!(segment_names(dir.path()).len(), 1);
    let first_seq = reader.positions().first_seq;
    assert!(first_seq > 1 && written.len() as u64 > first_seq, "both segments took events");
    assert_eq!(living_at(&reader, None), living_after(&written));
    assert!(!dir.path().join("spare.tmp").exists());
    // And a wipe works even now.
    writer.wipe(&note(), &[]).unwrap();
    check(&reader, &[]);
}

#[test]
fn rotation_uses_it_and_it_is_as_good_as_any() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = append(&mut writer, &[state(1, "lives")]);
    for round in 0..5 {
        await_spare(&mut writer);
        let started = writer.segments_started();
        fs.fail(Op::Create, ErrorKind::PermissionDenied);
        while writer.segments_started() == started {
            written.extend(append(&mut writer, &[state(2 + round, &"x".repeat(700))]));
        }
        fs.mend();
        for key in 1..=2 + round {
            let place = writer.place_of(key).expect("it lives");
            let newest = written.iter().rfind(|record| record.key == key).unwrap();
            assert_eq!(place.payload(), newest.payload);
        }
    }
    assert!(writer.place_of(77).is_none());
    check(&reader, &written);
    drop(writer);
    let (_writer, reader, recovery) = open(dir.path());
    assert!(recovery.left_alone.is_empty());
    check(&reader, &written);
}

#[test]
fn a_spare_that_a_crash_left_is_thrown_away() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    std::fs::write(dir.path().join("spare.tmp"), [7; SMALL as usize]).unwrap();
    let (mut writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert!(recovery.left_alone.is_empty());
    assert!(!dir.path().join("spare.tmp").exists());
    await_spare(&mut writer);
    assert!(std::fs::read(dir.path().join("spare.tmp")).unwrap() == [0; SMALL as usize]);
    let written = fill(&mut writer);
    check(&reader, &written);
}

#[test]
fn the_first_one_waits_until_it_is_likely_to_be_used() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, _, _) = fs.open(dir.path(), 1 << 20);
    let spare = dir.path().join("spare.tmp");
    append(&mut writer, &[history("x")]);
    writer.maintain(0);
    assert!(!spare.exists() && !writer.has_spare());
    append(&mut writer, &[history(&"x".repeat(200_000))]);
    await_spare(&mut writer);
    assert!(spare.exists());
}

#[test]
fn there_is_none_where_it_would_take_what_is_to_stay_free() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep = Retention { free_min: Some(10 * SMALL), ..Retention::default() };
    let (mut writer, _, _) = fs.open_keeping(dir.path(), SMALL, keep);
    fs.set(|plan| plan.space = Some(Space { total: 1 << 40, free: 11 * SMALL - 1 }));
    for _ in 0..CALLS {
        writer.maintain(0);
    }
    assert!(!dir.path().join("spare.tmp").exists());
    fs.set(|plan| plan.space = Some(Space { total: 1 << 40, free: 11 * SMALL }));
    await_spare(&mut writer);
}

#[test]
fn one_that_cannot_be_written_leaves_nothing_and_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    fs.fail_times(Op::Sync, ErrorKind::StorageFull, 1);
    let started = Instant::now();
    while fs.failures_left() > 0 {
        assert!(started.elapsed() < DEADLINE, "the spare was never begun");
        writer.maintain(0);
        thread::yield_now();
    }
    await_spare(&mut writer);
}

#[test]
fn one_that_became_too_small_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    await_spare(&mut writer);
    let length = || std::fs::metadata(dir.path().join("spare.tmp")).map_or(0, |m| m.len());
    assert_eq!(length(), SMALL);
    let mut written = Vec::new();
    for key in 1..30 {
        written.extend(append(&mut writer, &[state(key, &"x".repeat(500))]));
    }
    let started = Instant::now();
    while length() <= SMALL {
        assert!(started.elapsed() < DEADLINE, "the spare stayed as it was");
        writer.maintain(0);
        thread::yield_now();
    }
    await_spare(&mut writer);
    written.extend(fill(&mut writer));
    check(&reader, &written);
}

#[test]
fn nothing_writes_to_the_directory_after_the_writer_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    for _ in 0..20 {
        let (mut writer, _, _) = fs.open(dir.path(), 1 << 20);
        for _ in 0..CALLS {
            writer.maintain(0);
        }
        drop(writer);
        let steps = fs.steps();
        std::fs::remove_dir_all(dir.path()).unwrap();
        assert_eq!(fs.steps(), steps);
    }
    std::fs::create_dir(dir.path()).unwrap();
}
