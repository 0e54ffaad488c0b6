//! What is done with arbitrary bytes, and what must hold whatever they are. Nothing panics is the
//! first of it; the rest is what `journal-format.md` promises every reader.

use std::{
    fs,
    ops::ControlFlow::{Break, Continue},
    path::Path,
};

use tempfile::TempDir;

use crate::files::{self, File};
use monitor_backend::{
    event::Event,
    journal::{
        self, Account, Flags, NewRecord, Options, Range, Reader, Retention, SegmentInfo, Seq,
    },
    views::read,
};

/// What a scan gives of one event.
type Row = (Seq, u16, u64, Vec<u8>);

/// A directory of segments, opened to be read.
pub fn journal(input: &[u8]) {
    let dir = folder();
    let is_orderly = put(dir.path(), &files::segments(input));
    if let Ok((reader, recovery)) = Reader::open(dir.path()) {
        let rows = check(&reader, is_orderly);
        let listed = recovery.segments;
        assert_eq!(listed, reader.segments().len() as u64, "recovery counts what it opened");
        let copy = copied(&reader, dir.path());
        if let Some(copy) = copy
            && is_orderly
        {
            assert_eq!(copy, rows, "a backup holds what the journal holds");
        }
    }
}

/// A directory of segments, opened to be appended to: what could be read before can be read after.
pub fn recovery(input: &[u8]) {
    let dir = folder();
    let is_orderly = put(dir.path(), &files::segments(input));
    let before = Reader::open(dir.path()).map(|(reader, _)| all(&reader)).unwrap_or_default();
    let opened = journal::open(options(dir.path()));
    let (mut writer, reader, _) = opened.expect("no content keeps a journal from opening");
    assert_eq!(all(&reader), before, "opening to append reads what opening to read does");
    let payload = [0xc0];
    let record = NewRecord {
        kind: 0x0170,
        flags: Flags::default(),
        time_ns: 1,
        key: 0,
        class: 0,
        payload: &payload,
    };
    let appended = writer.append(&[record, record]).is_ok();
    let after = check(&reader, is_orderly);
    assert!(after.starts_with(&before), "an append changes nothing that was there");
    assert_eq!(after.len(), before.len() + if appended { 2 } else { 0 });
    drop((writer, reader));
    let (reader, _) = match Reader::open(dir.path()) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(!appended, "what was appended can be opened again: {error}");
            return;
        }
    };
    assert_eq!(check(&reader, is_orderly), after, "another start reads the same");
}

/// An archive, or arbitrary bytes in place of one.
pub fn backup(input: &[u8]) {
    let dir = folder();
    let path = dir.path().join("backup.tar");
    let bytes = match input.split_first() {
        Some((&count, rest)) if count < 0x80 => {
            let (changes, rest) = rest.split_at((usize::from(count) * 4).min(rest.len()));
            files::archive(&files::segments(rest), changes)
        }
        _ => input.to_vec(),
    };
    fs::write(&path, bytes).expect("the volume has room");
    if let Ok((reader, _)) = Reader::open(&path) {
        check(&reader, false);
    }
}

/// A payload: two bytes of its kind, then itself.
pub fn event(input: &[u8]) {
    let Some((kind, payload)) = input.split_first_chunk() else { return };
    let kind = u16::from_le_bytes(*kind);
    let Ok(Some(event)) = Event::decode(kind, payload) else { return };
    assert_eq!(event.kind(), kind);
    let (_, _, _) = (event.key(), event.role(), event.class());
    let mut encoded = Vec::new();
    event.encode_to(&mut encoded);
    let again = Event::decode(kind, &encoded).expect("what was encoded can be decoded");
    let mut twice = Vec::new();
    again.expect("its kind is known").encode_to(&mut twice);
    // Bytes, since a time that is no number equals nothing.
    assert_eq!(encoded, twice, "decoding loses nothing");
}

