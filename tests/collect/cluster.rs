//! The cluster collector.

use std::{collections::BTreeMap, time::Duration};

use monitor_backend::{
    cluster::Access,
    collect::{Config, Pace, Resume},
    event::{
        DeletedBecause, Event, Gap, Listed, ObjectDeleted, ObjectObserved, Observation, State,
    },
};
use serde_json::json;
use tempfile::TempDir;

use super::{
    api_server::{ApiServer, EVENTS, NODES, PODS},
    app_server::now,
    collected::{Collected, Seen, fast},
};

const POD: &str = "cluster/Pod";
const NODE: &str = "cluster/Node";
const EVENT: &str = "cluster/Event";
const QUEUE_MESSAGES: usize = 64;

/// A server, and collectors that look only at one source of it.
struct Setup {
    server: ApiServer,
    dir: TempDir,
}

impl Setup {
    async fn new() -> Setup {
        Setup { server: ApiServer::start().await, dir: TempDir::new().expect("a folder") }
    }

    fn observe(&self, only: &'static str) -> Collected {
        self.observe_from(only, Resume::default(), fast())
    }

    fn observe_from(&self, only: &'static str, resume: Resume, pace: Pace) -> Collected {
        let kubeconfig = Some(self.server.write_kubeconfig(self.dir.path()));
        observe(
            Config { cluster: Some(Access { kubeconfig }), pace, ..Config::default() },
            resume,
            only,
        )
    }
}

fn observe(config: Config, resume: Resume, only: &'static str) -> Collected {
    let mut collected = Collected::start(&config, &resume, QUEUE_MESSAGES);
    collected.only = only;
    collected
}

fn resume(source: &str, position: &str, heard_until: f64) -> Resume {
    Resume {
        positions: BTreeMap::from([(source.to_owned(), position.to_owned())]),
        heard_until: BTreeMap::from([(source.to_owned(), heard_until)]),
        ..Resume::default()
    }
}

async fn object(collected: &mut Collected) -> ObjectObserved {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ObjectObserved(e)) => Some(e.clone()),
            _ => None,
        })
        .await
}

async fn deleted(collected: &mut Collected) -> ObjectDeleted {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ObjectDeleted(e)) => Some(e.clone()),
            _ => None,
        })
        .await
}

async fn message(collected: &mut Collected) -> String {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ClusterEvent(e)) => Some(e.message.clone()),
            _ => None,
        })
        .await
}

async fn listed(collected: &mut Collected) -> (Vec<String>, f64, f64) {
    collected
        .wait(|seen| match seen {
            Seen::Listed(Listed { uids, from, to, .. }) => Some((uids.clone(), *from, *to)),
            _ => None,
        })
        .await
}

fn names(passed: &[Seen]) -> Vec<&str> {
    let objects = passed.iter().filter_map(|seen| match seen {
        Seen::Event(Event::ObjectObserved(e)) => Some(e.object.name.as_str()),
        _ => None,
    });
    objects.collect()
}

fn has_gap(passed: &[Seen]) -> bool {
    passed.iter().any(|seen| matches!(seen, Seen::Event(Event::Gap(_))))
}

#[tokio::test]
async fn a_list_of_many_pages_comes_whole_and_the_watch_goes_on_from_it() {
    const PODS_COUNT: usize = 1201;
    let setup = Setup::new().await;
    for number in 0..PODS_COUNT {
        setup.server.put(PODS, &format!("p{number:04}"), json!({}));
    }
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Connecting).await;
    let (uids, from, to) = listed(&mut pods).await;
    assert_eq!((uids.len(), names(&pods.passed).len()), (PODS_COUNT, PODS_COUNT));
    assert!(from == to && to <= now(), "nothing was known before: {from} {to}");
    pods.state(POD, State::Up).await;
    assert!(pods.passed.is_empty(), "{:?}", pods.passed);

    setup.server.put(PODS, "new", json!({"spec": {"a": 1}}));
    setup.server.put(PODS, "new", json!({"spec": {"a": 2}}));
    setup.server.delete(PODS, "new");
    assert!(object(&mut pods).await.body.contains(r#""spec":{"a":1}"#));
    let changed = object(&mut pods).await;
    let gone = deleted(&mut pods).await;
    assert_eq!((gone.because, &gone.body), (DeletedBecause::Deleted, &changed.body));
    assert!(gone.from == gone.to && gone.object == changed.object);
    pods.stop().await;
}

#[tokio::test]
async fn the_same_object_has_the_same_body_in_a_list_and_in_a_watch() {
    let setup = Setup::new().await;
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Up).await;
    setup.server.put(PODS, "a", json!({"spec": {"z": [1.5], "b": null}}));
    let watched = object(&mut pods).await;
    let mut again = setup.observe(POD);
    assert_eq!(object(&mut again).await, watched);
}

