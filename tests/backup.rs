//! Take it away and replay it: a backup answers as the recorder did, in each form that it can have.

#[path = "support/process.rs"]
mod process;

use std::{fs, path::Path};

use monitor_backend::sim::{Frame, LiveQuery, LogEntry, Mtx, Scenario, Section, Sim};
use process::Process;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

/// What is compared: every view, as of one moment.
const QUESTIONS: [&str; 8] = [
    "/api/objects?",
    "/api/logs?limit=1000&",
    "/api/requests?limit=1000&",
    "/api/live-queries?",
    "/api/actions?",
    "/api/timeline?limit=1000&",
    "/api/sources?",
    "/api/overview?",
];

async fn answers(process: &Process, seq: u64) -> Vec<Value> {
    let mut answers = Vec::new();
    for question in QUESTIONS {
        answers.push(process.get(&format!("{question}at={seq}")).await);
    }
    answers
}

fn line(number: usize) -> Frame {
    Frame::LogEntryAdded {
        entry: LogEntry {
            time: 1_700_000_000_000.0 + number as f64,
            level: if number.is_multiple_of(10) { "ERROR" } else { "INFO" }.into(),
            target: "app_server::db".into(),
            span_name: String::new(),
            message: format!("line {number}"),
        },
    }
}

fn request(id: usize, ended: bool) -> Frame {
    let mut mtx = Mtx::new(format!("request-{id}"));
    for (path, start) in [("run", 0.0), ("run/db", 1.0)] {
        mtx.set(Section {
            path: path.into(),
            extra_info: (path == "run").then(|| "getNode".into()),
            start_time: 1_700_000_000_000.0 + start,
            duration: ended.then_some(5.0),
        });
    }
    Frame::MtxEntryDone { mtx }
}

fn live_query(table: &str, watchers_count: u64, deleting: bool) -> Frame {
    Frame::LQInstanceUpdated(LiveQuery {
        table_name: table.into(),
        filter: json!({"id": {"equalTo": table}}),
        last_entries: vec![json!({"id": 1, "text": "entry"})],
        watchers_count,
        deleting,
    })
}

/// A recording with something of every kind in it, over several segments.
async fn recording(dir: &Path) -> (Sim, Process) {
    let sim = Sim::start(Scenario::Quiet, 1, dir).await.expect("the simulation starts");
    let config = dir.join("config.toml");
    fs::write(&config, "[journal]\nsegment_bytes = 1048576\n").expect("the folder is writable");
    let text = |path: &Path| path.to_str().expect("temporary paths are text").to_owned();
    let (config, kubeconfig) = (text(&config), text(sim.kubeconfig()));
    let url = sim.app_server_url();
    let args = ["--config", &config, "--kubeconfig", &kubeconfig, "--app-server-url", &url];
    let process = Process::serve(&dir.join("data"), &args).ready().await;
    process
        .wait_for("/api/sources", |sources| {
            let sources = sources["sources"].as_array();
            sources.is_some_and(|all| {
                all.len() >= 5 && all.iter().all(|s| s["state"] == "up" || s["state"] == "off")
            })
        })
        .await;
    process
        .wait_for("/api/objects?kind=Pod", |pods| {
            let pods = pods["objects"].as_array();
            pods.is_some_and(|all| {
                all.len() == 2 && all.iter().all(|pod| pod["phase"] == "Running")
            })
        })
        .await;
    (sim, process)
}

async fn unfold(sim: &Sim, process: &Process) {
    let app_server = sim.app_server();
    for number in 0..20_000 {
        app_server.send(&line(number)).await;
    }
    for id in 0..30 {
        app_server.send(&request(id, false)).await;
        if id % 3 > 0 {
            app_server.send(&request(id, true)).await;
        }
    }
    for (table, watchers) in [("nodes", 2), ("maps", 1), ("users", 3)] {
        app_server.send(&live_query(table, watchers, false)).await;
    }
    app_server.send(&live_query("users", 0, true)).await;
    let pods = process.get("/api/objects?kind=Pod&deleted=false").await;
    let pod = &pods["objects"][0];
    let name = |field: &str| pod[field].as_str().expect("names are text").to_owned();
    sim.cluster().remove("Pod", &name("namespace"), &name("name"));
    let restart = json!({
        "action": "restart-workload",
        "args": {"kind": "Deployment", "namespace": "default", "name": "app-server", "method": "rollout"},
    });
    let (status, started) = process.post("/api/actions", &restart).await;
    assert_eq!(status, 202, "{started}");
    process.wait_for("/api/actions", |actions| !actions["actions"][0]["outcome"].is_null()).await;
    process
        .wait_for("/api/logs?limit=1", |logs| logs["entries"][0]["message"] == "line 19999")
        .await;
    process
        .wait_for("/api/live-queries", |queries| {
            queries["live_queries"].as_array().is_some_and(|all| all.len() == 2)
        })
        .await;
}

