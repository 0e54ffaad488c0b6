//! Other tools and a real API server: Grafana's password with and without the right to it, and what
//! a caller who may only see can do on the second port.
//!
//! The recorder has the rights of the shipped manifests and no others.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what it found")]

#[path = "support/cluster.rs"]
mod cluster;

#[path = "outside/double.rs"]
#[allow(dead_code, reason = "every test binary uses its own part of it")]
mod double;

#[path = "support/http.rs"]
#[allow(dead_code, reason = "every test binary uses its own part of it")]
mod support;

use std::{fs, path::Path, time::Duration};

use cluster::Cluster;
use double::{Double, Reply};
use monitor_backend::{
    actions::{Actions, Procedures},
    cluster::{Access, Reviewer},
    http::ToolsDesk,
    outside::{Config, GrafanaSecret, Limits, Outside, Tool, ToolConfig},
};
use reqwest::{
    Method, RequestBuilder,
    header::{CACHE_CONTROL, COOKIE, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};
use support::{KEY, Recording, Server, client, refusal};
use tokio::net::TcpListener;

const NAMESPACE: &str = "monitor";
const ACCOUNT: &str = "system:serviceaccount:monitor:monitor-backend";
const PASSWORD: &str = "gr4fana-s-own-password";

/// The API server acts on a role within some tens of milliseconds.
const GRANT_TRIES_MAX: u32 = 200;

/// A cluster with the base and some components, as an overlay would have it.
async fn apply(cluster: &Cluster, components: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    // kustomize takes no absolute paths.
    let depth = dir.path().canonicalize().unwrap().components().count() - 1;
    let root = format!("{}{}", "../".repeat(depth), &env!("CARGO_MANIFEST_DIR")[1..]);
    let components: Vec<String> =
        components.iter().map(|name| format!("{root}/manifests/components/{name}")).collect();
    let overlay = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "namespace": NAMESPACE, "resources": [format!("{root}/manifests/base")],
        "components": components,
    });
    fs::write(dir.path().join("kustomization.yaml"), overlay.to_string()).unwrap();
    cluster.kubectl(&["apply", "--kustomize", &dir.path().display().to_string()]).await;
}

async fn may_read(cluster: &Cluster, secret: &str) -> bool {
    let name = format!("secrets/{secret}");
    let asked = ["auth", "can-i", "get", &name, "--as", ACCOUNT, "-n", NAMESPACE];
    cluster.try_kubectl(&asked).await.is_ok()
}

async fn access(cluster: &Cluster) -> Access {
    let token = cluster.kubectl(&["-n", NAMESPACE, "create", "token", "monitor-backend"]).await;
    Access { kubeconfig: Some(cluster.kubeconfig_for(token.trim())) }
}

/// A desk whose only tools are those that are given, beside a listener of the second port.
async fn tools(config: Config) -> ToolsDesk {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = Some(listener.local_addr().unwrap().port());
    let outside = Outside::start(config, Limits::default()).unwrap();
    ToolsDesk { outside, port, listener: Some(listener), public_url: None }
}

fn config(tool: Tool, double: &Double) -> Config {
    let config = ToolConfig {
        url: double.url(),
        public_url: None,
        external_path: String::new(),
        tenant: None,
    };
    let grafana_secret = (tool == Tool::Grafana).then(|| GrafanaSecret {
        namespace: NAMESPACE.into(),
        name: "grafana".into(),
        key: "admin-password".into(),
    });
    Config { tools: vec![(tool, config)], grafana_secret }
}

