//! What an admin can do: the intent is durable before the effect, the outcome is recorded after it.
//!
//! Knows the recorder's write side and the cluster client. Who may act, and how it is asked for, is
//! the business of whoever calls.

mod args;

mod restart;

mod witness;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use crate::{
    cluster::Access,
    event::{ActionIntent, ActionOutcome, Event, Extensions, Millis, Outcome, now},
    recorder::{self, Recorded, Recorder},
};
use restart::Restart;
pub use witness::SecretPlace;

/// How many actions may run at once. An admin does one thing at a time; a script that does more
/// is told to wait.
pub const RUNNING_MAX: usize = 16;

/// An effect that takes longer is given up. The cluster answers within seconds or not at all.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(60);

/// How soon an outcome that could not be recorded is tried again.
const OUTCOME_RETRY: Duration = Duration::from_secs(1);

/// An action that can be started.
#[derive(Debug)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// What it does, and what happens when it is done twice.
    pub what: &'static str,
    /// What it has to be told.
    pub args: &'static [DeclaredArg],
}

/// An argument of an action. All are strings, and all are needed.
#[derive(Debug)]
pub struct DeclaredArg {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// What it may be; empty where it is free.
    pub choices: &'static [&'static str],
}

/// Every action that can be started.
pub const DECLARED: [Declared; 1] = [restart::DECLARED];

/// Starts actions. Clones share the bound on how many run.
#[derive(Debug, Clone)]
pub struct Actions {
    recorder: Recorder,
    cluster: Option<Access>,
    slots: Arc<Semaphore>,
}

/// An action that was started. Its outcome follows as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Names it in every event about it.
    pub id: String,
    /// The record of the intent, which is durable; `None` where it waits in memory until the
    /// journal takes records again.
    pub seq: Option<u64>,
}

/// Whether an action may be done without a record of its intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Record,
    /// The intent waits in memory while the journal takes nothing.
    Nothing,
}

/// Why an action was not started. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for makes no sense.
    #[error("`{field}` {problem}")]
    Invalid {
        /// Which part of the request.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Too many are running.
    #[error("{RUNNING_MAX} actions are running already; try again when one has ended")]
    Busy,
    /// The intent could not be recorded, or not be made durable.
    #[error("the action was not started, because it could not be recorded")]
    NotRecorded {
        /// What failed.
        #[from]
        source: recorder::Error,
    },
}

/// What an action is going to do.
enum Effect {
    Restart(Restart),
}

impl Effect {
    fn read(action: &str, args: &Value) -> Result<Effect, Error> {
        if action == restart::DECLARED.name {
            return Restart::read(args).map(Effect::Restart);
        }
        let names = DECLARED.map(|declared| declared.name).join(", ");
        Err(args::invalid("action", format!("is not one of: {names}")))
    }

    /// The arguments, as they are recorded.
    fn args(&self) -> String {
        match self {
            Effect::Restart(restart) => restart.args().to_string(),
        }
    }

    /// Says what was done, or what failed.
    async fn run(self, cluster: Option<Access>, started: Millis) -> Result<String, String> {
        let access = cluster.ok_or("the cluster is switched off in the configuration")?;
        let cluster = access.cluster().await.map_err(|e| e.to_string())?;
        match self {
            Effect::Restart(restart) => restart.run(&cluster, started).await,
        }
    }
}

impl Actions {
    /// Actions on a cluster, if there is one.
    pub fn new(recorder: Recorder, cluster: Option<Access>) -> Actions {
        Actions { recorder, cluster, slots: Arc::new(Semaphore::new(RUNNING_MAX)) }
    }

    /// Starts an action; returns as soon as its intent is durable. It goes on to its end even when
    /// the caller is dropped.
    ///
    /// # Errors
    /// It was not started.
    pub async fn start(&self, actor: &str, action: &str, args: &Value) -> Result<Started, Error> {
        self.begin(actor, action, args, Needs::Record).await
    }

    /// As [`Actions::start`], also while the journal takes no records: then the intent waits in
    /// memory, and is lost if the process ends before it can be recorded.
    ///
    /// # Errors
    /// It was not started.
    pub async fn start_unrecorded(
        &self,
        actor: &str,
        action: &str,
        args: &Value,
    ) -> Result<Started, Error> {
        self.begin(actor, action, args, Needs::Nothing).await
    }

