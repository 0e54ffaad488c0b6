//! A journal that is many times larger than the memory that the process may take.

use std::{fs, path::Path, process::Command, time::Instant};

use monitor_backend::{
    event::{Event, Extensions, Level, LogLine, ObjectObserved, ObjectRef, Role},
    journal::{self, Flags, NewRecord},
};

use crate::{
    log::Log,
    process::{self, Process},
    site::{is_alive, readiness},
};

/// What is recorded, bytes.
const JOURNAL_BYTES: u64 = 320 << 20;
/// Most of it in the last segment, which the start reads.
const SEGMENT_BYTES: u64 = 192 << 20;
/// Pods that live in the end.
const PODS: u64 = 2_000;
/// What the process may write in memory of its own: far less than what the start reads.
const PRIVATE_MAX: u64 = 48 << 20;
/// What it may ask for, beside maps: stacks of threads count in full, though they are not used.
const DATA_MAX: u64 = 192 << 20;

#[tokio::test]
async fn a_start_takes_no_more_memory_for_a_larger_journal_and_serves_all_the_while() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = Log::new(folder.path());
    let data = folder.path().join("data");
    let recorded = record(&data);
    let serve = process::serve_command(&data, &[]);
    let mut command = Command::new("prlimit");
    command.arg(format!("--data={DATA_MAX}")).arg("--").arg(serve.get_program());
    command.args(serve.get_args()).env_clear().stderr(log.stderr());
    for (name, value) in serve.get_envs() {
        command.env(name, value.expect("no variable is unset"));
    }

    let recorder = Process::start(command);
    let deadline = Instant::now() + process::WAIT_MAX;
    let mut asked = 0;
    while readiness(&recorder).await != 200 {
        is_alive(&recorder).await;
        asked += 1;
        assert!(Instant::now() < deadline, "it never became ready");
    }
    assert!(asked > 0, "it was ready before anybody could ask: the journal is too small");
    assert!(private_bytes(&recorder) < PRIVATE_MAX, "{} at the start", private_bytes(&recorder));

    let objects = recorder.get("/api/objects?kind=Pod").await;
    assert_eq!(objects["objects"].as_array().map(Vec::len), Some(PODS as usize));
    let found = recorder.get("/api/logs?limit=10&q=nowhere").await;
    assert_eq!(found["entries"], serde_json::json!([]));
    recorder.get(&format!("/api/overview?at={}", recorded / 3)).await;
    assert!(private_bytes(&recorder) < PRIVATE_MAX, "{} when asked", private_bytes(&recorder));
    log.holds_no_panic();
}

/// Fills a journal as after a crash: the last segment has no seal. Returns its last number.
fn record(dir: &Path) -> u64 {
    let keep = journal::Retention::default();
    let options = journal::Options { dir: dir.to_owned(), segment_bytes: SEGMENT_BYTES, keep };
    let (mut writer, reader, _) = journal::open(options).expect("the folder is writable");
    let events: Vec<Event> = (0..1000).map(event).collect();
    let mut round = 0;
    while reader.positions().bytes < JOURNAL_BYTES {
        let pods = (0..100).map(|n| pod((round * 100 + n) % PODS));
        let events: Vec<Event> = pods.chain(events.iter().cloned()).collect();
        append(&mut writer, &events);
        round += 1;
    }
    writer.sync().expect("the folder is writable");
    reader.positions().last_seq
}

fn append(writer: &mut journal::Writer, events: &[Event]) {
    let encoded: Vec<Vec<u8>> = events
        .iter()
        .map(|event| {
            let mut payload = Vec::new();
            event.encode_to(&mut payload);
            payload
        })
        .collect();
    let records: Vec<NewRecord<'_>> = events
        .iter()
        .zip(&encoded)
        .map(|(event, payload)| NewRecord {
            kind: event.kind(),
            flags: if event.role() == Role::State { Flags::STATE } else { Flags::default() },
            time_ns: 1_700_000_000_000_000_000,
            key: event.key().0,
            class: event.class(),
            payload,
        })
        .collect();
    writer.append(&records).expect("the folder is writable");
}

fn event(number: u64) -> Event {
    Event::LogLine(LogLine {
        source: "app-server".into(),
        time: number as f64,
        level: Level::Info,
        target: "app_server::db".into(),
        span_name: String::new(),
        message: format!("line {number} {}", "x".repeat(600)),
        ext: Extensions::default(),
    })
}

fn pod(number: u64) -> Event {
    Event::ObjectObserved(ObjectObserved {
        object: ObjectRef {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: "default".into(),
            name: format!("pod-{number}"),
            uid: format!("uid-{number}"),
        },
        source: "cluster/Pod".into(),
        resource_version: number.to_string(),
        body: format!(r#"{{"metadata":{{"name":"{}"}}}}"#, "x".repeat(4000)),
        ext: Extensions::default(),
    })
}

/// What the process has written in memory of its own.
fn private_bytes(process: &Process) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.id()));
    let rollup = rollup.expect("it runs");
    let line = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let kib = line.expect("the kernel tells").trim().trim_end_matches(" kB");
    kib.parse::<u64>().expect("a number") << 10
}
