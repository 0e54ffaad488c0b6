//! Each kind of problem, from the objects that the cluster tells of.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    event::{
        ClusterEvent, Event, Extensions, Gap, ObjectObserved, ProbeResult, SourceState, VolumeUsage,
    },
    journal::Place,
    views::{Body, read::Recorded},
};

/// 1970-01-01T01:00:00Z.
const NOW: Millis = 3_600_000.0;

#[derive(Default)]
struct World {
    state: State,
    back: LookBack,
    seq: Seq,
    thresholds: Thresholds,
}

impl World {
    fn apply(&mut self, event: Event) -> Seq {
        self.seq += 1;
        let mut payload = Vec::new();
        event.encode_to(&mut payload);
        let place = Place::Heap(Arc::from(payload));
        self.state.apply(&event, Body { seq: self.seq, learned: NOW, place });
        self.seq
    }

    fn object(&mut self, kind: &str, name: &str, body: Value) -> Seq {
        self.apply(Event::ObjectObserved(ObjectObserved {
            object: reference(kind, name),
            source: format!("cluster/{kind}"),
            resource_version: "1".into(),
            body: body.to_string(),
            ext: Extensions::default(),
        }))
    }

    fn warn(&mut self, about: &ObjectRef, reason: &str, message: &str, first: Millis) {
        self.seq += 1;
        let value = ClusterEvent {
            uid: format!("event-{}", self.seq),
            source: "cluster/Event".into(),
            resource_version: "1".into(),
            regarding: about.clone(),
            event_type: "Warning".into(),
            reason: reason.into(),
            message: message.into(),
            reporter: "kubelet".into(),
            count: 1,
            first,
            last: NOW,
            ext: Extensions::default(),
        };
        let row = Recorded { seq: self.seq, learned: NOW, value };
        self.back.warnings.entry(about.key()).or_default().insert(0, row);
    }

    fn source(&mut self, name: &str, state: event::State, since: Millis) {
        self.apply(Event::SourceState(SourceState {
            name: name.into(),
            state,
            reason: "connection refused".into(),
            since,
            malformed: 0,
            last_malformed: String::new(),
            ext: Extensions::default(),
        }));
    }

    fn found(&self) -> Vec<Problem> {
        find(&self.state, &self.back, NOW, &self.thresholds).problems
    }

    fn only(&self) -> Problem {
        let mut found = self.found();
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}

fn reference(kind: &str, name: &str) -> ObjectRef {
    let namespace = if kind == "Node" { "" } else { "default" };
    let api_version = match kind {
        "Deployment" => "apps/v1",
        "Job" => "batch/v1",
        _ => "v1",
    };
    ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
        uid: format!("uid-{name}"),
    }
}

/// A pod of the deployment `app` with one container in this state.
fn pod_of_app(state: Value, last_state: Value) -> Value {
    json!({
        "metadata": {
            "labels": {"pod-template-hash": "7d9"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "app-7d9", "controller": true}],
        },
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "main", "image": "registry/app:2", "ready": false, "restartCount": 4,
            "state": state, "lastState": last_state,
        }]},
    })
}

fn waiting(reason: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": "told by the kubelet"}})
}

fn ended(reason: &str, code: i64) -> Value {
    json!({"terminated": {"reason": reason, "exitCode": code, "finishedAt": "1970-01-01T00:59:00Z"}})
}

#[test]
fn a_calm_cluster_has_no_problems() {
    let mut world = World::default();
    world.source("cluster/Pod", event::State::Up, 0.0);
    world.source("pod-logs/none", event::State::Off, 0.0);
    world.object("Pod", "a", json!({"status": {"phase": "Running"}}));
    let ready = json!({"type": "Ready", "status": "True"});
    world.object("Node", "n", json!({"status": {"conditions": [ready]}}));
    assert_eq!(world.found(), []);
}

#[test]
fn thirty_pods_that_miss_one_image_are_one_problem_of_their_deployment() {
    let mut world = World::default();
    world.object("Deployment", "app", json!({"spec": {"replicas": 30}, "status": {}}));
    for number in 0..30 {
        let body = pod_of_app(waiting("ImagePullBackOff"), json!({}));
        world.object("Pod", &format!("app-7d9-{number:02}"), body);
    }
    world.warn(&reference("Pod", "app-7d9-03"), "Failed", "not found", NOW - 90_000.0);
    let problem = world.only();
    assert_eq!((problem.kind, problem.count), (Kind::ImagePull, 30));
    assert_eq!(problem.id, "image_pull/default/Deployment/app");
    assert_eq!(problem.subject, Subject::Object(reference("Deployment", "app")));
    assert_eq!(
        problem.title,
        "30 pods of app (default) cannot start: the image registry/app:2 cannot be had"
    );
    assert_eq!((problem.since, problem.detail.as_str()), (NOW - 90_000.0, "not found"));
    assert_eq!((problem.objects.len(), problem.records[0]), (OBJECTS_MAX, 32));
    assert!(problem.records.len() <= RECORDS_MAX && problem.records.is_sorted_by(|a, b| a > b));
}

