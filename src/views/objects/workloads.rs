//! What runs pods: how many of the wanted ones are ready, and how a job stands.

use serde::{Deserialize, de::IgnoredAny};

use super::{Condition, Said, find, joined};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    replicas: Option<u64>,
    paused: bool,
    suspend: bool,
    completions: Option<u64>,
    schedule: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    conditions: Vec<Condition>,
    ready_replicas: u64,
    updated_replicas: u64,
    current_revision: String,
    update_revision: String,
    desired_number_scheduled: u64,
    updated_number_scheduled: u64,
    number_ready: u64,
    number_misscheduled: u64,
    succeeded: u64,
    failed: u64,
    active: Active,
    last_schedule_time: Option<String>,
}

/// A job counts its active pods; a cron job names its active jobs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Active {
    Count(u64),
    Named(Vec<IgnoredAny>),
}

impl Default for Active {
    fn default() -> Active {
        Active::Count(0)
    }
}

impl Active {
    fn count(&self) -> u64 {
        match self {
            Active::Count(count) => *count,
            Active::Named(jobs) => jobs.len() as u64,
        }
    }
}

/// A deployment that wants no pods is available: that is what was asked for.
pub fn deployment(spec: Spec, status: Status) -> Said {
    let stalled = find(&status.conditions, "Progressing").filter(|c| c.is_false());
    let paused = if spec.paused { "paused" } else { "" };
    let more = joined([stalled.map_or("", Condition::reason), paused]);
    ready(status.ready_replicas, spec.replicas.unwrap_or(1), &more)
}

pub fn replica_set(spec: Spec, status: Status) -> Said {
    ready(status.ready_replicas, spec.replicas.unwrap_or(1), "")
}

pub fn stateful_set(spec: Spec, status: Status) -> Said {
    let wanted = spec.replicas.unwrap_or(1);
    let is_updating = status.current_revision != status.update_revision;
    let updated = format!("updated {}/{wanted}", status.updated_replicas);
    ready(status.ready_replicas, wanted, if is_updating { &updated } else { "" })
}

/// One pod a node that it is for.
pub fn daemon_set(_spec: IgnoredAny, status: Status) -> Said {
    let wanted = status.desired_number_scheduled;
    let updated = format!("updated {}/{wanted}", status.updated_number_scheduled);
    let updated = if status.updated_number_scheduled < wanted { &updated } else { "" };
    let misplaced = format!("misscheduled {}", status.number_misscheduled);
    let misplaced = if status.number_misscheduled > 0 { &misplaced } else { "" };
    ready(status.number_ready, wanted, &joined([updated, misplaced]))
}

fn ready(ready: u64, wanted: u64, more: &str) -> Said {
    let phase = if ready >= wanted {
        "Available"
    } else if ready == 0 {
        "Unavailable"
    } else {
        "Degraded"
    };
    Said::new(phase, ready >= wanted, joined([&format!("ready {ready}/{wanted}"), more]))
}

/// A job that tries again is running: only one that gave up has failed.
pub fn job(spec: Spec, status: Status) -> Said {
    let is = |name: &str| find(&status.conditions, name).filter(|c| c.is_true());
    let wanted = spec.completions.map_or(String::new(), |wanted| format!("/{wanted}"));
    let failed = format!("failed {}", status.failed);
    let failed = if status.failed > 0 { &failed } else { "" };
    let detail = joined([&format!("succeeded {}{wanted}", status.succeeded), failed]);
    if let Some(failed) = is("Failed").or(is("FailureTarget")) {
        return Said::unwell("Failed", joined([failed.reason(), &detail]));
    }
    let phase = match () {
        () if is("Complete").is_some() => "Complete",
        () if spec.suspend => "Suspended",
        () if status.active.count() > 0 => "Running",
        () => "Pending",
    };
    Said::well(phase, detail)
}

