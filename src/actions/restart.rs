//! Restarts a workload: all its pods as its update strategy has it, or the newest one alone.

use k8s_openapi::{
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::{LabelSelector, Time},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions},
    core::{ApiResource, DynamicObject, GroupVersionKind, PartialObjectMeta, Selector},
};
use serde_json::{Value, json};

use super::{Declared, DeclaredArg, Error, args::Args};
use crate::{
    cluster::{self, Cluster},
    event::Millis,
};

/// How it is asked for.
pub const DECLARED: Declared = Declared {
    name: "restart-workload",
    what: "Restarts a workload. By `rollout` all its pods are replaced, as its update strategy has \
           it; done twice, they are replaced twice. By `delete-newest-pod` the newest pod that is \
           not being deleted already goes, and the controller makes a new one; done twice, the \
           next newest goes too.",
    args: &[
        DeclaredArg { name: "kind", what: "The kind of the workload.", choices: &KIND_NAMES },
        DeclaredArg { name: "namespace", what: "Its namespace.", choices: &[] },
        DeclaredArg { name: "name", what: "Its name.", choices: &[] },
        DeclaredArg { name: "method", what: "How to restart it.", choices: &METHOD_NAMES },
    ],
};

const KIND_NAMES: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

const METHOD_NAMES: [&str; 2] = ["rollout", "delete-newest-pod"];

const KINDS: [(&str, Kind); 3] = [
    (KIND_NAMES[0], Kind { kind: KIND_NAMES[0], plural: "deployments" }),
    (KIND_NAMES[1], Kind { kind: KIND_NAMES[1], plural: "statefulsets" }),
    (KIND_NAMES[2], Kind { kind: KIND_NAMES[2], plural: "daemonsets" }),
];

const METHODS: [(&str, Method); 2] =
    [(METHOD_NAMES[0], Method::Rollout), (METHOD_NAMES[1], Method::DeleteNewestPod)];

/// The annotation by which `kubectl rollout restart` does it; a change of it changes the template.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Who the cluster says has changed the field.
const FIELD_MANAGER: &str = "monitor-backend";

#[derive(Debug, Clone, Copy)]
struct Kind {
    kind: &'static str,
    plural: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Rollout,
    DeleteNewestPod,
}

/// A restart that was asked for.
#[derive(Debug)]
pub struct Restart {
    kind: Kind,
    namespace: String,
    name: String,
    method: Method,
}

impl Restart {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// One is missing, unknown or wrong.
    pub fn read(args: &Value) -> Result<Restart, Error> {
        let known: Vec<_> = DECLARED.args.iter().map(|arg| arg.name).collect();
        let args = Args::of(args, &known)?;
        Ok(Restart {
            kind: args.choice("kind", &KINDS)?,
            namespace: args.object_name("namespace")?,
            name: args.object_name("name")?,
            method: args.choice("method", &METHODS)?,
        })
    }

    /// The arguments again.
    pub fn args(&self) -> Value {
        let method = METHODS.iter().find(|(_, method)| *method == self.method);
        json!({
            "kind": self.kind.kind,
            "namespace": self.namespace,
            "name": self.name,
            "method": method.map(|(name, _)| name),
        })
    }

    /// Does it, and says what was done or what failed.
    pub async fn run(self, cluster: &Cluster, started: Millis) -> Result<String, String> {
        match self.method {
            Method::Rollout => self.roll_out(cluster, started).await,
            Method::DeleteNewestPod => self.delete_newest_pod(cluster).await,
        }
    }

    async fn roll_out(&self, cluster: &Cluster, started: Millis) -> Result<String, String> {
        // The time of the intent: the same action sent twice is one restart.
        let at = jiff::Timestamp::from_millisecond(started as i64).unwrap_or_default().to_string();
        let annotations = json!({RESTARTED_AT: at});
        let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        let workload = self
            .workloads(cluster)
            .patch(&self.name, &params, &Patch::Merge(patch))
            .await
            .map_err(|e| self.failed("patch", self.kind.plural, &e))?;
        let paused = workload.data.pointer("/spec/paused") == Some(&Value::Bool(true));
        let but =
            if paused { ", but it is paused: nothing happens until it is resumed" } else { "" };
        Ok(format!("{self} is told to replace its pods (restartedAt {at}){but}"))
    }

    async fn delete_newest_pod(&self, cluster: &Cluster) -> Result<String, String> {
        let workload = self
            .workloads(cluster)
            .get(&self.name)
            .await
            .map_err(|e| self.failed("get", self.kind.plural, &e))?;
        let selector = self.selector(&workload)?;
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &self.namespace);
        // Without the specifications, which may hold credentials.
        let listed = pods.list_metadata(&ListParams::default().labels_from(&selector)).await;
        let listed = listed.map_err(|e| self.failed("list", "pods", &e))?;
        let Some((name, created, uid)) = newest(listed.items) else {
            return Err(format!("{self} has no pod that is not being deleted ({selector})"));
        };
        // Another pod of the same name may have taken its place meanwhile.
        let preconditions = Preconditions { uid: Some(uid), resource_version: None };
        let params = DeleteParams::default().preconditions(preconditions);
        pods.delete(&name, &params).await.map_err(|e| self.failed("delete", "pods", &e))?;
        Ok(format!("the pod {name} of {self}, created {created}, is being deleted"))
    }

    fn workloads(&self, cluster: &Cluster) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("apps", "v1", self.kind.kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, self.kind.plural);
        Api::namespaced_with(cluster.client.clone(), &self.namespace, &resource)
    }

    fn selector(&self, workload: &DynamicObject) -> Result<Selector, String> {
        let selector = workload.data.pointer("/spec/selector").cloned().unwrap_or_default();
        let read = serde_json::from_value::<LabelSelector>(selector).ok();
        let selector = read.and_then(|selector| Selector::try_from(selector).ok());
        // An empty one selects every pod of the namespace.
        selector
            .filter(|selector| !selector.selects_all())
            .ok_or_else(|| format!("{self} has no selector that tells which pods are its own"))
    }

    fn failed(&self, verb: &str, plural: &str, error: &kube::Error) -> String {
        let explained = cluster::explain(error);
        let advice = match error {
            kube::Error::Api(status) if status.code == 403 => format!(
                "; grant {verb} on {plural} in this namespace, as the component `actions` of the \
                 manifests does"
            ),
            kube::Error::Api(_) => String::new(),
            _ => "; is the API server running and reachable?".into(),
        };
        format!("{verb} {plural} for {self} failed: {explained}{advice}")
    }
}

impl std::fmt::Display for Restart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.kind, self.namespace, self.name)
    }
}

/// Name, time of creation and uid of the newest pod that is not being deleted.
fn newest(pods: Vec<PartialObjectMeta<Pod>>) -> Option<(String, String, String)> {
    let stays = pods.into_iter().map(|pod| pod.metadata);
    let stays = stays.filter(|metadata| metadata.deletion_timestamp.is_none());
    let newest = stays.max_by_key(|metadata| {
        (metadata.creation_timestamp.as_ref().map(|Time(at)| *at), metadata.name.clone())
    })?;
    let created = newest.creation_timestamp.map(|Time(at)| at.to_string()).unwrap_or_default();
    Some((newest.name?, created, newest.uid?))
}
