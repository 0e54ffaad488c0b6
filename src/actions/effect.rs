//! What an action is going to do: read from a request, done, or only told.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    DECLARED, Error, Procedures, args,
    delete_pod::{self, DeletePod},
    progress::Progress,
    restart::{self, Restart},
    runbook,
    scale::{self, Scale},
    sequence,
};
use crate::{
    cluster::{Access, Cluster},
    event::Millis,
    recorder::Published,
};

/// One request to the cluster that takes longer is given up. It answers within seconds or not at
/// all.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// What every effect is given.
#[derive(Debug, Clone)]
pub struct Means {
    /// The cluster's access; `None` where it is switched off.
    pub cluster: Option<Access>,
    /// What the configuration lets an admin run.
    pub procedures: Arc<Procedures>,
    /// For what the journal has seen meanwhile.
    pub published: Arc<Published>,
    /// When the action was asked for.
    pub started: Millis,
    /// The number of its intent, or of the last record before one that waits in memory.
    pub seq: u64,
}

impl Means {
    /// A client of the cluster.
    ///
    /// # Errors
    /// There is none.
    pub async fn cluster(&self) -> Result<Cluster, String> {
        let access = self.cluster.as_ref();
        let access = access.ok_or("the cluster is switched off in the configuration")?;
        access.cluster().await.map_err(|e| e.to_string())
    }
}

/// An action, with its arguments.
#[derive(Debug)]
pub enum Effect {
    /// `restart-workload`
    Restart(Restart),
    /// `delete-pod`
    DeletePod(DeletePod),
    /// `scale-workload`
    Scale(Scale),
    /// `run-runbook`
    Runbook(runbook::Run),
    /// `run-test-sequence`
    Sequence(sequence::Run),
}

impl Effect {
    /// Reads and checks the arguments of an action.
    ///
    /// # Errors
    /// There is no such action, or its arguments make no sense.
    pub fn read(action: &str, args: &Value, procedures: &Procedures) -> Result<Effect, Error> {
        if action == restart::DECLARED.name {
            Restart::read(args).map(Effect::Restart)
        } else if action == delete_pod::DECLARED.name {
            DeletePod::read(args).map(Effect::DeletePod)
        } else if action == scale::DECLARED.name {
            Scale::read(args).map(Effect::Scale)
        } else if action == runbook::DECLARED.name {
            runbook::Run::read(args, procedures).map(Effect::Runbook)
        } else if action == sequence::DECLARED.name {
            sequence::Run::read(args, procedures).map(Effect::Sequence)
        } else {
            let names = DECLARED.map(|declared| declared.name).join(", ");
            Err(args::invalid("action", format!("is not one of: {names}")))
        }
    }

    /// The arguments, as they are recorded.
    pub fn args(&self) -> String {
        let args = match self {
            Effect::Restart(effect) => effect.args(),
            Effect::DeletePod(effect) => effect.args(),
            Effect::Scale(effect) => effect.args(),
            Effect::Runbook(effect) => effect.args(),
            Effect::Sequence(effect) => effect.args(),
        };
        args.to_string()
    }

    /// When it is given up.
    pub fn time_max(&self) -> Duration {
        match self {
            Effect::Restart(_) | Effect::DeletePod(_) | Effect::Scale(_) => REQUEST_TIME_MAX,
            Effect::Runbook(run) => run.time_max(),
            Effect::Sequence(run) => run.time_max(),
        }
    }

    /// Says what was done, or what failed.
    pub async fn run(self, means: Means, progress: Progress) -> Result<String, String> {
        match self {
            Effect::Restart(effect) => effect.run(&means.cluster().await?, means.started).await,
            Effect::DeletePod(effect) => effect.run(&means.cluster().await?).await,
            Effect::Scale(effect) => effect.run(&means.cluster().await?).await,
            Effect::Runbook(run) => run.run(&means, &progress).await,
            Effect::Sequence(run) => run.run(&means, &progress).await,
        }
    }

    /// Says what would be done, or what would fail.
    pub async fn would(&self, means: &Means) -> Result<Vec<String>, String> {
        match self {
            Effect::Restart(effect) => effect.would(&means.cluster().await?, means.started).await,
            Effect::DeletePod(effect) => effect.would(&means.cluster().await?).await,
            Effect::Scale(effect) => effect.would(&means.cluster().await?).await,
            Effect::Runbook(run) => Ok(run.would(means).await),
            Effect::Sequence(run) => run.would(means).await,
        }
    }
}
