//! Segments that no writer writes: every length that a header can claim, bytes of other segments,
//! headers that disagree, files under other names, hashes that are not those of the records.

use std::{
    fs,
    path::{Path, PathBuf},
};

use monitor_backend::journal::{Flags, PAYLOAD_BYTES_MAX, Reader, Recovery, WipeNote};

use crate::{
    bytes::{self, DATA, HEAD, Raw},
    support::*,
};

/// The journal's own kinds.
const KEYFRAME_END: u16 = 2;
const SEAL: u16 = 4;

/// A journal of a few segments, closed in order.
fn closed(dir: &Path) -> (Vec<Owned>, Vec<PathBuf>) {
    let (mut writer, _, _) = open(dir);
    let mut written = append(&mut writer, &[state(1, "lives long")]);
    for round in 0..100 {
        let records = [state(2 + round % 4, &"x".repeat(200)), history(&"y".repeat(150))];
        written.extend(append(&mut writer, &records));
    }
    writer.close().unwrap();
    let paths = segment_names(dir).iter().map(|name| dir.join(name)).collect();
    (written, paths)
}

/// A journal of one segment, ended as by a crash; its records stand at the end.
fn crashed(dir: &Path) -> (Vec<Owned>, PathBuf, Vec<u8>) {
    let (mut writer, _, _) = open(dir);
    let written = append(&mut writer, &[state(1, "a"), history("one"), state(2, "b")]);
    drop(writer);
    let path = dir.join(&segment_names(dir)[0]);
    let bytes = fs::read(&path).unwrap();
    (written, path, bytes)
}

fn event(seq: u64, payload: &[u8]) -> Raw<'_> {
    Raw { kind: 0x0120, flags: 0, seq, key: 0, len: None, payload }
}

/// Opens a segment that was crafted, under a name of its own.
fn open_crafted(bytes: &[u8]) -> (Reader, Recovery) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("crafted.seg");
    fs::write(&path, bytes).unwrap();
    Reader::open(&path).expect("it is a segment")
}

#[test]
fn every_length_that_a_header_can_claim_has_its_meaning() {
    let dir = tempfile::tempdir().unwrap();
    let (written, _, whole) = crashed(dir.path());
    let (salt, end) = (bytes::salt(&whole), bytes::data_end(&whole));
    let check = |len: u32, found: u64, is_damaged: bool| {
        let mut crafted = whole[..end].to_vec();
        // Number 4 claims `len` bytes of payload and has 8; number 5 follows.
        crafted.extend(Raw { len: Some(len), ..event(4, b"8 bytes.") }.bytes(salt));
        crafted.extend(event(5, b"behind").bytes(salt));
        let (reader, recovery) = open_crafted(&crafted);
        let seqs: Vec<u64> = scan(&reader, ALL).iter().map(|r| r.seq).collect();
        assert_eq!(seqs.len() as u64, written.len() as u64 + found, "{len}: {seqs:?}");
        let is_reported = !recovery.damaged.is_empty() || recovery.torn_tail;
        assert_eq!(is_reported, is_damaged, "{len}: {recovery:?}");
        check_law(&reader, seqs.len() as u64);
    };
    // The truth: both are there.
    check(8, 2, false);
    // No record is empty: what stands there is damaged, reading goes on behind it.
    check(0, 1, true);
    // The header holds, so its length counts, and the next one is where it says; the payload is
    // lost.
    check(7, 1, true);
    // It ends within the file and reaches over the next header: that one is lost with it, since a
    // header that holds is believed.
    check(9, 0, true);
    check(50, 0, true);
    // It cannot be true in this file, so nothing of the header is believed.
    check(PAYLOAD_BYTES_MAX as u32, 1, true);
    check(PAYLOAD_BYTES_MAX as u32 + 1, 1, true);
    check(i32::MAX as u32, 1, true);
    check(u32::MAX, 1, true);
    // The smallest record that there is.
    let mut crafted = whole[..end].to_vec();
    crafted.extend(event(4, b"1").bytes(salt));
    assert_eq!(scan(&open_crafted(&crafted).0, ALL).last().unwrap().payload, b"1");
    // Its padding may be missing, its payload may not.
    crafted.truncate(crafted.len() - 7);
    assert_eq!(scan(&open_crafted(&crafted).0, ALL).len(), 4);
    crafted.truncate(crafted.len() - 1);
    assert_eq!(scan(&open_crafted(&crafted).0, ALL).len(), 3);
}

