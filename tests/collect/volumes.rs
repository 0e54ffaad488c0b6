//! Volumes and processes: the real collectors against the simulation's kubelets and its exec.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use monitor_backend::{
    cluster::Access,
    collect::{
        Config, Pace, Resume,
        volumes::{self, Df, WhichPod},
    },
    event::{Event, Key, ProcessUsage, SourceState, State, VolumeUsage},
    sim::{End, KubeletFault, Scenario, Script, Sim, Step},
};
use serde_json::json;

use crate::collected::{Collected, Seen};

const KUBELET: &str = "volumes/kubelet";
const DF: &str = "volumes/df";
const OWN: &str = "volumes/recorder";

/// Long enough for a loaded machine, and short enough to wait for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

struct Setup {
    sim: Sim,
    directory: tempfile::TempDir,
}

impl Setup {
    /// The quiet cluster, with a pod `db` that mounts the claim `data`.
    async fn new() -> Setup {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sim = Sim::start(Scenario::Quiet, 1, directory.path()).await.expect("it starts");
        let setup = Setup { sim, directory };
        setup.put_claim("data");
        setup.put_pod("db", "data");
        setup.runs("db").await;
        setup
    }

    fn put_claim(&self, name: &str) {
        let claim = json!({
            "kind": "PersistentVolumeClaim", "metadata": {"namespace": "default", "name": name},
        });
        self.sim.cluster().put(claim).expect("claims are served");
    }

    fn put_pod(&self, name: &str, claim: &str) {
        let pod = json!({
            "kind": "Pod",
            "metadata": {"namespace": "default", "name": name, "labels": {"app": "db"}},
            "spec": {
                "containers": [{"name": "main", "image": "example/main:1"}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
            },
        });
        self.sim.cluster().put(pod).expect("pods are served");
    }

    async fn runs(&self, name: &str) {
        for _ in 0..1000 {
            let pod = self.sim.cluster().get("Pod", "default", name).expect("the pod is there");
            if pod["status"]["phase"] == "Running" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{name} does not run");
    }

    fn node_of(&self, pod: &str) -> String {
        let pod = self.sim.cluster().get("Pod", "default", pod).expect("the pod is there");
        pod["spec"]["nodeName"].as_str().expect("it has a node").to_owned()
    }

    fn config(&self) -> volumes::Config {
        volumes::Config {
            interval: Duration::from_millis(50),
            answer_time_max: ANSWER_TIME_MAX,
            own: Some(self.directory.path().to_owned()),
            df: vec![],
            kubelet: true,
        }
    }

    fn observe(&self, volumes: volumes::Config, only: &'static str) -> Collected {
        self.observe_from(volumes, only, &Resume::default())
    }

    fn observe_from(
        &self,
        volumes: volumes::Config,
        only: &'static str,
        resume: &Resume,
    ) -> Collected {
        let kubeconfig: PathBuf = self.sim.kubeconfig().to_owned();
        let pace = Pace {
            retry_first: Duration::from_millis(10),
            retry_max: Duration::from_millis(100),
            retry_refused: Duration::from_millis(50),
            ..Pace::default()
        };
        let cluster = Some(Access { kubeconfig: Some(kubeconfig) });
        let config = Config { cluster, volumes, pace, ..Config::default() };
        let mut collected = Collected::start(&config, resume, 64);
        collected.only = only;
        collected
    }
}

fn df_of(pod: WhichPod) -> Df {
    Df {
        namespace: "default".into(),
        pod,
        container: None,
        path: "/var/lib/data".into(),
        claim: "data".into(),
    }
}

async fn volume(collected: &mut Collected, claim: &str) -> VolumeUsage {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::VolumeUsage(usage)) if usage.claim == claim => Some(usage.clone()),
            _ => None,
        })
        .await
}

async fn process(collected: &mut Collected, name: &str) -> ProcessUsage {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ProcessUsage(usage)) if usage.name == name => Some(usage.clone()),
            _ => None,
        })
        .await
}

/// Waits until a source says what `wanted` wants.
async fn told(
    collected: &mut Collected,
    name: &str,
    wanted: impl Fn(&SourceState) -> bool,
) -> SourceState {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::SourceState(state)) if state.name == name && wanted(state) => {
                Some(state.clone())
            }
            _ => None,
        })
        .await
}

