//! The pod log collector, against a double of the API server: what comes twice, what is lost, and
//! what is told when a log cannot be read.

use std::time::Duration;

use monitor_backend::{
    cluster::Access,
    collect::{Config, Pace, PodLogs, Resume},
    event::{Event, Gap, Level, LogLine, PodLogPosition, State},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    api_server::{ApiServer, PODS},
    collected::{Collected, Seen, fast},
    pod_log::{PodLog, Run, StampNs, Trouble},
};

const SOURCE: &str = "pod-logs/web";
/// Nobody takes what the other sources send while a test waits for something else.
const QUEUE_MESSAGES: usize = 4096;
const SECOND_NS: StampNs = 1_000_000_000;

struct Setup {
    server: ApiServer,
    dir: TempDir,
    /// What is old enough to have been written before anybody looked, and new enough to be read.
    start_ns: StampNs,
}

impl Setup {
    async fn new() -> Setup {
        let now_ns = (super::app_server::now() * 1e6) as StampNs;
        let start_ns = (now_ns / SECOND_NS - 60) * SECOND_NS;
        let dir = TempDir::new().expect("a folder");
        Setup { server: ApiServer::start().await, dir, start_ns }
    }

    /// A pod with one container that runs for the `number`th time.
    fn runs(&self, pod: &str, number: u64) {
        self.server.put(PODS, pod, json!({"status": {"containerStatuses": [running(number)]}}));
    }

    /// The run has ended, and the container waits to be started again.
    fn crashed(&self, pod: &str, number: u64) {
        let ended = json!({"terminated": {"containerID": format!("containerd://run{number}")}});
        let status = json!({
            "name": "main", "containerID": format!("containerd://run{number}"),
            "restartCount": number, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": ended,
        });
        self.server.put(PODS, pod, json!({"status": {"containerStatuses": [status]}}));
    }

    fn log(&self, name: &str, log: PodLog) {
        self.server.set(|state| _ = state.logs.insert(name.into(), log));
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut PodLog)) {
        self.server.set(|state| change(state.logs.get_mut(name).expect("there is such a log")));
    }

    /// The present run writes one more line.
    fn writes(&self, name: &str, stamp_ns: StampNs, text: &str) {
        self.change(name, |log| {
            let run = log.runs.last_mut().expect("it runs");
            run.lines.push((stamp_ns, text.into()));
        });
    }

    fn observe(&self) -> Collected {
        self.observe_from(Resume::default(), QUEUE_MESSAGES)
    }

    fn observe_from(&self, resume: Resume, queue_messages: usize) -> Collected {
        let kubeconfig = Some(self.server.write_kubeconfig(self.dir.path()));
        let selection = PodLogs {
            name: "web".into(),
            namespace: None,
            label_selector: String::new(),
            containers: vec![],
            previous: true,
        };
        let pace = Pace { greeting_max: Duration::from_millis(300), ..fast() };
        let config = Config {
            cluster: Some(Access { kubeconfig }),
            pod_logs: vec![selection],
            pace,
            ..Config::default()
        };
        let mut collected = Collected::start(&config, &resume, queue_messages);
        collected.only = SOURCE;
        collected
    }
}

fn running(number: u64) -> Value {
    let last = number
        .checked_sub(1)
        .map(|last| json!({"terminated": {"containerID": format!("containerd://run{last}")}}));
    json!({
        "name": "main", "containerID": format!("containerd://run{number}"),
        "restartCount": number, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "lastState": last.unwrap_or_else(|| json!({})),
    })
}

const MAIN: &str = "ns/p/main";

async fn line(collected: &mut Collected) -> LogLine {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::LogLine(line)) => Some(line.clone()),
            _ => None,
        })
        .await
}

/// The messages of the next lines.
async fn messages(collected: &mut Collected, count: usize) -> Vec<String> {
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.push(line(collected).await.message);
    }
    messages
}

/// The next line and the next gap, whichever comes first.
async fn line_and_gap(collected: &mut Collected) -> (LogLine, Gap) {
    let (mut line, mut gap) = (None, None);
    collected
        .wait(|seen| {
            match seen {
                Seen::Event(Event::LogLine(came)) => line = line.take().or(Some(came.clone())),
                Seen::Event(Event::Gap(came)) => gap = gap.take().or(Some(came.clone())),
                _ => {}
            }
            line.clone().zip(gap.clone())
        })
        .await
}

async fn position(collected: &mut Collected, want: impl Fn(&PodLogPosition) -> bool) {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::PodLogPosition(at)) if want(at) => Some(()),
            _ => None,
        })
        .await;
}

