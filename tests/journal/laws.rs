//! The laws on random histories: appends, syncs, crashes, clean ends, other boots, failed syncs and
//! wipes in any order, against a model that is a plain list.

use std::{collections::BTreeMap, io::ErrorKind};

use monitor_backend::journal::{NewRecord, Range, Reader, WipeNote};
use proptest::prelude::*;

use crate::{
    faulty::{Faulty, Op},
    support::*,
};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Owned>),
    Sync,
    FailedSync,
    /// Something fails while this is appended; afterwards it works again.
    TroubledAppend(Op, Vec<Owned>),
    Crash {
        boot: u8,
    },
    Close {
        boot: u8,
    },
    Wipe(Vec<Owned>),
}

fn record() -> impl Strategy<Value = Owned> {
    let payload = (any::<u8>(), 1..600usize).prop_map(|(byte, len)| vec![byte; len]);
    (0..6u64, 0..4u8, payload, 0..1000i64).prop_map(|(key, choice, payload, time_ns)| {
        let class = payload[0] % 4;
        let record = match choice {
            _ if key == 0 => history(""),
            0 => history(""),
            1 => end(key),
            _ => state(key, ""),
        };
        Owned { payload, time_ns, key, class, ..record }
    })
}

fn records(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Owned>> {
    prop::collection::vec(record(), count)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => records(0..12).prop_map(Step::Append),
        2 => Just(Step::Sync),
        1 => Just(Step::FailedSync),
        2 => (trouble(), records(1..12)).prop_map(|(op, records)| Step::TroubledAppend(op, records)),
        1 => (1..3u8).prop_map(|boot| Step::Crash { boot }),
        1 => (1..3u8).prop_map(|boot| Step::Close { boot }),
        1 => records(0..3).prop_map(Step::Wipe),
    ]
}

fn trouble() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![
        Op::Create,
        Op::Allocate,
        Op::Write,
        Op::Sync,
        Op::Rename,
        Op::SyncDir,
    ])
}

/// Each history takes a few hundred file operations.
const CASES: u32 = 48;

/// The model: the events of this epoch, and where it began.
#[derive(Debug, Default)]
struct Model {
    events: Vec<Owned>,
    next_seq: u64,
    first_seq: u64,
    epoch: u64,
}

fn number(model: &mut Model, first_seq: u64, records: &[Owned]) {
    assert!(first_seq >= model.next_seq, "no number is given twice");
    model.events.extend(records.iter().zip(first_seq..).map(|(r, seq)| Owned { seq, ..r.clone() }));
    model.next_seq = first_seq + records.len() as u64;
}

fn run(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let fs = Faulty::new();
    fs.set(|plan| plan.boot_id = [1; 16]);
    let (mut writer, mut reader, _) = fs.open(dir.path(), SMALL);
    let mut model = Model { next_seq: 1, first_seq: 1, epoch: 1, ..Model::default() };
    for step in steps {
        match step {
            Step::Append(records) => {
                let batch: Vec<NewRecord<'_>> = records.iter().map(Owned::as_new).collect();
                let appended = writer.append(&batch).unwrap();
                // An empty batch is told the next number, but takes none.
                if !records.is_empty() {
                    number(&mut model, appended.first_seq, &records);
                }
            }
            Step::Sync => assert_eq!(writer.sync().unwrap(), reader.positions().last_seq),
            Step::FailedSync => {
                fs.fail(Op::Sync, ErrorKind::Other);
                let _ = writer.sync();
                fs.mend();
            }
            Step::TroubledAppend(op, records) => {
                fs.fail(op, ErrorKind::Other);
                let batch: Vec<NewRecord<'_>> = records.iter().map(Owned::as_new).collect();
                let appended = writer.append(&batch).map(|appended| appended.first_seq);
                fs.mend();
                if let Ok(first_seq) = appended {
                    number(&mut model, first_seq, &records);
                }
                // What a failed write left behind the end may be found by a crash that comes now;
                // it was neither acknowledged nor refused for good. The next append decides it.
                let next = [history("decides")];
                let first_seq = writer.append(&[next[0].as_new()]).unwrap().first_seq;
                number(&mut model, first_seq, &next);
            }
            Step::Crash { boot } => {
                drop(writer);
                fs.set(|plan| plan.boot_id = [boot; 16]);
                (writer, reader, _) = fs.open(dir.path(), SMALL);
            }
            Step::Close { boot } => {
                writer.close().unwrap();
                fs.set(|plan| plan.boot_id = [boot; 16]);
                (writer, reader, _) = fs.open(dir.path(), SMALL);
            }
            Step::Wipe(first) => {
                let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 5 };
                let batch: Vec<NewRecord<'_>> = first.iter().map(Owned::as_new).collect();
                let appended = writer.wipe(&note, &batch).unwrap();
                model.events.clear();
                number(&mut model, appended.first_seq, &first);
                model.first_seq = appended.first_seq;
                model.epoch += 1;
            }
        }
        check(&reader, &model);
    }
    writer.sync().unwrap();
    check_depth(&reader, &model, dir.path());
}

