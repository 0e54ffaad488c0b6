//! Events as a cluster of ten thousand pods and a busy app-server send them. Knows no journal.

use monitor_backend::event::{
    ClusterEvent, DeletedBecause, Event, Extensions, Level, LogLine, Millis, ObjectDeleted,
    ObjectObserved, ObjectRef, Section, SourceState, State, Trace, TraceEnd, WatchPosition,
};

use crate::rng::Rng;

/// A word that only every [`RARE_EVERY`]th line holds.
pub const RARE_WORD: &str = "quorum-lost";

/// So rare is the line with [`RARE_WORD`]: a handful in a gigabyte.
pub const RARE_EVERY: u64 = 1_000_000;

/// The source of lines and traces.
pub const APP_SERVER: &str = "app-server";

/// The source of pods.
pub const POD_SOURCE: &str = "cluster/Pod";

/// Of a thousand events so many are something else than lines, by what they are.
const PODS_PER_MILLE: u64 = 8;
const CLUSTER_EVENTS_PER_MILLE: u64 = 12;
const TRACES_PER_MILLE: u64 = 20;

const LINES: &[(Level, &str, &str, &str)] = &[
    (Level::Info, "app_server::db::commands::add_node", "add_node", "added node"),
    (Level::Info, "app_server::db::commands::update_node", "update_node", "new revision of node"),
    (Level::Debug, "app_server::store::live_queries", "notify", "change sent to watchers of"),
    (Level::Info, "app_server::db::general::sign_in", "sign_in", "session opened for"),
    (Level::Trace, "app_server::utils::access", "can_read", "policy of node"),
    (Level::Debug, "app_server::db::pool", "acquire", "connection taken for"),
    (Level::Info, "app_server::gql::subscriptions", "subscribe", "new watcher of map"),
    (Level::Warn, "app_server::db::commands::update_node", "update_node", "retried locked node"),
];

/// Makes events, the same ones for the same seed.
#[derive(Debug)]
pub struct Events {
    rng: Rng,
    pods: u64,
    made: u64,
    traces: u64,
}

impl Events {
    /// Events of a cluster with so many pods, at least one.
    pub fn new(seed: u64, pods: u64) -> Events {
        Events { rng: Rng::new(seed), pods, made: 0, traces: 0 }
    }

    /// What a start records: the sources, and every pod as it is.
    pub fn beginning(&mut self, at: Millis) -> Vec<Event> {
        let mut events = vec![source_up(APP_SERVER, at), source_up(POD_SOURCE, at)];
        events.extend((0..self.pods).map(|pod| self.pod(pod, at)));
        let resource_version = "1000".to_owned();
        let position = WatchPosition { source: POD_SOURCE.into(), resource_version, ext: none() };
        events.push(Event::WatchPosition(position));
        events
    }

    /// The next event: mostly a line.
    pub fn next(&mut self, at: Millis) -> Event {
        self.made += 1;
        let dice = self.rng.below(1000);
        if dice < PODS_PER_MILLE {
            let pod = self.rng.below(self.pods);
            if dice == 0 { self.pod_deleted(pod, at) } else { self.pod(pod, at) }
        } else if dice < PODS_PER_MILLE + CLUSTER_EVENTS_PER_MILLE {
            self.cluster_event(at)
        } else if dice < PODS_PER_MILLE + CLUSTER_EVENTS_PER_MILLE + TRACES_PER_MILLE {
            self.trace(at)
        } else {
            self.line(at)
        }
    }

    /// A line of about 185 bytes.
    pub fn line(&mut self, at: Millis) -> Event {
        let (mut level, target, span_name, text) = *self.rng.pick(LINES);
        let (id, other) = (self.rng.next_u64(), self.rng.next_u64());
        let word = if self.made % RARE_EVERY == RARE_EVERY / 2 { RARE_WORD } else { "quorum-kept" };
        if other % 200 == 0 {
            level = Level::Error;
        }
        let took = other % 10_000;
        Event::LogLine(LogLine {
            source: APP_SERVER.into(),
            time: at - (other % 50) as f64,
            level,
            target: target.into(),
            span_name: span_name.into(),
            message: format!(
                "{text} {id:016x} of user {other:016x}, {word}, took {took} us in all"
            ),
            ext: none(),
        })
    }

    /// The present state of a pod, a body of about 3 kB.
    pub fn pod(&mut self, index: u64, at: Millis) -> Event {
        let restarts = self.rng.below(5);
        let object = pod_ref(index);
        let body = pod_body(&object, index, restarts, self.made, &mut self.rng);
        Event::ObjectObserved(ObjectObserved {
            object,
            source: POD_SOURCE.into(),
            resource_version: format!("{}", at as u64),
            body,
            ext: none(),
        })
    }

    fn pod_deleted(&mut self, index: u64, at: Millis) -> Event {
        let Event::ObjectObserved(last) = self.pod(index, at) else {
            unreachable!("a pod is an object")
        };
        Event::ObjectDeleted(ObjectDeleted {
            object: last.object,
            source: last.source,
            because: DeletedBecause::Deleted,
            from: at,
            to: at,
            body: last.body,
            ext: none(),
        })
    }

