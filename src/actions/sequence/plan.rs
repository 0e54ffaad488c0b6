//! A sequence as a row of steps: batches laid out, waits handed on, and everything within bounds.

use std::collections::BTreeMap;

use super::{HttpLeaf, NamedSequence, TestStep};
use crate::actions::{request, template::is_name};

/// Steps after repetition. At some milliseconds each, this is a long test.
const STEPS_MAX: u64 = 10_000;

/// Batches in batches.
const DEPTH_MAX: usize = 8;

/// A day: nobody waits longer for a test.
pub const TIMEOUT_MAX_MS: u64 = 24 * 3_600_000;

/// Headers that hold credentials: in the arguments of an action they would be recorded.
const CREDENTIAL_HEADERS: [&str; 4] =
    ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// A step that sends a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub pre_wait: u64,
    pub post_wait: u64,
    pub wait_till_complete: bool,
    /// It takes so long at least, milliseconds from its beginning.
    pub duration_min: u64,
    pub http: HttpLeaf,
}

/// Lays steps out. As in the original a batch's waits become those of its first and last step, and
/// what is said of its completion and duration counts for none.
pub fn plan(steps: &[TestStep]) -> Vec<Planned> {
    let mut planned = Vec::new();
    for step in steps.iter().filter(|step| step.enabled.unwrap_or(true)) {
        if let Some(batch) = &step.step_batch {
            let once = plan(&batch.steps);
            let count = batch.repeat_count.unwrap_or(1) as usize;
            let begin = planned.len();
            planned.extend(std::iter::repeat_n(once, count).flatten());
            if let [first, ..] = &mut planned[begin..] {
                first.pre_wait = first.pre_wait.saturating_add(step.pre_wait.unwrap_or(0));
            }
            if let [.., last] = &mut planned[begin..] {
                last.post_wait = last.post_wait.saturating_add(step.post_wait.unwrap_or(0));
            }
        } else if let Some(http) = &step.http {
            planned.push(Planned {
                pre_wait: step.pre_wait.unwrap_or(0),
                post_wait: step.post_wait.unwrap_or(0),
                wait_till_complete: step.wait_till_complete.unwrap_or(true),
                duration_min: step.wait_till_duration_x.unwrap_or(0),
                http: http.clone(),
            });
        }
    }
    planned
}

/// What is wrong with a sequence.
pub fn fault(sequence: &NamedSequence) -> Option<String> {
    if !is_name(&sequence.name) {
        return Some("its name must be made of letters, digits, - and _".into());
    }
    if !(1..=TIMEOUT_MAX_MS).contains(&sequence.timeout_ms) {
        return Some(format!("timeout_ms must lie between 1 and {TIMEOUT_MAX_MS}"));
    }
    if let Some(problem) = steps_fault(&sequence.steps, 1) {
        return Some(problem);
    }
    match count(&sequence.steps) {
        0 => Some("no step of it is enabled".into()),
        1..=STEPS_MAX => None,
        count => Some(format!("it has {count} steps, and may have {STEPS_MAX}")),
    }
}

/// How many steps there are after repetition.
fn count(steps: &[TestStep]) -> u64 {
    let enabled = steps.iter().filter(|step| step.enabled.unwrap_or(true));
    let counts = enabled.map(|step| match &step.step_batch {
        Some(batch) => {
            let times = u64::from(batch.repeat_count.unwrap_or(1));
            count(&batch.steps).saturating_mul(times)
        }
        None => 1,
    });
    counts.fold(0, u64::saturating_add)
}

fn steps_fault(steps: &[TestStep], depth: usize) -> Option<String> {
    if depth > DEPTH_MAX {
        return Some(format!("its batches lie more than {DEPTH_MAX} deep"));
    }
    steps.iter().zip(1..).find_map(|(step, n)| {
        let problem = match (&step.step_batch, &step.http) {
            (Some(batch), None) => steps_fault(&batch.steps, depth + 1),
            (None, Some(http)) => leaf_fault(http),
            _ => Some("needs `http` or `stepBatch`, and not both".into()),
        };
        Some(format!("step {n} {}", problem?))
    })
}

