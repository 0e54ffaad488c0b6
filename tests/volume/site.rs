//! A recorder on a volume, and an app-server that tells it numbered lines.

use std::{
    cell::Cell,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use monitor_backend::sim::{Frame, LogEntry, Scenario, Sim};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    log::Log,
    process::{self, Process, WAIT_MAX},
};

/// The smallest segments that there are.
pub const SEGMENT_BYTES: u64 = 1 << 20;

/// The room that a line takes, about: some hundred make a segment.
pub const LINE_BYTES: usize = 4096;

/// Lines that fill a segment, about.
pub const SEGMENT_LINES: u64 = SEGMENT_BYTES / LINE_BYTES as u64;

/// A day's flood in a second is no fault here.
const CONFIG: &str = "[journal]\nsegment_bytes = 1048576\nsource_bytes_per_day = 1000000000000\n\
                      [cluster]\nenabled = false\n";

/// Rows that are given at most in one answer, as asked for here.
const ROWS: usize = 500;

/// What the app-server's gaps may count beside lines: its going down and coming up.
const OTHERS_MAX: u64 = 4;

/// Where a recorder works, one process after the other.
pub struct Site {
    pub log: Log,
    pub data: PathBuf,
    sim: Sim,
    said: Cell<u64>,
    /// Goes last: the log is in it.
    folder: TempDir,
}

impl Site {
    /// With the journal in a temporary folder.
    pub async fn new() -> Site {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        Site::with(folder, data).await
    }

    /// With the journal in a directory of its own, on some volume.
    pub async fn on(volume: &Path) -> Site {
        Site::with(tempfile::tempdir().expect("a temporary folder"), volume.join("data")).await
    }

    async fn with(folder: TempDir, data: PathBuf) -> Site {
        let sim = Sim::start(Scenario::Quiet, 1, folder.path()).await;
        let sim = sim.expect("the simulation starts");
        fs::write(folder.path().join("config.toml"), CONFIG).expect("the folder is writable");
        let log = Log::new(folder.path());
        Site { log, data, sim, said: Cell::new(0), folder }
    }

    /// The recorder, not yet started.
    pub fn command(&self) -> Command {
        let config = self.folder.path().join("config.toml");
        let config = config.to_str().expect("temporary paths are text");
        let link = self.sim.app_server_url();
        let args = ["--config", config, "--app-server-url", &link];
        let mut command = process::serve_command(&self.data, &args);
        command.stderr(self.log.stderr());
        command
    }

    /// A recorder that may still be starting.
    pub fn start(&self) -> Process {
        Process::start(self.command())
    }

    /// A recorder that hears the app-server.
    pub async fn record(&self) -> Process {
        let recorder = self.start().ready().await;
        self.linked().await;
        recorder
    }

    /// Waits until the recorder hears the app-server.
    pub async fn linked(&self) {
        self.until("the link is up", || self.sim.app_server().clients() == 1).await;
    }

    /// Waits until something holds.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + WAIT_MAX;
        while !holds() {
            assert!(Instant::now() < deadline, "never: {what}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Tells so many lines; returns the number of the last one.
    pub async fn say(&self, count: u64) -> u64 {
        for _ in 0..count {
            let number = self.said.get() + 1;
            self.said.set(number);
            let frame = Frame::LogEntryAdded { entry: entry(number) };
            assert_eq!(self.sim.app_server().send(&frame).await, 1, "the recorder listens");
        }
        self.said.get()
    }

    /// Tells so many lines and waits until they are recorded.
    pub async fn say_and_see(&self, recorder: &Process, count: u64) {
        let last = self.say(count).await;
        let is_there = |page: &Value| numbers(page).first() == Some(&last);
        recorder.wait_for("/api/logs?limit=1", is_there).await;
    }

    /// The journal's segments, in the order of their names.
    pub fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.data).into_iter().flatten();
        let paths = entries.map(|entry| entry.expect("it can be read").path());
        let mut segments: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|end| end == "seg")).collect();
        segments.sort();
        segments
    }
}

fn entry(number: u64) -> LogEntry {
    let text = format!("line {number} of the test ");
    LogEntry {
        time: 1_700_000_000_000.0 + number as f64,
        level: "INFO".into(),
        target: "app".into(),
        span_name: String::new(),
        message: text + &"x".repeat(LINE_BYTES - 200),
    }
}

/// The numbers of the lines on a page, newest first.
fn numbers(page: &Value) -> Vec<u64> {
    let rows = page["entries"].as_array().expect("entries");
    let number = |row: &Value| {
        let text = row["message"].as_str().expect("a message");
        let number = text.split(' ').nth(1).expect("a number");
        number.parse().expect("a number")
    };
    rows.iter().map(number).collect()
}

/// Numbers of lines, as the stretches without a hole that they make.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines(Vec<RangeInclusive<u64>>);

impl Lines {
    /// These and no other.
    pub fn all(numbers: RangeInclusive<u64>) -> Lines {
        Lines(vec![numbers])
    }

    /// No lines.
    pub fn none() -> Lines {
        Lines(Vec::new())
    }

    pub fn first(&self) -> u64 {
        *self.0.first().expect("there are lines").start()
    }

