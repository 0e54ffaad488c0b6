//! `df` in pods that mount a volume: for clusters whose kubelets cannot be asked.
//!
//! A fixed list of arguments that no shell reads. Needs `pods/exec`, which is the power to run
//! anything in the pods of that namespace, so it is granted to nobody who did not ask for it.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};
use tokio::time::timeout;

use super::{Config, Df, WhichPod, book::Book, df_output, round::Troubles};
use crate::{
    cluster::{
        self, Access, Cluster,
        exec::{self, Exit, Limits, Output, Said, Target},
    },
    collect::{
        report::Report,
        supervisor::{Failure, Retry, Source},
    },
    event::{Event, Extensions, VolumeUsage, now},
};

/// Pods that are asked at once.
const AT_ONCE: usize = 4;

/// Pods that a selector may fit; the first that runs is asked.
const PODS_MAX: u32 = 50;

/// `df` of one path is two lines.
const OUTPUT_BYTES_MAX: u64 = 16 << 10;

/// What a container says is told up to so many characters.
const SAID_CHARS_MAX: usize = 400;

/// Exit statuses that mean that there is no such program, or none that can be run.
const NO_PROGRAM: [i32; 2] = [126, 127];

/// Measures in pods.
pub struct InPods {
    access: Option<Access>,
    volumes: Vec<Df>,
    interval: Duration,
    answer_time_max: Duration,
    book: Book,
}

/// Why a volume was not measured, and what that needs.
type Trouble = (String, Retry);

impl InPods {
    /// The name of the source.
    pub const NAME: &str = "volumes/df";

    /// Goes on from what is recorded.
    pub fn new(access: Option<Access>, config: &Config, recorded: &[Event]) -> InPods {
        let Config { interval, answer_time_max, .. } = *config;
        let (volumes, book) = (config.df.clone(), Book::new(InPods::NAME, recorded));
        InPods { access, volumes, interval, answer_time_max, book }
    }

    async fn round(&mut self, access: &Access, report: &mut Report) -> Result<(), Failure> {
        let cluster = access.cluster().await?;
        report.connecting().await?;
        let mut troubles = Troubles::default();
        let wait = self.answer_time_max;
        let book = &mut self.book;
        let volumes = self.volumes.clone().into_iter();
        let measures = volumes.map(|df| measured(&cluster, df, wait));
        let mut measures = stream::iter(measures).buffered(AT_ONCE);
        while let Some((df, measure)) = measures.next().await {
            match measure {
                Ok(usage) => {
                    troubles.well();
                    report.send(book.volume(usage).into_iter().collect()).await?;
                }
                Err((reason, retry)) => {
                    let name = format!("{}/{}", df.namespace, df.claim);
                    troubles.add(&name, reason, retry);
                }
            }
        }
        const MEASURING: &str = "df in pods";
        if let Some(failure) = troubles.failure(MEASURING) {
            return Err(failure);
        }
        report.up_except(&troubles.note(MEASURING)).await?;
        report.heard(now());
        Ok(())
    }

    /// What is not in the configuration any more ends.
    fn ends(&mut self) -> Vec<Event> {
        let volumes = &self.volumes;
        self.book.end_volumes(|(namespace, claim)| {
            !volumes.iter().any(|df| (&df.namespace, &df.claim) == (namespace, claim))
        })
    }
}

async fn measured(cluster: &Cluster, df: Df, wait: Duration) -> (Df, Result<VolumeUsage, Trouble>) {
    let usage = measure(cluster, &df, wait).await;
    (df, usage)
}

async fn measure(cluster: &Cluster, df: &Df, wait: Duration) -> Result<VolumeUsage, Trouble> {
    let found = timeout(wait, pod(cluster, df)).await;
    let silent = |_| (format!("no pod was told within {} s", wait.as_secs_f64()), Retry::BackOff);
    let pod = found.map_err(silent)??;
    let target = Target {
        namespace: df.namespace.clone(),
        pod: pod.name_any(),
        container: df.container.clone(),
    };
    let limits = Limits { time: wait, bytes: OUTPUT_BYTES_MAX };
    let blocks = run(cluster, &target, "-k", &df.path, limits).await?;
    if blocks.mount == "/" && df.path != "/" {
        let reason = format!("{} in pod {} is no volume of its own", df.path, target.pod);
        return Err((reason, Retry::Rarely));
    }
    // Not every df can tell of inodes, and not every file system has a number of them.
    let inodes = run(cluster, &target, "-i", &df.path, limits).await.ok();
    let bytes = |blocks: u64| blocks.saturating_mul(1024);
    Ok(VolumeUsage {
        source: InPods::NAME.into(),
        namespace: df.namespace.clone(),
        claim: df.claim.clone(),
        node: pod.spec.and_then(|spec| spec.node_name).unwrap_or_default(),
        pod: target.pod,
        path: Some(blocks.mount),
        used_bytes: bytes(blocks.used),
        capacity_bytes: bytes(blocks.all),
        available_bytes: bytes(blocks.available),
        inodes_used: inodes.as_ref().map_or(0, |inodes| inodes.used),
        inodes: inodes.map_or(0, |inodes| inodes.all),
        observed: now(),
        gone: false,
        ext: Extensions::default(),
    })
}

