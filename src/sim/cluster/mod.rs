//! A Kubernetes API in memory, on loopback, with a controller that gives its objects a life.
//!
//! It speaks the real protocol for a few kinds: lists in pages of one version, watches with
//! resourceVersion, bookmarks and expiry, graceful deletion, merge patches, exec. Its nodes have
//! kubelets of their own, with TLS. It knows nothing of the recorder.

mod authority;

mod controller;

mod events;

mod exec;

mod kubelet;

mod list;

mod log_lines;

mod logs;

mod node_server;

mod objects;

mod pace;

mod patch;

mod programs;

mod query;

mod resources;

mod scale;

mod selector;

mod server;

mod status;

mod store;

mod summary;

#[cfg(test)]
mod tests;

mod volumes;

mod watch;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{sync::watch as signal, task::JoinSet};

pub use self::{
    node_server::KubeletFault,
    programs::{End, Script, Step},
};
pub(super) use kubelet::Image;
pub(super) use objects::Workload;
pub(super) use pace::Pace;

use self::{
    authority::Authority,
    controller::{Controller, report_node},
    kubelet::Images,
    node_server::Tls,
    resources::{ObjectKey, Resource},
    store::Store,
    volumes::Volumes,
};
use super::port::Port;
use crate::event::{Millis, now};

/// How long before the start the cluster was set up, so that it has a past.
const AGE_MS: Millis = 20.0 * 60.0 * 1000.0;
/// How much of that past is played: enough for every pod to become ready.
const SETTLE_MS: Millis = 60.0 * 1000.0;

/// The simulated cluster. Dropping it ends its tasks and connections.
#[derive(Debug)]
pub struct Cluster {
    shared: Arc<Shared>,
    port: Port,
    authority: String,
    kubelets: BTreeMap<String, Port>,
    _controller: JoinSet<()>,
}

/// What the API, the controller and the scenario share. No lock is held across an await.
#[derive(Debug)]
struct Shared {
    store: Mutex<Store>,
    images: Mutex<Images>,
    interventions: AtomicU64,
    volumes: Mutex<Volumes>,
    faults: Mutex<HashMap<String, KubeletFault>>,
    programs: Mutex<HashMap<String, Script>>,
    /// Ends what no connection of a port ends: commands that run.
    stop: signal::Sender<u32>,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn images(&self) -> MutexGuard<'_, Images> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn volumes(&self) -> MutexGuard<'_, Volumes> {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, HashMap<String, KubeletFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kubelet_fault(&self, node: &str) -> Option<KubeletFault> {
        self.faults().get(node).copied()
    }

    fn programs(&self) -> MutexGuard<'_, HashMap<String, Script>> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was put in the place of a program.
    fn program(&self, name: &str) -> Option<Script> {
        self.programs().get(name).cloned()
    }

    fn stopping(&self) -> signal::Receiver<u32> {
        self.stop.subscribe()
    }

    fn count_intervention(&self) {
        self.interventions.fetch_add(1, Ordering::Relaxed);
    }
}

impl Cluster {
    /// A cluster whose nodes and workloads have been running for a while, listening on loopback.
    pub(super) async fn start(
        seed: u64,
        pace: Pace,
        nodes: &[&str],
        workloads: &[Workload<'_>],
    ) -> io::Result<Cluster> {
        let now = now();
        let mut store = Store::new(now);
        let mut controller = Controller::new(pace, seed);
        set_up(&mut store, nodes, workloads, now - AGE_MS);
        let mut then = now - AGE_MS;
        while then < now - AGE_MS + SETTLE_MS {
            controller.step(&mut store, &Images::new(), then);
            then += pace.tick.as_secs_f64() * 1000.0;
        }
        let shared = Arc::new(Shared {
            store: Mutex::new(store),
            images: Mutex::default(),
            interventions: AtomicU64::new(0),
            volumes: Mutex::default(),
            faults: Mutex::default(),
            programs: Mutex::default(),
            stop: signal::Sender::new(0),
        });
        let authority = Authority::new()?;
        let kubelets = start_kubelets(&shared, &authority, nodes).await?;
        let served = shared.clone();
        let port = Port::open(move |stream| server::serve(served.clone(), stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(control(shared.clone(), controller, pace));
        Ok(Cluster { shared, port, authority: authority.pem, kubelets, _controller: tasks })
    }

    /// Where the API listens; plain HTTP.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The certificate of the authority that signs its kubelets: PEM text.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A kubeconfig that leads here, as JSON, which is also YAML. `authority` names the file of the
    /// cluster's authority, as seen from that of the kubeconfig.
    pub fn kubeconfig(&self, authority: &str) -> String {
        let server = format!("http://{}", self.address());
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "simulated",
            "clusters": [{"name": "simulated", "cluster": {
                "server": server, "certificate-authority": authority,
            }}],
            "users": [{"name": "recorder", "user": {"token": "any-token-is-accepted"}}],
            "contexts": [{
                "name": "simulated",
                "context": {"cluster": "simulated", "user": "recorder", "namespace": "default"},
            }],
        })
        .to_string()
    }

    /// Creates or replaces an object of a kind that is served, as `kind` and `metadata` name it;
    /// returns it as stored, or `None` for a kind that is not served.
    pub fn put(&self, object: Value) -> Option<Arc<Value>> {
        let resource = Resource::of_kind(object["kind"].as_str()?)?;
        Some(self.shared.store().put(resource, object, now()))
    }

    /// Removes an object at once; returns its last state, or `None` if there is no such object.
    pub fn remove(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = key(kind, namespace, name)?;
        self.shared.store().remove(&key)
    }

    /// An object as it is now.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = key(kind, namespace, name)?;
        self.shared.store().get(&key)
    }

