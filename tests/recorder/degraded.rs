//! A journal that takes no records for a while: what is shown meanwhile, and that afterwards views
//! and journal agree as if nothing had been.

use std::io::ErrorKind;

use monitor_backend::{
    event::{
        ActionOutcome, Degraded, Gap, LiveQueryDropped, ObjectDeleted, WatchPosition, millis,
        now_ns,
    },
    journal::fs::Space,
    recorder::{Error, Recorded, Snapshot},
    views,
};

use super::*;
use crate::faulty::{Faulty, Op};

/// Everything that an append may need: with all of it failing, nothing is recorded.
const WRITES: [Op; 3] = [Op::Create, Op::Allocate, Op::Write];

async fn start_on(fs: &Faulty, dir: &Path) -> Started {
    let started = recorder::start_with(setup(dir), Arc::new(fs.clone())).expect("a thread starts");
    assert!(started.published.replayed().await);
    started
}

fn fail_writes(fs: &Faulty, kind: ErrorKind) {
    WRITES.iter().for_each(|op| fs.fail(*op, kind));
}

fn snapshot(started: &Started) -> Arc<Snapshot> {
    started.published.snapshot.load_full()
}

fn degraded(started: &Started) -> String {
    started.published.health.load().degraded.join("\n")
}

async fn until_healed(started: &Started) {
    until("the journal takes records again", || snapshot(started).unsaved.is_none()).await;
}

fn replayed(started: &Started, to: Option<Seq>) -> views::State {
    read::state_at(&reader(started), to, &mut |_| ()).expect("it replays")
}

fn assert_live_is_replayed(started: &Started) {
    let live = snapshot(started);
    assert_eq!(live.seq, reader(started).positions().last_seq);
    assert_eq!(live.state, replayed(started, None));
    assert!(live.state.objects.values().all(|row| row.body.is_saved()));
    assert!(live.state.live_queries.values().all(|row| row.body.is_saved()));
}

fn deleted(uid: &str) -> Event {
    let Event::ObjectObserved(seen) = pod(uid, "Running") else { unreachable!("it is observed") };
    Event::ObjectDeleted(ObjectDeleted {
        object: seen.object,
        source: seen.source,
        because: DeletedBecause::Deleted,
        from: 1.0,
        to: 1.0,
        body: seen.body,
        ext: Extensions::default(),
    })
}

fn ended_trace(id: &str) -> Event {
    let Event::Trace(open) = open_trace(id) else { unreachable!("it is a trace") };
    Event::Trace(Trace { end: TraceEnd::Ended, ..open })
}

fn position(version: &str) -> Event {
    Event::WatchPosition(WatchPosition {
        source: "cluster/Pod".into(),
        resource_version: version.into(),
        ext: Extensions::default(),
    })
}

fn large_query(table: &str, bytes: usize) -> Event {
    let Event::LiveQuery(query) = live_query(table) else { unreachable!("it is a live query") };
    let last_entries = format!("[\"{}\"]", "x".repeat(bytes));
    Event::LiveQuery(LiveQuery { last_entries, ..query })
}

fn gap_of(started: &Started, source: &str) -> Gap {
    let gaps = events(&reader(started), &[kind::GAP]).into_iter();
    let mut gaps = gaps.filter_map(|event| match event {
        Event::Gap(gap) if gap.source == source => Some(gap),
        _ => None,
    });
    let gap = gaps.next().expect("a gap of this source");
    assert!(gaps.next().is_none(), "one gap tells it all");
    gap
}

