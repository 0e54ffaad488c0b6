//! The index: what a query passes over, what it must not pass over, and where it goes on when its
//! time is over. A damaged header is the witness: it is noted only by those who look at it.

use std::{ops::ControlFlow, time::Instant};

use monitor_backend::journal::{Range, Reader, Text, Writer};
use proptest::prelude::*;

use crate::support::*;

/// A segment of some blocks.
const SEGMENT: u64 = 2 << 20;

/// Payload bytes that fill a block with a few records.
const LARGE: usize = 40_000;

fn padded(text: &str, len: usize) -> Vec<u8> {
    let mut payload = text.as_bytes().to_vec();
    payload.resize(len, b'.');
    payload
}

/// A sealed segment of four runs of records, each of some blocks: kinds 1 to 4, classes and keys
/// alike, and a text of their own.
fn four_runs(writer: &mut Writer) -> Vec<Owned> {
    let mut written = Vec::new();
    for n in 1..=4u8 {
        for _ in 0..12 {
            let record = Owned {
                kind: 0x0100 + u16::from(n),
                class: n,
                key: 1000 + u64::from(n),
                time_ns: i64::from(n) * 100,
                payload: padded(&format!("Text {n}"), LARGE),
                ..history("")
            };
            written.extend(append(writer, &[record]));
        }
    }
    written
}

/// The four runs in a sealed segment, and another behind it: a start reads the newest one whole,
/// and would note what is damaged in it.
fn sealed_and_followed(dir: &std::path::Path) -> Vec<Owned> {
    let (mut writer, _, _) = open_sized(dir, SEGMENT);
    let mut written = four_runs(&mut writer);
    writer.close().unwrap();
    let (mut writer, _, _) = open_sized(dir, SEGMENT);
    written.extend(append(&mut writer, &[history("newest")]));
    written
}

/// Breaks the header of one record of each run, within a block of that run alone, and opens the journal again.
fn with_broken_headers(dir: &std::path::Path, written: &[Owned]) -> Reader {
    let path = dir.join(&segment_names(dir)[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    for n in [3, 17, 30, 45] {
        let seq = written[n].seq.to_le_bytes();
        let is_its_header = |&at: &usize| {
            bytes[at + 16..at + 24] == seq
                && bytes[at + 12..at + 14] == written[n].kind.to_le_bytes()
        };
        let at = (4096..bytes.len() - 40).step_by(8).find(is_its_header).expect("it is in there");
        bytes[at] ^= 0xff;
    }
    std::fs::write(&path, bytes).unwrap();
    Reader::open(dir).unwrap().0
}

/// How many damaged places a query met, and what it found.
fn met(dir: &std::path::Path, written: &[Owned], range: Range<'_>) -> (u64, Vec<u64>) {
    let reader = with_broken_headers(dir, written);
    let before = reader.segments()[0].damaged;
    let found: Vec<u64> = scan(&reader, range).iter().map(|r| r.seq).collect();
    let damaged = reader.segments()[0].damaged - before;
    let mut back: Vec<u64> = scan_back(&reader, range).iter().map(|r| r.seq).collect();
    back.reverse();
    assert_eq!(found, back);
    (damaged, found)
}

#[test]
fn blocks_that_cannot_hold_what_is_wanted_are_not_looked_at() {
    let third = |range: Range<'_>| {
        let dir = tempfile::tempdir().unwrap();
        let written = sealed_and_followed(dir.path());
        let (damaged, found) = met(dir.path(), &written, range);
        assert_eq!(found, (25..=36).filter(|seq| *seq != 31).collect::<Vec<_>>(), "{range:?}");
        damaged
    };
    assert_eq!(third(Range { kinds: &[0x0103], ..ALL }), 1);
    assert_eq!(third(Range { classes: &[3], ..ALL }), 1);
    assert_eq!(third(Range { key: Some(1003), ..ALL }), 1);
    assert_eq!(third(Range { after: 24, before: 37, ..ALL }), 1);
    // A text is looked for everywhere, but records are told apart only where it stands.
    let text = Text::new("tEXT 3").unwrap();
    assert_eq!(third(Range { text: Some(&text), ..ALL }), 1);
    assert_eq!(third(Range { text: Some(&text), kinds: &[0x0103, 0x0104], ..ALL }), 1);
}

#[test]
fn a_text_that_is_not_there_looks_at_no_header() {
    let dir = tempfile::tempdir().unwrap();
    let written = sealed_and_followed(dir.path());
    let text = Text::new("Text 5").unwrap();
    assert_eq!(met(dir.path(), &written, Range { text: Some(&text), ..ALL }), (0, vec![]));
    assert_eq!(met(dir.path(), &written, Range { kinds: &[0x0109], ..ALL }), (0, vec![]));
    let (damaged, found) = met(dir.path(), &written, ALL);
    assert_eq!((damaged, found.len()), (4, 45));
}

#[test]
fn a_past_moment_passes_over_what_is_history_alone() {
    let dir = tempfile::tempdir().unwrap();
    let written = sealed_and_followed(dir.path());
    let reader = with_broken_headers(dir.path(), &written);
    let before = reader.segments()[0].damaged;
    assert_eq!(living_at(&reader, Some(40)), living_after([]));
    assert_eq!(reader.segments()[0].damaged, before);
}

#[test]
fn a_damaged_index_is_reported_and_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _, _) = open_sized(dir.path(), SEGMENT);
    let written = four_runs(&mut writer);
    writer.close().unwrap();
    let path = dir.path().join(&segment_names(dir.path())[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    // The seal is 80 bytes; the filter of the last block stands before it.
    bytes[end - 200] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (reader, _) = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.verify().unwrap().damaged.len(), 1);
    for kind in 0x0101..=0x0104 {
        let expected: Vec<Owned> = written.iter().filter(|r| r.kind == kind).cloned().collect();
        assert_eq!(scan(&reader, Range { kinds: &[kind], ..ALL }), expected);
    }
    check_law(&reader, written.len() as u64);
}

