//! The real binary against an app-server that fails in every way: the source says why, all other
//! views stay live, and it recovers by itself.

#[path = "support/app_server.rs"]
mod app_server;
#[path = "support/process.rs"]
mod process;

use std::collections::BTreeSet;

use app_server::{AppServer, Connection, log, now, trace};
use monitor_backend::sim::{Scenario, Sim};
use process::Process;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

const NAMESPACE: &str = "default";
const PODS: &str = "/api/objects?kind=Pod";
const WORKLOAD: &str = "app-server";

/// How the app-server fails.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Garbage,
    TornFrame,
    Reset,
    HangsInTheGreeting,
}

/// Each failure, and what the source says of it.
const FAILURES: [(Failure, &str); 4] = [
    (Failure::Garbage, "utf-8"),
    (Failure::TornFrame, "did the app-server restart"),
    (Failure::Reset, "did the app-server restart"),
    (Failure::HangsInTheGreeting, "no answer within 5 s"),
];

async fn accept(server: &AppServer) -> Connection {
    loop {
        // What asks for the basic info speaks no WebSocket.
        if let Some(connection) = server.try_accept().await {
            return connection;
        }
    }
}

fn source<'a>(sources: &'a Value, name: &str) -> Option<&'a Value> {
    sources["sources"].as_array()?.iter().find(|source| source["name"] == name)
}

fn is(sources: &Value, name: &str, state: &str) -> bool {
    source(sources, name).is_some_and(|source| source["state"] == state)
}

fn uids(objects: &Value) -> BTreeSet<String> {
    let rows = objects["objects"].as_array().into_iter().flatten();
    rows.map(|row| row["uid"].to_string()).collect()
}

/// Breaks a connection.
async fn fail(failure: Failure, mut connection: Connection) {
    match failure {
        Failure::Garbage => {
            let bytes = b"\x81\x02\xc3\x28";
            connection.0.get_mut().write_all(bytes).await.expect("the link listens");
            // Until the other side has ended it: the garbage is to be the reason.
            use futures_util::StreamExt;
            while let Some(Ok(_)) = connection.0.next().await {}
        }
        Failure::TornFrame => {
            let half = b"\x81\x7e\x01\x00{\"LogEntryAdded\":";
            connection.0.get_mut().write_all(half).await.expect("the link listens");
        }
        Failure::Reset => {
            connection.0.get_ref().set_zero_linger().expect("it is connected");
        }
        // The system accepts what connects, and nobody greets it.
        Failure::HangsInTheGreeting => drop(connection),
    }
}

#[tokio::test]
async fn each_failure_of_the_app_server_costs_its_source_alone_and_is_over_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sim = Sim::start(Scenario::Quiet, 1, folder.path()).await.expect("the simulation starts");
    let server = AppServer::start().await;
    let kubeconfig = sim.kubeconfig().to_str().expect("temporary paths are text");
    let more = ["--app-server-url", &server.url(), "--kubeconfig", kubeconfig];
    let process = Process::serve(&folder.path().join("data"), &more).ready().await;
    for (round, (failure, reason)) in FAILURES.into_iter().enumerate() {
        let mut connection = accept(&server).await;
        process.wait_for("/api/sources", |sources| is(sources, "app-server", "up")).await;
        let id = format!("request-{round}");
        connection.say(&trace(&id, None)).await;
        let line = format!("line {round}");
        connection.say(&log(now(), &line)).await;
        let route = format!("/api/requests/{id}");
        process.wait_for(&route, |answer| answer["requests"][0]["end"] == "open").await;

        let known = uids(&process.get(PODS).await);
        fail(failure, connection).await;
        let told = |sources: &Value| {
            let source = source(sources, "app-server");
            source.is_some_and(|source| {
                let told = source["reason"].as_str().unwrap_or_default().to_lowercase();
                source["state"] == "down" && told.contains(reason)
            })
        };
        let sources = process.wait_for("/api/sources", told).await;
        assert!(is(&sources, "cluster/Pod", "up"), "{sources:#}");
        // What the cluster does is seen meanwhile.
        let image = format!("registry.example/app:{round}");
        assert!(sim.cluster().deploy(NAMESPACE, WORKLOAD, &image));
        process.wait_for(PODS, |pods| uids(pods).iter().any(|uid| !known.contains(uid))).await;
        let answer =
            process.wait_for(&route, |answer| answer["requests"][0]["end"] == "not_observed").await;
        // What is shown now is what a replay of the journal shows.
        let seq = answer["seq"].as_u64().expect("a number");
        let replayed = process.get(&format!("{route}?at={seq}")).await;
        assert_eq!(replayed["requests"], answer["requests"], "{failure:?}");
        let found = process.get(&format!("/api/logs?q=line%20{round}")).await;
        assert_eq!(found["entries"].as_array().map(Vec::len), Some(1), "{found:#}");
    }
    // The link has given up some of the connections that wait to be accepted.
    let accepting = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(accept(&server).await);
        }
    });
    process.wait_for("/api/sources", |sources| is(sources, "app-server", "up")).await;
    assert_eq!(process.terminate(), Some(0));
    accepting.abort();
}
