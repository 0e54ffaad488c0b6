//! Restarts a workload: all its pods as its update strategy has it, or the newest one alone.

use k8s_openapi::{
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::{LabelSelector, Time},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Preconditions},
    core::{DynamicObject, PartialObjectMeta, Selector},
};
use serde_json::{Value, json};

use super::{
    Declared, Error,
    args::Args,
    declared::{free, one_of},
    workload::{self, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Workload, failed},
};
use crate::{cluster::Cluster, event::Millis};

/// How it is asked for.
pub const DECLARED: Declared = Declared {
    name: "restart-workload",
    what: "Restarts a workload. By `rollout` all its pods are replaced, as its update strategy has \
           it; done twice, they are replaced twice. By `delete-newest-pod` the newest pod that is \
           not being deleted already goes, and the controller makes a new one; done twice, the \
           next newest goes too.",
    args: &[
        one_of("kind", "The kind of the workload.", &KIND_NAMES),
        free("namespace", "Its namespace."),
        free("name", "Its name."),
        one_of("method", "How to restart it.", &METHOD_NAMES),
    ],
};

const KIND_NAMES: [&str; 3] = [DEPLOYMENT.0, STATEFUL_SET.0, DAEMON_SET.0];

const METHOD_NAMES: [&str; 2] = ["rollout", "delete-newest-pod"];

const KINDS: [(&str, workload::Kind); 3] = [DEPLOYMENT, STATEFUL_SET, DAEMON_SET];

const METHODS: [(&str, Method); 2] =
    [(METHOD_NAMES[0], Method::Rollout), (METHOD_NAMES[1], Method::DeleteNewestPod)];

/// The annotation by which `kubectl rollout restart` does it; a change of it changes the template.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Rollout,
    DeleteNewestPod,
}

/// A restart that was asked for.
#[derive(Debug, Clone)]
pub struct Restart {
    workload: Workload,
    method: Method,
}

/// The pod that a restart deletes.
struct Newest {
    name: String,
    created: String,
    uid: String,
}

impl Restart {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// One is missing, unknown or wrong.
    pub fn read(args: &Value) -> Result<Restart, Error> {
        let args = Args::of(args, &DECLARED.arg_names())?;
        let workload = Workload::read(&args, &KINDS)?;
        Ok(Restart { workload, method: args.choice("method", &METHODS)? })
    }

    /// The arguments again.
    pub fn args(&self) -> Value {
        let method = METHODS.iter().find(|(_, method)| *method == self.method);
        json!({
            "kind": self.workload.kind.name,
            "namespace": self.workload.namespace,
            "name": self.workload.name,
            "method": method.map(|(name, _)| name),
        })
    }

    /// Does it, and says what was done or what failed.
    pub async fn run(&self, cluster: &Cluster, started: Millis) -> Result<String, String> {
        match self.method {
            Method::Rollout => self.roll_out(cluster, started).await,
            Method::DeleteNewestPod => {
                let pod = self.delete_newest_pod(cluster, false).await?;
                Ok(format!("{pod} is being deleted"))
            }
        }
    }

    /// Says what would be done; the API server checks it.
    pub async fn would(&self, cluster: &Cluster, now: Millis) -> Result<Vec<String>, String> {
        let line = match self.method {
            Method::Rollout => {
                let workload = self.annotate(cluster, now, true).await?;
                let but = but_paused(&workload);
                format!("tell {} to replace its pods, all of them{but}", self.workload)
            }
            Method::DeleteNewestPod => {
                format!("delete {}", self.delete_newest_pod(cluster, true).await?)
            }
        };
        Ok(vec![format!("{line}; the API server would allow it")])
    }

    async fn roll_out(&self, cluster: &Cluster, started: Millis) -> Result<String, String> {
        let workload = self.annotate(cluster, started, false).await?;
        let (at, but) = (time_of(started), but_paused(&workload));
        Ok(format!("{} is told to replace its pods (restartedAt {at}){but}", self.workload))
    }

    /// The time of the intent: the same action sent twice is one restart.
    async fn annotate(
        &self,
        cluster: &Cluster,
        started: Millis,
        dry_run: bool,
    ) -> Result<DynamicObject, String> {
        let annotations = json!({RESTARTED_AT: time_of(started)});
        let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
        self.workload.patch(cluster, &patch, dry_run).await
    }

    /// Deletes it, and says which one that is.
    async fn delete_newest_pod(&self, cluster: &Cluster, dry_run: bool) -> Result<String, String> {
        let about = self.workload.to_string();
        let workload = self.workload.get(cluster).await?;
        let selector = self.selector(&workload)?;
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &self.workload.namespace);
        // Without the specifications, which may hold credentials.
        let listed = pods.list_metadata(&ListParams::default().labels_from(&selector)).await;
        let listed = listed.map_err(|e| failed("list", "pods", &about, &e))?;
        let Some(Newest { name, created, uid }) = newest(listed.items) else {
            return Err(format!("{about} has no pod that is not being deleted ({selector})"));
        };
        // Another pod of the same name may have taken its place meanwhile.
        let preconditions = Some(Preconditions { uid: Some(uid), resource_version: None });
        let params = DeleteParams { dry_run, preconditions, ..DeleteParams::default() };
        pods.delete(&name, &params).await.map_err(|e| failed("delete", "pods", &about, &e))?;
        Ok(format!("the pod {name} of {about}, created {created},"))
    }

    fn selector(&self, workload: &DynamicObject) -> Result<Selector, String> {
        let selector = workload.data.pointer("/spec/selector").cloned().unwrap_or_default();
        let read = serde_json::from_value::<LabelSelector>(selector).ok();
        let selector = read.and_then(|selector| Selector::try_from(selector).ok());
        // An empty one selects every pod of the namespace.
        selector.filter(|selector| !selector.selects_all()).ok_or_else(|| {
            format!("{} has no selector that tells which pods are its own", self.workload)
        })
    }
}

impl std::fmt::Display for Restart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = METHODS.iter().find(|(_, method)| *method == self.method);
        write!(f, "{} by {}", self.workload, method.map_or("", |(name, _)| name))
    }
}

fn time_of(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at as i64).unwrap_or_default().to_string()
}

fn but_paused(workload: &DynamicObject) -> &'static str {
    if workload.data.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        ", but it is paused: nothing happens until it is resumed"
    } else {
        ""
    }
}

/// The newest pod that is not being deleted.
fn newest(pods: Vec<PartialObjectMeta<Pod>>) -> Option<Newest> {
    let stays = pods.into_iter().map(|pod| pod.metadata);
    let stays = stays.filter(|metadata| metadata.deletion_timestamp.is_none());
    let newest = stays.max_by_key(|metadata| {
        (metadata.creation_timestamp.as_ref().map(|Time(at)| *at), metadata.name.clone())
    })?;
    let created = newest.creation_timestamp.map(|Time(at)| at.to_string()).unwrap_or_default();
    Some(Newest { name: newest.name?, created, uid: newest.uid? })
}
