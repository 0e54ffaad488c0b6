//! Acknowledged as durable: one waiter against one `fdatasync`, and waiters that share syncs.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use monitor_backend::{
    event::{Event, Observation, Observed, millis, now_ns},
    recorder::{self, Started},
};
use monitor_backend_benches::{
    bare::OneSync,
    events::Events,
    journals::{self, folder},
};
use tokio::{runtime::Runtime, task::JoinSet};

const SEGMENT_BYTES: u64 = 64 << 20;

/// How many wait at once where many wait.
const WAITERS: usize = 64;

/// Lines in a message of a collector, and messages in one iteration of the flood.
const LINES_PER_MESSAGE: usize = 250;
const MESSAGES: usize = 80;

fn durable(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("durable");
    let batches = journals::lines(1_000, 1);
    let payload = batches[0].batch()[0].payload.to_vec();

    let dir = folder().expect("the volume has room");
    let mut bare = OneSync::create(&dir.path().join("bare"), SEGMENT_BYTES).expect("it has room");
    group.bench_function("fdatasync", |b| b.iter(|| bare.write(&payload).expect("it syncs")));

    let dir = folder().expect("the volume has room");
    let (mut writer, _reader) = journals::open(dir.path(), SEGMENT_BYTES).expect("it opens");
    let mut next = batches.iter().cycle();
    group.bench_function("journal-1", |b| {
        b.iter(|| {
            let records = next.next().expect("a cycle has no end");
            writer.append(&records.batch()).expect("there is room");
            writer.sync().expect("it syncs")
        });
    });

    let runtime = Runtime::new().expect("a runtime starts");
    let dir = folder().expect("the volume has room");
    let started = start(&runtime, dir.path());
    let mut events = Events::new(3, 1);
    let mut line = || events.line(millis(now_ns()));
    for waiters in [1, WAITERS] {
        group.throughput(Throughput::Elements(waiters as u64));
        group.bench_function(format!("recorder-{waiters}"), |b| {
            b.iter_custom(|iterations| {
                let mut took = Duration::ZERO;
                for _ in 0..iterations {
                    let lines: Vec<Event> = (0..waiters).map(|_| line()).collect();
                    took += runtime.block_on(acknowledged(&started, lines));
                }
                took
            });
        });
    }
    group.throughput(Throughput::Elements((MESSAGES * LINES_PER_MESSAGE) as u64));
    group.bench_function("recorder-flood", |b| {
        b.iter_custom(|iterations| {
            let message = || (0..LINES_PER_MESSAGE).map(|_| line()).collect();
            let messages: Vec<Vec<Event>> =
                std::iter::repeat_with(message).take(MESSAGES).collect();
            let mut took = Duration::ZERO;
            for _ in 0..iterations {
                took += runtime.block_on(flooded(&started, messages.clone()));
            }
            took
        });
    });
    group.finish();
    runtime.block_on(started.recorder.stop());
    started.thread.join().expect("the recorder ends in order");
}

fn start(runtime: &Runtime, dir: &std::path::Path) -> Started {
    let setup = recorder::Setup {
        journal: journals::options(dir, SEGMENT_BYTES),
        version: "bench".into(),
        host: "bench".into(),
        mode: "live".into(),
        config_faults: Vec::new(),
        // More than any flood: nothing is dropped.
        source_bytes_per_day: Some(1 << 50),
        wipe_on_start: None,
    };
    let started = recorder::start(setup).expect("a thread starts");
    assert!(runtime.block_on(started.published.replayed()), "the recorder starts");
    started
}

/// Records one event for each waiter at once; until the last has its acknowledgement.
async fn acknowledged(started: &Started, events: Vec<Event>) -> Duration {
    let mut waiting = JoinSet::new();
    let begun = Instant::now();
    for event in events {
        let recorder = started.recorder.clone();
        waiting.spawn(async move { recorder.record_durable(vec![event]).await });
    }
    while let Some(done) = waiting.join_next().await {
        done.expect("no task panics").expect("the recorder runs");
    }
    begun.elapsed()
}

/// Sends observations as fast as the queue takes them, until the last one is applied.
async fn flooded(started: &Started, messages: Vec<Vec<Event>>) -> Duration {
    let count: usize = messages.iter().map(Vec::len).sum();
    let mut positions = started.published.positions.clone();
    let goal = positions.borrow().last_seq + count as u64;
    let begun = Instant::now();
    for events in messages {
        let message = Observed { generation: 0, what: Observation::Events(events) };
        assert!(started.queue.send(message).await.is_ok(), "the recorder runs");
    }
    let reached = positions.wait_for(|at| at.last_seq >= goal).await;
    assert!(reached.is_ok(), "the recorder runs");
    begun.elapsed()
}

fn configured() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = configured(); targets = durable }
criterion_main!(benches);
