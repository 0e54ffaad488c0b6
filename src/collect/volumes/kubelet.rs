//! The kubelets of all nodes: what every claim, pod and node uses.
//!
//! A node that does not answer costs itself: the others are told, and the source says which are
//! missing and why.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use super::{
    Config,
    book::{Book, Claim},
    known::{self, NodeAt},
    round::Troubles,
    summary::{self, Told},
};
use crate::{
    cluster::{
        Access, Cluster,
        kubelet::{Error, Kubelets},
    },
    collect::{
        report::Report,
        supervisor::{Failure, Retry, Source},
    },
    event::{Event, now},
};

/// Nodes that are asked at once: their answers are some hundred kB each.
const AT_ONCE: usize = 8;

/// Asks every kubelet.
pub struct AllNodes {
    access: Option<Access>,
    is_on: bool,
    interval: Duration,
    answer_time_max: Duration,
    book: Book,
}

/// What a round found, beside what was told at once.
#[derive(Debug, Default)]
struct Seen {
    claims: BTreeSet<Claim>,
    processes: BTreeSet<String>,
    answered: BTreeSet<String>,
    troubles: Troubles,
}

impl AllNodes {
    /// The name of the source.
    pub const NAME: &str = "volumes/kubelet";

    /// Goes on from what is recorded.
    pub fn new(access: Option<Access>, config: &Config, recorded: &[Event]) -> AllNodes {
        let Config { kubelet, interval, answer_time_max, .. } = *config;
        let book = Book::new(AllNodes::NAME, recorded);
        AllNodes { access, is_on: kubelet, interval, answer_time_max, book }
    }

    async fn round(&mut self, access: &Access, report: &mut Report) -> Result<(), Failure> {
        // Made anew each time, so that renewed credentials are found.
        let cluster = access.cluster().await?;
        let kubelets = access.kubelets().await?;
        report.connecting().await?;
        let nodes = known::nodes(&cluster.client).await.map_err(|error| Failure::Down {
            reason: known::list_failed("nodes", &cluster.address, &error),
            retry: retry_of(&error),
        })?;
        let mut seen = Seen::default();
        let wait = self.answer_time_max;
        let answers = nodes.iter().cloned().map(|node| ask(&kubelets, node, wait));
        // In order, so that a claim of several nodes is always told of the same one.
        let mut answers = stream::iter(answers).buffered(AT_ONCE);
        while let Some((node, answer)) = answers.next().await {
            match answer {
                Ok(told) => report.send(self.tell(&node.name, told, &mut seen)).await?,
                Err((reason, retry)) => seen.troubles.add(&node.name, reason, retry),
            }
        }
        let names: BTreeSet<&str> = nodes.iter().map(|node| &*node.name).collect();
        report.send(self.end_processes(&names, &seen)).await?;
        const ASKED: &str = "asking the kubelets of nodes";
        if let Some(failure) = seen.troubles.failure(ASKED) {
            return Err(failure);
        }
        let mut note = seen.troubles.note(ASKED);
        match self.end_claims(&cluster, &seen).await {
            Ok(ends) => report.send(ends).await?,
            Err(reason) if note.is_empty() => note = reason,
            Err(reason) => note = format!("{note}; {reason}"),
        }
        report.up_except(&note).await?;
        report.heard(now());
        Ok(())
    }

    fn tell(&mut self, node: &str, told: Told, seen: &mut Seen) -> Vec<Event> {
        seen.troubles.well();
        seen.answered.insert(node.into());
        let mut events = Vec::new();
        for volume in told.volumes {
            // Several pods may mount it.
            if seen.claims.insert((volume.namespace.clone(), volume.claim.clone())) {
                events.extend(self.book.volume(volume));
            }
        }
        for process in told.processes {
            seen.processes.insert(process.name.clone());
            events.extend(self.book.process(node, process));
        }
        events
    }

    /// A pod is gone when its node told nothing of it, or when there is no such node; where it ran
    /// is not known after a start, so then all nodes have to tell.
    fn end_processes(&mut self, nodes: &BTreeSet<&str>, seen: &Seen) -> Vec<Event> {
        let all_told = seen.troubles.is_empty();
        self.book.end_processes(|name, node| {
            if let Some(node) = name.strip_prefix("node/") {
                return !nodes.contains(node);
            }
            let has_told = if node.is_empty() { all_told } else { seen.answered.contains(node) };
            !seen.processes.contains(name)
                && (has_told || !nodes.contains(node) && !node.is_empty())
        })
    }

    /// Claims that nobody told of are gone if the cluster does not know them.
    async fn end_claims(&mut self, cluster: &Cluster, seen: &Seen) -> Result<Vec<Event>, String> {
        if self.book.claims().all(|claim| seen.claims.contains(claim)) {
            return Ok(Vec::new());
        }
        let living = known::claims(&cluster.client).await.map_err(|error| {
            let failed = known::list_failed("persistentvolumeclaims", &cluster.address, &error);
            format!("{failed}; until then claims that were deleted seem to be there")
        })?;
        Ok(self.book.end_volumes(|claim| !seen.claims.contains(claim) && !living.contains(claim)))
    }
}

fn retry_of(error: &kube::Error) -> Retry {
    match error {
        kube::Error::Api(status) if status.code == 403 => Retry::Rarely,
        _ => Retry::BackOff,
    }
}

/// Asks one kubelet; why it told nothing, and what that needs.
async fn ask(
    kubelets: &Kubelets,
    node: NodeAt,
    wait: Duration,
) -> (NodeAt, Result<Told, (String, Retry)>) {
    let told = answer(kubelets, &node, wait).await;
    (node, told)
}

async fn answer(
    kubelets: &Kubelets,
    node: &NodeAt,
    wait: Duration,
) -> Result<Told, (String, Retry)> {
    let Some(host) = &node.host else {
        return Err(("it tells no InternalIP".into(), Retry::BackOff));
    };
    let answer = timeout(wait, kubelets.summary(host, node.port)).await;
    let silent = |_| (format!("no whole answer within {} s", wait.as_secs_f64()), Retry::BackOff);
    let bytes = answer.map_err(silent)?.map_err(|error| {
        let retry = match &error {
            Error::Certificate { .. } => Retry::Rarely,
            Error::Refused { status, .. } if matches!(status.as_u16(), 401 | 403) => Retry::Rarely,
            _ => Retry::BackOff,
        };
        (error.to_string(), retry)
    })?;
    summary::read(&node.name, &bytes, now()).map_err(|reason| (reason, Retry::BackOff))
}

impl Source for AllNodes {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let access = match self.access.clone() {
            Some(access) if self.is_on => access,
            _ => {
                let reason = "the kubelets are not asked: it is switched off in the configuration";
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
