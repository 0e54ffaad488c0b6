//! Whether a runbook of the configuration makes sense, and what is asked of it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::{ExecStep, HttpStep, RestartStep, Runbook, RunbookArg, Step, WaitStep, Work};
use crate::actions::{
    Error, Workload,
    args::invalid,
    request,
    restart::Restart,
    secret::SecretPlaces,
    template::{Place, is_name, places},
};

/// More steps than this are a program.
const STEPS_MAX: usize = 100;

/// A day: nobody waits longer for a procedure.
pub const TIMEOUT_MAX_MS: u64 = 24 * 3_600_000;

/// An argument without pattern and choices.
const ARG_BYTES_MAX: usize = 1000;

impl Runbook {
    /// What is wrong with it.
    pub fn fault(&self, secrets: &SecretPlaces) -> Option<String> {
        if !is_name(&self.name) {
            return Some("its name must be made of letters, digits, - and _".into());
        }
        if self.steps.is_empty() || self.steps.len() > STEPS_MAX {
            return Some(format!("it needs 1 to {STEPS_MAX} steps"));
        }
        if !(1..=TIMEOUT_MAX_MS).contains(&self.timeout_ms) {
            return Some(format!("timeout_ms must lie between 1 and {TIMEOUT_MAX_MS}"));
        }
        let known = Known { args: &self.args, secrets };
        let of_args = self.args.iter().find_map(RunbookArg::fault);
        let mut steps = self.steps.iter().zip(1..);
        of_args.or_else(|| {
            steps.find_map(|(step, n)| Some(format!("step {n} {}", step.fault(&known)?)))
        })
    }
}

/// What the places of a runbook may name.
struct Known<'a> {
    args: &'a [RunbookArg],
    secrets: &'a SecretPlaces,
}

impl Known<'_> {
    /// What is wrong with the places of a text.
    fn fault(&self, text: &str) -> Option<String> {
        places(text).into_iter().find_map(|place| match place {
            Place::Arg(name) if self.args.iter().any(|arg| arg.name == name) => None,
            Place::Secret(name) if self.secrets.contains_key(name) => None,
            Place::Arg(_) => Some(format!("names {place}, which is not among its args")),
            Place::Secret(_) => Some(format!("names {place}, which is not in [secrets]")),
        })
    }
}

impl RunbookArg {
    fn fault(&self) -> Option<String> {
        let name = &self.name;
        if !is_name(name) {
            return Some(format!(
                "the name of the argument {name:?} must be made of letters, digits, - and _"
            ));
        }
        if let Some(Err(_)) = self.pattern.as_deref().map(whole) {
            return Some(format!("the pattern of the argument {name} is no regular expression"));
        }
        let default = self.default.as_deref()?;
        Some(format!("the default of the argument {name} {}", self.problem(default)?))
    }

    /// What is wrong with a value.
    fn problem(&self, value: &str) -> Option<String> {
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == value) {
            return Some(format!("must be one of: {}", self.choices.join(", ")));
        }
        let pattern = self.pattern.as_deref().and_then(|pattern| whole(pattern).ok());
        if pattern.is_some_and(|pattern| !pattern.is_match(value)) {
            return Some(format!("must match {}", self.pattern.as_deref().unwrap_or_default()));
        }
        if value.len() > ARG_BYTES_MAX || value.chars().any(char::is_control) {
            return Some(format!(
                "must be at most {ARG_BYTES_MAX} bytes without control characters"
            ));
        }
        None
    }
}

/// A pattern that all of a text has to match.
fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

/// What a runbook is told: what was given, and defaults for the rest.
pub fn given(known: &[RunbookArg], args: &Value) -> Result<BTreeMap<String, String>, Error> {
    let Some(fields) = args.as_object() else {
        return Err(invalid("args", "must hold an object of strings"));
    };
    if let Some(name) = fields.keys().find(|name| known.iter().all(|arg| arg.name != **name)) {
        let name: String = name.chars().take(ARG_BYTES_MAX).collect();
        return Err(invalid(&name, "is not an argument of this runbook"));
    }
    let mut given = BTreeMap::new();
    for arg in known {
        let value = match fields.get(&arg.name) {
            Some(Value::String(value)) => value.clone(),
            Some(_) => return Err(invalid(&arg.name, "must be a string")),
            None => arg.default.clone().ok_or_else(|| invalid(&arg.name, "is missing"))?,
        };
        if let Some(problem) = arg.problem(&value) {
            return Err(invalid(&arg.name, problem));
        }
        given.insert(arg.name.clone(), value);
    }
    Ok(given)
}

