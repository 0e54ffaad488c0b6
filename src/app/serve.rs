//! `serve`: record, and serve what was recorded.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tokio::{net::TcpListener, sync::watch};

use super::{announce, key, listen, outside, signals};
use crate::{
    actions::Actions,
    cli::{EXIT_USAGE, ServeArgs},
    cluster::Access,
    collect::{self, Outlet, Resume},
    config::Config,
    event::{Event, kind},
    http::{
        self, AdminKey, Desk,
        limits::Limits,
        metrics::{Intake, MetricsDesk},
        wire::Mode,
    },
    journal,
    recorder::{self, Published, WipeOnStart},
    views::{State, read},
};

/// How long the recorder is waited for at the end; a disk that takes longer hangs.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// Runs until a signal says to stop.
pub async fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let config = match Config::load(args) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("monitor-backend: {:#}", anyhow::Error::from(error));
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    if args.check_config {
        return Ok(check(&config));
    }
    let listener = listen(config.listen).await?;
    let variable = std::env::var(key::VARIABLE).ok();
    let key = key::find(variable, config.admin_key_file.as_deref(), &config.data_dir);
    println!("admin key: {}", key.origin);
    record_and_serve(config, listener, key, Mode::Live).await?;
    Ok(ExitCode::SUCCESS)
}

fn check(config: &Config) -> ExitCode {
    for fault in &config.faults {
        eprintln!("monitor-backend: {fault}");
    }
    if config.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_USAGE) }
}

/// Joins the stages, and takes them apart in the opposite order.
pub async fn record_and_serve(
    config: Config,
    listener: TcpListener,
    key: key::AdminKey,
    mode: Mode,
) -> anyhow::Result<()> {
    let mut faults = key.faults;
    let tools = outside::prepare(&config, &mut faults).await;
    let metrics = listen_for_metrics(&config, &mut faults).await;
    let recorder::Started { recorder, published, queue, generation, thread } =
        recorder::start(setup(&config, faults, mode)).context("starting the recorder failed")?;
    let recorder = recorder.redacting(Arc::clone(&config.redaction));
    let kubeconfig = config.kubeconfig.clone();
    let cluster = config.cluster_enabled.then_some(Access { kubeconfig });
    // A simulated cluster knows no tokens.
    let reviewer = cluster.clone().filter(|_| mode == Mode::Live);
    let reviewer = reviewer.and_then(|access| config.access.reviewer(access));
    let (stop, stopping) = watch::channel(false);
    let intake = queue.downgrade();
    let outlet = Outlet::new(queue, generation.clone()).redacting(Arc::clone(&config.redaction));
    let intake = Intake { queue: intake, waits: outlet.waits() };

    let others = tools.as_ref().map_or_else(Vec::new, |desk| outside::sources(&desk.outside));
    let told = tools.as_ref().map(|desk| {
        let outside = desk.outside.clone();
        let (recorder, generation) = (recorder.clone(), generation.clone());
        tokio::spawn(outside::record(outside, recorder, generation, stopping.clone()))
    });
    let actions = Actions::new(
        recorder.clone(),
        Arc::clone(&published),
        cluster.clone(),
        config.procedures.clone(),
    );
    announce(&listener)?;
    let desk = Desk {
        mode,
        version: env!("CARGO_PKG_VERSION").into(),
        published: Arc::clone(&published),
        recorder: Some(recorder.clone()),
        actions: Some(actions.clone()),
        admin_key: Some(AdminKey::new(&key.key)),
        outside: tools,
        metrics: metrics.map(|listener| MetricsDesk { listener, intake }),
        reviewer,
        base_path: config.base_path.clone(),
        data_dir: Some(config.data_dir.clone()),
        thresholds: config.thresholds.clone(),
        limits: Limits::default(),
    };
    let http = tokio::spawn(http::serve(listener, desk, stopped(stopping.clone())));

    let sources = collect::Config {
        cluster,
        kinds: config.kinds.clone(),
        app_server_url: config.app_server_url.clone(),
        basic_info_url: config.basic_info_url.clone(),
        probes: config.probes.clone(),
        pod_logs: config.pod_logs.clone(),
        volumes: config.volumes.clone(),
        ..collect::Config::default()
    };
    let collectors = tokio::spawn(observe(published, sources, outlet, others, stopping));

    let recorder_ended = tokio::task::spawn_blocking(move || thread.join());
    tokio::pin!(recorder_ended);
    tokio::select! {
        () = signals::stop() => {}
        // Going on would show a past that looks like the present.
        _ = &mut recorder_ended => bail!("the recorder ended by a fault of the program; see the log above"),
    }
    stop.send_replace(true);
    let _ = tokio::join!(collectors, http, actions.stop());
    if let Some(told) = told {
        let _ = told.await;
    }
    recorder.stop().await;
    match tokio::time::timeout(STOP_TIME_MAX, recorder_ended).await {
        Ok(_) => Ok(()),
        Err(_) => bail!("the journal did not close within {STOP_TIME_MAX:?}; the volume hangs"),
    }
}