#[tokio::test]
async fn claims_pods_and_nodes_are_told_by_verified_kubelets() {
    let setup = Setup::new().await;
    let mut collected = setup.observe(setup.config(), KUBELET);
    let up = collected.state(KUBELET, State::Up).await;
    assert_eq!(up.reason, "");
    let mut names = BTreeSet::new();
    let mut claims = Vec::new();
    for seen in &collected.passed {
        match seen {
            Seen::Event(Event::ProcessUsage(usage)) => {
                assert!(usage.cpu_cores.is_some() && usage.memory_bytes.is_some(), "{usage:?}");
                names.insert(usage.name.clone());
            }
            Seen::Event(Event::VolumeUsage(usage)) => claims.push(usage.clone()),
            _ => {}
        }
    }
    for name in ["node/node-1", "node/node-2", "pod/default/db"] {
        assert!(names.contains(name), "{names:?}");
    }
    assert_eq!(claims.len(), 1, "{claims:?}");
    let claim = &claims[0];
    assert_eq!((&*claim.namespace, &*claim.claim, &*claim.pod), ("default", "data", "db"));
    assert_eq!(claim.node, setup.node_of("db"));
    assert!(claim.capacity_bytes > 0 && claim.used_bytes < claim.capacity_bytes);
    assert_eq!(claim.used_bytes + claim.available_bytes, claim.capacity_bytes);
    assert!(claim.inodes > claim.inodes_used);
}

#[tokio::test]
async fn a_claim_of_several_pods_is_told_once_and_again_when_it_fills() {
    let setup = Setup::new().await;
    setup.put_pod("reader", "data");
    setup.runs("reader").await;
    let mut collected = setup.observe(setup.config(), KUBELET);
    let first = volume(&mut collected, "data").await;
    assert!(setup.sim.cluster().fill_volume("default", "data", 0.95, Duration::ZERO));
    let second = volume(&mut collected, "data").await;
    let key = |usage: &VolumeUsage| Key::volume(&usage.namespace, &usage.claim);
    assert_eq!(key(&first), key(&second));
    let ratio = second.used_bytes as f64 / second.capacity_bytes as f64;
    assert!((0.94..0.96).contains(&ratio), "{ratio}: nothing was told between");
}

#[tokio::test]
async fn a_kubelet_with_trouble_costs_itself_and_is_named_until_it_is_well() {
    let setup = Setup::new().await;
    let bad = setup.node_of("db");
    let other = if bad == "node-1" { "node-2" } else { "node-1" };
    let mut config = setup.config();
    config.answer_time_max = Duration::from_millis(500);
    let mut collected = setup.observe(config, KUBELET);
    collected.state(KUBELET, State::Up).await;
    for (fault, reason) in [
        (KubeletFault::Silent, "no whole answer within"),
        (KubeletFault::Status(401), "authentication.webhook"),
        (KubeletFault::Status(403), "grant get on nodes/stats"),
        (KubeletFault::Status(500), "it answered 500"),
        (KubeletFault::Garbage, "its answer is no summary"),
        (KubeletFault::BreaksOff, "its answer broke off"),
        (KubeletFault::OtherAuthority, "not verified by the cluster's authority"),
    ] {
        setup.sim.cluster().set_kubelet(&bad, Some(fault));
        let state = told(&mut collected, KUBELET, |state| state.reason.contains(reason)).await;
        assert_eq!(state.state, State::Up, "{fault:?}: the other node is observed");
        assert!(state.reason.contains(&bad) && !state.reason.contains(other), "{}", state.reason);
        setup.sim.cluster().set_kubelet(&bad, None);
        told(&mut collected, KUBELET, |state| state.reason.is_empty()).await;
    }
    setup.sim.cluster().stop_kubelet(&bad).await.expect("it stops");
    let refused = told(&mut collected, KUBELET, |state| !state.reason.is_empty()).await;
    assert!(refused.reason.contains("refused"), "{}", refused.reason);
    let is_end = |seen: &Seen| match seen {
        Seen::Event(Event::VolumeUsage(usage)) => usage.gone,
        Seen::Event(Event::ProcessUsage(usage)) => usage.gone,
        _ => false,
    };
    assert!(!collected.passed.iter().any(is_end), "a failed scrape ends nothing");
    setup.sim.cluster().resume_kubelet(&bad).await.expect("it listens");
    told(&mut collected, KUBELET, |state| state.reason.is_empty()).await;
}

