//! What goes and what stays: by bytes, age and free space, and when the volume is full.

use std::{io::ErrorKind, ops::ControlFlow, time::Duration};

use monitor_backend::journal::{
    Because, Error, Range, Reader, Retention, Retired, Writer, fs::Space,
};

use crate::{
    faults::{check, fill, note},
    faulty::{Faulty, Op},
    spare::{await_spare, plenty},
    support::*,
};

const HOUR_NS: i64 = 3_600_000_000_000;

/// What is left of the events after some were retired.
pub fn left(reader: &Reader, written: &[Owned]) -> Vec<Owned> {
    let first_seq = reader.positions().first_seq;
    written.iter().filter(|record| record.seq >= first_seq).cloned().collect()
}

/// What is left is a suffix of what was written, with all that lives.
pub fn check_left(reader: &Reader, written: &[Owned]) {
    let left = left(reader, written);
    assert_eq!(scan(reader, ALL), left);
    assert_eq!(living_at(reader, None), living_after(written));
    let verified = reader.verify().unwrap();
    assert!(verified.account.lost.is_empty(), "what was retired is not lost: {verified:?}");
}

fn check_told(retired: &[Retired], because: Because, first_seq: u64) {
    assert!(!retired.is_empty());
    let mut next = retired[0].first_seq;
    for segment in retired {
        assert_eq!((segment.first_seq, segment.because), (next, because), "{segment:?}");
        assert!(segment.bytes > 0);
        next = segment.last_seq + 1;
    }
    assert_eq!(next, first_seq, "the rest begins where they end");
}

#[test]
fn the_oldest_go_when_the_bytes_exceed_the_limit_and_what_lives_stays() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    // Reserve, spare and five segments.
    let bytes_max = Some((1 << 20) + 6 * SMALL);
    let keep = Retention { bytes_max, ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep.clone());
    let mut written = fill(&mut writer);
    // Kinds and keys that nothing else knows.
    let strange = Owned { kind: 0x7fff, ..state(99, "unknown to everybody") };
    written.extend(append(&mut writer, &[strange]));
    written.extend(fill(&mut writer));
    let before = reader.segments().len();

    let told = writer.maintain(0);
    assert!(told.removed.is_empty());
    check_told(&told.retired, Because::Bytes, reader.positions().first_seq);
    assert_eq!(told.retired.len() + reader.segments().len(), before);
    assert_eq!(segment_names(dir.path()).len(), reader.segments().len());
    let taken: u64 = segment_names(dir.path())
        .iter()
        .map(|name| std::fs::metadata(dir.path().join(name)).unwrap().len())
        .sum();
    assert!(taken <= 5 * SMALL, "{taken} bytes are left");
    check_left(&reader, &written);
    assert_eq!(writer.maintain(0).retired, [], "once is enough");

    drop(writer);
    let (_writer, reader, recovery) = fs.open_keeping(dir.path(), SMALL, keep);
    assert!(recovery.lost.is_empty() && recovery.left_alone.is_empty(), "{recovery:?}");
    assert_eq!(reader.positions().first_seq, told.retired.last().unwrap().last_seq + 1);
    check_left(&reader, &written);
}

#[test]
fn the_open_segment_stays_whatever_the_limits_say() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep =
        Retention { bytes_max: Some(0), age_max: Some(Duration::ZERO), free_min: Some(u64::MAX) };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep.clone());
    assert_eq!(writer.maintain(i64::MAX).retired, [], "there is nothing");
    let written = fill(&mut writer);
    writer.maintain(i64::MAX);
    assert_eq!(reader.segments().len(), 1);
    check_left(&reader, &written);
    drop(writer);
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    writer.maintain(i64::MAX);
    assert_eq!(reader.segments().len(), 1);
    check_left(&reader, &written);
}

