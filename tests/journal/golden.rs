//! Journals that earlier versions wrote, as they are in `tests/data`: read for ever, edited never.

use std::{
    fs,
    path::{Path, PathBuf},
};

use monitor_backend::journal::{Reader, WipeNote, Writer};

use crate::support::*;

/// The journal of format version 1.0: a wiped epoch before it, keyframes, ends, a segment that a
/// crash cut short and one that was closed.
const GOLDEN: &str = "tests/data/journal-1.0";

/// What was recorded before the wipe, so that numbers begin at 6.
const BEFORE: u64 = 5;

/// What stands in it.
fn events() -> Vec<Owned> {
    let event = |number: u64| {
        let record = match number % 4 {
            0 => Owned { class: 2, ..history(&format!("line {number}")) },
            1 => end(1 + number % 3),
            _ => state(1 + number % 5, &format!("state {number} {}", "x".repeat(180))),
        };
        Owned { seq: BEFORE + number, time_ns: 1_700_000_000_000_000_000 + number as i64, ..record }
    };
    (1..=70).map(event).collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN)
}

/// Records it once more, in a directory of its own.
fn record(dir: &Path) -> Writer {
    let (mut writer, _, _) = open(dir);
    append(&mut writer, &(0..BEFORE).map(|_| history("wiped")).collect::<Vec<_>>());
    let note = WipeNote { actor: "admin key".into(), reason: "golden".into(), time_ns: 7 };
    writer.wipe(&note, &[]).unwrap();
    let events = events();
    let (early, late) = events.split_at(50);
    early.chunks(3).for_each(|batch| drop(append(&mut writer, batch)));
    drop(writer);
    let (mut writer, _, _) = open(dir);
    late.chunks(3).for_each(|batch| drop(append(&mut writer, batch)));
    writer
}

fn check(reader: &Reader) {
    let events = events();
    assert_eq!(scan(reader, ALL), events);
    for to in (0..=events.len()).step_by(7) {
        let now = living_at(reader, Some(BEFORE + to as u64));
        assert_eq!(now, living_after(&events[..to]), "at {to}");
    }
    assert_eq!(reader.positions().epoch, 2);
    check_law(reader, events.len() as u64);
}

#[test]
fn the_golden_journal_is_read_as_it_was_written() {
    let (reader, recovery) = Reader::open(&golden()).unwrap();
    check(&reader);
    assert!(recovery.damaged.is_empty() && recovery.left_alone.is_empty(), "{recovery:?}");
    assert!(reader.segments().len() > 3);
}

#[test]
fn the_golden_journal_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    for name in segment_names(&golden()) {
        fs::copy(golden().join(&name), dir.path().join(&name)).unwrap();
    }
    let (mut writer, reader, _) = open(dir.path());
    check(&reader);
    let next = append(&mut writer, &[history("goes on")]);
    assert_eq!(scan(&reader, ALL).last(), next.last());
    for name in segment_names(&golden()) {
        let (ours, theirs) = (fs::read(dir.path().join(&name)), fs::read(golden().join(&name)));
        assert!(ours.unwrap() == theirs.unwrap(), "{name} was written to");
    }
}

#[test]
fn this_version_writes_what_the_golden_journal_holds() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path()).close().unwrap();
    check(&Reader::open(dir.path()).unwrap().0);
}
