//! What admins do.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An action.
#[derive(Debug, Serialize, ToSchema)]
pub struct Action {
    /// Its id.
    pub id: String,
    /// The newest record of it.
    pub seq: u64,
    /// Who.
    pub actor: String,
    /// Which action.
    pub action: String,
    /// Its arguments.
    #[schema(value_type = Value)]
    pub args: Value,
    /// When it was asked for.
    pub started: f64,
    /// When it ended; null while running.
    pub ended: Option<f64>,
    /// `succeeded`, `failed`, `cancelled`, `unknown`, or null while running.
    pub outcome: Option<String>,
    /// What was done or what failed.
    pub detail: String,
    /// False while its newest record waits in memory for a journal that takes none.
    pub saved: bool,
}

/// `GET /api/actions`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Actions {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Running ones, then ended ones, newest first.
    pub actions: Vec<Action>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
    /// Every action that this version can start, whoever asks.
    pub declared: Vec<DeclaredAction>,
}

/// An action that can be started.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeclaredAction {
    /// Its name.
    pub name: String,
    /// What it does, and what happens when it is done twice.
    pub what: String,
    /// What it has to be told.
    pub args: Vec<DeclaredArg>,
}

/// An argument of an action or of a runbook.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeclaredArg {
    /// Its name.
    pub name: String,
    /// What it means.
    pub what: String,
    /// What it may be; empty where it is free.
    pub choices: Vec<String>,
    /// Whether it can be left out.
    pub optional: bool,
    /// What it is when left out, where that is a fixed text.
    pub default: Option<String>,
}

/// A line of output of an action.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionProgress {
    /// Which action.
    pub id: String,
    /// Its record.
    pub seq: u64,
    /// When it was learned.
    pub learned: f64,
    /// The line; output of programs may hold any character but a line break.
    pub line: String,
}

/// `GET /api/actions/{id}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionDetail {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// The action.
    pub action: Action,
    /// Its output, newest first.
    pub progress: Vec<ActionProgress>,
    /// The `before` of the next page of output, or null.
    pub next: Option<u64>,
}

/// `GET /api/runbooks`: the procedures of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct Runbooks {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// For the action `run-runbook`.
    pub runbooks: Vec<Runbook>,
    /// For the action `run-test-sequence`.
    pub sequences: Vec<TestSequence>,
}

/// A named procedure.
#[derive(Debug, Serialize, ToSchema)]
pub struct Runbook {
    /// Its name.
    pub name: String,
    /// What it does.
    pub what: String,
    /// It is given up after this time, milliseconds.
    pub timeout: f64,
    /// What it does, in order.
    pub steps: Vec<RunbookStep>,
    /// What it has to be told.
    pub args: Vec<DeclaredArg>,
}

/// A step of a runbook.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunbookStep {
    /// `http`, `exec`, `restart` or `wait`.
    pub kind: String,
    /// What it does; placeholders stand as they are written.
    pub what: String,
}

/// A test sequence of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestSequence {
    /// Its name.
    pub name: String,
    /// What it tests.
    pub what: String,
    /// It is given up after this time, milliseconds.
    pub timeout: f64,
    /// Its steps, as they can be sent in the arguments of `run-test-sequence`.
    #[schema(value_type = Vec<Value>)]
    pub steps: Value,
}

/// Body of `POST /api/actions`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct StartAction {
    /// Which action, for example `restart-workload`.
    pub action: String,
    /// Its arguments.
    #[schema(value_type = Value)]
    pub args: Value,
    /// Act although the intent cannot be recorded now: while the journal takes no records, it waits
    /// in memory.
    #[serde(default)]
    pub unrecorded: bool,
    /// Only tell what would be done, as far as that can be checked without an effect. Nothing is
    /// recorded; the answer is 200.
    #[serde(default)]
    pub dry_run: bool,
}

/// Answer of `POST /api/actions` with `dry_run`.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRun {
    /// What would be done, a line each, in order.
    pub would: Vec<String>,
}

/// Answer of `POST /api/actions/{id}/cancel`: the outcome follows in the live feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancelledAction {
    /// Its id.
    pub id: String,
}

/// Answer of `POST /api/actions`: the outcome follows in the live feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedAction {
    /// Its id.
    pub id: String,
    /// The record of the intent, which is durable; null where it waits in memory.
    pub seq: Option<u64>,
}

/// Body of `POST /api/journal/wipe`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WipeRequest {
    /// Must be `wipe`.
    pub confirm: String,
    /// Why; recorded.
    pub reason: String,
}

/// Answer of `POST /api/journal/wipe`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Wiped {
    /// The new epoch.
    pub epoch: u64,
    /// The record of the wipe.
    pub seq: u64,
}
