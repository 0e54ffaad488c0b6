//! Test sequences: steps sent to the app-server in order, with waits, batches and repetitions.
//!
//! This file is what a sequence says and what is asked of it, in the form of the original; `plan`
//! lays its steps out in a row, `run` runs them.

mod http;

mod placeholder;

mod plan;

mod run;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Declared, Error, Procedures,
    args::{Args, invalid},
    declared::optional,
    procedures::AppServer,
};
pub use plan::fault;

/// How it is asked for.
pub const DECLARED: Declared = Declared {
    name: "run-test-sequence",
    what: "Sends the steps of a test sequence to the app-server, and counts which failed and what \
           the app-server logged meanwhile. Done twice, its steps are sent twice.",
    args: &[
        optional("name", "A test sequence of the configuration; /api/runbooks lists them."),
        optional("steps", "Or its steps: a list, in the form that /api/runbooks shows."),
        optional(
            "timeout_ms",
            "It is given up after this time, milliseconds, when given as steps.",
        ),
    ],
};

/// The app-server's own log lines.
pub const LOG_SOURCE: &str = "app-server";

/// A sequence that says nothing about it is given up after this time, milliseconds.
const TIMEOUT_DEFAULT_MS: u64 = 600_000;

/// A sequence of the configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSequence {
    /// Its name.
    pub name: String,
    /// What it tests.
    pub what: String,
    /// It is given up after this time, milliseconds.
    #[serde(default = "timeout_default")]
    pub timeout_ms: u64,
    /// Whose warnings and errors are counted.
    #[serde(default = "super::procedures::default_log_sources")]
    pub log_sources: Vec<String>,
    /// Its steps.
    pub steps: Vec<TestStep>,
}

fn timeout_default() -> u64 {
    TIMEOUT_DEFAULT_MS
}

/// A step, in the words of the original. What is left out may also be null. Times are milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestStep {
    /// False: it is passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Waits before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_wait: Option<u64>,
    /// Waits after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_wait: Option<u64>,
    /// False: the next step does not wait for its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_till_complete: Option<bool>,
    /// The next step begins no sooner than so long after its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_till_duration_x: Option<u64>,
    /// Steps in its place, some times over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_batch: Option<StepBatch>,
    /// A request to the app-server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpLeaf>,
}

/// Steps that are done some times over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepBatch {
    /// The steps.
    pub steps: Vec<TestStep>,
    /// How often; once where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_count: Option<u32>,
}

/// A request. `[time]`, `[datetime]`, `[datetime-ms]` and `[uuid]` are filled in, in each place and
/// each time anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpLeaf {
    /// The method; `POST` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path and query, from the slash on.
    pub path: String,
    /// Headers, beside those of `[app_server]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A text, or JSON that is sent as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// A run of a sequence that was asked for.
#[derive(Debug)]
pub struct Run {
    /// Its name, if the configuration has it.
    name: Option<String>,
    sequence: NamedSequence,
    app_server: AppServer,
}

impl Run {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// There is no such sequence, or its steps make no sense.
    pub fn read(args: &Value, procedures: &Procedures) -> Result<Run, Error> {
        let args = Args::of(args, &DECLARED.arg_names())?;
        let name = args.optional_text("name")?;
        let steps = args.optional_value("steps");
        let sequence = match (name, steps) {
            (Some(name), None) => {
                let known = procedures.sequences.iter().find(|known| known.name == name);
                let unknown = || invalid("name", "is no test sequence of the configuration");
                known.cloned().ok_or_else(unknown)?
            }
            (None, Some(steps)) => sent(&args, steps)?,
            _ => return Err(invalid("name", "or `steps` is needed, and not both")),
        };
        let app_server = procedures.app_server.clone();
        Ok(Run { name: name.map(str::to_owned), sequence, app_server })
    }

    /// The arguments again.
    pub fn args(&self) -> Value {
        match &self.name {
            Some(name) => json!({"name": name}),
            None => json!({
                "steps": self.sequence.steps,
                "timeout_ms": self.sequence.timeout_ms,
            }),
        }
    }

    /// How long it may take.
    pub fn time_max(&self) -> Duration {
        Duration::from_millis(self.sequence.timeout_ms)
    }
}

/// A sequence that stands in the request itself.
fn sent(args: &Args<'_>, steps: &Value) -> Result<NamedSequence, Error> {
    let steps: Vec<TestStep> = serde_json::from_value(steps.clone())
        .map_err(|error| invalid("steps", format!("were not understood: {error}")))?;
    let timeout = args.optional_number("timeout_ms", 1..=plan::TIMEOUT_MAX_MS)?;
    let sequence = NamedSequence {
        name: "sent".into(),
        what: String::new(),
        timeout_ms: timeout.unwrap_or(TIMEOUT_DEFAULT_MS),
        log_sources: super::procedures::default_log_sources(),
        steps,
    };
    let problem = plan::fault(&sequence).or_else(|| plan::credential(&sequence.steps));
    match problem {
        Some(problem) => Err(invalid("steps", problem)),
        None => Ok(sequence),
    }
}
