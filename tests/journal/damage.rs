//! Damaged, cut, copied and foreign files: what can be read is read, the rest is reported, and
//! nothing is touched.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use monitor_backend::journal::{Error, Reader, Recovery};

use crate::support::*;

/// A journal of one segment, ended as by a crash.
fn one_segment(dir: &Path) -> (Vec<Owned>, PathBuf, usize) {
    let (mut writer, reader, _) = open(dir);
    let mut written = append(&mut writer, &[state(1, "a"), history("one"), state(2, "b")]);
    writer.sync().unwrap();
    written.extend(append(&mut writer, &[history("two"), end(1), state(2, "c")]));
    let end = reader.segments()[0].bytes as usize;
    (written, dir.join(&segment_names(dir)[0]), end)
}

/// Several segments with living keys, ended as by a crash.
fn several_segments(dir: &Path) -> (Vec<Owned>, Vec<PathBuf>) {
    let (mut writer, _, _) = open(dir);
    let mut written = append(&mut writer, &[state(1, "lives long"), state(2, "ends")]);
    for round in 0..60 {
        let records = [state(3 + round % 4, &"x".repeat(200)), history(&"y".repeat(150))];
        written.extend(append(&mut writer, &records));
        if round == 20 {
            written.extend(append(&mut writer, &[end(2)]));
        }
    }
    drop(writer);
    let paths = segment_names(dir).iter().map(|name| dir.join(name)).collect();
    (written, paths)
}

fn lost_seqs(recovery: &Recovery) -> Vec<u64> {
    recovery.lost.iter().flat_map(|lost| lost.first_seq..=lost.last_seq).collect()
}

/// Every file with its bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).ok())).collect()
}

/// Opens a copy of one segment with other bytes.
fn open_copy(dir: &Path, name: &Path, bytes: &[u8]) -> Result<(Reader, Recovery), Error> {
    let copy = dir.join(name.file_name().unwrap());
    // Some file systems sync a file that is emptied and written again, which takes its time.
    let _ = fs::remove_file(&copy);
    fs::write(&copy, bytes).unwrap();
    Reader::open(&copy)
}

#[test]
fn a_segment_cut_anywhere_in_its_last_three_records_gives_the_records_before() {
    let (dir, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (written, path, end) = one_segment(dir.path());
    let whole = fs::read(&path).unwrap();
    // Where header and payload of the last three records end; their padding may be missing.
    let mut content_ends = Vec::new();
    let mut record_end = end;
    for record in written[written.len() - 3..].iter().rev() {
        let content = 40 + record.payload.len();
        record_end -= content.next_multiple_of(8);
        content_ends.push(record_end + content);
    }
    for cut in record_end..=end {
        let lost = content_ends.iter().filter(|&&content_end| content_end > cut).count();
        let expected = &written[..written.len() - lost];
        for zeros in [0, whole.len() - cut] {
            let torn = [&whole[..cut], &vec![0; zeros]].concat();
            let (reader, recovery) = open_copy(copies.path(), &path, &torn).unwrap();
            let found = scan(&reader, ALL);
            assert_eq!(found, expected, "cut at {cut} of {end}, {zeros} zeros");
            assert!(lost_seqs(&recovery).iter().all(|seq| *seq > found.len() as u64));
        }
        check_recovered_by_a_writer(&path, &whole[..cut], expected);
    }
}

/// A writer recovers the same, goes on behind it, and never touches the torn file.
fn check_recovered_by_a_writer(path: &Path, torn: &[u8], expected: &[Owned]) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join(path.file_name().unwrap());
    fs::write(&copy, torn).unwrap();
    let (mut writer, reader, _) = open(dir.path());
    assert_eq!(scan(&reader, ALL), expected);
    let mut all = expected.to_vec();
    let next = reader.positions().last_seq + 1;
    all.extend(append(&mut writer, &[history("goes on")]));
    assert_eq!(all.last().unwrap().seq, next);
    writer.close().unwrap();
    assert_eq!(fs::read(&copy).unwrap(), torn);
    let (_writer, reader, _) = open(dir.path());
    assert_eq!(scan(&reader, ALL), all);
    assert_eq!(living_at(&reader, None), living_after(&all));
}

