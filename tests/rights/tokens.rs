//! The two questions that the recorder asks the cluster about whoever comes with a token.

use monitor_backend::cluster::{Access, Reviewer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    Applied,
    role::{BASE, NAMESPACE, Right, await_right},
    support::{KEY, Recording, Server},
};

const AUDIENCE: &str = "monitor-backend";
const PATH: &str = "/monitor-backend";

pub async fn each_missing_right_is_in_the_refusal(applied: &Applied) {
    let cluster = &applied.cluster;
    cluster.kubectl(&["-n", NAMESPACE, "create", "serviceaccount", "sees"]).await;
    let account = format!("--serviceaccount={NAMESPACE}:sees");
    let bind = ["create", "clusterrolebinding", "sees", "--clusterrole=monitor-backend-see"];
    cluster.kubectl(&[&bind[..], &[&account]].concat()).await;
    let recording = Recording::start();
    let access = Access { kubeconfig: Some(applied.kubeconfig.clone()) };
    let reviewer = Reviewer { access, audience: AUDIENCE.into(), path: PATH.into() };
    let server = Server::live(&recording, |desk| desk.reviewer = Some(reviewer)).await;
    assert!(recording.published.replayed().await);

    let shipped = BASE.rights(cluster).await;
    for (resource, group) in [
        ("tokenreviews", "authentication.k8s.io"),
        ("subjectaccessreviews", "authorization.k8s.io"),
    ] {
        let missing = Right { group: group.into(), ..Right::of("create", resource) };
        BASE.grant_but(cluster, &shipped, &missing).await;
        let (status, refused) = log_in(&server, &token(applied).await).await;
        assert_eq!((status, &refused["code"]), (503, &json!("token_unreviewed")), "{refused}");
        let told = refused["message"].as_str().expect("a message");
        for part in [&format!("may not create {resource}"), "manifests/base", "the admin key works"]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(log_in(&server, KEY).await.0, 200);
        BASE.grant(cluster, &shipped).await;
        await_right(cluster, &missing, true).await;
    }
    let (status, session) = log_in(&server, &token(applied).await).await;
    assert_eq!((status, &session["via"]), (200, &json!("token")), "{session}");
}

/// Another one each time: what the cluster said of a token is remembered.
async fn token(applied: &Applied) -> String {
    let audience = format!("--audience={AUDIENCE}");
    let made = ["-n", NAMESPACE, "create", "token", "sees", &audience];
    applied.cluster.kubectl(&made).await.trim().to_owned()
}

async fn log_in(server: &Server, key: &str) -> (u16, Value) {
    let asked = server.bare(Method::POST, "/api/session").json(&json!({"key": key}));
    let answer = asked.send().await.expect("the server answers");
    (answer.status().as_u16(), answer.json().await.expect("the answer is JSON"))
}
