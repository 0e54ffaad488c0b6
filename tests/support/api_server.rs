//! A double of the cluster API that lists and watches, and fails as a test wants it to.
//!
//! A real API server is used where it can be made to do the thing; this one is for what it cannot.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::pod_log::{Asked, PodLog, Trouble};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The path of all pods.
pub const PODS: &str = "/api/v1/pods";
/// The path of all nodes.
pub const NODES: &str = "/api/v1/nodes";
/// The path of all Events.
pub const EVENTS: &str = "/api/v1/events";

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A running double.
pub struct ApiServer {
    port: u16,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    state: Mutex<State>,
    /// Counts changes of the state, for whoever waits for one.
    changed: watch::Sender<u64>,
}

/// What the server knows and how it misbehaves.
#[derive(Default)]
pub struct State {
    version: u64,
    objects: BTreeMap<(String, String), Value>,
    log: Vec<Change>,
    /// The verbs and paths that were asked for: `list /api/v1/pods`.
    pub requests: Vec<String>,
    /// What is answered with 403: `list /api/v1/nodes`.
    pub forbidden: BTreeSet<String>,
    /// A watch from a version before this one gets a 410.
    pub forgotten_before: u64,
    /// That 410 comes as the first event of the watch rather than as its status.
    pub gone_as_event: bool,
    /// Connections are closed as soon as they are made.
    pub is_down: bool,
    /// The logs of containers: `namespace/pod/container`.
    pub logs: BTreeMap<String, PodLog>,
    /// Watches that were open before this number was raised break off.
    cuts: u64,
}

/// A line of the watch of a path.
struct Change {
    path: String,
    version: u64,
    line: String,
}

impl ApiServer {
    /// Listens on a free port.
    pub async fn start() -> ApiServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State { version: 100, ..State::default() }),
            changed: watch::Sender::new(0),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        ApiServer { port, shared, task }
    }

    /// Writes a kubeconfig that leads here.
    pub fn write_kubeconfig(&self, dir: &Path) -> PathBuf {
        let path = dir.join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{}'}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\n",
            self.port
        );
        std::fs::write(&path, text).expect("the folder can be written");
        path
    }

    /// Changes how the server behaves.
    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.shared.changed.send_modify(|count| *count += 1);
    }

    /// Looks at the state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no test panics while it holds this")
    }

    /// Breaks every open watch off in the middle.
    pub fn cut(&self) {
        self.set(|state| state.cuts += 1);
    }

    /// Creates an object, or replaces it; `uid` is its name and a version.
    pub fn put(&self, path: &str, name: &str, more: Value) {
        self.set(|state| state.put(path, name, more));
    }

    /// Deletes an object.
    pub fn delete(&self, path: &str, name: &str) {
        self.set(|state| state.delete(path, name));
    }

    /// Deletes an object; watches that are open do not tell, and what is asked for again is
    /// answered with a 410.
    pub fn delete_unseen(&self, path: &str, name: &str) {
        self.set(|state| {
            state.version += 1;
            state.forgotten_before = state.version;
            state.objects.remove(&(path.into(), name.into())).expect("it exists");
        });
    }

    /// Writes a line into the open watches of a path, once.
    pub fn say(&self, path: &str, line: &str) {
        self.set(|state| {
            let version = state.version;
            state.log.push(Change { path: path.into(), version, line: format!("{line}\n") });
        });
    }

    /// Tells the present version to the watches of a path.
    pub fn bookmark(&self, path: &str) -> String {
        let version = (self.state().version + 1).to_string();
        self.set(|state| {
            state.version += 1;
            let object = json!({
                "kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": version},
            });
            state.tell(path, "BOOKMARK", object);
        });
        version
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn put(&mut self, path: &str, name: &str, more: Value) {
        self.version += 1;
        let key = (path.to_owned(), name.to_owned());
        let old = self.objects.get(&key);
        let uid = old.map_or_else(
            || json!(format!("{name}-{}", self.version)),
            |old| old["metadata"]["uid"].clone(),
        );
        let mut object = json!({"metadata": {
            "name": name, "namespace": "ns", "uid": uid,
            "resourceVersion": self.version.to_string(),
        }});
        let fields = object.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let what = if old.is_some() { "MODIFIED" } else { "ADDED" };
        self.tell(path, what, object.clone());
        self.objects.insert(key, object);
    }

    fn delete(&mut self, path: &str, name: &str) {
        self.version += 1;
        let key = (path.to_owned(), name.to_owned());
        let mut object = self.objects.remove(&key).expect("it exists");
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.tell(path, "DELETED", object);
    }

    fn tell(&mut self, path: &str, what: &str, mut object: Value) {
        // Unlike a list, a watch names the kind of each object.
        object["apiVersion"] = json!("v1");
        object["kind"] = json!("Thing");
        let line = format!("{}\n", json!({"type": what, "object": object}));
        self.log.push(Change { path: path.into(), version: self.version, line });
    }

    fn list(&self, path: &str, query: &BTreeMap<String, String>) -> Value {
        let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let skip = query.get("continue").and_then(|skip| skip.parse().ok()).unwrap_or(0);
        let all: Vec<&Value> =
            self.objects.iter().filter(|((at, _), _)| at == path).map(|(_, o)| o).collect();
        let page: Vec<_> = all.iter().skip(skip).take(limit).collect();
        let end = skip + page.len();
        let more = if end < all.len() { end.to_string() } else { String::new() };
        json!({
            "metadata": {"resourceVersion": self.version.to_string(), "continue": more},
            "items": if page.is_empty() { Value::Null } else { json!(page) },
        })
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, which closes the connections.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve_connection(stream, Arc::clone(&shared)));
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>) {
    let mut changed = shared.changed.subscribe();
    let lock = || shared.state.lock().expect("no test panics while it holds this");
    let down = async {
        while !lock().is_down {
            changed.changed().await.expect("the server lives as long");
        }
    };
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&request, &shared)) }
    });
    tokio::select! {
        biased;
        () = down => {}
        // The collector may hang up; that is its right.
        _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service) => {}
    }
}

