//! The story of the demo: a bad deploy, a leak, a lost node, and calm again, over and over.
//!
//! An admin who restarts the app-server's workload during an incident ends it early.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    app_server::{AppServer, Mood},
    cluster::{Cluster, Image},
};
use crate::event::Millis;

/// The workload that the story is about.
pub(super) const NAMESPACE: &str = "default";
pub(super) const APP_SERVER: &str = "app-server";
/// The node that gets lost.
pub(super) const LOST_NODE: &str = "node-3";

/// How often the story looks whether an admin has acted.
const LOOK: Duration = Duration::from_millis(250);
/// The leak takes this long to fill the memory.
const OUT_OF_MEMORY_AFTER_MS: Millis = 12_000.0;
/// The link is gone while the app-server is killed and started again.
const LINK_LOST: Duration = Duration::from_secs(4);

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
    /// What ran well last: a rollback goes there.
    good_image: String,
    /// The count of interventions when the incident began.
    interventions: u64,
}

/// Whether an admin acted before the time was over.
#[derive(PartialEq, Eq)]
enum Ended {
    ByItself,
    ByAdmin,
}

impl Story {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        app_server: Arc<AppServer>,
        mood: watch::Sender<Mood>,
    ) -> Story {
        Story { cluster, app_server, mood, good_image: first_image(), interventions: 0 }
    }

    /// Tells the story until it is aborted; a round takes about three minutes.
    pub(super) async fn run(mut self) {
        for round in 1_u32.. {
            self.calm(Duration::from_secs(40)).await;
            let version = format!("1.{}.0", 40 + round);
            let ended = self.missing_image(&image(&format!("{version}-rc1"))).await;
            if ended == Ended::ByItself {
                self.leak(&image(&version)).await;
            }
            self.calm(Duration::from_secs(25)).await;
            self.lost_node().await;
            self.calm(Duration::from_secs(15)).await;
        }
    }

    async fn calm(&self, lasting: Duration) {
        self.mood.send_replace(Mood::Calm);
        tokio::time::sleep(lasting).await;
    }

    /// A deploy of an image that nobody has pushed: new pods never start, old ones go on.
    async fn missing_image(&mut self, image: &str) -> Ended {
        self.begin(image, Image::Missing);
        let ended = self.wait(Duration::from_secs(30)).await;
        self.recover(image, &ended);
        ended
    }

    /// A deploy of an image that leaks: it takes over, fills its memory and is killed, again and
    /// again.
    async fn leak(&mut self, image: &str) {
        self.begin(image, Image::OutOfMemoryAfter(OUT_OF_MEMORY_AFTER_MS));
        let mut ended = self.wait(Duration::from_secs(14)).await;
        if ended == Ended::ByItself {
            self.mood.send_replace(Mood::Strained);
            ended = self.wait(Duration::from_secs(10)).await;
        }
        if ended == Ended::ByItself {
            self.mood.send_replace(Mood::Failing);
            ended = self.wait(Duration::from_secs(6)).await;
        }
        if ended == Ended::ByItself {
            self.lose_link().await;
            ended = self.wait(Duration::from_secs(18)).await;
        }
        self.recover(image, &ended);
    }

    fn begin(&mut self, image: &str, fate: Image) {
        self.interventions = self.cluster.interventions();
        self.cluster.set_image(image, Some(fate));
        self.deploy(image);
    }

    /// By itself it ends with a rollback. After a restart by an admin the image is what it should
    /// have been, and stays.
    fn recover(&mut self, image: &str, ended: &Ended) {
        self.mood.send_replace(Mood::Calm);
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
    }

    async fn lost_node(&self) {
        self.cluster.set_node_ready(LOST_NODE, false);
        self.mood.send_replace(Mood::Strained);
        tokio::time::sleep(Duration::from_secs(25)).await;
        self.cluster.set_node_ready(LOST_NODE, true);
    }

    fn deploy(&self, image: &str) {
        self.cluster.deploy(NAMESPACE, APP_SERVER, image);
    }

    /// A port that cannot be opened again would leave the link down, which the demo shows as such.
    async fn lose_link(&self) {
        if self.app_server.stop_listening().await.is_ok() {
            tokio::time::sleep(LINK_LOST).await;
        }
        let _ = self.app_server.resume_listening().await;
    }

    async fn wait(&self, at_most: Duration) -> Ended {
        let deadline = tokio::time::Instant::now() + at_most;
        while tokio::time::Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            if self.cluster.interventions() != self.interventions {
                return Ended::ByAdmin;
            }
        }
        Ended::ByItself
    }
}