#[tokio::test]
async fn with_a_recorded_position_it_watches_at_once() {
    let setup = Setup::new().await;
    setup.server.put(PODS, "seen", json!({}));
    let heard_until = now() - 9000.0;
    let position = setup.server.bookmark(PODS);
    setup.server.put(PODS, "missed", json!({}));
    let mut pods = setup.observe_from(POD, resume(POD, &position, heard_until), fast());
    let gap = pods.gap(POD).await;
    assert_eq!((gap.from, &*gap.reason), (heard_until, "the recorder was not running"));
    pods.state(POD, State::Up).await;
    assert_eq!(object(&mut pods).await.object.name, "missed");
    assert!(!setup.server.state().requests.contains(&format!("list {PODS}")));
}

#[tokio::test]
async fn a_forgotten_position_is_listed_again_and_says_since_when_things_may_be_gone() {
    for gone_as_event in [false, true] {
        let setup = Setup::new().await;
        setup.server.put(PODS, "there", json!({}));
        setup.server.set(|state| {
            state.forgotten_before = 100;
            state.gone_as_event = gone_as_event;
        });
        let heard_until = now() - 9000.0;
        let mut pods = setup.observe_from(POD, resume(POD, "7", heard_until), fast());
        let (uids, from, to) = listed(&mut pods).await;
        assert_eq!((uids.len(), from), (1, heard_until), "as event: {gone_as_event}");
        assert!(to > from && to <= now());
        setup.server.put(PODS, "more", json!({}));
        assert_eq!(object(&mut pods).await.object.name, "more");
    }
}

#[tokio::test]
async fn a_version_forgotten_while_up_is_told_as_a_gap() {
    let setup = Setup::new().await;
    setup.server.put(PODS, "doomed", json!({}));
    let mut pods = setup.observe(POD);
    let up = pods.state(POD, State::Up).await;
    setup.server.put(PODS, "news", json!({}));
    object(&mut pods).await;
    setup.server.set(|state| state.gone_as_event = true);
    setup.server.delete_unseen(PODS, "doomed");
    setup.server.say(
        PODS,
        r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"x"}}"#,
    );
    // Both the open watch and the one after it may be told.
    setup.server.bookmark(PODS);
    let (uids, from, to) = listed(&mut pods).await;
    assert_eq!(uids.len(), 1);
    assert!(up.since <= from && from <= to);
    let gap = pods.gap(POD).await;
    assert_eq!((gap.from, gap.to), (from, to));
    assert!(gap.reason.contains("had forgotten"), "{}", gap.reason);
}

#[tokio::test]
async fn a_missing_permission_is_told_and_harms_no_other_kind() {
    let setup = Setup::new().await;
    setup.server.put(PODS, "there", json!({}));
    let list_nodes = format!("list {NODES}");
    setup.server.set(|state| assert!(state.forbidden.insert(list_nodes)));
    let mut all = setup.observe("");
    let down = all.state(NODE, State::Down).await;
    for word in ["list nodes", "403", "someone cannot do this", "grant list", "core API group"] {
        assert!(down.reason.contains(word), "{word}: {}", down.reason);
    }
    drop(all);
    let mut all = setup.observe("");
    all.state(POD, State::Up).await;

    let mut nodes = setup.observe(NODE);
    nodes.state(NODE, State::Down).await;
    setup.server.set(|state| state.forbidden.clear());
    nodes.state(NODE, State::Up).await;
    assert!(!has_gap(&nodes.passed), "nothing was ever heard that could be missed");
}

#[tokio::test]
async fn a_watch_that_may_not_be_opened_names_the_verb() {
    let setup = Setup::new().await;
    let watch_pods = format!("watch {PODS}");
    setup.server.set(|state| assert!(state.forbidden.insert(watch_pods)));
    let mut pods = setup.observe(POD);
    let down = pods.state(POD, State::Down).await;
    assert!(down.reason.contains("grant watch on the resource pods"), "{}", down.reason);
}

