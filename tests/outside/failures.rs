//! Tools that refuse, hang, talk nonsense, are slow or vanish: it is said, and nothing else suffers.

use std::time::Duration;

use monitor_backend::outside::{Limits, Tool, Upstream};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    double::{Double, Reply},
    support::until,
    visitor::{Desk, config},
};

/// Short enough to be reached in a test.
fn short() -> Limits {
    Limits {
        first_byte: Duration::from_millis(300),
        still: Duration::from_millis(300),
        answer_bytes: 64 << 10,
        at_once: 2,
        ..Limits::default()
    }
}

fn failing(line: &str) -> Reply {
    let endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    match line.split(' ').nth(1).unwrap_or_default() {
        "/hangs" => Reply::ThenHang(Vec::new()),
        "/garbage" => Reply::Bytes(b"\x00\xff this is no HTTP\r\n\r\n".to_vec()),
        "/headers-for-ever" => Reply::Drip(b"HTTP/1.1 200 OK\r\nX: y\r\n".to_vec(), Duration::ZERO),
        "/stands-still" => Reply::ThenHang([&endless[..], b"some"].concat()),
        "/vanishes" => Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome".to_vec()),
        "/large" => Reply::ok("", &"x".repeat(128 << 10)),
        "/slow" => Reply::Drip([&endless[..], b"."].concat(), Duration::from_millis(10)),
        _ => Reply::ok("", "well"),
    }
}

#[tokio::test]
async fn whatever_a_tool_does_it_is_said_and_the_rest_goes_on() {
    let sound = Double::start(|_| Reply::ok("", "sound")).await;
    let tool = Double::start(failing).await;
    let tools =
        vec![(Tool::Prometheus, config(tool.url())), (Tool::Alertmanager, config(sound.url()))];
    let desk = Desk::bounded(tools, short()).await;
    let visitor = desk.enter("prometheus").await;
    until("it is known to be up", || {
        desk.outside.health(Tool::Prometheus).is_some_and(|health| health.up == Some(true))
    })
    .await;
    for (path, why) in [("/hangs", "did not begin to answer"), ("/garbage", "Why: ")] {
        let answer = visitor.get(&format!("/prometheus{path}")).await;
        assert_eq!(answer.status(), 502, "{path}");
        let page = answer.text().await.unwrap();
        for part in ["Prometheus is not answering", why, "last up at", "Everything else works"] {
            assert!(page.contains(part), "{path}: {part}: {page}");
        }
    }
    assert_eq!(visitor.get("/prometheus/headers-for-ever").await.status(), 502);
    for path in ["/stands-still", "/vanishes", "/large"] {
        let answer = visitor.get(&format!("/prometheus{path}")).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.expect_err("an answer without its end looks like one");
    }
    assert_eq!(visitor.get("/alertmanager/").await.text().await.unwrap(), "sound");
    assert_eq!(visitor.get("/prometheus/").await.text().await.unwrap(), "well");
    assert_eq!(desk.server.get("/api/overview").await.status(), 200);
}

#[tokio::test]
async fn a_slow_tool_holds_up_itself_alone() {
    let sound = Double::start(|_| Reply::ok("", "sound")).await;
    let tool = Double::start(failing).await;
    let tools =
        vec![(Tool::Prometheus, config(tool.url())), (Tool::Alertmanager, config(sound.url()))];
    let desk = Desk::bounded(tools, Limits { answer_bytes: u64::MAX, ..short() }).await;
    let visitor = desk.enter("prometheus").await;
    let slow = [visitor.get("/prometheus/slow").await, visitor.get("/prometheus/slow").await];
    let third = visitor.get("/prometheus/").await;
    assert_eq!(third.status(), 503);
    assert!(third.text().await.unwrap().contains("2 requests to this tool are running already"));
    assert_eq!(visitor.get("/alertmanager/").await.text().await.unwrap(), "sound");
    drop(slow);
    let mut status = 503;
    for _ in 0..500 {
        status = visitor.get("/prometheus/").await.status().as_u16();
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(status, 200, "a browser that goes away makes room");
}

#[tokio::test]
async fn a_tool_that_comes_and_goes_is_told_with_the_times() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let limits = Limits { health_pace: Duration::from_millis(20), ..Limits::default() };
    let url = Upstream::parse(&format!("http://{address}")).unwrap();
    let desk = Desk::bounded(vec![(Tool::Prometheus, config(url))], limits).await;
    let visitor = desk.enter("prometheus").await;
    let up = || desk.outside.health(Tool::Prometheus).and_then(|health| health.up);

    until("it is down", || up() == Some(false)).await;
    let row = desk.server.json("/api/outside").await["tools"][0].clone();
    assert_eq!((&row["up"], &row["last_up"]), (&Value::Bool(false), &Value::Null));
    assert!(row["reason"].as_str().unwrap().contains("refused"), "{row}");
    assert_eq!(row["url"], format!("//{}/prometheus/", desk.tools));
    assert!(!row.to_string().contains(&address.to_string()), "no address of the inside: {row}");
    let page = visitor.get("/prometheus/").await;
    assert_eq!(page.status(), 502);
    assert!(page.text().await.unwrap().contains("has not been up since this recorder started"));

    let tool = Double::on(TcpListener::bind(address).await.unwrap(), |_| Reply::ok("", "back"));
    until("it is up", || up() == Some(true)).await;
    assert_eq!(visitor.get("/prometheus/").await.text().await.unwrap(), "back");
    drop(tool);
    until("it is down again", || up() == Some(false)).await;
    let row = desk.server.json("/api/outside").await["tools"][0].clone();
    let (since, last_up) = (row["since"].as_f64().unwrap(), row["last_up"].as_f64().unwrap());
    assert!(last_up <= since, "{row}");
    let page = visitor.ask(Method::GET, "/prometheus/").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("It was last up at 20"));
}