#[test]
fn by_default_a_fifth_of_the_volume_stays_free() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let written = fill(&mut writer);
    let taken = |dir: &std::path::Path| SMALL * segment_names(dir).len() as u64;
    await_spare(&mut writer);
    // Four fifths and two segments.
    let reserve = 1 << 20;
    let free = (taken(dir.path()) + reserve + SMALL) / 4 - 2 * SMALL;
    fs.set(|plan| plan.space = Some(Space { total: 1 << 40, free }));
    let told = writer.maintain(0).retired;
    assert_eq!(told.len(), 2, "{told:?}");
    check_told(&told, Because::Bytes, reader.positions().first_seq);
    check_left(&reader, &written);
}

#[test]
fn a_volume_that_does_not_say_its_size_is_kept_by_bytes_and_age() {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    fs.set(|plan| plan.space_is_unknown = true);
    let (mut writer, reader, _) = fs.open(dir.path(), SMALL);
    let written = fill(&mut writer);
    assert_eq!(writer.allowed_bytes(), None);
    assert_eq!(writer.maintain(0).retired, []);
    check(&reader, &written);
    drop(writer);
    let keep = Retention { bytes_max: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    check_told(&writer.maintain(0).retired, Because::Bytes, reader.positions().first_seq);
    check_left(&reader, &written);
}

#[test]
fn the_oldest_go_when_the_volume_has_little_left() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep =
        Retention { bytes_max: Some(u64::MAX), free_min: Some(3 * SMALL), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let written = fill(&mut writer);
    fs.set(|plan| plan.space = Some(Space { total: 1 << 40, free: 2 * SMALL }));
    // One for what has to be free, and one for the spare that there is not.
    let told = writer.maintain(0).retired;
    assert_eq!(told.len(), 2, "{told:?}");
    check_told(&told, Because::Free, reader.positions().first_seq);
    check_left(&reader, &written);
}

#[test]
fn blocks_that_a_reader_still_holds_are_not_asked_for_twice() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep =
        Retention { bytes_max: Some(u64::MAX), free_min: Some(3 * SMALL), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let written = fill(&mut writer);
    await_spare(&mut writer);
    fs.set(|plan| plan.space = Some(Space { total: 1 << 40, free: 2 * SMALL }));
    let mut seqs = Vec::new();
    let scanned = reader.scan(ALL, &mut |record| {
        if record.seq == 1 {
            let told = writer.maintain(0).retired;
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!(writer.maintain(0).retired, [], "the scan holds what was retired");
        }
        seqs.push(record.seq);
        ControlFlow::Continue(())
    });
    scanned.unwrap();
    assert_eq!(seqs, (1..=written.len() as u64).collect::<Vec<_>>(), "the scan reads on");
    assert_eq!(writer.maintain(0).retired.len(), 1, "now they are free, and not enough");
}

/// One segment an hour, each with one event.
fn hourly(writer: &mut Writer, hours: std::ops::Range<i64>) -> Vec<Owned> {
    let mut written = Vec::new();
    for hour in hours {
        let text = format!("{hour} {}", "x".repeat(SMALL as usize - 4096 - 400));
        let record = Owned { time_ns: hour * HOUR_NS, ..history(&text) };
        written.extend(append(writer, &[record]));
    }
    written
}

fn keeping_hours(hours: u64) -> Retention {
    let age_max = Some(Duration::from_secs(hours * 3600));
    Retention { bytes_max: Some(u64::MAX), age_max, free_min: Some(0) }
}

#[test]
fn the_oldest_go_by_the_age_of_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keeping_hours(16));
    let written = hourly(&mut writer, 0..24);
    assert_eq!(reader.segments().len(), 24);
    let told = writer.maintain(23 * HOUR_NS).retired;
    // Hour 6 ended at hour 7, which is 16 hours ago.
    check_told(&told, Because::Age, 8);
    check_left(&reader, &written);
    assert_eq!(writer.maintain(24 * HOUR_NS - 1).retired, []);
    assert_eq!(writer.maintain(24 * HOUR_NS).retired.len(), 1);
}

