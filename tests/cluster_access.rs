//! Kubernetes tokens against a real API server: who gets in, in which role, and what happens when
//! the cluster cannot be asked.
//!
//! The recorder has the rights of the shipped manifests and no others.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what it found")]

#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/http.rs"]
#[allow(dead_code, reason = "every test binary uses its own part of it")]
mod support;

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use cluster::Cluster;
use monitor_backend::cluster::{Access, Reviewer};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use support::{DEADLINE, KEY, Recording, Server, refusal};

const NAMESPACE: &str = "monitor";
const AUDIENCE: &str = "monitor-backend";
const ME: &str = "system:serviceaccount:monitor:monitor-backend";

/// A cluster on which the manifests are applied.
async fn with_manifests() -> Cluster {
    let cluster = Cluster::start().await;
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/overlays/with-actions");
    cluster.kubectl(&["apply", "--kustomize", &folder.display().to_string()]).await;
    cluster
}

/// A token of a service account, which is made if need be.
async fn token(cluster: &Cluster, account: &str, audience: &str) -> String {
    // It may be there already.
    let _ = cluster.try_kubectl(&["-n", NAMESPACE, "create", "serviceaccount", account]).await;
    let audience = format!("--audience={audience}");
    let made = cluster.kubectl(&["-n", NAMESPACE, "create", "token", account, &audience]).await;
    made.trim().to_owned()
}

async fn bind(cluster: &Cluster, role: &str, account: &str) {
    let (role, account) =
        (format!("--clusterrole={role}"), format!("--serviceaccount={NAMESPACE}:{account}"));
    let name = format!("test-{}", account.rsplit(':').next().unwrap());
    cluster.kubectl(&["create", "clusterrolebinding", &name, &role, &account]).await;
}

/// Reviews with the rights of the recorder's own service account.
async fn reviewer(cluster: &Cluster) -> Reviewer {
    let own = cluster.kubectl(&["-n", NAMESPACE, "create", "token", "monitor-backend"]).await;
    reviewer_as(cluster, own.trim())
}

fn reviewer_as(cluster: &Cluster, token: &str) -> Reviewer {
    let kubeconfig = Some(cluster.kubeconfig_for(token));
    let (audience, path) = (AUDIENCE.into(), "/monitor-backend".into());
    Reviewer { access: Access { kubeconfig }, audience, path }
}

async fn server(recording: &Recording, reviewer: Reviewer) -> Server {
    let server = Server::live(recording, |desk| desk.reviewer = Some(reviewer)).await;
    assert!(recording.published.replayed().await);
    server
}

fn session(server: &Server, token: &str) -> RequestBuilder {
    server.bare(Method::GET, "/api/session").bearer_auth(token)
}