#[tokio::test]
async fn grafanas_password_is_shown_with_the_right_to_it_and_never_recorded() {
    let cluster = Cluster::start().await;
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
    apply(&cluster, &[]).await;
    for (name, value) in [("grafana", PASSWORD), ("other", "another secret")] {
        let literal = format!("--from-literal=admin-password={value}");
        let made = ["-n", NAMESPACE, "create", "secret", "generic", name, &literal];
        cluster.kubectl(&made).await;
    }
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let grafana = Double::start(|_| Reply::ok("", "")).await;
    let desk = tools(config(Tool::Grafana, &grafana)).await;
    let actions = Actions::new(
        recording.recorder.clone(),
        recording.published.clone(),
        Some(access(&cluster).await),
        Procedures::default(),
    );
    let server = Server::live(&recording, |given| {
        given.outside = Some(desk);
        given.actions = Some(actions);
    })
    .await;
    assert_eq!(server.json("/api/outside").await["tools"][0]["has_password"], true);
    let ask = || server.ask(Method::POST, "/api/outside/grafana/password");

    let refused = ask().send().await.unwrap();
    assert_eq!(refused.status(), 502);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["code"], "outside");
    let why = refused["message"].as_str().unwrap();
    assert!(why.contains("403") && why.contains("component `grafana`"), "{why}");

    apply(&cluster, &["grafana"]).await;
    for _ in 0..GRANT_TRIES_MAX {
        if may_read(&cluster, "grafana").await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shown = ask().send().await.unwrap();
    assert_eq!(
        (shown.status().as_u16(), &shown.headers()[CACHE_CONTROL]),
        (200, &"no-store".parse().unwrap())
    );
    let shown: Value = shown.json().await.unwrap();
    assert_eq!(shown["password"], PASSWORD);
    assert!(!may_read(&cluster, "other").await, "the component opens one Secret alone");

    let actions = server.json("/api/actions").await;
    let rows = actions["actions"].as_array().unwrap();
    let outcomes: Vec<&Value> = rows.iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["succeeded", "failed"]);
    assert_eq!(
        (&rows[0]["id"], &rows[0]["action"]),
        (&shown["action"], &json!("reveal-grafana-password"))
    );
    assert_eq!(
        rows[0]["args"],
        json!({"namespace": NAMESPACE, "name": "grafana", "key": "admin-password"})
    );
    assert!(!actions.to_string().contains(PASSWORD));
    assert!(!holds(recording.dir.path(), PASSWORD.as_bytes()), "the journal holds the password");
    assert!(holds(recording.dir.path(), b"reveal-grafana-password"));
}

/// Whether a file below a folder holds some bytes.
fn holds(dir: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, bytes);
        }
        fs::read(&path).unwrap().windows(bytes.len()).any(|part| part == bytes)
    })
}

async fn token(cluster: &Cluster, account: &str) -> String {
    cluster.kubectl(&["-n", NAMESPACE, "create", "serviceaccount", account]).await;
    let made = ["-n", NAMESPACE, "create", "token", account, "--audience=monitor-backend"];
    cluster.kubectl(&made).await.trim().to_owned()
}

#[tokio::test]
async fn who_may_only_see_changes_nothing_in_a_tool() {
    let cluster = Cluster::start().await;
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
    apply(&cluster, &["access"]).await;
    let sees = token(&cluster, "sees").await;
    let account = format!("--serviceaccount={NAMESPACE}:sees");
    let role = "--clusterrole=monitor-backend-see";
    cluster.kubectl(&["create", "clusterrolebinding", "sees", role, &account]).await;

    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let tool = Double::start(|_| Reply::ok("", "{}")).await;
    let desk = tools(config(Tool::Prometheus, &tool)).await;
    let port = desk.port.unwrap();
    let (audience, path) = ("monitor-backend".into(), "/monitor-backend".into());
    let reviewer = Reviewer { access: access(&cluster).await, audience, path };
    let server = Server::live(&recording, |given| {
        given.outside = Some(desk);
        given.reviewer = Some(reviewer);
    })
    .await;
    let wanted = json!({"tool": "prometheus"});
    let ask = |path: &str| server.bare(Method::POST, path).bearer_auth(&sees);
    let mut ticket = ask("/api/outside/tools-session").json(&wanted).send().await.unwrap();
    for _ in 0..GRANT_TRIES_MAX {
        if ticket.status() == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        ticket = ask("/api/outside/tools-session").json(&wanted).send().await.unwrap();
    }
    let ticket: Value = ticket.json().await.unwrap();
    let browser = client::builder().redirect(Policy::none()).build().unwrap();
    let entered = browser.get(ticket["url"].as_str().unwrap());
    let entered = entered.send().await.unwrap();
    let cookie = entered.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let send = |method: Method, path: &str| -> RequestBuilder {
        let root = format!("http://127.0.0.1:{port}");
        let request = browser.request(method, format!("{root}/prometheus{path}"));
        request.header(COOKIE, cookie).header(ORIGIN, root)
    };

    let see = send(Method::GET, "/graph").send().await.unwrap();
    assert_eq!(see.status(), 200);
    let question = send(Method::POST, "/api/v1/query").body("query=up").send().await.unwrap();
    assert_eq!(question.status(), 200);
    let seen = tool.seen().len();
    let change = send(Method::POST, "/api/v1/admin/tsdb/snapshot").send().await.unwrap();
    assert_eq!(change.status(), 403);
    assert!(change.text().await.unwrap().contains("You may see, but not act"));
    assert_eq!(tool.seen().len(), seen);
    assert_eq!(refusal(ask("/api/outside/grafana/password")).await, (403, "see_only".into()));
    let key = server.bare(Method::POST, "/api/outside/grafana/password").bearer_auth(KEY);
    assert_eq!(refusal(key).await, (404, "not_configured".into()));
}