#[tokio::test]
async fn a_backup_answers_as_the_recorder_did_in_each_of_its_forms() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (sim, process) = recording(dir.path()).await;
    unfold(&sim, &process).await;

    let answer = process.request(Method::GET, "/api/journal/backup").send().await;
    let answer = answer.expect("it answers");
    assert_eq!(answer.status(), StatusCode::OK);
    let seq: u64 = answer
        .url()
        .query()
        .and_then(|q| q.strip_prefix("to=")?.parse().ok())
        .expect("it was led to a fixed moment");
    let etag = answer.headers()[header::ETAG].clone();
    let tar = answer.bytes().await.expect("it downloads");
    let expected = answers(&process, seq).await;
    assert!(expected[1]["entries"].as_array().is_some_and(|lines| lines.len() == 1000));

    resume_gives_the_same_bytes(&process, seq, &etag, &tar).await;
    let (archive, folder) = (dir.path().join("backup.tar"), dir.path().join("unpacked"));
    fs::write(&archive, &tar).expect("the folder is writable");
    tar::Archive::new(&tar[..]).unpack(&folder).expect("any tar program can unpack it");
    let folder = only_folder(&folder);
    drop(process);

    for path in [&archive, &folder] {
        let replay = Process::replay(path);
        assert_eq!(replay.get("/api/status").await["mode"], "replay");
        for (question, expected) in QUESTIONS.iter().zip(&expected) {
            let replayed = replay.get(&format!("{question}at={seq}")).await;
            assert_eq!(&replayed, expected, "{question} of {}", path.display());
        }
        let (status, refused) = replay.post("/api/journal/wipe", &json!({})).await;
        assert_eq!((status, &refused["code"]), (409, &json!("replay")));
    }
    one_segment_tells_all_that_lives(&folder, &expected).await;
}

async fn resume_gives_the_same_bytes(
    process: &Process,
    seq: u64,
    etag: &header::HeaderValue,
    whole: &[u8],
) {
    let path = format!("/api/journal/backup?to={seq}");
    let half = whole.len() / 2;
    let request = process
        .request(Method::GET, &path)
        .header(header::RANGE, format!("bytes={half}-"))
        .header(header::IF_RANGE, etag);
    let answer = request.send().await.expect("it answers");
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    let rest = answer.bytes().await.expect("it downloads");
    assert!(rest == whole[half..], "the second half is the second half");
}

/// The last segment alone holds every living thing, though not the history.
async fn one_segment_tells_all_that_lives(folder: &Path, expected: &[Value]) {
    let mut segments: Vec<_> = fs::read_dir(folder)
        .expect("the folder can be listed")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .collect();
    segments.sort();
    assert!(segments.len() >= 2, "the recording spans segments: {segments:?}");
    let replay = Process::replay(segments.last().expect("there is one"));
    let living = |answer: &Value| -> Vec<Value> {
        let all = answer["objects"].as_array().expect("it is a list").iter();
        all.filter(|object| object["deleted"] == false).cloned().collect()
    };
    assert_eq!(living(&replay.get("/api/objects").await), living(&expected[0]));
    let queries = replay.get("/api/live-queries").await;
    assert_eq!(queries["live_queries"], expected[3]["live_queries"]);
}

fn only_folder(folder: &Path) -> std::path::PathBuf {
    let mut inside = fs::read_dir(folder).expect("the folder can be listed");
    let entry = inside.next().expect("one folder").expect("the folder can be listed");
    assert!(inside.next().is_none(), "everything lies in one folder");
    entry.path()
}
