//! Starts that die while they read, and starts that do nothing else: what one start leaves to the
//! next.

use std::{fs, io::ErrorKind, path::Path};

use monitor_backend::journal::{Reader, Recovery, Writer};

use crate::{
    faulty::{Faulty, Op},
    support::*,
};

const MARK: &str = "replay.mark";

/// What a start that died left behind: the mark as it was while the start read.
fn die_while_reading(dir: &Path, fs: &Faulty) {
    let (writer, reader, _) = fs.open(dir, SMALL);
    // The recorder's part of the start.
    reader.replay(None, &mut |_, _| {}).unwrap();
    let mark = fs::read(dir.join(MARK)).unwrap();
    drop(writer);
    fs::write(dir.join(MARK), mark).unwrap();
}

/// A mark of the boot that these tests run on.
fn marked(lines: &str) -> String {
    format!("boot {}\n{lines}", "07".repeat(16))
}

fn filled(dir: &Path, fs: &Faulty) -> Vec<Owned> {
    let (mut writer, _, _) = fs.open(dir, SMALL);
    let mut written = Vec::new();
    for round in 0..60u64 {
        let record = state(1 + round % 5, &format!("{round} {}", "x".repeat(250)));
        written.extend(append(&mut writer, &[record]));
    }
    writer.close().unwrap();
    written
}

#[test]
fn a_segment_that_starts_died_in_is_read_with_care_and_then_skipped_and_never_touched() {
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    let written = filled(dir.path(), &fs);
    let newest = segment_names(dir.path()).pop().unwrap();
    let bytes = fs::read(dir.path().join(&newest)).unwrap();

    die_while_reading(dir.path(), &fs);
    let (writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert_eq!(recovery.read_with_care, [newest.as_str()]);
    assert_eq!(scan(&reader, ALL), written, "care costs nothing but memory");
    drop(writer);
    assert!(!dir.path().join(MARK).exists());

    die_while_reading(dir.path(), &fs);
    die_while_reading(dir.path(), &fs);
    let (mut writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert_eq!(recovery.skipped, [newest.as_str()]);
    assert!(recovery.left_alone.iter().any(|left| left.name == newest));
    let found = scan(&reader, ALL);
    assert!(!found.is_empty() && found.len() < written.len());
    assert_eq!(found, written[..found.len()]);
    assert_eq!(living_at(&reader, None), living_after(&found));
    // Nobody knows what numbers the skipped segment holds: none of them is given again.
    assert!(recovery.leap.is_some());
    let mut all = written.clone();
    all.extend(append(&mut writer, &[state(9, "goes on")]));
    assert_eq!(fs::read(dir.path().join(&newest)).unwrap(), bytes);
    writer.started();
    assert!(!dir.path().join(MARK).exists());
    drop(writer);

    // What was skipped is not gone: the next start reads it again.
    let (_writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert!(recovery.skipped.is_empty() && recovery.lost.is_empty(), "{recovery:?}");
    assert_eq!(scan(&reader, ALL), all);
    check_law(&reader, all.len() as u64);
}

#[test]
fn two_segments_that_kill_in_turn_are_both_known() {
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    let written = filled(dir.path(), &fs);
    let names = segment_names(dir.path());
    let [older, newest] = [&names[names.len() - 2], &names[names.len() - 1]];
    fs::write(dir.path().join(MARK), marked(&format!("2 {older}\n1 {newest}\n"))).unwrap();
    die_while_reading(dir.path(), &fs);
    let mark = fs::read_to_string(dir.path().join(MARK)).unwrap();
    assert_eq!(mark.trim_end(), marked(&format!("2 {older}\n2 {newest}")));
    let (writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert_eq!(recovery.skipped, [older.as_str(), newest.as_str()]);
    assert_eq!(scan(&reader, ALL).first(), written.first());
    assert_eq!(recovery.segments as usize, names.len() - 2);
    drop(writer);
}

#[test]
fn a_mark_that_makes_no_sense_or_cannot_be_written_changes_nothing() {
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    let written = filled(dir.path(), &fs);
    let check = |(writer, reader, recovery): (Writer, Reader, Recovery)| {
        assert_eq!(scan(&reader, ALL), written);
        assert!(recovery.skipped.is_empty() && recovery.read_with_care.is_empty());
        assert!(recovery.left_alone.is_empty(), "{recovery:?}");
        drop(writer);
    };
    let newest = segment_names(dir.path()).pop().unwrap();
    let other_boot = format!("boot {}\n2 {newest}\n", "08".repeat(16));
    let nonsense = marked("2\nx y\n-1 z\n");
    let marks = [b"", &b"\xff\xfe\x00"[..], nonsense.as_bytes(), &[b'9'; 70_000]];
    for nonsense in marks.into_iter().chain([other_boot.as_bytes()]) {
        fs::write(dir.path().join(MARK), nonsense).unwrap();
        check(fs.open(dir.path(), SMALL));
    }
    for op in [Op::Create, Op::Write] {
        fs.fail(op, ErrorKind::StorageFull);
        check(fs.open(dir.path(), SMALL));
        fs.mend();
    }
}

#[test]
fn a_backup_that_is_read_leaves_no_mark() {
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    let written = filled(dir.path(), &fs);
    let names = segment_names(dir.path());
    let (reader, _) = Reader::open(dir.path()).unwrap();
    assert_eq!(living_at(&reader, None), living_after(&written));
    assert!(!dir.path().join(MARK).exists());
    // Nor does it heed that of the journal that it was copied from.
    fs::write(dir.path().join(MARK), marked(&format!("2 {}\n", names[0]))).unwrap();
    let (reader, _) = Reader::open(dir.path()).unwrap();
    assert_eq!(scan(&reader, ALL), written);
}

#[test]
fn a_start_that_dies_at_any_step_leaves_every_segment_as_it_was() {
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    let written = filled(dir.path(), &fs);
    let bytes = |names: &[String]| -> Vec<Vec<u8>> {
        names.iter().map(|name| fs::read(dir.path().join(name)).unwrap()).collect()
    };
    let names = segment_names(dir.path());
    let before = bytes(&names);
    for stop in 0..12 {
        let steps = fs.steps();
        fs.set(|plan| plan.stop_at = Some(steps + stop));
        drop(fs.open(dir.path(), SMALL));
        fs.set(|plan| plan.stop_at = None);
        assert_eq!(segment_names(dir.path()), names);
        assert!(bytes(&names) == before, "after {stop} steps");
    }
    let (_writer, reader, _) = fs.open(dir.path(), SMALL);
    assert_eq!(scan(&reader, ALL), written);
}

#[test]
fn a_hundred_starts_without_an_append_leave_no_new_file() {
    let (dir, fs) = (tempfile::tempdir().unwrap(), Faulty::new());
    filled(dir.path(), &fs);
    // A segment without an event: its keyframe was committed, the append that it was for failed.
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let steps = fs.steps();
    // Create, allocate, write, sync, rename and sync of the directory.
    fs.set(|plan| plan.stop_at = Some(steps + 6));
    assert!(writer.append(&[history("never").as_new()]).is_err());
    drop(writer);
    fs.set(|plan| plan.stop_at = None);
    let names = segment_names(dir.path());
    let (reader, _) = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.segments().last().unwrap().first_seq, None);
    for _ in 0..100 {
        drop(fs.open(dir.path(), SMALL));
        assert_eq!(segment_names(dir.path()), names);
    }
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let next = append(&mut writer, &[history("goes on")]);
    assert_eq!(scan(&reader, ALL).last(), next.last());
}