#[test]
fn a_pod_that_was_killed_for_want_of_memory_is_named_though_it_runs_again() {
    let mut world = World::default();
    let waits = pod_of_app(waiting("CrashLoopBackOff"), ended("OOMKilled", 137));
    let seq = world.object("Pod", "app-7d9-a", waits);
    let problem = world.only();
    assert_eq!((problem.kind, problem.severity), (Kind::OomKilled, Severity::Critical));
    assert_eq!(problem.title, "app-7d9-a (default) was killed for want of memory");
    assert_eq!((problem.since, problem.records), (NOW - 60_000.0, vec![seq]));

    let mut runs = pod_of_app(json!({"running": {}}), ended("OOMKilled", 137));
    runs["status"]["containerStatuses"][0]["ready"] = json!(true);
    world.object("Pod", "app-7d9-a", runs);
    let again = world.only();
    assert_eq!((again.id, again.severity), (problem.id, Severity::Warning));
    // No record says that it goes on well.
    let later = NOW + LOOK_BACK.as_secs_f64() * 1000.0;
    let found = find(&world.state, &world.back, later, &world.thresholds);
    assert_eq!(found, Found::default());
}

#[test]
fn failures_are_counted_by_the_recorded_states() {
    let mut world = World::default();
    let mut versions = Vec::new();
    for minute in [50, 55, 58] {
        let at = format!("1970-01-01T00:{minute}:00Z");
        let last = json!({"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": at}});
        let body = pod_of_app(json!({"running": {}}), last);
        let seq = world.object("Pod", "app-7d9-a", body.clone());
        let value = Event::ObjectObserved(ObjectObserved {
            object: reference("Pod", "app-7d9-a"),
            source: "cluster/Pod".into(),
            resource_version: "1".into(),
            body: body.to_string(),
            ext: Extensions::default(),
        });
        versions.insert(0, Recorded { seq, learned: NOW, value });
    }
    let key = reference("Pod", "app-7d9-a").key();
    assert_eq!(suspects(&world.state, NOW, &world.thresholds), [key]);
    world.back.histories.insert(key, versions);
    let problem = world.only();
    assert_eq!(problem.kind, Kind::CrashLoop);
    assert_eq!(problem.title, "app-7d9-a (default) keeps crashing, 3 times within 15 minutes");
    assert_eq!((problem.since, problem.records), (NOW - 600_000.0, vec![3, 2, 1]));
    world.thresholds.crash_restarts = 4;
    assert_eq!(world.found(), []);
}

#[test]
fn a_pod_without_a_node_is_named_when_it_has_waited_too_long() {
    let mut world = World::default();
    let pending = |since: &str| {
        json!({"status": {"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available", "lastTransitionTime": since,
        }]}})
    };
    world.object("Pod", "a", pending("1970-01-01T00:59:30Z"));
    assert_eq!(world.found(), []);
    world.object("Pod", "a", pending("1970-01-01T00:58:30Z"));
    let problem = world.only();
    assert_eq!((problem.kind, problem.since), (Kind::Pending, NOW - 90_000.0));
    assert_eq!(problem.detail, "Unschedulable: 0/3 nodes are available");
    assert_eq!(problem.id, "pending/default/Pod/a");
}

#[test]
fn a_container_that_cannot_be_made_is_named_at_once() {
    let mut world = World::default();
    world.object("Pod", "a", pod_of_app(waiting("CreateContainerConfigError"), json!({})));
    let problem = world.only();
    assert_eq!(problem.kind, Kind::Pending);
    assert_eq!(problem.detail, "CreateContainerConfigError: told by the kubelet");
}

#[test]
fn a_node_that_is_lost_comes_before_one_under_pressure() {
    let mut world = World::default();
    let node = |ready: &str, pressure: &str| {
        json!({"status": {"conditions": [
            {"type": "Ready", "status": ready, "lastTransitionTime": "1970-01-01T00:59:00Z"},
            {"type": "DiskPressure", "status": pressure},
        ]}})
    };
    world.object("Node", "full", node("True", "True"));
    world.object("Node", "lost", node("Unknown", "False"));
    let found = world.found();
    let told: Vec<_> = found.iter().map(|p| (p.id.as_str(), p.severity)).collect();
    assert_eq!(
        told,
        [
            ("node_not_ready//Node/lost", Severity::Critical),
            ("node_not_ready//Node/full", Severity::Warning)
        ]
    );
    assert_eq!(found[0].since, NOW - 60_000.0);
}