fn gaps(passed: &[Seen]) -> Vec<&Gap> {
    let gaps = passed.iter().filter_map(|seen| match seen {
        Seen::Event(Event::Gap(gap)) => Some(gap),
        _ => None,
    });
    gaps.collect()
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("line {number}")).collect()
}

fn texts(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn every_container_of_a_pod_is_followed_and_its_lines_are_understood() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["2026-01-01T00:00:00Z ERROR app: no", "  at x"]));
    let init = r#"{"level":"warn","msg":"migrating","n":3}"#;
    setup.log("ns/p/init", PodLog::of(setup.start_ns, &[init]));
    let mut init = running(0);
    init["name"] = json!("init");
    init["state"] = json!({"terminated": {"containerID": "containerd://i"}});
    setup.server.put(
        PODS,
        "p",
        json!({"status": {"initContainerStatuses": [init], "containerStatuses": [running(0)]}}),
    );
    let mut logs = setup.observe();
    logs.state(SOURCE, State::Connecting).await;
    logs.state(SOURCE, State::Up).await;
    let mut lines = [line(&mut logs).await, line(&mut logs).await, line(&mut logs).await];
    lines.sort_by(|a, b| a.target.cmp(&b.target));
    let told: Vec<_> = lines.iter().map(|l| (l.target.as_str(), l.level, &*l.message)).collect();
    let expected = [
        ("ns/p/init", Level::Warn, "migrating"),
        (MAIN, Level::Error, "2026-01-01T00:00:00Z ERROR app: no"),
        (MAIN, Level::Error, "  at x"),
    ];
    assert_eq!(told, expected);
    assert_eq!(lines[0].ext.0.as_ref().expect("more fields")["n"], 3);
    assert_eq!(lines[0].time, setup.start_ns as f64 / 1e6);
    setup.writes(MAIN, setup.start_ns + 5, "later");
    assert_eq!(line(&mut logs).await.message, "later");
    logs.stop().await;
}

#[tokio::test]
async fn a_log_that_breaks_off_in_the_middle_goes_on_without_loss_or_doubles() {
    let setup = Setup::new().await;
    let lines = numbered(40);
    let mut log = PodLog::of(setup.start_ns, &texts(&lines));
    // Every line has the same time as its neighbour.
    log.runs[0].lines.iter_mut().for_each(|(stamp_ns, _)| *stamp_ns &= !1);
    log.trouble = Trouble::BreaksOffAfter(300);
    setup.log(MAIN, log);
    setup.runs("p", 0);
    let mut logs = setup.observe();
    let first = line(&mut logs).await.message;
    assert_eq!(first, "line 0");
    for bytes in [550, 777, 1001, 1300] {
        let asked = setup.server.state().requests.len();
        setup.change(MAIN, |log| log.trouble = Trouble::BreaksOffAfter(bytes));
        while setup.server.state().requests.len() < asked + 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    setup.change(MAIN, |log| log.trouble = Trouble::Slow);
    assert_eq!(messages(&mut logs, 39).await, lines[1..]);
    assert!(gaps(&logs.passed).is_empty(), "{:?}", logs.passed);
    setup.server.cut();
    setup.writes(MAIN, setup.start_ns + 39, "line 39");
    assert_eq!(line(&mut logs).await.message, "line 39", "the same text and time, once more");
    logs.stop().await;
}

#[tokio::test]
async fn after_a_crash_the_last_words_come_before_the_next_run() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a", "b"]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 2).await, ["a", "b"]);
    // It writes its last words while the connection is gone.
    setup.server.set(|state| {
        let log = state.logs.get_mut(MAIN).expect("a log");
        log.runs[0].lines.push((setup.start_ns + 2, b"last words".to_vec()));
        log.runs[0].has_ended = true;
        log.runs.push(Run::of(setup.start_ns + 3, &["c", "d"]));
    });
    setup.runs("p", 1);
    assert_eq!(messages(&mut logs, 3).await, ["last words", "c", "d"]);
    assert!(gaps(&logs.passed).is_empty(), "{:?}", logs.passed);

    setup.change(MAIN, |log| {
        log.runs[1].lines.push((setup.start_ns + 5, b"panic: no".to_vec()));
        log.runs[1].has_ended = true;
    });
    setup.crashed("p", 1);
    let last = line(&mut logs).await;
    assert_eq!((&*last.message, last.level), ("panic: no", Level::Error));
    position(&mut logs, |at| at.ended && at.run == "run1").await;
    setup.change(MAIN, |log| log.runs.push(Run::of(setup.start_ns + 9, &["e"])));
    setup.runs("p", 2);
    assert_eq!(messages(&mut logs, 1).await, ["e"], "and nothing of the run before again");
    logs.stop().await;
}

