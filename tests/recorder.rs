//! The recorder over a real journal: what follows from what was observed, and what a stop leaves.

#[path = "journal/faulty.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests of the journal")]
mod faulty;

#[path = "recorder/commit.rs"]
mod commit;

#[path = "recorder/degraded.rs"]
mod degraded;

#[path = "recorder/skipped.rs"]
mod skipped;

#[path = "recorder/stress.rs"]
mod stress;

#[path = "recorder/unread.rs"]
mod unread;

#[path = "recorder/upkeep.rs"]
mod upkeep;

use std::{path::Path, sync::Arc, time::Duration};

use monitor_backend::{
    event::{
        ActionIntent, DeletedBecause, Event, Extensions, Level, Listed, LiveQuery, LogLine,
        ObjectObserved, ObjectRef, Observation, Observed, Outcome, Section, SourceState, State,
        Trace, TraceEnd, WatchPosition, kind,
    },
    journal::{self, Range, Reader, Seq, WipeNote},
    recorder::{self, Setup, Started, WipeOnStart},
    views::read::{self, Window},
};

fn setup(dir: &Path) -> Setup {
    Setup {
        journal: journal::Options {
            dir: dir.to_owned(),
            segment_bytes: 1 << 20,
            keep: journal::Retention::default(),
        },
        version: "test".into(),
        host: "test".into(),
        mode: "live".into(),
        config_faults: vec![],
        source_bytes_per_day: None,
        wipe_on_start: None,
    }
}

async fn start(setup: Setup) -> Started {
    let started = recorder::start(setup).expect("a thread starts");
    assert!(started.published.replayed().await);
    started
}

async fn send(started: &Started, events: Vec<Event>) {
    let what = Observation::Events(events);
    let generation = *started.generation.borrow();
    started.queue.send(Observed { generation, what }).await.expect("the recorder listens");
}

