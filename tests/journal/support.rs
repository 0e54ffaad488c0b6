//! A small vocabulary for the journal's tests.

use std::{collections::BTreeMap, fmt, ops::ControlFlow, path::Path};

use monitor_backend::journal::{
    self, Flags, NewRecord, Options, Range, Reader, Recovery, Seq, Writer,
};

/// A record that owns its bytes: written or read, in the same form.
#[derive(Clone, PartialEq, Eq)]
pub struct Owned {
    pub seq: Seq,
    pub kind: u16,
    pub flags: u8,
    pub time_ns: i64,
    pub key: u64,
    pub class: u8,
    pub payload: Vec<u8>,
}

/// History without an entity.
pub fn history(text: &str) -> Owned {
    Owned { seq: 0, kind: 0x0120, flags: 0, time_ns: 0, key: 0, class: 0, payload: text.into() }
}

/// The present state of an entity.
pub fn state(key: u64, text: &str) -> Owned {
    Owned {
        seq: 0,
        kind: 0x0100,
        flags: Flags::STATE.0,
        time_ns: 0,
        key,
        class: 0,
        payload: text.into(),
    }
}

/// The end of an entity.
pub fn end(key: u64) -> Owned {
    Owned { flags: Flags::END.0, kind: 0x0101, ..state(key, "gone") }
}

/// Segments so small that a few records fill one.
pub const SMALL: u64 = 8192;

pub fn open_sized(dir: &Path, segment_bytes: u64) -> (Writer, Reader, Recovery) {
    journal::open(Options {
        dir: dir.to_owned(),
        segment_bytes,
        keep: journal::Retention::default(),
    })
    .expect("the journal opens")
}

pub fn open(dir: &Path) -> (Writer, Reader, Recovery) {
    open_sized(dir, SMALL)
}

/// Appends records as one batch and gives them with the numbers and times that they got.
pub fn append(writer: &mut Writer, records: &[Owned]) -> Vec<Owned> {
    let batch: Vec<NewRecord<'_>> = records.iter().map(Owned::as_new).collect();
    let appended = writer.append(&batch).expect("the batch is appended");
    assert_eq!(appended.places.len(), records.len());
    for (record, place) in records.iter().zip(appended.places.iter()) {
        assert!(place.payload() == record.payload, "what was appended is read at once");
    }
    let number = |(record, seq): (&Owned, Seq)| Owned { seq, ..record.clone() };
    records.iter().zip(appended.first_seq..).map(number).collect()
}

/// Short, since lists of them are compared.
impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owned { seq, kind, flags, time_ns, key, class, payload } = self;
        let text = String::from_utf8_lossy(&payload[..payload.len().min(12)]);
        write!(
            f,
            "#{seq} {kind:x}/{flags:x}/{class} @{time_ns} key {key} {text:?}+{}",
            payload.len()
        )
    }
}

impl Owned {
    pub fn as_new(&self) -> NewRecord<'_> {
        NewRecord {
            kind: self.kind,
            flags: Flags(self.flags),
            time_ns: self.time_ns,
            key: self.key,
            class: self.class,
            payload: &self.payload,
        }
    }
}

fn owned(record: journal::Record<'_>) -> Owned {
    Owned {
        seq: record.seq,
        kind: record.kind,
        flags: record.flags.0 & !Flags::RESTATED.0,
        time_ns: record.time_ns,
        key: record.key,
        class: record.class,
        payload: record.payload.to_vec(),
    }
}

/// Every event, oldest first.
pub const ALL: Range<'static> = Range::ALL;

pub fn scan(reader: &Reader, range: Range<'_>) -> Vec<Owned> {
    let mut found = Vec::new();
    let scanned = reader.scan(range, &mut |record| {
        found.push(owned(record));
        ControlFlow::Continue(())
    });
    scanned.expect("the journal can be scanned");
    found
}

pub fn scan_back(reader: &Reader, range: Range<'_>) -> Vec<Owned> {
    let mut found = Vec::new();
    let scanned = reader.scan_back(range, &mut |record| {
        found.push(owned(record));
        ControlFlow::Continue(())
    });
    scanned.expect("the journal can be scanned");
    found
}

/// What lives at a moment, by key, folded from a replay.
pub fn living_at(reader: &Reader, to: Option<Seq>) -> BTreeMap<u64, Owned> {
    let mut living = BTreeMap::new();
    let replayed = reader.replay(to, &mut |record, place| {
        assert_eq!(place.payload(), record.payload);
        fold(&mut living, &owned(record));
    });
    replayed.expect("the journal can be replayed");
    living
}

/// What lives after events, by the rules of the design alone: the model.
pub fn living_after<'a>(events: impl IntoIterator<Item = &'a Owned>) -> BTreeMap<u64, Owned> {
    let mut living = BTreeMap::new();
    events.into_iter().for_each(|event| fold(&mut living, event));
    living
}

fn fold(living: &mut BTreeMap<u64, Owned>, event: &Owned) {
    let flags = Flags(event.flags);
    if flags.has(Flags::END) {
        living.remove(&event.key);
    } else if flags.has(Flags::STATE) {
        living.insert(event.key, event.clone());
    }
}

/// The names of the segments in a directory, oldest first.
pub fn segment_names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the directory can be listed");
    let names = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".seg")).collect();
    names.sort();
    names
}

/// Recorded + lost + left out = last - first + 1.
pub fn check_law(reader: &Reader, recorded: u64) {
    let verification = reader.verify_deep().expect("the journal can be read");
    assert!(verification.differing.is_empty(), "{:?}", verification.differing);
    let account = verification.account;
    let lost: u64 = account.lost.iter().map(|l| l.last_seq - l.first_seq + 1).sum();
    let span = account.last_seq + 1 - account.first_seq;
    assert_eq!(account.recorded, recorded, "{account:?}");
    assert_eq!(account.recorded + lost + account.leapt, span, "{account:?}");
}

/// A download's bytes, read in pieces of different lengths.
pub fn read_all(download: &journal::Download) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 4093];
    loop {
        let count = download.read_at(bytes.len() as u64, &mut piece);
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&piece[..count]);
    }
    assert_eq!(bytes.len() as u64, download.len);
    bytes
}

/// Downloads the backup up to `to` and opens it; the file itself is gone afterwards.
pub fn open_backup(reader: &Reader, to: Seq) -> Reader {
    let dir = tempfile::tempdir().expect("a directory for the backup");
    let path = dir.path().join("backup.tar");
    let bytes = read_all(&reader.backup(to).expect("the journal reaches that far"));
    std::fs::write(&path, bytes).expect("the backup is stored");
    let (copy, recovery) = Reader::open(&path).expect("the backup opens");
    assert!(recovery.damaged.is_empty() && recovery.left_alone.is_empty(), "{recovery:?}");
    copy
}
