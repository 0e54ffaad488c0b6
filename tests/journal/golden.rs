//! Golden segments: a small journal of this major version as it was once written, with everything
//! that the format knows, damage included. It is never edited; later versions read it as ever.
//!
//! `GOLDEN=1 cargo test --test journal golden` writes a new one, for a new major version.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use monitor_backend::journal::{Flags, NewRecord, Reader, WipeNote, Writer};

use crate::{
    faulty::{Faulty, Op},
    support::*,
};

const TIME_NS: i64 = 1_700_000_000_000_000_000;

/// What the listing of the golden journal is called, beside its segments.
const LISTING: &str = "listing.ndjson";

/// History whose payload and whose header are damaged afterwards.
const DAMAGED: [u64; 2] = [19, 31];

pub fn golden_dir() -> PathBuf {
    Path::new(file!()).with_file_name("..").join("data").join("v1")
}

pub fn golden_listing() -> String {
    fs::read_to_string(golden_dir().join(LISTING)).unwrap()
}

/// A log line as the recorder writes it.
fn line(level: u8, message: &str) -> Owned {
    let word = ["", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"][usize::from(level)];
    let fields = ("app-server", 1000.5, word, "app::db", "", message, None::<()>);
    let payload = rmp_serde::to_vec(&fields).unwrap();
    Owned { class: level, payload, ..history("") }
}

/// A gap: history that no level has.
fn gap(source: &str) -> Owned {
    let fields = (source, "connection lost", 1.0, 2.0, Some(3), None::<()>);
    Owned { kind: 0x0151, payload: rmp_serde::to_vec(&fields).unwrap(), ..history("") }
}

/// The state of a source.
fn source(key: u64, name: &str, state: &str) -> Owned {
    let fields = (name, state, "", 1.0, 0, "", None::<()>);
    Owned { kind: 0x0150, payload: rmp_serde::to_vec(&fields).unwrap(), ..self::state(key, "") }
}

/// Appends one batch; every record is learned a second later than the one before it.
fn record(writer: &mut Writer, records: &[Owned]) {
    let first = writer.append(&[]).unwrap().first_seq;
    let timed = |(record, seq): (&Owned, u64)| {
        let time_ns = if record.time_ns == 0 { TIME_NS + seq as i64 * 1_000_000_000 } else { 0 };
        Owned { time_ns: record.time_ns + time_ns, ..record.clone() }
    };
    let timed: Vec<Owned> = records.iter().zip(first..).map(timed).collect();
    append(writer, &timed);
}

/// Everything that a journal may hold, in the segments of three boots of a machine.
fn write_journal(dir: &Path) {
    let fs = Faulty::new();
    let boot = |n: u8| fs.set(|plan| plan.boot_id = [n; 16]);
    boot(1);
    let (mut writer, _, _) = fs.open(dir, SMALL);
    record(&mut writer, &[line(3, "before the wipe"), source(1, "cluster/Pod", "up")]);
    let note =
        WipeNote { actor: "admin key".into(), reason: "a fresh start".into(), time_ns: TIME_NS };
    let first = Owned { time_ns: TIME_NS, ..source(1, "cluster/Pod", "connecting") };
    writer.wipe(&note, &[first.as_new()]).unwrap();
    // Some segments of lines, states and ends.
    for round in 0..40u64 {
        let level = 1 + (round % 5) as u8;
        let lines = [line(level, &format!("line {round} {}", "-".repeat(80))), gap("app-server")];
        record(&mut writer, &lines);
        let key = 2 + round % 6;
        let entity = source(key, &format!("source {key}"), "up");
        record(&mut writer, &[if round % 11 == 10 { end(key) } else { entity }]);
        if round % 4 == 3 {
            writer.sync().unwrap();
        }
    }
    // What no version knows, living and not; and a clock that was set back before 1970.
    let unknown = Owned { kind: 0x0fff, ..state(77, "of a later version") };
    let must = Flags::MUST_UNDERSTAND.0;
    let vital = Owned { kind: 0x0ffe, flags: must, ..history("must be understood") };
    let early = Owned { time_ns: -5, ..line(1, "before 1970") };
    record(&mut writer, &[unknown, vital, early]);
    // A failed sync: what it was about is written again in a new segment.
    fs.fail_times(Op::Sync, ErrorKind::Other, 1);
    writer.sync().unwrap();
    fs.mend();
    // A segment of two blocks of its index.
    record(&mut writer, &[Owned { payload: vec![b'.'; 300_000], ..gap("") }]);
    record(&mut writer, &[line(2, "in the second block"), source(9, "nine", "down")]);
    writer.close().unwrap();
    // A clean end leaves no doubt; a crash under another boot leaves some: the numbers leap.
    boot(2);
    let (mut writer, _, _) = fs.open(dir, SMALL);
    record(&mut writer, &[line(3, "after a clean end"), end(9)]);
    writer.sync().unwrap();
    record(&mut writer, &[line(3, "the last one before the crash")]);
    drop(writer);
    boot(3);
    let (mut writer, _, _) = fs.open(dir, SMALL);
    record(&mut writer, &[line(3, "after the leap"), source(10, "ten", "up")]);
    writer.sync().unwrap();
    record(&mut writer, &[line(5, "the end")]);
    drop(writer);
}

/// Where the records with a number stand, in the file that holds them as events.
fn place_of(dir: &Path, seq: u64) -> (PathBuf, Vec<u8>, usize) {
    for name in segment_names(dir) {
        let bytes = fs::read(dir.join(&name)).unwrap();
        let is_it = |&at: &usize| {
            bytes[at + 16..at + 24] == seq.to_le_bytes()
                && bytes[at + 12..at + 14] == 0x0120u16.to_le_bytes()
        };
        let found = (4096..bytes.len() - 40).step_by(8).find(is_it);
        if let Some(at) = found {
            return (dir.join(name), bytes, at);
        }
    }
    panic!("no line has the number {seq}")
}

/// One line loses its payload and one its header; the last segment gets a control record of a later
/// version, and bytes of a write that did not get through.
fn damage(dir: &Path) {
    for (seq, place) in DAMAGED.into_iter().zip([45, 9]) {
        let (path, mut bytes, at) = place_of(dir, seq);
        bytes[at + place] ^= 0x40;
        fs::write(path, bytes).unwrap();
    }
    let path = dir.join(segment_names(dir).pop().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 8 * 8 + 8;
    let mut control = [0; 48];
    control[8..12].copy_from_slice(&8u32.to_le_bytes());
    control[12..14].copy_from_slice(&0x00ffu16.to_le_bytes());
    let last_seq = Reader::open(dir).unwrap().0.positions().last_seq;
    control[16..24].copy_from_slice(&last_seq.to_le_bytes());
    control[40..].copy_from_slice(b"unknown.");
    let payload_crc = crc32fast::hash(&control[40..]);
    control[4..8].copy_from_slice(&payload_crc.to_le_bytes());
    let salted = [&bytes[56..64], &control[4..40]].concat();
    control[..4].copy_from_slice(&crc32fast::hash(&salted).to_le_bytes());
    bytes[end..end + 48].copy_from_slice(&control);
    bytes[end + 48..end + 72].copy_from_slice(b"a write that was cut off");
    fs::write(path, bytes).unwrap();
}

/// One line of the listing for an event.
pub fn event_line(seq: u64, header: (u16, u8, u8, i64, u64), payload: &[u8]) -> String {
    let (kind, flags, class, time_ns, key) = header;
    let (len, crc) = (payload.len(), crc32fast::hash(payload));
    format!(
        "{{\"seq\":{seq},\"kind\":{kind},\"flags\":{flags},\"class\":{class},\
         \"time_ns\":{time_ns},\"key\":{key},\"len\":{len},\"crc\":{crc}}}\n"
    )
}

/// The last line: what every number became, and what lives at the end.
pub fn account_line(
    (first, last, recorded, left_out): (u64, u64, u64, u64),
    lost: &[(u64, u64, bool)],
    living: &[(u64, u64)],
) -> String {
    format!(
        "{{\"first_seq\":{first},\"last_seq\":{last},\"recorded\":{recorded},\
         \"left_out\":{left_out},\"lost\":{lost:?},\"living\":{living:?}}}\n"
    )
}

fn listing(dir: &Path) -> String {
    let (reader, _) = Reader::open(dir).unwrap();
    let mut out = String::new();
    for Owned { seq, kind, flags, class, time_ns, key, payload } in scan(&reader, ALL) {
        out += &event_line(seq, (kind, flags, class, time_ns, key), &payload);
    }
    let account = reader.verify().unwrap().account;
    let lost: Vec<_> = account.lost.iter().map(|l| (l.first_seq, l.last_seq, l.durable)).collect();
    let living: Vec<_> = living_at(&reader, None).values().map(|r| (r.key, r.seq)).collect();
    let numbers = (account.first_seq, account.last_seq, account.recorded, account.leapt);
    out + &account_line(numbers, &lost, &living)
}

#[test]
fn golden_segments_are_read_as_ever() {
    assert_eq!(listing(&golden_dir()), golden_listing());
}

/// The content of the golden journal follows from this file, its salts and names do not.
#[test]
fn what_is_written_today_reads_like_the_golden_segments() {
    let dir = tempfile::tempdir().unwrap();
    write_journal(dir.path());
    damage(dir.path());
    let listing = listing(dir.path());
    if env::var_os("GOLDEN").is_some() {
        let target = golden_dir();
        fs::create_dir_all(&target).unwrap();
        for name in segment_names(&target) {
            fs::remove_file(target.join(name)).unwrap();
        }
        for name in segment_names(dir.path()) {
            fs::copy(dir.path().join(&name), target.join(&name)).unwrap();
        }
        fs::write(target.join(LISTING), &listing).unwrap();
    }
    assert_eq!(listing, golden_listing());
}

/// The listing says what the golden segments were made to hold.
#[test]
fn the_golden_segments_hold_everything() {
    let (reader, recovery) = Reader::open(&golden_dir()).unwrap();
    let segments = reader.segments();
    assert!(segments.len() >= 6 && segments.iter().any(|s| s.bytes > 300_000));
    assert!(recovery.torn_tail && recovery.left_alone.len() == 1, "{recovery:?}");
    let account = reader.verify().unwrap().account;
    assert_eq!(account.leapt, 1 << 20);
    let lost: Vec<u64> = account.lost.iter().map(|lost| lost.first_seq).collect();
    assert_eq!(lost, DAMAGED);
    let living = living_at(&reader, None);
    assert!(living.contains_key(&77) && living.contains_key(&10) && !living.contains_key(&9));
    let batch: Vec<NewRecord<'_>> = living.values().map(Owned::as_new).collect();
    assert!(batch.iter().all(|record| record.flags.has(Flags::STATE)));
}
