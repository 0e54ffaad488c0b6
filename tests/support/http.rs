//! A whole surface on loopback for tests: recorder, journal in a temporary folder, HTTP server.

#[path = "client.rs"]
pub mod client;

use std::{path::Path, sync::Arc, time::Duration};

use monitor_backend::{
    actions::{Actions, Procedures},
    event::{
        ClusterEvent, DeletedBecause, Event, Extensions, Level, LiveQuery, LogLine, ObjectDeleted,
        ObjectObserved, ObjectRef, Observation, Observed, Section, SourceState, State, Trace,
        TraceEnd,
    },
    http::{self, AdminKey, Desk, limits::Limits, wire::Mode},
    journal::{
        self,
        fs::{Disk, Fs},
    },
    recorder::{self, Published, Recorder},
    views::problems::Thresholds,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// The admin key of every test.
pub const KEY: &str = "the-secret-key-of-the-tests";

/// How long anything may take before a test gives up on it.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A recorder with its journal.
pub struct Recording {
    pub dir: TempDir,
    pub recorder: Recorder,
    pub published: Arc<Published>,
    queue: mpsc::Sender<Observed>,
    generation: tokio::sync::watch::Receiver<u64>,
}

impl Recording {
    pub fn start() -> Recording {
        Recording::in_dir(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn in_dir(dir: TempDir) -> Recording {
        Recording::on(dir, Arc::new(Disk))
    }

    /// On a file system that may fail.
    pub fn on(dir: TempDir, fs: Arc<dyn Fs>) -> Recording {
        let setup = recorder::Setup {
            journal: options(dir.path()),
            version: "1.2.3".into(),
            host: "test".into(),
            mode: "live".into(),
            config_faults: Vec::new(),
            source_bytes_per_day: None,
            wipe_on_start: None,
        };
        let started = recorder::start_with(setup, fs).expect("a thread can be had");
        let recorder::Started { recorder, published, queue, generation, .. } = started;
        Recording { dir, recorder, published, queue, generation }
    }

    /// Observes events, as a collector does.
    pub async fn send(&self, events: Vec<Event>) {
        let generation = *self.generation.borrow();
        let message = Observed { generation, what: Observation::Events(events) };
        self.queue.send(message).await.expect("the recorder runs");
    }

    /// Observes events and returns once the views show them.
    pub async fn observe(&self, events: Vec<Event>) {
        let count = events.len() as u64;
        let before = self.published.snapshot.load().seq;
        self.send(events).await;
        until("the events are shown", || self.published.snapshot.load().seq >= before + count)
            .await;
    }
}

pub fn options(dir: &Path) -> journal::Options {
    journal::Options {
        dir: dir.to_owned(),
        segment_bytes: 1 << 20,
        keep: journal::Retention::default(),
    }
}

/// A server in front of a recording or a backup.
pub struct Server {
    pub address: String,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// A live server with some bounds changed.
    pub async fn live(recording: &Recording, change: impl FnOnce(&mut Desk)) -> Server {
        let mut desk = Desk {
            mode: Mode::Live,
            version: "1.2.3".into(),
            published: recording.published.clone(),
            recorder: Some(recording.recorder.clone()),
            actions: Some(Actions::new(
                recording.recorder.clone(),
                recording.published.clone(),
                None,
                Procedures::default(),
            )),
            admin_key: Some(AdminKey::new(KEY)),
            outside: None,
            metrics: None,
            reviewer: None,
            base_path: String::new(),
            data_dir: Some(recording.dir.path().to_owned()),
            thresholds: Thresholds::default(),
            limits: Limits::default(),
        };
        change(&mut desk);
        Server::of(desk).await
    }

    /// A replay of a backup.
    pub async fn replay(path: &Path) -> Server {
        let (reader, recovery) = journal::Reader::open(path).expect("the backup opens");
        let published = Published::of_backup(reader, recovery).expect("the backup can be read");
        Server::of(Desk {
            mode: Mode::Replay,
            version: "1.2.3".into(),
            published: Arc::new(published),
            recorder: None,
            actions: None,
            admin_key: None,
            outside: None,
            metrics: None,
            reviewer: None,
            base_path: String::new(),
            data_dir: None,
            thresholds: Thresholds::default(),
            limits: Limits::default(),
        })
        .await
    }

    async fn of(desk: Desk) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port can be had");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            // A test that ends without a word stops the server as well.
            let _ = stopped.await;
        };
        let task = Some(tokio::spawn(http::serve(listener, desk, shutdown)));
        let client = client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DEADLINE)
            .build()
            .expect("a plain client can be had");
        Server { address, client, stop: Some(stop), task }
    }

    /// A request without access.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// A request with the admin key.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(KEY)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).send().await.expect("the server answers")
    }

    /// An answer that must be 200.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.expect("the answer ends");
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    /// A connection of one's own.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.expect("the server accepts")
    }

    /// Stops the server and waits for its end.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let task = self.task.take().expect("it is stopped once");
        tokio::time::timeout(DEADLINE, task).await.expect("it ends in time").expect("no panic");
    }
}

