//! Backups: whole, in ranges, cut off, unpacked, and taken while the journal moves on.

use std::{fs, io::Read, path::Path};

use monitor_backend::journal::{Error, Reader, Retention, WipeNote, Writer};

use crate::{faults::fill, faulty::Faulty, support::*};

/// A journal of several segments, synced.
fn filled(dir: &Path) -> (Writer, Reader, Vec<Owned>) {
    let (mut writer, reader, _) = open(dir);
    let mut written = append(&mut writer, &[state(1, "lives long")]);
    for round in 0..60 {
        let records = [state(2 + round % 4, &"x".repeat(200)), history(&"y".repeat(150))];
        written.extend(append(&mut writer, &records));
    }
    writer.sync().unwrap();
    (writer, reader, written)
}

fn stored(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    // The name says nothing: the bytes do.
    let path = dir.path().join("download (1)");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

#[test]
fn a_backup_answers_like_the_journal_at_that_moment() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader, written) = filled(dir.path());
    for to in [1, 2, 37, 80, written.len() as u64] {
        let copy = open_backup(&reader, to);
        let prefix = &written[..to as usize];
        assert_eq!(scan(&copy, ALL), prefix);
        assert_eq!(living_at(&copy, None), living_after(prefix));
        let (ours, its) = (reader.positions(), copy.positions());
        assert_eq!((its.journal_id, its.epoch), (ours.journal_id, ours.epoch));
        assert_eq!((its.first_seq, its.last_seq, its.durable_seq), (1, to, to));
    }
}

#[test]
fn any_tar_reads_it_and_the_checksums_hold() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader, written) = filled(dir.path());
    let bytes = read_all(&reader.backup(written.len() as u64).unwrap());
    let (mut sums, mut files) = (String::new(), Vec::new());
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let name = path.strip_prefix("monitor-backend-journal").unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if name == "CHECKSUMS" {
            sums = String::from_utf8(content).unwrap();
        } else {
            files.push((name, content));
        }
    }
    let line = |(name, content): &(String, Vec<u8>)| {
        format!("{:08x} {:>20} {name}\n", crc32fast::hash(content), content.len())
    };
    assert_eq!(sums, files.iter().map(line).collect::<String>());
    assert_eq!(files.iter().map(|f| f.0.clone()).collect::<Vec<_>>(), segment_names(dir.path()));

    // Unpacked it is a journal, to read and to go on with.
    let unpacked = tempfile::tempdir().unwrap();
    for (name, content) in &files {
        fs::write(unpacked.path().join(name), content).unwrap();
    }
    let (copy, _) = Reader::open(unpacked.path()).unwrap();
    assert_eq!(scan(&copy, ALL), written);
    assert!(!unpacked.path().join("LOCK").exists(), "reading takes no lock");
    let (mut writer, reader, _) = open(unpacked.path());
    append(&mut writer, &[history("goes on")]);
    assert_eq!(scan(&reader, ALL).len(), written.len() + 1);
}

#[test]
fn ranges_are_parts_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader, written) = filled(dir.path());
    let download = reader.backup(written.len() as u64).unwrap();
    let whole = read_all(&download);
    for offset in (0..=whole.len()).step_by(509) {
        for len in [1, 512, 70_000] {
            let mut piece = vec![0xaa; len];
            let count = download.read_at(offset as u64, &mut piece);
            assert_eq!(count, len.min(whole.len() - offset));
            assert_eq!(piece[..count], whole[offset..offset + count]);
        }
    }
    assert_eq!(download.read_at(download.len + 5, &mut [0; 8]), 0);
}

#[test]
fn its_bytes_do_not_depend_on_when_it_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, written) = filled(dir.path());
    let all = written.len() as u64;
    let taken: Vec<_> = [1, 40, all].map(|to| (to, reader.backup(to).unwrap())).into();
    let before: Vec<_> = taken.iter().map(|(_, download)| read_all(download)).collect();
    filled_more(&mut writer);
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    for ((to, download), before) in taken.iter().zip(&before) {
        let again = reader.backup(*to).unwrap();
        assert_eq!((&again.etag, &again.name), (&download.etag, &download.name));
        assert!(read_all(&again) == *before, "up to {to}");
    }
    let etags: std::collections::BTreeSet<_> = taken.iter().map(|(_, d)| &d.etag).collect();
    assert_eq!(etags.len(), 3);
}

