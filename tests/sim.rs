//! The simulation speaks the real protocols: the clients here are those that the recorder uses.

#[path = "support/client.rs"]
mod client;

use std::{collections::BTreeSet, time::Duration};

use futures_util::{SinkExt, Stream, StreamExt};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Event, Node, Pod},
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, WatchEvent, WatchParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use monitor_backend::sim::{Frame, LiveQuery, LogEntry, Scenario, Sim};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// Anything that is waited for must be there by then; a healthy run needs a fraction of it.
const PATIENCE: Duration = Duration::from_secs(30);

struct Fixture {
    sim: Sim,
    client: Client,
    _directory: tempfile::TempDir,
}

async fn start(scenario: Scenario) -> Fixture {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let sim = Sim::start(scenario, 1, directory.path()).await.expect("the simulation starts");
    let kubeconfig = Kubeconfig::read_from(sim.kubeconfig()).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let client = Client::try_from(config.expect("a configuration")).expect("a client");
    Fixture { sim, client, _directory: directory }
}

impl Fixture {
    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "default")
    }

    fn put_pod(&self, name: &str, labels: Value) -> String {
        let pod = self.sim.cluster().put(json!({
            "kind": "Pod",
            "metadata": {"namespace": "default", "name": name, "labels": labels},
            "spec": {"containers": [{"name": "main", "image": "example/main:1"}]},
        }));
        let pod = pod.expect("pods are served");
        pod["metadata"]["resourceVersion"].as_str().expect("a version").to_owned()
    }
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("no {what} in time"))
}

/// Polls until `check` gives something.
async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let poll = async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    in_time(what, poll).await
}

type PodEvent = Result<WatchEvent<Pod>, kube::Error>;

/// The next event that is no bookmark, as its word and the object's name.
async fn next_change(stream: &mut (impl Stream<Item = PodEvent> + Unpin)) -> (&'static str, Pod) {
    loop {
        let event = in_time("watch event", stream.next()).await.expect("the watch goes on");
        match event.expect("an event") {
            WatchEvent::Added(pod) => return ("ADDED", pod),
            WatchEvent::Modified(pod) => return ("MODIFIED", pod),
            WatchEvent::Deleted(pod) => return ("DELETED", pod),
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => panic!("the watch failed: {status:?}"),
        }
    }
}

fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().expect("a name")
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[tokio::test]
async fn a_new_cluster_has_ready_nodes_and_pods_and_a_past() {
    let fixture = start(Scenario::Quiet).await;
    let client = &fixture.client;
    let list = ListParams::default();
    let nodes = Api::<Node>::all(client.clone()).list(&list).await.expect("nodes");
    assert_eq!(nodes.items.len(), 2);
    let pods = Api::<Pod>::all(client.clone()).list(&list).await.expect("pods");
    assert_eq!(pods.items.len(), 2);
    assert!(pods.items.iter().all(is_ready));
    let deployments = Api::<Deployment>::all(client.clone()).list(&list).await.expect("list");
    let status = deployments.items[0].status.as_ref().expect("a status");
    assert_eq!((status.ready_replicas, status.observed_generation), (Some(2), Some(1)));
    let events = Api::<Event>::all(client.clone()).list(&list).await.expect("events");
    let reasons: BTreeSet<_> = events.items.iter().filter_map(|e| e.reason.as_deref()).collect();
    for reason in ["Scheduled", "Pulled", "Started", "SuccessfulCreate"] {
        assert!(reasons.contains(reason), "no {reason} in {reasons:?}");
    }
}

#[tokio::test]
async fn pages_of_one_list_are_of_one_version() {
    let fixture = start(Scenario::Quiet).await;
    for number in 0..5 {
        fixture.put_pod(&format!("extra-{number}"), json!({"page": "1"}));
    }
    let pods = fixture.pods();
    let first = ListParams::default().limit(2).labels("page=1");
    let page = pods.list(&first).await.expect("the first page");
    let version = page.metadata.resource_version.clone();
    let mut names: Vec<_> = page.items.iter().map(name).collect();
    let mut token = page.metadata.continue_;

    fixture.sim.cluster().remove("Pod", "default", "extra-4");
    fixture.put_pod("extra-3-late", json!({"page": "1"}));
    while let Some(next) = token.filter(|token| !token.is_empty()) {
        let page = pods.list(&first.clone().continue_token(&next)).await.expect("a page");
        assert_eq!(page.metadata.resource_version, version);
        names.extend(page.items.iter().map(name));
        token = page.metadata.continue_;
    }
    assert_eq!(names, ["extra-0", "extra-1", "extra-2", "extra-3", "extra-4"]);
}

