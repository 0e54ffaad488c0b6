//! The demo's story against what the recorder says is wrong: the real binary, its simulated cluster
//! and app-server, and every collector between them.

#[path = "support/process.rs"]
mod process;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use process::{KEY, Process, command};
use serde_json::{Value, json};

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

    /// The last stretch that began before some time.
    fn until(&self, kind: &str, time: Instant) -> Option<Seen> {
        self.0.get(kind)?.iter().copied().rfind(|seen| seen.first < time)
    }
}

/// A trouble, as the story tells it.
#[derive(Debug, Clone)]
struct Scene {
    problem: String,
    began: Instant,
    ended: Option<Instant>,
    by_admin: bool,
}

/// The story so far.
fn told(demo: &Process) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    for (at, line) in demo.said() {
        let Some(line) = line.strip_prefix("story: ") else { continue };
        let (problem, rest) = line.split_once(' ').expect("a problem and what of it");
        if rest.starts_with("ends") {
            let open = scenes.iter_mut().find(|s| s.problem == problem && s.ended.is_none());
            let open = open.expect("it began");
            (open.ended, open.by_admin) = (Some(at), rest == "ends: by the admin");
        } else {
            let problem = problem.to_owned();
            scenes.push(Scene { problem, began: at, ended: None, by_admin: false });
        }
    }
    scenes
}

/// A bad deploy that an admin ends.
#[derive(Debug, Default)]
struct Restart(Option<Scene>);

impl Restart {
    /// A scene ends by itself some seconds after it began; later than this is too late.
    const IN_TIME: Duration = Duration::from_secs(3);

    /// Restarts the app-server in the first bad deploy after the whole story was told, as soon as
    /// Problems names it.
    async fn look(&mut self, demo: &Process, scenes: &[Scene], list: &Value) {
        if self.0.is_some() || !scenes.iter().any(|scene| scene.problem == STORY[7]) {
            return;
        }
        let is_named = |scene: &&Scene| {
            let mut problems = list["problems"].as_array().expect("a list").iter();
            problems.any(|problem| problem["kind"] == scene.problem.as_str())
        };
        let open = scenes.iter().filter(|scene| scene.ended.is_none());
        let mut bad = open.filter(|s| ["image_pull", "crash_loop"].contains(&s.problem.as_str()));
        let Some(scene) = bad.find(|s| s.began.elapsed() < Self::IN_TIME && is_named(s)) else {
            return;
        };
        let restart = json!({"action": "restart-workload", "args": {
            "kind": "Deployment", "namespace": "default", "name": "app-server",
            "method": "rollout",
        }});
        let (status, started) = demo.post("/api/actions", &restart).await;
        assert_eq!(status, 202, "{started}");
        let path = format!("/api/actions/{}", started["id"].as_str().expect("an id"));
        let ended = demo.wait_for(&path, |answer| !answer["action"]["outcome"].is_null()).await;
        assert_eq!(ended["action"]["outcome"], "succeeded", "{ended:#}");
        self.0 = Some(scene.clone());
    }

    /// The scene as it is told now.
    fn scene<'a>(&self, scenes: &'a [Scene]) -> Option<&'a Scene> {
        let restarted = self.0.as_ref()?;
        scenes.iter().find(|scene| scene.began == restarted.began)
    }

    /// Whether it has been over for so long that nothing may be named for it any more.
    fn is_settled(&self, scenes: &[Scene]) -> bool {
        let scene = self.scene(scenes);
        scene.and_then(|s| s.ended).is_some_and(|at| at.elapsed() > over_within("image_pull"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_name_each_trouble_of_the_story_and_let_go_of_it_when_it_is_over() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let data_dir = data.path().to_str().expect("temporary paths are text");
    std::fs::write(data.path().join("admin-key"), KEY).expect("the folder takes a key");
    let args = ["demo", "--fast", "--listen", "127.0.0.1:0", "--data-dir", data_dir];
    let demo = Process::start(command(&args)).ready().await;
    let (mut watched, mut restart) = (Watched::default(), Restart::default());
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let list = demo.get("/api/problems").await;
        watched.note(&list, Instant::now());
        let scenes = told(&demo);
        restart.look(&demo, &scenes, &list).await;
        let is_told = STORY.iter().all(|kind| is_settled(kind, &scenes, &watched));
        if is_told && restart.is_settled(&scenes) {
            break;
        }
        assert!(Instant::now() < deadline, "{scenes:#?}\n{list:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let scenes = told(&demo);
    let ended = restart.scene(&scenes).expect("it is settled");
    assert!(ended.by_admin, "{scenes:#?}");
    let first = STORY.iter().map(|kind| scenes.iter().find(|scene| scene.problem == *kind));
    let first = first.map(|scene| scene.expect("it is settled"));
    let wrong: Vec<_> = first.chain([ended]).filter_map(|scene| fault(scene, &watched)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(demo.terminate(), Some(0));
}

/// What is wrong with when a problem was named, and for how long.
fn fault(scene: &Scene, watched: &Watched) -> Option<String> {
    let Scene { problem, began, ended, by_admin } = scene;
    let Some(seen) = watched.from(problem, *began) else {
        return Some(format!("{problem} was never named"));
    };
    let named = seen.first.saturating_duration_since(*began);
    let ended = ended.expect("it is settled");
    let until = ended + over_within(problem);
    // What the admin ended must not come back meanwhile.
    let last = if *by_admin { watched.until(problem, until).unwrap_or(seen) } else { seen };
    let over = last.last.saturating_duration_since(ended);
    let by = if *by_admin { " by the admin" } else { "" };
    println!("{problem}: named after {named:.2?}, gone {over:.2?} after its end{by}");
    (named > threshold(problem) + NAMED_WITHIN || over > over_within(problem))
        .then(|| format!("{problem} was named after {named:?}, and {over:?} after its end{by}"))
}

/// Whether the first scene of a kind is over, and so is what was named for it.
fn is_settled(kind: &str, scenes: &[Scene], watched: &Watched) -> bool {
    let first = scenes.iter().find(|scene| scene.problem == kind);
    first.is_some_and(|scene| is_over(scene, watched))
}

/// Whether a scene is over, and so is what was named for it.
fn is_over(scene: &Scene, watched: &Watched) -> bool {
    let (Scene { problem, began, .. }, Some(ended)) = (scene, scene.ended) else { return false };
    let seen = watched.from(problem, *began);
    seen.is_some_and(|seen| seen.last > ended && seen.last.elapsed() > Duration::from_secs(2))
        || ended.elapsed() > over_within(problem) + threshold(problem)
}
