//! A workload of the cluster: the kinds that actions know, and what a failed request for one means.

use kube::{
    Api,
    api::{Patch, PatchParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::Value;

use super::{Error, args::Args};
use crate::cluster::{self, Cluster};

/// Who the cluster says has changed a field.
const FIELD_MANAGER: &str = "monitor-backend";

/// A kind of workload of `apps/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// As it stands in paths and in Roles.
    pub plural: &'static str,
}

/// The kinds, by name.
pub const DEPLOYMENT: (&str, Kind) =
    ("Deployment", Kind { name: "Deployment", plural: "deployments" });
/// See [`DEPLOYMENT`].
pub const STATEFUL_SET: (&str, Kind) =
    ("StatefulSet", Kind { name: "StatefulSet", plural: "statefulsets" });
/// See [`DEPLOYMENT`].
pub const DAEMON_SET: (&str, Kind) =
    ("DaemonSet", Kind { name: "DaemonSet", plural: "daemonsets" });
/// See [`DEPLOYMENT`].
pub const REPLICA_SET: (&str, Kind) =
    ("ReplicaSet", Kind { name: "ReplicaSet", plural: "replicasets" });

/// One workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Workload {
    /// Reads the arguments `kind`, `namespace` and `name`.
    ///
    /// # Errors
    /// One is missing or wrong.
    pub fn read(args: &Args<'_>, kinds: &[(&str, Kind)]) -> Result<Workload, Error> {
        Ok(Workload {
            kind: args.choice("kind", kinds)?,
            namespace: args.object_name("namespace")?,
            name: args.object_name("name")?,
        })
    }

    /// Asks for workloads of its kind in its namespace.
    pub fn api(&self, cluster: &Cluster) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("apps", "v1", self.kind.name);
        let resource = ApiResource::from_gvk_with_plural(&kind, self.kind.plural);
        Api::namespaced_with(cluster.client.clone(), &self.namespace, &resource)
    }

    /// Merges a patch into it; `dry_run`: lets the API server check it and keep nothing.
    ///
    /// # Errors
    /// What failed, for an admin.
    pub async fn patch(
        &self,
        cluster: &Cluster,
        patch: &Value,
        dry_run: bool,
    ) -> Result<DynamicObject, String> {
        let (api, params) = (self.api(cluster), params(dry_run));
        let patched = api.patch(&self.name, &params, &Patch::Merge(patch)).await;
        patched.map_err(|e| failed("patch", self.kind.plural, &self.to_string(), &e))
    }

    /// Asks for it.
    ///
    /// # Errors
    /// What failed, for an admin.
    pub async fn get(&self, cluster: &Cluster) -> Result<DynamicObject, String> {
        let got = self.api(cluster).get(&self.name).await;
        got.map_err(|e| failed("get", self.kind.plural, &self.to_string(), &e))
    }
}

/// How a patch is sent.
pub fn params(dry_run: bool) -> PatchParams {
    let field_manager = Some(FIELD_MANAGER.into());
    PatchParams { field_manager, dry_run, ..PatchParams::default() }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.name, self.namespace, self.name)
    }
}

/// Which part of the manifests grants a right: what is only looked at is the base's.
fn whence(verb: &str, plural: &str) -> &'static str {
    let is_of_base = matches!(verb, "get" | "list") && !plural.ends_with("/scale");
    if is_of_base { "the base" } else { "the component `actions`" }
}

/// What a failed request means, and what to do about it.
pub fn failed(verb: &str, plural: &str, about: &str, error: &kube::Error) -> String {
    let explained = cluster::explain(error);
    let advice = match error {
        kube::Error::Api(status) if status.code == 403 => format!(
            "; grant {verb} on {plural} in this namespace, as {} of the manifests does",
            whence(verb, plural)
        ),
        kube::Error::Api(_) => String::new(),
        _ => "; is the API server running and reachable?".into(),
    };
    format!("{verb} {plural} for {about} failed: {explained}{advice}")
}
