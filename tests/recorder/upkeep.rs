//! What the recorder looks after by itself: retention, removed files, budgets.

use std::fs;

use monitor_backend::{
    event::{FilesRemoved, Gap, Retention},
    journal,
    recorder::Snapshot,
};

use super::*;

const SEGMENT_BYTES: u64 = 1 << 20;

/// Keeps a few segments of the smallest size.
fn small(dir: &Path) -> Setup {
    let keep =
        journal::Retention { bytes_max: Some(6 * SEGMENT_BYTES), age_max: None, free_min: Some(0) };
    let journal = journal::Options { dir: dir.to_owned(), segment_bytes: SEGMENT_BYTES, keep };
    // What is recorded here would be a flood on so small a volume.
    Setup { journal, source_bytes_per_day: Some(1 << 40), ..setup(dir) }
}

/// Fills some segments with lines.
async fn fill(started: &Started, segments: usize) {
    let line = "x".repeat(4096);
    for _ in 0..segments * 4 {
        send(started, (0..64).map(|_| log_line(&line)).collect()).await;
    }
    settle(started).await;
}

/// Unlinked segments that this process holds open or mapped.
fn held(dir: &Path) -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").expect("it can be read");
    let mut held: Vec<String> = maps.lines().map(str::to_owned).collect();
    for entry in fs::read_dir("/proc/self/fd").expect("it can be listed") {
        let target = fs::read_link(entry.expect("it can be listed").path()).unwrap_or_default();
        held.push(target.to_string_lossy().into_owned());
    }
    let dir = dir.to_string_lossy().into_owned();
    held.retain(|line| line.contains(&dir) && line.contains(".seg") && line.ends_with("(deleted)"));
    held
}

#[tokio::test]
async fn what_is_retired_is_told_holds_nothing_and_costs_no_living_state() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(small(dir.path())).await;
    let up = source("app-server", State::Up, 0.0);
    send(&started, vec![up, pod("old", "Running"), open_trace("old"), live_query("old")]).await;
    settle(&started).await;
    fill(&started, 12).await;
    until("the oldest events go", || reader(&started).positions().first_seq > 10).await;
    let told = || {
        let told = events(&reader(&started), &[kind::RETENTION]).into_iter();
        told.map(|event| match event {
            Event::Retention(retention) => retention,
            other => panic!("{other:?}"),
        })
        .collect::<Vec<Retention>>()
    };
    until("it is told", || {
        told()
            .last()
            .is_some_and(|last| last.last_seq + 1 == reader(&started).positions().first_seq)
    })
    .await;
    let told = told();
    assert!(told.iter().all(|one| one.because == "bytes" && one.segments > 0 && one.bytes > 0));
    until("nothing holds what was unlinked", || held(dir.path()).is_empty()).await;

    let live = started.published.snapshot.load_full();
    let pod_of = |live: &Snapshot| {
        let row = live.state.objects.values().next().expect("it lives");
        row.body.event(kind::OBJECT_OBSERVED)
    };
    assert_eq!(pod_of(&live), Some(pod("old", "Running")), "its body is where it was restated");
    assert_eq!(
        live.state,
        read::state_at(&reader(&started), None, &mut |_| ()).expect("it replays")
    );
    assert_eq!(live.state.open_traces.len() + live.state.live_queries.len(), 2);
    stop(started).await;
}

#[tokio::test]
async fn files_that_somebody_removes_are_noticed_and_recording_goes_on() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(small(dir.path())).await;
    send(&started, vec![pod("a", "Running")]).await;
    fill(&started, 2).await;
    for entry in fs::read_dir(dir.path()).expect("it can be listed") {
        fs::remove_file(entry.expect("it can be listed").path()).expect("it is ours");
    }
    let told = || events(&reader(&started), &[kind::FILES_REMOVED]);
    until("it is noticed", || !told().is_empty()).await;
    let [Event::FilesRemoved(FilesRemoved { files, .. })] = &told()[..] else { panic!("once") };
    assert!(!files.is_empty() && files.iter().all(|name| name.ends_with(".seg")), "{files:?}");
    send(&started, vec![pod("b", "Running")]).await;
    settle(&started).await;
    stop(started).await;

    let started = start(small(dir.path())).await;
    assert_eq!(started.published.snapshot.load().state.objects.len(), 2);
    stop(started).await;
}

