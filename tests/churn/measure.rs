//! What a recorder takes of the machine, and the measurements of whole clusters. They print and
//! decide nothing.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    cluster::Cluster, driver::Driver, number_of, pod_name, process::Process, wait_for_pod,
    wait_for_state,
};

/// The kernel counts a process's time in hundredths of a second on every usual build.
const TICKS_A_SECOND: f64 = 100.0;

/// What a process has used so far.
pub struct Usage {
    at: Instant,
    cpu_seconds: f64,
    private_bytes: u64,
    journal_bytes: u64,
}

impl Usage {
    pub async fn of(process: &Process) -> Usage {
        let status = process.get("/api/status").await;
        Usage {
            at: Instant::now(),
            cpu_seconds: cpu_seconds(process.id()),
            private_bytes: private_bytes(process.id()),
            journal_bytes: status["journal"]["bytes"].as_u64().expect("a number"),
        }
    }

    /// What was used since, over so many changes.
    pub fn since(&self, before: &Usage, changes: u64) -> Used {
        Used {
            seconds: (self.at - before.at).as_secs_f64(),
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            private_bytes: self.private_bytes,
            journal_bytes: self.journal_bytes - before.journal_bytes,
            changes,
        }
    }
}

/// What was used in a stretch.
pub struct Used {
    seconds: f64,
    cpu_seconds: f64,
    private_bytes: u64,
    journal_bytes: u64,
    changes: u64,
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Used { seconds, cpu_seconds, private_bytes, journal_bytes, changes } = self;
        write!(
            f,
            "{:.1} % of a core, {:.1} MiB private, {journal_bytes} bytes recorded in {seconds:.0} s",
            100.0 * cpu_seconds / seconds,
            *private_bytes as f64 / f64::from(1 << 20),
        )?;
        if *changes > 0 {
            write!(f, ", {} bytes a change", journal_bytes / changes)?;
        }
        Ok(())
    }
}

fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // The name, in brackets, may hold spaces.
    let fields = stat.rsplit(')').next().expect("it has a name").split_whitespace();
    let ticks: f64 =
        fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks")).sum();
    ticks / TICKS_A_SECOND
}

/// Memory that only this process has and that no file backs.
fn private_bytes(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("it runs");
    let line = text.lines().find(|line| line.starts_with("Anonymous:")).expect("it is told");
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    kib.expect("it is a number") << 10
}

/// Bytes an hour of a cluster in which nothing happens: pods stand still, kubelets beat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of minutes"]
async fn idle() {
    const NODES: usize = 50;
    const BEAT: Duration = Duration::from_secs(10);
    let (pods, seconds) = (number_of("IDLE_PODS", 1000), number_of("IDLE_SECONDS", 180));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start().await;
    let driver = Driver::new(cluster.kubeconfig()).await;
    driver.create_nodes(NODES).await;
    driver.create_pods((0..pods).map(pod_name)).await;
    let kubeconfig = cluster.kubeconfig().to_str().expect("temporary paths are text");
    let process = Process::serve(dir.path(), &["--kubeconfig", kubeconfig]).ready().await;
    wait_for_state(&process, "up").await;
    wait_for_pod(&process, &pod_name(pods - 1)).await;
    driver.beat(NODES).await;
    // Everything that the start brings is over when each watch has been asked for anew.
    tokio::time::sleep(Duration::from_secs(65)).await;
    let before = Usage::of(&process).await;
    let first: Value = process.get("/api/status").await["journal"]["last_seq"].clone();
    let mut beats = tokio::time::interval(BEAT);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        beats.tick().await;
        driver.beat(NODES).await;
    }
    let used = Usage::of(&process).await.since(&before, 0);
    let last = process.get("/api/status").await["journal"]["last_seq"].clone();
    let an_hour = used.journal_bytes as f64 * 3600.0 / used.seconds / f64::from(1 << 20);
    println!(
        "idle: {pods} pods, {NODES} nodes: {an_hour:.2} MiB an hour ({first} to {last}); {used}"
    );
}

/// Private memory with as many pods as the budget names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of minutes"]
async fn memory() {
    const CHURN_SECONDS: u64 = 20;
    let pods = number_of("MEMORY_PODS", 10_000);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start().await;
    let driver = Driver::new(cluster.kubeconfig()).await;
    driver.create_pods((0..pods).map(pod_name)).await;
    let kubeconfig = cluster.kubeconfig().to_str().expect("temporary paths are text");
    let process = Process::serve(dir.path(), &["--kubeconfig", kubeconfig]).ready().await;
    let started = Usage::of(&process).await;
    wait_for_state(&process, "up").await;
    wait_for_pod(&process, &pod_name(pods - 1)).await;
    let listed = Usage::of(&process).await;
    println!("memory: {pods} pods listed: {}", listed.since(&started, pods));
    crate::churn(&driver, pods, CHURN_SECONDS).await;
    let after = Usage::of(&process).await;
    println!("memory: and changed: {}", after.since(&listed, CHURN_SECONDS * crate::RATE));
}
