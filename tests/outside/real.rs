//! The real Prometheus and the real Alertmanager behind the second port.

use monitor_backend::outside::{Tool, ToolConfig};
use reqwest::{
    Method, Response,
    header::{LOCATION, REFERER},
};
use serde_json::{Value, json};

use crate::{
    monitoring::Running,
    support::until,
    visitor::{Desk, Visitor, config},
};

/// Redirects until a page is there, as a browser follows them.
const REDIRECTS_MAX: usize = 5;

/// A page and where it was found in the end; `from` is the page that asks.
async fn follow(visitor: &Visitor<'_>, path: &str, from: &str) -> (String, Response) {
    let mut path = path.to_owned();
    for _ in 0..REDIRECTS_MAX {
        let from = format!("http://{}{from}", visitor.desk.tools);
        let answer = visitor.ask(Method::GET, &path).header(REFERER, from).send().await.unwrap();
        if !answer.status().is_redirection() {
            return (path, answer);
        }
        path = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    }
    panic!("{path} leads on and on");
}

/// The addresses that a page loads.
fn loaded(page: &str) -> Vec<String> {
    let after = |word: &'static str| page.split(word).skip(1);
    let found = after("src=\"").chain(after("href=\"")).filter_map(|rest| rest.split('"').next());
    let is_file = |place: &&str| {
        let path = place.split('?').next().unwrap_or_default();
        [".js", ".css", ".ico", ".svg"].iter().any(|ending| path.ends_with(ending))
    };
    found.filter(is_file).map(str::to_owned).collect()
}

/// That a tool's page is there with everything that it loads.
async fn check_page(visitor: &Visitor<'_>, tool: &str, title: &str) {
    let (place, page) = follow(visitor, &format!("/{tool}/"), "/").await;
    assert_eq!(page.status(), 200, "{place}");
    assert!(place.starts_with(&format!("/{tool}/")), "{place}");
    let page = page.text().await.unwrap();
    assert!(page.contains(title), "{page}");
    let files = loaded(&page);
    assert!(files.len() >= 2, "{page}");
    for file in files {
        let folder = place.rsplit_once('/').unwrap().0;
        let path = if file.starts_with('/') { file } else { format!("{folder}/{file}") };
        let path = path.replace("/./", "/");
        let (at, answer) = follow(visitor, &path, &place).await;
        assert_eq!(answer.status(), 200, "{path}, {at}");
        assert!(!answer.text().await.unwrap().is_empty(), "{at}");
    }
}

#[tokio::test]
async fn prometheus_shows_its_page_and_answers_queries() {
    let prometheus = Running::prometheus(&[]);
    let desk = Desk::with(vec![(Tool::Prometheus, config(prometheus.url("")))]).await;
    let visitor = desk.enter("prometheus").await;
    check_page(&visitor, "prometheus", "<title>Prometheus").await;

    // The page's script asks at the root, since Prometheus believes to be there.
    let path = "/api/v1/query?query=vector(1)%2Bon()vector(2)";
    let (at, answer) = follow(&visitor, path, "/prometheus/graph").await;
    assert_eq!(at, format!("/prometheus{path}"));
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["data"]["result"][0]["value"][1], "3");
    let form = visitor.write(Method::POST, "/prometheus/api/v1/query");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let answer: Value = form.body("query=vector(7)").send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["result"][0]["value"][1], "7");
    until("it is known to be up", || {
        desk.outside.health(Tool::Prometheus).is_some_and(|health| health.up == Some(true))
    })
    .await;

    drop(prometheus);
    let gone = visitor.get("/prometheus/graph").await;
    assert_eq!(gone.status(), 502);
    assert!(gone.text().await.unwrap().contains("It was last up at"));
    assert_eq!(desk.server.get("/api/overview").await.status(), 200);
}

#[tokio::test]
async fn prometheus_may_have_a_path_of_its_own() {
    let prometheus = Running::prometheus(&["--web.external-url=http://localhost/some/prom"]);
    let desk = Desk::with(vec![(Tool::Prometheus, config(prometheus.url("/some/prom")))]).await;
    let visitor = desk.enter("prometheus").await;
    check_page(&visitor, "prometheus", "<title>Prometheus").await;
    let (at, answer) = follow(&visitor, "/some/prom/api/v1/labels", "/prometheus/graph").await;
    assert_eq!((at.as_str(), answer.status().as_u16()), ("/prometheus/api/v1/labels", 200));
}

#[tokio::test]
async fn prometheus_may_believe_to_be_behind_a_gateway_that_strips_a_path() {
    let flags = ["--web.external-url=http://localhost/some/prom", "--web.route-prefix=/"];
    let prometheus = Running::prometheus(&flags);
    let config = ToolConfig { external_path: "/some/prom".into(), ..config(prometheus.url("")) };
    let desk = Desk::with(vec![(Tool::Prometheus, config)]).await;
    let visitor = desk.enter("prometheus").await;
    check_page(&visitor, "prometheus", "<title>Prometheus").await;
}

#[tokio::test]
async fn alertmanager_shows_its_page_and_takes_silences_on_record() {
    let alertmanager = Running::alertmanager();
    let desk = Desk::with(vec![(Tool::Alertmanager, config(alertmanager.url("")))]).await;
    let visitor = desk.enter("alertmanager").await;
    check_page(&visitor, "alertmanager", "<title>Alertmanager").await;

    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Loud", "isRegex": false}],
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2999-01-01T00:00:00Z",
        "createdBy": "test", "comment": "quiet",
    });
    let path = "/alertmanager/api/v2/silences";
    let made = visitor.write(Method::POST, path).json(&silence).send().await.unwrap();
    let status = made.status();
    let made: Value = made.json().await.unwrap();
    assert_eq!(status, 200, "{made}");
    let id = made["silenceID"].as_str().unwrap();
    let all: Value = visitor.get(path).await.json().await.unwrap();
    assert_eq!((&all[0]["id"], &all[0]["status"]["state"]), (&made["silenceID"], &json!("active")));
    let ended = visitor.write(Method::DELETE, &format!("/alertmanager/api/v2/silence/{id}"));
    assert_eq!(ended.send().await.unwrap().status(), 200);
    let actions = desk.server.json("/api/actions").await;
    let methods: Vec<&Value> =
        actions["actions"].as_array().unwrap().iter().map(|row| &row["args"]["method"]).collect();
    assert_eq!(methods, ["DELETE", "POST"]);
}