#[test]
fn a_limit_that_was_lowered_is_reached_in_slices() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let written = hourly(&mut writer, 0..30);
    drop(writer);
    let keep = Retention { bytes_max: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let mut taken = Vec::new();
    while reader.segments().len() > 1 {
        let told = writer.maintain(0).retired;
        assert!((1..=8).contains(&told.len()), "{told:?}");
        taken.extend(told);
        check_told(&taken, Because::Bytes, reader.positions().first_seq);
        check_left(&reader, &written);
    }
    assert_eq!(taken.len(), 29);
}

#[test]
fn a_clock_that_is_set_makes_nothing_old() {
    const YEARS_NS: i64 = 10 * 365 * 24 * HOUR_NS;
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keeping_hours(40));
    let mut written = hourly(&mut writer, 0..24);
    for now in [YEARS_NS, i64::MAX, i64::MIN, -YEARS_NS, 23 * HOUR_NS] {
        assert_eq!(writer.maintain(now).retired, [], "at {now}");
    }
    // It stays wrong for a while, in what is recorded as well.
    for at in [YEARS_NS, i64::MIN, i64::MAX, 22 * HOUR_NS] {
        let text = "x".repeat(SMALL as usize - 4096 - 400);
        written.extend(append(&mut writer, &[Owned { time_ns: at, ..history(&text) }]));
        assert_eq!(writer.maintain(at).retired, [], "at {at}");
    }
    drop(writer);
    let (mut writer, reader_again, _) = fs.open_keeping(dir.path(), SMALL, keeping_hours(40));
    assert_eq!(writer.maintain(YEARS_NS).retired, [], "after a restart with a wrong clock");
    check(&reader_again, &written);
    drop(reader);
    // With the right time again, what is old goes.
    written.extend(hourly(&mut writer, 24..60));
    assert!(!writer.maintain(60 * HOUR_NS).retired.is_empty());
    check_left(&reader_again, &written);
}

#[test]
fn a_quiet_journal_grows_old_too() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keeping_hours(16));
    for hour in 0..100 {
        append(&mut writer, &[Owned { time_ns: hour * HOUR_NS, ..history("one an hour") }]);
        writer.maintain(hour * HOUR_NS);
        let mut oldest = i64::MAX;
        let range = Range { before: reader.positions().first_seq + 1, ..ALL };
        let scanned = reader.scan(range, &mut |record| {
            oldest = record.time_ns;
            ControlFlow::Break(())
        });
        scanned.unwrap();
        assert!(oldest >= (hour - 20) * HOUR_NS, "{} hours", hour - oldest / HOUR_NS);
    }
    assert!(reader.segments().len() < 12);
}

#[test]
fn a_full_volume_loses_its_oldest_segments_to_new_events() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep = Retention { bytes_max: Some(u64::MAX), free_min: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let mut written = fill(&mut writer);
    // Two segments' worth of allocations fail before there is room.
    fs.fail_times(Op::Allocate, ErrorKind::StorageFull, 2);
    while fs.failures_left() > 0 {
        written.extend(append(&mut writer, &[history(&"x".repeat(900))]));
    }
    check_left(&reader, &written);
    let told = writer.maintain(0).retired;
    assert_eq!(told.len(), 2);
    check_told(&told, Because::Full, reader.positions().first_seq);

    // With nothing left to retire the error says so, and what is there stays.
    fs.fail(Op::Allocate, ErrorKind::QuotaExceeded);
    let full = loop {
        match writer.append(&[history(&"y".repeat(900)).as_new()]) {
            Ok(appended) => {
                written.push(Owned { seq: appended.first_seq, ..history(&"y".repeat(900)) });
            }
            Err(error) => break error,
        }
    };
    assert!(full.is_storage_full() && !full.is_read_only(), "{full}");
    check_left(&reader, &written);
    fs.mend();
    written.extend(append(&mut writer, &[state(7, "there is room again")]));
    check_left(&reader, &written);
}

