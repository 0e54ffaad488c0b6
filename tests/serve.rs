//! The real binary: what it does with bad input, and that what was taken away replays as it was.

#[path = "serve/procedures.rs"]
mod procedures;

#[path = "support/process.rs"]
mod process;

use std::{fs, path::Path};

use process::{KEY, Process, client, command, output};
use reqwest::Method;
use serde_json::{Value, json};

#[test]
fn an_unknown_flag_ends_with_64_and_its_name() {
    let ended = output(&["serve", "--no-such-flag"]);
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("--no-such-flag"));
}

#[test]
fn a_missing_configuration_file_ends_with_64() {
    let ended = output(&["serve", "--config", "/no/such/file.toml"]);
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("/no/such/file.toml"));
}

#[test]
fn a_check_of_the_configuration_names_its_faults() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let check = |text: &str| {
        let path = dir.path().join("config.toml");
        fs::write(&path, text).expect("the folder is writable");
        let path = path.to_str().expect("temporary paths are text");
        output(&["serve", "--check-config", "--config", path])
    };
    assert_eq!(check("[http]\nbase_path = \"/x\"\n").status.code(), Some(0));
    let ended = check("[app_server]\nurl = 7\n");
    assert_eq!(ended.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("[app_server]"));
}

#[tokio::test]
async fn with_nothing_to_observe_it_serves_and_says_why() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let process = Process::serve(dir.path(), &[]).ready().await;
    let status = process
        .wait_for("/api/status", |status| {
            let sources = status["sources"].as_array().into_iter().flatten();
            sources.filter(|source| source["state"] == "off").count() >= 5
        })
        .await;
    let sources = status["sources"].as_array().expect("it is a list");
    // What the recorder measures of itself needs nobody, so it may be up.
    let is_missing = |source: &&Value| source["state"] == "off" || source["state"] == "down";
    for source in sources.iter().filter(is_missing) {
        let reason = source["reason"].as_str().expect("a reason is text");
        assert!(reason.len() > 20, "{source} says what is missing");
    }
    let app_server = sources.iter().find(|source| source["name"] == "app-server");
    let app_server = app_server.expect("the source is listed");
    assert_eq!(app_server["state"], "off");
    assert!(app_server["reason"].as_str().is_some_and(|r| r.contains("--app-server-url")));
    for path in ["/healthz", "/health-check", "/readyz"] {
        let answer = process.request(Method::GET, path).send().await.expect("it answers");
        assert_eq!(answer.status(), 200, "{path}");
    }
    assert_eq!(process.terminate(), Some(0));
}

#[tokio::test]
async fn a_faulty_section_is_off_and_shown_and_the_rest_starts() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let config = dir.path().join("config.toml");
    fs::write(&config, "[app_server]\nurl = 7\n[cluster]\nenabled = false\n").expect("writable");
    let config = config.to_str().expect("temporary paths are text");
    let data = dir.path().join("data");
    let process = Process::serve(&data, &["--config", config]).ready().await;
    let status = process.get("/api/status").await;
    let degraded = status["degraded"][0].as_str().expect("the fault is shown");
    assert!(degraded.contains("[app_server]"), "{degraded}");
}

#[tokio::test]
async fn foreign_and_damaged_files_are_reported_and_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let process = Process::serve(dir.path(), &[]).ready().await;
    let before = process.get("/api/status").await["journal"]["last_seq"].clone();
    process.kill();
    let foreign: [(&str, &[u8]); 3] = [
        ("00000099-00000000000000000001-0123456789abcdef.seg", b"not a segment"),
        ("empty.seg", b""),
        ("holiday.jpg", b"\xff\xd8\xff"),
    ];
    for (name, bytes) in foreign {
        fs::write(dir.path().join(name), bytes).expect("the folder is writable");
    }
    fs::create_dir(dir.path().join("folder.seg")).expect("the folder is writable");

    let process = Process::serve(dir.path(), &[]).ready().await;
    let journal = process.get("/api/journal").await;
    let listed: Vec<&str> = journal["left_alone"]
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|file| {
            assert!(file["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
            file["name"].as_str().expect("a name is text")
        })
        .collect();
    for name in ["00000099-00000000000000000001-0123456789abcdef.seg", "empty.seg", "folder.seg"] {
        assert!(listed.contains(&name), "{name} is not in {listed:?}");
    }
    for (name, bytes) in foreign {
        assert_eq!(fs::read(dir.path().join(name)).expect("it is still there"), bytes, "{name}");
    }
    let after = process.get("/api/status").await["journal"]["last_seq"].clone();
    assert!(after.as_u64() > before.as_u64(), "the journal goes on: {before} {after}");
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_the_key_is_nowhere() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let process = Process::serve(dir.path(), &[]).ready().await;
    let url = format!("{}/api/status", process.address());
    let client = client::plain();
    for key in ["", "wrong", &KEY[..KEY.len() - 1]] {
        let answer = client.get(&url).bearer_auth(key).send().await.expect("it answers");
        assert_eq!(answer.status(), 401);
        let text = answer.text().await.expect("the answer is text");
        assert!(!text.contains(KEY));
    }
    assert_eq!(process.terminate(), Some(0));
    for entry in fs::read_dir(dir.path()).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        let bytes = fs::read(&path).unwrap_or_default();
        let found = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert!(!found, "the key stands in {}", path.display());
    }
}

