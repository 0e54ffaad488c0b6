//! Who gets onto the second port, and what its cookie opens.

use monitor_backend::outside::Tool;
use reqwest::{
    Method,
    header::{CONTENT_SECURITY_POLICY, COOKIE, ORIGIN, SET_COOKIE},
};
use serde_json::{Value, json};

use crate::{
    double::{Double, Reply},
    support::{KEY, Recording, Server, refusal},
    visitor::{Desk, config},
};

async fn desk() -> (Double, Desk) {
    let tool = Double::start(|_| Reply::ok("", "a page")).await;
    let desk = Desk::with(vec![(Tool::Prometheus, config(tool.url()))]).await;
    (tool, desk)
}

#[tokio::test]
async fn nobody_gets_to_a_tool_without_a_ticket() {
    let (tool, desk) = desk().await;
    for request in [
        desk.bare(Method::GET, "/prometheus/"),
        desk.bare(Method::GET, "/prometheus/").bearer_auth(KEY),
        desk.bare(Method::GET, "/prometheus/").header(COOKIE, "monitor-tools-00000000=x"),
        desk.bare(Method::GET, "/monitor-backend-enter?ticket=00"),
        desk.bare(Method::GET, "/monitor-backend-enter"),
        desk.bare(Method::GET, "/"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().get(SET_COOKIE).is_none());
        assert!(answer.text().await.unwrap().contains("Open this tool from the desk"));
    }
    let request = desk.server.bare(Method::POST, "/api/outside/tools-session");
    let unknown = refusal(request.json(&json!({"tool": "prometheus"}))).await;
    assert_eq!(unknown, (401, "no_access".into()));
    assert_eq!(tool.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_ticket_is_good_for_one_visit() {
    let (_tool, desk) = desk().await;
    let wanted = json!({"tool": "prometheus", "path": "/graph?g0.expr=up%20%3D%3D%200"});
    let answer: Value = desk.ticket(&wanted).await.json().await.unwrap();
    let url = answer["url"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{}", desk.tools)).expect(url);
    let first = desk.bare(Method::GET, path).send().await.unwrap();
    assert_eq!(first.status(), 303);
    assert_eq!(first.headers()["location"], "/prometheus/graph?g0.expr=up%20%3D%3D%200");
    let second = desk.bare(Method::GET, path).send().await.unwrap();
    assert_eq!(second.status(), 401);
}

#[tokio::test]
async fn each_port_has_a_cookie_that_opens_nothing_else() {
    let (tool, desk) = desk().await;
    let visitor = desk.enter("prometheus").await;
    assert_eq!(visitor.get("/prometheus/").await.text().await.unwrap(), "a page");
    let on_the_desk = desk.server.bare(Method::GET, "/api/status").header(COOKIE, &visitor.cookie);
    assert_eq!(refusal(on_the_desk).await, (401, "no_access".into()));

    let log_in = desk.server.bare(Method::POST, "/api/session").json(&json!({"key": KEY}));
    let session = log_in.send().await.unwrap();
    let session = session.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let seen = tool.seen().len();
    let with_session = desk.bare(Method::GET, "/prometheus/").header(COOKIE, session);
    assert_eq!(with_session.send().await.unwrap().status(), 401);
    assert_eq!(tool.seen().len(), seen);

    let log_out = desk.server.bare(Method::DELETE, "/api/session").header(ORIGIN, desk.origin());
    let log_out = log_out.header(COOKIE, format!("{session}; {}", visitor.cookie));
    assert_eq!(log_out.send().await.unwrap().status(), 204);
    assert_eq!(visitor.get("/prometheus/").await.status(), 401, "it ends with the session");
}

#[tokio::test]
async fn only_the_desk_frames_a_tool_and_only_a_tool_is_framed() {
    let (_tool, desk) = desk().await;
    let visitor = desk.enter("prometheus").await;
    let page = visitor.get("/prometheus/").await;
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert_eq!(policy, format!("frame-ancestors 'self' {}", desk.origin()));

    let ours = desk.server.bare(Method::GET, "/").send().await.unwrap();
    let policy = ours.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    let frames = format!("; frame-src http://{0} https://{0}", desk.tools);
    assert!(policy.ends_with(&frames) && policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[tokio::test]
async fn a_ticket_leads_to_a_proxied_tool_alone() {
    let tool = Double::start(|_| Reply::ok("", "")).await;
    let tools = vec![(Tool::Prometheus, config(tool.url())), (Tool::Loki, config(tool.url()))];
    let desk = Desk::with(tools).await;
    for (wanted, status, code) in [
        (json!({"tool": "alertmanager"}), 404, "not_configured"),
        (json!({"tool": "loki"}), 404, "not_configured"),
        (json!({"tool": "prometheus", "path": "//evil.example/"}), 400, "invalid"),
        (json!({"tool": "prometheus", "path": "/../x"}), 400, "invalid"),
        (json!({"tool": "prometheus", "path": "graph"}), 400, "invalid"),
        (json!({"path": "/"}), 400, "bad_body"),
    ] {
        let answer = desk.ticket(&wanted).await;
        assert_eq!(answer.status(), status, "{wanted}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["code"], code, "{wanted}");
    }
}

#[tokio::test]
async fn with_nothing_configured_there_is_nothing_and_no_fault() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    assert_eq!(server.json("/api/outside").await["tools"], json!([]));
    let ticket = server.ask(Method::POST, "/api/outside/tools-session");
    let ticket = refusal(ticket.json(&json!({"tool": "prometheus"}))).await;
    assert_eq!(ticket, (404, "not_configured".into()));
    let loki = refusal(server.ask(Method::GET, "/api/outside/loki?query=x")).await;
    assert_eq!(loki, (404, "not_configured".into()));
    let password = refusal(server.ask(Method::POST, "/api/outside/grafana/password")).await;
    assert_eq!(password, (404, "not_configured".into()));
    let page = server.bare(Method::GET, "/").send().await.unwrap();
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(!policy.contains("frame-src"), "{policy}");
}
