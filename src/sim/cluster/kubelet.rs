//! What scheduler and kubelets do with a pod: place it, pull, start, probe, restart, stop.
//!
//! How a pod fares is decided by its image alone (see [`Image`]) and by its node.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    events::{Note, report},
    log_lines::{CRASHING, LEAKING},
    objects::{Condition, has_condition, is_terminating, set_condition},
    pace::Pace,
    resources::{ObjectKey, Resource},
    store::Store,
};
use crate::{
    event::Millis,
    sim::{
        clock::rfc3339,
        rng::{Rng, fnv1a},
    },
};

/// What becomes of pods that run an image. Images without an entry run well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Image {
    /// No registry has it.
    Missing,
    /// It outgrows its memory limit this long after it became ready.
    OutOfMemoryAfter(Millis),
    /// It ends with a failure this long after it became ready.
    CrashesAfter(Millis),
}

/// How a container that did not run well ended.
struct End {
    reason: &'static str,
    code: i64,
}

impl Image {
    /// How its containers end, and how long after they became ready.
    fn end(self) -> Option<(Millis, End)> {
        match self {
            Image::Missing => None,
            Image::OutOfMemoryAfter(delay) => Some((delay, End { reason: "OOMKilled", code: 137 })),
            Image::CrashesAfter(delay) => Some((delay, End { reason: "Error", code: 1 })),
        }
    }
}

/// Images that do not run well, by name.
pub(crate) type Images = BTreeMap<String, Image>;

/// The most by which the first back-off is multiplied.
const BACK_OFF_FACTOR_MAX: f64 = 8.0;

#[derive(Debug)]
pub(super) struct Kubelet {
    pace: Pace,
    rng: Rng,
    /// By uid.
    runs: HashMap<String, Run>,
}

/// What the kubelet knows of a pod's container beyond what it has posted.
#[derive(Debug, Clone)]
struct Run {
    stage: Stage,
    /// When the stage ends.
    due: Millis,
    started: Millis,
    restarts: u64,
    failures: i32,
    last_state: Value,
    /// Of the container that runs, or ran last; empty before the first.
    container_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pending,
    Pulling,
    PullBackOff,
    Started,
    Ready,
    CrashBackOff,
    Stopping,
}

/// A pod's step: everything that each of them needs.
struct Step<'a> {
    store: &'a mut Store,
    images: &'a Images,
    key: &'a ObjectKey,
    /// Follows the edits of this step.
    pod: Arc<Value>,
    now: Millis,
}

impl Kubelet {
    pub(super) fn new(pace: Pace, seed: u64) -> Kubelet {
        Kubelet { pace, rng: Rng::new(seed, "kubelet"), runs: HashMap::new() }
    }

    /// Takes every pod as far as it can go by `now`.
    pub(super) fn step(&mut self, store: &mut Store, images: &Images, now: Millis) {
        let pods: Vec<_> = store.all("pods").map(|(key, pod)| (key.clone(), pod.clone())).collect();
        for (key, pod) in &pods {
            let uid = text(&pod["metadata"]["uid"]).to_owned();
            let known = self.runs.remove(&uid);
            let mut run = known.unwrap_or_else(|| self.new_run(now));
            let step = Step { store, images, key, pod: pod.clone(), now };
            if node_is_lost(step.store, pod) {
                lose(step);
            } else {
                self.advance(step, &mut run);
            }
            self.runs.insert(uid, run);
        }
        let living = |uid: &String| pods.iter().any(|(_, pod)| pod["metadata"]["uid"] == **uid);
        self.runs.retain(|uid, _| living(uid));
    }

    fn new_run(&mut self, now: Millis) -> Run {
        Run {
            stage: Stage::Pending,
            due: now + self.rng.between(self.pace.schedule),
            started: now,
            restarts: 0,
            failures: 0,
            last_state: json!({}),
            container_id: String::new(),
        }
    }

    fn advance(&mut self, mut step: Step<'_>, run: &mut Run) {
        if is_terminating(&step.pod) && run.stage != Stage::Stopping {
            let message = format!("Stopping container {}", step.container());
            step.report("Normal", "Killing", &message);
            run.stage = Stage::Stopping;
            run.due = step.now + self.rng.between(self.pace.terminate);
        } else if step.now >= run.due {
            match run.stage {
                Stage::Pending => self.schedule(step, run),
                Stage::Pulling | Stage::PullBackOff => self.pull(step, run),
                Stage::CrashBackOff => self.start(step, run),
                Stage::Started => become_ready(step, run),
                Stage::Ready => self.check_end(step, run),
                Stage::Stopping => {
                    step.store.remove(step.key);
                }
            }
        } else if run.stage == Stage::Ready && !has_condition(&step.pod, "Ready") {
            // Its node was lost and is back.
            step.edit(|pod, now| set_ready(pod, true, now));
        }
    }

