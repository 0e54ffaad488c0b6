//! The cluster collector against a real API server.
//!
//! A proxy between the two can be cut, so that the collector is deaf while things happen.

#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/collected.rs"]
mod collected;
#[path = "support/proxy.rs"]
mod proxy;

use std::path::PathBuf;

use cluster::Cluster;
use collected::{Collected, Seen, fast};
use monitor_backend::{
    cluster::Access,
    collect::{Config, Kinds, More, Pace, Resume},
    event::{DeletedBecause, Event, ObjectDeleted, ObjectObserved, State},
};
use proxy::Proxy;
use serde_json::json;

const POD: &str = "cluster/Pod";
const NODE: &str = "cluster/Node";
const SOURCES: usize = 15;
const THING: &str = "cluster/Thing.example.com";
const QUEUE_MESSAGES: usize = 64;

const POD_YAML: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{
    "containers":[{"name":"c","image":"i","env":[{"name":"DB_PASSWORD","value":"hunter2"}]}]}}"#;

fn observe(kubeconfig: PathBuf, resume: &Resume, only: &'static str) -> Collected {
    let cluster = Some(Access { kubeconfig: Some(kubeconfig) });
    let config = Config { cluster, pace: fast(), ..Config::default() };
    let mut collected = Collected::start(&config, resume, QUEUE_MESSAGES);
    collected.only = only;
    collected
}

async fn create_pod(cluster: &Cluster, name: &str) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), POD_YAML.replace("NAME", name)).expect("it can be written");
    cluster.kubectl(&["create", "-f", &file.path().display().to_string()]).await;
}

async fn delete_pod(cluster: &Cluster, name: &str) {
    // Without a kubelet nobody would confirm that it has stopped.
    cluster.kubectl(&["delete", "pod", name, "--grace-period=0", "--force"]).await;
}

async fn object(collected: &mut Collected, name: &str) -> ObjectObserved {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ObjectObserved(e)) if e.object.name == name => Some(e.clone()),
            _ => None,
        })
        .await
}

async fn deleted(collected: &mut Collected, name: &str) -> ObjectDeleted {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ObjectDeleted(e)) if e.object.name == name => Some(e.clone()),
            _ => None,
        })
        .await
}

fn is_state(seen: &Seen, state: State) -> bool {
    matches!(seen, Seen::Event(Event::SourceState(s)) if s.state == state)
}

