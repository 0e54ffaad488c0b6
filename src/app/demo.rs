//! `demo`: the recorder against the simulated cluster and app-server.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Context;
use tokio::sync::watch;

use super::{key, listen, serve};
use crate::{
    cli::{DemoArgs, ServeArgs},
    config::Config,
    http::wire::Mode,
    sim::{Scenario, Scene, Sim},
};

/// Every demo tells the same story.
const SEED: u64 = 1;

/// What an admin of the demo can run.
const PROCEDURES: &str = include_str!("demo.toml");

/// Volumes are measured so often, where a real kubelet would have nothing new for a minute.
const MEASURE_EVERY: Duration = Duration::from_secs(2);

/// Runs until a signal says to stop.
pub async fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let scratch = Scratch::new().context("making a temporary folder for the demo failed")?;
    let scenario = if args.fast { Scenario::FastDemo } else { Scenario::Demo };
    let sim =
        Sim::start(scenario, SEED, &scratch.0).await.context("starting the simulation failed")?;
    let config = configure(args, &sim, &scratch.0)?;
    let listener = listen(args.listen).await?;
    let key = key::find(None, None, &config.data_dir);
    println!("admin key: {}", key.key);
    let telling = tokio::spawn(tell(sim.scenes()));
    serve::record_and_serve(config, listener, key, Mode::Demo).await?;
    telling.abort();
    Ok(ExitCode::SUCCESS)
}

/// Everything that can be recorded is, by a configuration file as an admin writes it.
fn configure(args: &DemoArgs, sim: &Sim, scratch: &Path) -> anyhow::Result<Config> {
    let file = scratch.join("demo.toml");
    std::fs::write(&file, configuration(sim)).context("writing the demo's configuration failed")?;
    let settings = ServeArgs {
        listen: Some(args.listen),
        app_server_url: Some(sim.app_server_url()),
        kubeconfig: Some(sim.kubeconfig().to_owned()),
        data_dir: args.data_dir.clone().unwrap_or_else(|| scratch.join("data")),
        config: Some(file),
        ..ServeArgs::default()
    };
    let mut config = Config::load(&settings)?;
    config.volumes.interval = MEASURE_EVERY;
    Ok(config)
}

/// The story's requests hang for some seconds only. Those that have ended do not count: the next round
/// comes before they are forgotten.
fn configuration(sim: &Sim) -> String {
    let url = sim.app_server_url();
    let address = url.trim_start_matches("ws://").split('/').next().unwrap_or_default();
    format!(
        "{PROCEDURES}\n[problems]\nrequest_open_seconds = 5\nrequest_p95_ms = 60000\n\n\
         [[probes]]\nname = \"app-server\"\ntcp = \"{address}\"\ninterval_seconds = 2\n\
         timeout_seconds = 1\n\n\
         [[pod_logs]]\nname = \"default\"\nnamespace = \"default\"\n\n\
         [[pod_logs]]\nname = \"postgres\"\nnamespace = \"postgres\"\n"
    )
}

/// Says on the terminal what goes wrong, and when it is over.
async fn tell(mut scenes: watch::Receiver<Vec<Scene>>) {
    let mut told: Vec<Scene> = Vec::new();
    while scenes.changed().await.is_ok() {
        let now = scenes.borrow_and_update().clone();
        for scene in now.iter().filter(|scene| !told.contains(scene)) {
            match scene.ended {
                None => println!("story: {} begins: {}", scene.problem, scene.what),
                Some(_) if scene.by_admin => {
                    println!("story: {} ends: by the admin", scene.problem)
                }
                Some(_) => println!("story: {} ends", scene.problem),
            }
        }
        told = now;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_demo_is_configured_without_fault() {
        let scratch = tempfile::tempdir().unwrap();
        let sim = Sim::start(Scenario::Quiet, SEED, scratch.path()).await.unwrap();
        let file = scratch.path().join("demo.toml");
        std::fs::write(&file, configuration(&sim)).unwrap();
        let settings = ServeArgs {
            config: Some(file),
            app_server_url: Some(sim.app_server_url()),
            ..ServeArgs::default()
        };
        let config = Config::load(&settings).unwrap();
        assert_eq!(config.faults, Vec::<String>::new());
        let known = config.procedures;
        assert_eq!((known.runbooks.len(), known.sequences.len()), (2, 1));
        assert!(known.app_server.url.is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    }
}