/// Waits for something that comes by itself.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let poll = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), poll)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Everything that was sent before is recorded when this is.
async fn settle(started: &Started) -> Seq {
    for _ in 0..500 {
        if started.queue.capacity() == started.queue.max_capacity() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let line = log_line("settled");
    started.recorder.record_durable(vec![line]).await.expect("it is recorded")
}

async fn stop(started: Started) {
    started.recorder.stop().await;
    let thread = started.thread;
    tokio::task::spawn_blocking(|| thread.join()).await.expect("it joins").expect("no panic");
}

fn reader(started: &Started) -> Reader {
    Reader::clone(&started.published.reader.load_full().expect("the journal is open"))
}

fn events(reader: &Reader, kinds: &[u16]) -> Vec<Event> {
    let mut found = Vec::new();
    let range = Range { kinds, ..Range::ALL };
    reader
        .scan(range, &mut |record| {
            found.extend(Event::decode(record.kind, record.payload).expect("it decodes"));
            std::ops::ControlFlow::Continue(())
        })
        .expect("the journal is read");
    found
}

fn log_line(message: &str) -> Event {
    Event::LogLine(LogLine {
        source: "app-server".into(),
        time: 1.0,
        level: Level::Info,
        target: "t".into(),
        span_name: String::new(),
        message: message.into(),
        ext: Extensions::default(),
    })
}

fn source(name: &str, state: State, since: f64) -> Event {
    Event::SourceState(SourceState {
        name: name.into(),
        state,
        reason: String::new(),
        since,
        malformed: 0,
        last_malformed: String::new(),
        ext: Extensions::default(),
    })
}

fn pod(uid: &str, phase: &str) -> Event {
    Event::ObjectObserved(ObjectObserved {
        object: ObjectRef {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: "default".into(),
            name: uid.into(),
            uid: uid.into(),
        },
        source: "cluster/Pod".into(),
        resource_version: "1".into(),
        body: format!(r#"{{"status":{{"phase":"{phase}"}}}}"#),
        ext: Extensions::default(),
    })
}

fn open_trace(id: &str) -> Event {
    let section = Section { path: "run".into(), start_time: 5.0, duration: None, extra_info: None };
    Event::Trace(Trace {
        source: "app-server".into(),
        id: id.into(),
        end: TraceEnd::Open,
        sections: vec![section],
        ext: Extensions::default(),
    })
}

fn live_query(table: &str) -> Event {
    Event::LiveQuery(LiveQuery {
        source: "app-server".into(),
        table_name: table.into(),
        filter: "{}".into(),
        last_entries: "[]".into(),
        watchers_count: 1,
        deleting: false,
        ext: Extensions::default(),
    })
}

#[tokio::test]
async fn a_state_that_is_known_is_not_recorded_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    send(&started, vec![pod("a", "Running")]).await;
    settle(&started).await;
    send(&started, vec![pod("a", "Running"), pod("b", "Running"), pod("a", "Failed")]).await;
    settle(&started).await;
    let recorded = events(&reader(&started), &[kind::OBJECT_OBSERVED]);
    assert_eq!(recorded, [pod("a", "Running"), pod("b", "Running"), pod("a", "Failed")]);
    stop(started).await;
}

#[tokio::test]
async fn a_nodes_heartbeat_is_no_state_of_its_own_nor_is_one_after_a_restart() {
    let node = |beat: u32, ready: &str, version: u32| {
        let Event::ObjectObserved(mut node) = pod("n", "") else { unreachable!() };
        node.object.kind = "Node".into();
        node.resource_version = version.to_string();
        node.body = format!(
            r#"{{"status":{{"conditions":[{{"lastHeartbeatTime":"{beat:02}","status":"{ready}"}}]}}}}"#
        );
        Event::ObjectObserved(node)
    };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    for beat in 0..5 {
        send(&started, vec![node(beat, "True", beat)]).await;
        settle(&started).await;
    }
    stop(started).await;
    let started = start(setup(dir.path())).await;
    send(&started, vec![node(5, "True", 5)]).await;
    settle(&started).await;
    send(&started, vec![node(6, "Fals", 6), node(7, "Fals", 7)]).await;
    settle(&started).await;
    let recorded = events(&reader(&started), &[kind::OBJECT_OBSERVED]);
    let changed = [node(0, "True", 0), node(6, "Fals", 6)];
    assert_eq!(recorded.iter().filter(|event| changed.contains(event)).count(), 2, "{recorded:?}");
    assert!(!recorded.contains(&node(1, "True", 1)) && !recorded.contains(&node(5, "True", 5)));
    stop(started).await;
}

#[tokio::test]
async fn what_a_list_does_not_name_is_gone_unobserved() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    send(&started, vec![pod("a", "Running"), pod("b", "Running")]).await;
    let listed = Listed {
        source: "cluster/Pod".into(),
        uids: vec!["b".into()],
        from: 10.0,
        to: 20.0,
        resource_version: "77".into(),
    };
    let generation = *started.generation.borrow();
    let observed = Observed { generation, what: Observation::Listed(listed) };
    started.queue.send(observed).await.expect("the recorder listens");
    settle(&started).await;
    let gone = events(&reader(&started), &[kind::OBJECT_DELETED]);
    let [Event::ObjectDeleted(gone)] = gone.as_slice() else { panic!("one is gone: {gone:?}") };
    assert_eq!((gone.object.uid.as_str(), gone.from, gone.to), ("a", 10.0, 20.0));
    assert_eq!(gone.because, DeletedBecause::GoneUnobserved);
    assert!(gone.body.contains("Running"), "the last body is kept with the end");
    let snapshot = started.published.snapshot.load_full();
    assert_eq!(snapshot.state.watch_positions["cluster/Pod"].resource_version, "77");
    assert_eq!(snapshot.state.objects.len(), 1);
    stop(started).await;
}

#[tokio::test]
async fn a_source_that_goes_down_leaves_ends_that_were_not_observed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    let up = vec![source("app-server", State::Up, 0.0), open_trace("t"), live_query("nodes")];
    send(&started, up).await;
    settle(&started).await;
    send(&started, vec![source("app-server", State::Down, 1.0)]).await;
    settle(&started).await;
    let snapshot = started.published.snapshot.load_full();
    assert!(snapshot.state.open_traces.is_empty());
    let query = snapshot.state.live_queries.values().next().expect("it is kept as last known");
    assert!(!snapshot.state.is_observed(query));
    let window = Window::newest(10);
    let page = read::requests(&reader(&started), &snapshot.state, window).expect("it is read");
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.rows[0].value.end, TraceEnd::NotObserved);
    stop(started).await;
}