fn leaf_fault(http: &HttpLeaf) -> Option<String> {
    if !http.path.starts_with('/') || http.path.starts_with("//") {
        return Some("needs a path that begins with one slash".into());
    }
    let method = http.method.as_deref().map(request::method);
    method
        .and_then(Result::err)
        .or_else(|| http.headers.keys().find_map(|name| request::header_fault(name)))
}

/// A credential among the steps, which would be recorded with the arguments.
pub fn credential(steps: &[TestStep]) -> Option<String> {
    let of = |headers: &BTreeMap<String, String>| {
        let is_credential = |name: &&String| {
            CREDENTIAL_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known))
        };
        headers.keys().find(is_credential).cloned()
    };
    steps.iter().find_map(|step| {
        if let Some(batch) = &step.step_batch {
            return credential(&batch.steps);
        }
        let name = of(&step.http.as_ref()?.headers)?;
        Some(format!(
            "hold the header {name}, which would be recorded; put it into http_headers of \
             [app_server], with its secret in [secrets]"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn steps(json: Value) -> Vec<TestStep> {
        serde_json::from_value(json).unwrap()
    }

    fn leaf(path: &str) -> Value {
        json!({"http": {"path": path}})
    }

    fn paths(json: Value) -> Vec<String> {
        plan(&steps(json)).into_iter().map(|step| step.http.path).collect()
    }

    fn fault_of(json: Value) -> String {
        let sequence = NamedSequence {
            name: "n".into(),
            what: String::new(),
            timeout_ms: 1,
            log_sources: vec![],
            steps: steps(json),
        };
        fault(&sequence).unwrap_or_default()
    }

    #[test]
    fn batches_are_repeated_in_place_and_disabled_steps_are_not_there() {
        let inner = json!({"stepBatch": {"steps": [leaf("/b")], "repeatCount": 2}});
        let off = json!({"enabled": false, "http": {"path": "/off"}});
        let none = json!({"stepBatch": {"steps": [leaf("/none")], "repeatCount": 0}});
        let batch = json!({"stepBatch": {"steps": [leaf("/a"), inner, off], "repeatCount": 2}});
        let told = paths(json!([batch, none, leaf("/c")]));
        assert_eq!(told, ["/a", "/b", "/b", "/a", "/b", "/b", "/c"]);
    }

    #[test]
    fn the_waits_of_a_batch_are_added_to_its_first_and_last_step() {
        let inner = json!({"preWait": 1, "postWait": 2, "http": {"path": "/a"}});
        let batch = json!({"preWait": 10, "postWait": 20, "waitTillComplete": null,
            "stepBatch": {"steps": [inner], "repeatCount": 2}});
        let planned = plan(&steps(json!([batch])));
        let waits: Vec<_> = planned.iter().map(|step| (step.pre_wait, step.post_wait)).collect();
        assert_eq!(waits, [(11, 2), (1, 22)]);
        assert!(planned.iter().all(|step| step.wait_till_complete));
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_step() {
        let batch = |inner: Value| json!([{"stepBatch": {"steps": [inner]}}]);
        assert!(fault_of(json!([])).contains("no step"));
        assert!(fault_of(json!([{}])).contains("step 1 needs"));
        assert!(fault_of(batch(leaf("x"))).contains("step 1 step 1 needs a path"));
        assert!(fault_of(batch(leaf("//host/x"))).contains("one slash"));
        let trace = json!({"http": {"path": "/", "method": "TRACE"}});
        assert!(fault_of(json!([trace])).contains("method"));
    }

    #[test]
    fn no_repetition_and_no_depth_passes_the_bounds() {
        let mut nested = leaf("/a");
        for _ in 0..3 {
            nested = json!({"stepBatch": {"steps": [nested], "repeatCount": u32::MAX}});
        }
        assert!(fault_of(json!([nested])).contains("may have 10000"));
        let mut deep = leaf("/a");
        for _ in 0..DEPTH_MAX {
            deep = json!({"stepBatch": {"steps": [deep]}});
        }
        assert!(fault_of(json!([deep])).contains("deep"));
    }

    #[test]
    fn a_credential_in_a_batch_is_found() {
        let inner = json!({"http": {"path": "/", "headers": {"Authorization": "x"}}});
        let batch = json!([{"stepBatch": {"steps": [inner]}}]);
        assert!(credential(&steps(batch)).unwrap().contains("http_headers"));
        assert_eq!(credential(&steps(json!([leaf("/")]))), None);
    }
}