#[test]
fn a_volume_that_is_full_at_the_start_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep = Retention { bytes_max: Some(u64::MAX), free_min: Some(0), ..Retention::default() };
    let (mut writer, _, _) = fs.open_keeping(dir.path(), SMALL, keep.clone());
    let mut written = fill(&mut writer);
    drop(writer);
    fs.fail(Op::Create, ErrorKind::StorageFull);
    let (mut writer, reader, recovery) = fs.open_keeping(dir.path(), SMALL, keep);
    assert!(recovery.lost.is_empty());
    check(&reader, &written);
    // Two segments have to go.
    fs.mend();
    fs.fail_times(Op::Create, ErrorKind::StorageFull, 2);
    written.extend(append(&mut writer, &[history("recorded")]));
    check_left(&reader, &written);
    assert_eq!(writer.maintain(0).retired.len(), 2);
}

#[test]
fn a_volume_that_refuses_to_unlink_keeps_everything_in_sight() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep = Retention { bytes_max: Some(0), free_min: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let written = fill(&mut writer);
    fs.fail(Op::Remove, ErrorKind::ReadOnlyFilesystem);
    assert_eq!(writer.maintain(0).retired, []);
    check(&reader, &written);
}

#[test]
fn what_lives_is_not_retired_with_a_keyframe_that_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep = Retention { bytes_max: Some(0), free_min: Some(0), ..Retention::default() };
    let (mut writer, _, _) = fs.open(dir.path(), SMALL);
    let written = fill(&mut writer);
    drop(writer);
    let newest = dir.path().join(segment_names(dir.path()).last().unwrap());
    let mut bytes = std::fs::read(&newest).unwrap();
    bytes[4096 + 41] ^= 1;
    std::fs::write(&newest, bytes).unwrap();

    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    assert!(!writer.maintain(0).retired.is_empty());
    assert_eq!(reader.segments().len(), 2, "the newest whole keyframe and what follows it");
    assert_eq!(living_at(&reader, None), living_after(&written));
    append(&mut writer, &[history("begins a segment with a whole keyframe")]);
    writer.maintain(0);
    assert_eq!(reader.segments().len(), 1);
    assert_eq!(living_at(&reader, None), living_after(&written));
}

#[test]
fn a_process_that_ends_at_any_step_of_retiring_leaves_a_journal() {
    let keep = Retention { bytes_max: Some(0), free_min: Some(0), ..Retention::default() };
    for stop in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let fs = plenty();
        let (mut writer, _, _) = fs.open_keeping(dir.path(), SMALL, keep.clone());
        let written = fill(&mut writer);
        let start = fs.steps();
        fs.set(|plan| plan.stop_at = Some(start + stop));
        writer.maintain(0);
        let has_ended = fs.steps() <= start + stop;
        drop(writer);
        let (mut writer, reader, recovery) = open(dir.path());
        assert!(recovery.lost.is_empty() && recovery.left_alone.is_empty(), "{recovery:?}");
        check_left(&reader, &written);
        append(&mut writer, &[history("goes on")]);
        if has_ended {
            assert!(stop > 4, "there were steps to stop at");
            return;
        }
    }
}

#[test]
fn a_wipe_after_retiring_says_what_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let fs = plenty();
    let keep = Retention { bytes_max: Some(0), free_min: Some(0), ..Retention::default() };
    let (mut writer, reader, _) = fs.open_keeping(dir.path(), SMALL, keep);
    let written = fill(&mut writer);
    writer.maintain(0);
    writer.wipe(&note(), &[]).unwrap();
    assert_eq!(segment_names(dir.path()).len(), 1);
    assert_eq!(reader.positions().last_seq, written.len() as u64);
    let refused = reader.backup(written.len() as u64);
    assert!(matches!(refused, Err(Error::OutOfReach { .. }) | Ok(_)));
    check(&reader, &[]);
}
