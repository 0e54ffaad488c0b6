//! Append, read, close, open again.

use std::ops::ControlFlow;

use monitor_backend::journal::{
    self, EVENT_KIND_MIN, Error, Options, PAYLOAD_BYTES_MAX, Range, Reader, WipeNote,
};

use crate::support::*;

#[test]
fn what_was_appended_is_read_in_order_and_backwards() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, recovery) = open(dir.path());
    assert_eq!((recovery.segments, recovery.leap), (0, None));
    let mut written = append(&mut writer, &[history("one"), state(7, "a")]);
    written.extend(append(&mut writer, &[state(8, "b"), state(7, "c"), end(8)]));
    assert_eq!(written.iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(scan(&reader, ALL), written);
    let backwards: Vec<Owned> = written.iter().rev().cloned().collect();
    assert_eq!(scan_back(&reader, ALL), backwards);
    assert_eq!(living_at(&reader, None), living_after(&written));
    assert_eq!(reader.positions().durable_seq, 0);
    assert_eq!(writer.sync().unwrap(), 5);
    assert_eq!(reader.positions().durable_seq, 5);
}

#[test]
fn ranges_kinds_and_keys_filter() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let written = append(&mut writer, &[history("1"), state(7, "2"), state(8, "3"), history("4")]);
    let seqs = |range: Range<'_>| scan(&reader, range).iter().map(|r| r.seq).collect::<Vec<_>>();
    assert_eq!(seqs(Range { after: 1, before: 4, ..ALL }), [2, 3]);
    assert_eq!(seqs(Range { kinds: &[written[0].kind], ..ALL }), [1, 4]);
    assert_eq!(seqs(Range { key: Some(8), ..ALL }), [3]);
    assert!(seqs(Range { after: 4, ..ALL }).is_empty());
    let back = scan_back(&reader, Range { after: 1, before: 4, ..ALL });
    assert_eq!(back.iter().map(|r| r.seq).collect::<Vec<_>>(), [3, 2]);
    let mut first = None;
    let stopped = reader.scan_back(ALL, &mut |record| {
        first = Some(record.seq);
        ControlFlow::Break(())
    });
    stopped.unwrap();
    assert_eq!(first, Some(4));
}

#[test]
fn everything_is_there_after_close_and_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _, _) = open(dir.path());
    let mut written = append(&mut writer, &[history("one"), state(7, "a")]);
    writer.close().unwrap();
    let (mut writer, reader, recovery) = open(dir.path());
    assert_eq!((recovery.lost.len(), recovery.damaged.len(), recovery.leap), (0, 0, None));
    assert_eq!(scan(&reader, ALL), written);
    written.extend(append(&mut writer, &[state(8, "b"), end(7)]));
    // Dropped without a close, as by kill -9: what was written is in the page cache.
    drop(writer);
    let (_writer, reader, recovery) = open(dir.path());
    assert_eq!((recovery.segments, recovery.torn_tail, recovery.leap), (2, false, None));
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(living_at(&reader, None), living_after(&written));
    for to in 1..=4 {
        assert_eq!(living_at(&reader, Some(to)), living_after(&written[..to as usize]));
    }
}

#[test]
fn rotation_keeps_what_lives() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let mut written = append(&mut writer, &[state(1, "oldest"), state(2, "ended")]);
    for round in 0..200 {
        let records = [state(3 + round % 5, &"x".repeat(100)), history(&"y".repeat(50))];
        written.extend(append(&mut writer, &records));
        if round == 100 {
            written.extend(append(&mut writer, &[end(2)]));
        }
    }
    let segments = reader.segments();
    assert!(segments.len() > 4, "{segments:?}");
    assert_eq!(segments.iter().filter(|s| s.sealed).count(), segments.len() - 1);
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(scan_back(&reader, ALL), written.iter().rev().cloned().collect::<Vec<_>>());
    for to in (1..=written.len()).step_by(17) {
        let now = living_at(&reader, Some(to as u64));
        assert_eq!(now, living_after(&written[..to]), "at {to}");
    }
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    assert_eq!(living_at(&reader, None), living_after(&written));
}