    fn schedule(&mut self, mut step: Step<'_>, run: &mut Run) {
        let nodes = least_loaded_nodes(step.store);
        if nodes.is_empty() {
            let message = "0 nodes are available: none is ready.";
            step.report_as("default-scheduler", "Warning", "FailedScheduling", message);
            run.due = step.now + self.pace.back_off;
            return;
        }
        let node = self.rng.pick(&nodes).clone();
        let address = format!("10.42.{}.{}", fnv1a(&[&node]) % 250, 2 + self.rng.below(250));
        step.edit(|pod, now| {
            pod["spec"]["nodeName"] = json!(node);
            pod["status"]["startTime"] = json!(rfc3339(now));
            pod["status"]["podIP"] = json!(address);
            let scheduled = Condition { status: "True", reason: "", message: "" };
            set_condition(pod, "PodScheduled", scheduled, now);
            set_ready(pod, false, now);
        });
        step.post_container(run, waiting("ContainerCreating", ""), false);
        let placed = format!("Successfully assigned {} to {node}", full_name(step.key));
        step.report_as("default-scheduler", "Normal", "Scheduled", &placed);
        step.report("Normal", "Pulling", &format!("Pulling image \"{}\"", step.image()));
        run.stage = Stage::Pulling;
        run.due = step.now + self.rng.between(self.pace.pull);
    }

    fn pull(&mut self, mut step: Step<'_>, run: &mut Run) {
        if step.images.get(step.image()) != Some(&Image::Missing) {
            step.report("Normal", "Pulled", &format!("Pulled image \"{}\"", step.image()));
            self.start(step, run);
            return;
        }
        let image = step.image().to_owned();
        if run.stage == Stage::Pulling {
            let message = format!(
                "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": not found"
            );
            step.report(
                "Warning",
                "Failed",
                &format!("Failed to pull image \"{image}\": {message}"),
            );
            step.report("Warning", "Failed", "Error: ErrImagePull");
            step.post_container(run, waiting("ErrImagePull", &message), false);
            run.stage = Stage::PullBackOff;
            run.due = step.now + self.pace.back_off / 2.0;
            return;
        }
        // Backing off and pulling again take turns.
        let message = format!("Back-off pulling image \"{image}\"");
        step.report("Normal", "BackOff", &message);
        step.report("Warning", "Failed", "Error: ImagePullBackOff");
        step.post_container(run, waiting("ImagePullBackOff", &message), false);
        run.stage = Stage::Pulling;
        run.due = step.now + self.back_off(run);
    }

    fn start(&mut self, mut step: Step<'_>, run: &mut Run) {
        let name = step.container().to_owned();
        step.report("Normal", "Created", &format!("Created container: {name}"));
        step.report("Normal", "Started", &format!("Started container {name}"));
        run.stage = Stage::Started;
        run.started = step.now;
        run.container_id = container_id(&step, run.restarts);
        run.due = step.now + self.rng.between(self.pace.ready);
        step.edit(|pod, _| pod["status"]["phase"] = json!("Running"));
        step.post_container(run, running(run.started), false);
    }

    /// A ready container runs until it fails, if its image is one that does.
    fn check_end(&mut self, mut step: Step<'_>, run: &mut Run) {
        let Some((_, end)) = step.images.get(step.image()).and_then(|image| image.end()) else {
            run.due = Millis::INFINITY;
            return;
        };
        run.last_state = json!({"terminated": {
            "exitCode": end.code, "reason": end.reason, "containerID": run.container_id,
            "startedAt": rfc3339(run.started), "finishedAt": rfc3339(step.now),
        }});
        run.restarts += 1;
        let delay = self.back_off(run);
        let seconds = (delay / 1000.0).ceil();
        let (container, pod) = (step.container(), &step.key.name);
        let message =
            format!("back-off {seconds}s restarting failed container={container} pod={pod}");
        step.edit(|pod, now| set_ready(pod, false, now));
        step.post_container(run, waiting("CrashLoopBackOff", &message), false);
        let back_off = format!("Back-off restarting failed container {}", step.container());
        step.report("Warning", "BackOff", &back_off);
        run.stage = Stage::CrashBackOff;
        run.due = step.now + delay;
    }

    fn back_off(&self, run: &mut Run) -> Millis {
        let factor = 2_f64.powi(run.failures).min(BACK_OFF_FACTOR_MAX);
        run.failures += 1;
        self.pace.back_off * factor
    }
}

