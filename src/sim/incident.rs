//! The story of the demo: bad deploys (an image that nobody has pushed, one that crashes, one that
//! leaks), a lost node, a volume that fills, and calm again, over and over.
//!
//! An admin who restarts the app-server's workload during a bad deploy ends it early.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::watch;

use super::{
    app_server::{AppServer, Mood},
    cluster::{Cluster, Image},
    scene::Scenes,
};
use crate::event::Millis;

/// The workload that the story is about.
pub(super) const NAMESPACE: &str = "default";
pub(super) const APP_SERVER: &str = "app-server";
/// The node that gets lost.
pub(super) const LOST_NODE: &str = "node-3";
/// The volume that fills: its namespace and its claim.
pub(super) const FULL_VOLUME: (&str, &str) = ("postgres", "debate-map-db");

/// How often the story looks what shows, and whether an admin has acted.
const LOOK: Duration = Duration::from_millis(100);
/// The leak takes this long to fill the memory, at the slow tempo.
const OUT_OF_MEMORY_AFTER: Duration = Duration::from_secs(12);
/// A new version crashes so soon after it became ready.
const CRASH_AFTER: Duration = Duration::from_secs(2);
/// The app-server fails for so long at any tempo: errors and hanging requests are counted in seconds.
const FAILING: Duration = Duration::from_secs(12);
/// The link is gone while the app-server is killed and started again; long enough to be noticed.
const LINK_LOST: Duration = Duration::from_secs(8);
/// A volume jumps to a level within this time.
const JUMP: Duration = Duration::from_secs(1);

/// The image that runs when the story begins.
pub(super) fn first_image() -> String {
    image("1.40.0")
}

fn image(version: &str) -> String {
    format!("ghcr.io/debate-map/app-server:{version}")
}

pub(super) struct Story {
    cluster: Arc<Cluster>,
    app_server: Arc<AppServer>,
    mood: watch::Sender<Mood>,
    scenes: Arc<Scenes>,
    /// So many times faster than a spectator likes.
    haste: u32,
    /// What ran well last: a rollback goes there.
    good_image: String,
    /// The count of interventions when the incident began.
    interventions: u64,
    /// What the pods of a bad deploy are going to show.
    awaited: Option<Sign>,
}

/// Whether an admin acted before the time was over.
#[derive(PartialEq, Eq)]
enum Ended {
    ByItself,
    ByAdmin,
}

/// How a bad deploy shows in a pod.
#[derive(Clone, Copy)]
enum Sign {
    ImagePull,
    CrashLoop,
    OutOfMemory,
}

impl Sign {
    fn shows_in(self, pod: &Value) -> bool {
        let container = &pod["status"]["containerStatuses"][0];
        let waits_for = |reasons: &[&str]| {
            let reason = container["state"]["waiting"]["reason"].as_str();
            reason.is_some_and(|reason| reasons.contains(&reason))
        };
        match self {
            Sign::ImagePull => waits_for(&["ErrImagePull", "ImagePullBackOff"]),
            Sign::CrashLoop => waits_for(&["CrashLoopBackOff"]),
            Sign::OutOfMemory => container["lastState"]["terminated"]["reason"] == "OOMKilled",
        }
    }

    /// The problem that it is, and what happens.
    fn scene(self) -> (&'static str, &'static str) {
        match self {
            Sign::ImagePull => ("image_pull", "a deploy of an image that nobody has pushed"),
            Sign::CrashLoop => ("crash_loop", "a deploy of a version that crashes"),
            Sign::OutOfMemory => ("oom_killed", "a deploy of a version that leaks memory"),
        }
    }
}

