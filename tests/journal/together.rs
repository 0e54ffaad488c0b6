//! Readers while the writer appends, rotates and wipes.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use monitor_backend::journal::{self, Error, Options, Range, Reader, Retention, WipeNote};

use crate::support::*;

/// Every record says its own number, so that a reader can tell a torn one.
fn payload(seq: u64) -> Vec<u8> {
    seq.to_le_bytes().repeat(1 + seq as usize % 40)
}

/// Follows the journal like a live feed: what comes after the cursor, again and again.
fn follow(reader: &Reader, done: &AtomicBool, last: u64) -> u64 {
    let (mut cursor, mut rounds) = (0, 0);
    while cursor < last {
        let is_done = done.load(Ordering::Acquire);
        let before = cursor;
        let range = Range { after: cursor, ..ALL };
        let scanned = reader.scan(range, &mut |record| {
            assert_eq!(record.seq, cursor + 1, "in order, without a hole");
            assert_eq!(record.payload, payload(record.seq));
            cursor = record.seq;
            ControlFlow::Continue(())
        });
        scanned.unwrap();
        let newest = reader.positions().last_seq;
        assert!(newest >= cursor, "what was fed was published");
        let mut first = None;
        let newest_first = reader.scan_back(Range { before: newest + 1, ..ALL }, &mut |record| {
            first = Some(record.seq);
            ControlFlow::Break(())
        });
        newest_first.unwrap();
        assert_eq!(first.unwrap_or(0), newest);
        rounds += 1;
        assert!(!is_done || cursor > before || cursor == last, "everything is there at the end");
    }
    rounds
}

#[test]
fn readers_see_every_event_once_and_in_order_while_it_is_appended() {
    const LAST: u64 = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open_sized(dir.path(), 128 << 10);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| follow(&reader, &done, LAST))).collect();
        let mut seq = 0;
        while seq < LAST {
            let batch: Vec<Owned> = (seq + 1..=(seq + 1 + seq % 90).min(LAST))
                .map(|seq| Owned { payload: payload(seq), ..state(1 + seq % 50, "") })
                .collect();
            seq = append(&mut writer, &batch).last().unwrap().seq;
            if seq % 7 == 0 {
                writer.sync().unwrap();
            }
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert!(reader.segments().len() > 10);
}

#[test]
fn a_reader_sees_the_old_epoch_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    append(&mut writer, &[state(1, "epoch 1")]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let living = living_at(&reader, None);
                let state = living.get(&1).expect("every epoch begins with its state");
                let seq = reader.positions().last_seq;
                assert!(state.payload.starts_with(b"epoch ") && state.seq <= seq);
            }
        });
        for epoch in 2..60 {
            let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 1 };
            let first = state(1, &format!("epoch {epoch}"));
            writer.wipe(&note, &[first.as_new()]).unwrap();
            assert_eq!(reader.positions().epoch, epoch);
        }
        done.store(true, Ordering::Release);
        watcher.join().unwrap();
    });
    assert_eq!(segment_names(dir.path()).len(), 1);
}

#[test]
fn a_directory_that_is_being_appended_to_can_be_read_from_outside() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    for round in 0..80 {
        append(&mut writer, &[state(1 + round % 5, &"x".repeat(200))]);
        let (outside, recovery) = Reader::open(dir.path()).unwrap();
        assert!(recovery.left_alone.is_empty() && recovery.lost.is_empty());
        assert_eq!(outside.positions().last_seq, reader.positions().last_seq);
        assert_eq!(living_at(&outside, None), living_at(&reader, None));
    }
}

#[test]
fn a_moment_is_found_by_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    assert_eq!(reader.seq_at(5), None);
    for seq in 1..=200 {
        append(&mut writer, &[Owned { time_ns: 10 * seq, ..history(&"x".repeat(150)) }]);
    }
    assert!(reader.segments().len() > 3);
    assert_eq!(reader.seq_at(9), None);
    for time in 10..2100 {
        assert_eq!(reader.seq_at(time), Some((time as u64 / 10).min(200)), "at {time}");
    }
}

/// Everything that a reader can ask, again and again; each answer is of one moment.
fn ask_everything(reader: &Reader, done: &AtomicBool, written: &AtomicU64) -> u64 {
    let mut rounds = 0;
    let mut before = (0, 0);
    while !done.load(Ordering::Acquire) {
        let positions = reader.positions();
        // Loaded after the positions: what they say was handed over before they were published.
        assert!(positions.last_seq <= written.load(Ordering::Acquire));
        assert!(positions.durable_seq <= positions.last_seq);
        assert!((positions.epoch, positions.last_seq) >= before, "{positions:?}");
        before = (positions.epoch, positions.last_seq);
        let mut last = None;
        let scanned = reader.scan(ALL, &mut |record| {
            assert!(last.is_none_or(|last| record.seq == last + 1), "without a hole");
            assert_eq!(record.payload, payload(record.seq));
            last = Some(record.seq);
            ControlFlow::Continue(())
        });
        scanned.unwrap();
        // What was asked for may be retired or wiped before it is answered.
        let middle = positions.first_seq.midpoint(positions.last_seq);
        let replayed = reader.replay(Some(middle), &mut |record, place| {
            assert!(place.payload() == payload(record.seq));
        });
        assert!(matches!(replayed, Ok(()) | Err(Error::OutOfReach { .. })), "{replayed:?}");
        match reader.backup(positions.durable_seq) {
            Ok(download) => assert_eq!(read_all(&download).len() as u64, download.len),
            Err(error) => assert!(matches!(error, Error::OutOfReach { .. }), "{error:?}"),
        }
        assert!(reader.segments().iter().all(|segment| segment.damaged == 0));
        rounds += 1;
    }
    rounds
}

#[test]
fn readers_hold_their_own_while_segments_are_filled_retired_and_wiped() {
    const BATCHES: u64 = 1500;
    let dir = tempfile::tempdir().unwrap();
    let keep = Retention { bytes_max: Some(200 << 10), free_min: Some(0), age_max: None };
    let options = Options { dir: dir.path().to_owned(), segment_bytes: 32 << 10, keep };
    let (mut writer, reader, _) = journal::open(options).unwrap();
    let (done, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut retired = 0;
    thread::scope(|scope| {
        let readers: Vec<_> =
            (0..3).map(|_| scope.spawn(|| ask_everything(&reader, &done, &written))).collect();
        let mut next = 1;
        for round in 0..BATCHES {
            let count = 1 + round % 13;
            written.store(next + count - 1, Ordering::Release);
            let batch: Vec<Owned> = (next..next + count)
                .map(|seq| Owned { payload: payload(seq), ..state(1 + seq % 20, "") })
                .collect();
            if round % 400 == 399 {
                let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 1 };
                let first: Vec<_> = batch.iter().map(Owned::as_new).collect();
                assert_eq!(writer.wipe(&note, &first).unwrap().first_seq, next);
            } else {
                append(&mut writer, &batch);
            }
            next += count;
            if round % 5 == 0 {
                assert_eq!(writer.sync().unwrap(), next - 1);
            }
            retired += writer.maintain(0).retired.len();
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            assert!(reader.join().unwrap() > 3);
        }
    });
    assert!(retired > 10, "{retired}");
}