/// What costs little: after every step.
fn check(reader: &Reader, model: &Model) {
    let found = scan(reader, ALL);
    assert_eq!(found, model.events);
    assert!(found.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(living_at(reader, None), living_after(&model.events));
    let positions = reader.positions();
    assert_eq!(positions.epoch, model.epoch);
    if let Some(last) = model.events.last() {
        assert_eq!((positions.first_seq, positions.last_seq), (model.first_seq, last.seq));
    }
}

/// Every prefix, every segment alone, backwards, and the backup.
fn check_depth(reader: &Reader, model: &Model, dir: &std::path::Path) {
    check_law(reader, model.events.len() as u64);
    assert!(reader.verify().unwrap().damaged.is_empty());
    let backwards: Vec<Owned> = model.events.iter().rev().cloned().collect();
    assert_eq!(scan_back(reader, ALL), backwards);
    for (count, event) in model.events.iter().enumerate() {
        let prefix = &model.events[..=count];
        assert_eq!(living_at(reader, Some(event.seq)), living_after(prefix));
        let range = Range { before: event.seq, after: event.seq.saturating_sub(4), ..ALL };
        let expected: Vec<Owned> = model
            .events
            .iter()
            .filter(|e| e.seq > range.after && e.seq < range.before)
            .cloned()
            .collect();
        assert_eq!(scan(reader, range), expected);
        assert_eq!(scan_back(reader, range), expected.into_iter().rev().collect::<Vec<_>>());
    }
    for class in 0..4 {
        let range = Range { classes: &[class], ..ALL };
        let expected: Vec<Owned> =
            model.events.iter().filter(|event| event.class == class).cloned().collect();
        assert_eq!(scan(reader, range), expected);
    }
    for segment in reader.segments() {
        // Alone, a segment cannot know that what a failed write left behind its end counts for
        // nothing: its successor says so.
        let Some(last) = segment.last_seq else { continue };
        let (alone, _) = Reader::open(&dir.join(&segment.name)).unwrap();
        let events = model.events.iter().filter(|event| event.seq <= last);
        let expected: BTreeMap<u64, Owned> = living_after(events);
        assert_eq!(living_at(&alone, Some(last)), expected, "{} alone", segment.name);
    }
    let to = model.events.get(model.events.len() / 2).map_or(0, |event| event.seq);
    if to >= reader.positions().first_seq {
        let copy = open_backup(reader, to);
        let expected: Vec<Owned> =
            model.events.iter().filter(|event| event.seq <= to).cloned().collect();
        assert_eq!(scan(&copy, ALL), expected);
        assert_eq!(living_at(&copy, None), living_after(&expected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_appended_is_what_is_read(steps in prop::collection::vec(step(), 1..40)) {
        run(steps);
    }
}