    /// All objects of a kind, by namespace and name.
    pub fn all(&self, kind: &str) -> Vec<Arc<Value>> {
        let resource = Resource::of_kind(kind);
        let store = self.shared.store();
        let objects = resource.into_iter().flat_map(|resource| store.all(resource.plural));
        objects.map(|(_, object)| object.clone()).collect()
    }

    /// Forgets the history: watches from any older version get 410.
    pub fn compact(&self) {
        self.shared.store().compact();
    }

    /// Gives a deployment another image, as a deploy does. False if there is no such deployment.
    pub fn deploy(&self, namespace: &str, name: &str, image: &str) -> bool {
        let Some(deployments) = Resource::of_kind("Deployment") else { return false };
        let mut store = self.shared.store();
        let Some(before) = store.get(&deployments.key(namespace, name)) else { return false };
        let mut containers = before["spec"]["template"]["spec"]["containers"].clone();
        containers[0]["image"] = json!(image);
        let change = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        store.put(deployments, patch::patched(&before, &change), now());
        true
    }

    /// Lets a node's kubelet fall silent, or come back. False if there is no such node.
    pub fn set_node_ready(&self, name: &str, ready: bool) -> bool {
        let Some(nodes) = Resource::of_kind("Node") else { return false };
        let now = now();
        let mut store = self.shared.store();
        let edit = |node: &mut Value| objects::set_node_ready(node, ready, now);
        let edited = store.edit(nodes, &nodes.key("", name), now, edit);
        if let Some(node) = &edited {
            report_node(&mut store, node, ready, now);
        }
        edited.is_some()
    }

    /// Decides what becomes of pods that run an image; `None`: they run well.
    pub(super) fn set_image(&self, name: &str, image: Option<Image>) {
        let mut images = self.shared.images();
        match image {
            Some(image) => images.insert(name.to_owned(), image),
            None => images.remove(name),
        };
    }

    /// Lets a claim's volume become so full, a share of 1, evenly over a time from now on. False if
    /// there is no such claim.
    pub fn fill_volume(&self, namespace: &str, claim: &str, to_ratio: f64, over: Duration) -> bool {
        let is_there = self.get("PersistentVolumeClaim", namespace, claim).is_some();
        if is_there {
            let name = (namespace.to_owned(), claim.to_owned());
            self.shared.volumes().fill(name, to_ratio, over, now());
        }
        is_there
    }

    /// Lets something be wrong with a node's kubelet from now on, or nothing.
    pub fn set_kubelet(&self, node: &str, fault: Option<KubeletFault>) {
        let mut faults = self.shared.faults();
        match fault {
            Some(fault) => faults.insert(node.to_owned(), fault),
            None => faults.remove(node),
        };
    }

