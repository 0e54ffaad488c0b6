//! Holds the registry of kinds in `journal-format.md` and the code together: numbers, words, fields
//! in their order, identities, flags and classes.

use serde::Serialize;

use super::{
    ActionIntent, ActionOutcome, ActionProgress, Boot, ClusterEvent, Degraded, DeletedBecause,
    Event, Extensions, FilesRemoved, Gap, Key, Level, LiveQuery, LiveQueryDropped, LogLine,
    ObjectDeleted, ObjectObserved, ObjectRef, Outcome, PodLogPosition, ProbeResult, ProcessUsage,
    Retention, Role, Section, SourceState, State, Trace, TraceEnd, VolumeUsage, WatchPosition,
    word,
};

const DOCUMENT: &str = include_str!("../../journal-format.md");

fn text() -> String {
    "x".to_owned()
}

fn ext() -> Extensions {
    Extensions::default()
}

fn object() -> ObjectRef {
    let (api_version, kind, namespace, name) = (text(), text(), text(), text());
    ObjectRef { api_version, kind, namespace, name, uid: "u".into() }
}

fn section() -> Section {
    Section { path: text(), start_time: 1.0, duration: None, extra_info: None }
}

/// The fields of a struct, in order, as its own serializer names them.
fn fields(value: &impl Serialize) -> Vec<String> {
    let json = serde_json::to_string(value).expect("plain data is JSON");
    let (mut names, mut depth, mut rest) = (Vec::new(), 0, json.as_str());
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        let (sign, behind) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = behind;
        match sign {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let end = behind.find('"').expect("a string ends");
                rest = &behind[end + 1..];
                if depth == 1 && rest.starts_with(':') {
                    names.push(behind[..end].to_owned());
                }
            }
        }
    }
    names
}

/// One event of each kind, with its fields.
fn examples() -> Vec<(Event, Vec<String>)> {
    fn of<T: Serialize>(value: T, event: impl Fn(T) -> Event) -> (Event, Vec<String>) {
        let fields = fields(&value);
        (event(value), fields)
    }
    let (from, to) = (1.0, 2.0);
    let query = (text(), text(), text());
    vec![
        of(
            ObjectObserved {
                object: object(),
                source: text(),
                resource_version: text(),
                body: text(),
                ext: ext(),
            },
            Event::ObjectObserved,
        ),
        of(
            ObjectDeleted {
                object: object(),
                source: text(),
                because: DeletedBecause::Deleted,
                from,
                to,
                body: text(),
                ext: ext(),
            },
            Event::ObjectDeleted,
        ),
        of(
            ClusterEvent {
                uid: text(),
                source: text(),
                resource_version: text(),
                regarding: object(),
                event_type: "Warning".into(),
                reason: text(),
                message: text(),
                reporter: text(),
                count: 1,
                first: 1.0,
                last: 2.0,
                ext: ext(),
            },
            Event::ClusterEvent,
        ),
        of(
            LogLine {
                source: text(),
                time: 1.0,
                level: Level::Trace,
                target: text(),
                span_name: text(),
                message: text(),
                ext: ext(),
            },
            Event::LogLine,
        ),
        of(
            Trace {
                source: text(),
                id: text(),
                end: TraceEnd::Open,
                sections: vec![section()],
                ext: ext(),
            },
            Event::Trace,
        ),
        of(
            LiveQuery {
                source: query.0.clone(),
                table_name: query.1.clone(),
                filter: query.2.clone(),
                last_entries: text(),
                watchers_count: 1,
                deleting: false,
                ext: ext(),
            },
            Event::LiveQuery,
        ),
        of(
            LiveQueryDropped { source: query.0, table_name: query.1, filter: query.2, ext: ext() },
            Event::LiveQueryDropped,
        ),
        of(
            SourceState {
                name: text(),
                state: State::Up,
                reason: text(),
                since: 1.0,
                malformed: 0,
                last_malformed: text(),
                ext: ext(),
            },
            Event::SourceState,
        ),
        of(Gap { source: text(), reason: text(), from, to, dropped: None, ext: ext() }, Event::Gap),
        of(
            WatchPosition { source: text(), resource_version: text(), ext: ext() },
            Event::WatchPosition,
        ),
        of(
            ProbeResult {
                name: text(),
                target: text(),
                ok: true,
                latency: Some(1.0),
                status: None,
                detail: text(),
                since: 1.0,
                observed: 2.0,
                gone: false,
                ext: ext(),
            },
            Event::ProbeResult,
        ),
        of(
            VolumeUsage {
                source: text(),
                namespace: text(),
                claim: text(),
                pod: text(),
                node: text(),
                path: None,
                used_bytes: 1,
                capacity_bytes: 2,
                available_bytes: 1,
                inodes_used: 1,
                inodes: 2,
                observed: 1.0,
                gone: false,
                ext: ext(),
            },
            Event::VolumeUsage,
        ),
        of(
            ProcessUsage {
                source: text(),
                name: text(),
                cpu_cores: None,
                memory_bytes: None,
                body: text(),
                observed: 1.0,
                gone: false,
                ext: ext(),
            },
            Event::ProcessUsage,
        ),
        of(
            PodLogPosition {
                source: text(),
                namespace: text(),
                pod: text(),
                uid: text(),
                container: text(),
                run: text(),
                stamp_ns: 1,
                of_stamp: 1,
                check: 1,
                ended: false,
                gone: false,
                ext: ext(),
            },
            Event::PodLogPosition,
        ),
        of(
            ActionIntent {
                id: text(),
                actor: text(),
                action: text(),
                args: text(),
                started: 1.0,
                ext: ext(),
            },
            Event::ActionIntent,
        ),
        of(ActionProgress { id: text(), line: text(), ext: ext() }, Event::ActionProgress),
        of(
            ActionOutcome {
                id: text(),
                actor: text(),
                action: text(),
                args: text(),
                started: 1.0,
                ended: 2.0,
                outcome: Outcome::Unknown,
                detail: text(),
                ext: ext(),
            },
            Event::ActionOutcome,
        ),
        of(
            Boot { version: text(), host: text(), mode: text(), recovery: text(), ext: ext() },
            Event::Boot,
        ),
        of(
            Retention {
                segments: 1,
                bytes: 1,
                first_seq: 1,
                last_seq: 1,
                because: text(),
                ext: ext(),
            },
            Event::Retention,
        ),
        of(FilesRemoved { files: vec![text()], detail: text(), ext: ext() }, Event::FilesRemoved),
        of(Degraded { reason: text(), from, to, dropped: 1, kept: 1, ext: ext() }, Event::Degraded),
    ]
}

