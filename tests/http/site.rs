//! The embedded frontend, the headers of every answer, and the base path.

use reqwest::{Method, StatusCode};

use crate::support::{Recording, Server};

#[tokio::test]
async fn every_answer_is_hardened() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    for path in ["/", "/nothing", "/healthz", "/api/status", "/api/nothing", "/api/live"] {
        let answer = server.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let csp = header("content-security-policy");
        assert!(csp.starts_with("default-src 'self';"), "{csp}");
        assert!(csp.contains("frame-ancestors 'none'") && !csp.contains("unsafe"), "{csp}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        let kept = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(header("cache-control"), kept, "{path}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn the_page_holds_no_inline_script_and_leads_nowhere_else() {
    let recording = Recording::start();
    let server = Server::live(&recording, |_| {}).await;
    let page = server.bare(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = page.text().await.unwrap();
    for part in page.split("<script").skip(1) {
        let tag = part.split('>').next().unwrap();
        assert!(tag.contains("src="), "an inline script: {tag}");
    }
    assert!(!page.contains("<style") && !page.contains(" style="), "an inline style");
    for outside in ["src=\"/", "href=\"/", "src=\"http", "href=\"http"] {
        assert!(!page.contains(outside), "{outside} does not hold below a base path");
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |_| {}).await;
    for path in ["/", "/healthz", "/api/objects", "/api/nothing", "/api/live"] {
        let head = server.ask(Method::HEAD, path).send().await.unwrap();
        let get = server.get(path).await;
        assert_eq!(head.status(), get.status(), "{path}");
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            assert_eq!(head.headers().get(name), get.headers().get(name), "{path} {name}");
        }
        assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
    }
}

#[tokio::test]
async fn everything_stands_below_the_base_path_and_without_it() {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let server = Server::live(&recording, |desk| desk.base_path = "/monitor".into()).await;
    for path in ["/healthz", "/", "/api/status", "/api/logs"] {
        assert_eq!(server.get(path).await.status(), 200, "{path}");
        let below = format!("/monitor{path}");
        assert_eq!(server.get(&below).await.status(), 200, "{below}");
    }
    for path in ["/monitors/api/status", "/monitor/nothing", "/monitorhealthz"] {
        assert_eq!(server.get(path).await.status(), 404, "{path}");
    }
    let bare = server.get("/monitor").await;
    assert_eq!(bare.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(bare.headers()["location"], "monitor/");
    let backup = server.get("/monitor/api/journal/backup").await;
    assert_eq!(backup.status(), StatusCode::TEMPORARY_REDIRECT);
    assert!(backup.headers()["location"].to_str().unwrap().starts_with("backup?to="));
}
