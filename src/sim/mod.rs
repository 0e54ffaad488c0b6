//! A simulated cluster API and app-server on loopback, for `demo` and for tests.
//!
//! Both speak the real protocols, so that the real collectors connect to them. Nothing here knows
//! of the recorder. All but the clock is decided by a seed.

mod app_server;

mod clock;

mod cluster;

mod incident;

mod port;

mod rng;

mod scene;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{sync::watch, task::JoinSet};

pub use self::{
    app_server::{AppServer, Frame, LINK_PATH, LiveQuery, LogEntry, Mtx, Section},
    cluster::{Cluster, End, KubeletFault, Script, Step},
    scene::Scene,
};
use self::{
    app_server::{Mood, run_traffic},
    cluster::{Pace, Workload},
    incident::{APP_SERVER, FULL_VOLUME, LOST_NODE, NAMESPACE, Story, first_image},
    scene::Scenes,
};

/// Where the certificate of the cluster's authority is written, beside the kubeconfig.
const AUTHORITY_FILE: &str = "sim-authority.pem";

/// What is going to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Traffic, and a round of incidents about every four minutes.
    Demo,
    /// The same, told four times as fast.
    FastDemo,
    /// Two nodes and one workload; nothing happens unless the caller does it, and then quickly.
    Quiet,
}

/// The simulation. Dropping it ends all that it started.
#[derive(Debug)]
pub struct Sim {
    cluster: Arc<Cluster>,
    app_server: Arc<AppServer>,
    kubeconfig: PathBuf,
    scenes: Arc<Scenes>,
    _tasks: JoinSet<()>,
}

/// The simulation did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No port on loopback.
    #[error("the simulation could not listen on a free port of 127.0.0.1")]
    Listen {
        /// What the system said.
        source: io::Error,
    },
    /// The kubeconfig could not be written.
    #[error("writing the simulation's kubeconfig to {path} failed; is the directory writable?")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Sim {
    /// Starts a scenario and writes `sim-kubeconfig` into `directory`, which exists.
    ///
    /// # Errors
    /// No port was free, or the file could not be written.
    pub async fn start(scenario: Scenario, seed: u64, directory: &Path) -> Result<Sim, Error> {
        let listen = |source| Error::Listen { source };
        let image = first_image();
        let cluster = match scenario {
            Scenario::Demo => start_demo_cluster(seed, Pace::DEMO, &image).await,
            Scenario::FastDemo => start_demo_cluster(seed, Pace::DEMO_FAST, &image).await,
            Scenario::Quiet => {
                let workloads = [workload(NAMESPACE, APP_SERVER, &image, 2)];
                Cluster::start(seed, Pace::QUICK, &["node-1", "node-2"], &workloads).await
            }
        };
        let cluster = Arc::new(cluster.map_err(listen)?);
        let app_server = Arc::new(AppServer::start().await.map_err(listen)?);
        let kubeconfig = directory.join("sim-kubeconfig");
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text)
                .map_err(|source| Error::Kubeconfig { path: path.to_owned(), source })
        };
        write(&directory.join(AUTHORITY_FILE), cluster.authority())?;
        write(&kubeconfig, &cluster.kubeconfig(AUTHORITY_FILE))?;

        let mut tasks = JoinSet::new();
        let scenes = Arc::new(Scenes::default());
        let haste = match scenario {
            Scenario::Demo => Some(1),
            Scenario::FastDemo => Some(4),
            Scenario::Quiet => None,
        };
        if let Some(haste) = haste {
            let mood = watch::Sender::new(Mood::Calm);
            tasks.spawn(run_traffic(app_server.clone(), seed, mood.subscribe()));
            let (cluster, app_server) = (cluster.clone(), app_server.clone());
            let story = Story::new(cluster, app_server, mood, scenes.clone(), haste);
            tasks.spawn(story.run());
        }
        Ok(Sim { cluster, app_server, kubeconfig, scenes, _tasks: tasks })
    }

    /// A file that leads a cluster client to the simulated cluster.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The address of the app-server's link.
    pub fn app_server_url(&self) -> String {
        self.app_server.url()
    }

    /// What goes wrong by the story, as it is told.
    pub fn scenes(&self) -> watch::Receiver<Vec<Scene>> {
        self.scenes.watch()
    }

    /// The simulated cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The simulated app-server.
    pub fn app_server(&self) -> &AppServer {
        &self.app_server
    }
}

async fn start_demo_cluster(seed: u64, pace: Pace, image: &str) -> io::Result<Cluster> {
    let recorder =
        workload(NAMESPACE, "monitor-backend", "ghcr.io/debate-map/monitor-backend:0.1.0", 1);
    let database = workload(FULL_VOLUME.0, "debate-map-db", "docker.io/library/postgres:17.5", 1);
    let workloads = [
        workload(NAMESPACE, APP_SERVER, image, 2),
        workload(NAMESPACE, "web-server", "ghcr.io/debate-map/web-server:1.40.0", 2),
        Workload { claim: Some("monitor-backend"), ..recorder },
        Workload { claim: Some(FULL_VOLUME.1), ..database },
        workload("monitoring", "grafana", "docker.io/grafana/grafana:12.0.1", 1),
        workload("monitoring", "loki", "docker.io/grafana/loki:3.5.1", 1),
        workload("kube-system", "coredns", "registry.k8s.io/coredns/coredns:v1.12.0", 2),
    ];
    Cluster::start(seed, pace, &["node-1", "node-2", LOST_NODE], &workloads).await
}

fn workload<'a>(namespace: &'a str, name: &'a str, image: &'a str, replicas: u64) -> Workload<'a> {
    Workload { namespace, name, image, replicas, memory_limit: "1Gi", claim: None }
}