#[tokio::test]
async fn what_lives_while_the_volume_is_full_is_shown_and_recorded_afterwards() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    let up = [source("app-server", State::Up, 0.0), source("cluster/Pod", State::Up, 0.0)];
    send(&started, up.to_vec()).await;
    let before = [pod("a", "Running"), pod("b", "Running"), open_trace("t"), live_query("nodes")];
    send(&started, [&before[..], &[position("1")]].concat()).await;
    settle(&started).await;
    let well = snapshot(&started);
    let generation = *started.generation.borrow();

    fail_writes(&fs, ErrorKind::StorageFull);
    send(&started, vec![log_line("1"), log_line("2"), log_line("3")]).await;
    send(&started, vec![pod("a", "Pending"), pod("a", "Failed"), pod("c", "Running")]).await;
    send(&started, vec![deleted("b"), ended_trace("t"), live_query("users"), position("2")]).await;
    send(&started, vec![open_trace("short"), ended_trace("short")]).await;
    // Three lines, a state that another replaced, and a request that came and went.
    until("all is taken in", || {
        snapshot(&started).unsaved.as_ref().is_some_and(|u| u.dropped == 6)
    })
    .await;
    let shown = snapshot(&started);
    assert_eq!(shown.seq, well.seq, "nothing was recorded");
    let objects: Vec<_> = shown.state.objects.values().collect();
    let phases = |uid: &str| objects.iter().find(|row| row.object.uid == uid).map(|row| &row.phase);
    assert_eq!((phases("a").unwrap().as_str(), phases("b")), ("Failed", None));
    assert!(objects.len() == 2 && objects.iter().all(|row| !row.body.is_saved()));
    assert!(shown.state.open_traces.is_empty());
    let saved = shown.state.live_queries.values().map(|query| query.body.is_saved());
    assert_eq!(saved.filter(|is_saved| *is_saved).count(), 1);
    assert_eq!(shown.state.watch_positions, well.state.watch_positions);
    for word in ["full", "wipe", "not saved"] {
        assert!(degraded(&started).contains(word), "{word}: {}", degraded(&started));
    }

    fs.mend();
    until_healed(&started).await;
    assert_live_is_replayed(&started);
    assert_eq!(replayed(&started, Some(well.seq)), well.state, "the past is as it was");
    let healed = snapshot(&started);
    assert_eq!(healed.state.objects.len(), 2);
    assert_eq!(gap_of(&started, "app-server").dropped, Some(5));
    assert_eq!(gap_of(&started, "cluster/Pod").dropped, Some(1));
    let stories = events(&reader(&started), &[kind::DEGRADED]);
    let [Event::Degraded(Degraded { reason, from, to, dropped, kept, .. })] = &stories[..] else {
        panic!("one story: {stories:?}")
    };
    assert!(reason.contains("full") && from < to);
    assert_eq!((*dropped, *kept), (6, 5));
    assert_eq!(degraded(&started), "");
    assert_eq!(*started.generation.borrow(), generation, "nobody has to start over");
    settle(&started).await;
    let last = snapshot(&started).state.clone();
    stop(started).await;

    let started = start(setup(dir.path())).await;
    let again = snapshot(&started);
    assert_eq!(again.state.objects, last.objects);
    assert_eq!(again.state.live_queries, last.live_queries);
    stop(started).await;
}

#[tokio::test]
async fn a_full_volume_is_tried_again_only_when_it_has_room() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    fs.set(|plan| plan.space = Some(Space { total: 1 << 30, free: 4096 }));
    fail_writes(&fs, ErrorKind::StorageFull);
    send(&started, vec![pod("a", "Running")]).await;
    until("it is degraded", || snapshot(&started).unsaved.is_some()).await;
    let notice = degraded(&started);
    // Small records would fit now.
    fs.mend();
    let steps = fs.steps();
    let waited = tokio::time::Instant::now();
    while waited.elapsed() < Duration::from_millis(2500) {
        send(&started, vec![log_line("lost")]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(degraded(&started), notice, "the notice stands still");
    }
    let tried = fs.steps() - steps;
    assert!(tried < 20, "{tried} attempts");
    fs.set(|plan| plan.space = None);
    until_healed(&started).await;
    assert_live_is_replayed(&started);
    stop(started).await;
}

#[tokio::test]
async fn a_volume_that_takes_no_writes_is_told_by_its_reason_and_heals() {
    let cases = [
        (ErrorKind::ReadOnlyFilesystem, "mounted read-only"),
        (ErrorKind::Other, "look at the volume"),
    ];
    for (kind, word) in cases {
        let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
        let started = start_on(&fs, dir.path()).await;
        fail_writes(&fs, kind);
        send(&started, vec![pod("a", "Running")]).await;
        until("it is degraded", || snapshot(&started).unsaved.is_some()).await;
        assert!(degraded(&started).contains(word), "{}", degraded(&started));
        fs.mend();
        until_healed(&started).await;
        assert_live_is_replayed(&started);
        stop(started).await;
    }
}

#[tokio::test]
async fn a_start_on_a_volume_that_takes_nothing_serves_and_is_recorded_later() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    fail_writes(&fs, ErrorKind::StorageFull);
    let started = start_on(&fs, dir.path()).await;
    assert!(degraded(&started).contains("full"), "{}", degraded(&started));
    fs.mend();
    until_healed(&started).await;
    assert_eq!(events(&reader(&started), &[kind::BOOT]).len(), 1);
    stop(started).await;
}

