//! Steps that fail, and steps that never come: full volumes, failed writes and syncs, and the end
//! of the process between any two operations.

use std::{io::ErrorKind, path::Path};

use monitor_backend::journal::{Error, NewRecord, Reader, Retention, WipeNote, Writer};

use crate::{
    faulty::{Faulty, Op},
    retention::check_left,
    support::*,
};

pub fn note() -> WipeNote {
    WipeNote { actor: "admin".into(), reason: "test".into(), time_ns: 9 }
}

/// Enough for a few segments, with something that lives through all of them.
pub fn fill(writer: &mut Writer) -> Vec<Owned> {
    let mut written = append(writer, &[state(1, "lives long")]);
    for round in 0..40 {
        let records = [state(2 + round % 3, &"x".repeat(200)), history(&"y".repeat(150))];
        written.extend(append(writer, &records));
    }
    written
}

/// What a scan gives is what was written, and so is the state.
pub fn check(reader: &Reader, written: &[Owned]) {
    assert_eq!(scan(reader, ALL), written);
    assert_eq!(scan_back(reader, ALL), written.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(living_at(reader, None), living_after(written));
    check_law(reader, written.len() as u64);
}

/// What the process had is what the next start finds, and nothing is missed.
fn check_next_start(writer: Writer, dir: &Path, written: &[Owned]) {
    drop(writer);
    let (_writer, reader, recovery) = open(dir);
    assert!(recovery.lost.is_empty(), "{recovery:?}");
    check(&reader, written);
}

#[test]
fn a_wipe_that_ends_at_any_step_is_done_or_not_begun() {
    for stop in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let fs = Faulty::new();
        let (mut writer, _, _) = fs.open(dir.path(), SMALL);
        let before = fill(&mut writer);
        let first = state(9, "first of the new epoch");
        let start = fs.steps();
        fs.set(|plan| plan.stop_at = Some(start + stop));
        let outcome = writer.wipe(&note(), &[first.as_new()]);
        let ended = fs.steps() <= start + stop;
        drop(writer);
        let (mut writer, reader, _) = open(dir.path());
        let epoch = reader.positions().epoch;
        let seq = before.len() as u64 + 1;
        let mut expected = if epoch == 1 { before } else { vec![Owned { seq, ..first }] };
        assert!(epoch == 2 || outcome.is_err(), "a wipe that was reported is there");
        check(&reader, &expected);
        if epoch == 2 {
            assert_eq!(segment_names(dir.path()).len(), 1, "the old epoch is unlinked");
        }
        expected.extend(append(&mut writer, &[history("goes on")]));
        check(&reader, &expected);
        if ended {
            assert_eq!(epoch, 2);
            assert!(stop > 5, "there were steps to stop at");
            return;
        }
    }
}

#[test]
fn a_process_that_ends_at_any_step_keeps_what_it_acknowledged() {
    let mut stop = 0;
    loop {
        let dir = tempfile::tempdir().unwrap();
        let fs = Faulty::new();
        let (mut writer, _, _) = fs.open(dir.path(), SMALL);
        let start = fs.steps();
        fs.set(|plan| plan.stop_at = Some(start + stop));
        let mut acknowledged = Vec::new();
        for round in 0..60u64 {
            let record = state(1 + round % 4, &format!("{round} {}", "x".repeat(300)));
            match writer.append(&[record.as_new()]) {
                Ok(appended) => acknowledged.push(Owned { seq: appended.first_seq, ..record }),
                Err(_) => break,
            }
            if round % 7 == 0 && writer.sync().is_err() {
                break;
            }
        }
        let ended = fs.steps() <= start + stop;
        drop(writer);
        let (_writer, reader, recovery) = open(dir.path());
        let found = scan(&reader, ALL);
        assert!(
            found.len() <= acknowledged.len() + 1,
            "at most the one under way is there as well"
        );
        assert_eq!(found[..acknowledged.len()], acknowledged, "stopped at {stop}");
        assert!(recovery.lost.is_empty() && recovery.left_alone.is_empty(), "{recovery:?}");
        check(&reader, &found);
        if ended {
            assert!(reader.segments().len() > 2, "there were rotations to stop in");
            return;
        }
        stop += 1;
    }
}

