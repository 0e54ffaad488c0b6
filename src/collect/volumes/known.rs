//! What the cluster knows: its nodes and where their kubelets listen, and which claims there are. A
//! claim that nobody mounts stays as it was last known; one that was deleted ends.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, ObjectList},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::book::Claim;
use crate::cluster;

/// A list takes no longer; nobody waits for it.
const LIST_TIME_MAX: Duration = Duration::from_secs(30);

/// Objects of one answer.
const PAGE: u32 = 500;

/// More pages than these are not asked for: a cluster has at most some ten thousand nodes or claims.
const PAGES_MAX: usize = 100;

/// A node and where its kubelet listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeAt {
    pub(super) name: String,
    /// `None` where the node tells none.
    pub(super) host: Option<String>,
    pub(super) port: u16,
}

/// Where kubelets listen, unless the node says otherwise.
const KUBELET_PORT: u16 = 10_250;

/// Every node, by name.
///
/// # Errors
/// Why the cluster does not tell.
pub(super) async fn nodes(client: &Client) -> Result<Vec<NodeAt>, kube::Error> {
    let all: Vec<Node> = list(&Api::all(client.clone())).await?;
    let mut nodes: Vec<NodeAt> = all.into_iter().map(node_at).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

fn node_at(node: Node) -> NodeAt {
    let name = node.name_any();
    let status = node.status.unwrap_or_default();
    let addresses = status.addresses.unwrap_or_default();
    let internal = addresses.into_iter().find(|address| address.type_ == "InternalIP");
    let endpoint = status.daemon_endpoints.and_then(|endpoints| endpoints.kubelet_endpoint);
    let port = endpoint.and_then(|endpoint| u16::try_from(endpoint.port).ok());
    let port = port.filter(|port| *port != 0).unwrap_or(KUBELET_PORT);
    NodeAt { name, host: internal.map(|address| address.address), port }
}

/// Every claim.
///
/// # Errors
/// Why the cluster does not tell.
pub(super) async fn claims(client: &Client) -> Result<BTreeSet<Claim>, kube::Error> {
    let all: Vec<PersistentVolumeClaim> = list(&Api::all(client.clone())).await?;
    let name =
        |claim: PersistentVolumeClaim| (claim.namespace().unwrap_or_default(), claim.name_any());
    Ok(all.into_iter().map(name).collect())
}

async fn list<K>(api: &Api<K>) -> Result<Vec<K>, kube::Error>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = timeout(LIST_TIME_MAX, api.list(&params)).await;
        let silent = || kube::Error::Service("the API server did not answer in time".into());
        let ObjectList { items, metadata, .. } = page.map_err(|_| silent())??;
        all.extend(items);
        match metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
    Err(kube::Error::Service("there are more pages of them than are asked for".into()))
}

/// What a list that failed means: what was attempted, what failed, what to do.
pub(super) fn list_failed(plural: &str, address: &str, error: &kube::Error) -> String {
    let explained = cluster::explain(error);
    let advice = match error {
        kube::Error::Api(status) if status.code == 403 => format!("grant list on {plural}"),
        kube::Error::Api(status) if status.code == 401 => "renew the credentials".into(),
        _ => "is the API server running and reachable?".into(),
    };
    format!("list {plural} at {address} failed: {explained}; {advice}")
}