impl Story {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        app_server: Arc<AppServer>,
        mood: watch::Sender<Mood>,
        scenes: Arc<Scenes>,
        haste: u32,
    ) -> Story {
        Story {
            cluster,
            app_server,
            mood,
            scenes,
            haste,
            good_image: first_image(),
            interventions: 0,
            awaited: None,
        }
    }

    /// Tells the story until it is aborted; at the slow tempo a round takes less than four minutes.
    pub(super) async fn run(mut self) {
        for round in 1_u32.. {
            self.calm(25).await;
            self.bad_deploys(&format!("1.{}.0", 40 + round)).await;
            self.calm(15).await;
            self.lost_node().await;
            self.calm(10).await;
            self.full_volume().await;
        }
    }

    /// Three versions in turn, unless an admin ends it.
    async fn bad_deploys(&mut self, version: &str) {
        if self.missing_image(&image(&format!("{version}-rc1"))).await == Ended::ByAdmin {
            return;
        }
        self.calm(5).await;
        if self.crash_loop(&image(&format!("{version}-rc2"))).await == Ended::ByAdmin {
            return;
        }
        self.calm(10).await;
        self.leak(&image(version)).await;
    }

    fn paced(&self, time: Duration) -> Duration {
        time / self.haste
    }

    async fn calm(&self, seconds: u64) {
        self.mood.send_replace(Mood::Calm);
        tokio::time::sleep(self.paced(Duration::from_secs(seconds))).await;
    }

    /// A deploy of an image that nobody has pushed: new pods never start, old ones go on.
    async fn missing_image(&mut self, image: &str) -> Ended {
        self.begin(image, Image::Missing, Sign::ImagePull);
        let ended = self.wait(25).await;
        self.recover(image, &ended);
        ended
    }

    /// A deploy of an image that fails soon after its start, again and again.
    async fn crash_loop(&mut self, image: &str) -> Ended {
        let after = millis(self.paced(CRASH_AFTER));
        self.begin(image, Image::CrashesAfter(after), Sign::CrashLoop);
        let ended = self.wait(30).await;
        self.recover(image, &ended);
        ended
    }

    /// A deploy of an image that leaks: it takes over, grows slow, fails, fills its memory and is
    /// killed, again and again.
    async fn leak(&mut self, image: &str) {
        let after = millis(self.paced(OUT_OF_MEMORY_AFTER));
        self.begin(image, Image::OutOfMemoryAfter(after), Sign::OutOfMemory);
        let mut ended = self.wait(10).await;
        if ended == Ended::ByItself {
            self.mood.send_replace(Mood::Strained);
            ended = self.wait(8).await;
        }
        if ended == Ended::ByItself {
            self.mood.send_replace(Mood::Failing);
            self.scenes.begin("error_rate", "the app-server logs many errors");
            self.scenes.begin("slow_requests", "requests to the app-server hang");
            ended = self.wait_for(FAILING).await;
        }
        if ended == Ended::ByItself {
            self.lose_link().await;
            ended = self.wait(15).await;
        }
        self.recover(image, &ended);
    }

    fn begin(&mut self, image: &str, fate: Image, sign: Sign) {
        self.interventions = self.cluster.interventions();
        self.cluster.set_image(image, Some(fate));
        self.awaited = Some(sign);
        self.deploy(image);
    }

    /// By itself it ends with a rollback. After a restart by an admin the image is what it should
    /// have been, and stays.
    fn recover(&mut self, image: &str, ended: &Ended) {
        self.mood.send_replace(Mood::Calm);
        self.awaited = None;
        match ended {
            Ended::ByAdmin => {
                self.cluster.set_image(image, None);
                self.good_image = image.to_owned();
            }
            Ended::ByItself => {
                self.deploy(&self.good_image);
                self.cluster.set_image(image, None);
            }
        }
        self.scenes.end_all(*ended == Ended::ByAdmin);
    }

    async fn lost_node(&self) {
        self.cluster.set_node_ready(LOST_NODE, false);
        self.scenes.begin("node_not_ready", "a node is lost");
        self.mood.send_replace(Mood::Strained);
        tokio::time::sleep(self.paced(Duration::from_secs(25))).await;
        self.cluster.set_node_ready(LOST_NODE, true);
        self.scenes.end_all(false);
    }

    /// The database's volume fills from 82 to 95 %, and is made empty again.
    async fn full_volume(&self) {
        let (namespace, claim) = FULL_VOLUME;
        let time = self.paced(Duration::from_secs(20));
        self.cluster.fill_volume(namespace, claim, 0.82, JUMP);
        tokio::time::sleep(JUMP).await;
        self.scenes.begin("volume_filling", "the database's volume fills");
        self.cluster.fill_volume(namespace, claim, 0.95, time);
        tokio::time::sleep(time + JUMP * 4).await;
        self.cluster.fill_volume(namespace, claim, 0.45, JUMP);
        tokio::time::sleep(JUMP).await;
        self.scenes.end_all(false);
    }

    fn deploy(&self, image: &str) {
        self.cluster.deploy(NAMESPACE, APP_SERVER, image);
    }

    /// A port that cannot be opened again would leave the link down, which the demo shows as such.
    async fn lose_link(&self) {
        if self.app_server.stop_listening().await.is_ok() {
            self.scenes.begin("source_down", "the app-server is killed, and its link is down");
            tokio::time::sleep(LINK_LOST).await;
        }
        let _ = self.app_server.resume_listening().await;
    }

    async fn wait(&mut self, seconds: u64) -> Ended {
        self.wait_for(self.paced(Duration::from_secs(seconds))).await
    }

    /// Waits, and says when the awaited sign shows.
    async fn wait_for(&mut self, at_most: Duration) -> Ended {
        let deadline = tokio::time::Instant::now() + at_most;
        while tokio::time::Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            self.look();
            if self.cluster.interventions() != self.interventions {
                return Ended::ByAdmin;
            }
        }
        Ended::ByItself
    }

    fn look(&mut self) {
        let Some(sign) = self.awaited else { return };
        if self.cluster.all("Pod").iter().any(|pod| sign.shows_in(pod)) {
            let (problem, what) = sign.scene();
            self.scenes.begin(problem, what);
            self.awaited = None;
        }
    }
}

fn millis(time: Duration) -> Millis {
    time.as_secs_f64() * 1000.0
}
