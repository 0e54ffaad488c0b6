//! What passes between a browser and a tool, in both directions.

use monitor_backend::outside::Tool;
use reqwest::{
    Method,
    header::{CONTENT_SECURITY_POLICY, COOKIE, LOCATION, ORIGIN, REFERER},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    double::{Double, Reply},
    support::KEY,
    visitor::{Desk, Visitor, config},
};

/// What a tool says that must not reach a browser, and what must.
const HEADERS: &str = "Set-Cookie: monitor-session-00000000=; Path=/\r\n\
    Strict-Transport-Security: max-age=9\r\nX-Frame-Options: DENY\r\n\
    Content-Security-Policy: default-src 'self'; frame-ancestors 'none'\r\n\
    Clear-Site-Data: \"cookies\"\r\nAccess-Control-Allow-Origin: *\r\nConnection: X-Private\r\n\
    X-Private: 1\r\nService-Worker-Allowed: /\r\nETag: \"tag\"\r\nContent-Type: text/x-test\r\n";

#[tokio::test]
async fn no_credential_reaches_a_tool_and_none_comes_back() {
    let tool = Double::start(|_| Reply::ok(HEADERS, "body")).await;
    let desk = Desk::with(vec![(Tool::Prometheus, config(tool.url()))]).await;
    let visitor = desk.enter("prometheus").await;
    let answer = desk
        .bare(Method::GET, "/prometheus/api/v1/query?query=up%7Bjob%3D%22a%20b%22%7D")
        .header(COOKIE, format!("monitor-session-12345678=secret-session; {}", visitor.cookie))
        .bearer_auth(KEY)
        .header("x-forwarded-for", "1.2.3.4")
        .header("proxy-authorization", "Basic c2VjcmV0")
        .header("te", "trailers")
        .header("accept", "application/json")
        .header("if-none-match", "\"old\"")
        .send()
        .await
        .unwrap();
    let headers = answer.headers().clone();
    assert_eq!(answer.text().await.unwrap(), "body");

    let seen = tool.seen().join("\n").to_lowercase();
    assert!(seen.starts_with("get /api/v1/query?query=up%7bjob%3d%22a%20b%22%7d "), "{seen}");
    assert!(seen.contains("accept: application/json") && seen.contains("if-none-match: \"old\""));
    for word in ["cookie", "authorization", "secret", KEY, "forwarded", "monitor-tools", "te:"] {
        assert!(!seen.contains(word), "{word}: {seen}");
    }
    for name in [
        "set-cookie",
        "strict-transport-security",
        "x-frame-options",
        "clear-site-data",
        "access-control-allow-origin",
        "x-private",
        "service-worker-allowed",
    ] {
        assert!(!headers.contains_key(name), "{name}");
    }
    assert_eq!(
        (&headers["etag"], &headers["content-type"]),
        (&"\"tag\"".parse().unwrap(), &"text/x-test".parse().unwrap())
    );
    let policies: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
    assert_eq!(policies[0], "default-src 'self'");
    assert_eq!(policies[1], format!("frame-ancestors 'self' {}", desk.origin()).as_str());
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "same-origin");
}

/// Status of a request that no client would send.
async fn raw(visitor: &Visitor<'_>, target: &str, more: &str) -> u16 {
    let mut stream = TcpStream::connect(&visitor.desk.tools).await.unwrap();
    let cookie = &visitor.cookie;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n{more}Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(&answer)
}

#[tokio::test]
async fn no_path_leads_out_of_a_tool() {
    let tool = Double::start(|_| Reply::ok("", "out")).await;
    let desk = Desk::with(vec![(Tool::Prometheus, config(tool.url_at("/base")))]).await;
    let visitor = desk.enter("prometheus").await;
    for (target, status) in [
        ("/prometheus/../secret", 400),
        ("/prometheus/%2e%2e/secret", 400),
        ("/prometheus/.%2E/secret", 400),
        ("/prometheus/%252e%252e/secret", 400),
        ("/prometheus/a/..%2f..%2fsecret", 400),
        ("/prometheus/a%5c..%5csecret", 400),
        ("/prometheus//evil.example/", 400),
        ("/prometheus/a//b", 400),
        ("/prometheus/%00", 400),
        ("http://evil.example/prometheus/x", 400),
        ("http://127.0.0.1/prometheus/x", 400),
        ("//prometheus/x", 404),
        ("/../prometheus/x", 404),
        ("/prometheusx/", 404),
        ("/alertmanager/", 404),
        ("/loki/", 404),
        ("/", 404),
    ] {
        assert_eq!(raw(&visitor, target, "").await, status, "{target}");
    }
    assert_eq!(tool.seen(), Vec::<String>::new());
    assert_eq!(raw(&visitor, "/prometheus/inside?x=/../y", "").await, 200);
    assert!(tool.seen()[0].starts_with("GET /base/inside?x=/../y HTTP/1.1"), "{:?}", tool.seen());
}