/// Status and code of a refusal.
pub async fn refusal(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("the server answers");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("a refusal is JSON");
    assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

pub fn log(level: Level, message: &str) -> Event {
    Event::LogLine(LogLine {
        source: "app-server".into(),
        time: 1000.5,
        level,
        target: "app::db".into(),
        span_name: String::new(),
        message: message.into(),
        ext: Extensions::default(),
    })
}

pub fn pod(name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "Pod".into(),
        namespace: "default".into(),
        name: name.into(),
        uid: format!("uid-{name}"),
    }
}

pub fn pod_observed(name: &str, phase: &str) -> Event {
    Event::ObjectObserved(ObjectObserved {
        object: pod(name),
        source: "cluster/Pod".into(),
        resource_version: "1".into(),
        body: format!(r#"{{"status":{{"phase":"{phase}"}}}}"#),
        ext: Extensions::default(),
    })
}

pub fn pod_deleted(name: &str) -> Event {
    Event::ObjectDeleted(ObjectDeleted {
        object: pod(name),
        source: "cluster/Pod".into(),
        because: DeletedBecause::GoneUnobserved,
        from: 5.0,
        to: 6.0,
        body: r#"{"status":{"phase":"Running"}}"#.into(),
        ext: Extensions::default(),
    })
}

pub fn warning(uid: &str, about: &str) -> Event {
    Event::ClusterEvent(ClusterEvent {
        uid: uid.into(),
        source: "cluster/Event".into(),
        resource_version: "2".into(),
        regarding: pod(about),
        event_type: "Warning".into(),
        reason: "BackOff".into(),
        message: "restarting".into(),
        reporter: "kubelet".into(),
        count: 3,
        first: 1.0,
        last: 2.0,
        ext: Extensions::default(),
    })
}

pub fn trace(id: &str, duration: Option<f64>) -> Event {
    Event::Trace(Trace {
        source: "app-server".into(),
        id: id.into(),
        end: if duration.is_some() { TraceEnd::Ended } else { TraceEnd::Open },
        sections: vec![Section {
            path: "run".into(),
            start_time: 10.0,
            duration,
            extra_info: Some(r#"{"rows":2}"#.into()),
        }],
        ext: Extensions::default(),
    })
}

pub fn live_query(table: &str) -> Event {
    Event::LiveQuery(LiveQuery {
        source: "app-server".into(),
        table_name: table.into(),
        filter: r#"{"id":"x"}"#.into(),
        last_entries: r#"[{"id":"x"}]"#.into(),
        watchers_count: 2,
        deleting: false,
        ext: Extensions::default(),
    })
}

pub fn source_up(name: &str) -> Event {
    Event::SourceState(SourceState {
        name: name.into(),
        state: State::Up,
        reason: String::new(),
        since: 0.0,
        malformed: 0,
        last_malformed: String::new(),
        ext: Extensions::default(),
    })
}