    pub fn last(&self) -> u64 {
        *self.0.last().expect("there are lines").end()
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end() - range.start() + 1).sum()
    }

    /// Whether the last ones are these.
    pub fn end_with(&self, numbers: RangeInclusive<u64>) -> bool {
        let last = self.0.last().expect("there are lines");
        last.start() <= numbers.start() && last.end() == numbers.end()
    }

    /// Adds an older one.
    fn push(&mut self, number: u64) {
        match self.0.last_mut() {
            Some(range) if number + 1 == *range.start() => *range = number..=*range.end(),
            Some(range) => {
                assert!(number < *range.start(), "each line once and in order: {number} {range:?}");
                self.0.push(number..=number);
            }
            None => self.0.push(number..=number),
        }
    }
}

/// All recorded lines.
pub async fn lines(recorder: &Process) -> Lines {
    let mut lines = Lines::none();
    let mut before = String::new();
    loop {
        let page = recorder.get(&format!("/api/logs?limit={ROWS}{before}")).await;
        numbers(&page).into_iter().for_each(|number| lines.push(number));
        let Some(next) = page["next"].as_u64() else { break };
        before = format!("&before={next}");
    }
    lines.0.reverse();
    lines
}

/// The gaps say that so many lines were dropped, give or take a state of the link itself.
pub async fn are_counted(recorder: &Process, lines: u64) {
    let counted = dropped(recorder).await;
    assert!((lines..=lines + OTHERS_MAX).contains(&counted), "{lines} lost, {counted} counted");
}

/// How many lines the gaps of the app-server say were dropped.
pub async fn dropped(recorder: &Process) -> u64 {
    let answer = recorder.get("/api/sources?limit=1000").await;
    let gaps = answer["gaps"].as_array().expect("gaps").iter();
    gaps.filter(|gap| gap["source"] == "app-server").filter_map(|gap| gap["dropped"].as_u64()).sum()
}

/// Starts an action that has no effect, since there is no cluster; gives status and answer.
pub async fn act(recorder: &Process, more: Value) -> (u16, Value) {
    let mut action = json!({
        "action": "restart-workload",
        "args": {"kind": "Deployment", "namespace": "none", "name": "web", "method": "rollout"},
    });
    for (name, value) in more.as_object().expect("an object") {
        action[name] = value.clone();
    }
    recorder.post("/api/actions", &action).await
}

/// Wipes; gives the new epoch.
pub async fn wipe(recorder: &Process) -> u64 {
    let wipe = json!({"confirm": "wipe", "reason": "the volume is full"});
    let (status, wiped) = recorder.post("/api/journal/wipe", &wipe).await;
    assert_eq!(status, 200, "{wiped}");
    wiped["epoch"].as_u64().expect("an epoch")
}

/// What is said to be wrong.
pub fn degraded(status: &Value) -> &[Value] {
    status["degraded"].as_array().expect("a list")
}

/// Waits until nothing is said to be wrong.
pub async fn sound(recorder: &Process) {
    recorder.wait_for("/api/status", |status| degraded(status).is_empty()).await;
}

/// The process is alive and says so.
pub async fn is_alive(recorder: &Process) {
    let answer = recorder.request(Method::GET, "/healthz").send().await.expect("it answers");
    assert_eq!(answer.status(), 200);
}

/// The status of `/readyz`.
pub async fn readiness(recorder: &Process) -> u16 {
    let answer = recorder.request(Method::GET, "/readyz").send().await.expect("it answers");
    answer.status().as_u16()
}

/// Whether it is said that this segment has lost something: it counts as damaged, recovery names
/// it, or numbers of its events are reported lost.
pub fn says_lost(journal: &Value, segment: &Path) -> bool {
    let name = segment.file_name().and_then(|name| name.to_str()).expect("names are text");
    let is_this = |row: &&Value| row["name"] == name;
    let rows = journal["segments"].as_array().expect("a list").iter();
    let is_damaged = rows.clone().filter(is_this).any(|row| row["damaged"].as_u64() > Some(0));
    // The name holds the number at which it begins; it ends where the next one begins.
    let first: u64 = name[9..29].parse().expect("a number");
    let firsts = rows.filter_map(|row| row["first_seq"].as_u64());
    let next = firsts.filter(|next| *next > first).min().unwrap_or(u64::MAX);
    let recovery = &journal["recovery"];
    let number = |range: &Value, end: &str| range[end].as_u64().expect("a number");
    let mut lost = recovery["lost"].as_array().expect("a list").iter();
    let is_lost =
        lost.any(|range| number(range, "first_seq") < next && number(range, "last_seq") >= first);
    is_damaged || is_lost || recovery["damaged"].to_string().contains(name)
}

/// What the process keeps of segments that have no name any more, in open files and in maps.
pub fn kept_without_name(recorder: &Process) -> Vec<String> {
    let process = PathBuf::from(format!("/proc/{}", recorder.id()));
    let files = fs::read_dir(process.join("fd")).expect("it runs");
    let files = files.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let files = files.map(|path| path.to_string_lossy().into_owned());
    let maps = fs::read_to_string(process.join("maps")).expect("it runs");
    let maps = maps.lines().map(str::to_owned);
    files.chain(maps).filter(|text| text.ends_with(".seg (deleted)")).collect()
}