#[tokio::test]
async fn what_happens_to_a_pod_comes_as_it_happens() {
    let cluster = Cluster::start().await;
    let mut all = observe(cluster.kubeconfig().into(), &Resume::default(), "");
    let mut up = vec![];
    while up.len() < SOURCES {
        let source = all.wait(|seen| match seen {
            Seen::Event(Event::SourceState(s))
                if s.state == State::Up && s.name.starts_with("cluster/") =>
            {
                Some(s.name.clone())
            }
            Seen::Event(Event::SourceState(s)) => {
                let is_fine = s.state == State::Connecting || !s.name.starts_with("cluster/");
                assert!(is_fine, "{s:?}");
                None
            }
            _ => None,
        });
        up.push(source.await);
    }
    up.sort();
    up.dedup();
    assert_eq!(up.len(), SOURCES, "each is up once: {up:?}");

    create_pod(&cluster, "web").await;
    let created = object(&mut all, "web").await;
    assert_eq!((&*created.source, &*created.object.namespace), (POD, "default"));
    assert_eq!((&*created.object.kind, &*created.object.api_version), ("Pod", "v1"));
    for absent in ["managedFields", "resourceVersion", "hunter2"] {
        assert!(!created.body.contains(absent), "{absent}: {}", created.body);
    }
    assert!(created.body.contains(r#"{"name":"DB_PASSWORD","value":"[redacted]"}"#));

    cluster.kubectl(&["label", "pod", "web", "tier=front"]).await;
    let changed = object(&mut all, "web").await;
    assert!(changed.body.contains(r#""tier":"front""#), "{}", changed.body);
    let number = |version: &str| version.parse::<u64>().expect("versions are numbers");
    assert!(number(&changed.resource_version) > number(&created.resource_version));

    delete_pod(&cluster, "web").await;
    let gone = deleted(&mut all, "web").await;
    assert_eq!((gone.because, gone.object.uid), (DeletedBecause::Deleted, created.object.uid));

    cluster.kubectl(&["create", "deployment", "app", "--image=i", "--replicas=2"]).await;
    let deployment = object(&mut all, "app").await;
    assert_eq!(&*deployment.object.api_version, "apps/v1");
    all.stop().await;
}

#[tokio::test]
async fn what_happens_while_the_watch_is_cut_comes_afterwards() {
    let cluster = Cluster::start().await;
    create_pod(&cluster, "old").await;
    let proxy = Proxy::start(&cluster.url()).await;
    let kubeconfig = proxy.kubeconfig(cluster.kubeconfig());
    let mut pods = observe(kubeconfig, &Resume::default(), POD);
    pods.state(POD, State::Up).await;

    proxy.set_open(false);
    let down = pods.state(POD, State::Down).await;
    assert!(down.reason.contains(&proxy.address.to_string()), "{}", down.reason);
    create_pod(&cluster, "brief").await;
    delete_pod(&cluster, "brief").await;
    delete_pod(&cluster, "old").await;
    proxy.set_open(true);

    let gap = pods.gap(POD).await;
    assert!(gap.from <= down.since && down.since <= gap.to, "{gap:?} {down:?}");
    pods.state(POD, State::Up).await;
    // The server still knows the version, so nothing is missing.
    object(&mut pods, "brief").await;
    deleted(&mut pods, "brief").await;
    assert_eq!(deleted(&mut pods, "old").await.because, DeletedBecause::Deleted);
}

#[tokio::test]
async fn a_server_that_restarts_having_forgotten_is_listed_and_tells_what_is_gone() {
    let mut cluster = Cluster::start().await;
    create_pod(&cluster, "stays").await;
    create_pod(&cluster, "goes").await;
    let proxy = Proxy::start(&cluster.url()).await;
    let kubeconfig = proxy.kubeconfig(cluster.kubeconfig());
    let mut pods = observe(kubeconfig, &Resume::default(), POD);
    let goes = object(&mut pods, "goes").await;
    pods.state(POD, State::Up).await;

    cluster.stop_apiserver();
    let down = pods.state(POD, State::Down).await;
    // It must not see the server before the pod is gone.
    proxy.set_open(false);
    cluster.start_apiserver().await;
    delete_pod(&cluster, "goes").await;
    // What an API server keeps of the past in memory begins at its start.
    cluster.stop_apiserver();
    cluster.start_apiserver().await;
    proxy.set_open(true);

    let (uids, from, to) = pods
        .wait(|seen| match seen {
            Seen::Listed(listed) => Some((listed.uids.clone(), listed.from, listed.to)),
            _ => None,
        })
        .await;
    assert!(!uids.contains(&goes.object.uid), "{uids:?}");
    assert_eq!(uids.len(), 1);
    assert!(from <= down.since && down.since < to);
    let gap = pods.gap(POD).await;
    assert!(gap.from <= down.since && down.since <= gap.to);
    pods.state(POD, State::Up).await;
    create_pod(&cluster, "new").await;
    object(&mut pods, "new").await;
}

#[tokio::test]
async fn a_user_who_may_not_list_nodes_sees_everything_else() {
    let cluster = Cluster::start().await;
    let kubeconfig = cluster.kubeconfig_for(cluster::USER_TOKEN);
    let mut nodes = observe(kubeconfig.clone(), &Resume::default(), NODE);
    let down = nodes.state(NODE, State::Down).await;
    for word in ["list nodes", "403", cluster::USER, "grant list on the resource nodes"] {
        assert!(down.reason.contains(word), "{word}: {}", down.reason);
    }
    assert!(nodes.passed.iter().all(|seen| is_state(seen, State::Connecting)));
    let mut pods = observe(kubeconfig, &Resume::default(), POD);
    pods.state(POD, State::Down).await;

    let verbs = "--verb=get,list,watch";
    let grant = |name: &'static str, resource: &'static str| {
        let (cluster, user) = (&cluster, format!("--user={}", cluster::USER));
        async move {
            let role = ["create", "clusterrole", name, verbs, resource];
            cluster.kubectl(&role).await;
            let to = format!("--clusterrole={name}");
            cluster.kubectl(&["create", "clusterrolebinding", name, &to, &user]).await;
        }
    };
    grant("pods", "--resource=pods").await;
    pods.state(POD, State::Up).await;
    create_pod(&cluster, "web").await;
    object(&mut pods, "web").await;
    grant("nodes", "--resource=nodes").await;
    nodes.state(NODE, State::Up).await;
}

/// A file with a manifest, for kubectl.
fn manifest(object: &serde_json::Value) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), object.to_string()).expect("it can be written");
    file
}

async fn create(cluster: &Cluster, object: &serde_json::Value) {
    let file = manifest(object);
    cluster.kubectl(&["create", "-f", &file.path().display().to_string()]).await;
}

fn thing_definition() -> serde_json::Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "thingies.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "thingies", "singular": "thing", "kind": "Thing"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }},
            }],
        },
    })
}

#[tokio::test]
async fn a_kind_that_the_cluster_gets_later_comes_up_by_itself() {
    let cluster = Cluster::start().await;
    let more = json!([
        {"group": "example.com", "version": "v1", "kind": "Thing"},
        {"version": "v1", "kind": "ConfigMap"},
    ]);
    let more: Vec<More> = serde_json::from_value(more).expect("these are kinds");
    let kubeconfig = Some(cluster.kubeconfig().into());
    let config = Config {
        cluster: Some(Access { kubeconfig }),
        kinds: Kinds::new(&["Event".into()], &more).expect("these are good"),
        pace: Pace { watch_seconds: 3, ..fast() },
        ..Config::default()
    };
    let mut things = Collected::start(&config, &Resume::default(), QUEUE_MESSAGES);
    let down = things.state(THING, State::Down).await;
    // The API server says 404 of a group that it does not have.
    assert!(down.reason.contains("does not serve Thing of example.com/v1"), "{}", down.reason);
    // What no configuration can know: the plural, and that there is a ConfigMap in each cluster.
    let mut maps = Collected::start(&config, &Resume::default(), QUEUE_MESSAGES);
    maps.only = "cluster/ConfigMap";
    maps.state("cluster/ConfigMap", State::Up).await;
    assert!(maps.passed.iter().any(|seen| matches!(seen, Seen::Event(Event::ObjectObserved(_)))));
    maps.stop().await;

    create(&cluster, &thing_definition()).await;
    things.only = THING;
    things.state(THING, State::Up).await;
    let thing = json!({
        "apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"},
        "spec": {"colour": "red", "password": "hunter2"},
    });
    create(&cluster, &thing).await;
    let seen = object(&mut things, "one").await;
    assert_eq!((&*seen.object.api_version, &*seen.object.namespace), ("example.com/v1", "default"));
    assert!(seen.body.contains(r#""colour":"red""#), "{}", seen.body);

    cluster.kubectl(&["delete", "customresourcedefinition", "thingies.example.com"]).await;
    assert_eq!(deleted(&mut things, "one").await.because, DeletedBecause::Deleted);
    let down = things.state(THING, State::Down).await;
    assert!(down.reason.contains("does not serve"), "{}", down.reason);
    things.stop().await;
}