#[tokio::test]
async fn what_finds_no_room_in_memory_is_counted_and_collectors_start_over() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    let generation = *started.generation.borrow();
    fail_writes(&fs, ErrorKind::StorageFull);
    for table in ["a", "b", "c", "d", "e", "f"] {
        send(&started, vec![large_query(table, 7 << 20)]).await;
    }
    until("all is taken in", || {
        snapshot(&started).unsaved.as_ref().is_some_and(|u| u.dropped == 2)
    })
    .await;
    assert_eq!(snapshot(&started).state.live_queries.len(), 4, "what is shown is kept");
    assert_eq!(*started.generation.borrow(), generation, "not before it can be recorded");
    fs.mend();
    until_healed(&started).await;
    assert_live_is_replayed(&started);
    until("collectors start over", || *started.generation.borrow() == generation + 1).await;
    stop(started).await;
}

fn intent(id: &str) -> Event {
    Event::ActionIntent(ActionIntent {
        id: id.into(),
        actor: "admin key".into(),
        action: "restart-workload".into(),
        args: "{}".into(),
        started: millis(now_ns()),
        ext: Extensions::default(),
    })
}

fn outcome(id: &str) -> Event {
    let Event::ActionIntent(intent) = intent(id) else { unreachable!("it is an intent") };
    Event::ActionOutcome(ActionOutcome {
        id: intent.id,
        actor: intent.actor,
        action: intent.action,
        args: intent.args,
        started: intent.started,
        ended: intent.started,
        outcome: Outcome::Succeeded,
        detail: String::new(),
        ext: intent.ext,
    })
}

#[tokio::test]
async fn what_admins_do_without_a_record_is_recorded_first_afterwards() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    let recorder = &started.recorder;
    let kept = recorder.record_or_keep(vec![intent("before")]).await.expect("it is recorded");
    assert!(matches!(kept, Recorded::Durable(_)));
    fail_writes(&fs, ErrorKind::StorageFull);
    let refused = recorder.record_durable(vec![intent("refused")]).await;
    assert!(matches!(refused, Err(Error::NotRecorded { .. })), "{refused:?}");
    send(&started, vec![pod("a", "Running")]).await;
    for event in [outcome("before"), intent("ended"), intent("running"), outcome("ended")] {
        let kept = recorder.record_or_keep(vec![event]).await;
        assert_eq!(kept.expect("it is kept"), Recorded::InMemory);
    }
    until("it is shown", || snapshot(&started).unsaved.as_ref().is_some_and(|u| u.kept == 5)).await;
    let shown = snapshot(&started);
    let running: Vec<_> = shown.state.running_actions.values().collect();
    assert!(running.len() == 1 && running[0].intent.id == "running" && !running[0].is_saved);
    let outcomes = &shown.unsaved.as_ref().expect("it is degraded").outcomes;
    assert_eq!(outcomes.len(), 2);

    let last = reader(&started).positions().last_seq;
    fs.mend();
    until_healed(&started).await;
    assert_live_is_replayed(&started);
    let mut kinds = Vec::new();
    let range = Range { after: last, ..Range::ALL };
    let scanned = reader(&started).scan(range, &mut |record| {
        kinds.push(record.kind);
        std::ops::ControlFlow::Continue(())
    });
    scanned.expect("the journal is read");
    let (intent, outcome) = (kind::ACTION_INTENT, kind::ACTION_OUTCOME);
    let expected = [outcome, intent, intent, outcome, kind::OBJECT_OBSERVED, kind::DEGRADED];
    assert_eq!(kinds, expected);
    stop(started).await;
}

#[tokio::test]
async fn an_intent_that_may_not_be_durable_is_neither_confirmed_nor_denied() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    fs.fail(Op::Sync, ErrorKind::Other);
    fs.fail(Op::Create, ErrorKind::Other);
    fs.fail(Op::Rename, ErrorKind::Other);
    let asked = started.recorder.record_durable(vec![intent("unsure")]).await;
    assert!(matches!(asked, Err(Error::Unsure { .. })), "{asked:?}");
    fs.mend();
    until_healed(&started).await;
    assert_live_is_replayed(&started);
    assert!(snapshot(&started).state.running_actions.contains_key("unsure"));
    stop(started).await;
}