#[tokio::test]
async fn a_watch_that_breaks_off_goes_on_without_loss_or_repetition() {
    const ROUNDS: usize = 20;
    let setup = Setup::new().await;
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Up).await;
    for round in 0..ROUNDS {
        setup.server.put(PODS, &format!("before-{round:02}"), json!({}));
        setup.server.cut();
        setup.server.put(PODS, &format!("after-{round:02}"), json!({}));
        let names = [object(&mut pods).await.object.name, object(&mut pods).await.object.name];
        assert_eq!(names, [format!("before-{round:02}"), format!("after-{round:02}")]);
    }
    let lists = format!("list {PODS}");
    assert_eq!(setup.server.state().requests.iter().filter(|r| **r == lists).count(), 1);
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_told_and_needs_no_restart() {
    let setup = Setup::new().await;
    setup.server.put(PODS, "doomed", json!({}));
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Up).await;
    setup.server.set(|state| state.is_down = true);
    let down = pods.state(POD, State::Down).await;
    assert!(down.reason.contains("is the API server running"), "{}", down.reason);
    setup.server.delete_unseen(PODS, "doomed");
    setup.server.set(|state| state.is_down = false);

    let (uids, from, to) = listed(&mut pods).await;
    assert!(uids.is_empty() && from < to);
    assert!(from <= down.since && down.since <= to);
    let gap: Gap = pods.gap(POD).await;
    let up = pods.state(POD, State::Up).await;
    assert_eq!((gap.from, gap.reason), (from, down.reason));
    assert!(to <= gap.to && gap.to <= up.since);
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_counted_and_a_list_makes_up_for_it() {
    for line in ["garbage", r#"{"type":"ADDED"}"#, r#"{"type":"NEWS","object":{}}"#, "[]"] {
        let setup = Setup::new().await;
        setup.server.put(PODS, "there", json!({}));
        let mut pods = setup.observe(POD);
        pods.state(POD, State::Up).await;
        setup.server.bookmark(PODS);
        setup.server.say(PODS, line);
        let down = pods.state(POD, State::Down).await;
        assert_eq!(down.malformed, 1, "{line}: {down:?}");
        assert!(!down.last_malformed.is_empty());
        listed(&mut pods).await;
        let up = pods.state(POD, State::Up).await;
        assert_eq!(up.malformed, 1);
    }
}

#[tokio::test]
async fn an_object_without_a_uid_is_counted_and_the_watch_goes_on() {
    let setup = Setup::new().await;
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Up).await;
    let version = setup.server.bookmark(PODS);
    setup.server.say(
        PODS,
        &json!({"type": "ADDED", "object": {"metadata": {"name": "x", "resourceVersion": version}}})
            .to_string(),
    );
    setup.server.put(PODS, "good", json!({}));
    let up = pods.state(POD, State::Up).await;
    assert_eq!((up.malformed, &*up.last_malformed), (1, "a Pod without metadata.uid"));
    if names(&pods.passed).is_empty() {
        assert_eq!(object(&mut pods).await.object.name, "good");
    }
}

#[tokio::test]
async fn bookmarks_and_the_end_of_the_process_record_the_position() {
    let setup = Setup::new().await;
    let pace = Pace { position_interval: Duration::ZERO, ..fast() };
    let mut pods = setup.observe_from(POD, Resume::default(), pace);
    pods.state(POD, State::Up).await;
    let version = setup.server.bookmark(PODS);
    let position = pods.wait(|seen| match seen {
        Seen::Event(Event::WatchPosition(position)) => Some(position.clone()),
        _ => None,
    });
    assert_eq!(position.await.resource_version, version);

    // At the usual interval, the position after this is told only when the process stops.
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Up).await;
    setup.server.put(PODS, "last", json!({}));
    let last = object(&mut pods).await;
    let words = pods.stop().await;
    let position = words.iter().find_map(|observed| match &observed.what {
        Observation::Events(events) => events.iter().find_map(|event| match event {
            Event::WatchPosition(e) if e.source == POD => Some(e.resource_version.clone()),
            _ => None,
        }),
        Observation::Listed(_) => None,
    });
    assert_eq!(position, Some(last.resource_version));
}

#[tokio::test]
async fn a_quiet_kind_tells_its_position_again_with_each_watch() {
    let setup = Setup::new().await;
    let pace = Pace { position_interval: Duration::ZERO, watch_seconds: 1, ..fast() };
    let mut pods = setup.observe_from(POD, Resume::default(), pace);
    pods.state(POD, State::Up).await;
    for _ in 0..2 {
        let seen = pods.next().await;
        assert!(matches!(seen, Seen::Event(Event::WatchPosition(_))), "{seen:?}");
    }
}

