//! Loki's lines, against a double that answers what its documentation says, and what it does not.

use std::time::Duration;

use monitor_backend::outside::{Limits, Tool, ToolConfig};
use reqwest::Method;
use serde_json::Value;

use crate::{
    double::{Double, Reply},
    support::refusal,
    visitor::{Desk, config},
};

/// As documented for a query of streams.
const STREAMS: &str = r#"{"status":"success","data":{"resultType":"streams","result":[
    {"stream":{"app":"web","level":"error"},"values":[
        ["1569266497240578000","foo"],["1569266492548155000","bar"]]},
    {"stream":{"app":"db","detected_level":"info"},"values":[
        ["1569266495000000001","baz",{"trace_id":"t1"}]]}
],"stats":{"summary":{"bytesProcessedPerSecond":0}}}}"#;

fn answers(line: &str) -> Reply {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"status\":".to_vec();
    let query = line.split("query=").nth(1).unwrap_or_default();
    match query.split(['&', ' ']).next().unwrap_or_default() {
        "broken" => Reply::whole(
            "400 Bad Request",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER\n",
        ),
        "many" => Reply::whole(
            "400 Bad Request",
            "Content-Type: application/json\r\n",
            r#"{"code":400,"status":"error","message":"max entries limit per query exceeded"}"#,
        ),
        "numbers" => Reply::ok("", r#"{"data":{"resultType":"matrix","result":[]}}"#),
        "garbage" => Reply::ok("", "<html>a gateway's page</html>"),
        "failing" => Reply::whole("503 Service Unavailable", "", "an ingester with a secret"),
        "hangs" => Reply::ThenHang(Vec::new()),
        "slow" => Reply::Drip(b"HTTP/1.1 200 OK\r\n\r\n ".to_vec(), Duration::from_millis(20)),
        "cut" => Reply::Bytes(cut),
        _ => Reply::ok("Content-Type: application/json\r\n", STREAMS),
    }
}

async fn desk(loki: &Double) -> Desk {
    let limits = Limits { first_byte: Duration::from_millis(500), ..Limits::default() };
    let config = ToolConfig { tenant: Some("team".into()), ..config(loki.url()) };
    Desk::bounded(vec![(Tool::Loki, config)], limits).await
}

#[tokio::test]
async fn lines_come_in_the_shape_of_our_own() {
    let loki = Double::start(answers).await;
    let desk = desk(&loki).await;
    let asked = "/api/outside/loki?query=%7Bapp%3D~%22.%2B%22%7D&start=1569266490000\
                 &end=2019-09-23T19:21:40Z&limit=3";
    let answer = desk.server.json(asked).await;
    let rows = answer["entries"].as_array().unwrap();
    let told: Vec<[&Value; 4]> = rows
        .iter()
        .map(|row| [&row["message"], &row["level"], &row["target"], &row["source"]])
        .collect();
    assert_eq!(told[0], ["foo", "ERROR", "web", "outside/loki"]);
    assert_eq!(told[1], ["baz", "INFO", "db", "outside/loki"]);
    assert_eq!(told[2], ["bar", "ERROR", "web", "outside/loki"]);
    assert_eq!(rows[1]["time_ns"], "1569266495000000001");
    assert_eq!(rows[0]["time"], 1_569_266_497_240.578);
    assert_eq!(rows[1]["labels"]["trace_id"], "t1");
    assert_eq!(answer["is_full"], true);
    assert!(answer["seq"].is_u64());

    let seen = &loki.seen()[0];
    let line = "GET /loki/api/v1/query_range?query=%7Bapp%3D%7E%22.%2B%22%7D&\
                start=1569266490000000000&end=1569266500000000000&limit=3&direction=backward ";
    assert!(seen.starts_with(line), "{seen}");
    assert!(seen.to_lowercase().contains("x-scope-orgid: team"), "{seen}");
    assert!(!seen.to_lowercase().contains("authorization"), "{seen}");
}

#[tokio::test]
async fn each_failure_is_a_value_with_its_reason() {
    let loki = Double::start(answers).await;
    let desk = desk(&loki).await;
    for (query, status, code, why) in [
        ("broken", 400, "invalid", "parse error at line 1, col 1"),
        ("many", 400, "invalid", "max entries limit per query exceeded"),
        ("numbers", 400, "invalid", "gives numbers"),
        ("garbage", 502, "outside", "not what the documentation says"),
        ("failing", 502, "outside", "503 Service Unavailable"),
        ("hangs", 502, "outside", "in time"),
        ("slow", 502, "outside", "in time"),
        ("cut", 502, "outside", "Loki gave no lines"),
    ] {
        let answer = desk.server.get(&format!("/api/outside/loki?query={query}")).await;
        assert_eq!(answer.status(), status, "{query}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], code, "{query}");
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(why) && !message.contains("secret"), "{query}: {message}");
    }
    drop(loki);
    let gone = refusal(desk.server.ask(Method::GET, "/api/outside/loki?query=x")).await;
    assert_eq!(gone, (502, "outside".into()));
    assert_eq!(desk.server.get("/api/logs").await.status(), 200);
}
