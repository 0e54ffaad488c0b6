//! Appending encoded log lines: *written*, not synced. The journal against a bare loop, and
//! against other logs, with the same records in the same batches. Every log starts anew, untimed,
//! before it grows past [`LOG_BYTES_MAX`], so that no side pays for the disk.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use monitor_backend::{event::now_ns, journal::Writer};
use monitor_backend_benches::{
    bare::{Mapped, Prepared},
    journals::{self, folder},
    records::Records,
};
use protobuf::well_known_types::BytesValue;
use raft_engine::{Config, Engine, LogBatch, MessageExt};
use rusqlite::Connection;
use tempfile::TempDir;

/// What one log takes before a new one is started: less than a segment.
const LOG_BYTES_MAX: usize = 56 << 20;

/// The size of the journal's segment and of the bare loop's file: nothing rotates while it is timed.
const SEGMENT_BYTES: u64 = 64 << 20;

/// Zeroing a spare takes tenths of a second.
const SPARE_TIME_MAX: Duration = Duration::from_secs(60);

/// Records in a batch; the last is about a quarter of a mebibyte, which is what the recorder
/// appends at once.
const BATCHES: [usize; 3] = [1, 64, 1_000];

/// Records in one iteration, whatever the batch, and all that are encoded beforehand: more than
/// caches hold.
const RECORDS: usize = 40_000;

/// A log that batches are appended to.
trait Log: Sized {
    /// Starts one in a folder of its own.
    fn start(dir: &TempDir) -> Self;
    /// Appends a batch.
    fn append(&mut self, records: &Records);
}

impl Log for Writer {
    fn start(dir: &TempDir) -> Writer {
        let (mut writer, _) = journals::open(dir.path(), SEGMENT_BYTES).expect("a journal opens");
        let lines = &journals::lines(1, 5_000)[0];
        let append = |writer: &mut Writer| {
            Writer::append(writer, &lines.batch()).expect("there is room");
        };
        append(&mut writer);
        // A journal that has run for a while stands in a segment that was its spare.
        let started = Instant::now();
        while !writer.has_spare() {
            assert!(started.elapsed() < SPARE_TIME_MAX, "no spare came");
            writer.maintain(now_ns());
            std::thread::sleep(Duration::from_millis(1));
        }
        while writer.segments_started() < 2 {
            append(&mut writer);
        }
        writer
    }

    fn append(&mut self, records: &Records) {
        Writer::append(self, &records.batch()).expect("there is room");
    }
}

/// A bare loop into a file whose blocks were allocated.
struct IntoAllocated(Mapped);

/// A bare loop into a file whose zeros were written.
struct IntoZeroed(Mapped);

fn mapped(dir: &TempDir, prepared: Prepared) -> Mapped {
    let path = dir.path().join("mapped");
    Mapped::create(&path, SEGMENT_BYTES, prepared).expect("the volume has room")
}

impl Log for IntoAllocated {
    fn start(dir: &TempDir) -> IntoAllocated {
        IntoAllocated(mapped(dir, Prepared::Allocated))
    }

    fn append(&mut self, records: &Records) {
        self.0.append(&records.batch());
    }
}

impl Log for IntoZeroed {
    fn start(dir: &TempDir) -> IntoZeroed {
        IntoZeroed(mapped(dir, Prepared::Zeroed))
    }

    fn append(&mut self, records: &Records) {
        self.0.append(&records.batch());
    }
}

impl Log for commitlog::CommitLog {
    fn start(dir: &TempDir) -> commitlog::CommitLog {
        let mut options = commitlog::LogOptions::new(dir.path());
        options.segment_max_bytes(SEGMENT_BYTES as usize);
        options.index_max_items(10_000_000);
        options.message_max_bytes(64 << 20);
        commitlog::CommitLog::new(options).expect("a log opens")
    }

