//! What admins do, with each right that it needs missing: those of the component `actions`, and those
//! of the base by which an action looks at what it acts on.

use std::sync::Arc;

use monitor_backend::{
    actions::{Actions, Procedures},
    cluster::Access,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    Applied,
    role::{ACTIONS, BASE, NAMESPACE, Right, await_right},
    support::{DEADLINE, Recording, Server},
};

/// An action, and the rights that it needs.
struct Case {
    asked: Value,
    needs: Vec<String>,
}

fn cases() -> Vec<Case> {
    let case = |action: &str, more: Value, needs: &[&str]| {
        let mut args = json!({"namespace": NAMESPACE, "name": "web"});
        let fields = args.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let needs = needs.iter().map(|&right| right.to_owned()).collect();
        Case { asked: json!({"action": action, "args": args}), needs }
    };
    let kinds = [
        ("Deployment", "deployments"),
        ("StatefulSet", "statefulsets"),
        ("DaemonSet", "daemonsets"),
        ("ReplicaSet", "replicasets"),
    ];
    let restarts = kinds[..3].iter().map(|(kind, plural)| {
        let more = json!({"kind": kind, "method": "rollout"});
        case("restart-workload", more, &[&format!("patch on {plural}")])
    });
    let scales = kinds.iter().filter(|(kind, _)| *kind != "DaemonSet").map(|(kind, plural)| {
        let needs = [format!("get on {plural}/scale"), format!("patch on {plural}/scale")];
        let more = json!({"kind": kind, "replicas": 1});
        case("scale-workload", more, &needs.each_ref().map(String::as_str))
    });
    let newest = kinds[..3].iter().map(|(kind, plural)| {
        let needs = [&format!("get on {plural}"), "list on pods", "delete on pods"];
        case("restart-workload", json!({"kind": kind, "method": "delete-newest-pod"}), &needs)
    });
    let delete = case("delete-pod", json!({"name": "web-1"}), &["get on pods", "delete on pods"]);
    restarts.chain(scales).chain(newest).chain([delete]).collect()
}

pub async fn each_missing_right_is_in_the_outcome(applied: &Applied) {
    let recording = Recording::start();
    let access = Access { kubeconfig: Some(applied.kubeconfig.clone()) };
    let (recorder, published) = (recording.recorder.clone(), Arc::clone(&recording.published));
    let actions = Actions::new(recorder, published, Some(access), Procedures::default());
    let server = Server::live(&recording, |desk| desk.actions = Some(actions)).await;
    assert!(recording.published.replayed().await);
    let cases = cases();
    for Case { asked, .. } in &cases {
        let told = would(&server, asked).await;
        assert!(told.contains("the API server would allow it"), "{asked}: {told}");
    }

    for (role, whence) in [(ACTIONS, "the component `actions`"), (BASE, "the base")] {
        let shipped = role.rights(&applied.cluster).await;
        let is_needed = |right: &&Right| cases.iter().any(|case| case.needs.contains(&name(right)));
        let needed: Vec<&Right> = shipped.iter().filter(is_needed).collect();
        assert!(needed.len() >= 5, "{needed:?}");
        // Whoever may act may do this much and no more.
        let is_all_needed = needed.len() == shipped.len();
        assert_eq!(is_all_needed, whence != "the base", "{shipped:?}");
        for missing in &needed {
            role.grant_but(&applied.cluster, &shipped, missing).await;
            check(&server, &cases, &name(missing), whence).await;
        }
        role.grant(&applied.cluster, &shipped).await;
        await_right(&applied.cluster, needed.last().expect("there are some"), true).await;
    }
}

/// What needs the right fails and says so, and nothing else does.
async fn check(server: &Server, cases: &[Case], missing: &str, whence: &str) {
    let advice = format!("grant {missing} in this namespace, as {whence} of the manifests does");
    for Case { asked, needs } in cases {
        let told = would(server, asked).await;
        if needs.iter().any(|right| right == missing) {
            assert!(told.contains("403") && told.contains(&advice), "{asked}: {told}");
        } else {
            assert!(told.contains("would allow it"), "without {missing}, {asked}: {told}");
        }
    }
    let case = cases.iter().find(|case| case.needs.iter().any(|right| right == missing));
    let outcome = outcome(server, &case.expect("one needs it").asked).await;
    assert_eq!(outcome["outcome"], "failed", "{outcome}");
    let detail = outcome["detail"].as_str().expect("a text");
    assert!(detail.contains("403") && detail.contains(&advice), "{detail}");
}

fn name(Right { verb, resource, .. }: &Right) -> String {
    format!("{verb} on {resource}")
}

/// What a dry run tells.
async fn would(server: &Server, asked: &Value) -> String {
    let mut asked = asked.clone();
    asked["dry_run"] = true.into();
    let told = post(server, &asked).await;
    told["would"][0].as_str().unwrap_or_else(|| panic!("{asked}: {told}")).to_owned()
}

/// Does it, and waits for the end.
async fn outcome(server: &Server, asked: &Value) -> Value {
    let started = post(server, asked).await;
    let path = format!("/api/actions/{}", started["id"].as_str().expect("an id"));
    let ended = async {
        loop {
            let action = server.json(&path).await["action"].clone();
            if !action["outcome"].is_null() {
                return action;
            }
        }
    };
    timeout(DEADLINE, ended).await.expect("the action ends")
}

async fn post(server: &Server, body: &Value) -> Value {
    let asked = server.ask(Method::POST, "/api/actions").json(body);
    let answer = asked.send().await.expect("the server answers");
    answer.json().await.expect("the answer is JSON")
}