/// The cells of a kind's row: event, fields, identity, flag.
fn row(kind: u16) -> Vec<&'static str> {
    let start = format!("| {kind:#06x} |");
    let line = DOCUMENT.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("{kind:#06x} is not in journal-format.md"));
    line.split('|').skip(2).map(str::trim).collect()
}

/// The first word of each part of a list.
fn words(list: &str) -> Vec<String> {
    let first = |part: &str| part.split([' ', '?']).next().unwrap_or_default().to_owned();
    list.split(", ").map(first).collect()
}

#[test]
fn every_kind_stands_in_the_registry_with_its_fields() {
    let examples = examples();
    assert_eq!(examples.len(), word::WORDS.len(), "one example of each kind");
    for (event, fields) in &examples {
        let kind = event.kind();
        let cells = row(kind);
        assert_eq!(word::word_of(kind), Some(&*cells[0].replace(' ', "_")));
        let documented = [words(cells[1]), vec!["ext".to_owned()]].concat();
        assert_eq!(*fields, documented, "fields of {}", cells[0]);
        assert_eq!(event.key() == Key::NONE, cells[2].is_empty(), "identity of {}", cells[0]);
        let flag = match event.role() {
            Role::History => "",
            Role::State if cells[3].contains("else") => cells[3],
            Role::State => "state",
            Role::End => "end",
        };
        assert_eq!(flag, cells[3], "flag of {}", cells[0]);
    }
}

#[test]
fn payloads_are_arrays_with_a_last_slot_that_is_nil() {
    for (event, fields) in examples() {
        let mut payload = Vec::new();
        event.encode_to(&mut payload);
        assert_eq!(payload[0], 0x90 | fields.len() as u8, "a short array");
        assert_eq!(payload.last(), Some(&0xc0), "nil");
    }
    for (name, fields) in [("object", fields(&object())), ("sections", fields(&section()))] {
        let start = format!("*{name}*");
        let line = DOCUMENT.lines().find(|line| line.starts_with(&start)).expect("it is described");
        let list = line.split(": ").last().expect("a list").trim_end_matches('.');
        assert_eq!(fields, words(list), "{name}");
    }
}

#[test]
fn the_classes_are_those_of_the_table() {
    let documented = |words: &str, class: u8| {
        assert!(DOCUMENT.contains(&format!("| {words} | {class} |")), "{words} {class}");
    };
    for level in [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace] {
        documented(&format!("log line | `{}`", level.as_str()), level as u8);
    }
    for event_type in ["Warning", "Normal"] {
        let class = ClusterEvent::class_of(event_type);
        documented(&format!("cluster event | `{event_type}`"), class);
    }
    for (event, _) in examples() {
        let has_class = matches!(event, Event::LogLine(_) | Event::ClusterEvent(_));
        assert_eq!(event.class() != 0, has_class, "{event:?}");
    }
    assert_eq!(ClusterEvent::class_of("Odd"), 0);
}

#[test]
fn the_identity_becomes_the_key_as_described() {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(b"live query\0app\0users\0{}\0");
    let first = digest[..8].try_into().expect("eight bytes");
    assert_eq!(Key::live_query("app", "users", "{}").0, u64::from_le_bytes(first));
}
