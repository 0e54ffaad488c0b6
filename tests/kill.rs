//! Kills the recorder in the middle of its work, again and again, and then holds it to its word.
//!
//! An app-server sends 100,000 mixed frames while the recorder process is killed (SIGKILL) and
//! started again a hundred times (`KILL_ROUNDS`): in the flood, after it, while it starts. The
//! segments are small, so that it rotates all the while. An admin follows the live feed, asks for
//! log lines and starts actions. In the end: what the admin saw is there, once and in order; what
//! was sent and is not there lies in a recorded gap; of traces and live queries the last state told
//! is the state shown; each action that was accepted has an outcome.

#[path = "kill/desk.rs"]
mod desk;

#[path = "support/log.rs"]
mod log;

#[path = "kill/plan.rs"]
mod plan;

#[path = "kill/pod_logs.rs"]
mod pod_logs;

#[path = "support/process.rs"]
mod process;

#[path = "kill/told.rs"]
mod told;

#[path = "kill/wipe.rs"]
mod wipe;

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use desk::{Desk, Line, ROWS, Seen};
use log::Log;
use monitor_backend::sim::{AppServer, Scenario, Sim};
use plan::{Dice, Kill};
use process::Process;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::Instant};
use told::{FRAMES, LINES_OF_TEN, Told};

/// Whatever is waited for takes a fraction of this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The smallest segments that there are: the journal of the test takes some dozens. And a budget
/// that a flood does not use up.
const CONFIG: &str = "[journal]\nsegment_bytes = 1048576\nsource_bytes_per_day = 1000000000000\n\
                      [cluster]\nenabled = false\n";

/// The processes of a test, one at a time, on one journal.
struct Site {
    data: PathBuf,
    config: PathBuf,
    log: Log,
}

impl Site {
    fn new(folder: &Path) -> Site {
        let config = folder.join("config.toml");
        std::fs::write(&config, CONFIG).expect("the folder is writable");
        Site { data: folder.join("data"), config, log: Log::new(folder) }
    }

    fn command(&self, args: &[&str]) -> Command {
        let config = self.config.to_str().expect("temporary paths are text");
        let args = [&["--config", config], args].concat();
        let mut command = process::serve_command(&self.data, &args);
        command.stderr(self.log.stderr());
        command
    }

    fn start(&self, args: &[&str]) -> Process {
        Process::start(self.command(args))
    }