#[tokio::test]
async fn a_wipe_of_a_full_volume_keeps_what_admins_did() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    fs.fail(Op::Write, ErrorKind::StorageFull);
    fs.fail(Op::Allocate, ErrorKind::StorageFull);
    send(&started, vec![pod("a", "Running")]).await;
    until("it is degraded", || snapshot(&started).unsaved.is_some()).await;
    let kept = started.recorder.record_or_keep(vec![intent("kept")]).await;
    assert_eq!(kept.expect("it is kept"), Recorded::InMemory);
    fs.mend();
    let note = WipeNote { actor: "admin key".into(), reason: "full".into(), time_ns: now_ns() };
    started.recorder.wipe(note).await.expect("it is wiped");
    until_healed(&started).await;
    assert_live_is_replayed(&started);
    let state = snapshot(&started).state.clone();
    assert!(state.objects.is_empty() && state.running_actions.contains_key("kept"));
    stop(started).await;
}

#[tokio::test]
async fn a_stop_records_what_waits_if_it_can_and_leaves_a_sound_journal_if_not() {
    for (mends, expected) in [(true, 2), (false, 1)] {
        let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
        let started = start_on(&fs, dir.path()).await;
        send(&started, vec![pod("a", "Running")]).await;
        settle(&started).await;
        fail_writes(&fs, ErrorKind::StorageFull);
        send(&started, vec![pod("b", "Running"), log_line("lost")]).await;
        until("it is degraded", || snapshot(&started).unsaved.is_some()).await;
        if mends {
            fs.mend();
        }
        stop(started).await;

        let started = start(setup(dir.path())).await;
        assert_eq!(snapshot(&started).state.objects.len(), expected);
        assert_eq!(degraded(&started), "");
        assert_live_is_replayed(&started);
        stop(started).await;
    }
}

/// Any change of one of a few entities, from one number to the next.
fn any_event(random: &mut u64) -> Event {
    *random =
        random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let draw = *random >> 33;
    let id = format!("{}", draw / 16 % 6);
    match draw % 9 {
        0 | 1 => pod(&id, ["Running", "Pending", "Failed"][(draw / 128 % 3) as usize]),
        2 => deleted(&id),
        3 => open_trace(&id),
        4 => ended_trace(&id),
        5 => live_query(&id),
        6 => Event::LiveQueryDropped(LiveQueryDropped {
            source: "app-server".into(),
            table_name: id,
            filter: "{}".into(),
            ext: Extensions::default(),
        }),
        7 => source(&format!("source-{id}"), State::Up, draw as f64),
        _ => position(&draw.to_string()),
    }
}

#[tokio::test]
async fn after_any_history_with_troubles_live_is_what_a_replay_gives() {
    let (dir, fs) = (tempfile::tempdir().expect("a temporary folder"), Faulty::new());
    let started = start_on(&fs, dir.path()).await;
    let mut random = 7;
    let mut moments = Vec::new();
    for _ in 0..2 {
        for _ in 0..20 {
            let events = (0..20).map(|_| any_event(&mut random)).collect();
            send(&started, events).await;
        }
        settle(&started).await;
        assert_live_is_replayed(&started);
        moments.push(snapshot(&started));
        fail_writes(&fs, ErrorKind::StorageFull);
        for _ in 0..20 {
            let events = (0..20).map(|_| any_event(&mut random)).collect();
            send(&started, events).await;
        }
        let last = format!("last of {}", moments.len());
        send(&started, vec![pod(&last, "Running")]).await;
        let is_shown = |row: &views::Object| row.object.uid == last;
        until("all is taken in", || snapshot(&started).state.objects.values().any(is_shown)).await;
        assert!(snapshot(&started).unsaved.is_some());
        let shown = snapshot(&started).state.clone();
        fs.mend();
        until_healed(&started).await;
        assert_live_is_replayed(&started);
        let healed = snapshot(&started).state.clone();
        let known = |state: &views::State| state.objects.keys().copied().collect::<Vec<_>>();
        assert_eq!(known(&shown), known(&healed), "what was shown is what is recorded");
        moments.push(snapshot(&started));
    }
    for moment in &moments {
        assert_eq!(replayed(&started, Some(moment.seq)), moment.state, "at {}", moment.seq);
    }
    stop(started).await;
}