#[tokio::test]
async fn reports_of_the_cluster_are_sent_once_and_their_deletion_means_nothing() {
    let setup = Setup::new().await;
    let put = |name: &str| setup.server.put(EVENTS, name, json!({"message": name}));
    put("one");
    let mut events = setup.observe(EVENT);
    assert_eq!(message(&mut events).await, "one");
    events.state(EVENT, State::Up).await;
    assert!(
        events.passed.iter().all(|seen| matches!(seen, Seen::Event(Event::WatchPosition(_)))),
        "a list of history ends nothing: {:?}",
        events.passed
    );
    put("two");
    assert_eq!(message(&mut events).await, "two");
    setup.server.delete(EVENTS, "one");
    put("three");
    assert_eq!(message(&mut events).await, "three");
    assert!(events.passed.is_empty(), "{:?}", events.passed);

    // The list after a 410 names them again.
    setup.server.set(|state| state.is_down = true);
    events.state(EVENT, State::Down).await;
    put("four");
    setup.server.delete_unseen(EVENTS, "two");
    setup.server.set(|state| state.is_down = false);
    assert_eq!(message(&mut events).await, "four");
    events.state(EVENT, State::Up).await;
    put("five");
    assert_eq!(message(&mut events).await, "five");
    let is_report = |seen: &Seen| matches!(seen, Seen::Event(Event::ClusterEvent(_)));
    assert!(!events.passed.iter().any(is_report), "{:?}", events.passed);
}

#[tokio::test]
async fn after_a_wipe_everything_is_listed_again() {
    let setup = Setup::new().await;
    setup.server.put(PODS, "there", json!({}));
    let mut pods = setup.observe(POD);
    pods.state(POD, State::Up).await;
    pods.wipe();
    pods.state(POD, State::Connecting).await;
    listed(&mut pods).await;
    assert_eq!(names(&pods.passed), ["there"]);
    assert_eq!(pods.last_generation, 2);
    pods.state(POD, State::Up).await;
    assert!(pods.passed.is_empty(), "what was wiped is no gap: {:?}", pods.passed);
}

#[tokio::test]
async fn a_kubeconfig_that_appears_later_needs_no_restart() {
    let setup = Setup::new().await;
    let path = setup.dir.path().join("kubeconfig");
    std::fs::write(&path, "not: [a kubeconfig").expect("the folder can be written");
    let access = Access { kubeconfig: Some(path.clone()) };
    let config = Config { cluster: Some(access), pace: fast(), ..Config::default() };
    let mut pods = observe(config, Resume::default(), POD);
    let down = pods.state(POD, State::Down).await;
    let expected = format!("reading the kubeconfig {} failed", path.display());
    assert!(down.reason.starts_with(&expected), "{}", down.reason);
    std::fs::remove_file(&path).expect("it was written");
    let down = pods.state(POD, State::Down).await;
    assert!(down.reason.contains("No such file"), "{}", down.reason);
    setup.server.write_kubeconfig(setup.dir.path());
    pods.state(POD, State::Up).await;
}

#[tokio::test]
async fn without_a_cluster_its_sources_are_off() {
    let mut pods = observe(Config::default(), Resume::default(), POD);
    let off = pods.state(POD, State::Off).await;
    assert!(off.reason.contains("switched off"), "{}", off.reason);
    assert!(pods.passed.is_empty(), "{:?}", pods.passed);
}

#[tokio::test]
async fn a_kind_that_the_configuration_leaves_out_is_off_and_not_as_it_was() {
    let setup = Setup::new().await;
    let left = "cluster/Thing.example.com";
    let mut things = setup.observe_from(left, resume(left, "7", now()), fast());
    let off = things.state(left, State::Off).await;
    assert!(off.reason.contains("leaves it out"), "{}", off.reason);
    let mut pods = setup.observe_from(POD, resume(POD, "7", now()), fast());
    pods.state(POD, State::Up).await;
    assert!(!pods.passed.iter().any(|seen| format!("{seen:?}").contains("leaves it out")));
}

#[tokio::test]
async fn any_source_that_the_configuration_leaves_out_is_off_and_not_as_it_was() {
    let left = "pod-logs/gone";
    let resume = Resume { heard_until: [(left.into(), now())].into(), ..Resume::default() };
    let mut logs = observe(Config::default(), resume, left);
    let off = logs.state(left, State::Off).await;
    assert!(off.reason.contains("leaves it out"), "{}", off.reason);
}