#[test]
fn what_cannot_be_recorded_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let huge = vec![0; PAYLOAD_BYTES_MAX + 1];
    let bad = [
        Owned { payload: Vec::new(), ..history("") },
        Owned { payload: huge, ..history("") },
        Owned { kind: EVENT_KIND_MIN - 1, ..history("x") },
        Owned { key: 0, ..state(1, "x") },
        Owned { flags: 4, ..history("x") },
    ];
    for record in &bad {
        let refused = writer.append(&[history("good").as_new(), record.as_new()]);
        assert!(matches!(refused, Err(Error::Refused { index: 1, .. })), "{refused:?}");
    }
    assert_eq!(scan(&reader, ALL), []);
    let largest = Owned { payload: vec![7; PAYLOAD_BYTES_MAX], ..history("") };
    let written = append(&mut writer, &[largest]);
    assert_eq!((written[0].seq, scan(&reader, ALL)), (1, written));
}

#[test]
fn a_second_writer_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        dir: dir.path().to_owned(),
        segment_bytes: SMALL,
        keep: journal::Retention::default(),
    };
    let (writer, _, _) = open(dir.path());
    assert!(matches!(journal::open(options.clone()), Err(Error::Locked { .. })));
    drop(writer);
    assert!(journal::open(options).is_ok());
}

#[test]
fn a_wipe_empties_and_says_so_and_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    append(&mut writer, &[state(1, "a"), history("b")]);
    let note = WipeNote { actor: "admin".into(), reason: "test".into(), time_ns: 5 };
    let first = state(9, "first");
    let appended = writer.wipe(&note, &[first.as_new()]).unwrap();
    assert_eq!(appended.first_seq, 3);
    assert_eq!(appended.places.get(0).unwrap().payload(), b"first");
    let written = vec![Owned { seq: 3, ..first }];
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(living_at(&reader, None), living_after(&written));
    let positions = reader.positions();
    assert_eq!((positions.epoch, positions.first_seq, positions.durable_seq), (2, 3, 3));
    assert_eq!(segment_names(dir.path()).len(), 1);
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(reader.positions().epoch, 2);
}

#[test]
fn a_backup_replays_like_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let mut written = Vec::new();
    for round in 0..150 {
        written
            .extend(append(&mut writer, &[state(1 + round % 7, &"x".repeat(90 + round as usize))]));
    }
    writer.sync().unwrap();
    let to = 120;
    let download = reader.backup(to).unwrap();
    let mut bytes = vec![0; download.len as usize];
    assert_eq!(download.read_at(0, &mut bytes), bytes.len());
    let path = dir.path().join("copy.tar");
    std::fs::write(&path, &bytes).unwrap();
    let (copy, recovery) = Reader::open(&path).unwrap();
    assert_eq!((recovery.damaged.len(), recovery.lost.len()), (0, 0));
    assert_eq!(scan(&copy, ALL), written[..to as usize]);
    assert_eq!(living_at(&copy, None), living_at(&reader, Some(to)));
}

#[test]
fn a_state_that_outgrows_the_segments_is_not_restated_for_every_batch() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let mut written = Vec::new();
    for round in 0..1000u64 {
        written.extend(append(&mut writer, &[state(1 + round % 200, &"x".repeat(300))]));
    }
    check_law(&reader, 1000);
    assert_eq!(living_at(&reader, None), living_after(&written));
    // 200 keys of 344 bytes: a segment has room for five times that.
    let bytes = reader.positions().bytes;
    assert!(bytes < 2 * 1000 * 344, "{bytes} bytes for {} of events", 1000 * 344);
    let largest = dir.path().join(segment_names(dir.path()).last().unwrap());
    assert!(std::fs::metadata(largest).unwrap().len() > 5 * 200 * 344);
}