#[tokio::test]
async fn a_watch_goes_on_from_a_version_and_tells_what_happened_in_between() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    let params = WatchParams::default().labels("watched=yes");
    let version = fixture.put_pod("first", json!({"watched": "yes"}));
    fixture.put_pod("second", json!({"watched": "yes"}));
    fixture.put_pod("third", json!({"watched": "no"}));

    let mut stream = Box::pin(pods.watch(&params, &version).await.expect("a watch"));
    let mut known = BTreeSet::new();
    while !known.contains("second") {
        let (word, pod) = next_change(&mut stream).await;
        // Of `first` only its progress is left to tell.
        assert_eq!(word == "ADDED", name(&pod) == "second");
        known.insert(name(&pod));
    }
    // Without the label it is gone for this watch, although it lives on.
    fixture.put_pod("second", json!({"watched": "no"}));
    fixture.sim.cluster().remove("Pod", "default", "first");
    let mut gone = Vec::new();
    while gone.len() < 2 {
        let (word, pod) = next_change(&mut stream).await;
        if word == "DELETED" {
            gone.push(name(&pod));
        }
    }
    assert_eq!(gone, ["second", "first"]);
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_what_there_is() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    let mut stream = Box::pin(pods.watch(&WatchParams::default(), "0").await.expect("a watch"));
    for _ in 0..2 {
        assert_eq!(next_change(&mut stream).await.0, "ADDED");
    }
}

#[tokio::test]
async fn bookmarks_tell_the_version_when_other_kinds_change() {
    let fixture = start(Scenario::Quiet).await;
    let version = fixture.put_pod("first", json!({}));
    let nodes = Api::<Node>::all(fixture.client.clone());
    let params = WatchParams { bookmarks: true, ..WatchParams::default() };
    let mut stream = Box::pin(nodes.watch(&params, &version).await.expect("a watch"));
    let newest = fixture.put_pod("second", json!({}));
    let event = in_time("bookmark", stream.next()).await.expect("the watch goes on");
    let WatchEvent::Bookmark(bookmark) = event.expect("an event") else { panic!("no bookmark") };
    let number = |version: &str| version.parse::<u64>().expect("a number");
    assert!(number(&bookmark.metadata.resource_version) >= number(&newest));
}

#[tokio::test]
async fn a_watch_ends_at_its_time_limit() {
    let fixture = start(Scenario::Quiet).await;
    let params = WatchParams { bookmarks: false, ..WatchParams::default().timeout(1) };
    let version = fixture.put_pod("first", json!({}));
    let mut stream = Box::pin(fixture.pods().watch(&params, &version).await.expect("a watch"));
    in_time("end", async { while stream.next().await.is_some() {} }).await;
}

#[tokio::test]
async fn versions_outside_the_history_are_refused() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    let version = fixture.put_pod("first", json!({}));
    fixture.sim.cluster().compact();
    fixture.put_pod("second", json!({}));

    let old = pods.watch(&WatchParams::default(), "5").await.expect("a watch");
    let event = in_time("error", Box::pin(old).next()).await.expect("one event");
    let WatchEvent::Error(status) = event.expect("an event") else { panic!("not expired") };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));

    let page = pods.list(&ListParams::default().limit(1).continue_token("5/default/a")).await;
    let Err(kube::Error::Api(status)) = page else { panic!("not expired") };
    assert_eq!(status.code, 410);

    // Asked without the cluster client, which would repeat a request that is answered with 504.
    let future = version.parse::<u64>().expect("a number") + 1_000_000;
    let path = format!("api/v1/pods?watch=true&resourceVersion={future}");
    let url = format!("http://{}/{path}", fixture.sim.cluster().address());
    let answer = client::plain().get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 504);
}