#[tokio::test]
async fn a_slow_kubelet_is_waited_for() {
    let setup = Setup::new().await;
    let mut config = setup.config();
    config.answer_time_max = Duration::from_secs(30);
    for node in ["node-1", "node-2"] {
        setup.sim.cluster().set_kubelet(node, Some(KubeletFault::Slow));
    }
    let mut collected = setup.observe(config, KUBELET);
    assert_eq!(collected.state(KUBELET, State::Up).await.reason, "");
}

#[tokio::test]
async fn where_no_kubelet_can_be_verified_the_source_is_down_and_names_the_way_out() {
    let setup = Setup::new().await;
    for node in ["node-1", "node-2"] {
        setup.sim.cluster().set_kubelet(node, Some(KubeletFault::OtherAuthority));
    }
    let mut collected = setup.observe(setup.config(), "");
    let down = collected.state(KUBELET, State::Down).await;
    for part in ["2 of 2", "serverTLSBootstrap", "[[volumes.df]]"] {
        assert!(down.reason.contains(part), "{part}: {}", down.reason);
    }
    for node in ["node-1", "node-2"] {
        setup.sim.cluster().set_kubelet(node, None);
    }
    collected.state(KUBELET, State::Up).await;
}

#[tokio::test]
async fn without_the_cluster_api_the_own_volume_is_measured_all_the_same() {
    let setup = Setup::new().await;
    setup.sim.cluster().stop_listening().await.expect("it stops");
    let mut collected = setup.observe(setup.config(), "");
    let down = collected.state(KUBELET, State::Down).await;
    assert!(down.reason.starts_with("list nodes at http://127.0.0.1"), "{}", down.reason);
    drop(collected);
    let mut collected = setup.observe(setup.config(), "");
    let own = volume(&mut collected, "recorder").await;
    assert_eq!((&*own.namespace, &*own.source), ("", OWN));
    assert!(own.capacity_bytes >= own.used_bytes && own.capacity_bytes > 0);
    setup.sim.cluster().resume_listening().await.expect("it listens");
    collected.state(KUBELET, State::Up).await;
}

#[tokio::test]
async fn an_own_volume_that_is_not_there_is_told_and_found_later() {
    let setup = Setup::new().await;
    let mut config = setup.config();
    let later = setup.directory.path().join("later");
    config.own = Some(later.clone());
    let mut collected = setup.observe(config, OWN);
    let down = collected.state(OWN, State::Down).await;
    assert!(down.reason.contains("statvfs of"), "{}", down.reason);
    std::fs::create_dir(&later).expect("it can be made");
    collected.state(OWN, State::Up).await;
}

#[tokio::test]
async fn pods_and_claims_that_are_gone_end_and_an_unmounted_claim_stays() {
    let setup = Setup::new().await;
    let mut collected = setup.observe(setup.config(), KUBELET);
    volume(&mut collected, "data").await;
    setup.sim.cluster().remove("Pod", "default", "db").expect("it was there");
    let known = process(&mut collected, "pod/default/db").await;
    let end = process(&mut collected, "pod/default/db").await;
    assert_eq!(end, ProcessUsage { gone: true, ..known });
    setup.put_pod("again", "data");
    setup.runs("again").await;
    let again = volume(&mut collected, "data").await;
    assert!(!again.gone && again.pod == "again", "nothing was told between: {again:?}");
    setup.sim.cluster().remove("Pod", "default", "again").expect("it was there");
    setup.sim.cluster().remove("PersistentVolumeClaim", "default", "data").expect("it was there");
    let end = volume(&mut collected, "data").await;
    assert!(end.gone && end.used_bytes > 0, "{end:?}");
}

