//! Kills the recorder while a pod writes numbered lines: each is recorded, and none twice.

use std::fs;

use monitor_backend::sim::{Scenario, Sim};
use serde_json::{Value, json};

use super::{Process, ROWS, Site};

const CONFIG: &str = "[[pod_logs]]\nname = \"count\"\nlabel_selector = \"app=count\"\n";

/// Kills, one about a second after each start.
const KILLS: usize = 5;

/// So many lines come between a start and the next kill: the pod writes them in a second.
const LINES: u64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_costs_no_line_of_a_pod_and_brings_none_twice() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sim = Sim::start(Scenario::Quiet, 1, folder.path()).await.expect("the simulation starts");
    let site = Site::new(folder.path());
    fs::write(&site.config, CONFIG).expect("the folder is writable");
    let kubeconfig = sim.kubeconfig().to_str().expect("temporary paths are text");
    let args = ["--kubeconfig", kubeconfig];
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "default", "name": "count", "labels": {"app": "count"}},
        "spec": {"containers": [{"name": "counter", "image": "counter:1"}]},
    });
    sim.cluster().put(pod).expect("pods are served");

    let mut until = LINES;
    for _ in 0..KILLS {
        let recorder = site.start(&args).ready().await;
        until = come_to(&recorder, until).await + LINES;
        recorder.kill();
    }
    let recorder = site.start(&args).ready().await;
    let last = come_to(&recorder, until).await;
    let numbers = recorded(&recorder).await;
    let count = numbers.len() as u64;
    assert_eq!(numbers, (0..count).collect::<Vec<u64>>(), "each once, and in order");
    assert!(count > last, "{count} lines, and {last} was seen");
    site.log.holds_no_panic();
}

/// Waits until a line is recorded, or a later one; gives its number.
async fn come_to(recorder: &Process, number: u64) -> u64 {
    let newest = |page: &Value| numbers(page).first().copied();
    let is_there = |page: &Value| newest(page).is_some_and(|newest| newest >= number);
    let page = recorder.wait_for("/api/logs?limit=1", is_there).await;
    newest(&page).expect("it was waited for")
}

/// The numbers of all recorded lines, in the order of the record.
async fn recorded(recorder: &Process) -> Vec<u64> {
    let mut found = Vec::new();
    let mut before = String::new();
    loop {
        let page = recorder.get(&format!("/api/logs?limit={ROWS}{before}")).await;
        found.extend(numbers(&page));
        let Some(next) = page["next"].as_u64() else { break };
        before = format!("&before={next}");
    }
    found.reverse();
    found
}

/// The numbers of the lines on a page, newest first.
fn numbers(page: &Value) -> Vec<u64> {
    let rows = page["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let number = |row: &Value| row["message"].as_str()?.strip_prefix("line ")?.parse().ok();
    rows.iter().filter_map(number).collect()
}