#[test]
fn a_failed_sync_writes_again_elsewhere_and_then_acknowledges() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = append(&mut writer, &[state(1, "synced"), state(2, "ends later")]);
    writer.sync().unwrap();
    let doubtful = [state(1, "in doubt"), end(2), history("also")];
    let batch: Vec<NewRecord<'_>> = doubtful.iter().map(Owned::as_new).collect();
    let places = writer.append(&batch).unwrap().places;
    written.extend(doubtful.iter().zip(3..).map(|(r, seq)| Owned { seq, ..r.clone() }));

    fs.fail(Op::Sync, ErrorKind::Other);
    let failed = writer.sync();
    assert!(matches!(failed, Err(Error::NotDurable { .. })), "{failed:?}");
    assert_eq!(reader.positions().durable_seq, 2);
    assert!(writer.append(&[history("refused").as_new()]).is_err());
    check(&reader, &written);

    fs.mend();
    assert_eq!(writer.sync().unwrap(), 5);
    assert_eq!(reader.positions().durable_seq, 5);
    // The kernel may have dropped the pages of the failed sync: they are zeros from now on.
    let failed_file = dir.path().join(&segment_names(dir.path())[0]);
    let synced_end = reader.segments()[0].bytes;
    let file = std::fs::File::options().write(true).open(failed_file).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0; 400], synced_end).unwrap();
    for (place, record) in places.iter().zip(&doubtful) {
        assert_eq!(place.payload(), record.payload, "a body in doubt is kept in memory");
    }
    check(&reader, &written);
    let backup = read_all(&reader.backup(5).unwrap());
    written.extend(append(&mut writer, &[state(3, "after")]));
    check(&reader, &written);
    check_next_start(writer, dir.path(), &written);
    assert!(read_all(&reader.backup(5).unwrap()) == backup, "what is in doubt is in no backup");
}

#[test]
fn a_failed_sync_at_the_start_writes_the_tail_again() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let mut written = append(&mut writer, &[state(1, "synced")]);
    writer.sync().unwrap();
    written.extend(append(&mut writer, &[state(2, "not synced")]));
    drop(writer);
    fs.fail(Op::Sync, ErrorKind::Other);
    fs.set(|plan| plan.boot_id = [8; 16]);
    let (mut writer, reader, recovery) = fs.open(dir.path(), SMALL);
    assert!(recovery.sync_failure.is_some() && recovery.leap.is_some());
    assert_eq!(reader.positions().durable_seq, 1);
    fs.mend();
    written.extend(append(&mut writer, &[state(3, "after")]));
    let seqs: Vec<u64> = written.iter().map(|r| r.seq).collect();
    assert_eq!(seqs, [1, 2, 3 + (1 << 20)]);
    check(&reader, &written);
    drop(writer);
    let (_writer, reader, _) = fs.open(dir.path(), SMALL);
    check(&reader, &written);
}

#[test]
fn a_failed_write_records_nothing_and_the_next_one_goes_on_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = append(&mut writer, &[state(1, "a")]);
    fs.fail(Op::Write, ErrorKind::StorageFull);
    // Half of these are written whole; they must never be seen.
    let ghosts: Vec<Owned> = (0..8).map(|_| history("ghost")).collect();
    let batch: Vec<NewRecord<'_>> = ghosts.iter().map(Owned::as_new).collect();
    let failed = writer.append(&batch).unwrap_err();
    assert!(failed.is_storage_full(), "{failed}");
    check(&reader, &written);
    assert!(writer.append(&batch).is_err(), "no segment can be started either");
    fs.mend();
    written.extend(append(&mut writer, &[state(2, "b")]));
    assert_eq!(written[1].seq, 2);
    check(&reader, &written);
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    check(&reader, &written);
}

#[test]
fn a_wipe_works_on_a_full_volume() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    fill(&mut writer);
    fs.fail(Op::Create, ErrorKind::StorageFull);
    let mut failed = Ok(());
    while failed.is_ok() {
        failed = writer.append(&[history(&"x".repeat(900)).as_new()]).map(drop);
    }
    assert!(failed.unwrap_err().is_storage_full());
    writer.wipe(&note(), &[]).unwrap();
    let positions = reader.positions();
    assert_eq!((positions.epoch, positions.first_seq), (2, positions.last_seq + 1));
    check(&reader, &[]);
    let written = append(&mut writer, &[history("there is room in the reserve")]);
    check(&reader, &written);
}

#[test]
fn without_a_reserve_the_oldest_segments_make_room_for_a_wipe() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let written = fill(&mut writer);
    drop(writer);
    fs.fail(Op::Create, ErrorKind::StorageFull);
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    assert!(writer.wipe(&note(), &[]).unwrap_err().is_storage_full());
    // Every segment but the newest went, and what is left is a journal.
    assert_eq!(segment_names(dir.path()).len(), 1);
    let left = scan(&reader, ALL);
    assert_eq!(left, written[written.len() - left.len()..]);
    assert_eq!(living_at(&reader, None), living_after(&written));
}

