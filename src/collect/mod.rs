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

use std::{collections::BTreeMap, sync::Arc};

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
    let mut tasks = JoinSet::new();
    let report =
        |name: &str| Report::new(name, outlet.clone(), resume.heard_until.get(name).copied());
    let link = app_server::Link::new(config.app_server_url.as_deref(), config.pace);
    let link_report = report(app_server::NAME);
    tasks.spawn(supervisor::supervise(link, link_report, config.pace, shutdown.clone()));
    for kind in config.kinds.iter() {
        let position = resume.positions.get(&kind.source).cloned();
        let report = report(&kind.source);
        let kind = Arc::clone(kind);
        let watcher = cluster::Watcher::new(kind, config.cluster.clone(), position, config.pace);
        tasks.spawn(supervisor::supervise(watcher, report, config.pace, shutdown.clone()));
    }
    let basic_info = app_server::BasicInfo::new(
        config.basic_info_url.as_deref(),
        config.app_server_url.as_deref(),
    );
    let info_report = report(app_server::BASIC_INFO_NAME);
    tasks.spawn(supervisor::supervise(basic_info, info_report, config.pace, shutdown.clone()));
    let process = own_process::OwnProcess::default();
    let process_report = report(own_process::NAME);
    tasks.spawn(supervisor::supervise(process, process_report, config.pace, shutdown.clone()));
    for selection in &config.pod_logs {
        let source = selection.source();
        let heard_until = resume.heard_until.get(&source).copied();
        let report = Report::new(source, outlet.clone(), heard_until);
        let (access, positions) = (config.cluster.clone(), &resume.pod_log_positions);
        let logs = pod_logs::Selection::new(selection.clone(), access, positions, config.pace);
        tasks.spawn(supervisor::supervise(logs, report, config.pace, shutdown.clone()));
    }
    let cluster = || config.cluster.clone();
    let own = volumes::Own::new(&config.volumes, &resume.usages);
    let own_report = report(volumes::Own::NAME);
    tasks.spawn(supervisor::supervise(own, own_report, config.pace, shutdown.clone()));
    let nodes = volumes::AllNodes::new(cluster(), &config.volumes, &resume.usages);
    let nodes_report = report(volumes::AllNodes::NAME);
    tasks.spawn(supervisor::supervise(nodes, nodes_report, config.pace, shutdown.clone()));
    let pods = volumes::InPods::new(cluster(), &config.volumes, &resume.usages);
    let pods_report = report(volumes::InPods::NAME);
    tasks.spawn(supervisor::supervise(pods, pods_report, config.pace, shutdown.clone()));
    for name in left_out(config, resume) {
        let mut report = report(name);
        // An error means that the recorder has stopped.
        tasks.spawn(async move { _ = report.not_observed(State::Off, LEFT_OUT).await });
    }
    let prober = probes::Prober::new(config.probes.clone(), resume.probes.clone());
    let prober_report = report(ProbeResult::SOURCE);
    tasks.spawn(supervisor::supervise(prober, prober_report, config.pace, shutdown.clone()));
    Collectors { tasks }
}

/// Watches that went on until the configuration named them no more. Without a word they would look
/// as if they were still observed.
fn left_out<'a>(config: &Config, resume: &'a Resume) -> impl Iterator<Item = &'a str> {
    let kinds: Vec<&str> = config.kinds.iter().map(|kind| kind.source.as_str()).collect();
    let known = resume.positions.keys().map(String::as_str);
    known.filter(move |name| !kinds.contains(name))
}

impl Collectors {
    /// Waits until every collector has ended.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
