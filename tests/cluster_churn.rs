//! A busy cluster against the real binary: every change that an independent watcher saw is on
//! record, or lies inside a recorded gap. Its watch is cut in the middle.
//!
//! `CHURN_SECONDS` makes it longer than a test should be. The measurements are ignored; `make
//! bench-cluster` runs them with a release build and prints their figures.

#[path = "support/cluster.rs"]
mod cluster;
#[path = "churn/driver.rs"]
mod driver;
#[path = "churn/measure.rs"]
mod measure;
#[path = "support/process.rs"]
mod process;
#[path = "support/proxy.rs"]
mod proxy;

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    path::Path,
    time::Duration,
};

use cluster::Cluster;
use driver::{Change, Driver, watch_until};
use measure::Usage;
use monitor_backend::{
    event::{Event, Gap, kind},
    journal::{Range, Reader},
};
use process::Process;
use proxy::Proxy;
use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

const SOURCE: &str = "cluster/Pod";

/// Changes a second.
const RATE: u64 = 50;

/// How long the test goes on; the measurement says otherwise.
const SECONDS: u64 = 10;

/// The last pod that is created; whoever has seen it has seen everything.
const LAST: &str = "last";

/// How long the recorder's watch is cut.
const CUT: Duration = Duration::from_secs(2);

/// Changes that are under way at once; further ones wait, and the rate is then lower.
const UNDER_WAY_MAX: usize = 32;

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

/// Waits until the watch of pods is in this state.
async fn wait_for_state(process: &Process, state: &str) {
    let is_so = |sources: &Value| {
        let all = sources["sources"].as_array();
        let watch = all.and_then(|all| all.iter().find(|source| source["name"] == SOURCE));
        watch.is_some_and(|watch| watch["state"] == state)
    };
    process.wait_for("/api/sources", is_so).await;
}

async fn wait_for_pod(process: &Process, name: &str) {
    let named = |objects: &Value| {
        let all = objects["objects"].as_array();
        all.is_some_and(|all| all.iter().any(|pod| pod["name"] == name))
    };
    process.wait_for(&format!("/api/objects?kind=Pod&q={name}&limit=10000"), named).await;
}

/// Four in five change a pod's status; the fifth replaces a pod by another one.
async fn churn(driver: &Driver, pods: u64, seconds: u64) {
    let started = Instant::now();
    let slots = std::sync::Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut running = JoinSet::new();
    // What is replaced was the oldest; what is changed is never among the next to be replaced.
    let (mut oldest, mut next) = (0, pods);
    let mut tick = 0;
    while tick < seconds * RATE {
        tokio::time::sleep_until(started + Duration::from_millis(tick * 1000 / RATE)).await;
        let slot = slots.clone().acquire_owned().await.expect("it is never closed");
        let driver = driver.clone();
        let (gone, come, changed) = (oldest, next, oldest + pods / 2 + tick % (pods / 4));
        let replaces = tick % 5 == 4;
        if replaces {
            (oldest, next) = (oldest + 1, next + 1);
        }
        running.spawn(async move {
            let _slot = slot;
            if replaces {
                driver.delete_pod(&pod_name(gone)).await;
                driver.create_pod(&pod_name(come)).await;
            } else {
                driver.change_pod(&pod_name(changed), &format!("change {tick}")).await;
            }
        });
        // A replacement is two changes.
        tick += if replaces { 2 } else { 1 };
    }
    while let Some(done) = running.join_next().await {
        done.expect("a change succeeds");
    }
}

fn pod_name(number: u64) -> String {
    format!("pod-{number:06}")
}

/// What is on record of pods.
#[derive(Default)]
struct Recorded {
    states: HashSet<(String, String)>,
    deleted: HashSet<String>,
    gaps: Vec<Gap>,
}