/// Everything that a reader can be asked, and what must hold of its answers.
fn check(reader: &Reader, is_orderly: bool) -> Vec<Row> {
    let rows = all(reader);
    let is_sorted = rows.is_sorted_by(|a, b| a.0 < b.0);
    assert!(is_sorted || !is_orderly, "every event is read once, in order");
    let mut back = Vec::new();
    let scanned = reader.scan_back(Range::ALL, &mut |record| {
        back.push((record.seq, record.kind, record.key, record.payload.to_vec()));
        Continue(())
    });
    if scanned.is_ok() && is_orderly {
        back.reverse();
        assert_eq!(back, rows, "newest first is the same, reversed");
    }
    let deep = reader.verify_deep();
    if let Ok(verification) = deep
        && is_orderly
    {
        check_law(&verification.account, &rows);
    }
    check_states(reader, &rows, is_orderly);
    for SegmentInfo { name, .. } in reader.segments() {
        let file = reader.segment_file(&name).expect("a segment that is listed is there");
        let mut buf = [0; 8192];
        file.read_at(0, &mut buf);
    }
    rows
}

fn check_law(account: &Account, rows: &[Row]) {
    let lost: u64 = account.lost.iter().map(|lost| lost.last_seq - lost.first_seq + 1).sum();
    let numbers = (account.last_seq + 1).saturating_sub(account.first_seq);
    assert_eq!(account.recorded, rows.len() as u64, "verify counts what a scan finds");
    assert_eq!(account.recorded + lost + account.leapt, numbers, "the law of numbers: {account:?}");
}

fn check_states(reader: &Reader, rows: &[Row], is_orderly: bool) {
    let positions = reader.positions();
    let middle = rows.get(rows.len() / 2).map_or(0, |row| row.0);
    for to in [None, Some(0), Some(middle), Some(positions.last_seq), Some(Seq::MAX)] {
        let _ = read::state_at(reader, to, &mut |_| {});
    }
    for time_ns in [i64::MIN, 0, 1, i64::MAX] {
        let _ = reader.seq_at(time_ns);
    }
    if let Some((_, kind, key, _)) = rows.get(rows.len() / 2) {
        let kinds = [*kind];
        let key = Some(*key).filter(|key| *key != 0);
        let wanted: Vec<Seq> = rows
            .iter()
            .filter(|row| row.1 == *kind && key.is_none_or(|key| key == row.2))
            .map(|row| row.0)
            .collect();
        let mut found = Vec::new();
        let scanned = reader.scan(Range { kinds: &kinds, key, ..Range::ALL }, &mut |record| {
            found.push(record.seq);
            Continue(())
        });
        if scanned.is_ok() && is_orderly {
            assert_eq!(found, wanted, "what is skipped was not wanted");
        }
    }
    let _ = reader.scan(Range::ALL, &mut |_| Break(()));
}

/// What a backup of everything holds, unpacked by nobody; `None` where none can be had.
fn copied(reader: &Reader, dir: &Path) -> Option<Vec<Row>> {
    let download = reader.backup(reader.positions().last_seq).ok()?;
    let mut bytes = vec![0; download.len as usize];
    let read = download.read_at(0, &mut bytes);
    assert_eq!(read as u64, download.len, "a download is as long as it says");
    let path = dir.join("copy.tar");
    fs::write(&path, bytes).expect("the volume has room");
    Some(Reader::open(&path).map(|(reader, _)| all(&reader)).unwrap_or_default())
}

fn all(reader: &Reader) -> Vec<Row> {
    let mut rows = Vec::new();
    let scanned = reader.scan(Range::ALL, &mut |record| {
        rows.push((record.seq, record.kind, record.key, record.payload.to_vec()));
        Continue(())
    });
    assert!(scanned.is_ok(), "files on a sound volume can be read");
    rows
}

fn options(dir: &Path) -> Options {
    Options { dir: dir.to_owned(), segment_bytes: 64 << 10, keep: Retention::default() }
}

/// Writes the files; says whether all of them are orderly.
fn put(dir: &Path, files: &[File]) -> bool {
    for File { name, bytes, .. } in files {
        fs::write(dir.join(name), bytes).expect("the volume has room");
    }
    files.iter().all(|file| file.is_orderly)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is a folder for temporary files")
}