    async fn begin(
        &self,
        actor: &str,
        action: &str,
        args: &Value,
        needs: Needs,
    ) -> Result<Started, Error> {
        let effect = Effect::read(action, args)?;
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| Error::Busy)?;
        let started = now();
        let intent = ActionIntent {
            id: new_id(started),
            actor: actor.into(),
            action: action.into(),
            args: effect.args(),
            started,
            ext: Extensions::default(),
        };
        let (answer, answered) = oneshot::channel();
        tokio::spawn(self.clone().run(intent, effect, needs, slot, answer));
        answered.await.map_err(|_| recorder::Error::Stopped)?
    }

    /// Intent, effect, outcome.
    async fn run(
        self,
        intent: ActionIntent,
        effect: Effect,
        needs: Needs,
        _slot: OwnedSemaphorePermit,
        answer: oneshot::Sender<Result<Started, Error>>,
    ) {
        let seq = match self.record_intent(&intent, needs).await {
            Ok(seq) => seq,
            Err(error) => {
                let may_be_on_record = matches!(error, recorder::Error::Unsure { .. });
                // Whoever asked may have gone; nothing was done.
                let _ = answer.send(Err(error.into()));
                if may_be_on_record {
                    let reason = "it was not started: its intent could not be made durable";
                    self.record_outcome(outcome(intent, Err(reason.into()))).await;
                }
                return;
            }
        };
        // Whoever asked may have gone; what was recorded is done all the same.
        let _ = answer.send(Ok(Started { id: intent.id.clone(), seq }));
        let result = self.bounded(effect, intent.started).await;
        self.record_outcome(outcome(intent, result)).await;
    }

    /// The number of the durable record; `None` where it waits in memory.
    async fn record_intent(
        &self,
        intent: &ActionIntent,
        needs: Needs,
    ) -> Result<Option<u64>, recorder::Error> {
        let events = vec![Event::ActionIntent(intent.clone())];
        if needs == Needs::Record {
            return self.recorder.record_durable(events).await.map(Some);
        }
        self.recorder.record_or_keep(events).await.map(|recorded| match recorded {
            Recorded::Durable(seq) => Some(seq),
            Recorded::InMemory => None,
        })
    }

    /// Runs an effect within its time; a bug in it is a failure too, so that there is an outcome.
    async fn bounded(&self, effect: Effect, started: Millis) -> Result<String, String> {
        let mut task = tokio::spawn(effect.run(self.cluster.clone(), started));
        match timeout(EFFECT_TIME_MAX, &mut task).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the action failed in itself; this is a bug, and what was done is \
                               not known"
                .into()),
            Err(_) => {
                task.abort();
                let seconds = EFFECT_TIME_MAX.as_secs();
                Err(format!(
                    "it did not end within {seconds} s and was given up; it may have taken effect"
                ))
            }
        }
    }

    /// Records the outcome, in memory while the journal takes nothing, again and again while that
    /// is full too: an action without an outcome looks as if it were running.
    async fn record_outcome(&self, outcome: ActionOutcome) {
        loop {
            let event = Event::ActionOutcome(outcome.clone());
            match self.recorder.record_or_keep(vec![event]).await {
                Ok(_) => return,
                Err(recorder::Error::Stopped) => {
                    tracing::warn!(id = outcome.id, "the recorder stopped before the outcome");
                    return;
                }
                Err(recorder::Error::NotRecorded { .. } | recorder::Error::Unsure { .. }) => {
                    tokio::time::sleep(OUTCOME_RETRY).await;
                }
            }
        }
    }
}

fn outcome(intent: ActionIntent, result: Result<String, String>) -> ActionOutcome {
    let (outcome, detail) = match result {
        Ok(detail) => (Outcome::Succeeded, detail),
        Err(detail) => (Outcome::Failed, detail),
    };
    ActionOutcome {
        id: intent.id,
        actor: intent.actor,
        action: intent.action,
        args: intent.args,
        started: intent.started,
        ended: now(),
        outcome,
        detail,
        ext: Extensions::default(),
    }
}

/// Sorts by time, and is safe in a URL.
fn new_id(started: Millis) -> String {
    // Without randomness, two actions of one microsecond would share an id.
    let random = getrandom::u32().unwrap_or_default();
    format!("{:x}-{random:08x}", (started * 1000.0) as u64)
}