#[test]
fn without_maps_everything_works_from_memory() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    fs.set(|plan| plan.no_maps = true);
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = fill(&mut writer);
    check(&reader, &written);
    drop(writer);
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    check(&reader, &written);
    written.extend(append(&mut writer, &[history("goes on")]));
    check(&reader, &written);
}

#[test]
fn numbers_leap_after_a_crash_on_another_boot_alone() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let mut written = Vec::new();
    let mut run = |boot: u8, close: bool| {
        fs.set(|plan| plan.boot_id = [boot; 16]);
        let (mut writer, reader, recovery) = fs.open(dir.path(), SMALL);
        written.extend(append(&mut writer, &[state(1, "a"), history("b")]));
        check(&reader, &written);
        if close {
            writer.close().unwrap();
        }
        recovery.leap.map(|leap| leap.to - leap.from)
    };
    assert_eq!(run(1, false), None, "nothing was there");
    assert_eq!(run(1, true), None, "the page cache kept everything");
    assert_eq!(run(2, false), None, "the end was clean");
    assert_eq!(run(3, false), Some((1 << 20) + 1));
    assert_eq!(run(0, false), Some((1 << 20) + 1));
    assert_eq!(run(0, true), Some((1 << 20) + 1), "an unknown boot may be any");
}

#[test]
fn short_and_interrupted_writes_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    fs.set(|plan| plan.writes_are_short = true);
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let written = fill(&mut writer);
    writer.sync().unwrap();
    check(&reader, &written);
    drop(writer);
    let (_writer, reader, recovery) = open(dir.path());
    assert!(recovery.damaged.is_empty() && !recovery.torn_tail);
    check(&reader, &written);
}

#[test]
fn a_write_that_fails_once_is_made_good_in_a_new_segment() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = append(&mut writer, &[state(1, "a")]);
    fs.fail_times(Op::Write, ErrorKind::Other, 1);
    written.extend(append(&mut writer, &[state(2, "b"), history("c"), history("d")]));
    assert_eq!(reader.segments().len(), 2);
    check(&reader, &written);
    check_next_start(writer, dir.path(), &written);
}

#[test]
fn a_batch_that_was_refused_does_not_come_back_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let written = append(&mut writer, &[state(1, "a")]);
    let ghosts: Vec<Owned> = (0..8).map(|_| history("ghost")).collect();
    let batch: Vec<NewRecord<'_>> = ghosts.iter().map(Owned::as_new).collect();
    // Half of it is written each time: in the open segment, then behind a new keyframe.
    fs.fail_times(Op::Append, ErrorKind::Other, 2);
    writer.append(&batch).unwrap_err();
    assert_eq!(fs.failures_left(), 0);
    check(&reader, &written);
    drop(writer);
    let (mut writer, reader, recovery) = open(dir.path());
    assert!(recovery.lost.is_empty(), "{recovery:?}");
    check(&reader, &written);
    append(&mut writer, &[history("goes on")]);
}

#[test]
fn a_sync_that_finds_no_room_makes_some() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = fill(&mut writer);
    writer.sync().unwrap();
    written.extend(append(&mut writer, &[state(1, "in doubt")]));
    // As where blocks are found at the sync: it fails, and a new segment needs room that is taken.
    fs.fail_times(Op::Sync, ErrorKind::StorageFull, 1);
    fs.fail_times(Op::Create, ErrorKind::StorageFull, 2);
    assert_eq!(writer.sync().unwrap(), written.len() as u64);
    let told = writer.maintain(0).retired;
    assert_eq!(told.len(), 2);
    written.retain(|record| record.seq > told[1].last_seq);
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(place_text(&writer, 1), b"in doubt");
}

fn place_text(writer: &monitor_backend::journal::Writer, key: u64) -> Vec<u8> {
    writer.place_of(key).expect("it lives").payload().to_vec()
}

#[test]
fn a_read_only_volume_says_so_and_takes_records_when_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = fill(&mut writer);
    let all = [Op::Create, Op::Allocate, Op::Write, Op::Sync, Op::Rename, Op::Remove, Op::SyncDir];
    for op in all {
        fs.fail(op, ErrorKind::ReadOnlyFilesystem);
    }
    for _ in 0..3 {
        let refused = writer.append(&[history("refused").as_new()]).unwrap_err();
        assert!(refused.is_read_only() && !refused.is_storage_full(), "{refused}");
        assert_eq!(writer.maintain(0), monitor_backend::journal::Maintained::default());
    }
    let refused = writer.sync().unwrap_err();
    assert!(refused.is_read_only(), "{refused}");
    assert!(writer.wipe(&note(), &[]).unwrap_err().is_read_only());
    check(&reader, &written);
    fs.mend();
    written.extend(append(&mut writer, &[state(1, "again")]));
    assert_eq!(writer.sync().unwrap(), written.len() as u64);
    check(&reader, &written);
    check_next_start(writer, dir.path(), &written);
}

