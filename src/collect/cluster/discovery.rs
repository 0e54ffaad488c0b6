//! Finds the resource of a kind that the configuration named without its plural.

use std::time::Duration;

use hyper::Request;
use serde::Deserialize;
use tokio::time::timeout;

use super::{Watcher, failure::Attempt};
use crate::{cluster::Cluster, collect::supervisor::Failure};

/// The answer is small; one that takes longer is not coming.
const DISCOVERY_TIME_MAX: Duration = Duration::from_secs(15);

/// What a group and version have, as far as it is needed
/// ([API discovery](https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api)).
#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    kind: String,
}

impl Watcher {
    /// The path of the kind's objects of all namespaces.
    pub(super) async fn find_path(&self, cluster: &Cluster) -> Result<String, Failure> {
        let group = self.kind.group_path();
        if let Some(plural) = &self.kind.plural {
            return Ok(format!("{group}/{plural}"));
        }
        let (kind, address) = (&self.kind, &cluster.address);
        let attempt = Attempt { verb: "discover", kind, path: &group, address };
        let request = Request::get(&group)
            .body(Vec::new())
            .map_err(|e| attempt.failed(&kube::Error::HttpError(e)))?;
        let text = match timeout(DISCOVERY_TIME_MAX, cluster.client.request_text(request)).await {
            Ok(Ok(text)) => text,
            Ok(Err(e)) => return Err(attempt.failed(&e)),
            Err(_) => return Err(attempt.silent(DISCOVERY_TIME_MAX)),
        };
        let found: Resources =
            serde_json::from_str(&text).map_err(|e| attempt.failed(&kube::Error::SerdeError(e)))?;
        // Subresources have a slash.
        let of_kind = |one: &Resource| one.kind == self.kind.kind && !one.name.contains('/');
        match found.resources.into_iter().find(of_kind) {
            Some(resource) => Ok(format!("{group}/{}", resource.name)),
            None => Err(attempt.not_served()),
        }
    }
}
