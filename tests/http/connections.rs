//! Connections: their bound, their time-outs and their end.

use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    feed::Feed,
    support::{DEADLINE, KEY, Recording, Server, log, options, refusal, until},
};
use monitor_backend::{event::Level, journal};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// Reads until the server ends the connection.
async fn rest(connection: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = connection.read_to_end(&mut answer);
    timeout(DEADLINE, read).await.expect("an end in time").expect("a clean end");
    String::from_utf8(answer).expect("plain text")
}

#[tokio::test]
async fn a_slow_or_idle_client_is_cut_off() {
    let recording = Recording::start();
    let server = Server::live(&recording, |desk| {
        desk.limits.header_time = Duration::from_millis(100);
    })
    .await;
    for sent in [&b""[..], b"GET /hea", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", HEALTH] {
        let mut connection = server.connect().await;
        connection.write_all(sent).await.unwrap();
        let answer = rest(&mut connection).await;
        assert_eq!(answer.contains(" 200 OK"), sent == HEALTH, "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let recording = Recording::start();
    let server = Server::live(&recording, |desk| {
        desk.limits.body_time = Duration::from_millis(100);
    })
    .await;
    let mut connection = server.connect().await;
    let head = format!(
        "POST /api/journal/wipe HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Length: 20\r\n\r\n{{"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    assert!(rest(&mut connection).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    // More than the sockets hold between them.
    let line = "x".repeat(500_000);
    for _ in 0..8 {
        recording.observe((0..4).map(|_| log(Level::Info, &line)).collect()).await;
    }
    let last = recording.published.snapshot.load().seq;
    let server = Server::live(&recording, |desk| {
        desk.limits.stall_time = Duration::from_millis(100);
        desk.limits.connections = 1;
    })
    .await;
    let mut stalled = server.connect().await;
    let request = format!(
        "GET /api/journal/backup?to={last} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    );
    stalled.write_all(request.as_bytes()).await.unwrap();
    let mut next = server.connect().await;
    next.write_all(HEALTH).await.unwrap();
    let mut byte = [0];
    timeout(DEADLINE, next.read_exact(&mut byte)).await.expect("its turn came").unwrap();
    let mut got = Vec::new();
    // A reset is an end as well.
    let _ = timeout(DEADLINE, stalled.read_to_end(&mut got)).await.expect("an end in time");
    assert!(got.starts_with(b"HTTP/1.1 200 ") && got.len() < 16_000_000, "{}", got.len());
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_their_turn() {
    let recording = Recording::start();
    let server = Server::live(&recording, |desk| desk.limits.connections = 2).await;
    let first = server.connect().await;
    let mut second = server.connect().await;
    second.write_all(HEALTH).await.unwrap();
    let mut byte = [0];
    timeout(DEADLINE, second.read_exact(&mut byte)).await.unwrap().unwrap();
    let mut third = server.connect().await;
    third.write_all(HEALTH).await.unwrap();
    let early = timeout(Duration::from_millis(100), third.read_exact(&mut byte)).await;
    assert!(early.is_err(), "two are being served");
    drop(first);
    timeout(DEADLINE, third.read_exact(&mut byte)).await.expect("its turn came").unwrap();
}

#[tokio::test]
async fn feeds_beyond_the_bound_are_refused() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |desk| desk.limits.feeds = 1).await;
    let mut only = Feed::open(&server, "", None).await;
    only.next_of("hello").await;
    let another = server.ask(Method::GET, "/api/live");
    assert_eq!(refusal(another).await, (503, "too_many".into()));
    drop(only);
    let free = async {
        while server.ask(Method::GET, "/api/live").send().await.unwrap().status() != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, free).await.expect("a feed that was left is free again");
}

#[tokio::test]
async fn a_stop_ends_feeds_and_idle_connections() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |desk| desk.limits.grace = DEADLINE * 10).await;
    let mut idle = server.connect().await;
    let mut feed = Feed::open(&server, "", None).await;
    feed.next_of("hello").await;
    server.stop().await;
    assert_eq!(rest(&mut idle).await, "");
    while feed.next().await.is_some() {}
}

#[tokio::test]
async fn the_surface_answers_before_the_journal_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let held = journal::open(options(dir.path())).unwrap();
    let recording = Recording::in_dir(dir);
    let server = Server::live(&recording, |_| {}).await;
    let status_of = async |path: &str| server.get(path).await.status().as_u16();
    assert_eq!(status_of("/healthz").await, 200);
    assert_eq!(status_of("/").await, 200);
    assert_eq!(status_of("/readyz").await, 503);
    for path in ["/api/logs", "/api/overview", "/api/live", "/api/journal", "/api/status?at=1"] {
        let refused = refusal(server.ask(Method::GET, path)).await;
        assert_eq!(refused, (503, "starting".into()), "{path}");
    }
    let lock_named = || {
        let health = recording.published.health.load();
        health.degraded.iter().any(|text| text.contains("lock"))
    };
    until("the lock is what is waited for", lock_named).await;
    let status = server.json("/api/status").await;
    assert_eq!(status["replay"]["done"], false);
    assert_eq!(status["journal"]["id"], "");
    drop(held);
    assert!(recording.published.replayed().await);
    assert_eq!(status_of("/readyz").await, 200);
    assert_eq!(status_of("/api/logs").await, 200);
}
