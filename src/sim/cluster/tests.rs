//! The life of pods, nodes and deployments, played with an invented clock.

use super::*;

/// A cluster without server or clock.
struct World {
    store: Store,
    controller: Controller,
    images: Images,
    now: Millis,
}

const GOOD: &str = "example/app:1";
const BAD: &str = "example/app:2";

impl World {
    /// Two nodes and two ready pods of one deployment.
    fn new() -> World {
        let workload = Workload {
            namespace: "default",
            name: "app",
            image: GOOD,
            replicas: 2,
            memory_limit: "1Gi",
            claim: None,
        };
        let mut store = Store::new(0.0);
        set_up(&mut store, &["node-1", "node-2"], &[workload], 0.0);
        let controller = Controller::new(Pace::DEMO, 1);
        let mut world = World { store, controller, images: Images::new(), now: 0.0 };
        world.play(30.0);
        assert_eq!(world.ready_pods(), 2);
        world
    }

    fn play(&mut self, seconds: f64) {
        let until = self.now + seconds * 1000.0;
        while self.now < until {
            self.now += 200.0;
            self.controller.step(&mut self.store, &self.images, self.now);
        }
    }

    fn deploy(&mut self, image: &str) {
        let deployments = Resource::of_kind("Deployment").expect("served");
        let key = deployments.key("default", "app");
        let edited = self.store.edit(deployments, &key, self.now, |deployment| {
            deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        });
        assert!(edited.is_some());
    }

    fn pods(&self) -> Vec<Arc<Value>> {
        self.store.all("pods").map(|(_, pod)| pod.clone()).collect()
    }

    fn ready_pods(&self) -> usize {
        self.pods().iter().filter(|pod| objects::has_condition(pod, "Ready")).count()
    }

    /// The reasons for which containers wait.
    fn waiting(&self) -> Vec<String> {
        let reason = |pod: &Arc<Value>| {
            let state = &pod["status"]["containerStatuses"][0]["state"];
            state["waiting"]["reason"].as_str().map(str::to_owned)
        };
        self.pods().iter().filter_map(reason).collect()
    }

    fn has_event(&self, reason: &str) -> bool {
        self.store.all("events").any(|(_, event)| event["reason"] == reason)
    }
}

#[test]
fn a_missing_image_keeps_the_old_pods_running() {
    let mut world = World::new();
    world.images.insert(BAD.to_owned(), Image::Missing);
    world.deploy(BAD);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        world.play(0.2);
        seen.extend(world.waiting());
        assert_eq!(world.ready_pods(), 2);
    }
    for reason in ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"] {
        assert!(seen.contains(reason), "no {reason} in {seen:?}");
    }
    assert!(world.has_event("Failed") && world.has_event("BackOff"));

    world.images.clear();
    world.play(60.0);
    assert_eq!((world.ready_pods(), world.pods().len()), (2, 2));
    let image = |pod: &Arc<Value>| pod["spec"]["containers"][0]["image"].clone();
    assert!(world.pods().iter().all(|pod| image(pod) == BAD));
}

#[test]
fn a_leak_ends_in_a_crash_loop_until_the_image_is_mended() {
    let mut world = World::new();
    world.images.insert(BAD.to_owned(), Image::OutOfMemoryAfter(5_000.0));
    world.deploy(BAD);
    world.play(60.0);
    let pods = world.pods();
    let crashed = pods.iter().map(|pod| &pod["status"]["containerStatuses"][0]);
    let crashed: Vec<_> =
        crashed.filter(|status| status["restartCount"].as_u64() > Some(1)).collect();
    assert!(!crashed.is_empty());
    for status in crashed {
        let last = &status["lastState"]["terminated"];
        assert_eq!((&last["exitCode"], &last["reason"]), (&json!(137), &json!("OOMKilled")));
    }
    let mut backing_off = false;
    for _ in 0..100 {
        world.play(0.2);
        backing_off |= world.waiting().iter().any(|reason| reason == "CrashLoopBackOff");
    }
    assert!(backing_off);

    world.images.clear();
    world.play(60.0);
    assert_eq!((world.ready_pods(), world.waiting().len()), (2, 0));
}

#[test]
fn pods_of_a_lost_node_are_not_ready_until_it_is_back() {
    let mut world = World::new();
    let nodes = Resource::of_kind("Node").expect("served");
    for ready in [false, true] {
        for name in ["node-1", "node-2"] {
            let edit = |node: &mut Value| objects::set_node_ready(node, ready, world.now);
            let node = world.store.edit(nodes, &nodes.key("", name), world.now, edit);
            report_node(&mut world.store, &node.expect("present"), ready, world.now);
        }
        world.play(5.0);
        assert_eq!(world.ready_pods(), if ready { 2 } else { 0 });
    }
    assert!(world.has_event("NodeNotReady") && world.has_event("NodeReady"));
    let node = world.store.get(&nodes.key("", "node-1")).expect("present");
    assert!(node["spec"]["taints"].is_null());
}

#[test]
fn a_scaled_down_or_deleted_deployment_takes_its_pods_along() {
    let mut world = World::new();
    let deployments = Resource::of_kind("Deployment").expect("served");
    let key = deployments.key("default", "app");
    let scale = |deployment: &mut Value| deployment["spec"]["replicas"] = json!(1);
    world.store.edit(deployments, &key, world.now, scale);
    world.play(10.0);
    assert_eq!(world.pods().len(), 1);
    world.store.remove(&key);
    world.play(10.0);
    assert_eq!(world.pods().len(), 0);
}

#[test]
fn an_hour_of_crashes_keeps_a_bounded_number_of_objects() {
    let mut world = World::new();
    world.images.insert(BAD.to_owned(), Image::OutOfMemoryAfter(1_000.0));
    for round in 0..60 {
        world.deploy(if round % 2 == 0 { BAD } else { GOOD });
        world.play(60.0);
    }
    assert!(world.pods().len() <= 3);
    assert!(world.store.all("events").count() <= 400);
}
