//! The laws that join journal and views, on random histories.
//!
//! Law 1: delete every view, replay, get equal views. Law 3: live = replay for every prefix. The
//! segments are small, so that most histories span several and most replays begin at a keyframe.

use monitor_backend::{
    event::{
        ActionIntent, ActionOutcome, Degraded, DeletedBecause, Event, Extensions, FilesRemoved,
        Level, LiveQuery, LogLine, ObjectDeleted, ObjectObserved, ObjectRef, Outcome, ProbeResult,
        ProcessUsage, Retention, Role, Section, SourceState, State, Trace, TraceEnd, VolumeUsage,
        WatchPosition, millis,
    },
    journal::{self, Flags, NewRecord, Reader, Seq},
    views::{self, Body, read},
};
use proptest::prelude::*;

const SEGMENT_BYTES: u64 = 16 << 10;

/// Everything about a few entities, so that they change often.
fn event() -> impl Strategy<Value = Event> {
    let id = 0..6_u8;
    prop_oneof![
        (id.clone(), 0..900_usize).prop_map(|(id, size)| observed(id, size)),
        id.clone().prop_map(deleted),
        (id.clone(), any::<bool>()).prop_map(|(id, is_open)| trace(id, is_open)),
        (id.clone(), any::<bool>()).prop_map(|(id, deleting)| live_query(id, deleting)),
        (0..3_u8, 0..3_u8).prop_map(|(id, word)| source_state(id, word)),
        (id.clone(), any::<bool>()).prop_map(|(id, gone)| volume(id, gone)),
        (id.clone(), any::<bool>()).prop_map(|(id, gone)| process(id, gone)),
        id.clone().prop_map(|id| Event::WatchPosition(WatchPosition {
            source: format!("cluster/{}", id % 3),
            resource_version: id.to_string(),
            ext: Extensions::default(),
        })),
        id.clone().prop_map(|id| Event::ActionIntent(intent(id))),
        id.clone().prop_map(outcome),
        (id.clone(), any::<bool>(), any::<bool>()).prop_map(|(id, ok, gone)| probe(id, ok, gone)),
        "[a-z ]{0,200}".prop_map(log_line),
        id.prop_map(upkeep),
    ]
}

fn object(id: u8) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: "default".into(),
        name: format!("pod-{id}"),
        uid: format!("uid-{id}"),
    }
}