#[test]
fn a_flipped_bit_costs_at_most_the_record_that_it_hits() {
    let (dir, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (written, path, end) = one_segment(dir.path());
    let whole = fs::read(&path).unwrap();
    let headers = (0..512).chain(2048..2560);
    for byte in headers.chain(4096..end) {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << bit;
            let (reader, recovery) = open_copy(copies.path(), &path, &flipped).unwrap();
            let found = scan(&reader, ALL);
            let missing: Vec<u64> =
                written.iter().filter(|w| !found.contains(w)).map(|w| w.seq).collect();
            assert!(found.iter().all(|record| written.contains(record)));
            assert!(missing.len() <= 1, "byte {byte} bit {bit}: {missing:?}");
            let reported = recovery.torn_tail || !recovery.damaged.is_empty();
            assert!(missing.is_empty() || reported, "byte {byte} bit {bit}: {recovery:?}");
            // A last record whose header is gone had no number that anybody could know.
            let known: Vec<u64> = missing.into_iter().filter(|seq| *seq < 6).collect();
            let lost = lost_seqs(&recovery);
            assert_eq!(
                lost.iter().filter(|seq| **seq < 6).collect::<Vec<_>>(),
                known.iter().collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_lost_event_below_the_durable_watermark_is_called_a_loss() {
    let (dir, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, path, _) = one_segment(dir.path());
    let whole = fs::read(&path).unwrap();
    let damaged = |text: &[u8]| {
        let mut bytes = whole.clone();
        let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
        bytes[at] ^= 1;
        let (_, recovery) = open_copy(copies.path(), &path, &bytes).unwrap();
        recovery.lost.iter().map(|l| (l.first_seq, l.last_seq, l.durable)).collect::<Vec<_>>()
    };
    assert_eq!(damaged(b"one"), [(2, 2, true)]);
    assert_eq!(damaged(b"two"), [(4, 4, false)]);
}

#[test]
fn a_zeroed_block_costs_what_stood_in_it() {
    let (dir, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (written, paths) = several_segments(dir.path());
    let mut bytes = fs::read(&paths[0]).unwrap();
    bytes[5120..5632].fill(0);
    let (reader, recovery) = open_copy(copies.path(), &paths[0], &bytes).unwrap();
    let found = scan(&reader, ALL);
    let lost = lost_seqs(&recovery);
    let last = found.last().unwrap().seq;
    let expected: Vec<Owned> =
        written.iter().filter(|w| w.seq <= last && !lost.contains(&w.seq)).cloned().collect();
    assert_eq!(found, expected);
    assert!((1..=4).contains(&lost.len()), "{lost:?}");
    assert_eq!(recovery.damaged.len(), 1);
    check_law(&reader, found.len() as u64);
}

#[test]
fn after_a_damaged_header_reading_goes_on_at_a_record_that_is_whole() {
    let (dir, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (written, path, _) = one_segment(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    let one = bytes.windows(3).position(|window| window == b"one").unwrap();
    // The header of number 2 and the payload of number 3, which begins 8 + 40 bytes later.
    bytes[one - 4] ^= 1;
    bytes[one + 48] ^= 1;
    let (reader, recovery) = open_copy(copies.path(), &path, &bytes).unwrap();
    assert_eq!(lost_seqs(&recovery), [2, 3]);
    let offsets: Vec<u64> = recovery.damaged.iter().map(|damaged| damaged.offset).collect();
    assert_eq!(offsets, [one as u64 - 40]);
    let found: Vec<u64> = scan(&reader, ALL).iter().map(|record| record.seq).collect();
    assert_eq!(found, [1, 4, 5, 6]);
    assert_eq!(written.len(), 6);
}

#[test]
fn a_lost_header_is_made_up_for_by_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let (written, path, _) = one_segment(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[..4096].fill(0);
    fs::write(&path, &bytes).unwrap();
    let (mut writer, reader, recovery) = open(dir.path());
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(living_at(&reader, None), living_after(&written));
    assert_eq!(recovery.damaged.len(), 1, "{recovery:?}");
    let next = append(&mut writer, &[history("goes on")]);
    assert_eq!(scan(&reader, ALL).last(), next.last());
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn files_that_are_no_part_of_the_journal_are_reported_and_left_alone() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Another journal, whose newest segment is older.
    let (mut writer, _, _) = open(other.path());
    append(&mut writer, &[Owned { time_ns: 1, ..history("other") }]);
    drop(writer);
    let stranger = &segment_names(other.path())[0];
    fs::copy(other.path().join(stranger), dir.path().join(stranger)).unwrap();

    let (writer, _, _) = open(dir.path());
    writer.close().unwrap();
    fs::remove_file(dir.path().join(stranger)).unwrap();
    let (mut writer, _, _) = open(dir.path());
    let written = append(&mut writer, &[Owned { time_ns: 2, ..state(1, "ours") }]);
    drop(writer);
    fs::copy(other.path().join(stranger), dir.path().join(stranger)).unwrap();
    let ours = segment_names(dir.path()).into_iter().find(|name| name != stranger).unwrap();
    let whole = fs::read(dir.path().join(&ours)).unwrap();
    let future = |at: usize| {
        let mut bytes = whole.clone();
        for copy in [0, 2048] {
            bytes[copy + at] = 9;
            let crc = crc32fast::hash(&bytes[copy..copy + 508]).to_le_bytes();
            bytes[copy + 508..copy + 512].copy_from_slice(&crc);
        }
        bytes
    };
    let name = |number: u32| format!("00000001-{number:020}-00000f0000000000.seg");
    let files: Vec<(String, Vec<u8>, &str)> = vec![
        (name(1), Vec::new(), "empty"),
        (name(2), vec![0; 8192], "no header and no record"),
        (name(3), b"hello".to_vec(), "no header and no record"),
        (name(4), future(8), "version"),
        (name(5), future(16), "needs what this version lacks"),
        (format!("copy of {ours}"), whole.clone(), "a copy of"),
        ("notes.txt".into(), b"mine".to_vec(), "not a segment"),
        ("photo.seg".into(), vec![0xff; 5000], "no header and no record"),
    ];
    for (name, bytes, _) in &files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    fs::create_dir(dir.path().join("folder.seg")).unwrap();
    let before = contents(dir.path());
    let (mut writer, reader, recovery) = open(dir.path());
    assert_eq!(scan(&reader, ALL), written);
    let reason = |name: &str| {
        let left = recovery.left_alone.iter().find(|left| left.name == name);
        left.unwrap_or_else(|| panic!("{name} is not in {recovery:?}")).reason.clone()
    };
    for (name, _, expected) in &files {
        assert!(reason(name).contains(expected), "{name}: {}", reason(name));
    }
    assert!(reason("folder.seg").contains("not a file"));
    assert!(reason(stranger).contains("another journal"));
    assert_eq!(recovery.left_alone.len(), files.len() + 2);

    append(&mut writer, &[history("goes on")]);
    writer.close().unwrap();
    let after = contents(dir.path());
    for (path, bytes) in &before {
        let is_journals_own = path.ends_with("reserve.tmp") || path.ends_with("LOCK");
        assert!(is_journals_own || after.get(path) == Some(bytes), "{} changed", path.display());
    }
}

#[test]
fn a_damaged_keyframe_falls_back_to_the_segment_before() {
    let dir = tempfile::tempdir().unwrap();
    let (written, paths) = several_segments(dir.path());
    let newest = paths.last().unwrap();
    let mut bytes = fs::read(newest).unwrap();
    let text = b"lives long";
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[at] ^= 1;
    fs::write(newest, &bytes).unwrap();
    let (mut writer, reader, recovery) = open_sized(dir.path(), SMALL);
    assert_eq!(recovery.damaged.len(), 1);
    assert!(recovery.lost.is_empty(), "an event is not lost with its copy");
    assert_eq!(scan(&reader, ALL), written);
    assert_eq!(living_at(&reader, None), living_after(&written));
    // The next keyframe is whole again.
    let mut all = written;
    all.extend(append(&mut writer, &[history("goes on")]));
    drop(writer);
    let newest = segment_names(dir.path()).pop().unwrap();
    let (alone, recovery) = Reader::open(&dir.path().join(newest)).unwrap();
    assert!(recovery.damaged.is_empty());
    assert_eq!(living_at(&alone, None), living_after(&all));
}

#[test]
fn any_one_segment_replays_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (written, paths) = several_segments(dir.path());
    assert!(paths.len() > 3);
    for path in &paths {
        let (reader, recovery) = Reader::open(path).unwrap();
        assert!(recovery.damaged.is_empty() && recovery.lost.is_empty());
        let positions = reader.positions();
        for to in positions.first_seq - 1..=positions.last_seq {
            let expected = living_after(&written[..to as usize]);
            assert_eq!(living_at(&reader, Some(to)), expected, "{} at {to}", path.display());
        }
        let early = reader.replay(Some(positions.first_seq.saturating_sub(2)), &mut |_, _| {});
        let reaches = positions.first_seq == 1;
        assert!(reaches || matches!(early, Err(Error::OutOfReach { .. })), "{early:?}");
    }
}

#[test]
fn a_missing_segment_is_a_reported_loss() {
    let dir = tempfile::tempdir().unwrap();
    let (written, paths) = several_segments(dir.path());
    fs::remove_file(&paths[1]).unwrap();
    let (_writer, reader, recovery) = open(dir.path());
    let found = scan(&reader, ALL);
    let lost = lost_seqs(&recovery);
    assert!(!lost.is_empty() && recovery.lost.iter().all(|lost| lost.durable));
    let mut seqs: Vec<u64> = found.iter().map(|r| r.seq).chain(lost.iter().copied()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=written.len() as u64).collect::<Vec<_>>());
    assert_eq!(living_at(&reader, None), living_after(&written));
    check_law(&reader, found.len() as u64);
}

#[test]
fn a_number_is_not_given_again_after_its_record_was_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path, end) = one_segment(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    // The payload of the last record, number 6.
    bytes[end - 8] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (mut writer, reader, recovery) = open(dir.path());
    assert_eq!(lost_seqs(&recovery), [6]);
    assert_eq!(append(&mut writer, &[history("next")])[0].seq, 7);
    check_law(&reader, 6);
}
