//! What an admin can do: the intent is durable before the effect, output is recorded while it comes,
//! the outcome after it.
//!
//! Knows the recorder, the cluster client and the client of other peers. Who may act, and how it is
//! asked for, is the business of whoever calls.

mod args;

mod declared;

mod delete_pod;

mod effect;

mod procedures;

mod progress;

mod request;

mod restart;

mod running;

pub mod runbook;

mod scale;

pub mod secret;

pub mod sequence;

mod template;

mod witness;

mod workload;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

pub use self::{
    declared::{DECLARED, Declared, DeclaredArg},
    procedures::{AppServer, Procedures},
    progress::{BYTES_MAX, LINE_BYTES_MAX, LINES_MAX},
    witness::SecretPlace,
};
use self::{
    effect::{Effect, Means},
    progress::Progress,
    running::{Cancelled, Entry, Running},
    workload::Workload,
};
use crate::{
    cluster::Access,
    event::{ActionIntent, ActionOutcome, Event, Extensions, Millis, Outcome, now},
    recorder::{self, Published, Recorded, Recorder},
};

/// How many actions may run at once. An admin does one thing at a time; a script that does more
/// is told to wait.
pub const RUNNING_MAX: usize = 16;

/// A dry run that takes longer is given up.
const DRY_RUN_TIME_MAX: Duration = Duration::from_secs(20);

/// Actions that are cancelled at the stop have this long to record their outcome.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How soon an outcome that could not be recorded is tried again.
const OUTCOME_RETRY: Duration = Duration::from_secs(1);

/// Who cancels what still runs at the stop.
const STOPPING: &str = "the recorder, which is stopping";

/// Starts actions. Clones share the bound on how many run.
#[derive(Debug, Clone)]
pub struct Actions {
    recorder: Recorder,
    published: Arc<Published>,
    cluster: Option<Access>,
    procedures: Arc<Procedures>,
    slots: Arc<Semaphore>,
    running: Running,
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

/// The place of a running action, given back when it has ended.
struct Turn {
    _slot: OwnedSemaphorePermit,
    _entry: Entry,
    cancelled: Cancelled,
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
    /// There is no such action, or it has ended.
    #[error("the action {id} does not run; it may have ended already")]
    NotRunning {
        /// Which action.
        id: String,
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

/// What an action ended as.
enum End {
    Done(String),
    Failed(String),
    Cancelled { by: String },
}

impl From<Result<String, String>> for End {
    fn from(result: Result<String, String>) -> End {
        result.map_or_else(End::Failed, End::Done)
    }
}

impl Actions {
    /// Actions on a cluster, if there is one.
    pub fn new(
        recorder: Recorder,
        published: Arc<Published>,
        cluster: Option<Access>,
        procedures: Procedures,
    ) -> Actions {
        Actions {
            recorder,
            published,
            cluster,
            procedures: Arc::new(procedures),
            slots: Arc::new(Semaphore::new(RUNNING_MAX)),
            running: Running::default(),
        }
    }

    /// What the configuration lets an admin run.
    pub fn procedures(&self) -> &Procedures {
        &self.procedures
    }

    /// Tells what an action would do, a line each, as far as that can be checked without an effect.
    /// Nothing is recorded.
    ///
    /// # Errors
    /// What was asked for makes no sense, or too much is going on.
    pub async fn dry_run(&self, action: &str, args: &Value) -> Result<Vec<String>, Error> {
        let effect = Effect::read(action, args, &self.procedures)?;
        let _slot = self.slots.try_acquire().map_err(|_| Error::Busy)?;
        let means = self.means(now(), None);
        let told = timeout(DRY_RUN_TIME_MAX, effect.would(&means)).await;
        Ok(told
            .unwrap_or_else(|_| Err("it could not be checked in time".into()))
            .unwrap_or_else(|problem| vec![format!("this would fail: {problem}")]))
    }

    /// Cancels a running action. What it has sent by then may take effect; its outcome says who
    /// cancelled it.
    ///
    /// # Errors
    /// It does not run.
    pub fn cancel(&self, actor: &str, id: &str) -> Result<(), Error> {
        if self.running.cancel(id, actor) {
            return Ok(());
        }
        Err(Error::NotRunning { id: id.into() })
    }

    /// Cancels all that runs and waits for their outcomes, within a grace. None can be started
    /// afterwards.
    pub async fn stop(&self) {
        self.running.cancel_all(STOPPING);
        let all = RUNNING_MAX as u32;
        if timeout(STOP_GRACE, self.slots.acquire_many(all)).await.is_err() {
            tracing::warn!("an action did not end within {STOP_GRACE:?}; its outcome is unknown");
        }
        self.slots.close();
    }

    fn means(&self, started: Millis, seq: Option<u64>) -> Means {
        Means {
            seq: seq.unwrap_or_else(|| self.published.positions.borrow().last_seq),
            cluster: self.cluster.clone(),
            procedures: Arc::clone(&self.procedures),
            published: Arc::clone(&self.published),
            started,
        }
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
        let effect = Effect::read(action, args, &self.procedures)?;
        let slot = self.slot()?;
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
        let (entry, cancelled) = self.running.add(&intent.id);
        let turn = Turn { _slot: slot, _entry: entry, cancelled };
        tokio::spawn(self.clone().run(intent, effect, needs, turn, answer));
        answered.await.map_err(|_| recorder::Error::Stopped)?
    }

    fn slot(&self) -> Result<OwnedSemaphorePermit, Error> {
        use tokio::sync::TryAcquireError;
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        slot.map_err(|error| match error {
            TryAcquireError::NoPermits => Error::Busy,
            TryAcquireError::Closed => recorder::Error::Stopped.into(),
        })
    }

    /// Intent, effect, outcome.
    async fn run(
        self,
        intent: ActionIntent,
        effect: Effect,
        needs: Needs,
        turn: Turn,
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
                    self.record_outcome(outcome(intent, End::Failed(reason.into()))).await;
                }
                return;
            }
        };
        // Whoever asked may have gone; what was recorded is done all the same.
        let _ = answer.send(Ok(Started { id: intent.id.clone(), seq }));
        let means = self.means(intent.started, seq);
        let (progress, written) = progress::start(self.recorder.clone(), intent.id.clone());
        let end = self.bounded(effect, means, turn.cancelled.clone(), progress).await;
        // The outcome stands behind the last line of output.
        let _ = written.await;
        self.record_outcome(outcome(intent, end)).await;
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