/// The listener of `/metrics`, where one is wanted; without it the rest serves all the same.
async fn listen_for_metrics(config: &Config, faults: &mut Vec<String>) -> Option<TcpListener> {
    let address = config.metrics_listen?;
    match TcpListener::bind(address).await {
        Ok(listener) => {
            println!("metrics on http://{}/metrics", listener.local_addr().unwrap_or(address));
            Some(listener)
        }
        Err(error) => {
            faults.push(format!(
                "/metrics is off: listening on {address} failed: {error}; choose another address \
                 by --metrics-listen"
            ));
            None
        }
    }
}

/// Resolves when it is time to stop.
pub async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone can say nothing else.
    let _ = stopping.wait_for(|stop| *stop).await;
}

fn setup(config: &Config, key_faults: Vec<String>, mode: Mode) -> recorder::Setup {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let memory = config.data_dir.join("wipe-on-start");
    let token = config.wipe_on_start.clone();
    recorder::Setup {
        journal: journal::Options {
            dir: config.data_dir.clone(),
            segment_bytes: config.segment_bytes,
            keep: config.keep.clone(),
        },
        version: env!("CARGO_PKG_VERSION").into(),
        host: host.trim().into(),
        mode: if mode == Mode::Demo { "demo".into() } else { "live".into() },
        source_bytes_per_day: config.source_bytes_per_day,
        config_faults: [config.faults.clone(), key_faults, unredacted(config)].concat(),
        wipe_on_start: token.map(|token| WipeOnStart { token, memory }),
    }
}

/// What every page has to say where nothing is redacted.
fn unredacted(config: &Config) -> Vec<String> {
    const TOLD: &str = "redaction is switched off in the section [redaction]: credentials are \
                        recorded as they are";
    if config.redaction.is_on() { vec![] } else { vec![TOLD.into()] }
}

/// Starts the collectors as soon as the journal says where to go on, and keeps them until the stop.
/// `others` are the sources that somebody else tells of.
async fn observe(
    published: Arc<Published>,
    config: collect::Config,
    outlet: Outlet,
    others: Vec<String>,
    stopping: watch::Receiver<bool>,
) {
    let is_open = tokio::select! {
        is_open = published.replayed() => is_open,
        () = stopped(stopping.clone()) => false,
    };
    if !is_open {
        return;
    }
    let resume = tokio::task::spawn_blocking(move || resume(&published)).await;
    let mut resume = resume.unwrap_or_default();
    resume.heard_until.retain(|name, _| !others.contains(name));
    collect::start(&config, &outlet, &resume, &stopping).stopped().await;
}

/// Where each source goes on.
fn resume(published: &Published) -> Resume {
    let snapshot = published.snapshot.load();
    let positions = snapshot.state.watch_positions.iter();
    let heard = |name: &String| {
        let reader = published.reader.load_full()?;
        let until = read::heard_until(&reader, &snapshot.state, name).ok().flatten()?;
        Some((name.clone(), until))
    };
    Resume {
        positions: positions
            .map(|(name, at)| (name.clone(), at.resource_version.clone()))
            .collect(),
        heard_until: snapshot.state.sources.keys().filter_map(heard).collect(),
        usages: usages(&snapshot.state),
        probes: snapshot.state.probes.values().map(|probe| probe.result.clone()).collect(),
        pod_log_positions: snapshot.state.pod_log_positions.values().cloned().collect(),
    }
}

/// What volumes and processes were last known to use.
fn usages(state: &State) -> Vec<Event> {
    let volumes = state.volumes.values().map(|volume| Event::VolumeUsage(volume.usage.clone()));
    let processes = state.processes.values();
    volumes.chain(processes.filter_map(|one| one.body.event(kind::PROCESS_USAGE))).collect()
}