#[tokio::test]
async fn a_run_that_nobody_saw_is_read_and_one_that_is_gone_is_told() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a"]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    setup.change(MAIN, |log| {
        log.runs[0].has_ended = true;
        log.runs.push(Run::of(setup.start_ns + 1, &["unseen"]));
        log.runs.push(Run::of(setup.start_ns + 2, &["now"]));
    });
    setup.runs("p", 2);
    let gap = logs.gap(SOURCE).await;
    assert!(gap.reason.contains("ns/p/main") && gap.reason.contains("restarted"), "{gap:?}");
    assert_eq!(messages(&mut logs, 2).await, ["unseen", "now"]);
    logs.stop().await;
}

/// What the recorder would hold after it was killed behind the `count`th message.
async fn recorded(mut logs: Collected, count: usize) -> (Vec<String>, Resume) {
    let mut resume = Resume::default();
    let mut recorded = Vec::new();
    for _ in 0..count {
        let seen = logs.next().await;
        match seen {
            Seen::Event(Event::LogLine(line)) => recorded.push(line.message),
            Seen::Event(Event::PodLogPosition(at)) => resume.pod_log_positions = vec![at],
            _ => {}
        }
        resume.heard_until.insert(SOURCE.into(), super::app_server::now());
    }
    (recorded, resume)
}

#[tokio::test]
async fn a_recorder_that_was_killed_goes_on_behind_its_last_recorded_line() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a", "b"]));
    setup.runs("p", 0);
    let logs = setup.observe();
    // Connecting, up, two lines, and the position that goes with them.
    let (before, resume) = recorded(logs, 5).await;
    assert_eq!(before, ["a", "b"]);
    assert_eq!(resume.pod_log_positions.len(), 1);
    setup.writes(MAIN, setup.start_ns + 1, "c, of the same time as b");
    setup.writes(MAIN, setup.start_ns + SECOND_NS, "d");
    let mut logs = setup.observe_from(resume.clone(), QUEUE_MESSAGES);
    let gap = logs.gap(SOURCE).await;
    assert!(gap.reason.contains("was not running; what the nodes still had"), "{gap:?}");
    assert_eq!(messages(&mut logs, 2).await, ["c, of the same time as b", "d"]);
    logs.stop().await;

    // The same, but the container was restarted meanwhile.
    setup.change(MAIN, |log| {
        log.runs[0].has_ended = true;
        log.runs.push(Run::of(setup.start_ns + 2 * SECOND_NS, &["e"]));
    });
    setup.runs("p", 1);
    let mut logs = setup.observe_from(resume.clone(), QUEUE_MESSAGES);
    assert_eq!(messages(&mut logs, 3).await, ["c, of the same time as b", "d", "e"]);
    logs.stop().await;

    // The same, but the pod is gone.
    setup.server.delete(PODS, "p");
    let mut logs = setup.observe_from(resume, QUEUE_MESSAGES);
    let gap = logs.gap(SOURCE).await;
    assert!(gap.reason.contains("deleted while it was not observed"), "{gap:?}");
    position(&mut logs, |at| at.gone).await;
    logs.stop().await;
}

#[tokio::test]
async fn without_the_permission_the_source_is_down_and_the_others_stay_up() {
    let setup = Setup::new().await;
    let refused = Trouble::Status(403, "Forbidden", "pods \"p\" is forbidden".into());
    setup.log(MAIN, PodLog { trouble: refused, ..PodLog::of(setup.start_ns, &["a"]) });
    setup.runs("p", 0);
    let mut logs = setup.observe();
    logs.only = "";
    let down = logs.state(SOURCE, State::Down).await;
    assert!(down.reason.contains("grant get on pods/log"), "{}", down.reason);
    setup.runs("q", 0);
    logs.wait(|seen| match seen {
        Seen::Event(Event::ObjectObserved(e)) if e.object.name == "q" => Some(()),
        _ => None,
    })
    .await;
    setup.change(MAIN, |log| log.trouble = Trouble::None);
    logs.only = SOURCE;
    logs.state(SOURCE, State::Up).await;
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    logs.stop().await;
}

