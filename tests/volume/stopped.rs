//! SIGTERM while admins wait for a group commit: what each was told is true after the next start.

use std::collections::HashMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};

use crate::site::{Site, lines};

/// Admins who wait at the same time.
const ADMINS: usize = 12;

/// Accepted actions of each, about, before the signal.
const EACH: usize = 3;

/// Rounds: the signal falls into another moment each time.
const ROUNDS: usize = 4;

/// What the admins were told.
#[derive(Default)]
struct Told {
    /// The number of the record of the intent, by the action's id.
    accepted: HashMap<String, u64>,
    /// The names in the arguments of actions that were refused: nothing was recorded.
    refused: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_at_the_stop_is_told_what_is_true_afterwards() {
    let site = Site::new().await;
    let mut told = Told::default();
    for round in 0..ROUNDS {
        let recorder = site.record().await;
        let accepted = watch::Sender::new(0);
        let mut admins = JoinSet::new();
        for admin in 0..ADMINS {
            let request = recorder.request(Method::POST, "/api/actions");
            admins.spawn(act(request, format!("{round}-{admin}"), accepted.clone()));
        }
        let mut enough = accepted.subscribe();
        enough.wait_for(|count| *count >= ADMINS * EACH).await.expect("the admins go on");
        let last = site.say(20).await;
        let ended = tokio::task::spawn_blocking(move || recorder.terminate());
        assert_eq!(ended.await.expect("no panic"), Some(0));
        for one in admins.join_all().await {
            told.accepted.extend(one.accepted);
            told.refused.extend(one.refused);
        }
        check(&site, &told, last).await;
    }
    site.log.holds_no_panic();
}

/// Starts actions until the recorder no longer answers.
async fn act(
    request: reqwest::RequestBuilder,
    name: String,
    accepted: watch::Sender<usize>,
) -> Told {
    let mut told = Told::default();
    for count in 0.. {
        let name = format!("{name}-{count}");
        let args =
            json!({"kind": "Deployment", "namespace": "none", "name": name, "method": "rollout"});
        let action = json!({"action": "restart-workload", "args": args});
        let request = request.try_clone().expect("it has no body yet");
        // An answer that was cut off says nothing.
        let Ok(answer) = request.json(&action).send().await else { break };
        let status = answer.status();
        let Ok(answer) = answer.json::<Value>().await else { break };
        if status == StatusCode::ACCEPTED {
            let id = answer["id"].as_str().expect("an id").to_owned();
            told.accepted.insert(id, answer["seq"].as_u64().expect("a number"));
            accepted.send_modify(|count| *count += 1);
        } else {
            told.refused.push(name);
        }
    }
    told
}

async fn check(site: &Site, told: &Told, last: u64) {
    let recorder = site.start().ready().await;
    let mut rows = Vec::new();
    let mut before = String::new();
    loop {
        let mut page = recorder.get(&format!("/api/actions?limit=1000{before}")).await;
        let Value::Array(found) = page["actions"].take() else { panic!("no actions") };
        rows.extend(found);
        let Some(next) = page["next"].as_u64() else { break };
        before = format!("&before={next}");
    }
    for id in told.accepted.keys() {
        let row = rows.iter().find(|row| row["id"] == *id);
        let row = row.unwrap_or_else(|| panic!("{id} was accepted and is gone"));
        assert!(row["outcome"].is_string(), "{row}");
    }
    let names: Vec<&str> = rows.iter().filter_map(|row| row["args"]["name"].as_str()).collect();
    for name in &told.refused {
        assert!(!names.contains(&name.as_str()), "{name} was refused and is there");
    }
    let kept = lines(&recorder).await;
    assert!(kept.count() <= last);
    let journal = recorder.get("/api/journal").await;
    assert_eq!(journal["recovery"]["lost"], json!([]), "a clean end loses nothing");
    assert_eq!(journal["recovery"]["torn_tail"], false);
    let segments = journal["segments"].as_array().expect("a list");
    let older = &segments[..segments.len() - 1];
    assert!(older.iter().all(|segment| segment["sealed"] == true), "{older:?}");
    assert_eq!(recorder.terminate(), Some(0));
}
