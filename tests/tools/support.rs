//! Journals to work on, written through the library, and the binary that works on them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use monitor_backend::{
    event::{
        DeletedBecause, Event, Extensions, Level, LogLine, ObjectDeleted, ObjectObserved,
        ObjectRef, Role, SourceState, State,
    },
    journal::{self, Flags, NewRecord, Options, Retention, Seq, Writer},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::process;

/// So small that a few hundred events make several segments.
pub const SEGMENT_BYTES: u64 = 16 << 10;

/// The time of event 1; each is a second later than the one before.
pub const START_NS: i64 = 1_700_000_000_000_000_000;

/// A journal that is being written.
pub struct Recorded {
    pub dir: TempDir,
    pub writer: Writer,
    next: i64,
}

impl Recorded {
    pub fn start() -> Recorded {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (writer, _, _) = journal::open(options(dir.path())).expect("the journal opens");
        Recorded { dir, writer, next: 0 }
    }

    /// A journal of several segments with some of everything, closed in order.
    pub fn filled() -> TempDir {
        let mut recorded = Recorded::start();
        for round in 0..40 {
            recorded.append(&round_of_events(round));
        }
        recorded.close()
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Appends events as one batch; gives the number of the first.
    pub fn append(&mut self, events: &[Event]) -> Seq {
        let raw: Vec<Raw> = events.iter().map(Raw::of).collect();
        self.append_raw(&raw)
    }

    pub fn append_raw(&mut self, raw: &[Raw]) -> Seq {
        let records: Vec<NewRecord<'_>> = raw
            .iter()
            .zip(self.next..)
            .map(|(raw, second)| raw.at(START_NS + second * 1_000_000_000))
            .collect();
        self.next += raw.len() as i64;
        let appended = self.writer.append(&records).expect("it is appended");
        self.writer.sync().expect("it is synced");
        appended.first_seq
    }

    pub fn close(self) -> TempDir {
        self.writer.close().expect("it closes");
        self.dir
    }
}

pub fn options(dir: &Path) -> Options {
    Options { dir: dir.to_owned(), segment_bytes: SEGMENT_BYTES, keep: Retention::default() }
}

/// A record without its time.
pub struct Raw {
    pub kind: u16,
    pub class: u8,
    pub flags: Flags,
    pub key: u64,
    pub payload: Vec<u8>,
}

impl Raw {
    pub fn of(event: &Event) -> Raw {
        let mut payload = Vec::new();
        event.encode_to(&mut payload);
        let flags = match event.role() {
            Role::History => Flags::default(),
            Role::State => Flags::STATE,
            Role::End => Flags::END,
        };
        Raw { kind: event.kind(), class: event.class(), flags, key: event.key().0, payload }
    }

    fn at(&self, time_ns: i64) -> NewRecord<'_> {
        let Raw { kind, class, flags, key, ref payload } = *self;
        NewRecord { kind, class, flags, time_ns, key, payload }
    }
}

/// Some of everything, about 4 KiB.
pub fn round_of_events(round: u32) -> Vec<Event> {
    let mut events = vec![
        pod(round % 7, &format!("round {round} {}", "x".repeat(700))),
        source(if round.is_multiple_of(2) { State::Up } else { State::Down }),
        log(Level::Error, &format!("error of round {round}")),
    ];
    if round % 5 == 4 {
        events.push(gone(round % 7));
    }
    events.extend((0..10).map(|line| log(Level::Info, &format!("round {round} line {line}"))));
    events
}

pub fn log(level: Level, message: &str) -> Event {
    Event::LogLine(LogLine {
        source: "app-server".into(),
        time: 1.5,
        level,
        target: "main".into(),
        span_name: String::new(),
        message: message.into(),
        ext: Extensions::default(),
    })
}

pub fn object(id: u32) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: "default".into(),
        name: format!("pod-{id}"),
        uid: format!("uid-{id}"),
    }
}

pub fn pod(id: u32, note: &str) -> Event {
    let body = serde_json::json!({
        "metadata": {"annotations": {"note": note}},
        "status": {"phase": "Running"},
    });
    Event::ObjectObserved(ObjectObserved {
        object: object(id),
        source: "cluster/Pod".into(),
        resource_version: "7".into(),
        body: body.to_string(),
        ext: Extensions::default(),
    })
}

fn gone(id: u32) -> Event {
    Event::ObjectDeleted(ObjectDeleted {
        object: object(id),
        source: "cluster/Pod".into(),
        because: DeletedBecause::Deleted,
        from: 1.0,
        to: 2.0,
        body: String::new(),
        ext: Extensions::default(),
    })
}

fn source(state: State) -> Event {
    Event::SourceState(SourceState {
        name: "app-server".into(),
        state,
        reason: "because".into(),
        since: 7.0,
        malformed: 0,
        last_malformed: String::new(),
        ext: Extensions::default(),
    })
}

/// What a tool printed, and how it ended.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the binary; paths among the arguments are text.
pub fn run(args: &[&str]) -> Ran {
    let output = process::output(args);
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("it prints text"),
        stderr: String::from_utf8(output.stderr).expect("it prints text"),
    }
}

impl Ran {
    /// The output of a run that must have ended with this code.
    pub fn ended(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("it printed JSON")
    }

    pub fn rows(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

/// The segments of a directory, oldest first.
pub fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("the folder can be listed");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "seg"));
    paths.sort();
    paths
}

/// A copy of a directory's segments, to be damaged.
pub fn copy(dir: &Path) -> TempDir {
    let copied = tempfile::tempdir().expect("a temporary folder");
    for path in segments(dir) {
        let name = path.file_name().expect("a segment has a name");
        fs::copy(&path, copied.path().join(name)).expect("it is copied");
    }
    copied
}

/// Flips one bit of the byte in which `needle` begins.
pub fn flip(path: &Path, needle: &str) {
    let mut bytes = fs::read(path).expect("it can be read");
    let found = bytes.windows(needle.len()).position(|window| window == needle.as_bytes());
    bytes[found.expect("it stands there")] ^= 1;
    fs::write(path, bytes).expect("it can be written");
}

/// A backup of everything as a tar.
pub fn backup(dir: &Path) -> Vec<u8> {
    let (reader, _) = journal::Reader::open(dir).expect("it opens");
    let download = reader.backup(reader.positions().last_seq).expect("it reaches");
    let mut bytes = vec![0; download.len as usize];
    let read = download.read_at(0, &mut bytes);
    assert_eq!(read as u64, download.len);
    bytes
}
