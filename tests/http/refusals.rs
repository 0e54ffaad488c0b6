//! Bad input: refused with a status, a code and a text, never worse.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{DEADLINE, KEY, Recording, Server, log, refusal};
use monitor_backend::event::Level;

async fn server(recording: &Recording) -> Server {
    assert!(recording.published.replayed().await);
    Server::live(recording, |_| {}).await
}

#[tokio::test]
async fn an_unknown_route_is_a_json_404() {
    let recording = Recording::start();
    let server = server(&recording).await;
    for path in ["/api", "/api/", "/api/nothing", "/api/logs/", "/api/logs/1", "/api//logs"] {
        let refused = refusal(server.ask(Method::GET, path)).await;
        assert_eq!(refused, (404, "no_route".into()), "{path}");
    }
    for path in ["/api/objects/none", "/api/requests/none", "/api/journal/segments/..%2f..%2fx"] {
        let refused = refusal(server.ask(Method::GET, path)).await;
        assert_eq!(refused, (404, "not_found".into()), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let recording = Recording::start();
    let server = server(&recording).await;
    let cases = [
        (Method::POST, "/api/logs", "GET, HEAD"),
        (Method::GET, "/api/journal/wipe", "POST"),
        (Method::PUT, "/api/session", "GET, HEAD, POST, DELETE"),
        (Method::OPTIONS, "/api/status", "GET, HEAD"),
        (Method::POST, "/index.html", "GET, HEAD"),
    ];
    for (method, path, allow) in cases {
        let answer = server.ask(method, path).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert_eq!(answer.headers()["allow"], allow, "{path}");
    }
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let recording = Recording::start();
    let server = server(&recording).await;
    let cases = [
        ("/api/logs?limit=0", "limit"),
        ("/api/logs?limit=many", "limit"),
        ("/api/logs?before=x", "before"),
        ("/api/logs?after=-1", "after"),
        ("/api/logs?level=loud", "level"),
        ("/api/objects?deleted=maybe", "deleted"),
        ("/api/status?at=tomorrow", "at"),
        ("/api/overview?at=9007199254740991", "at"),
        ("/api/live?topics=pods", "topics"),
        ("/api/live?at=1", "at"),
        ("/api/journal/backup?to=9007199254740991", "to"),
    ];
    for (path, name) in cases {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 400, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(&format!("`{name}`")), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_write_with_a_moment_is_refused() {
    let recording = Recording::start();
    let server = server(&recording).await;
    for path in ["/api/journal/wipe?at=1", "/api/actions?at=2026-01-31T06:12:03Z"] {
        let write = server.ask(Method::POST, path).json(&json!({}));
        assert_eq!(refusal(write).await, (409, "past".into()), "{path}");
    }
}

#[tokio::test]
async fn a_wipe_needs_its_confirmation_and_a_reason() {
    let recording = Recording::start();
    let server = server(&recording).await;
    let epoch = server.json("/api/status").await["journal"]["epoch"].clone();
    let bodies = [
        r#"{"confirm":"wipe"}"#,
        r#"{"confirm":"wipe","reason":"  "}"#,
        r#"{"confirm":"Wipe","reason":"why"}"#,
        r#"{"confirm":"wipe","reason":7}"#,
        r#"{"confirm":"wipe","reason":"why""#,
        "",
        "\0",
        "[[[[",
    ];
    for body in bodies {
        let wipe = server.ask(Method::POST, "/api/journal/wipe").body(body);
        assert_eq!(refusal(wipe).await.0, 400, "{body}");
    }
    assert_eq!(server.json("/api/status").await["journal"]["epoch"], epoch);
}

#[tokio::test]
async fn an_oversized_body_is_refused_after_it_was_sent() {
    let recording = Recording::start();
    let server = server(&recording).await;
    for bytes in [(64 << 10) + 1, 10 << 20] {
        let write = server.ask(Method::POST, "/api/journal/wipe").body(vec![b' '; bytes]);
        assert_eq!(refusal(write).await, (413, "body_too_large".into()), "{bytes}");
    }
    let unread = server.ask(Method::POST, "/api/session").body(vec![b' '; 64 << 10]);
    assert_eq!(refusal(unread).await.0, 400, "within the bound it is only no JSON");
}

#[tokio::test]
async fn odd_requests_get_an_answer_or_an_end_and_the_server_goes_on() {
    let recording = Recording::start();
    let server = server(&recording).await;
    recording.observe(vec![log(Level::Info, "still here")]).await;
    let long = format!("GET /api/logs?q={} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let requests: [&[u8]; 10] = [
        b"GET /api/logs?q=%00%ff%zz%&&=&at HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/objects/%00%ff%2e%2e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET http://else.where/api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\x01\x02\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long.as_bytes(),
    ];
    for request in requests {
        let mut connection = server.connect().await;
        // The server may end the connection before it has read everything.
        let _ = connection.write_all(request).await;
        let mut answer = Vec::new();
        let read = connection.read_to_end(&mut answer);
        // A reset is an end as well.
        let _ = tokio::time::timeout(DEADLINE, read).await.expect("an end in time");
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains(" 500 ") && !text.contains(KEY), "{text}");
    }
    assert_eq!(server.json("/api/logs").await["entries"][0]["message"], "still here");
}