    /// Refuses connections to a node's kubelet from now on.
    ///
    /// # Errors
    /// There is no such node, or its port could not be kept.
    pub async fn stop_kubelet(&self, node: &str) -> io::Result<()> {
        self.kubelet_port(node)?.close().await
    }

    /// Lets a node's kubelet listen again.
    ///
    /// # Errors
    /// There is no such node, or its port could not be opened.
    pub async fn resume_kubelet(&self, node: &str) -> io::Result<()> {
        self.kubelet_port(node)?.reopen().await
    }

    fn kubelet_port(&self, node: &str) -> io::Result<&Port> {
        self.kubelets.get(node).ok_or_else(|| io::Error::other("there is no such node"))
    }

    /// Puts something in the place of a program, in every container, or takes it away again.
    pub fn set_program(&self, name: &str, script: Option<Script>) {
        let mut programs = self.shared.programs();
        match script {
            Some(script) => programs.insert(name.to_owned(), script),
            None => programs.remove(name),
        };
    }

    /// Ends the connections of all running commands.
    pub fn break_commands(&self) {
        self.shared.stop.send_modify(|count| *count += 1);
    }

    /// How often clients of the API have changed or deleted something.
    pub fn interventions(&self) -> u64 {
        self.shared.interventions.load(Ordering::Relaxed)
    }

    /// Refuses connections from now on and ends those that there are.
    ///
    /// # Errors
    /// The port could not be kept.
    pub async fn stop_listening(&self) -> io::Result<()> {
        self.port.close().await
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// The port could not be opened.
    pub async fn resume_listening(&self) -> io::Result<()> {
        self.port.reopen().await
    }

    /// Ends every connection; new ones are accepted.
    ///
    /// # Errors
    /// The accepting task has ended.
    pub async fn drop_connections(&self) -> io::Result<()> {
        self.port.drop_connections().await
    }
}

/// Starts the kubelets of the nodes, which tell from then on where they listen.
async fn start_kubelets(
    shared: &Arc<Shared>,
    authority: &Authority,
    nodes: &[&str],
) -> io::Result<BTreeMap<String, Port>> {
    let mut ports = BTreeMap::new();
    let stranger = Authority::new()?;
    for node in nodes {
        let name = (*node).to_owned();
        let tls = Arc::new(Tls {
            own: authority.server(objects::NODE_ADDRESS)?,
            other: stranger.server(objects::NODE_ADDRESS)?,
        });
        let (served, of) = (shared.clone(), name.clone());
        let serve =
            move |stream| node_server::serve(served.clone(), of.clone(), tls.clone(), stream);
        let port = Port::open(serve).await?;
        let number = port.address().port();
        if let Some(resource) = Resource::of_kind("Node") {
            let key = resource.key("", &name);
            shared.store().edit(resource, &key, now(), |node| {
                node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] = json!(number);
            });
        }
        ports.insert(name, port);
    }
    Ok(ports)
}

async fn control(shared: Arc<Shared>, mut controller: Controller, pace: Pace) {
    let mut ticks = tokio::time::interval(pace.tick);
    loop {
        ticks.tick().await;
        let images = shared.images().clone();
        controller.step(&mut shared.store(), &images, now());
    }
}

fn set_up(store: &mut Store, nodes: &[&str], workloads: &[Workload<'_>], then: Millis) {
    let put = |store: &mut Store, kind, object| {
        if let Some(resource) = Resource::of_kind(kind) {
            store.put(resource, object, then);
        }
    };
    for name in nodes {
        put(store, "Node", objects::node(name, then));
    }
    for workload in workloads {
        put(store, "Namespace", objects::namespace(workload.namespace));
        if let Some(claim) = workload.claim {
            put(store, "PersistentVolumeClaim", volumes::claim(workload.namespace, claim));
            put(store, "PersistentVolume", volumes::volume(workload.namespace, claim));
        }
        put(store, "Deployment", objects::deployment(*workload));
    }
}

fn key(kind: &str, namespace: &str, name: &str) -> Option<ObjectKey> {
    Some(Resource::of_kind(kind)?.key(namespace, name))
}
