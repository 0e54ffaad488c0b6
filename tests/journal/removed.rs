//! Files that somebody removes under the running process.

use std::{fs, path::Path};

use monitor_backend::journal::{self, Error, Options, Retention, Writer};

use crate::{
    faults::{check, fill},
    faulty::Faulty,
    support::*,
};

fn open_again(dir: &Path) -> Result<Writer, Error> {
    let options = Options { dir: dir.to_owned(), segment_bytes: SMALL, keep: Retention::default() };
    journal::open(options).map(|(writer, _, _)| writer)
}

#[test]
fn a_sealed_segment_that_is_removed_leaves_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let mut written = fill(&mut writer);
    assert_eq!(writer.maintain(0), journal::Maintained::default(), "everything is in its place");
    let gone = reader.segments()[1].clone();
    let (first_seq, last_seq) = (gone.first_seq.unwrap(), gone.last_seq.unwrap());
    fs::remove_file(dir.path().join(&gone.name)).unwrap();
    let told = writer.maintain(0);
    assert!(told.retired.is_empty());
    assert_eq!(told.removed.len(), 1);
    let removed = &told.removed[0];
    assert_eq!((removed.segment.as_str(), removed.first_seq), (gone.name.as_str(), first_seq));
    assert_eq!(removed.last_seq, last_seq);
    written.extend(append(&mut writer, &[history("goes on")]));
    let living = living_after(&written);
    written.retain(|record| record.seq < first_seq || record.seq > last_seq);
    let check_rest = |reader: &journal::Reader| {
        assert_eq!(scan(reader, ALL), written);
        assert_eq!(living_at(reader, None), living);
        check_law(reader, written.len() as u64);
    };
    check_rest(&reader);
    assert_eq!(writer.maintain(0), journal::Maintained::default(), "told once");
    drop(writer);
    let (_writer, reader, recovery) = open(dir.path());
    let lost = &recovery.lost[0];
    assert_eq!((lost.first_seq, lost.last_seq, lost.durable), (first_seq, last_seq, true));
    check_rest(&reader);
}

/// The open segment's file is gone: what was synced in it went with it, the rest was written again.
fn check_open_removed(dir: &Path, remove: impl Fn(&Path), find_out: impl Fn(&mut Writer)) {
    let (mut writer, reader, _) = open(dir);
    let first = append(&mut writer, &[state(1, "lives"), state(2, "ends later"), history("goes")]);
    writer.sync().unwrap();
    let second = append(&mut writer, &[history("not durable"), end(2), state(3, "lives too")]);
    remove(dir);
    find_out(&mut writer);
    assert_eq!(reader.positions().durable_seq, 6, "written again and synced");
    let third = append(&mut writer, &[history("goes on")]);
    let all = [first, second, third].concat();
    let left = all[3..].to_vec();
    let check_left = |reader: &journal::Reader| {
        assert_eq!(scan(reader, ALL), left);
        assert_eq!(living_at(reader, None), living_after(&all));
        assert_eq!(reader.segments().len(), 1);
    };
    check_left(&reader);
    let is_locked = matches!(open_again(dir), Err(Error::Locked { .. }));
    assert!(is_locked, "nobody else can take the journal");
    drop(writer);
    let (_writer, reader, recovery) = open(dir);
    assert!(recovery.left_alone.is_empty(), "{recovery:?}");
    check_left(&reader);
}

fn maintain(writer: &mut Writer) {
    let told = writer.maintain(0).removed;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].first_seq, told[0].last_seq), (1, 3));
}

#[test]
fn an_open_segment_that_is_removed_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let remove = |dir: &Path| fs::remove_file(dir.join(&segment_names(dir)[0])).unwrap();
    check_open_removed(dir.path(), remove, maintain);
}

