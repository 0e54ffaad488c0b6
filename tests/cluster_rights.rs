//! The cluster collector with the rights of the shipped manifests, and with each of them missing in
//! turn, on a real API server.

#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/collected.rs"]
mod collected;

use std::{collections::BTreeMap, path::Path, time::Duration};

use cluster::Cluster;
use collected::{Collected, Seen, fast};
use monitor_backend::{
    cluster::Access,
    collect::{Config, Kinds, Resume},
    event::{Event, State},
};
use serde_json::{Value, json};
use tokio::time::timeout;

const NAMESPACE: &str = "monitor";
const ACCOUNT: &str = "system:serviceaccount:monitor:monitor-backend";
const ROLE: &str = "monitor-backend";
const QUEUE_MESSAGES: usize = 64;

/// The API server acts on a role within some tens of milliseconds.
const GRANT_LIMIT: Duration = Duration::from_secs(30);

/// A right: group, resource and verb.
type Right = (String, String, String);

#[tokio::test]
async fn each_missing_right_is_the_reason_of_its_source_and_of_no_other() {
    let cluster = Cluster::start().await;
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/overlays/with-actions");
    cluster.kubectl(&["apply", "--kustomize", &folder.display().to_string()]).await;
    let token = cluster.kubectl(&["-n", NAMESPACE, "create", "token", "monitor-backend"]).await;
    let kubeconfig = cluster.kubeconfig_for(token.trim());
    let shipped = shipped_rights(&cluster).await;

    await_rights(&cluster, &shipped, None).await;
    let with_all = states(&kubeconfig).await;
    assert!(with_all.values().all(|(state, _)| *state == State::Up), "{with_all:?}");

    // What the collector does not use is taken away for good: the rest has to do.
    let used: Vec<Right> = shipped.into_iter().filter(is_used).collect();
    assert_eq!(used.len(), 2 * with_all.len(), "to list and to watch each kind: {used:?}");
    for missing in &used {
        grant(&cluster, used.iter().filter(|right| *right != missing)).await;
        await_rights(&cluster, &used, Some(missing)).await;
        let states = states(&kubeconfig).await;
        let (group, resource, verb) = missing;
        let down: Vec<_> = states.iter().filter(|(_, (state, _))| *state != State::Up).collect();
        let [(source, (State::Down, reason))] = down.as_slice() else {
            panic!("without {missing:?} one source is down: {down:?}")
        };
        let kind = source.trim_start_matches("cluster/").to_lowercase();
        assert!(resource.starts_with(kind.trim_end_matches('s')), "{source} {resource}");
        let permission = format!("grant {verb} on the resource {resource} of ");
        assert!(reason.contains(&permission) && reason.contains(group), "{reason}");
    }
}

fn is_used((_, resource, verb): &Right) -> bool {
    verb != "get" && verb != "create" && !resource.contains('/')
}

/// What the ClusterRole of the base grants, one by one.
async fn shipped_rights(cluster: &Cluster) -> Vec<Right> {
    let role = cluster.kubectl(&["get", "clusterrole", ROLE, "-o", "json"]).await;
    let role: Value = serde_json::from_str(&role).expect("kubectl prints JSON");
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().expect("a list").iter();
        all.map(|one| one.as_str().expect("a text").to_owned()).collect()
    };
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().expect("a role has rules") {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    rights.push((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    rights
}

/// Makes the role grant these and nothing else.
async fn grant(cluster: &Cluster, rights: impl Iterator<Item = &Right>) {
    let rules: Vec<Value> = rights
        .map(|(group, resource, verb)| {
            json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]})
        })
        .collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": ROLE}, "rules": rules,
    });
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), role.to_string()).expect("it can be written");
    cluster.kubectl(&["replace", "-f", &file.path().display().to_string()]).await;
}

/// Waits until the API server acts on the role as it is now.
async fn await_rights(cluster: &Cluster, rights: &[Right], missing: Option<&Right>) {
    let as_account = ["--as", ACCOUNT];
    let is_so = async |right: &Right, expected: bool| {
        let (group, resource, verb) = right;
        let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
        let resource =
            if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let part = format!("--subresource={part}");
        let asked = [&["auth", "can-i", verb, &resource, &part], &as_account[..]].concat();
        cluster.try_kubectl(&asked).await.is_ok() == expected
    };
    let settled = async {
        if let Some(missing) = missing {
            while !is_so(missing, false).await {}
        }
        // A role is acted on as a whole, so that one of the others stands for all of them.
        let other = rights.iter().rev().find(|right| Some(*right) != missing);
        while !is_so(other.expect("there are many"), true).await {}
        // The one before this was missing until now.
        let at = rights.iter().position(|right| Some(right) == missing);
        if let Some(before) = at.and_then(|at| at.checked_sub(1)) {
            while !is_so(&rights[before], true).await {}
        }
    };
    timeout(GRANT_LIMIT, settled).await.expect("the API server acts on a role");
}

/// Starts every watch and returns what it came to: up, or not and why.
async fn states(kubeconfig: &Path) -> BTreeMap<String, (State, String)> {
    let cluster = Some(Access { kubeconfig: Some(kubeconfig.to_owned()) });
    let config = Config { cluster, pace: fast(), ..Config::default() };
    let mut collected = Collected::start(&config, &Resume::default(), QUEUE_MESSAGES);
    let wanted = Kinds::default().iter().count();
    let mut states = BTreeMap::new();
    while states.len() < wanted {
        let (name, state) = collected
            .wait(|seen| match seen {
                Seen::Event(Event::SourceState(s))
                    if s.name.starts_with("cluster/") && s.state != State::Connecting =>
                {
                    Some((s.name.clone(), (s.state, s.reason.clone())))
                }
                _ => None,
            })
            .await;
        states.insert(name, state);
    }
    collected.stop().await;
    states
}