fn filled_more(writer: &mut Writer) {
    for _ in 0..60 {
        append(writer, &[history(&"z".repeat(300))]);
    }
    writer.sync().unwrap();
}

#[test]
fn a_wipe_does_no_harm_to_a_download_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, written) = filled(dir.path());
    let to = written.len() as u64;
    let download = reader.backup(to).unwrap();
    let segment = reader.segment_file(&segment_names(dir.path())[0]).unwrap();
    let (whole, first) = (read_all(&download), read_all(&segment));
    let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 1 };
    writer.wipe(&note, &[]).unwrap();
    assert!(read_all(&download) == whole && read_all(&segment) == first);
    assert!(matches!(reader.backup(to - 1), Err(Error::OutOfReach { .. })));
    assert_ne!(reader.backup(to).unwrap().etag, download.etag);
}

#[test]
fn the_last_event_before_a_wipe_has_no_backup_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, written) = filled(dir.path());
    let to = written.len() as u64;
    let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 1 };
    writer.wipe(&note, &[history("wiped").as_new()]).unwrap();
    let positions = reader.positions();
    assert_eq!((positions.first_seq, positions.durable_seq), (to + 1, to + 1));
    assert!(matches!(reader.backup(to), Err(Error::OutOfReach { .. })));
    assert_eq!(scan(&open_backup(&reader, to + 1), ALL).len(), 1);
}

#[test]
fn retention_does_no_harm_to_a_download_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let keep = Retention { bytes_max: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let written = fill(&mut writer);
    writer.sync().unwrap();
    let to = written.len() as u64;
    let download = reader.backup(to).unwrap();
    let whole = read_all(&download);
    assert!(writer.maintain(0).retired.len() > 2);
    assert!(read_all(&download) == whole);
    let later = reader.backup(to).unwrap();
    assert!(later.len < whole.len() as u64);
    assert_ne!(later.etag, download.etag);
}

#[test]
fn a_download_that_broke_off_gives_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader, written) = filled(dir.path());
    let whole = read_all(&reader.backup(written.len() as u64).unwrap());
    let (_kept, path) = stored(&whole[..whole.len() / 2]);
    let (copy, _) = Reader::open(&path).unwrap();
    let found = scan(&copy, ALL);
    assert!(found.len() > 20 && found.len() < written.len());
    assert_eq!(found, written[..found.len()]);
}

#[test]
fn one_segment_is_its_recorded_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, reader, _) = filled(dir.path());
    for info in reader.segments() {
        let download = reader.segment_file(&info.name).unwrap();
        let file = fs::read(dir.path().join(&info.name)).unwrap();
        assert_eq!(download.len, info.bytes);
        assert!(read_all(&download) == file[..info.bytes as usize]);
        assert!(file[info.bytes as usize..].iter().all(|byte| *byte == 0));
    }
    assert!(reader.segment_file("../LOCK").is_none());
}

#[test]
fn what_is_not_durable_yet_is_not_given_away() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    assert_eq!(read_all(&reader.backup(0).unwrap()).len() % 512, 0);
    append(&mut writer, &[history("written")]);
    assert!(matches!(reader.backup(1), Err(Error::OutOfReach { seq: 1, last: 0, .. })));
    writer.sync().unwrap();
    assert_eq!(scan(&open_backup(&reader, 1), ALL).len(), 1);
}

#[test]
fn what_is_no_journal_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let check = |path: &Path| match Reader::open(path) {
        Err(error @ (Error::NoJournal { .. } | Error::Io { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(check(dir.path()).contains("it is empty"));
    assert!(check(&dir.path().join("absent")).contains("opening"));
    let (_kept, path) = stored(b"not a journal");
    assert!(check(&path).contains("no header"));
}