#[tokio::test]
async fn after_a_start_what_is_recorded_is_not_told_again_and_what_is_gone_ends() {
    let setup = Setup::new().await;
    let mut collected = setup.observe(setup.config(), KUBELET);
    collected.state(KUBELET, State::Up).await;
    let mut usages: Vec<Event> = Vec::new();
    for seen in &collected.passed {
        if let Seen::Event(event @ (Event::VolumeUsage(_) | Event::ProcessUsage(_))) = seen {
            usages.push(event.clone());
        }
    }
    drop(collected);
    setup.sim.cluster().remove("Pod", "default", "db").expect("it was there");
    setup.sim.cluster().remove("PersistentVolumeClaim", "default", "data").expect("it was there");
    let resume = Resume { usages, ..Resume::default() };
    let mut collected = setup.observe_from(setup.config(), KUBELET, &resume);
    collected.state(KUBELET, State::Up).await;
    let mut ended = Vec::new();
    for seen in &collected.passed {
        match seen {
            Seen::Event(Event::VolumeUsage(usage)) if usage.gone => ended.push(&*usage.claim),
            Seen::Event(Event::ProcessUsage(usage)) if usage.gone => ended.push(&*usage.name),
            Seen::Event(Event::SourceState(_)) => {}
            // A node uses less without the pod.
            Seen::Event(Event::ProcessUsage(usage)) if usage.name.starts_with("node/") => {}
            other => panic!("told again: {other:?}"),
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, ["data", "pod/default/db"]);
}

#[tokio::test]
async fn after_a_wipe_everything_is_told_again() {
    let setup = Setup::new().await;
    let mut collected = setup.observe(setup.config(), KUBELET);
    volume(&mut collected, "data").await;
    collected.wipe();
    let again = volume(&mut collected, "data").await;
    assert_eq!((again.gone, collected.last_generation), (false, 2));
}

#[tokio::test]
async fn df_measures_where_kubelets_cannot_be_asked() {
    let setup = Setup::new().await;
    for pod in [WhichPod::Named("db".into()), WhichPod::Labelled("app=db".into())] {
        let config = volumes::Config { kubelet: false, df: vec![df_of(pod)], ..setup.config() };
        let mut collected = setup.observe(config, "");
        let usage = volume(&mut collected, "data").await;
        assert_eq!((&*usage.source, &*usage.pod), (DF, "db"));
        assert_eq!(usage.path.as_deref(), Some("/var/lib/data"));
        assert_eq!(usage.node, setup.node_of("db"));
        assert_eq!(usage.capacity_bytes, 10 << 30);
        assert!(usage.used_bytes > 0 && usage.inodes > usage.inodes_used, "{usage:?}");
        collected.state(DF, State::Up).await;
    }
}

#[tokio::test]
async fn df_that_fails_in_any_way_says_why_and_is_tried_again() {
    let setup = Setup::new().await;
    let df = vec![df_of(WhichPod::Named("db".into()))];
    let mut config = volumes::Config { df, ..setup.config() };
    config.answer_time_max = Duration::from_millis(500);
    let mut collected = setup.observe(config, DF);
    collected.state(DF, State::Up).await;
    let script = |steps: Vec<Step>, end| Script { steps, end };
    for (script, reason) in [
        (script(vec![], End::NotFound), "df cannot be run"),
        (script(vec![], End::Exit(127)), "df cannot be run"),
        (
            Script::fails("df: /var/lib/data: No such file or directory", 1),
            "df ended with 1: df: /",
        ),
        (Script::says(&["all is well"]), "df says nothing that df says: all is well"),
        (Script::says(&["overlay 100 50 50 50% /"]), "is no volume of its own"),
        (script(vec![Step::Out(b"over".to_vec())], End::BreaksOff), "ended before the command did"),
        (script(vec![], End::Never), "did not end within"),
        (script(vec![Step::Out(vec![b'y'; 20_000])], End::Never), "more than 16384 bytes"),
    ] {
        setup.sim.cluster().set_program("df", Some(script));
        let down = told(&mut collected, DF, |state| state.reason.contains(reason)).await;
        assert_eq!(down.state, State::Down, "{}", down.reason);
        assert!(down.reason.contains("default/data"), "{}", down.reason);
        setup.sim.cluster().set_program("df", None);
        collected.state(DF, State::Up).await;
    }
    setup.sim.cluster().remove("Pod", "default", "db").expect("it was there");
    let down = collected.state(DF, State::Down).await;
    assert!(down.reason.contains("no pod db runs in default"), "{}", down.reason);
}

#[tokio::test]
async fn without_configuration_df_is_off() {
    let setup = Setup::new().await;
    let mut collected = setup.observe(setup.config(), DF);
    let off = collected.state(DF, State::Off).await;
    assert!(off.reason.contains("[[volumes.df]]"), "{}", off.reason);
}
