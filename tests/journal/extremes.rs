//! What is allowed and rarely happens: times of any kind, very many records, very large ones, none.

use std::fs;

use monitor_backend::journal::{NewRecord, PAYLOAD_BYTES_MAX, Range, Reader};

use crate::support::*;

#[test]
fn times_of_any_kind_order_nothing_and_harm_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    const HOUR: i64 = 3_600_000_000_000;
    let now = 1_700_000_000_000_000_000;
    let times =
        [now, now - HOUR, now + 10 * 365 * 24 * HOUR, i64::MIN, 0, i64::MAX, -1, now + 1, now];
    let mut written = Vec::new();
    for round in 0..90 {
        let record = state(1 + round % 5, &"x".repeat(200));
        let time_ns = times[round as usize % times.len()];
        written.extend(append(&mut writer, &[Owned { time_ns, ..record }]));
        writer.maintain(time_ns);
    }
    assert!(reader.segments().len() > 3);
    let check = |reader: &Reader| {
        assert_eq!(scan(reader, ALL), written, "in the order of their numbers");
        assert_eq!(living_at(reader, None), living_after(&written));
        for time in times {
            // Some event that was learned by then, where there is one.
            let seq = reader.seq_at(time);
            let known = seq.map(|seq| written[seq as usize - 1].time_ns);
            assert!(known.is_none_or(|known| known <= time), "{time}: {known:?}");
        }
        assert_eq!(reader.seq_at(i64::MAX), Some(written.len() as u64));
    };
    check(&reader);
    drop(writer);
    let (_writer, reader, _) = open(dir.path());
    check(&reader);
}

#[test]
fn very_many_tiny_records_and_one_of_the_largest_and_none() {
    const COUNT: u64 = 200_000;
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open_sized(dir.path(), 4 << 20);
    writer.sync().unwrap();
    assert_eq!((scan(&reader, ALL).len(), reader.segments().len()), (0, 0));
    let tiny = history("1");
    let batch: Vec<NewRecord<'_>> = (0..1000).map(|_| tiny.as_new()).collect();
    for _ in 0..COUNT / 1000 {
        writer.append(&batch).unwrap();
    }
    let largest = append(&mut writer, &[state(1, &"x".repeat(PAYLOAD_BYTES_MAX))]);
    writer.close().unwrap();
    let (_writer, reader, recovery) = open_sized(dir.path(), 4 << 20);
    assert!(recovery.damaged.is_empty() && recovery.lost.is_empty());
    assert_eq!(reader.positions().last_seq, COUNT + 1);
    assert!(scan_back(&reader, Range { after: COUNT, ..ALL }) == largest);
    assert!(living_at(&reader, None) == living_after(&largest));
    check_law(&reader, COUNT + 1);
}

#[test]
fn a_backup_with_a_flipped_bit_loses_one_record_and_a_torn_one_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(dir.path());
    let mut written = Vec::new();
    for round in 0..60u64 {
        written
            .extend(append(&mut writer, &[state(1 + round % 5, &format!("<{round}>{:190}", ""))]));
    }
    writer.sync().unwrap();
    let whole = read_all(&reader.backup(written.len() as u64).unwrap());
    let path = dir.path().join("copy.tar");
    let text = b"<17>";
    let at = whole.windows(text.len()).position(|window| window == text).unwrap();
    let mut flipped = whole.clone();
    flipped[at] ^= 4;
    fs::write(&path, &flipped).unwrap();
    let (copy, _) = Reader::open(&path).unwrap();
    let found = scan(&copy, ALL);
    let expected: Vec<Owned> = written.iter().filter(|r| r.seq != 18).cloned().collect();
    assert_eq!(found, expected);
    let verification = copy.verify().unwrap();
    assert_eq!(verification.damaged.len(), 1);
    assert_eq!((verification.account.lost[0].first_seq, verification.account.lost.len()), (18, 1));
    for len in (600..whole.len()).step_by(1777) {
        fs::write(&path, &whole[..len]).unwrap();
        let Ok((copy, _)) = Reader::open(&path) else {
            assert!(len < 5000, "only a tar without a whole header is no journal: {len}");
            continue;
        };
        let found = scan(&copy, ALL);
        assert_eq!(found, written[..found.len()]);
        check_law(&copy, found.len() as u64);
    }
}