#[test]
fn a_text_is_found_in_payloads_alone_and_in_each_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    // The key's bytes are the text; one payload ends with half of it, and one has it twice.
    let in_header = Owned { key: u64::from_le_bytes(*b"needle! "), ..history("nothing") };
    let records =
        [in_header, history("a nee"), history("dle"), history("NEEDLE, needle"), history("needle")];
    append(&mut writer, &records);
    let text = Text::new("Needle").unwrap();
    let found = scan(&reader, Range { text: Some(&text), ..ALL });
    assert_eq!(found.iter().map(|r| r.seq).collect::<Vec<_>>(), [4, 5]);
    let zeros = Text::new("\0\0").unwrap();
    assert_eq!(scan(&reader, Range { text: Some(&zeros), ..ALL }), [], "padding is no payload");
}

/// Goes on until there is nothing more, as one who has no time at all.
fn in_no_time(reader: &Reader, range: Range<'_>, forward: bool) -> (Vec<u64>, usize) {
    let (mut found, mut rounds) = (Vec::new(), 0);
    let mut range = Range { until: Some(Instant::now()), ..range };
    loop {
        rounds += 1;
        let mut feed = |record: monitor_backend::journal::Record<'_>| {
            found.push(record.seq);
            ControlFlow::Continue(())
        };
        let next = match forward {
            true => reader.scan(range, &mut feed).unwrap(),
            false => reader.scan_back(range, &mut feed).unwrap(),
        };
        match next {
            None => return (found, rounds),
            Some(seq) if forward => {
                assert!(seq > range.after, "it gets on");
                range.after = seq;
            }
            Some(seq) => {
                assert!(seq < range.before, "it gets on");
                range.before = seq;
            }
        }
    }
}