#[test]
fn records_of_another_segment_behind_the_end_are_not_read() {
    let other = tempfile::tempdir().unwrap();
    let (_, paths) = closed(other.path());
    let stale = fs::read(&paths[0]).unwrap();
    // As blocks have them that belonged to another file before: right behind the end, and later.
    for gap in [0, 8, 512] {
        let dir = tempfile::tempdir().unwrap();
        let (mut written, path, mut whole) = crashed(dir.path());
        let at = bytes::data_end(&whole) + gap;
        let count = (stale.len() - DATA).min(whole.len() - at);
        whole[at..at + count].copy_from_slice(&stale[DATA..DATA + count]);
        fs::write(&path, &whole).unwrap();
        let (mut writer, reader, recovery) = open(dir.path());
        assert_eq!(scan(&reader, ALL), written);
        assert!(recovery.torn_tail && recovery.lost.is_empty(), "{recovery:?}");
        written.extend(append(&mut writer, &[history("goes on")]));
        assert_eq!(scan(&reader, ALL), written);
        assert_eq!(fs::read(&path).unwrap(), whole);
        drop(writer);
    }
}

#[test]
fn data_that_never_reached_the_disk_is_a_clean_end() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path, mut whole) = crashed(dir.path());
    // The file has its length, and zeros where data should be.
    let keyframe_end = bytes::records(&whole)[0];
    assert_eq!(keyframe_end.kind, KEYFRAME_END);
    whole[keyframe_end.at + HEAD + keyframe_end.len..].fill(0);
    for zeros_from in [keyframe_end.at + HEAD + keyframe_end.len, DATA] {
        whole[zeros_from..].fill(0);
        fs::write(&path, &whole).unwrap();
        let (mut writer, reader, recovery) = open(dir.path());
        assert!(!recovery.torn_tail && recovery.damaged.is_empty(), "{recovery:?}");
        assert_eq!(scan(&reader, ALL), []);
        let next = append(&mut writer, &[history("goes on")]);
        assert_eq!(scan(&reader, ALL), next);
        drop(writer);
        let names = segment_names(dir.path());
        fs::remove_file(dir.path().join(names.last().unwrap())).unwrap();
    }
}

#[test]
fn the_first_whole_copy_of_the_header_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (written, _, whole) = crashed(dir.path());
    let created = |bytes: &[u8]| open_crafted(bytes).0.segments()[0].created_ns;
    let with_time = |copy: usize, time: i64| {
        let mut bytes = whole.clone();
        bytes[copy + 64..copy + 72].copy_from_slice(&time.to_le_bytes());
        bytes::mend_copy(&mut bytes, copy);
        bytes
    };
    assert_eq!(created(&with_time(0, 77)), 77);
    assert_eq!(created(&with_time(2048, 77)), 0);
    let mut one_dead = with_time(2048, 77);
    one_dead[100] ^= 1;
    assert_eq!(created(&one_dead), 77);
    let (reader, recovery) = open_crafted(&one_dead);
    assert_eq!(scan(&reader, ALL), written);
    assert!(recovery.damaged.is_empty(), "a header that stands twice was not lost");
    let damaged = reader.verify().unwrap().damaged;
    assert_eq!(damaged.iter().map(|one| one.offset).collect::<Vec<_>>(), [0], "but it is told");
}

