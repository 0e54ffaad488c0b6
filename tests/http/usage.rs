//! What volumes and processes use: now, as it was, and live.

use serde_json::{Value, json};

use crate::{
    feed::Feed,
    support::{Recording, Server},
};
use monitor_backend::event::{Event, Extensions, ProcessUsage, VolumeUsage};

fn volume(namespace: &str, claim: &str, used_bytes: u64) -> VolumeUsage {
    VolumeUsage {
        source: "volumes/kubelet".into(),
        namespace: namespace.into(),
        claim: claim.into(),
        pod: "db-0".into(),
        node: "node-1".into(),
        path: None,
        used_bytes,
        capacity_bytes: 1000,
        // A tenth is reserved.
        available_bytes: 900 - used_bytes,
        inodes_used: 1,
        inodes: 0,
        observed: 1000.5,
        gone: false,
        ext: Extensions::default(),
    }
}

fn process(name: &str, body: &str) -> Event {
    Event::ProcessUsage(ProcessUsage {
        source: "app-server".into(),
        name: name.into(),
        cpu_cores: None,
        memory_bytes: Some(5),
        body: body.into(),
        observed: 1000.5,
        gone: false,
        ext: Extensions::default(),
    })
}

async fn filled() -> (Recording, Server) {
    let recording = Recording::start();
    assert!(recording.published.replayed().await);
    let of = |usage| Event::VolumeUsage(usage);
    recording
        .observe(vec![
            of(volume("b", "data", 90)),
            of(volume("a", "data", 450)),
            of(volume("", "recorder", 0)),
            of(volume("a", "gone", 7)),
            process("recorder", ""),
            process("app-server", r#"{"uptime":5}"#),
            of(volume("a", "data", 810)),
            of(VolumeUsage { gone: true, ..volume("a", "gone", 7) }),
        ])
        .await;
    let server = Server::live(&recording, |_| {}).await;
    (recording, server)
}

fn names(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["volumes"].as_array().expect("rows").iter();
    rows.map(|row| (row["namespace"].as_str().unwrap(), row["claim"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn volumes_and_processes_are_told_as_they_were_last_measured() {
    let (_recording, server) = filled().await;
    let answer = server.json("/api/volumes").await;
    assert_eq!(names(&answer), [("", "recorder"), ("a", "data"), ("b", "data")]);
    let row = &answer["volumes"][1];
    assert_eq!((&row["used_bytes"], &row["ratio"]), (&json!(810), &json!(0.9)));
    assert_eq!(
        (&row["saved"], &row["path"], &row["gone"]),
        (&json!(true), &json!(null), &json!(false))
    );
    let processes = answer["processes"].as_array().unwrap();
    let told: Vec<_> = processes.iter().map(|one| (&one["name"], &one["body"])).collect();
    let uptime = json!({"uptime": 5});
    assert_eq!(told, [(&json!("app-server"), &uptime), (&json!("recorder"), &json!(null))]);
    assert_eq!(processes[0]["cpu_cores"], json!(null));
}

#[tokio::test]
async fn the_past_has_its_own_volumes_and_a_volume_its_history() {
    let (_recording, server) = filled().await;
    let now = server.json("/api/volumes").await;
    let key = now["volumes"][1]["key"].as_str().unwrap();
    let history = server.json(&format!("/api/volumes/{key}/history")).await;
    let used = |answer: &Value| {
        let rows = answer["volumes"].as_array().unwrap().iter();
        rows.map(|row| row["used_bytes"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((used(&history), &history["next"]), (vec![810, 450], &json!(null)));
    let first = history["volumes"][1]["seq"].as_u64().unwrap();
    let then = server.json(&format!("/api/volumes?at={first}")).await;
    assert_eq!((names(&then), used(&then)), (vec![("a", "data"), ("b", "data")], vec![450, 90]));
    let page = server.json(&format!("/api/volumes/{key}/history?limit=1")).await;
    assert_eq!(used(&page), [810]);
    assert!(page["next"].is_u64());
    assert_eq!(server.get("/api/volumes/no-key/history").await.status(), 404);
}

#[tokio::test]
async fn the_live_topic_tells_of_both_and_of_their_ends() {
    let (recording, server) = filled().await;
    let mut feed = Feed::open(&server, "?topics=volumes", None).await;
    feed.next_of("hello").await;
    let gone = VolumeUsage { gone: true, ..volume("b", "data", 90) };
    recording.observe(vec![process("recorder", ""), Event::VolumeUsage(gone)]).await;
    let batch = feed.next_of("batch").await.data;
    assert_eq!(batch["processes"][0]["name"], "recorder");
    assert_eq!(
        (&batch["volumes"][0]["claim"], &batch["volumes"][0]["gone"]),
        (&json!("data"), &json!(true))
    );
}