#[test]
fn missing_replicas_and_failed_jobs_are_named() {
    let mut world = World::default();
    let available = json!({"type": "Available", "status": "False",
        "lastTransitionTime": "1970-01-01T00:58:00Z"});
    let body = json!({"spec": {"replicas": 2}, "status": {"readyReplicas": 1,
        "conditions": [available]}});
    world.object("Deployment", "app", body);
    let failed = json!({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
        "lastTransitionTime": "1970-01-01T00:10:00Z"});
    world.object("Job", "nightly", json!({"status": {"conditions": [failed]}}));
    let kinds: Vec<Kind> = world.found().iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [Kind::ReplicasMissing, Kind::JobFailed]);
    assert_eq!(world.found()[0].title, "app (default) has 1 of 2 replicas ready");
    world.thresholds.off = vec![Kind::JobFailed];
    world.thresholds.replicas_seconds = 600;
    assert_eq!(world.found(), []);
}

fn usage(namespace: &str, claim: &str, percent: u64) -> Event {
    Event::VolumeUsage(VolumeUsage {
        source: "volumes/kubelet".into(),
        namespace: namespace.into(),
        claim: claim.into(),
        pod: String::new(),
        node: String::new(),
        path: None,
        used_bytes: percent << 20,
        capacity_bytes: 100 << 20,
        available_bytes: (100 - percent) << 20,
        inodes_used: 0,
        inodes: 0,
        observed: NOW - 5.0,
        gone: false,
        ext: Extensions::default(),
    })
}

#[test]
fn a_volume_is_a_warning_and_then_critical_and_the_recorders_own_may_be_fuller() {
    let mut world = World::default();
    world.apply(usage("", OWN_CLAIM, 85));
    world.apply(usage("default", "data", 79));
    assert_eq!(world.found(), []);
    world.apply(usage("default", "data", 80));
    assert_eq!(world.only().severity, Severity::Warning);
    world.apply(usage("default", "data", 93));
    let problem = world.only();
    assert_eq!((problem.kind, problem.severity), (Kind::VolumeFilling, Severity::Critical));
    assert_eq!(problem.title, "the volume data (default) is 93 % full");
    world.apply(usage("", OWN_CLAIM, 91));
    let found = world.found();
    let kinds: Vec<Kind> = found.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [Kind::JournalDegraded, Kind::VolumeFilling]);
    let (own, other) = (&found[0].threshold, &found[1].threshold);
    assert_eq!(own, "90 % full (volume_critical_percent)");
    assert!(other.starts_with("80 % full (volume_warning_percent), critical from 90 %"), "{other}");
}

#[test]
fn a_probe_that_fails_is_named_with_its_time() {
    let mut world = World::default();
    world.apply(Event::ProbeResult(ProbeResult {
        name: "site".into(),
        target: "http://site/".into(),
        ok: false,
        latency: None,
        status: Some(503),
        detail: "it answered 503".into(),
        since: NOW - 9.0,
        observed: NOW,
        gone: false,
        ext: Extensions::default(),
    }));
    let problem = world.only();
    assert_eq!((problem.id.as_str(), problem.since), ("probe_failing/site", NOW - 9.0));
}

#[test]
fn the_sources_of_one_peer_are_one_problem_and_their_objects_are_as_last_seen() {
    let mut world = World::default();
    world.source("cluster/Pod", event::State::Down, NOW - 30_000.0);
    world.source("cluster/Node", event::State::Connecting, NOW - 10_000.0);
    world.source("app-server", event::State::Down, NOW - 1_000.0);
    world.object("Pod", "a", pod_of_app(waiting("ImagePullBackOff"), json!({})));
    let found = world.found();
    let ids: Vec<&str> = found.iter().map(|problem| problem.id.as_str()).collect();
    assert_eq!(ids, ["image_pull/default/Deployment/app", "source_down/cluster"]);
    assert_eq!(found[1].title, "2 of 2 sources of cluster are not observed");
    assert_eq!((found[1].since, found[0].last_seen), (NOW - 30_000.0, Some(NOW - 30_000.0)));
}

#[test]
fn gaps_that_matter_are_told() {
    let mut world = World::default();
    let gap = |seq, from, dropped| {
        let value = Gap {
            source: "app-server".into(),
            reason: "it was away".into(),
            from,
            to: NOW,
            dropped,
            ext: Extensions::default(),
        };
        Recorded { seq, learned: NOW, value }
    };
    world.back.gaps = vec![gap(3, NOW - 4_000.0, None), gap(2, NOW - 4_000.0, Some(0))];
    assert_eq!(world.found(), []);
    world.back.gaps.push(gap(1, NOW - 40_000.0, Some(7)));
    let problem = world.only();
    assert_eq!(problem.title, "7 records of app-server are missing");
    assert_eq!(problem.records, [1]);
}

#[test]
fn more_than_can_be_told_are_counted() {
    let mut world = World::default();
    for number in 0..PROBLEMS_MAX + 5 {
        let body = json!({"status": {"phase": "Pending", "containerStatuses": [
            {"state": waiting("ErrImagePull")}]}});
        world.object("Pod", &format!("p{number}"), body);
    }
    let found = find(&world.state, &world.back, NOW, &world.thresholds);
    assert_eq!((found.problems.len(), found.left_out), (PROBLEMS_MAX, 5));
}