    /// Begins a start, and kills it before it may have come to its end.
    async fn start_and_kill(&self, args: &[&str], after: Duration) {
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::null()).spawn().expect("the binary starts");
        tokio::time::sleep(after).await;
        child.kill().expect("it is ours to kill");
        child.wait().expect("it has ended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_survives_and_what_was_missed_is_a_gap() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sim = Sim::start(Scenario::Quiet, 1, folder.path()).await.expect("the simulation starts");
    let sim = Arc::new(sim);
    let site = Site::new(folder.path());
    let link = sim.app_server_url();
    let args = ["--app-server-url", link.as_str()];
    let (url, url_seen) = watch::channel(None);
    let desk = Desk::new(url_seen);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let told = Arc::new(Mutex::new(Told::default()));
    let grant = watch::Sender::new(0);
    let sent = watch::Sender::new(0);

    let mut admin = JoinSet::new();
    admin.spawn(desk.clone().follow(seen.clone()));
    admin.spawn(desk.clone().poll(seen.clone()));
    admin.spawn(desk.clone().act(seen.clone()));
    let mut teller = JoinSet::new();
    teller.spawn({
        let (sim, told) = (sim.clone(), told.clone());
        let (granted, sent) = (grant.subscribe(), sent.clone());
        async move { told::tell(sim.app_server(), told, granted, sent).await }
    });

    let mut dice = Dice::new(1);
    let rounds = plan::rounds();
    let round_frames = FRAMES.div_ceil(rounds as u64);
    let mut recorder = site.start(&args);
    url.send_replace(Some(recorder.address().to_owned()));
    links(sim.app_server(), 1).await;
    // Before the first line nobody has claimed to hear anything.
    let mut granted = 1;
    grant.send_replace(granted);
    eventually("first line", async || !seen.lock().expect("no panic").fed.is_empty()).await;
    for _ in 0..rounds {
        let kill = dice.kill(round_frames * LINES_OF_TEN / 10);
        let before = seen.lock().expect("no panic").fed.len() as u64;
        granted = (granted + round_frames).min(FRAMES);
        grant.send_replace(granted);
        eventually("time to kill", async || {
            let lines = seen.lock().expect("no panic").fed.len() as u64 - before;
            kill.is_due(lines) || *sent.borrow() == granted
        })
        .await;
        url.send_replace(None);
        recorder.kill();
        links(sim.app_server(), 0).await;
        if let Kill::Starting(after) = kill {
            site.start_and_kill(&args, after).await;
            links(sim.app_server(), 0).await;
        }
        recorder = site.start(&args);
        url.send_replace(Some(recorder.address().to_owned()));
        links(sim.app_server(), 1).await;
    }
    grant.send_replace(FRAMES);
    eventually("end of all frames", async || *sent.borrow() == FRAMES).await;
    told::tell_again(sim.app_server(), &told).await;

    let told = std::mem::take(&mut *told.lock().expect("no panic"));
    states_are_shown(&desk, &told).await;
    let lines = lines_are_there(&desk, &seen).await;
    gaps_are_told(&desk, &lines, &told).await;
    actions_have_outcomes(&desk, &seen).await;
    site.log.holds_no_panic();
}

impl Kill {
    /// Whether it is time, when the admin has seen so many lines.
    fn is_due(self, lines: u64) -> bool {
        match self {
            Kill::Seen(enough) => lines >= enough,
            Kill::Linked | Kill::Starting(_) => true,
            Kill::AllSent => false,
        }
    }
}

async fn links(app_server: &AppServer, count: usize) {
    eventually("link", async || app_server.clients() == count).await;
}

/// Polls until `check` is true.
async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !check().await {
        assert!(Instant::now() < deadline, "no {what} in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Of each trace and live query the state told last is the state shown, and there are no others.
async fn states_are_shown(desk: &Desk, told: &Told) {
    let (requests, queries) = (told.requests(), told.live_queries());
    eventually("last state of the requests", async || shown_requests(desk).await == requests).await;
    eventually("last state of the queries", async || shown_queries(desk).await == queries).await;
}

async fn shown_requests(desk: &Desk) -> BTreeMap<String, Value> {
    let rows = desk.all("/api/requests", "requests").await;
    let count = rows.len();
    let shown = rows.into_iter().map(|mut row| {
        let id = row["id"].as_str().expect("an id").to_owned();
        (id, json!({"end": row["end"].take(), "sections": row["sections"].take()}))
    });
    let shown: BTreeMap<_, _> = shown.collect();
    assert_eq!(shown.len(), count, "each request is listed once");
    shown
}

async fn shown_queries(desk: &Desk) -> BTreeMap<(String, String), Value> {
    let mut answer = desk.get("/api/live-queries").await;
    let Value::Array(rows) = answer["live_queries"].take() else { panic!("no live queries") };
    let count = rows.len();
    let shown = rows.into_iter().map(|mut row| {
        let table = row["table_name"].as_str().expect("a table").to_owned();
        let state = json!({
            "last_entries": row["last_entries"].take(),
            "watchers_count": row["watchers_count"].take(),
            "observed": row["observed"].take(),
        });
        ((table, row["filter"].to_string()), state)
    });
    let shown: BTreeMap<_, _> = shown.collect();
    assert_eq!(shown.len(), count, "each live query is listed once");
    shown
}

/// Every line that was seen is there, once and in order. Returns all lines, oldest first.
async fn lines_are_there(desk: &Desk, seen: &Mutex<Seen>) -> Vec<Line> {
    let lines = desk.lines().await;
    for pair in lines.windows(2) {
        assert!(pair[0].seq < pair[1].seq && pair[0].number < pair[1].number, "{pair:?}");
    }
    // The feed went on after each restart where it was cut, so it told every line, and once.
    let last = lines.last().expect("some lines").seq;
    let told_last =
        async || seen.lock().expect("no panic").fed.last().is_some_and(|l| l.seq >= last);
    eventually("last line on the live feed", told_last).await;
    let seen = seen.lock().expect("no panic");
    assert!(seen.complaints.is_empty(), "{:?}", seen.complaints);
    assert_same(&seen.fed, &lines);

    let recorded: BTreeMap<u64, Line> = lines.iter().map(|line| (line.seq, *line)).collect();
    assert!(!seen.polled.is_empty());
    for line in seen.polled.values() {
        assert_eq!(recorded.get(&line.seq), Some(line), "seen in a list, and gone");
    }
    lines
}

/// Compares without printing a hundred thousand lines.
fn assert_same(fed: &[Line], lines: &[Line]) {
    let differs = fed.iter().zip(lines).position(|(fed, line)| fed != line);
    if let Some(at) = differs {
        panic!("the feed told {:?}, recorded is {:?}", fed[at], lines[at]);
    }
    assert_eq!(fed.len(), lines.len(), "the feed and the record agree as far as both go");
}

/// Every line that was sent and is not there was sent within a recorded gap, and no gap is wider
/// than it has to be.
async fn gaps_are_told(desk: &Desk, lines: &[Line], told: &Told) {
    let gaps = gaps_of_link(desk).await;
    let in_gap = |time: f64| gaps.iter().any(|gap| gap.from <= time && time <= gap.to);
    let recorded: HashSet<u64> = lines.iter().map(|line| line.number).collect();
    let sent = told.lines.iter().enumerate();
    let missing: Vec<_> = sent.filter(|(n, _)| !recorded.contains(&(*n as u64))).collect();
    let untold: Vec<_> = missing.iter().filter(|(_, time)| !in_gap(**time)).collect();
    assert!(untold.is_empty(), "{} lines lost in silence: {untold:?}; {gaps:#?}", untold.len());
    assert!(!missing.is_empty(), "the kills cost nothing: the flood did not flow");
    // What is lost between the end of a gap and the beginning of the source being up is in no gap.
    let up = source_up_since(desk).await;
    assert!(gaps.iter().any(|gap| gap.to == up), "no gap ends at {up}: {gaps:#?}");
    for gap in &gaps {
        // A gap covers nothing that was observed: neither what is recorded before it nor what is
        // recorded after it.
        let (before, after) = lines.split_at(lines.partition_point(|line| line.seq < gap.seq));
        assert!(before.iter().all(|line| line.time <= gap.from), "{gap:?} begins too early");
        assert!(after.iter().all(|line| line.learned >= gap.to), "{gap:?} ends too late");
    }
}

/// Each action that was accepted is there, once, with an outcome.
async fn actions_have_outcomes(desk: &Desk, seen: &Mutex<Seen>) {
    let accepted = std::mem::take(&mut seen.lock().expect("no panic").accepted);
    assert!(!accepted.is_empty(), "no action was accepted");
    let mut outcomes: BTreeMap<String, Value> = BTreeMap::new();
    let is_complete = async || {
        let rows = desk.all("/api/actions", "actions").await;
        let count = rows.len();
        let by_id = rows
            .into_iter()
            .map(|mut row| (row["id"].as_str().expect("an id").to_owned(), row["outcome"].take()));
        outcomes = by_id.collect();
        assert_eq!(outcomes.len(), count, "each action is listed once");
        accepted.iter().all(|id| outcomes.get(id).is_some_and(Value::is_string))
    };
    eventually("outcome of each action", is_complete).await;
}

/// A stretch in which the link was not observed.
#[derive(Debug)]
struct Gap {
    seq: u64,
    from: f64,
    to: f64,
}

async fn source_up_since(desk: &Desk) -> f64 {
    let answer = desk.get("/api/sources").await;
    let mut sources = answer["sources"].as_array().into_iter().flatten();
    let link = sources.find(|source| source["name"] == "app-server").expect("the link is known");
    assert_eq!(link["state"], "up");
    link["since"].as_f64().expect("a time")
}

async fn gaps_of_link(desk: &Desk) -> Vec<Gap> {
    let answer = desk.get(&format!("/api/sources?limit={ROWS}")).await;
    let rows = answer["gaps"].as_array().expect("gaps");
    assert!(rows.len() < ROWS, "there may be gaps that are not in this answer");
    let of_link = rows.iter().filter(|gap| gap["source"] == "app-server");
    let time = |gap: &Value, field: &str| gap[field].as_f64().expect("a time");
    let gap = |gap: &Value| Gap {
        seq: gap["seq"].as_u64().expect("a sequence number"),
        from: time(gap, "from"),
        to: time(gap, "to"),
    };
    of_link.map(gap).collect()
}