/// The pod to measure in: the first that runs.
async fn pod(cluster: &Cluster, df: &Df) -> Result<Pod, Trouble> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &df.namespace);
    let (found, verb) = match &df.pod {
        WhichPod::Named(name) => (pods.get_opt(name).await.map(Vec::from_iter), "get"),
        WhichPod::Labelled(selector) => {
            let params = ListParams::default().labels(selector).limit(PODS_MAX);
            (pods.list(&params).await.map(|list| list.items), "list")
        }
    };
    let mut found = found.map_err(|error| {
        let explained = cluster::explain(&error);
        match error {
            kube::Error::Api(status) if status.code == 403 => {
                (format!("{explained}; grant {verb} on pods"), Retry::Rarely)
            }
            _ => (explained, Retry::BackOff),
        }
    })?;
    found.retain(|pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        phase == Some("Running") && pod.metadata.deletion_timestamp.is_none()
    });
    found.sort_by_key(ResourceExt::name_any);
    let none = || match &df.pod {
        WhichPod::Named(name) => format!("no pod {name} runs in {}", df.namespace),
        WhichPod::Labelled(labels) => format!("no pod with {labels} runs in {}", df.namespace),
    };
    found.into_iter().next().ok_or_else(|| (none(), Retry::BackOff))
}

async fn run(
    cluster: &Cluster,
    target: &Target,
    unit: &str,
    path: &str,
    limits: Limits,
) -> Result<df_output::Row, Trouble> {
    let command = ["df", "-P", unit, path].map(str::to_owned);
    let failed = |error: exec::Error| {
        let is_refused = matches!(&error, exec::Error::Refused { source, .. }
            if matches!(&**source, kube::Error::Api(status) if status.code == 403));
        let retry = if is_refused { Retry::Rarely } else { Retry::BackOff };
        (error.to_string(), retry)
    };
    let mut running = exec::run(cluster, target, &command, limits).await.map_err(failed)?;
    let (mut lines, mut complaint) = (Vec::new(), String::new());
    let exit = loop {
        match running.next().await.map_err(failed)? {
            Said::Line { output: Output::Stdout, text } => lines.push(text),
            Said::Line { text, .. } if complaint.is_empty() => complaint = text,
            Said::Line { .. } => {}
            Said::Ended(exit) => break exit,
        }
    };
    if !exit.is_success() {
        return Err(failure(&exit, &complaint));
    }
    let no_row = || format!("df says nothing that df says: {}", beginning(&lines.join(" | ")));
    df_output::row(&lines).ok_or_else(|| (no_row(), Retry::BackOff))
}

fn failure(exit: &Exit, complaint: &str) -> Trouble {
    match exit.code {
        Some(code) if !NO_PROGRAM.contains(&code) => {
            (format!("df ended with {code}: {}", beginning(complaint)), Retry::BackOff)
        }
        _ => {
            let said = if complaint.is_empty() { &exit.message } else { complaint };
            let said = beginning(said);
            let reason = format!(
                "df cannot be run ({said}); does the container have it, and is the node well?"
            );
            (reason, Retry::Rarely)
        }
    }
}

fn beginning(said: &str) -> String {
    said.chars().take(SAID_CHARS_MAX).collect()
}

impl Source for InPods {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        report.send(self.ends()).await?;
        let access = match self.access.clone() {
            Some(access) if !self.volumes.is_empty() => access,
            _ => {
                let reason = "no volume is measured in a pod: the configuration has no \
                              [[volumes.df]], or the cluster is switched off";
                return Err(Failure::NotConfigured { reason: reason.into() });
            }
        };
        loop {
            let began = Instant::now();
            self.round(&access, report).await?;
            tokio::time::sleep_until((began + self.interval).into()).await;
        }
    }

    fn forget(&mut self) {
        self.book.start_over();
    }
}
