//! Sets how many pods a workload is to have, through its scale subresource.

use kube::api::Patch;
use serde_json::{Value, json};

use super::{
    Declared, Error,
    args::Args,
    declared::{free, one_of},
    workload::{self, DEPLOYMENT, REPLICA_SET, STATEFUL_SET, Workload, failed},
};
use crate::cluster::Cluster;

/// How it is asked for.
pub const DECLARED: Declared = Declared {
    name: "scale-workload",
    what: "Sets how many pods a workload is to have. Done twice, the second changes nothing. An \
           autoscaler of the workload, if there is one, sets it back.",
    args: &[
        one_of("kind", "The kind of the workload.", &KIND_NAMES),
        free("namespace", "Its namespace."),
        free("name", "Its name."),
        free("replicas", "How many pods, 0 to 1000."),
    ],
};

const KIND_NAMES: [&str; 3] = [DEPLOYMENT.0, STATEFUL_SET.0, REPLICA_SET.0];

const KINDS: [(&str, workload::Kind); 3] = [DEPLOYMENT, STATEFUL_SET, REPLICA_SET];

/// More pods than this are a slip of the finger.
const REPLICAS_MAX: u64 = 1000;

/// A number of pods that was asked for.
#[derive(Debug)]
pub struct Scale {
    workload: Workload,
    replicas: u64,
}

impl Scale {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// One is missing, unknown or wrong.
    pub fn read(args: &Value) -> Result<Scale, Error> {
        let args = Args::of(args, &DECLARED.arg_names())?;
        let workload = Workload::read(&args, &KINDS)?;
        Ok(Scale { workload, replicas: args.number("replicas", 0..=REPLICAS_MAX)? })
    }

    /// The arguments again.
    pub fn args(&self) -> Value {
        json!({
            "kind": self.workload.kind.name,
            "namespace": self.workload.namespace,
            "name": self.workload.name,
            "replicas": self.replicas,
        })
    }

    /// Does it, and says what was done or what failed.
    pub async fn run(&self, cluster: &Cluster) -> Result<String, String> {
        let before = self.scale(cluster, false).await?;
        let Scale { workload, replicas } = self;
        Ok(format!("{workload} is told to have {replicas} pods; it was told {before} before"))
    }

    /// Says what would be done; the API server checks it.
    pub async fn would(&self, cluster: &Cluster) -> Result<Vec<String>, String> {
        let before = self.scale(cluster, true).await?;
        let Scale { workload, replicas } = self;
        Ok(vec![format!(
            "scale {workload} from {before} to {replicas} pods; the API server would allow it"
        )])
    }

    /// Sets the number, and returns the one before.
    async fn scale(&self, cluster: &Cluster, dry_run: bool) -> Result<i32, String> {
        let (about, plural) = (self.workload.to_string(), self.workload.kind.plural);
        let scales = format!("{plural}/scale");
        let api = self.workload.api(cluster);
        let before = api.get_scale(&self.workload.name).await;
        let before = before.map_err(|e| failed("get", &scales, &about, &e))?;
        let patch = json!({"spec": {"replicas": self.replicas}});
        let params = workload::params(dry_run);
        let patched = api.patch_scale(&self.workload.name, &params, &Patch::Merge(patch)).await;
        patched.map_err(|e| failed("patch", &scales, &about, &e))?;
        Ok(before.spec.and_then(|spec| spec.replicas).unwrap_or_default())
    }
}
