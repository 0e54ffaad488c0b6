//! Deletes one pod, and no other that took its name.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{DeleteParams, Preconditions},
};
use serde_json::{Value, json};

use super::{
    Declared, Error,
    args::Args,
    declared::{free, optional},
    workload::failed,
};
use crate::cluster::Cluster;

/// How it is asked for.
pub const DECLARED: Declared = Declared {
    name: "delete-pod",
    what: "Deletes a pod. Its controller, if it has one, makes another. Done twice it fails the \
           second time, unless a new pod has taken the same name: name the uid to rule that out.",
    args: &[
        free("namespace", "The namespace of the pod."),
        free("name", "The name of the pod."),
        optional("uid", "The uid of the pod; another pod of the same name is left alone."),
        optional(
            "grace_seconds",
            "How long it has to end, 0 to 3600 s; as the pod itself says when left out.",
        ),
    ],
};

/// The longest time that a pod is given to end, seconds: an hour.
const GRACE_SECONDS_MAX: u64 = 3600;

/// A deletion that was asked for.
#[derive(Debug)]
pub struct DeletePod {
    namespace: String,
    name: String,
    uid: Option<String>,
    grace_seconds: Option<u32>,
}

impl DeletePod {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// One is missing, unknown or wrong.
    pub fn read(args: &Value) -> Result<DeletePod, Error> {
        let args = Args::of(args, &DECLARED.arg_names())?;
        let grace = args.optional_number("grace_seconds", 0..=GRACE_SECONDS_MAX)?;
        Ok(DeletePod {
            namespace: args.object_name("namespace")?,
            name: args.object_name("name")?,
            uid: args.optional_text("uid")?.map(str::to_owned),
            grace_seconds: grace.map(|seconds| seconds as u32),
        })
    }

    /// The arguments again.
    pub fn args(&self) -> Value {
        let mut args = json!({"namespace": self.namespace, "name": self.name});
        if let Some(uid) = &self.uid {
            args["uid"] = uid.as_str().into();
        }
        if let Some(seconds) = self.grace_seconds {
            args["grace_seconds"] = seconds.into();
        }
        args
    }

    /// Does it, and says what was done or what failed.
    pub async fn run(&self, cluster: &Cluster) -> Result<String, String> {
        let pod = self.delete(cluster, false).await?;
        Ok(format!("{pod} is being deleted{}", self.grace()))
    }

    /// Says what would be done; the API server checks it.
    pub async fn would(&self, cluster: &Cluster) -> Result<Vec<String>, String> {
        let pod = self.delete(cluster, true).await?;
        Ok(vec![format!("delete {pod}{}; the API server would allow it", self.grace())])
    }

    async fn delete(&self, cluster: &Cluster, dry_run: bool) -> Result<String, String> {
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &self.namespace);
        let uid = match &self.uid {
            Some(uid) => uid.clone(),
            None => self.present_uid(&pods).await?,
        };
        let params = DeleteParams {
            dry_run,
            grace_period_seconds: self.grace_seconds,
            preconditions: Some(Preconditions { uid: Some(uid.clone()), resource_version: None }),
            ..DeleteParams::default()
        };
        let deleted = pods.delete(&self.name, &params).await;
        deleted.map_err(|e| failed("delete", "pods", &self.to_string(), &e))?;
        Ok(format!("{self} (uid {uid})"))
    }

    /// The pod that has the name now; it is what the admin means.
    async fn present_uid(&self, pods: &Api<Pod>) -> Result<String, String> {
        let pod = pods.get_metadata(&self.name).await;
        let pod = pod.map_err(|e| failed("get", "pods", &self.to_string(), &e))?;
        pod.metadata.uid.ok_or_else(|| format!("{self} has no uid"))
    }

    fn grace(&self) -> String {
        self.grace_seconds.map_or_else(String::new, |s| format!(", with {s} s to end"))
    }
}

impl std::fmt::Display for DeletePod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pod {}/{}", self.namespace, self.name)
    }
}