fn observed(id: u8, size: usize) -> Event {
    let filler = "x".repeat(size);
    Event::ObjectObserved(ObjectObserved {
        object: object(id),
        source: "cluster/Pod".into(),
        resource_version: size.to_string(),
        body: format!(r#"{{"metadata":{{"name":"{filler}"}},"status":{{"phase":"Running"}}}}"#),
        ext: Extensions::default(),
    })
}

fn deleted(id: u8) -> Event {
    Event::ObjectDeleted(ObjectDeleted {
        object: object(id),
        source: "cluster/Pod".into(),
        because: DeletedBecause::Deleted,
        from: 1.0,
        to: 1.0,
        body: String::new(),
        ext: Extensions::default(),
    })
}

fn trace(id: u8, is_open: bool) -> Event {
    let duration = (!is_open).then_some(3.5);
    Event::Trace(Trace {
        source: "app-server".into(),
        id: format!("trace-{id}"),
        end: if is_open { TraceEnd::Open } else { TraceEnd::Ended },
        sections: vec![Section { path: "run".into(), start_time: 5.0, duration, extra_info: None }],
        ext: Extensions::default(),
    })
}

fn live_query(id: u8, deleting: bool) -> Event {
    Event::LiveQuery(LiveQuery {
        source: "app-server".into(),
        table_name: "nodes".into(),
        filter: format!(r#"{{"id":{id}}}"#),
        last_entries: "[]".into(),
        watchers_count: u64::from(id),
        deleting,
        ext: Extensions::default(),
    })
}

fn source_state(id: u8, word: u8) -> Event {
    Event::SourceState(SourceState {
        name: format!("source-{id}"),
        state: [State::Up, State::Down, State::Connecting][usize::from(word)],
        reason: "because".into(),
        since: 7.0,
        malformed: 0,
        last_malformed: String::new(),
        ext: Extensions::default(),
    })
}

fn probe(id: u8, ok: bool, gone: bool) -> Event {
    Event::ProbeResult(ProbeResult {
        name: format!("probe-{id}"),
        target: "tcp://database:5432".into(),
        ok,
        latency: ok.then_some(1.5),
        status: None,
        detail: String::new(),
        since: 8.0,
        observed: 9.0,
        gone,
        ext: Extensions::default(),
    })
}

fn volume(id: u8, gone: bool) -> Event {
    Event::VolumeUsage(VolumeUsage {
        source: "volumes/kubelet".into(),
        namespace: "default".into(),
        claim: format!("claim-{id}"),
        pod: "pod".into(),
        node: "node".into(),
        path: id.is_multiple_of(2).then(|| "/data".into()),
        used_bytes: u64::from(id),
        capacity_bytes: 10,
        available_bytes: 10 - u64::from(id),
        inodes_used: 1,
        inodes: 2,
        observed: 8.0,
        gone,
        ext: Extensions::default(),
    })
}

fn process(id: u8, gone: bool) -> Event {
    Event::ProcessUsage(ProcessUsage {
        source: "volumes/kubelet".into(),
        name: format!("node/node-{id}"),
        cpu_cores: id.is_multiple_of(2).then_some(0.5),
        memory_bytes: Some(u64::from(id)),
        body: String::new(),
        observed: 8.0,
        gone,
        ext: Extensions::default(),
    })
}

fn intent(id: u8) -> ActionIntent {
    ActionIntent {
        id: format!("action-{id}"),
        actor: "admin key".into(),
        action: "restart-workload".into(),
        args: "{}".into(),
        started: 9.0,
        ext: Extensions::default(),
    }
}

fn outcome(id: u8) -> Event {
    let ActionIntent { id, actor, action, args, started, ext } = intent(id);
    let (ended, outcome, detail) = (10.0, Outcome::Succeeded, String::new());
    Event::ActionOutcome(ActionOutcome {
        id,
        actor,
        action,
        args,
        started,
        ended,
        outcome,
        detail,
        ext,
    })
}

fn upkeep(id: u8) -> Event {
    let (count, ext) = (u64::from(id), Extensions::default());
    match id % 3 {
        0 => Event::Retention(Retention {
            segments: count,
            bytes: count,
            first_seq: 1,
            last_seq: count,
            because: "age".into(),
            ext,
        }),
        1 => Event::FilesRemoved(FilesRemoved {
            files: vec!["a.seg".into(); usize::from(id)],
            detail: "gone".into(),
            ext,
        }),
        _ => Event::Degraded(Degraded {
            reason: "full".into(),
            from: 1.0,
            to: 2.5,
            dropped: count,
            kept: count,
            ext,
        }),
    }
}

fn log_line(message: String) -> Event {
    Event::LogLine(LogLine {
        source: "app-server".into(),
        time: 11.0,
        level: Level::Info,
        target: "t".into(),
        span_name: String::new(),
        message,
        ext: Extensions::default(),
    })
}

/// Records batches as the recorder does; returns the live state after each event.
fn record(dir: &std::path::Path, batches: &[Vec<Event>]) -> Vec<(Seq, views::State)> {
    let options = journal::Options {
        dir: dir.to_owned(),
        segment_bytes: SEGMENT_BYTES,
        keep: journal::Retention::default(),
    };
    let (mut writer, reader, _) = journal::open(options).expect("the journal opens");
    let mut state = read::state_at(&reader, None, &mut |_| ()).expect("the journal replays");
    let mut moments = Vec::new();
    for (time_ns, batch) in (1_000_000..).step_by(1000).zip(batches) {
        let payloads: Vec<Vec<u8>> = batch.iter().map(payload).collect();
        let records: Vec<NewRecord<'_>> = batch
            .iter()
            .zip(&payloads)
            .map(|(event, payload)| NewRecord {
                kind: event.kind(),
                flags: flags(event),
                time_ns,
                key: event.key().0,
                class: event.class(),
                payload,
            })
            .collect();
        let appended = writer.append(&records).expect("the batch is appended");
        for ((event, place), seq) in
            batch.iter().zip(appended.places.iter()).zip(appended.first_seq..)
        {
            state.apply(event, Body { seq, learned: millis(time_ns), place });
            moments.push((seq, state.clone()));
        }
    }
    moments
}

fn payload(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    event.encode_to(&mut out);
    out
}

fn flags(event: &Event) -> Flags {
    match event.role() {
        Role::History => Flags::default(),
        Role::State => Flags::STATE,
        Role::End => Flags::END,
    }
}

fn replayed(reader: &Reader, to: Option<Seq>) -> views::State {
    read::state_at(reader, to, &mut |_| ()).expect("the journal replays")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn deleted_views_come_back_equal_and_every_prefix_replays_as_it_was_live(
        runs in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(event(), 1..20), 1..12), 1..4),
    ) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut moments = Vec::new();
        for batches in &runs {
            moments.extend(record(dir.path(), batches));
        }
        let (reader, _) = Reader::open(dir.path()).expect("the journal opens for reading");
        let (_, last) = moments.last().expect("at least one event");
        prop_assert_eq!(&replayed(&reader, None), last);
        for (seq, live) in &moments {
            prop_assert_eq!(&replayed(&reader, Some(*seq)), live, "at {}", seq);
        }
    }

    #[test]
    fn a_payload_reads_back_as_the_event_that_was_written(event in event()) {
        let read = Event::decode(event.kind(), &payload(&event)).expect("it decodes");
        prop_assert_eq!(read, Some(event));
    }

    #[test]
    fn no_payload_panics_the_decoder(kind in 0x0100..0x0180_u16, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::decode(kind, &bytes);
    }
}

/// Bytes whose checksum holds and whose content means harm: nesting without end, lengths that no
/// memory holds. They are refused, in no more memory than they take themselves.
#[test]
fn a_payload_that_is_a_bomb_is_refused() {
    const NESTED: usize = 1 << 20;
    let nested = |byte: u8| vec![byte; NESTED];
    let huge = |marker: u8| [&[0x95, marker][..], &u32::MAX.to_be_bytes(), b"little"].concat();
    let huge_array = [&[0xdd][..], &u32::MAX.to_be_bytes()].concat();
    let bombs = [
        // Arrays of arrays, maps of maps.
        nested(0x91),
        nested(0x81),
        [vec![0x9f], nested(0x91)].concat(),
        // A string, bytes, an array and a map of four thousand million parts.
        huge(0xdb),
        huge(0xc6),
        huge(0xdd),
        huge(0xdf),
        huge_array,
    ];
    for kind in 0x0100..0x0200 {
        for bomb in &bombs {
            let decoded = Event::decode(kind, bomb);
            assert!(matches!(decoded, Err(_) | Ok(None)), "{kind:#x}");
        }
    }
}