#[tokio::test]
async fn a_generated_key_works_and_is_not_printed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path().to_str().expect("temporary paths are text");
    let mut command = command(&["serve", "--data-dir", data, "--listen", "127.0.0.1:0"]);
    command.env_remove("MONITOR_BACKEND_ADMIN_KEY");
    let process = Process::start(command);
    let key = fs::read_to_string(dir.path().join("admin-key")).expect("it is kept");
    let url = format!("{}/api/status", process.address());
    let request = client::plain().get(&url).bearer_auth(key.trim());
    assert_eq!(request.send().await.expect("it answers").status(), 200);
}

/// A cluster that takes every request and never answers one.
fn silent_cluster(dir: &Path) -> (std::net::TcpListener, std::path::PathBuf) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "silent",
        "clusters": [{"name": "silent", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "silent", "context": {"cluster": "silent", "user": "nobody"}}],
    });
    let path = dir.join("kubeconfig");
    fs::write(&path, kubeconfig.to_string()).expect("the folder is writable");
    (listener, path)
}

#[tokio::test]
async fn an_action_that_a_crash_cut_off_has_an_unknown_outcome() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let data = dir.path().join("data");
    let (_cluster, kubeconfig) = silent_cluster(dir.path());
    let args = ["--kubeconfig", kubeconfig.to_str().expect("temporary paths are text")];
    let process = Process::serve(&data, &args).ready().await;
    let restart = json!({
        "action": "restart-workload",
        "args": {"kind": "Deployment", "namespace": "default", "name": "web", "method": "rollout"},
    });
    let (status, started) = process.post("/api/actions", &restart).await;
    assert_eq!(status, 202, "{started}");
    let is_running = |actions: &Value| {
        actions["actions"][0]["id"] == started["id"] && actions["actions"][0]["outcome"].is_null()
    };
    process.wait_for("/api/actions", is_running).await;
    process.kill();

    let process = Process::serve(&data, &args).ready().await;
    let actions = process.get("/api/actions").await;
    let action = &actions["actions"][0];
    assert_eq!(action["id"], started["id"]);
    assert_eq!(action["outcome"], "unknown");
    assert_eq!(action["args"]["name"], "web", "the intent is repeated");
}

#[tokio::test]
async fn a_wipe_is_confirmed_recorded_and_survives_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let process = Process::serve(dir.path(), &[]).ready().await;
    let (status, _) = process.post("/api/journal/wipe", &json!({"confirm": "yes"})).await;
    assert_eq!(status, 400);
    let wipe = json!({"confirm": "wipe", "reason": "disk trouble"});
    let (status, _) = process.post("/api/journal/wipe?at=1", &wipe).await;
    assert_eq!(status, 409, "a write cannot be made in the past");
    let before = process.get("/api/status").await;
    let (status, wiped) = process.post("/api/journal/wipe", &wipe).await;
    assert_eq!(status, 200, "{wiped}");
    assert_eq!(wiped["epoch"].as_u64(), before["journal"]["epoch"].as_u64().map(|e| e + 1));
    process.kill();

    let process = Process::serve(dir.path(), &[]).ready().await;
    let actions = process.get("/api/actions").await;
    let record = &actions["actions"][0];
    assert_eq!(record["action"], "wipe");
    assert_eq!(record["outcome"], "succeeded");
    assert_eq!(record["args"]["reason"], "disk trouble");
    let status = process.get("/api/status").await;
    assert_eq!(status["journal"]["first_seq"], wiped["seq"], "the wipe is the first record");
}

#[tokio::test]
async fn a_second_port_that_is_taken_costs_the_tools_alone() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let config = dir.path().join("config.toml");
    fs::write(&config, "[outside.prometheus]\nurl = \"http://127.0.0.1:1\"\n").expect("writable");
    let config = config.to_str().expect("temporary paths are text");
    let args = ["--config", config, "--tools-listen", &address];
    let process = Process::serve(dir.path(), &args).ready().await;
    let status = process.get("/api/status").await;
    let degraded = status["degraded"][0].as_str().expect("the fault is shown");
    assert!(degraded.contains(&address) && degraded.contains("--tools-listen"), "{degraded}");
    let tools = process.wait_for("/api/outside", |tools| tools["tools"][0]["up"] == false).await;
    assert_eq!(tools["tools"][0]["url"], Value::Null);
    let is_recorded = |sources: &Value| {
        let all = sources["sources"].as_array();
        all.is_some_and(|all| all.iter().any(|source| source["name"] == "outside/prometheus"))
    };
    process.wait_for("/api/sources", is_recorded).await;
    let (code, refused) =
        process.post("/api/outside/tools-session", &json!({"tool": "prometheus"})).await;
    assert_eq!((code, &refused["code"]), (404, &json!("not_configured")));
}
