//! Collectors: they observe the cluster and the app-server, and send what they see as events.
//!
//! Each source is observed by one task under a shared [supervisor]. A source that fails
//! says so as an event, with the reason, and is tried again; nothing here ends the process, and
//! nothing needs a restart to recover. Knows nothing of the journal, of views or of HTTP.

mod app_server;

mod cluster;

mod outlet;

mod own_process;

mod pace;

mod probes;

mod pod_logs;

mod report;

mod supervisor;

pub mod volumes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{sync::watch, task::JoinSet};

pub use cluster::{Kinds, More};
pub use outlet::{Outlet, Refused, Stopped};
pub use pace::Pace;
pub use pod_logs::PodLogs;
pub use probes::{Check, Header, HeaderValue, HttpCheck, PROBES_MAX, Probe};

use crate::{
    cluster::Access,
    event::{Event, Millis, PodLogPosition, ProbeResult, State},
};
use report::Report;

/// The reason of a source that is not observed any more.
const LEFT_OUT: &str = "the configuration leaves it out; what is shown is as it was last seen";

/// What to observe.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// How to reach the cluster; `None`: the cluster is not observed.
    pub cluster: Option<Access>,
    /// Which of its kinds.
    pub kinds: Kinds,
    /// Where the app-server listens, for example `ws://app-server:5110`. The path of the link is
    /// added where the URL has none.
    pub app_server_url: Option<String>,
    /// Where the app-server tells of itself; by default beside the link.
    pub basic_info_url: Option<String>,
    /// What is checked.
    pub probes: Vec<Probe>,
    /// Whose logs are followed through the cluster API.
    pub pod_logs: Vec<PodLogs>,
    /// Which volumes are measured.
    pub volumes: volumes::Config,
    /// How fast.
    pub pace: Pace,
}

/// Where the collectors go on. Empty after a wipe, and at the very first start.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// The recorded position of each watch, by the name of its source.
    pub positions: BTreeMap<String, String>,
    /// The time until which each source had been heard, by its name. What was sent later may be
    /// missing, so it should lean to the past: for a log source, the time that its last line claims.
    pub heard_until: BTreeMap<String, Millis>,
    /// What each volume and process was last known to use.
    pub usages: Vec<Event>,
    /// What probes found last.
    pub probes: Vec<ProbeResult>,
    /// How far the log of each container was read.
    pub pod_log_positions: Vec<PodLogPosition>,
}

/// The running collectors.
#[derive(Debug)]
pub struct Collectors {
    tasks: JoinSet<()>,
}

/// Starts every collector. They run until `shutdown` turns true (or its sender is dropped), or
/// until the recorder stops listening.
pub fn start(
    config: &Config,
    outlet: &Outlet,
    resume: &Resume,
    shutdown: &watch::Receiver<bool>,
) -> Collectors {
    let mut start =
        Start { config, outlet, resume, shutdown, names: Vec::new(), tasks: JoinSet::new() };
    let (link, info) = (config.app_server_url.as_deref(), config.basic_info_url.as_deref());
    start.source(app_server::NAME, app_server::Link::new(link, config.pace));
    start.source(app_server::BASIC_INFO_NAME, app_server::BasicInfo::new(info, link));
    for kind in config.kinds.iter() {
        let position = resume.positions.get(&kind.source).cloned();
        let (kind, access) = (Arc::clone(kind), config.cluster.clone());
        let name = kind.source.clone();
        start.source(&name, cluster::Watcher::new(kind, access, position, config.pace));
    }
    for selection in &config.pod_logs {
        let (access, positions) = (config.cluster.clone(), &resume.pod_log_positions);
        let logs = pod_logs::Selection::new(selection.clone(), access, positions, config.pace);
        start.source(&selection.source(), logs);
    }
    let (access, usages) = (|| config.cluster.clone(), &resume.usages);
    start.source(volumes::Own::NAME, volumes::Own::new(&config.volumes, usages));
    let kubelets = volumes::AllNodes::new(access(), &config.volumes, usages);
    start.source(volumes::AllNodes::NAME, kubelets);
    let in_pods = volumes::InPods::new(access(), &config.volumes, usages);
    start.source(volumes::InPods::NAME, in_pods);
    start.source(own_process::NAME, own_process::OwnProcess::default());
    let prober = probes::Prober::new(config.probes.clone(), resume.probes.clone());
    start.source(ProbeResult::SOURCE, prober);
    start.tell_left_out();
    Collectors { tasks: start.tasks }
}

/// The collectors while they are started.
struct Start<'a> {
    config: &'a Config,
    outlet: &'a Outlet,
    resume: &'a Resume,
    shutdown: &'a watch::Receiver<bool>,
    names: Vec<String>,
    tasks: JoinSet<()>,
}

impl Start<'_> {
    fn report(&self, name: &str) -> Report {
        let heard_until = self.resume.heard_until.get(name).copied();
        Report::new(name, self.outlet.clone(), heard_until)
    }

    fn source(&mut self, name: &str, source: impl supervisor::Source) {
        let (report, shutdown) = (self.report(name), self.shutdown.clone());
        self.tasks.spawn(supervisor::supervise(source, report, self.config.pace, shutdown));
        self.names.push(name.into());
    }

    /// Sources that were observed until the configuration named them no more. Without a word they
    /// would look as if they still were.
    fn tell_left_out(&mut self) {
        let Resume { positions, heard_until, .. } = self.resume;
        let known: BTreeSet<&String> = positions.keys().chain(heard_until.keys()).collect();
        for name in known.into_iter().filter(|name| !self.names.contains(name)) {
            let mut report = self.report(name);
            // An error means that the recorder has stopped.
            self.tasks.spawn(async move { _ = report.not_observed(State::Off, LEFT_OUT).await });
        }
    }
}

impl Collectors {
    /// Waits until every collector has ended.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