#[test]
fn a_wipe_that_was_refused_is_not_carried_out_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = fill(&mut writer);
    // The new epoch has its name, which can be neither made durable nor taken away.
    fs.fail(Op::SyncDir, ErrorKind::Other);
    fs.fail(Op::Remove, ErrorKind::Other);
    writer.wipe(&note(), &[]).unwrap_err();
    writer.append(&[history("would be wiped at the next start").as_new()]).unwrap_err();
    check(&reader, &written);
    fs.mend();
    written.extend(append(&mut writer, &[history("recorded")]));
    check(&reader, &written);
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    assert_eq!(reader.positions().epoch, 1);
    check(&reader, &written);
}

#[test]
fn whatever_fails_however_often_nothing_is_lost_or_made_up() {
    let ops = [Op::Create, Op::Allocate, Op::Write, Op::Append, Op::Sync, Op::Rename, Op::SyncDir];
    let kinds = [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::NotFound];
    for op in ops.into_iter().chain([Op::Remove]) {
        for (kind, times) in kinds.into_iter().flat_map(|kind| [2, u64::MAX].map(|n| (kind, n))) {
            check_failing(op, kind, times);
        }
    }
}

fn check_failing(op: Op, kind: ErrorKind, times: u64) {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let mut written = fill(&mut writer);
    fs.fail_times(op, kind, times);
    for round in 0..12 {
        let record = state(2 + round % 3, &format!("{round} {}", "x".repeat(900)));
        if let Ok(appended) = writer.append(&[record.as_new()]) {
            written.push(Owned { seq: appended.first_seq, ..record });
        }
        if round % 3 == 0 {
            // It may fail; what matters is what is there afterwards.
            let _: Result<_, Error> = writer.sync();
        }
        assert_eq!(writer.maintain(0).removed, []);
        check_left(&reader, &written);
    }
    fs.mend();
    written.extend(append(&mut writer, &[history("goes on")]));
    assert_eq!(writer.sync().unwrap(), written.len() as u64, "{op:?} {kind:?}");
    check_left(&reader, &written);
    drop(writer);
    let (_writer, reader, recovery) = open(dir.path());
    assert!(recovery.lost.is_empty() && recovery.left_alone.is_empty(), "{recovery:?}");
    check_left(&reader, &written);
}

#[test]
fn a_process_that_ends_at_any_step_of_a_busy_life_keeps_what_it_acknowledged() {
    // Beside appends: spares, retiring, a failed sync, a failed write.
    let keep = Retention { bytes_max: Some((1 << 20) + 4 * SMALL), ..Retention::default() };
    for stop in (0..).step_by(3) {
        let dir = tempfile::tempdir().unwrap();
        let fs = Faulty::new();
        let (mut writer, _, _) = fs.open_keeping(dir.path(), SMALL, keep.clone());
        let start = fs.steps();
        fs.set(|plan| plan.stop_at = Some(start + stop));
        let mut acknowledged = Vec::new();
        for round in 0..40u64 {
            match round {
                11 => fs.fail_times(Op::Sync, ErrorKind::Other, 1),
                23 => fs.fail_times(Op::Write, ErrorKind::Other, 1),
                _ => {}
            }
            let record = state(1 + round % 4, &format!("{round} {}", "x".repeat(600)));
            match writer.append(&[record.as_new()]) {
                Ok(appended) => acknowledged.push(Owned { seq: appended.first_seq, ..record }),
                Err(_) => break,
            }
            if round % 5 == 0 && writer.sync().is_err() {
                break;
            }
            writer.maintain(0);
        }
        let has_ended = fs.steps() <= start + stop;
        drop(writer);
        let (_writer, reader, recovery) = open(dir.path());
        // The write that fails may have left a header whose payload is not there.
        let is_under_way = |seq| seq > acknowledged.len() as u64;
        assert!(recovery.lost.iter().all(|lost| is_under_way(lost.first_seq)), "{recovery:?}");
        assert!(recovery.left_alone.is_empty(), "{recovery:?}");
        let found = scan(&reader, ALL);
        let first_seq = reader.positions().first_seq;
        acknowledged.retain(|record| record.seq >= first_seq);
        assert!(found.len() <= acknowledged.len() + 1, "at most the one under way is there too");
        assert_eq!(found[..acknowledged.len()], acknowledged, "stopped at {stop}");
        let mut living = living_at(&reader, Some(first_seq - 1));
        living.extend(living_after(&found));
        assert_eq!(living_at(&reader, None), living);
        if has_ended {
            assert!(first_seq > 1, "there was retiring to stop in");
            return;
        }
    }
}