#[test]
fn an_open_segment_that_is_replaced_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let replace = |dir: &Path| {
        let path = dir.join(&segment_names(dir)[0]);
        fs::copy(&path, dir.join("copy")).unwrap();
        fs::rename(dir.join("copy"), &path).unwrap();
    };
    let (mut writer, reader, _) = open(dir.path());
    let mut written = append(&mut writer, &[state(1, "lives")]);
    replace(dir.path());
    assert_eq!(writer.maintain(0).removed.len(), 1);
    written.extend(append(&mut writer, &[history("not lost in a file without a name")]));
    check(&reader, &written);
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    check(&reader, &written);
}

#[test]
fn a_directory_that_is_removed_is_made_up_for() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    check_open_removed(&dir, |dir| fs::remove_dir_all(dir).unwrap(), maintain);
}

#[test]
fn a_directory_that_is_moved_away_is_made_up_for() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let away = parent.path().join("away");
    check_open_removed(&dir, |dir| fs::rename(dir, &away).unwrap(), maintain);
    let (_writer, reader, _) = open(&away);
    assert_eq!(reader.positions().last_seq, 6, "what was moved is a journal as well");
}

#[test]
fn a_directory_that_is_replaced_by_an_empty_one_is_made_up_for() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let away = parent.path().join("away");
    let replace = |dir: &Path| {
        fs::rename(dir, &away).unwrap();
        fs::create_dir(dir).unwrap();
    };
    check_open_removed(&dir, replace, maintain);
}

#[test]
fn an_append_that_finds_its_directory_removed_makes_up_for_it() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let (mut writer, reader, _) = open(&dir);
    let mut written = append(&mut writer, &[state(1, "lives")]);
    fs::remove_dir_all(&dir).unwrap();
    // The open segment takes some more, then the next one finds no directory.
    let started = writer.segments_started();
    while writer.segments_started() == started {
        written.extend(append(&mut writer, &[history(&"x".repeat(500))]));
    }
    assert_eq!(living_at(&reader, None), living_after(&written));
    let told = writer.maintain(0).removed;
    assert!(!told.is_empty());
    let left: Vec<Owned> =
        written.iter().filter(|r| r.seq >= reader.positions().first_seq).cloned().collect();
    assert!(!left.is_empty());
    drop(writer);
    let (_writer, reader, _) = open(&dir);
    assert_eq!(scan(&reader, ALL), left);
    assert_eq!(living_at(&reader, None), living_after(&written));
}

#[test]
fn a_directory_removed_before_the_first_append_is_made_up_for() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let (mut writer, _, _) = open(&dir);
    let mut written = append(&mut writer, &[state(1, "lives"), history("gone")]);
    drop(writer);
    let (mut writer, reader, _) = open(&dir);
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(writer.maintain(0).removed.len(), 1);
    written.extend(append(&mut writer, &[history("goes on")]));
    assert_eq!(scan(&reader, ALL), written[2..]);
    assert_eq!(living_at(&reader, None), living_after(&written));
}

#[test]
fn a_lock_that_is_removed_is_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let mut written = append(&mut writer, &[state(1, "lives")]);
    fs::remove_file(dir.path().join("LOCK")).unwrap();
    writer.maintain(0);
    assert!(matches!(open_again(dir.path()), Err(Error::Locked { .. })));
    written.extend(append(&mut writer, &[history("goes on")]));
    check(&reader, &written);
}

#[test]
fn a_lock_that_another_process_has_taken_ends_the_writing() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Retention { bytes_max: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = Faulty::new().open_keeping(dir.path(), SMALL, keep);
    let written = fill(&mut writer);
    fs::remove_file(dir.path().join("LOCK")).unwrap();
    let other = open_again(dir.path()).unwrap();
    assert_eq!(writer.maintain(0), journal::Maintained::default(), "it takes nothing away");
    let refused = writer.append(&[history("of two writers").as_new()]);
    assert!(matches!(refused, Err(Error::Ousted { .. })), "{refused:?}");
    drop(other);
    writer.maintain(0);
    assert!(writer.append(&[history("of two writers").as_new()]).is_err(), "it stays so");
    assert!(writer.wipe(&crate::faults::note(), &[]).is_err(), "for a wipe as well");
    check(&reader, &written);
}
