//! The demo's story against what the recorder says is wrong: the real binary, its simulated cluster
//! and app-server, and every collector between them.

#[path = "support/process.rs"]
mod process;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use process::{KEY, Process, command};
use serde_json::Value;

/// What the story does is named within this time.
const NAMED_WITHIN: Duration = Duration::from_secs(5);

/// How long something has to last before it counts, as the demo is configured: a request that is
/// open for five seconds hangs, a source is down after two.
fn threshold(problem: &str) -> Duration {
    Duration::from_secs(match problem {
        "slow_requests" => 5,
        "source_down" => 2,
        _ => 0,
    })
}

/// What is over is not named any more within this time: lines count for a minute, and a request that
/// hangs goes on for half of one.
fn over_within(problem: &str) -> Duration {
    Duration::from_secs(match problem {
        "error_rate" => 75,
        "slow_requests" => 45,
        _ => 20,
    })
}

/// The kinds of the story, in its order.
const STORY: [&str; 8] = [
    "image_pull",
    "crash_loop",
    "error_rate",
    "slow_requests",
    "oom_killed",
    "source_down",
    "node_not_ready",
    "volume_filling",
];

/// When something was first and last seen.
#[derive(Clone, Copy)]
struct Seen {
    first: Instant,
    last: Instant,
}

/// Every kind that Problems names, over time: each stretch without a break of a second.
#[derive(Default)]
struct Watched(BTreeMap<String, Vec<Seen>>);

impl Watched {
    fn note(&mut self, list: &Value, at: Instant) {
        const BREAK: Duration = Duration::from_secs(1);
        for problem in list["problems"].as_array().expect("a list") {
            assert!(!problem["records"].as_array().expect("records").is_empty(), "{problem:#}");
            let kind = problem["kind"].as_str().expect("a kind");
            // The story is about these alone; nothing else has to be wrong with the demo.
            let subject = &problem["subject"];
            let is_told = match kind {
                "source_down" => subject["source"] == "app-server",
                "volume_filling" => subject["name"] == "debate-map-db",
                _ => true,
            };
            if !is_told {
                continue;
            }
            let stretches = self.0.entry(kind.to_owned()).or_default();
            match stretches.last_mut() {
                Some(seen) if at - seen.last < BREAK => seen.last = at,
                _ => stretches.push(Seen { first: at, last: at }),
            }
        }
    }

    /// The stretch that goes on at, or begins after, some time.
    fn from(&self, kind: &str, time: Instant) -> Option<Seen> {
        self.0.get(kind)?.iter().copied().find(|seen| seen.last >= time)
    }
}

/// The story so far: problem, when it began, when it ended.
fn told(demo: &Process) -> Vec<(String, Instant, Option<Instant>)> {
    let mut scenes: Vec<(String, Instant, Option<Instant>)> = Vec::new();
    for (at, line) in demo.said() {
        let Some(line) = line.strip_prefix("story: ") else { continue };
        let (problem, rest) = line.split_once(' ').expect("a problem and what of it");
        if rest == "ends" {
            let open = scenes.iter_mut().find(|(p, _, end)| p == problem && end.is_none());
            open.expect("it began").2 = Some(at);
        } else {
            scenes.push((problem.to_owned(), at, None));
        }
    }
    scenes
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_name_each_trouble_of_the_story_and_let_go_of_it_when_it_is_over() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let data_dir = data.path().to_str().expect("temporary paths are text");
    std::fs::write(data.path().join("admin-key"), KEY).expect("the folder takes a key");
    let args = ["demo", "--fast", "--listen", "127.0.0.1:0", "--data-dir", data_dir];
    let demo = Process::start(command(&args)).ready().await;
    let mut watched = Watched::default();
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let list = demo.get("/api/problems").await;
        watched.note(&list, Instant::now());
        let scenes = told(&demo);
        if STORY.iter().all(|kind| is_settled(kind, &scenes, &watched)) {
            break;
        }
        assert!(Instant::now() < deadline, "{scenes:#?}\n{list:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let scenes = told(&demo);
    let mut wrong = Vec::new();
    for kind in STORY {
        let (_, began, ended) = scenes.iter().find(|(p, ..)| p == kind).expect("it is settled");
        let Some(seen) = watched.from(kind, *began) else {
            wrong.push(format!("{kind} was never named"));
            continue;
        };
        let named = seen.first.saturating_duration_since(*began);
        let over = seen.last.saturating_duration_since(ended.expect("it is settled"));
        println!("{kind}: named after {named:.2?}, gone {over:.2?} after its end");
        if named > threshold(kind) + NAMED_WITHIN || over > over_within(kind) {
            wrong.push(format!("{kind} was named after {named:?}, and {over:?} after its end"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(demo.terminate(), Some(0));
}

/// Whether the first scene of a kind is over, and so is what was named for it.
fn is_settled(
    kind: &str,
    scenes: &[(String, Instant, Option<Instant>)],
    watched: &Watched,
) -> bool {
    let Some((_, began, Some(ended))) = scenes.iter().find(|(problem, ..)| problem == kind) else {
        return false;
    };
    let seen = watched.from(kind, *began);
    seen.is_some_and(|seen| seen.last > *ended && seen.last.elapsed() > Duration::from_secs(2))
        || ended.elapsed() > over_within(kind) + threshold(kind)
}