#[test]
fn a_query_whose_time_is_over_says_where_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open_sized(dir.path(), SEGMENT);
    for _ in 0..3 {
        four_runs(&mut writer);
    }
    assert!(reader.segments().len() > 2);
    let all: Vec<u64> = (1..=144).collect();
    let text = Text::new("text 2").unwrap();
    let second: Vec<u64> = (0..3).flat_map(|n| 48 * n + 13..=48 * n + 24).collect();
    let cases = [
        (ALL, &all),
        (Range { kinds: &[0x0102], ..ALL }, &second),
        (Range { text: Some(&text), ..ALL }, &second),
    ];
    for (range, expected) in cases {
        let (found, rounds) = in_no_time(&reader, range, true);
        assert_eq!(found, *expected);
        assert!(rounds > 3, "it was stopped");
        let (mut found, rounds) = in_no_time(&reader, range, false);
        found.reverse();
        assert_eq!(found, *expected);
        assert!(rounds > 3, "it was stopped");
    }
    let none = Range { kinds: &[0x0999], until: Some(Instant::now()), ..ALL };
    let next = reader.scan_back(none, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(next.is_some_and(|seq| seq > 1), "a page without rows says where to go on, too");
}

#[derive(Debug, Clone)]
struct Query {
    after: u64,
    length: u64,
    kinds: Vec<u16>,
    classes: Vec<u8>,
    key: Option<u64>,
    text: Option<char>,
}

fn query() -> impl Strategy<Value = Query> {
    let kinds = prop::collection::vec(0x0100..0x0150u16, 0..4);
    let classes = prop::collection::vec(0..6u8, 0..3);
    let key = prop::option::of(0..9u64);
    let text = prop::option::of(prop::char::range('a', 'f'));
    (0..300u64, 1..300u64, kinds, classes, key, text).prop_map(
        |(after, length, kinds, classes, key, text)| Query {
            after,
            length,
            kinds,
            classes,
            key,
            text,
        },
    )
}

fn record() -> impl Strategy<Value = Owned> {
    let kind = prop_oneof![0x0100..0x0104u16, 0x0100..0x0150u16];
    (kind, 0..6u8, 0..9u64, 1..30_000usize, prop::char::range('a', 'h')).prop_map(
        |(kind, class, key, len, letter)| Owned {
            kind,
            class,
            key,
            payload: padded(&letter.to_string(), len),
            ..history("")
        },
    )
}

/// Each history is some megabytes.
const CASES: u32 = 12;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    /// Sealed, open and reopened without an index: the same answers as a filter over everything.
    #[test]
    fn what_is_passed_over_is_never_what_was_wanted(
        records in prop::collection::vec(record(), 100..300),
        queries in prop::collection::vec(query(), 20),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, reader, _) = open_sized(dir.path(), SEGMENT / 2);
        let mut written = Vec::new();
        for batch in records.chunks(7) {
            written.extend(append(&mut writer, batch));
        }
        let (again, _) = Reader::open(dir.path()).unwrap();
        for query in &queries {
            let text = query.text.map(|letter| Text::new(&letter.to_string()).unwrap());
            let range = Range {
                after: query.after,
                before: query.after + query.length,
                kinds: &query.kinds,
                classes: &query.classes,
                key: query.key,
                text: text.as_ref(),
                until: None,
            };
            let fits = |record: &&Owned| {
                let letter = char::from(record.payload[0]);
                record.seq > range.after
                    && record.seq < range.before
                    && (query.kinds.is_empty() || query.kinds.contains(&record.kind))
                    && (query.classes.is_empty() || query.classes.contains(&record.class))
                    && query.key.is_none_or(|key| key == record.key)
                    && query.text.is_none_or(|text| text == letter)
            };
            let expected: Vec<Owned> = written.iter().filter(fits).cloned().collect();
            for reader in [&reader, &again] {
                prop_assert_eq!(&scan(reader, range), &expected);
                let mut back = scan_back(reader, range);
                back.reverse();
                prop_assert_eq!(&back, &expected);
            }
        }
    }
}
