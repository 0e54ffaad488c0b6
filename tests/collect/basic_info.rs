//! What the app-server tells of its process, against an app-server that answers well and badly, and
//! what the recorder measures of its own.

use std::time::Duration;

use monitor_backend::{
    collect::{Config, Pace, Resume},
    event::{Event, ProcessUsage, State},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::collected::{Collected, Seen, fast};

const NAME: &str = "app-server/basic-info";
const OWN: &str = "recorder/process";

fn start(config: Config, only: &'static str) -> Collected {
    let pace = Pace { retry_refused: Duration::from_millis(20), ..fast() };
    let mut collected = Collected::start(&Config { pace, ..config }, &Resume::default(), 64);
    collected.only = only;
    collected
}

async fn usage(collected: &mut Collected) -> ProcessUsage {
    collected
        .wait(|seen| match seen {
            Seen::Event(Event::ProcessUsage(usage)) => Some(usage.clone()),
            _ => None,
        })
        .await
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, format!("http://{address}/basic-info"))
}

/// Answers one request.
async fn answer(listener: &TcpListener, status: &str, body: &str) {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut request = [0; 2048];
    let length = stream.read(&mut request).await.expect("a request");
    assert!(request[..length].starts_with(b"GET /basic-info HTTP/1.1\r\n"));
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    // One that is too long is not read to its end.
    let _ = stream.write_all(text.as_bytes()).await;
}

#[tokio::test]
async fn each_bad_answer_is_told_and_a_good_one_is_recorded_as_it_is() {
    let (listener, url) = listen().await;
    let config = Config { basic_info_url: Some(url.clone()), ..Config::default() };
    let mut collected = start(config, NAME);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(300 << 10));
    for (status, body, reason) in [
        ("404 Not Found", "", "it answered 404 Not Found"),
        ("200 OK", "<html>", "no JSON object"),
        ("200 OK", long.as_str(), "longer than 256 KiB"),
        ("200 OK", "[1]", "no JSON object"),
        ("500 Internal Server Error", "{}", "it answered 500"),
    ] {
        answer(&listener, status, body).await;
        let is_told = |seen: &Seen| match seen {
            Seen::Event(Event::SourceState(s)) if s.reason.contains(reason) => Some(s.clone()),
            _ => None,
        };
        let down = collected.wait(is_told).await;
        assert!(down.state == State::Down && down.reason.contains(&url), "{}", down.reason);
    }
    let body = r#"{"memory_bytes": 1024, "odd": [null,  1.50]}"#;
    answer(&listener, "200 OK", body).await;
    collected.state(NAME, State::Up).await;
    let usage = usage(&mut collected).await;
    assert_eq!((&*usage.name, &*usage.body), ("app-server", body));
    assert_eq!((usage.memory_bytes, usage.cpu_cores), (Some(1024), None));
}

#[tokio::test]
async fn it_is_asked_beside_the_link_and_off_without_one() {
    let mut collected = start(Config::default(), NAME);
    let off = collected.state(NAME, State::Off).await;
    assert!(off.reason.contains("--app-server-url"), "{}", off.reason);

    let (listener, url) = listen().await;
    let link = url.replace("http://", "ws://").replace("/basic-info", "/link");
    let mut collected = start(Config { app_server_url: Some(link), ..Config::default() }, NAME);
    drop(listener);
    let down = collected.state(NAME, State::Down).await;
    assert!(down.reason.contains(&url) && down.reason.contains("does it run?"), "{}", down.reason);
}

#[tokio::test]
async fn the_recorder_measures_itself() {
    let mut collected = start(Config::default(), OWN);
    collected.state(OWN, State::Up).await;
    let own = usage(&mut collected).await;
    assert_eq!(own.name, "recorder");
    assert!(own.memory_bytes.is_some_and(|bytes| bytes > 0) && own.cpu_cores.is_some());
    let body: serde_json::Value = serde_json::from_str(&own.body).expect("JSON");
    assert!(body["resident_bytes"].as_u64() >= own.memory_bytes, "{body}");
}