/// Whether its last run failed is said by the job of that run.
pub fn cron_job(spec: Spec, status: Status) -> Said {
    let phase = match () {
        () if spec.suspend => "Suspended",
        () if status.active.count() > 0 => "Running",
        () => "Waiting",
    };
    let last = status.last_schedule_time.map(|last| format!("last {last}")).unwrap_or_default();
    Said::well(phase, joined([&spec.schedule, &last]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{row, said};

    fn of(kind: &str, spec: Value, status: Value) -> (String, bool, String) {
        let group = if kind.ends_with("Job") { "batch/v1" } else { "apps/v1" };
        said(group, kind, json!({"spec": spec, "status": status}))
    }

    #[test]
    fn a_workload_is_well_when_all_wanted_pods_are_ready() {
        let two = json!({"readyReplicas": 2});
        for kind in ["Deployment", "ReplicaSet", "StatefulSet"] {
            let check = |replicas: Value, status: &Value, expected| {
                assert_eq!(
                    of(kind, json!({"replicas": replicas}), status.clone()),
                    expected,
                    "{kind}"
                );
            };
            check(json!(2), &two, row("Available", true, "ready 2/2"));
            check(json!(3), &two, row("Degraded", false, "ready 2/3"));
            check(json!(3), &json!({}), row("Unavailable", false, "ready 0/3"));
            check(json!(0), &json!({}), row("Available", true, "ready 0/0"));
            check(Value::Null, &json!({"readyReplicas": 1}), row("Available", true, "ready 1/1"));
        }
    }

    #[test]
    fn a_deployment_that_gets_nowhere_says_why() {
        let condition = json!([{"type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded"}]);
        let stalled = of("Deployment", json!({"paused": true}), json!({"conditions": condition}));
        let detail = "ready 0/1, ProgressDeadlineExceeded, paused";
        assert_eq!(stalled, row("Unavailable", false, detail));
    }

    #[test]
    fn a_stateful_set_in_an_update_says_how_far_it_is() {
        let status = json!({"readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a",
            "updateRevision": "b"});
        let updating = of("StatefulSet", json!({"replicas": 3}), status);
        assert_eq!(updating, row("Available", true, "ready 3/3, updated 1/3"));
    }

    #[test]
    fn a_daemon_set_wants_a_pod_on_each_of_its_nodes() {
        let status = |ready: u64, updated: u64| {
            json!({"desiredNumberScheduled": 3, "numberReady": ready,
                "updatedNumberScheduled": updated, "numberMisscheduled": 1})
        };
        let of = |status| of("DaemonSet", json!({}), status);
        assert_eq!(of(status(3, 3)), row("Available", true, "ready 3/3, misscheduled 1"));
        let some = row("Degraded", false, "ready 2/3, updated 1/3, misscheduled 1");
        assert_eq!(of(status(2, 1)), some);
        assert_eq!(of(json!({})), row("Available", true, "ready 0/0"));
    }

    #[test]
    fn a_job_has_failed_when_it_gave_up() {
        let condition =
            |name: &str, reason: &str| json!([{"type": name, "status": "True", "reason": reason}]);
        let job = |spec, status| of("Job", spec, status);
        let spec = json!({"completions": 3});
        let running = job(spec.clone(), json!({"active": 1, "succeeded": 1, "failed": 2}));
        assert_eq!(running, row("Running", true, "succeeded 1/3, failed 2"));
        let status =
            json!({"failed": 7, "conditions": condition("Failed", "BackoffLimitExceeded")});
        let failed = "BackoffLimitExceeded, succeeded 0/3, failed 7";
        assert_eq!(job(spec.clone(), status), row("Failed", false, failed));
        let status = json!({"succeeded": 3, "conditions": condition("Complete", "")});
        assert_eq!(job(spec.clone(), status), row("Complete", true, "succeeded 3/3"));
        let suspended = job(json!({"suspend": true}), json!({}));
        assert_eq!(suspended, row("Suspended", true, "succeeded 0"));
        assert_eq!(job(spec, json!({})), row("Pending", true, "succeeded 0/3"));
    }

    #[test]
    fn a_cron_job_waits_runs_or_is_suspended() {
        let cron = |suspend: bool, status| {
            of("CronJob", json!({"schedule": "*/5 * * * *", "suspend": suspend}), status)
        };
        assert_eq!(cron(false, json!({})), row("Waiting", true, "*/5 * * * *"));
        let ran = json!({"active": [{"name": "j"}], "lastScheduleTime": "2026-01-01T00:05:00Z"});
        let running = cron(false, ran.clone());
        let detail = "*/5 * * * *, last 2026-01-01T00:05:00Z";
        assert_eq!(running, row("Running", true, detail));
        assert_eq!(cron(true, ran), row("Suspended", true, detail));
    }
}