#[test]
fn kinds_that_must_be_understood_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _, _) = open(dir.path());
    let must =
        |kind| Owned { kind, flags: Flags::MUST_UNDERSTAND.0, ..history("of a later version") };
    append(&mut writer, &[must(0x7ff0), history("usual"), must(0x7ff1), must(0x7ff0)]);
    drop(writer);
    let (writer, reader, recovery) = open(dir.path());
    assert_eq!(recovery.must_understand.iter().copied().collect::<Vec<_>>(), [0x7ff0, 0x7ff1]);
    assert_eq!(reader.verify().unwrap().must_understand, recovery.must_understand);
    assert_eq!(scan(&reader, ALL).len(), 4, "the journal hands over what it does not know");
    drop(writer);
}

#[test]
fn what_a_header_says_counts_whatever_the_file_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let (written, paths) = closed(dir.path());
    assert!(paths.len() > 3);
    let check = |misnamed: usize| {
        let (writer, reader, recovery) = open(dir.path());
        assert_eq!(scan(&reader, ALL), written);
        assert_eq!(living_at(&reader, None), living_after(&written));
        assert_eq!(recovery.misnamed.len(), misnamed, "{recovery:?}");
        check_law(&reader, written.len() as u64);
        drop(writer);
    };
    // Swapped.
    let aside = dir.path().join("aside");
    fs::rename(&paths[0], &aside).unwrap();
    fs::rename(&paths[2], &paths[0]).unwrap();
    fs::rename(&aside, &paths[2]).unwrap();
    check(2);
    // Under a name that sorts elsewhere.
    let elsewhere = dir.path().join("99999999-00000000000000000001-0000000000000001.seg");
    fs::rename(&paths[1], &elsewhere).unwrap();
    check(3);
    // Twice: the copy is left alone.
    let copy = dir.path().join("00000001-00000000000000000001-0000000000000001.seg");
    fs::copy(&elsewhere, &copy).unwrap();
    let (writer, reader, recovery) = open(dir.path());
    assert_eq!(scan(&reader, ALL), written);
    assert!(recovery.left_alone.iter().any(|left| left.reason.starts_with("a copy of")));
    drop(writer);
    fs::remove_file(&copy).unwrap();
    // A name cannot make up for a header that is not its own.
    let mut headless = fs::read(&elsewhere).unwrap();
    headless[..DATA].fill(0);
    fs::write(&elsewhere, headless).unwrap();
    let (_writer, reader, recovery) = open(dir.path());
    assert!(recovery.left_alone.iter().any(|left| left.reason.contains("no header")));
    assert!(!recovery.lost.is_empty() && recovery.lost.iter().all(|lost| lost.durable));
    check_law(&reader, scan(&reader, ALL).len() as u64);
}

#[test]
fn a_state_that_is_not_that_of_its_records_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_, paths) = closed(dir.path());
    let (reader, _) = Reader::open(dir.path()).unwrap();
    let sound = reader.verify_deep().unwrap();
    // Each segment's keyframe and seal, and each but the first with the one before it.
    assert_eq!(sound.states, 3 * paths.len() as u64 - 1);
    assert!(sound.differing.is_empty());
    for (kind, hash_at) in [(KEYFRAME_END, 8), (SEAL, 24)] {
        let whole = fs::read(&paths[1]).unwrap();
        let mut crafted = whole.clone();
        let stands = bytes::records(&whole).into_iter().find(|r| r.kind == kind).unwrap();
        crafted[stands.at + HEAD + hash_at] ^= 1;
        bytes::mend(&mut crafted, stands.at);
        fs::write(&paths[1], &crafted).unwrap();
        let (reader, _) = Reader::open(dir.path()).unwrap();
        assert!(reader.verify().unwrap().damaged.is_empty(), "every checksum holds");
        let differing = reader.verify_deep().unwrap().differing;
        assert_eq!(differing.len(), 1, "{differing:?}");
        assert_eq!(differing[0].offset, stands.at as u64);
        fs::write(&paths[1], &whole).unwrap();
    }
    // An event that the next keyframe does not know of.
    let whole = fs::read(&paths[1]).unwrap();
    let mut crafted = whole.clone();
    let is_state = |r: &bytes::Stands| r.kind == 0x0100 && r.flags == Flags::STATE.0;
    let last = bytes::records(&whole).into_iter().rfind(is_state).unwrap();
    crafted[last.at + 32] ^= 0x40;
    bytes::mend(&mut crafted, last.at);
    fs::write(&paths[1], &crafted).unwrap();
    let (reader, _) = Reader::open(dir.path()).unwrap();
    let differing = reader.verify_deep().unwrap().differing;
    assert_eq!(differing.len(), 2, "the seal, and the keyframe behind it: {differing:?}");
}

