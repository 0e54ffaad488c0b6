//! The step `exec`: a program in a container, and its output line by line.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};

use super::{ExecStep, Pick, run::Scene};
use crate::{
    actions::{
        progress::BYTES_MAX,
        template::{Form, Values, fill},
        workload::failed,
    },
    cluster::{
        Cluster,
        exec::{self, Limits, Output, Said, Target},
    },
};

/// A program that says more is left: what is beyond [`BYTES_MAX`] is only counted, and a program
/// that never ends must not be read for ever.
const OUTPUT_BYTES_MAX: u64 = 16 * BYTES_MAX;

/// More pods than this are not gone through one by one.
const PODS_MAX: usize = 100;

impl ExecStep {
    /// What it does, with its places filled in.
    pub(super) fn what(&self, values: &Values) -> String {
        let command: Vec<String> = self.command(values);
        let place = match (&self.pod, &self.label_selector, self.pick) {
            (Some(pod), _, _) => format!("pod {}/{pod}", self.namespace),
            (None, selector, pick) => {
                let selector = selector.as_deref().unwrap_or_default();
                let which = if pick == Pick::All { "every" } else { "the newest" };
                format!("{which} pod of {} with {selector}", self.namespace)
            }
        };
        let container =
            self.container.as_ref().map_or_else(String::new, |name| format!(", container {name}"));
        format!("run {command:?} in {place}{container}")
    }

    fn command(&self, values: &Values) -> Vec<String> {
        self.command.iter().map(|part| fill(part, values, Form::Plain)).collect()
    }

    /// Runs it in each pod, and says how it ended.
    pub(super) async fn run(&self, scene: &Scene<'_>) -> Result<String, String> {
        let cluster = scene.means.cluster().await?;
        let pods = self.pods(&cluster).await?;
        for pod in &pods {
            scene.progress.line(&format!("in pod {}/{pod}:", self.namespace)).await;
            self.run_in(&cluster, pod, scene).await?;
        }
        Ok(format!("exit status 0 in {}", pods.join(", ")))
    }

    async fn run_in(&self, cluster: &Cluster, pod: &str, scene: &Scene<'_>) -> Result<(), String> {
        let target = Target {
            namespace: self.namespace.clone(),
            pod: pod.to_owned(),
            container: self.container.clone(),
        };
        let limits = Limits { time: scene.time_max, bytes: OUTPUT_BYTES_MAX };
        let command = self.command(scene.values);
        let running = exec::run(cluster, &target, &command, limits).await;
        let mut running = running.map_err(|e| e.to_string())?;
        loop {
            match running.next().await.map_err(|e| e.to_string())? {
                Said::Line { output: Output::Stdout, text } => scene.progress.line(&text).await,
                Said::Line { output: Output::Stderr, text } => {
                    scene.progress.line(&format!("stderr: {text}")).await;
                }
                Said::Ended(exit) if exit.is_success() => return Ok(()),
                Said::Ended(exit) => {
                    let code = exit.code.map_or_else(String::new, |code| format!(" {code}"));
                    return Err(format!("exit status{code} in {pod}: {}", exit.message));
                }
            }
        }
    }

    /// Says in which pods it would run.
    pub(super) async fn would(&self, cluster: &Cluster) -> Result<Vec<String>, String> {
        let pods = self.pods(cluster).await?;
        Ok(vec![format!("in {}; whether exec is allowed is not known", pods.join(", "))])
    }

    /// The pods that it is for.
    async fn pods(&self, cluster: &Cluster) -> Result<Vec<String>, String> {
        let about = format!("namespace {}", self.namespace);
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &self.namespace);
        if let Some(pod) = &self.pod {
            let got = pods.get_metadata(pod).await;
            got.map_err(|e| failed("get", "pods", &format!("pod {}/{pod}", self.namespace), &e))?;
            return Ok(vec![pod.clone()]);
        }
        let selector = self.label_selector.as_deref().unwrap_or_default();
        let params = ListParams::default().labels(selector);
        let listed = pods.list(&params).await.map_err(|e| failed("list", "pods", &about, &e))?;
        let mut ready: Vec<Pod> = listed.items.into_iter().filter(is_ready).collect();
        ready.sort_by_key(|pod| std::cmp::Reverse(created(pod)));
        let count = if self.pick == Pick::All { PODS_MAX } else { 1 };
        let names: Vec<String> =
            ready.into_iter().filter_map(|pod| pod.metadata.name).take(count).collect();
        if names.is_empty() {
            return Err(format!("no pod in {about} with {selector} is ready"));
        }
        Ok(names)
    }
}

fn created(pod: &Pod) -> (Option<jiff::Timestamp>, Option<String>) {
    let at = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (at, pod.metadata.name.clone())
}

/// Whether a program can be run in it.
fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    pod.metadata.deletion_timestamp.is_none()
        && conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
