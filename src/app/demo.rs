//! `demo`: the recorder against the simulated cluster and app-server.

use std::process::ExitCode;

use anyhow::Context;

use super::{key, listen, serve};
use crate::{
    cli::{DemoArgs, ServeArgs},
    collect::PodLogs,
    config::Config,
    http::wire::Mode,
    sim::{Scenario, Sim},
};

/// Every demo tells the same story.
const SEED: u64 = 1;

/// Runs until a signal says to stop.
pub async fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let scratch = Scratch::new().context("making a temporary folder for the demo failed")?;
    let sim = Sim::start(Scenario::Demo, SEED, &scratch.0)
        .await
        .context("starting the simulation failed")?;
    let data_dir = args.data_dir.clone().unwrap_or_else(|| scratch.0.join("data"));
    let settings = ServeArgs {
        listen: Some(args.listen),
        app_server_url: Some(sim.app_server_url()),
        kubeconfig: Some(sim.kubeconfig().to_owned()),
        data_dir,
        ..ServeArgs::default()
    };
    let mut config = Config::load(&settings)?;
    config.pod_logs = vec![pod_logs("default"), pod_logs("postgres")];
    let listener = listen(args.listen).await?;
    let key = key::find(None, None, &config.data_dir);
    println!("admin key: {}", key.key);
    serve::record_and_serve(config, listener, key, Mode::Demo).await?;
    Ok(ExitCode::SUCCESS)
}

/// The logs of what the demo's story is about, and of what it stands on.
fn pod_logs(namespace: &str) -> PodLogs {
    PodLogs {
        name: namespace.into(),
        namespace: Some(namespace.into()),
        label_selector: String::new(),
        containers: vec![],
        previous: true,
    }
}

/// A folder that is removed at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Scratch> {
        let name = format!("monitor-backend-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the temporary folder all the same.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