#[tokio::test]
async fn what_is_not_there_is_a_404_status() {
    let fixture = start(Scenario::Quiet).await;
    assert!(fixture.pods().get_opt("nobody").await.expect("an answer").is_none());
    let secrets = Api::<k8s_openapi::api::core::v1::Secret>::all(fixture.client.clone());
    let Err(kube::Error::Api(status)) = secrets.list(&ListParams::default()).await else {
        panic!("must be refused");
    };
    assert_eq!((status.code, status.reason.as_str()), (404, "NotFound"));
}

#[tokio::test]
async fn a_deleted_pod_terminates_and_its_deployment_makes_another() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    let before = pods.list(&ListParams::default()).await.expect("pods");
    let victim = name(&before.items[0]);
    let version = before.metadata.resource_version.expect("a version");
    let mut stream =
        Box::pin(pods.watch(&WatchParams::default(), &version).await.expect("a watch"));

    let answer = pods.delete(&victim, &DeleteParams::default()).await.expect("deleted");
    let marked = answer.left().expect("the pod while it terminates");
    assert!(marked.metadata.deletion_timestamp.is_some());

    let (mut gone, mut replaced) = (false, false);
    while !(gone && replaced) {
        let (word, pod) = next_change(&mut stream).await;
        gone |= word == "DELETED" && name(&pod) == victim;
        replaced |= word == "MODIFIED"
            && is_ready(&pod)
            && before.items.iter().all(|known| name(known) != name(&pod));
    }
    assert!(pods.get_opt(&victim).await.expect("an answer").is_none());
}

#[tokio::test]
async fn a_rollout_restart_replaces_every_pod_and_never_has_too_few() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    let before = pods.list(&ListParams::default()).await.expect("pods");
    let before: BTreeSet<_> = before.items.iter().map(name).collect();
    let deployments = Api::<Deployment>::namespaced(fixture.client.clone(), "default");
    let stamp = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
    let patch = json!({"spec": {"template": {"metadata": {"annotations": stamp}}}});
    let patched = deployments
        .patch("app-server", &PatchParams::default(), &Patch::Strategic(&patch))
        .await
        .expect("patched");
    assert_eq!(patched.metadata.generation, Some(2));

    eventually("new pods", async || {
        let now = pods.list(&ListParams::default()).await.expect("pods").items;
        let ready = now.iter().filter(|pod| is_ready(pod)).count();
        assert!(ready >= 2, "only {ready} pods are ready");
        (now.len() == 2 && now.iter().all(|pod| !before.contains(&name(pod)))).then_some(())
    })
    .await;
    let complete = async || {
        let status = deployments.get("app-server").await.expect("present").status?;
        (status.updated_replicas == Some(2) && status.observed_generation == Some(2)).then_some(())
    };
    eventually("complete status", complete).await;
}

#[tokio::test]
async fn the_api_comes_back_at_its_address() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    fixture.sim.cluster().stop_listening().await.expect("stopped");
    pods.list(&ListParams::default()).await.expect_err("must be refused");
    fixture.sim.cluster().resume_listening().await.expect("resumed");
    eventually("list", async || pods.list(&ListParams::default()).await.ok()).await;
}

fn line(message: &str) -> Frame {
    Frame::LogEntryAdded {
        entry: LogEntry {
            time: 1.0,
            level: "INFO".to_owned(),
            target: "app_server".to_owned(),
            span_name: String::new(),
            message: message.to_owned(),
        },
    }
}

fn query(watchers_count: u64, deleting: bool) -> Frame {
    Frame::LQInstanceUpdated(LiveQuery {
        table_name: "maps".to_owned(),
        filter: json!({"id": {"equalTo": "x"}}),
        last_entries: vec![],
        watchers_count,
        deleting,
    })
}

