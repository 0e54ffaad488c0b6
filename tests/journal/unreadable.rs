//! A volume that will not give what was written: bad sectors, files that somebody cut short while
//! they were mapped. The rest is read, what is missing is told, and no touch ends the process.
//!
//! A sector that fails under a map is played by cutting the file: the kernel answers both with the
//! same signal.

use std::fs::File;

use monitor_backend::journal::{NewRecord, Reader, Writer};

use crate::{faulty::Faulty, support::*};

const PAGE: u64 = 4096;

fn set_length(path: &std::path::Path, len: u64) {
    File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

/// A journal of one segment of many pages.
fn one_long_segment(dir: &std::path::Path) -> (Writer, Reader, Vec<Owned>) {
    let (mut writer, reader, _) = open_sized(dir, 1 << 20);
    let mut written = Vec::new();
    for round in 0..200u64 {
        let record = state(1 + round, &format!("{round} {}", "x".repeat(600)));
        written.extend(append(&mut writer, &[record]));
    }
    writer.sync().unwrap();
    (writer, reader, written)
}

#[test]
fn a_file_cut_short_under_its_map_costs_what_stood_behind_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader, written) = one_long_segment(dir.path());
    assert_eq!(scan(&reader, ALL), written);
    let (end, places) = (reader.segments()[0].bytes, places(&reader));
    let path = dir.path().join(&segment_names(dir.path())[0]);
    // The later cut first: every cut has to be noticed anew, also where all was read before.
    for cut in [20 * PAGE, 9 * PAGE + 100, 2 * PAGE] {
        set_length(&path, cut);
        let found = scan(&reader, ALL);
        assert!(!found.is_empty() && found.len() < written.len());
        assert_eq!(found, written[..found.len()]);
        assert_eq!(scan_back(&reader, ALL), found.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(living_at(&reader, None), living_after(&found));
        check_law(&reader, found.len() as u64);
    }
    let verification = reader.verify().unwrap();
    assert!(verification.damaged.iter().any(|damaged| damaged.offset >= 2 * PAGE - 1000));
    // A download keeps its length: its checksums say what it is worth.
    let download = reader.segment_file(&reader.segments()[0].name).unwrap();
    let bytes = read_all(&download);
    assert_eq!(bytes.len() as u64, end);
    assert!(bytes[2 * PAGE as usize..].iter().all(|byte| *byte == 0));
    // Bodies that views hold, and what the next keyframe restates.
    assert!(places.last().unwrap().payload().iter().all(|byte| *byte == 0));
}

fn places(reader: &Reader) -> Vec<monitor_backend::journal::Place> {
    let mut places = Vec::new();
    reader.replay(None, &mut |_, place| places.push(place)).unwrap();
    places
}

#[test]
fn a_place_is_asked_about_before_it_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, written) = one_long_segment(dir.path());
    let places = places(&reader);
    set_length(&dir.path().join(&segment_names(dir.path())[0]), 10 * PAGE);
    for (place, record) in places.iter().zip(&written) {
        let payload = place.payload();
        assert!(payload == record.payload || payload.last() == Some(&0));
    }
    // What comes next goes to a new segment, which restates what can still be read.
    let last = append(&mut writer, &[history("next")])[0].seq;
    assert_eq!(segment_names(dir.path()).len(), 2);
    let living = living_at(&reader, Some(last));
    assert!(living.len() > 20 && living.values().all(|record| written.contains(record)));
}

#[test]
fn a_file_that_was_cut_short_while_it_was_not_open_is_read_up_to_there() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, written) = one_long_segment(dir.path());
    drop((writer, reader));
    let path = dir.path().join(&segment_names(dir.path())[0]);
    set_length(&path, 12 * PAGE + 11);
    let (_writer, reader, recovery) = open(dir.path());
    let found = scan(&reader, ALL);
    assert_eq!(found, written[..found.len()]);
    assert!(recovery.torn_tail, "{recovery:?}");
    check_law(&reader, found.len() as u64);
}

#[test]
fn a_page_that_cannot_be_read_costs_the_records_in_it_and_is_no_damage_of_the_format() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let mut written = Vec::new();
    for round in 0..7 {
        written.extend(append(&mut writer, &[state(1 + round, &"x".repeat(400))]));
    }
    writer.sync().unwrap();
    drop(writer);
    // All that is read, the survey of the start and the copy in memory, reads around it.
    fs.set(|plan| (plan.unreadable, plan.no_maps) = (Some(5000..5001), true));
    let (_writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert_eq!(scan(&reader, ALL), [], "all seven stand in that page");
    assert_eq!(recovery.unreadable_bytes, PAGE);
    assert!(recovery.damaged.iter().any(|d| d.what.contains("the sector cannot be read")));

    let dir = tempfile::tempdir().unwrap();
    fs.set(|plan| plan.unreadable = None);
    let (mut writer, _, _) = fs.open(dir.path(), 1 << 20);
    let records: Vec<Owned> = (0..40).map(|key| state(1 + key, &"x".repeat(400))).collect();
    let batch: Vec<NewRecord<'_>> = records.iter().map(Owned::as_new).collect();
    writer.append(&batch).unwrap();
    drop(writer);
    fs.set(|plan| plan.unreadable = Some(9000..9001));
    let (_writer, reader, recovery) = fs.open(dir.path(), 1 << 20);
    let found = scan(&reader, ALL);
    assert!((29..=32).contains(&found.len()), "{}", found.len());
    assert_eq!(found.last().unwrap().seq, 40);
    assert_eq!(recovery.unreadable_bytes, PAGE);
    check_law(&reader, found.len() as u64);
}

#[test]
fn a_header_that_cannot_be_read_is_made_up_for_by_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let written = append(&mut writer, &[state(1, "a"), history("b")]);
    drop(writer);
    fs.set(|plan| (plan.unreadable, plan.no_maps) = (Some(0..1), true));
    let (mut writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert_eq!(scan(&reader, ALL), written);
    assert!(recovery.damaged.iter().any(|d| d.what.contains("header")), "{recovery:?}");
    fs.set(|plan| plan.unreadable = None);
    assert_eq!(append(&mut writer, &[history("c")]).len(), 1);
}
