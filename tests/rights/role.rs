//! The shipped roles: what each grants, one by one, and how one of those is taken away.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cluster::Cluster;

/// The namespace of the overlay.
pub const NAMESPACE: &str = "monitor";
/// The user that the recorder is to the API server.
pub const ACCOUNT: &str = "system:serviceaccount:monitor:monitor-backend";

/// The API server acts on a role within some tens of milliseconds.
const GRANT_LIMIT: Duration = Duration::from_secs(30);

/// What the base grants, in every namespace.
pub const BASE: Role = Role { kind: "ClusterRole", name: "monitor-backend" };
/// What the component `actions` grants, in the namespace of the overlay.
pub const ACTIONS: Role = Role { kind: "Role", name: "monitor-backend-actions" };

/// A shipped role.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    kind: &'static str,
    name: &'static str,
}

/// A right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty for the core one.
    pub group: String,
    /// The resource, with its subresource.
    pub resource: String,
    /// What may be done with it.
    pub verb: String,
}

impl Right {
    /// A right on a resource of the core group.
    pub fn of(verb: &str, resource: &str) -> Right {
        Right { group: String::new(), resource: resource.into(), verb: verb.into() }
    }
}

impl Role {
    /// What it grants.
    pub async fn rights(self, cluster: &Cluster) -> Vec<Right> {
        let asked = ["-n", NAMESPACE, "get", self.kind, self.name, "-o", "json"];
        let role: Value =
            serde_json::from_str(&cluster.kubectl(&asked).await).expect("kubectl prints JSON");
        let texts = |value: &Value| -> Vec<String> {
            let all = value.as_array().expect("a list").iter();
            all.map(|one| one.as_str().expect("a text").to_owned()).collect()
        };
        let mut rights = Vec::new();
        for rule in role["rules"].as_array().expect("a role has rules") {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    rights.extend(texts(&rule["verbs"]).into_iter().map(|verb| {
                        let (group, resource) = (group.clone(), resource.clone());
                        Right { group, resource, verb }
                    }));
                }
            }
        }
        rights
    }

    /// Makes it grant these and nothing else.
    pub async fn grant(self, cluster: &Cluster, rights: &[Right]) {
        let rule = |right: &Right| {
            json!({
                "apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb],
            })
        };
        let mut role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": self.kind,
            "metadata": {"name": self.name},
            "rules": rights.iter().map(rule).collect::<Vec<_>>(),
        });
        if self.kind == "Role" {
            role["metadata"]["namespace"] = NAMESPACE.into();
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), role.to_string()).expect("it can be written");
        cluster.kubectl(&["replace", "-f", &file.path().display().to_string()]).await;
    }

    /// Makes it grant all of these but one, and waits until that is so.
    pub async fn grant_but(self, cluster: &Cluster, rights: &[Right], missing: &Right) {
        let rest: Vec<Right> = rights.iter().filter(|right| *right != missing).cloned().collect();
        assert_eq!(rest.len() + 1, rights.len(), "{missing:?} is none of {self:?}");
        self.grant(cluster, &rest).await;
        // A role is acted on as a whole: with this the others are as they should be as well.
        await_right(cluster, missing, false).await;
    }

    /// Takes one right away, and returns what it granted.
    pub async fn take_away(self, cluster: &Cluster, missing: &Right) -> Vec<Right> {
        let rights = self.rights(cluster).await;
        self.grant_but(cluster, &rights, missing).await;
        rights
    }
}

/// Waits until the API server says that the recorder has a right, or does not.
pub async fn await_right(cluster: &Cluster, right: &Right, is_granted: bool) {
    let Right { group, resource, verb } = right;
    let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
    let resource =
        if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let part = format!("--subresource={part}");
    let asked = ["-n", NAMESPACE, "auth", "can-i", verb, &resource, &part, "--as", ACCOUNT];
    let settled = async { while cluster.try_kubectl(&asked).await.is_ok() != is_granted {} };
    timeout(GRANT_LIMIT, settled).await.expect("the API server acts on a role");
}