impl Recorded {
    fn read(dir: &Path) -> Recorded {
        let (reader, _) = Reader::open(dir).expect("the journal opens");
        let kinds = [kind::OBJECT_OBSERVED, kind::OBJECT_DELETED, kind::GAP];
        let mut recorded = Recorded::default();
        let mut take = |record: monitor_backend::journal::Record<'_>| {
            match Event::decode(record.kind, record.payload).expect("it decodes") {
                Some(Event::ObjectObserved(e)) if e.source == SOURCE => {
                    recorded.states.insert((e.object.uid, e.resource_version));
                }
                Some(Event::ObjectDeleted(e)) if e.source == SOURCE => {
                    recorded.deleted.insert(e.object.uid);
                }
                Some(Event::Gap(gap)) if gap.source == SOURCE => recorded.gaps.push(gap),
                _ => {}
            }
            ControlFlow::Continue(())
        };
        reader.scan(Range { kinds: &kinds, ..Range::ALL }, &mut take).expect("it can be read");
        recorded
    }

    fn has(&self, change: &Change) -> bool {
        if change.is_deleted {
            self.deleted.contains(&change.uid)
        } else {
            self.states.contains(&(change.uid.clone(), change.version.clone()))
        }
    }

    fn has_gap_at(&self, time: f64) -> bool {
        self.gaps.iter().any(|gap| gap.from <= time && time <= gap.to)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_that_a_watcher_saw_is_recorded_or_inside_a_gap() {
    let (pods, seconds) = (number_of("CHURN_PODS", 200), number_of("CHURN_SECONDS", SECONDS));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start().await;
    let driver = Driver::new(cluster.kubeconfig()).await;
    driver.create_pods((0..pods).map(pod_name)).await;
    let proxy = Proxy::start(&cluster.url()).await;
    let kubeconfig = proxy.kubeconfig(cluster.kubeconfig());
    let kubeconfig = kubeconfig.to_str().expect("temporary paths are text");
    let process = Process::serve(dir.path(), &["--kubeconfig", kubeconfig]).ready().await;
    wait_for_state(&process, "up").await;
    let version = driver.version().await;
    let watching = tokio::spawn(watch_until(driver.clone(), version, LAST.into()));

    let before = Usage::of(&process).await;
    let cutting = async {
        tokio::time::sleep(Duration::from_secs(seconds) / 3).await;
        proxy.set_open(false);
        wait_for_state(&process, "down").await;
        tokio::time::sleep(CUT).await;
        proxy.set_open(true);
    };
    tokio::join!(churn(&driver, pods, seconds), cutting);
    wait_for_state(&process, "up").await;
    driver.create_pod(LAST).await;
    let seen = watching.await.expect("the watcher sees the last");
    wait_for_pod(&process, LAST).await;
    let after = Usage::of(&process).await;
    assert_eq!(process.terminate(), Some(0));

    let recorded = Recorded::read(dir.path());
    let missing: Vec<&Change> = seen
        .iter()
        .filter(|change| !recorded.has(change) && !recorded.has_gap_at(change.seen))
        .collect();
    assert!(missing.is_empty(), "{} of {}: {missing:#?}", missing.len(), seen.len());
    // The churn was one, and the cut was one.
    assert!(seen.len() as u64 >= seconds * RATE, "{}", seen.len());
    let in_gap = seen.iter().filter(|change| !recorded.has(change)).count();
    let gap = recorded.gaps.iter().find(|gap| gap.to - gap.from >= CUT.as_millis() as f64);
    assert!(gap.is_some(), "the cut is a gap: {:?}", recorded.gaps);
    let kinds = seen.iter().fold(HashMap::new(), |mut kinds, change| {
        *kinds.entry(change.is_deleted).or_insert(0) += 1;
        kinds
    });
    assert_eq!(kinds.len(), 2, "pods came, changed and went: {kinds:?}");
    println!(
        "churn: {pods} pods, {seconds} s: {} changes seen, {in_gap} of them only in a gap; {}",
        seen.len(),
        after.since(&before, seen.len() as u64)
    );
}