impl Step {
    fn fault(&self, known: &Known<'_>) -> Option<String> {
        if self.timeout_ms.is_some_and(|ms| !(1..=TIMEOUT_MAX_MS).contains(&ms)) {
            return Some(format!("has a timeout_ms that is not between 1 and {TIMEOUT_MAX_MS}"));
        }
        match &self.work {
            Work::Http(step) => step.fault(known),
            Work::Exec(step) => step.fault(known),
            Work::Restart(step) => step.restart().err(),
            Work::Wait(step) => step.fault(known),
        }
    }

    /// The secrets that it needs.
    pub fn secrets(&self) -> Vec<&str> {
        let Work::Http(step) = &self.work else { return Vec::new() };
        let texts = step.headers.values().chain(&step.body).chain([&step.url]);
        let secret = |place| match place {
            Place::Secret(name) => Some(name),
            Place::Arg(_) => None,
        };
        texts.flat_map(|text| places(text)).filter_map(secret).collect()
    }
}

impl HttpStep {
    fn fault(&self, known: &Known<'_>) -> Option<String> {
        let texts = self.headers.values().chain(&self.body).chain([&self.url]);
        request::method(&self.method)
            .err()
            .or_else(|| (!request::is_http(&self.url)).then(|| "has a url that is not http".into()))
            .or_else(|| self.headers.keys().find_map(|name| request::header_fault(name)))
            .or_else(|| texts.into_iter().find_map(|text| known.fault(text)))
    }
}

impl ExecStep {
    fn fault(&self, known: &Known<'_>) -> Option<String> {
        if self.pod.is_some() == self.label_selector.is_some() {
            return Some("needs `pod` or `label_selector`, and not both".into());
        }
        if self.command.first().is_none_or(String::is_empty) {
            return Some("needs a command: program and arguments".into());
        }
        self.command.iter().find_map(|part| {
            let secret = places(part).into_iter().find(|place| matches!(place, Place::Secret(_)));
            match secret {
                Some(place) => Some(format!(
                    "names {place} in its command, which the log of the API server would tell; \
                     give it to the container by its environment"
                )),
                None => known.fault(part),
            }
        })
    }
}

impl RestartStep {
    /// The restart as the action does it.
    pub fn restart(&self) -> Result<Restart, String> {
        let args = serde_json::json!({
            "kind": self.workload,
            "namespace": self.namespace,
            "name": self.name,
            "method": self.method,
        });
        Restart::read(&args).map_err(|error| error.to_string())
    }
}

impl WaitStep {
    fn fault(&self, known: &Known<'_>) -> Option<String> {
        let ways = [self.ms.is_some(), self.rolled_out.is_some(), self.url.is_some()];
        if ways.into_iter().filter(|is_given| *is_given).count() != 1 {
            return Some("needs one of `ms`, `rolled_out` and `url`".into());
        }
        if self.ms.is_some_and(|ms| ms > TIMEOUT_MAX_MS) {
            return Some(format!("waits longer than {TIMEOUT_MAX_MS} ms"));
        }
        if let Some(Err(problem)) = self.workload() {
            return Some(problem);
        }
        let url = self.url.as_deref()?;
        if !request::is_http(url) {
            return Some("has a url that is not http".into());
        }
        if places(url).iter().any(|place| matches!(place, Place::Secret(_))) {
            return Some("names a secret in the url that it waits for".into());
        }
        known.fault(url)
    }

    /// The workload whose rollout is waited for.
    pub fn workload(&self) -> Option<Result<Workload, String>> {
        let rolled_out = self.rolled_out.as_ref()?;
        let args = serde_json::json!({
            "kind": rolled_out.workload,
            "namespace": rolled_out.namespace,
            "name": rolled_out.name,
        });
        Some(super::wait::workload(&args).map_err(|error| error.to_string()))
    }
}
