//! Reading: verify, replay, past moments, time search, searches; against bare loops and ripgrep on
//! the same bytes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memmap2::Mmap;
use monitor_backend::{
    event::Level,
    journal::{Flags, Reader, Seq, Text},
    views::{
        State,
        read::{self, LogFilter, Window},
    },
};
use monitor_backend_benches::{
    bare,
    events::{RARE_WORD, pod_uid},
    figures::Figures,
    journals::{self, Content, folder},
    rng::Rng,
};

/// Enough to be past all caches of the processor, little enough to be written in seconds.
const CONTENT: Content = Content { bytes: 512 << 20, pods: 1_000, days: 1.0 };

/// A word that stands nowhere, so that a search reads everything.
const ABSENT: &str = "no-such-word";

/// Rows of a page.
const ROWS: usize = 100;

fn reads(criterion: &mut Criterion) {
    let dir = folder().expect("the volume has room");
    journals::fill(dir.path(), CONTENT, &mut |_| {}).expect("the volume has room");
    let (reader, _) = Reader::open(dir.path()).expect("the journal opens");
    let segments = segments(dir.path());
    let maps: Vec<Mmap> = segments.iter().map(|p| bare::map(p).expect("it maps")).collect();
    let bytes: u64 = reader.segments().iter().map(|segment| segment.bytes).sum();
    let mut figures = Figures::load().expect("the folder of figures is named");
    figures.add(&[("read_bytes", bytes as f64)]).expect("figures can be kept");

    whole(criterion, &reader, &maps, bytes);
    moments(criterion, &reader, &maps);
    searches(criterion, &reader, dir.path(), bytes);
}

/// Everything that a journal holds, once.
fn whole(criterion: &mut Criterion, reader: &Reader, maps: &[Mmap], bytes: u64) {
    let mut group = criterion.benchmark_group("whole");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("verify", |b| {
        b.iter(|| {
            let verification = reader.verify().expect("it can be read");
            assert!(verification.damaged.is_empty(), "{:?}", verification.damaged);
        });
    });
    group.bench_function("bare-crc", |b| {
        b.iter(|| maps.iter().map(|map| bare::check_and_decode(map, |_| false).bytes).sum::<u64>());
    });
    group.finish();
}

/// States at moments: the nearest keyframe, then events.
fn moments(criterion: &mut Criterion, reader: &Reader, maps: &[Mmap]) {
    let mut group = criterion.benchmark_group("moment");
    let infos = reader.segments();
    let sealed = infos.len() - 2;
    let info = &infos[sealed];
    let (first, last) = (info.first_seq.expect("it is full"), info.last_seq.expect("it is full"));
    let map = &maps[sealed];
    let changes = |flags: u8| flags & (Flags::STATE.0 | Flags::END.0) != 0;

    group.throughput(Throughput::Bytes(info.bytes));
    group.bench_function("replay-segment", |b| b.iter(|| state(reader, last)));
    group.bench_function("bare-decode-all", |b| {
        b.iter(|| bare::check_and_decode(map, |_| true));
    });
    group.bench_function("bare-decode-state", |b| {
        b.iter(|| bare::check_and_decode(map, changes));
    });
    group.bench_function("keyframe", |b| b.iter(|| state(reader, first - 1)));

    let mut rng = Rng::new(4);
    let positions = reader.positions();
    group.bench_function("random", |b| {
        b.iter(|| state(reader, positions.first_seq + rng.below(positions.last_seq)));
    });
    let (from, to) = (infos[0].created_ns, infos[infos.len() - 1].created_ns);
    group.bench_function("time-search", |b| {
        b.iter(|| reader.seq_at(from + rng.below((to - from) as u64) as i64));
    });
    group.finish();
}

/// Questions to the whole history.
fn searches(criterion: &mut Criterion, reader: &Reader, dir: &Path, bytes: u64) {
    let mut group = criterion.benchmark_group("search");
    let present = state(reader, Seq::MAX);
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("text-absent", |b| b.iter(|| assert_eq!(lines(reader, &text(ABSENT)), 0)));
    group.bench_function("text-rare", |b| b.iter(|| lines(reader, &text(RARE_WORD))));
    if Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok() {
        group.bench_function("ripgrep-absent", |b| b.iter(|| ripgrep(dir, &["-F", ABSENT])));
        group.bench_function("ripgrep-absent-any-case", |b| {
            b.iter(|| ripgrep(dir, &["-F", "-i", ABSENT]));
        });
    } else {
        eprintln!("ripgrep is not installed; its searches are skipped");
    }
    let errors = LogFilter { level: Some(Level::Error), text: None };
    group.bench_function("level-page", |b| b.iter(|| lines_of_page(reader, &errors, Seq::MAX)));
    let uid = pod_uid(7);
    group.bench_function("object-history", |b| {
        b.iter(|| {
            let window = Window::newest(ROWS);
            let history = read::object_history(reader, &present, &uid, window);
            history.expect("it can be read").rows.len()
        });
    });
    group.finish();
}

fn state(reader: &Reader, seq: Seq) -> State {
    read::state_at(reader, Some(seq), &mut |_| {}).expect("it can be read")
}

fn text(word: &str) -> LogFilter {
    LogFilter { level: None, text: Text::new(word) }
}

/// Lines of all pages.
fn lines(reader: &Reader, filter: &LogFilter) -> usize {
    let (mut count, mut before) = (0, Some(Seq::MAX));
    while let Some(at) = before {
        let (rows, next) = lines_of_page(reader, filter, at);
        count += rows;
        before = next;
    }
    count
}

fn lines_of_page(reader: &Reader, filter: &LogFilter, before: Seq) -> (usize, Option<Seq>) {
    let window = Window { before, ..Window::newest(ROWS) };
    let page = read::logs(reader, window, filter).expect("it can be read");
    (page.rows.len(), page.next)
}

/// One thread, as the journal's search has.
fn ripgrep(dir: &Path, args: &[&str]) {
    let status = Command::new("rg")
        .args(["--no-config", "-j1", "-a", "-c", "--no-messages"])
        .args(args)
        .arg(dir)
        .stdout(Stdio::null())
        .status();
    // It found nothing, as it should.
    assert_eq!(status.expect("ripgrep runs").code(), Some(1));
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("the journal is there");
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "seg"));
    paths.sort();
    paths
}

fn configured() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = configured(); targets = reads }
criterion_main!(benches);