#[tokio::test]
async fn a_start_ends_what_the_last_run_left_open() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    send(&started, vec![source("app-server", State::Up, 0.0), open_trace("t")]).await;
    settle(&started).await;
    let intent = ActionIntent {
        id: "restart-1".into(),
        actor: "admin key".into(),
        action: "restart-workload".into(),
        args: r#"{"name":"web"}"#.into(),
        started: 3.0,
        ext: Extensions::default(),
    };
    let recorded = started.recorder.record_durable(vec![Event::ActionIntent(intent)]).await;
    recorded.expect("the intent is durable");
    stop(started).await;

    let started = start(setup(dir.path())).await;
    let state = started.published.snapshot.load_full().state.clone();
    assert_eq!(state.sources["app-server"].state.state, State::Down);
    assert!(state.open_traces.is_empty() && state.running_actions.is_empty());
    let outcomes = events(&reader(&started), &[kind::ACTION_OUTCOME]);
    let [Event::ActionOutcome(outcome)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(outcome.outcome, Outcome::Unknown);
    assert_eq!(outcome.args, r#"{"name":"web"}"#, "an outcome repeats its intent");
    assert_eq!(events(&reader(&started), &[kind::BOOT]).len(), 2);
    stop(started).await;
}

#[tokio::test]
async fn a_source_was_heard_until_its_last_line() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    send(&started, vec![source("app-server", State::Up, 42.0)]).await;
    settle(&started).await;
    let heard = |started: &Started| {
        let snapshot = started.published.snapshot.load_full();
        read::heard_until(&reader(started), &snapshot.state, "app-server").expect("it is read")
    };
    let now_ms = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.expect("the clock is sane").as_secs_f64() * 1000.0
    };
    let sent = now_ms() - 5_000.0;
    let Event::LogLine(line) = log_line("late") else { unreachable!("it is a line") };
    send(&started, vec![Event::LogLine(LogLine { time: sent, ..line })]).await;
    for _ in 0..500 {
        if heard(&started) == Some(sent) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(heard(&started), Some(sent), "a credible claim stands");
    settle(&started).await;
    assert!(heard(&started) > Some(sent), "a line from 1970 is dated by about when it was learned");
    let before_stop = heard(&started);
    stop(started).await;

    let started = start(setup(dir.path())).await;
    assert_eq!(heard(&started), before_stop);
    stop(started).await;
}

#[tokio::test]
async fn a_watch_was_heard_until_its_last_position() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    let position = |version: &str| {
        Event::WatchPosition(WatchPosition {
            source: "cluster/Pod".into(),
            resource_version: version.into(),
            ext: Extensions::default(),
        })
    };
    send(&started, vec![source("cluster/Pod", State::Up, 42.0), position("5")]).await;
    settle(&started).await;
    let snapshot = started.published.snapshot.load_full();
    let learned = snapshot.state.watch_positions["cluster/Pod"].learned;
    stop(started).await;

    let started = start(setup(dir.path())).await;
    let snapshot = started.published.snapshot.load_full();
    let heard = read::heard_until(&reader(&started), &snapshot.state, "cluster/Pod");
    assert_eq!(heard.expect("it is read"), Some(learned));
    stop(started).await;
}