async fn who(server: &Server, token: &str) -> Value {
    let answer = session(server, token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn wipe(server: &Server, token: &str) -> RequestBuilder {
    let wipe = server.bare(Method::POST, "/api/journal/wipe").bearer_auth(token);
    wipe.json(&json!({"confirm": "wipe", "reason": "a test"}))
}

#[tokio::test]
async fn a_token_gives_the_role_that_rbac_gives_its_user() {
    let cluster = with_manifests().await;
    bind(&cluster, "monitor-backend-see", "sees").await;
    bind(&cluster, "monitor-backend-act", "acts").await;
    let sees = token(&cluster, "sees", AUDIENCE).await;
    let acts = token(&cluster, "acts", AUDIENCE).await;
    let none = token(&cluster, "nobody", AUDIENCE).await;
    // Before a role is acted on, everyone is refused, which would be remembered.
    for account in ["sees", "acts", ME.rsplit(':').next().unwrap()] {
        wait_for_right(&cluster, account).await;
    }
    let recording = Recording::start();
    let server = server(&recording, reviewer(&cluster).await).await;

    let name = |account: &str| format!("system:serviceaccount:{NAMESPACE}:{account}");
    let expected = json!({"actor": name("sees"), "can_act": false, "via": "token"});
    assert_eq!(who(&server, &sees).await, expected);
    let expected = json!({"actor": name("acts"), "can_act": true, "via": "token"});
    assert_eq!(who(&server, &acts).await, expected);
    let answer = session(&server, &none).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let told = answer.text().await.unwrap();
    assert!(told.contains(&name("nobody")) && told.contains("/monitor-backend"), "{told}");

    // A see-only caller reads everything and changes nothing.
    let logs = server.bare(Method::GET, "/api/logs").bearer_auth(&sees).send().await.unwrap();
    assert_eq!(logs.status(), 200);
    assert_eq!(refusal(wipe(&server, &sees)).await, (403, "see_only".into()));
    let action = json!({"action": "restart-workload",
        "args": {"kind": "Deployment", "namespace": "default", "name": "p", "method": "rollout"}});
    let act =
        |token: &str| server.bare(Method::POST, "/api/actions").bearer_auth(token).json(&action);
    assert_eq!(refusal(act(&sees)).await, (403, "see_only".into()));

    // The name of who acts is on record.
    assert_eq!(act(&acts).send().await.unwrap().status(), 202);
    let actions = server.json("/api/actions").await;
    assert_eq!(actions["actions"][0]["actor"], name("acts"), "{actions}");
    assert_eq!(wipe(&server, &acts).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_token_that_is_none_of_ours_is_refused() {
    let cluster = with_manifests().await;
    bind(&cluster, "monitor-backend-act", "acts").await;
    let acts = token(&cluster, "acts", AUDIENCE).await;
    let other = token(&cluster, "acts", "https://kubernetes.default.svc").await;
    let expired = expired(&cluster, &acts);
    let left = token(&cluster, "left", AUDIENCE).await;
    cluster.kubectl(&["-n", NAMESPACE, "delete", "serviceaccount", "left"]).await;
    for account in ["acts", "monitor-backend"] {
        wait_for_right(&cluster, account).await;
    }
    let recording = Recording::start();
    let server = server(&recording, reviewer(&cluster).await).await;

    assert_eq!(who(&server, &acts).await["can_act"], true);
    // Not the last letter, some of whose bits mean nothing.
    let (start, end) = acts.split_at(acts.len() - 10);
    let forged = format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]);
    // The last is a good token of the API server itself, whose user may do everything.
    for token in [&*other, &*expired, &*left, &*forged, "a.b.c", "nonsense", cluster::ADMIN_TOKEN] {
        assert_eq!(refusal(session(&server, token)).await, (401, "wrong_key".into()));
    }
}

#[tokio::test]
async fn a_token_is_exchanged_for_a_session_that_says_who_and_in_which_role() {
    let cluster = with_manifests().await;
    bind(&cluster, "monitor-backend-see", "sees").await;
    let sees = token(&cluster, "sees", AUDIENCE).await;
    for account in ["sees", "monitor-backend"] {
        wait_for_right(&cluster, account).await;
    }
    let recording = Recording::start();
    let server = server(&recording, reviewer(&cluster).await).await;
    let log_in = server.bare(Method::POST, "/api/session").json(&json!({"key": sees}));
    let answer = log_in.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("Max-Age=3600") && !cookie.contains(&sees), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let asked = server.bare(Method::GET, "/api/session").header("cookie", pair);
    let session: Value = asked.send().await.unwrap().json().await.unwrap();
    let actor = format!("system:serviceaccount:{NAMESPACE}:sees");
    assert_eq!(session, json!({"actor": actor, "can_act": false, "via": "token"}));
    let wipe = server.bare(Method::POST, "/api/journal/wipe").json(&json!({"confirm": "wipe"}));
    let wipe = wipe.header("cookie", pair).header("sec-fetch-site", "same-origin");
    assert_eq!(refusal(wipe).await, (403, "see_only".into()));

    let without_tokens = Server::live(&recording, |_| {}).await;
    let asked = without_tokens.bare(Method::GET, "/api/session").header("cookie", pair);
    assert_eq!(refusal(asked).await, (401, "no_access".into()), "they were switched off");
}

#[tokio::test]
async fn without_the_cluster_the_admin_key_and_what_is_known_still_work() {
    let mut cluster = with_manifests().await;
    bind(&cluster, "monitor-backend-see", "sees").await;
    let sees = token(&cluster, "sees", AUDIENCE).await;
    let unseen = token(&cluster, "sees", AUDIENCE).await + "x";
    for account in ["sees", "monitor-backend"] {
        wait_for_right(&cluster, account).await;
    }
    let recording = Recording::start();
    let server = server(&recording, reviewer(&cluster).await).await;
    let log_in = server.bare(Method::POST, "/api/session").json(&json!({"key": sees}));
    let answer = log_in.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();

    cluster.stop_apiserver();
    let answer = session(&server, &unseen).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let told = answer.text().await.unwrap();
    assert!(told.contains("the admin key works"), "{told}");
    assert!(!told.contains(&unseen) && !told.contains(&cluster.url()), "{told}");
    assert_eq!(
        who(&server, &sees).await["actor"],
        format!("system:serviceaccount:{NAMESPACE}:sees")
    );
    let pair = cookie.split(';').next().unwrap();
    let asked = server.bare(Method::GET, "/api/session").header("cookie", pair);
    assert_eq!(asked.send().await.unwrap().status(), 200);
    assert_eq!(who(&server, KEY).await["via"], "key");
}

#[tokio::test]
async fn a_recorder_that_may_not_ask_says_so() {
    let cluster = Cluster::start().await;
    let recording = Recording::start();
    let server = server(&recording, reviewer_as(&cluster, cluster::USER_TOKEN)).await;
    let answer = session(&server, "some.token").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let told = answer.text().await.unwrap();
    assert!(
        told.contains("may not create tokenreviews") && told.contains("manifests/base"),
        "{told}"
    );
}

/// Waits until the API server acts on what the account was granted.
async fn wait_for_right(cluster: &Cluster, account: &str) {
    let user = format!("system:serviceaccount:{NAMESPACE}:{account}");
    let question: &[&str] = match account {
        "monitor-backend" => &["create", "subjectaccessreviews.authorization.k8s.io"],
        _ => &["get", "/monitor-backend"],
    };
    let asked = [&["auth", "can-i"], question, &["--as", &user]].concat();
    let granted = async { while cluster.try_kubectl(&asked).await.is_err() {} };
    tokio::time::timeout(DEADLINE, granted).await.unwrap();
}

/// The same token, as the API server would have signed it for a time that is over.
fn expired(cluster: &Cluster, token: &str) -> String {
    let mut parts = token.split('.');
    let (head, claims) = (parts.next().unwrap(), parts.next().unwrap());
    let mut claims: Value = serde_json::from_slice(&openssl_base64(claims)).unwrap();
    for (claim, ago) in [("iat", 7200), ("nbf", 7200), ("exp", 3600)] {
        let now = jiff::Timestamp::now().as_second();
        claims[claim] = json!(now - ago);
    }
    let signed = format!("{head}.{}", base64url(claims.to_string().as_bytes()));
    let key = cluster.service_account_key().display().to_string();
    let signature = piped(&["openssl", "dgst", "-sha256", "-sign", &key], signed.as_bytes());
    format!("{signed}.{}", base64url(&signature))
}

fn base64url(bytes: &[u8]) -> String {
    let text = String::from_utf8(piped(&["openssl", "base64", "-A"], bytes)).unwrap();
    text.trim().trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn openssl_base64(text: &str) -> Vec<u8> {
    let mut text = text.replace('-', "+").replace('_', "/");
    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
    piped(&["openssl", "base64", "-A", "-d"], text.as_bytes())
}

fn piped(command: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    output.stdout
}