    fn cluster_event(&mut self, at: Millis) -> Event {
        let pod = self.rng.below(self.pods);
        Event::ClusterEvent(ClusterEvent {
            uid: uid(self.rng.next_u64()),
            source: "cluster/Event".into(),
            resource_version: format!("{}", at as u64),
            regarding: pod_ref(pod),
            event_type: "Warning".into(),
            reason: "BackOff".into(),
            message: "Back-off restarting failed container app in pod".into(),
            reporter: "kubelet".into(),
            count: 1 + self.rng.below(30),
            first: at - 60_000.0,
            last: at,
            ext: none(),
        })
    }

    /// Every trace is told twice: open, then ended.
    fn trace(&mut self, at: Millis) -> Event {
        self.traces += 1;
        let is_end = self.traces.is_multiple_of(2);
        let part = |name: &str, start: f64, took: f64| Section {
            path: format!("graphql getNodesInMap/{name}"),
            start_time: at + start,
            duration: is_end.then_some(took),
            extra_info: None,
        };
        Event::Trace(Trace {
            source: APP_SERVER.into(),
            id: uid(self.traces.div_ceil(2)),
            end: if is_end { TraceEnd::Ended } else { TraceEnd::Open },
            sections: vec![
                part("1:parse and check", 0.0, 0.4),
                part("2:take connection", 0.4, 1.5),
                part("3:execute", 1.9, 11.0),
                part("4:send", 12.9, 0.2),
            ],
            ext: none(),
        })
    }
}

/// The uid of a pod of the cluster.
pub fn pod_uid(index: u64) -> String {
    uid(0x0070_0000_0000 + index)
}

fn pod_ref(index: u64) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: format!("team-{:02}", index % 40),
        name: format!("worker-{index:05}-7d9c5b8f4d-x2x7q"),
        uid: pod_uid(index),
    }
}

fn source_up(name: &str, at: Millis) -> Event {
    Event::SourceState(SourceState {
        name: name.into(),
        state: State::Up,
        reason: String::new(),
        since: at,
        malformed: 0,
        last_malformed: String::new(),
        ext: none(),
    })
}

fn none() -> Extensions {
    Extensions::default()
}

fn uid(number: u64) -> String {
    format!("{:08x}-{:04x}-4000-8000-{:012x}", number >> 32, number >> 16 & 0xffff, number)
}

/// JSON with sorted keys, as a cluster's collector keeps it.
fn pod_body(object: &ObjectRef, index: u64, restarts: u64, version: u64, rng: &mut Rng) -> String {
    let ObjectRef { namespace, name, uid, .. } = object;
    let node = index % 200;
    let env: Vec<String> = (0..12)
        .map(|at| format!(r#"{{"name":"SETTING_{at}","value":"{:016x}"}}"#, rng.next_u64()))
        .collect();
    let env = env.join(",");
    let conditions: Vec<String> =
        ["Initialized", "Ready", "ContainersReady", "PodScheduled", "PodReadyToStartContainers"]
            .iter()
            .map(|word| {
                format!(
                    r#"{{"lastProbeTime":null,"lastTransitionTime":"2026-01-05T08:00:{:02}Z","status":"True","type":"{word}"}}"#,
                    version % 60
                )
            })
            .collect();
    let conditions = conditions.join(",");
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"annotations":{{"kubectl.kubernetes.io/default-container":"app","prometheus.io/port":"9100","prometheus.io/scrape":"true"}},"creationTimestamp":"2026-01-05T08:00:00Z","generateName":"worker-{index:05}-7d9c5b8f4d-","labels":{{"app.kubernetes.io/instance":"worker-{index:05}","app.kubernetes.io/managed-by":"Helm","app.kubernetes.io/name":"worker","pod-template-hash":"7d9c5b8f4d"}},"name":"{name}","namespace":"{namespace}","ownerReferences":[{{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"worker-{index:05}-7d9c5b8f4d","uid":"{uid}"}}],"resourceVersion":"{version}","uid":"{uid}"}},"spec":{{"containers":[{{"env":[{env}],"image":"registry.example/team/worker:1.42.0","imagePullPolicy":"IfNotPresent","livenessProbe":{{"failureThreshold":3,"httpGet":{{"path":"/healthz","port":8080,"scheme":"HTTP"}},"periodSeconds":10,"successThreshold":1,"timeoutSeconds":1}},"name":"app","ports":[{{"containerPort":8080,"name":"http","protocol":"TCP"}}],"resources":{{"limits":{{"memory":"512Mi"}},"requests":{{"cpu":"100m","memory":"256Mi"}}}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","volumeMounts":[{{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access","readOnly":true}}]}}],"dnsPolicy":"ClusterFirst","enableServiceLinks":true,"nodeName":"node-{node:03}","preemptionPolicy":"PreemptLowerPriority","priority":0,"restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{{}},"serviceAccount":"worker","serviceAccountName":"worker","terminationGracePeriodSeconds":30,"tolerations":[{{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300}}]}},"status":{{"conditions":[{conditions}],"containerStatuses":[{{"containerID":"containerd://{:064x}","image":"registry.example/team/worker:1.42.0","imageID":"registry.example/team/worker@sha256:{:064x}","lastState":{{}},"name":"app","ready":true,"restartCount":{restarts},"started":true,"state":{{"running":{{"startedAt":"2026-01-05T08:00:04Z"}}}}}}],"hostIP":"10.0.0.{}","phase":"Running","podIP":"10.1.{}.{}","qosClass":"Burstable","startTime":"2026-01-05T08:00:01Z"}}}}"#,
        rng.next_u64(),
        rng.next_u64(),
        node,
        node,
        index % 250,
    )
}