#[tokio::test]
async fn a_wipe_empties_everything_starts_collectors_over_and_is_recorded() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    send(&started, vec![pod("a", "Running"), source("app-server", State::Up, 0.0)]).await;
    let last = settle(&started).await;
    let before = *started.generation.borrow();
    let note = WipeNote { actor: "admin key".into(), reason: "trouble".into(), time_ns: 1 };
    let (epoch, seq) = started.recorder.wipe(note).await.expect("it is wiped");
    assert_eq!(seq, last + 1, "numbers go on");
    assert_eq!(reader(&started).positions().epoch, epoch);
    assert_eq!(*started.generation.borrow(), before + 1);
    let what = Observation::Events(vec![pod("stale", "Running")]);
    started.queue.send(Observed { generation: before, what }).await.expect("the recorder listens");
    settle(&started).await;
    let state = started.published.snapshot.load_full().state.clone();
    assert!(state.objects.is_empty(), "what was under way at the wipe is discarded");
    let all = events(&reader(&started), &[]);
    let Event::ActionOutcome(wipe) = &all[0] else { panic!("the first record is the wipe's") };
    assert_eq!((wipe.action.as_str(), wipe.outcome), ("wipe", Outcome::Succeeded));
    assert!(wipe.args.contains("trouble"));
    stop(started).await;
}

#[tokio::test]
async fn a_wipe_on_start_happens_once_for_each_token() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let wiping = |token: &str| Setup {
        wipe_on_start: Some(WipeOnStart {
            token: token.into(),
            memory: dir.path().join("wipe-on-start"),
        }),
        ..setup(dir.path())
    };
    let epochs = async |setup: Setup| {
        let started = start(setup).await;
        let epoch = reader(&started).positions().epoch;
        stop(started).await;
        epoch
    };
    let first = epochs(setup(dir.path())).await;
    assert_eq!(epochs(wiping("one")).await, first + 1);
    assert_eq!(epochs(wiping("one")).await, first + 1);
    assert_eq!(epochs(wiping("two")).await, first + 2);
}

#[tokio::test]
async fn a_journal_that_cannot_be_opened_is_waited_for() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let blocked = dir.path().join("data");
    std::fs::write(&blocked, "in the way").expect("the folder is writable");
    let started = recorder::start(setup(&blocked)).expect("a thread starts");
    for _ in 0..500 {
        if !started.published.health.load().degraded.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let degraded = started.published.health.load().degraded.join("\n");
    assert!(degraded.contains("the journal is not open"), "{degraded}");
    std::fs::remove_file(&blocked).expect("the file is ours");
    let waiting = tokio::time::timeout(Duration::from_secs(20), started.published.replayed());
    assert!(waiting.await.expect("it opens by itself"));
    assert!(started.published.health.load().degraded.is_empty());
    stop(started).await;
}

#[tokio::test]
async fn a_record_that_no_journal_can_hold_leaves_a_gap_and_costs_no_other() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    let huge = log_line(&"x".repeat(journal::PAYLOAD_BYTES_MAX + 1));
    send(&started, vec![log_line("before"), huge.clone(), log_line("after")]).await;
    settle(&started).await;
    let recorded = events(&reader(&started), &[kind::LOG_LINE]);
    assert_eq!(recorded, [log_line("before"), log_line("after"), log_line("settled")]);
    let gaps = events(&reader(&started), &[kind::GAP]);
    let [Event::Gap(gap)] = gaps.as_slice() else { panic!("one gap: {gaps:?}") };
    assert_eq!((gap.source.as_str(), gap.dropped), ("app-server", Some(1)));
    assert!(started.recorder.record_durable(vec![huge]).await.is_err());
    assert!(started.published.health.load().degraded.is_empty(), "the journal is well");
    stop(started).await;
}

#[tokio::test]
async fn the_live_state_is_what_a_replay_gives() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let started = start(setup(dir.path())).await;
    for round in 0..50 {
        let uid = format!("pod-{}", round % 7);
        let position = WatchPosition {
            source: "cluster/Pod".into(),
            resource_version: round.to_string(),
            ext: Extensions::default(),
        };
        let events =
            vec![pod(&uid, &round.to_string()), log_line("line"), Event::WatchPosition(position)];
        send(&started, events).await;
    }
    settle(&started).await;
    let live = started.published.snapshot.load_full();
    let replayed = read::state_at(&reader(&started), None, &mut |_| ()).expect("it replays");
    assert_eq!(live.state, replayed);
    assert_eq!(live.seq, reader(&started).positions().last_seq);
    stop(started).await;
}