#[tokio::test]
async fn a_container_that_waits_for_its_image_is_no_trouble() {
    let setup = Setup::new().await;
    let waiting = json!({"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}});
    setup.server.put(PODS, "p", json!({"status": {"containerStatuses": [waiting]}}));
    let mut logs = setup.observe();
    logs.state(SOURCE, State::Up).await;
    let not_yet = "container \"main\" in pod \"p\" is waiting to start: ContainerCreating";
    let trouble = Trouble::Status(400, "BadRequest", not_yet.into());
    setup.log(MAIN, PodLog { trouble, ..PodLog::of(setup.start_ns, &["a"]) });
    setup.runs("p", 0);
    while !setup.server.state().requests.contains(&format!("log {MAIN}")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    setup.change(MAIN, |log| log.trouble = Trouble::None);
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    assert!(logs.passed.is_empty(), "{:?}", logs.passed);
    logs.stop().await;
}

#[tokio::test]
async fn a_node_that_cannot_be_reached_costs_its_logs_alone_and_is_told() {
    let setup = Setup::new().await;
    let refused = "Get \"https://10.0.0.1:10250/containerLogs\": connect: connection refused";
    let trouble = Trouble::Status(500, "InternalError", refused.into());
    setup.log(MAIN, PodLog { trouble, ..PodLog::of(setup.start_ns, &["a"]) });
    setup.log("ns/q/main", PodLog::of(setup.start_ns, &["of q"]));
    setup.runs("p", 0);
    setup.runs("q", 0);
    let mut logs = setup.observe();
    let (line, gap) = line_and_gap(&mut logs).await;
    assert_eq!(line.message, "of q");
    assert!(gap.reason.contains("ns/p/main: its log cannot be read"), "{gap:?}");
    assert!(gap.reason.contains("connection refused"), "{gap:?}");
    setup.change(MAIN, |log| log.trouble = Trouble::None);
    assert_eq!(messages(&mut logs, 1).await, ["a"]);

    // Where nothing else can be read, nothing is observed.
    setup.change(MAIN, |log| log.trouble = Trouble::Status(500, "InternalError", "no".into()));
    setup.server.delete(PODS, "q");
    let mut alone = setup.observe();
    let down = alone.state(SOURCE, State::Down).await;
    assert!(down.reason.contains("500"), "{}", down.reason);
    logs.stop().await;
    alone.stop().await;
}

#[tokio::test]
async fn a_log_that_hangs_holds_up_no_other() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog { trouble: Trouble::Hang, ..PodLog::default() });
    setup.log("ns/q/main", PodLog::of(setup.start_ns, &["of q"]));
    setup.runs("p", 0);
    setup.runs("q", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 1).await, ["of q"]);
    setup.writes("ns/q/main", setup.start_ns + 1, "more");
    assert_eq!(messages(&mut logs, 1).await, ["more"]);
    logs.stop().await;
}

#[tokio::test]
async fn what_a_node_says_in_the_logs_place_is_told_and_is_no_line() {
    let setup = Setup::new().await;
    let says = "unable to retrieve container logs for containerd://run0\n";
    let trouble = Trouble::Says(says.into());
    setup.log(MAIN, PodLog { trouble, ..PodLog::of(setup.start_ns, &["a"]) });
    setup.log("ns/q/main", PodLog::of(setup.start_ns, &["of q"]));
    setup.runs("p", 0);
    setup.runs("q", 0);
    let mut logs = setup.observe();
    let (line, gap) = line_and_gap(&mut logs).await;
    assert_eq!(line.message, "of q");
    assert!(gap.reason.contains("unable to retrieve container logs"), "{gap:?}");
    setup.change(MAIN, |log| log.trouble = Trouble::Says(format!("{says}\u{0}\u{1}garbage")));
    setup.change(MAIN, |log| log.trouble = Trouble::None);
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    logs.stop().await;
}

#[tokio::test]
async fn a_log_that_was_rotated_under_the_reader_says_that_lines_may_be_missing() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a", "b"]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 2).await, ["a", "b"]);
    setup.server.cut();
    let later = PodLog::of(setup.start_ns + 9 * SECOND_NS, &["y", "z"]);
    setup.log(MAIN, later);
    let gap = logs.gap(SOURCE).await;
    assert!(gap.reason.contains("rotated"), "{gap:?}");
    assert_eq!(gap.from, (setup.start_ns + 1) as f64 / 1e6, "since the last line that was read");
    assert_eq!(messages(&mut logs, 2).await, ["y", "z"]);
    logs.stop().await;
}