/// A pod on a lost node stays as it was, but nobody can say that it is ready.
fn lose(mut step: Step<'_>) {
    if has_condition(&step.pod, "Ready") {
        step.edit(|pod, now| set_ready(pod, false, now));
        step.report_as("node-controller", "Warning", "NodeNotReady", "Node is not ready");
    }
}

fn become_ready(mut step: Step<'_>, run: &mut Run) {
    run.stage = Stage::Ready;
    let end = step.images.get(step.image()).and_then(|image| image.end());
    run.due = end.map_or(Millis::INFINITY, |(delay, _)| step.now + delay);
    step.edit(|pod, now| set_ready(pod, true, now));
    step.post_container(run, running(run.started), true);
}

impl Step<'_> {
    fn image(&self) -> &str {
        text(&self.pod["spec"]["containers"][0]["image"])
    }

    fn container(&self) -> &str {
        text(&self.pod["spec"]["containers"][0]["name"])
    }

    fn edit(&mut self, change: impl FnOnce(&mut Value, Millis)) {
        let Some(pods) = Resource::of_kind("Pod") else { return };
        let now = self.now;
        let edited = self.store.edit(pods, self.key, now, |pod| change(pod, now));
        self.pod = edited.unwrap_or_else(|| self.pod.clone());
    }

    /// Posts the state of the pod's one container.
    fn post_container(&mut self, run: &Run, state: Value, ready: bool) {
        let status = json!([{
            "name": self.container(), "image": self.image(), "imageID": "",
            "ready": ready, "started": state["running"].is_object(),
            "containerID": run.container_id, "restartCount": run.restarts, "state": state, "lastState": run.last_state,
        }]);
        self.edit(|pod, _| pod["status"]["containerStatuses"] = status);
    }

    fn report(&mut self, event_type: &str, reason: &str, message: &str) {
        self.report_as("kubelet", event_type, reason, message);
    }

    fn report_as(&mut self, component: &str, event_type: &str, reason: &str, message: &str) {
        let note = Note { event_type, reason, message, component };
        report(self.store, &self.pod, note, self.now);
    }
}

/// As long as a real one. It tells the log how the run is going to end.
fn container_id(step: &Step<'_>, restarts: u64) -> String {
    let fate = match step.images.get(step.image()) {
        Some(Image::OutOfMemoryAfter(_)) => LEAKING,
        Some(Image::CrashesAfter(_)) => CRASHING,
        _ => "0c0c",
    };
    let uid = text(&step.pod["metadata"]["uid"]);
    let hash = fnv1a(&[uid, &restarts.to_string()]);
    format!("containerd://{fate}{hash:016x}{:044x}", hash.rotate_left(32))
}

fn set_ready(pod: &mut Value, ready: bool, now: Millis) {
    let condition = if ready {
        Condition { status: "True", reason: "", message: "" }
    } else {
        Condition { status: "False", reason: "ContainersNotReady", message: "" }
    };
    set_condition(pod, "Ready", condition, now);
    set_condition(pod, "ContainersReady", condition, now);
}

/// The ready nodes with the fewest pods.
fn least_loaded_nodes(store: &Store) -> Vec<String> {
    let load =
        |name: &str| store.all("pods").filter(|(_, p)| p["spec"]["nodeName"] == name).count();
    let ready = store.all("nodes").filter(|(_, node)| has_condition(node, "Ready"));
    let loads: Vec<_> = ready.map(|(key, _)| (load(&key.name), key.name.clone())).collect();
    let least = loads.iter().map(|(load, _)| *load).min();
    loads.into_iter().filter(|(load, _)| Some(*load) == least).map(|(_, name)| name).collect()
}

fn node_is_lost(store: &Store, pod: &Value) -> bool {
    let node = pod["spec"]["nodeName"].as_str();
    let key = node.and_then(|node| Some(Resource::of_kind("Node")?.key("", node)));
    key.and_then(|key| store.get(&key)).is_some_and(|node| !has_condition(&node, "Ready"))
}

fn waiting(reason: &str, message: &str) -> Value {
    let mut state = json!({"waiting": {"reason": reason}});
    if !message.is_empty() {
        state["waiting"]["message"] = json!(message);
    }
    state
}

fn running(started: Millis) -> Value {
    json!({"running": {"startedAt": rfc3339(started)}})
}

fn full_name(key: &ObjectKey) -> String {
    format!("{}/{}", key.namespace, key.name)
}

fn text(field: &Value) -> &str {
    field.as_str().unwrap_or_default()
}