#[tokio::test]
async fn an_upgrade_is_refused_clearly() {
    let tool = Double::start(|_| Reply::ok("", "")).await;
    let desk = Desk::with(vec![(Tool::Prometheus, config(tool.url()))]).await;
    let visitor = desk.enter("prometheus").await;
    assert_eq!(raw(&visitor, "/prometheus/ws", "Upgrade: websocket\r\n").await, 501);
    assert_eq!(tool.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_tool_alone() {
    let tool = Double::start(|line| {
        let to = line.split("to=").nth(1).unwrap_or_default();
        let to = to.split(' ').next().unwrap_or_default().replace("SELF", "http://127.0.0.1");
        Reply::whole("302 Found", &format!("Location: {to}\r\n"), "moved")
    })
    .await;
    let desk = Desk::with(vec![(Tool::Alertmanager, config(tool.url_at("/am")))]).await;
    let visitor = desk.enter("alertmanager").await;
    let here = format!("SELF:{}", tool.port());
    for (to, place) in [
        ("/am/graph", Some("/alertmanager/graph")),
        ("x", Some("/alertmanager/a/x")),
        (&format!("{here}/am/y"), Some("/alertmanager/y")),
        ("/am/y%3Fz", None),
        (&format!("{here}/elsewhere"), None),
        ("/elsewhere", None),
        ("//evil.example/am/", None),
        ("http://evil.example/am/", None),
        ("../../x", None),
        ("javascript:alert(1)", None),
    ] {
        let answer = visitor.get(&format!("/alertmanager/a/b?to={to}")).await;
        let led = answer.headers().get(LOCATION).map(|place| place.to_str().unwrap());
        assert_eq!(led, place, "{to}");
        assert_eq!(answer.status(), if place.is_some() { 302 } else { 502 }, "{to}");
    }
}

#[tokio::test]
async fn links_from_the_root_are_meant_within_the_tool_of_the_page() {
    let tool = Double::start(|_| Reply::ok("", "")).await;
    let tools = vec![
        (Tool::Prometheus, config(tool.url_at("/metrics"))),
        (Tool::Alertmanager, config(tool.url())),
    ];
    let desk = Desk::with(tools).await;
    let visitor = desk.enter("prometheus").await;
    for (from, path, place) in [
        ("/prometheus/graph?x", "/static/a.js?v=1", Some("/prometheus/static/a.js?v=1")),
        ("/prometheus/graph", "/metrics/static/a.js", Some("/prometheus/static/a.js")),
        ("/alertmanager/", "/api/v2/status", Some("/alertmanager/api/v2/status")),
        ("/alertmanager/", "//evil.example/", None),
        ("/loki/", "/x", None),
        ("/", "/x", None),
    ] {
        let request = visitor.ask(Method::GET, path);
        let answer = request.header(REFERER, format!("http://{}{from}", desk.tools)).send().await;
        let answer = answer.unwrap();
        let led = answer.headers().get(LOCATION).map(|place| place.to_str().unwrap());
        assert_eq!(led, place, "{from} {path}");
        assert_eq!(answer.status(), if place.is_some() { 307 } else { 404 }, "{from} {path}");
    }
    let bare = visitor.get("/prometheus?x=1").await;
    assert_eq!(
        (bare.status().as_u16(), &bare.headers()[LOCATION]),
        (307, &"/prometheus/?x=1".parse().unwrap())
    );
}

#[tokio::test]
async fn what_changes_something_comes_from_the_tools_page_and_is_on_record() {
    let tool = Double::start(|line| {
        let status = if line.contains("refused") { "400 Bad Request" } else { "200 OK" };
        Reply::whole(status, "", "{}")
    })
    .await;
    let desk = Desk::with(vec![(Tool::Alertmanager, config(tool.url()))]).await;
    let visitor = desk.enter("alertmanager").await;
    let path = "/alertmanager/api/v2/silences?secret=q";
    for origin in [None, Some("http://evil.example".to_owned()), Some(desk.origin())] {
        let request = visitor.ask(Method::POST, path).body("a silence");
        let request = origin.iter().fold(request, |request, origin| request.header(ORIGIN, origin));
        assert_eq!(request.send().await.unwrap().status(), 403, "{origin:?}");
    }
    let elsewhere = visitor.write(Method::POST, path).header("sec-fetch-site", "same-site");
    assert_eq!(elsewhere.send().await.unwrap().status(), 403);
    assert_eq!(tool.seen(), Vec::<String>::new());

    let silence = visitor.write(Method::POST, path).body("a silence with a secret");
    assert_eq!(silence.send().await.unwrap().status(), 200);
    let request = visitor.write(Method::DELETE, "/alertmanager/api/v2/silence/refused");
    assert_eq!(request.send().await.unwrap().status(), 400);
    let seen = tool.seen();
    assert!(
        seen[0].contains("POST /api/v2/silences?secret=q")
            && seen[0].ends_with("a silence with a secret")
    );
    assert!(!seen[0].to_lowercase().contains("origin"));

    let actions = desk.server.json("/api/actions").await;
    let rows = actions["actions"].as_array().unwrap();
    let told: Vec<[&Value; 5]> = rows
        .iter()
        .map(|row| {
            [
                &row["action"],
                &row["outcome"],
                &row["args"]["method"],
                &row["args"]["path"],
                &row["actor"],
            ]
        })
        .collect();
    assert_eq!(
        told[0],
        ["tool-request", "failed", "DELETE", "/api/v2/silence/refused", "admin key"]
    );
    assert_eq!(told[1], ["tool-request", "succeeded", "POST", "/api/v2/silences", "admin key"]);
    assert!(!actions.to_string().contains("secret"), "{actions}");
}

#[tokio::test]
async fn a_question_that_is_sent_as_a_form_is_no_action() {
    let tool = Double::start(|_| Reply::ok("", "{}")).await;
    let desk = Desk::with(vec![(Tool::Prometheus, config(tool.url()))]).await;
    let visitor = desk.enter("prometheus").await;
    let request = visitor.write(Method::POST, "/prometheus/api/v1/query").body("query=up");
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(tool.seen()[0].ends_with("query=up"));
    assert_eq!(desk.server.json("/api/actions").await["actions"], Value::Array(Vec::new()));
    let large = visitor.write(Method::POST, "/prometheus/api/v1/query").body("x".repeat(300 << 10));
    assert_eq!(large.send().await.unwrap().status(), 413);
}
