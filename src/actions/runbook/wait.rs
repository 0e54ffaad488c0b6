//! The step `wait`: for a time, for a rollout, or for an address to answer.

use std::time::Duration;

use kube::core::DynamicObject;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{WaitStep, run::Scene};
use crate::{
    actions::{
        Error, Workload,
        args::Args,
        effect::Means,
        template::{Form, Values, fill},
        workload::{DAEMON_SET, DEPLOYMENT, Kind, STATEFUL_SET},
    },
    cluster::Cluster,
    peer::{self, Trust},
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Between two lines that say what is waited for: enough to see that it goes on.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// One look at an address takes no longer.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);

const KINDS: [(&str, Kind); 3] = [DEPLOYMENT, STATEFUL_SET, DAEMON_SET];

/// Reads the workload whose rollout is waited for.
///
/// # Errors
/// A part is missing or wrong.
pub fn workload(args: &Value) -> Result<Workload, Error> {
    Workload::read(&Args::of(args, &["kind", "namespace", "name"])?, &KINDS)
}

impl WaitStep {
    /// What it waits for, with its places filled in.
    pub(super) fn what(&self, values: &Values) -> String {
        if let Some(ms) = self.ms {
            return format!("wait for {ms} ms");
        }
        if let Some(rolled_out) = &self.rolled_out {
            let super::RolledOut { workload, namespace, name } = rolled_out;
            return format!("wait until {workload} {namespace}/{name} is rolled out");
        }
        let url = fill(self.url.as_deref().unwrap_or_default(), values, Form::Url);
        format!("wait until {url} answers")
    }

    /// Waits, and says for how long or for what.
    pub(super) async fn run(&self, scene: &Scene<'_>) -> Result<String, String> {
        if let Some(ms) = self.ms {
            sleep(Duration::from_millis(ms)).await;
            return Ok(format!("waited for {ms} ms"));
        }
        if let Some(workload) = self.workload() {
            return wait_for_rollout(&workload?, scene).await;
        }
        wait_for_answer(self.url.as_deref().unwrap_or_default(), scene).await
    }

    /// Says how far it is now.
    pub(super) async fn would(&self, means: &Means) -> Result<Vec<String>, String> {
        let Some(workload) = self.workload() else { return Ok(Vec::new()) };
        let missing = look(&workload?, &means.cluster().await?).await?;
        Ok(vec![missing.unwrap_or_else(|| "it is rolled out now".into())])
    }
}

async fn wait_for_rollout(workload: &Workload, scene: &Scene<'_>) -> Result<String, String> {
    let cluster = scene.means.cluster().await?;
    let mut tell = Tell::default();
    let mut next = Instant::now();
    loop {
        match look(workload, &cluster).await {
            Ok(None) => return Ok(format!("{workload} is rolled out")),
            Ok(Some(missing)) => tell.line(scene, &missing).await,
            // A denial stays one; the rest may pass.
            Err(problem) if problem.contains("answered 403") => return Err(problem),
            Err(problem) => tell.line(scene, &problem).await,
        }
        next += LOOK_EVERY;
        sleep_until(next).await;
    }
}

/// What is missing in a rollout; `None` where it is through.
async fn look(workload: &Workload, cluster: &Cluster) -> Result<Option<String>, String> {
    Ok(missing(&workload.get(cluster).await?))
}

/// The controller's own account: it has seen the present specification, and every pod is of it and
/// ready. The fields are those that `kubectl rollout status` looks at.
fn missing(workload: &DynamicObject) -> Option<String> {
    let number = |path: &str| workload.data.pointer(path).and_then(Value::as_i64);
    let generation = workload.metadata.generation.unwrap_or(0);
    if number("/status/observedGeneration").unwrap_or(0) < generation {
        return Some("its controller has not seen the change yet".into());
    }
    let is_daemon_set = number("/status/desiredNumberScheduled");
    let (wanted, updated, ready) = match is_daemon_set {
        Some(wanted) => (wanted, "/status/updatedNumberScheduled", "/status/numberReady"),
        None => {
            let wanted = number("/spec/replicas").unwrap_or(1);
            (wanted, "/status/updatedReplicas", "/status/readyReplicas")
        }
    };
    let (updated, ready) = (number(updated).unwrap_or(0), number(ready).unwrap_or(0));
    let all = number("/status/replicas").unwrap_or(wanted);
    if updated < wanted || ready < wanted || all > wanted {
        return Some(format!("{updated} of {wanted} pods are new, {ready} are ready, {all} exist"));
    }
    None
}

async fn wait_for_answer(url: &str, scene: &Scene<'_>) -> Result<String, String> {
    let client = peer::client(Trust::System, LOOK_TIME_MAX).map_err(|e| e.to_string())?;
    let url = fill(url, scene.values, Form::Url);
    let mut tell = Tell::default();
    let mut next = Instant::now();
    loop {
        let problem = match timeout(LOOK_TIME_MAX, client.get(&url).send()).await {
            Ok(Ok(answer)) if answer.status().is_success() => {
                return Ok(format!("it answers {}", answer.status()));
            }
            Ok(Ok(answer)) => format!("it answers {}", answer.status()),
            Ok(Err(error)) => peer::explain(&error),
            Err(_) => "no answer in time".into(),
        };
        tell.line(scene, &problem).await;
        next += LOOK_EVERY;
        sleep_until(next).await;
    }
}

/// Says what is waited for: when it changes, and now and then.
#[derive(Default)]
struct Tell(Option<(String, Instant)>);

impl Tell {
    async fn line(&mut self, scene: &Scene<'_>, text: &str) {
        let is_known =
            self.0.as_ref().is_some_and(|(known, at)| known == text && at.elapsed() < TELL_EVERY);
        if !is_known {
            scene.progress.line(&format!("waiting: {text}")).await;
            self.0 = Some((text.to_owned(), Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn missing_of(json: Value) -> Option<String> {
        missing(&serde_json::from_value(json).unwrap())
    }

    #[test]
    fn a_rollout_is_through_when_every_pod_is_new_and_ready() {
        let workload = |generation: u64, updated: u64, ready: u64, all: u64| {
            json!({"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": {
                "observedGeneration": 3, "updatedReplicas": updated, "readyReplicas": ready,
                "replicas": all}})
        };
        assert_eq!(missing_of(workload(3, 2, 2, 2)), None);
        assert!(missing_of(workload(4, 2, 2, 2)).unwrap().contains("not seen"));
        assert!(missing_of(workload(3, 1, 2, 2)).is_some());
        assert!(missing_of(workload(3, 2, 1, 2)).is_some());
        assert!(missing_of(workload(3, 2, 2, 3)).is_some());
    }

    #[test]
    fn a_daemon_set_counts_its_nodes() {
        let set = |updated: u64| {
            json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1,
                "desiredNumberScheduled": 3, "updatedNumberScheduled": updated, "numberReady": 3}})
        };
        assert_eq!(missing_of(set(3)), None);
        assert!(missing_of(set(2)).unwrap().contains("2 of 3"));
    }
}