#[tokio::test]
async fn a_flood_of_pod_logs_costs_them_alone_and_the_gap_counts_what_was_dropped() {
    const LINES: u64 = 512;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let setup = Setup { source_bytes_per_day: Some(1 << 20), ..setup(dir.path()) };
    let started = start(setup).await;
    let Event::LogLine(long) = log_line(&"x".repeat(1024)) else { unreachable!("it is a line") };
    let of_pod = Event::LogLine(LogLine { source: "pod-logs/web".into(), ..long });
    for _ in 0..LINES / 64 {
        send(&started, vec![of_pod.clone(); 64]).await;
    }
    settle(&started).await;
    let lines = events(&reader(&started), &[kind::LOG_LINE]);
    let recorded = lines.iter().filter(|line| **line == of_pod).count() as u64;
    assert!((200..300).contains(&recorded), "{recorded} lines of 1 KiB");
    assert_eq!(lines.len() as u64, recorded + 1, "the app-server's line is there");
    stop(started).await;

    let (reader, _) = Reader::open(dir.path()).expect("it opens");
    let gaps = events(&reader, &[kind::GAP]);
    let told: Vec<_> = gaps
        .iter()
        .filter_map(|event| match event {
            Event::Gap(gap) if gap.reason.contains("source_bytes_per_day") => Some(gap),
            _ => None,
        })
        .map(|gap| (gap.source.as_str(), gap.dropped))
        .collect();
    assert_eq!(told, [("pod-logs/web", Some(LINES - recorded))]);
}

#[tokio::test]
async fn a_flood_costs_its_source_alone_and_no_trace_stays_open_for_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    // A burst is a quarter of a day: 256 KiB.
    let setup = Setup { source_bytes_per_day: Some(1 << 20), ..setup(dir.path()) };
    let started = start(setup).await;
    send(&started, vec![open_trace("known")]).await;
    let line = "x".repeat(1024);
    for _ in 0..8 {
        send(&started, (0..64).map(|_| log_line(&line)).collect()).await;
    }
    let Event::Trace(known) = open_trace("known") else { unreachable!("it is a trace") };
    let ended = Event::Trace(Trace { end: TraceEnd::Ended, ..known });
    let Event::Trace(unknown) = open_trace("unknown") else { unreachable!("it is a trace") };
    let unknown_end = Event::Trace(Trace { end: TraceEnd::Ended, ..unknown.clone() });
    send(&started, vec![ended, Event::Trace(unknown), unknown_end, live_query("nodes")]).await;
    let Event::LogLine(other) = log_line("from elsewhere") else { unreachable!("it is a line") };
    let other = Event::LogLine(LogLine { source: "other".into(), ..other });
    send(&started, vec![pod("a", "Running"), other.clone()]).await;
    settle(&started).await;
    let state = started.published.snapshot.load_full().state.clone();
    assert!(state.open_traces.is_empty());
    assert_eq!((state.objects.len(), state.live_queries.len()), (1, 1));
    let lines = events(&reader(&started), &[kind::LOG_LINE]);
    assert!(lines.contains(&other), "every source has its own budget");
    let from_source = lines.len() as u64 - 2;
    assert!((200..300).contains(&from_source), "{from_source} lines of 1 KiB");
    stop(started).await;

    let (reader, _) = Reader::open(dir.path()).expect("it opens");
    let gaps = events(&reader, &[kind::GAP]);
    let gaps: Vec<&Gap> = gaps
        .iter()
        .filter_map(|event| match event {
            Event::Gap(gap) if gap.reason.contains("source_bytes_per_day") => Some(gap),
            _ => None,
        })
        .collect();
    let [gap] = &gaps[..] else { panic!("one gap: {gaps:?}") };
    // The trace that was never known as open, too.
    assert_eq!((gap.source.as_str(), gap.dropped), ("app-server", Some(512 - from_source + 2)));
}