fn answer(request: &Request<Incoming>, shared: &Arc<Shared>) -> Response<Body> {
    let query: BTreeMap<String, String> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let path = request.uri().path();
    if let Some(pod) = path.strip_suffix("/log") {
        return log_answer(pod, &query, shared);
    }
    let is_watch = query.contains_key("watch");
    let asked = format!("{} {path}", if is_watch { "watch" } else { "list" });
    let mut state = shared.state.lock().expect("no test panics while it holds this");
    state.requests.push(asked.clone());
    if state.forbidden.contains(&asked) {
        return status(403, "Forbidden", "someone cannot do this");
    }
    if !is_watch {
        return json_answer(200, &state.list(path, &query));
    }
    let from: u64 = query["resourceVersion"].parse().expect("a version");
    if from < state.forgotten_before {
        if state.gone_as_event {
            let gone = json!({"type": "ERROR", "object": status_object(410, "Expired", "old")});
            return Response::new(body(stream::iter([Ok(format!("{gone}\n"))])));
        }
        return status(410, "Expired", "too old resource version");
    }
    let cuts = state.cuts;
    drop(state);
    let seconds = query["timeoutSeconds"].parse().expect("a number of seconds");
    let end = tokio::time::sleep(Duration::from_secs(seconds));
    let changes = changes(Arc::clone(shared), path.to_owned(), from, cuts);
    Response::new(body(changes.take_until(end)))
}

/// The log of a container.
fn log_answer(pod: &str, query: &BTreeMap<String, String>, shared: &Arc<Shared>) -> Response<Body> {
    let pod = pod.strip_prefix("/api/v1/namespaces/").expect("a pod").replace("/pods/", "/");
    let name = format!("{pod}/{}", query["container"]);
    let asked = Asked::parse(query);
    let mut state = shared.state.lock().expect("no test panics while it holds this");
    state.requests.push(format!("log {name}"));
    let Some(log) = state.logs.get(&name) else {
        return status(404, "NotFound", "no such pod");
    };
    match &log.trouble {
        Trouble::Status(code, reason, message) => return status(*code, reason, message),
        Trouble::Hang => return Response::new(body(stream::pending::<io::Result<String>>())),
        Trouble::Says(text) => {
            return Response::new(body(stream::iter([Ok(text.clone())])));
        }
        _ => {}
    }
    let Some(run) = asked.run_of(log) else {
        return status(400, "BadRequest", "previous terminated container not found");
    };
    let cuts = state.cuts;
    drop(state);
    let (of_look, of_cut) = (Arc::clone(shared), Arc::clone(shared));
    let look = move || of_look.state.lock().expect("no test panics").logs.get(&name).cloned();
    let is_cut = move || of_cut.state.lock().expect("no test panics").cuts != cuts;
    Response::new(body(asked.answer(run, look, is_cut)))
}

/// The lines of a watch, as they come about.
fn changes(
    shared: Arc<Shared>,
    path: String,
    from: u64,
    cuts: u64,
) -> impl Stream<Item = io::Result<String>> {
    let changed = shared.changed.subscribe();
    stream::unfold((changed, from, 0), move |(mut changed, from, line)| {
        let (shared, path) = (Arc::clone(&shared), path.clone());
        async move {
            loop {
                let found = {
                    let state = shared.state.lock().expect("no test panics while it holds this");
                    if state.cuts != cuts {
                        return Some((Err(io::Error::other("cut")), (changed, from, line)));
                    }
                    let rest = state.log[line..].iter().enumerate();
                    let mut of_path = rest.filter(|(_, c)| c.path == path && c.version > from);
                    of_path.next().map(|(at, change)| (line + at + 1, change.line.clone()))
                };
                if let Some((next, text)) = found {
                    return Some((Ok(text), (changed, from, next)));
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        }
    })
}

fn body<T: Into<Bytes>>(lines: impl Stream<Item = io::Result<T>> + Send + 'static) -> Body {
    let frames = lines.map(|line| line.map(|line| Frame::data(line.into())));
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

fn json_answer(code: u16, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {});
    let answer = Response::builder().status(code).header("content-type", "application/json");
    answer.body(body.boxed_unsync()).expect("a good answer")
}

fn status(code: u16, reason: &str, message: &str) -> Response<Body> {
    json_answer(code, &status_object(code, reason, message))
}

fn status_object(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    })
}