    fn append(&mut self, records: &Records) {
        let messages = records.batch();
        let mut messages: commitlog::message::MessageBuf =
            messages.iter().map(|record| record.payload).collect();
        commitlog::CommitLog::append(self, &mut messages).expect("there is room");
    }
}

struct Raft {
    engine: Engine,
    next: u64,
}

/// An entry is its index, then the payload.
struct Entries;

impl MessageExt for Entries {
    type Entry = BytesValue;

    fn index(entry: &BytesValue) -> u64 {
        entry.value.first_chunk().map_or(0, |index| u64::from_le_bytes(*index))
    }
}

impl Log for Raft {
    fn start(dir: &TempDir) -> Raft {
        let path = dir.path().to_str().expect("temporary paths are text").to_owned();
        let config = Config { dir: path, ..Config::default() };
        Raft { engine: Engine::open(config).expect("a log opens"), next: 1 }
    }

    fn append(&mut self, records: &Records) {
        let entry = |record: &monitor_backend::journal::NewRecord<'_>| {
            let mut entry = BytesValue::new();
            entry.value = [&self.next.to_le_bytes(), record.payload].concat();
            self.next += 1;
            entry
        };
        let entries: Vec<BytesValue> = records.batch().iter().map(entry).collect();
        let mut batch = LogBatch::default();
        batch.add_entries::<Entries>(1, &entries).expect("indexes follow each other");
        self.engine.write(&mut batch, false).expect("there is room");
    }
}

struct Sqlite(Connection);

impl Log for Sqlite {
    fn start(dir: &TempDir) -> Sqlite {
        let connection = Connection::open(dir.path().join("log.db")).expect("a database opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                 CREATE TABLE record (seq INTEGER PRIMARY KEY, kind INTEGER, flags INTEGER,
                                      time_ns INTEGER, key INTEGER, payload BLOB);",
            )
            .expect("a table is created");
        Sqlite(connection)
    }

    fn append(&mut self, records: &Records) {
        let transaction = self.0.transaction().expect("nobody else writes");
        {
            let sql = "INSERT INTO record (kind, flags, time_ns, key, payload)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut insert = transaction.prepare_cached(sql).expect("the table is there");
            for record in records.batch() {
                let key = record.key as i64;
                let values = (record.kind, record.flags.0, record.time_ns, key, record.payload);
                insert.execute(values).expect("there is room");
            }
        }
        transaction.commit().expect("there is room");
    }
}

/// Times so many iterations over all batches; logs are started and removed untimed.
fn timed<L: Log>(batches: &[Records], iterations: u64) -> Duration {
    let mut took = Duration::ZERO;
    let mut log: Option<(L, TempDir)> = None;
    let mut left = 0;
    for records in batches.iter().cycle().take(batches.len() * iterations as usize) {
        let bytes = records.bytes() + 64 * records.len();
        if log.is_none() || bytes > left {
            // Dropped before its successor is made: two need not have room at once.
            drop(log.take());
            let dir = folder().expect("the volume has room");
            log = Some((L::start(&dir), dir));
            left = LOG_BYTES_MAX;
        }
        left -= bytes;
        let (log, _) = log.as_mut().expect("it was started above");
        let started = Instant::now();
        log.append(records);
        took += started.elapsed();
    }
    took
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    for count in BATCHES {
        let batches = journals::lines(RECORDS / count, count);
        group.throughput(Throughput::Elements(RECORDS as u64));
        let mut bench = |name: &str, timed: fn(&[Records], u64) -> Duration| {
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter_custom(|iterations| timed(&batches, iterations));
            });
        };
        bench("journal", timed::<Writer>);
        bench("mapped-allocated", timed::<IntoAllocated>);
        bench("mapped-zeroed", timed::<IntoZeroed>);
        bench("commitlog", timed::<commitlog::CommitLog>);
        bench("raft-engine", timed::<Raft>);
        bench("sqlite", timed::<Sqlite>);
    }
    group.finish();
}

fn configured() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = configured(); targets = append }
criterion_main!(benches);