#[tokio::test]
async fn a_pod_that_is_deleted_leaves_a_gap_only_where_its_log_was_not_read_to_the_end() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a"]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    setup.change(MAIN, |log| {
        log.runs[0].lines.push((setup.start_ns + 1, b"bye".to_vec()));
        log.runs[0].has_ended = true;
    });
    assert_eq!(messages(&mut logs, 1).await, ["bye"]);
    setup.server.delete(PODS, "p");
    position(&mut logs, |at| at.gone).await;
    assert!(gaps(&logs.passed).is_empty(), "{:?}", logs.passed);

    setup.log(MAIN, PodLog::of(setup.start_ns, &["of the next"]));
    setup.runs("p", 0);
    assert_eq!(messages(&mut logs, 1).await, ["of the next"]);
    setup.server.set(|state| _ = state.logs.remove(MAIN));
    setup.server.cut();
    setup.server.delete(PODS, "p");
    let gap = logs.gap(SOURCE).await;
    assert!(gap.reason.contains("deleted before its log was read to the end"), "{gap:?}");
    logs.stop().await;
}

#[tokio::test]
async fn a_busy_recorder_makes_the_logs_wait_and_loses_nothing() {
    let setup = Setup::new().await;
    let lines = numbered(5000);
    setup.log(MAIN, PodLog::of(setup.start_ns, &texts(&lines)));
    setup.runs("p", 0);
    let mut logs = setup.observe_from(Resume::default(), 1);
    assert_eq!(messages(&mut logs, 5000).await, lines);
    logs.stop().await;
}

#[tokio::test]
async fn a_server_that_disappears_is_told_and_the_logs_go_on_where_they_stopped() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a"]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    setup.server.set(|state| state.is_down = true);
    logs.state(SOURCE, State::Down).await;
    setup.writes(MAIN, setup.start_ns + 1, "b");
    setup.server.set(|state| state.is_down = false);
    logs.gap(SOURCE).await;
    assert_eq!(messages(&mut logs, 1).await, ["b"]);
    logs.stop().await;
}

#[tokio::test]
async fn a_server_that_disappears_as_soon_as_a_log_is_open_is_told_by_a_gap_too() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &[]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    logs.state(SOURCE, State::Up).await;
    setup.server.set(|state| state.is_down = true);
    logs.state(SOURCE, State::Down).await;
    setup.server.set(|state| state.is_down = false);
    logs.gap(SOURCE).await;
    logs.stop().await;
}

#[tokio::test]
async fn more_logs_than_can_be_followed_are_told_and_followed_when_there_is_room() {
    /// As many as the collector follows at once.
    const FOLLOWED_MAX: usize = 200;
    let setup = Setup::new().await;
    let pods: Vec<String> = (0..=FOLLOWED_MAX).map(|number| format!("p{number}")).collect();
    for pod in &pods {
        setup.log(&format!("ns/{pod}/main"), PodLog::of(setup.start_ns, &[pod]));
        setup.runs(pod, 0);
    }
    let mut logs = setup.observe();
    let gap = logs.gap(SOURCE).await;
    assert!(gap.reason.starts_with("1 more containers match than can be followed"), "{gap:?}");
    let is_line = |seen: &&Seen| matches!(seen, Seen::Event(Event::LogLine(_)));
    let before = logs.passed.iter().filter(is_line).count();
    messages(&mut logs, FOLLOWED_MAX - before).await;
    let requests = setup.server.state().requests.clone();
    let is_asked = |pod: &&String| requests.contains(&format!("log ns/{pod}/main"));
    let (followed, waiting): (Vec<_>, Vec<_>) = pods.iter().partition(is_asked);
    assert_eq!(waiting.len(), 1);
    setup.server.delete(PODS, followed[0]);
    assert_eq!(messages(&mut logs, 1).await, [waiting[0].as_str()]);
    logs.stop().await;
}

#[tokio::test]
async fn after_a_wipe_the_logs_go_on_and_the_journal_learns_again_where() {
    let setup = Setup::new().await;
    setup.log(MAIN, PodLog::of(setup.start_ns, &["a"]));
    setup.runs("p", 0);
    let mut logs = setup.observe();
    assert_eq!(messages(&mut logs, 1).await, ["a"]);
    position(&mut logs, |at| at.of_stamp == 1).await;
    logs.wipe();
    position(&mut logs, |at| at.of_stamp == 1).await;
    assert_eq!(logs.last_generation, 2);
    setup.writes(MAIN, setup.start_ns + 1, "b");
    assert_eq!(messages(&mut logs, 1).await, ["b"]);
    logs.stop().await;
}