    /// Runs an effect within its time, or until it is cancelled; a bug in it is a failure too, so
    /// that there is an outcome. Nothing of it goes on afterwards.
    async fn bounded(
        &self,
        effect: Effect,
        means: Means,
        mut cancelled: Cancelled,
        progress: Progress,
    ) -> End {
        let time_max = effect.time_max();
        let mut task = tokio::spawn(effect.run(means, progress.clone()));
        let end = tokio::select! {
            result = &mut task => match result {
                Ok(result) => return result.into(),
                Err(_) => return End::Failed(
                    "the action failed in itself; this is a bug, and what was done is not known"
                        .into(),
                ),
            },
            () = tokio::time::sleep(time_max) => End::Failed(format!(
                "it did not end within {} s and was given up; it may have taken effect",
                time_max.as_secs_f64()
            )),
            by = who(&mut cancelled) => End::Cancelled { by },
        };
        task.abort();
        // Its connections are closed when it is gone.
        let _ = task.await;
        if let End::Cancelled { by } = &end {
            progress.line(&format!("cancelled by {by}")).await;
        }
        end
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

/// Who cancelled; never, where nobody does.
async fn who(cancelled: &mut Cancelled) -> String {
    match cancelled.wait_for(Option::is_some).await.map(|who| who.clone()) {
        Ok(Some(who)) => who,
        _ => std::future::pending().await,
    }
}

fn outcome(intent: ActionIntent, end: End) -> ActionOutcome {
    let (outcome, detail, ext) = match end {
        End::Done(detail) => (Outcome::Succeeded, detail, Extensions::default()),
        End::Failed(detail) => (Outcome::Failed, detail, Extensions::default()),
        End::Cancelled { by } => {
            let detail = format!("cancelled by {by}; what was sent by then may have taken effect");
            (Outcome::Failed, detail, ActionOutcome::cancelled(&by))
        }
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
        ext,
    }
}

/// Sorts by time, and is safe in a URL.
fn new_id(started: Millis) -> String {
    // Without randomness, two actions of one microsecond would share an id.
    let random = getrandom::u32().unwrap_or_default();
    format!("{:x}-{random:08x}", (started * 1000.0) as u64)
}