async fn next_frame<E>(socket: &mut (impl Stream<Item = Result<Message, E>> + Unpin)) -> Value
where
    E: std::fmt::Debug,
{
    loop {
        let message = in_time("frame", socket.next()).await.expect("the link is up");
        if let Message::Text(text) = message.expect("a message") {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

#[tokio::test]
async fn every_client_of_the_link_hears_the_present_queries_and_then_all_frames() {
    let fixture = start(Scenario::Quiet).await;
    let app_server = fixture.sim.app_server();
    assert_eq!(app_server.send(&line("nobody hears this")).await, 0);
    app_server.send(&query(2, false)).await;
    let url = fixture.sim.app_server_url();
    let (mut first, _) = connect_async(&url).await.expect("connected");
    let (mut second, _) = connect_async(&url).await.expect("connected");
    assert_eq!(app_server.send(&line("hello")).await, 2);
    for socket in [&mut first, &mut second] {
        let present = next_frame(socket).await;
        assert_eq!(present["LQInstanceUpdated"]["watchers_count"], 2);
        assert_eq!(next_frame(socket).await["LogEntryAdded"]["entry"]["message"], "hello");
    }

    app_server.send(&query(0, true)).await;
    second.close(None).await.expect("closed");
    eventually("departure", async || (app_server.clients() == 1).then_some(())).await;
    let (mut third, _) = connect_async(&url).await.expect("connected");
    app_server.send(&line("again")).await;
    let heard = next_frame(&mut third).await;
    assert_eq!(heard["LogEntryAdded"]["entry"]["message"], "again", "the query was removed");
}

#[tokio::test]
async fn a_client_of_the_link_gets_its_pings_answered() {
    let fixture = start(Scenario::Quiet).await;
    let (mut socket, _) = connect_async(fixture.sim.app_server_url()).await.expect("connected");
    socket.send(Message::Ping("are you there".into())).await.expect("sent");
    let answer = in_time("pong", socket.next()).await.expect("the link is up");
    assert!(matches!(answer, Ok(Message::Pong(_))));
}

#[tokio::test]
async fn the_link_is_at_its_path_alone_and_comes_back_at_its_address() {
    let fixture = start(Scenario::Quiet).await;
    let url = fixture.sim.app_server_url();
    connect_async(url.replace("-link", "-other")).await.expect_err("must be refused");
    let (mut socket, _) = connect_async(&url).await.expect("connected");
    let app_server = fixture.sim.app_server();
    app_server.stop_listening().await.expect("stopped");
    in_time("end", async { while let Some(Ok(_)) = socket.next().await {} }).await;
    connect_async(&url).await.expect_err("must be refused");
    app_server.resume_listening().await.expect("resumed");
    connect_async(&url).await.expect("connected again");
}

#[tokio::test]
async fn the_demo_tells_all_three_kinds_of_frames() {
    let fixture = start(Scenario::Demo).await;
    let (mut socket, _) = connect_async(fixture.sim.app_server_url()).await.expect("connected");
    let mut tags = BTreeSet::new();
    while tags.len() < 3 {
        let frame = next_frame(&mut socket).await;
        tags.extend(frame.as_object().expect("a tag").keys().cloned());
    }
    let expected = ["LQInstanceUpdated", "LogEntryAdded", "MtxEntryDone"];
    assert!(tags.iter().map(String::as_str).eq(expected), "{tags:?}");
}

#[tokio::test]
async fn the_app_server_tells_of_its_process_beside_the_link() {
    let fixture = start(Scenario::Quiet).await;
    let url = fixture.sim.app_server().basic_info_url();
    let answer = client::plain().get(&url).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.expect("a text");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert!(told["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{told}");
    assert_eq!(told["link_clients"], 0);
    // And the link is there as before.
    let (mut link, _) = connect_async(fixture.sim.app_server_url()).await.expect("a greeting");
    link.close(None).await.expect("it listens");
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_scale_is_a_resource_of_its_own() {
    let fixture = start(Scenario::Quiet).await;
    let deployments: Api<Deployment> = Api::namespaced(fixture.client.clone(), "default");
    let scale = deployments.get_scale("app-server").await.expect("it has a scale");
    assert_eq!(scale.spec.and_then(|spec| spec.replicas), Some(2));
    let patch = json!({"spec": {"replicas": 3}});
    let mut params = PatchParams { dry_run: true, ..PatchParams::default() };
    let dry = deployments.patch_scale("app-server", &params, &Patch::Merge(&patch)).await;
    assert_eq!(dry.expect("it is allowed").spec.and_then(|spec| spec.replicas), Some(3));
    let pod = in_time("pod", async {
        loop {
            let pods = fixture.pods().list(&ListParams::default()).await.expect("pods are served");
            if let Some(name) = pods.items.into_iter().find_map(|pod| pod.metadata.name) {
                return name;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let pod = pod.await;
    let delete = DeleteParams { dry_run: true, ..DeleteParams::default() };
    fixture.pods().delete(&pod, &delete).await.expect("it is allowed");
    let kept = fixture.pods().get(&pod).await.expect("it is still there");
    assert_eq!(kept.metadata.deletion_timestamp, None);
    assert_eq!(fixture.sim.cluster().interventions(), 0);

    params.dry_run = false;
    let patched = deployments.patch_scale("app-server", &params, &Patch::Merge(&patch)).await;
    patched.expect("it is done");
    let deployment = deployments.get("app-server").await.expect("it is there");
    assert_eq!(deployment.spec.and_then(|spec| spec.replicas), Some(3));
    assert_eq!(fixture.sim.cluster().interventions(), 1);
}

#[tokio::test]
async fn the_app_server_answers_its_own_requests_on_the_port_of_the_link() {
    let fixture = start(Scenario::Quiet).await;
    let (mut link, _) = connect_async(fixture.sim.app_server_url()).await.expect("it connects");
    let url = fixture.sim.app_server_url().replace("ws://", "http://");
    let url = url.replace("/monitor-backend-link", "/graphql");
    let ask = async |node: &str, key: Option<&str>| {
        let body = json!({"variables": {"input": {"revision": {"node": node}}}});
        let request = client::plain().post(&url).body(body.to_string());
        let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
        let answer = request.send().await.expect("it answers");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    assert_eq!(ask("n", None).await.0, 401);
    let (status, answer) = ask("n", Some("key")).await;
    assert_eq!(status, 200);
    assert!(answer["data"]["addNodeRevision"]["id"].is_string(), "{answer}");
    let (status, answer) = ask("missing", Some("key")).await;
    assert_eq!((status, answer["errors"].as_array().map(Vec::len)), (200, Some(1)), "{answer}");
    let told = in_time("line", link.next()).await.expect("a message").expect("it is whole");
    assert!(told.to_text().expect("text").contains("there is no node missing"), "{told}");
}

#[tokio::test]
async fn logs_are_told_from_a_moment_on_with_their_times_and_only_of_runs_that_there_were() {
    let fixture = start(Scenario::Quiet).await;
    let pods = fixture.pods();
    let listed = pods.list(&ListParams::default().labels("app=app-server")).await.expect("a list");
    let pod = name(&listed.items[0]);
    let asked = LogParams { timestamps: true, tail_lines: Some(3), ..LogParams::default() };
    let log = pods.logs(&pod, &asked).await.expect("a log");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    for line in &lines {
        let (stamp, text) = line.split_once(' ').expect("a time and a text");
        let _: jiff::Timestamp = stamp.parse().expect("a time");
        let line: Value = serde_json::from_str(text).expect("the app-server writes JSON");
        assert!(line["fields"]["message"].is_string(), "{text}");
    }
    let stamp: jiff::Timestamp = lines[1].split(' ').next().expect("it").parse().expect("a time");
    let second = jiff::Timestamp::from_second(stamp.as_second()).expect("a time");
    let since = LogParams { since_time: Some(second), timestamps: true, ..LogParams::default() };
    let again = pods.logs(&pod, &since).await.expect("a log");
    assert!(again.contains(lines[1]) && again.contains(lines[2]), "the same again: {again}");

    for wrong in [
        LogParams { previous: true, ..LogParams::default() },
        LogParams { container: Some("other".into()), ..LogParams::default() },
    ] {
        let refused = pods.logs(&pod, &wrong).await.expect_err("there is no such log");
        assert!(matches!(&refused, kube::Error::Api(status) if status.code == 400), "{refused}");
    }
}
