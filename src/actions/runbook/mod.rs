//! Runbooks: procedures of the configuration, run step by step.
//!
//! This file is what a runbook says and what is asked of it; `run` does it.

mod check;

mod exec;

mod http;

mod run;

mod wait;

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Declared, Error, Procedures,
    args::{Args, invalid},
    declared::{free, optional},
    template::{Form, Values, fill},
};

/// How it is asked for.
pub const DECLARED: Declared = Declared {
    name: "run-runbook",
    what: "Runs a runbook of the configuration, step by step, and records its output as it comes. \
           Done twice, its steps are done twice.",
    args: &[
        free("name", "The name of the runbook; /api/runbooks lists them."),
        optional("args", "What the runbook has to be told: an object of strings."),
    ],
};

/// A runbook that says nothing about it is given up after this time, milliseconds.
const TIMEOUT_DEFAULT_MS: u64 = 600_000;

/// A named procedure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Its name.
    pub name: String,
    /// What it does.
    pub what: String,
    /// It is given up after this time, milliseconds.
    #[serde(default = "timeout_default")]
    pub timeout_ms: u64,
    /// What it has to be told.
    #[serde(default)]
    pub args: Vec<RunbookArg>,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

fn timeout_default() -> u64 {
    TIMEOUT_DEFAULT_MS
}

/// An argument of a runbook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunbookArg {
    /// Its name.
    pub name: String,
    /// What it means.
    pub what: String,
    /// What it may be; empty where it is free.
    #[serde(default)]
    pub choices: Vec<String>,
    /// A regular expression that all of it has to match.
    #[serde(default)]
    pub pattern: Option<String>,
    /// What it is when left out; without it, it is needed.
    #[serde(default)]
    pub default: Option<String>,
}

/// A step of a runbook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Step {
    /// It is given up after this time, milliseconds; by default with the runbook.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// What follows when it fails.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What it does.
    #[serde(flatten)]
    pub work: Work,
}

/// What follows when a step fails. The runbook has failed in both cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing more is done.
    #[default]
    Stop,
    /// The next step.
    Continue,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Sends a request, and records the answer line by line.
    Http(HttpStep),
    /// Runs a program in a container, and records its output line by line.
    Exec(ExecStep),
    /// Restarts a workload.
    Restart(RestartStep),
    /// Waits for a time, a rollout or an answer.
    Wait(WaitStep),
}

/// `http`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpStep {
    /// The method; `GET` by default.
    #[serde(default = "get")]
    pub method: String,
    /// Where to; places are filled in.
    pub url: String,
    /// Headers; places are filled in.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body; places are filled in, inside of JSON as parts of strings.
    #[serde(default)]
    pub body: Option<String>,
    /// Statuses that are a success; by default 200 to 299.
    #[serde(default)]
    pub expect_status: Vec<u16>,
}

fn get() -> String {
    "GET".into()
}

/// `exec`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecStep {
    /// The namespace of the pod.
    pub namespace: String,
    /// Its name; or a label selector.
    #[serde(default)]
    pub pod: Option<String>,
    /// Which pods to choose from.
    #[serde(default)]
    pub label_selector: Option<String>,
    /// Which of those that are ready.
    #[serde(default)]
    pub pick: Pick,
    /// The container; by default the pod's first.
    #[serde(default)]
    pub container: Option<String>,
    /// Program and arguments; places are filled in. There is no shell.
    pub command: Vec<String>,
}

/// Which of the pods that a selector names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The newest one.
    #[default]
    Newest,
    /// Each, one after the other.
    All,
}

/// `restart`: as the action `restart-workload`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartStep {
    /// The kind of the workload.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How.
    pub method: String,
}

/// `wait`: for one of these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// A time, milliseconds.
    #[serde(default)]
    pub ms: Option<u64>,
    /// A workload that has all its pods new and ready.
    #[serde(default)]
    pub rolled_out: Option<RolledOut>,
    /// An address that answers with 200 to 299.
    #[serde(default)]
    pub url: Option<String>,
}

/// A workload whose rollout is waited for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolledOut {
    /// The kind of the workload.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Step {
    /// The word of its kind.
    pub fn kind(&self) -> &'static str {
        match self.work {
            Work::Http(_) => "http",
            Work::Exec(_) => "exec",
            Work::Restart(_) => "restart",
            Work::Wait(_) => "wait",
        }
    }

    /// What it does, its places as they are written.
    pub fn written(&self) -> String {
        self.what(&Values::default())
    }

    /// What it does, with its places filled in.
    pub(super) fn what(&self, values: &Values) -> String {
        match &self.work {
            Work::Http(step) => {
                format!("{} {}", step.method, fill(&step.url, values, Form::Url))
            }
            Work::Exec(step) => step.what(values),
            Work::Restart(RestartStep { workload, namespace, name, method }) => {
                format!("restart {workload} {namespace}/{name} by {method}")
            }
            Work::Wait(step) => step.what(values),
        }
    }
}

/// A run of a runbook that was asked for.
#[derive(Debug)]
pub struct Run {
    runbook: Runbook,
    /// What it was told, defaults included.
    args: BTreeMap<String, String>,
}

impl Run {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// There is no such runbook, or an argument is missing, unknown or wrong.
    pub fn read(args: &Value, procedures: &Procedures) -> Result<Run, Error> {
        let args = Args::of(args, &DECLARED.arg_names())?;
        let name = args.optional_text("name")?.ok_or_else(|| invalid("name", "is missing"))?;
        let runbook = procedures.runbooks.iter().find(|runbook| runbook.name == name);
        let runbook =
            runbook.ok_or_else(|| invalid("name", "is no runbook of the configuration"))?.clone();
        let none = json!({});
        let given = check::given(&runbook.args, args.optional_value("args").unwrap_or(&none))?;
        Ok(Run { runbook, args: given })
    }

    /// The arguments again, defaults included.
    pub fn args(&self) -> Value {
        json!({"name": self.runbook.name, "args": self.args})
    }

    /// How long it may take.
    pub fn time_max(&self) -> Duration {
        Duration::from_millis(self.runbook.timeout_ms)
    }
}