/// Numbers at the edges of what their fields hold.
const EDGES: [u64; 7] = [0, 1, (1 << 53) - 1, 1 << 53, 1 << 63, u64::MAX - 1, u64::MAX];

/// Asks a directory everything, and goes on with it.
fn ask_everything(dir: &Path) {
    let (mut writer, reader, _) = open(dir);
    let positions = reader.positions();
    let found = scan(&reader, ALL);
    assert_eq!(scan_back(&reader, ALL).len(), found.len());
    reader.verify_deep().unwrap();
    for to in [0, positions.first_seq, positions.last_seq, positions.durable_seq, u64::MAX] {
        let _ = reader.replay(Some(to), &mut |_, _| {});
        let _ = reader.backup(to).map(|download| read_all(&download));
    }
    reader.replay(None, &mut |_, _| {}).unwrap();
    for time in [i64::MIN, 0, i64::MAX] {
        reader.seq_at(time);
    }
    for segment in reader.segments() {
        assert!(read_all(&reader.segment_file(&segment.name).unwrap()).len() >= DATA);
    }
    writer.maintain(0);
    // A journal that is at the end of all numbers may refuse; it must not fall.
    if writer.append(&[state(1, "goes on").as_new()]).is_ok() {
        writer.sync().unwrap();
        assert_eq!(scan(&reader, ALL).last().unwrap().payload, b"goes on");
    }
    let note = WipeNote { actor: "a".into(), reason: "r".into(), time_ns: 1 };
    let _ = writer.wipe(&note, &[state(1, "wiped").as_new()]);
}

#[test]
fn no_number_in_a_header_makes_anything_fall() {
    let source = tempfile::tempdir().unwrap();
    let (_, paths) = closed(source.path());
    let wholes: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    // From journal_id to prev_data_end.
    for (field, edge) in (24..104).step_by(8).flat_map(|field| EDGES.map(|edge| (field, edge))) {
        for segment in [0, wholes.len() - 1] {
            let dir = tempfile::tempdir().unwrap();
            for (path, whole) in paths.iter().zip(&wholes) {
                fs::write(dir.path().join(path.file_name().unwrap()), whole).unwrap();
            }
            let mut crafted = wholes[segment].clone();
            for copy in [0, 2048] {
                crafted[copy + field..copy + field + 8].copy_from_slice(&edge.to_le_bytes());
                bytes::mend_copy(&mut crafted, copy);
            }
            fs::write(dir.path().join(paths[segment].file_name().unwrap()), crafted).unwrap();
            ask_everything(dir.path());
        }
    }
}

#[test]
fn no_number_in_a_record_makes_anything_fall() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path, whole) = crashed(dir.path());
    let (salt, end) = (bytes::salt(&whole), bytes::data_end(&whole));
    let control = |kind: u16, edge: u64| edge.to_le_bytes().repeat(if kind == 6 { 9 } else { 5 });
    for edge in EDGES {
        for kind in [1, 2, 3, 4, 5, 6, 7, 0xff, 0x100, 0x7fff] {
            for flags in [0, 1, 2, 0xff] {
                let payload = control(kind, edge);
                let raw = Raw { kind, flags, seq: edge, key: edge, len: None, payload: &payload };
                let mut crafted = whole[..end].to_vec();
                crafted.extend(raw.bytes(salt));
                crafted.extend(event(4, b"behind").bytes(salt));
                let dir = tempfile::tempdir().unwrap();
                fs::write(dir.path().join(path.file_name().unwrap()), crafted).unwrap();
                ask_everything(dir.path());
            }
        }
    }
}
