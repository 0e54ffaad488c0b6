//! Procedures of the configuration in the real binary: the example that is shipped, a crash and a
//! stop while one runs.

use std::{fs, path::Path};

use monitor_backend::sim::{Scenario, Sim};
use serde_json::{Value, json};

use crate::process::{Process, output};

const EXAMPLE: &str = "manifests/examples/debate-map/config.toml";

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
    fs::read_to_string(path).expect("the example is there")
}

#[test]
fn the_example_is_without_fault() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
    let path = path.to_str().expect("the path is text");
    let ended = output(&["serve", "--check-config", "--config", path]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn faults_of_procedures_are_named_and_cost_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("config.toml");
    let text = example()
        .replace("namespace = \"default\"\nlabel_selector", "name_space = \"x\"\nlabel_selector")
        .replace("repeatCount = 10", "repeatCount = 100000")
        .replace("system_user]\nfile", "system_user]\npath");
    fs::write(&path, text).expect("the folder can be written");
    let path = path.to_str().expect("the path is text");
    let ended = output(&["serve", "--check-config", "--config", path]);
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(64), "{told}");
    for fault in [
        "migrate of [[runbooks]] is off",
        "add-revisions of [[test_sequences]] is off: it has 100000 steps",
        "[secrets.system_user] is off",
        "http_headers name {secret.system_user}, which is not in [secrets]",
    ] {
        assert!(told.contains(fault), "{fault}: {told}");
    }
    assert!(!told.contains("restart-app-server"), "{told}");
}

/// The example, brought to the simulation.
fn configured(sim: &Sim, dir: &Path) -> std::path::PathBuf {
    let token = dir.join("token");
    fs::write(&token, "the-token-of-the-system-user\n").expect("the folder can be written");
    let link = sim.app_server_url();
    let host = link.trim_start_matches("ws://").split('/').next().expect("a host");
    let text = example()
        .replace("/etc/monitor/system-user-token", token.to_str().expect("text"))
        .replace("dm-app-server.default.svc.cluster.local:5110", host)
        .replace("dm-app-server", "app-server")
        .replace("[\"migrate\", \"{args.mode}\"]", "[\"migrate\"]")
        .replace("default = \"--check\"", "");
    let config = dir.join("config.toml");
    fs::write(&config, text).expect("the folder can be written");
    config
}

/// Runs an action to its end: it and its output, oldest first.
async fn ended(process: &Process, action: &str, args: Value) -> (Value, Vec<String>) {
    let asked = json!({"action": action, "args": args});
    let (status, started) = process.post("/api/actions", &asked).await;
    assert_eq!(status, 202, "{started}");
    let path = format!("/api/actions/{}", started["id"].as_str().expect("an id"));
    let detail = process.wait_for(&path, |row| row["action"]["outcome"].is_string()).await;
    let lines = detail["progress"].as_array().expect("a list").iter().rev();
    let lines = lines.map(|row| row["line"].as_str().expect("text").to_owned()).collect();
    (detail["action"].clone(), lines)
}

#[tokio::test]
async fn each_procedure_of_the_example_runs_against_the_simulation() {
    let dir = tempfile::tempdir().expect("a folder");
    let sim = Sim::start(Scenario::Quiet, 1, dir.path()).await.expect("the simulation starts");
    let config = configured(&sim, dir.path());
    let (config, kubeconfig) = (config.to_str().expect("text"), sim.kubeconfig());
    let args = ["--config", config, "--kubeconfig", kubeconfig.to_str().expect("text")];
    let process = Process::serve(&dir.path().join("data"), &args).ready().await;

    let known = process.get("/api/runbooks").await;
    assert_eq!(known["runbooks"][1]["args"][0]["choices"], json!(["--apply", "--check"]));
    assert_eq!(known["sequences"][0]["steps"][0]["stepBatch"]["repeatCount"], 10);

    let ask = json!({"action": "run-runbook", "args": {"name": "restart-app-server"},
        "dry_run": true});
    let (status, told) = process.post("/api/actions", &ask).await;
    assert_eq!(status, 200, "{told}");
    assert!(told.to_string().contains("the API server would allow it"), "{told}");
    assert_eq!(sim.cluster().interventions(), 0, "a dry run changes nothing");
    assert_eq!(process.get("/api/actions").await["actions"], json!([]));

    let args = json!({"name": "restart-app-server"});
    let (action, lines) = ended(&process, "run-runbook", args).await;
    assert_eq!(action["outcome"], "succeeded", "{action} {lines:?}");
    assert_eq!(sim.cluster().interventions(), 1);

    let args = json!({"name": "migrate", "args": {"mode": "--apply"}});
    let (action, lines) = ended(&process, "run-runbook", args).await;
    assert_eq!(action["outcome"], "succeeded", "{action} {lines:?}");
    assert!(lines.iter().any(|line| line == "migration: step 12 of 12 applied"), "{lines:?}");

    let args = json!({"name": "add-revisions"});
    let (action, lines) = ended(&process, "run-test-sequence", args).await;
    assert_eq!(action["outcome"], "succeeded", "{action} {lines:?}");
    let detail = action["detail"].as_str().expect("text");
    assert!(detail.starts_with("10 steps were run, 0 failed; meanwhile app-server"), "{detail}");
    assert_eq!(process.terminate(), Some(0));
}

/// A runbook that waits for longer than a test does.
fn waiting(dir: &Path) -> std::path::PathBuf {
    let config = dir.join("config.toml");
    let text = "[cluster]\nenabled = false\n[[runbooks]]\nname = \"wait\"\nwhat = \"Waits.\"\n\
                [[runbooks.steps]]\nkind = \"wait\"\nms = 600_000\n";
    fs::write(&config, text).expect("the folder can be written");
    config
}

async fn begun(process: &Process) -> String {
    let asked = json!({"action": "run-runbook", "args": {"name": "wait"}});
    let (status, started) = process.post("/api/actions", &asked).await;
    assert_eq!(status, 202, "{started}");
    let path = format!("/api/actions/{}", started["id"].as_str().expect("an id"));
    let has_line = |row: &Value| row["progress"][0]["line"] == "step 1 of 1: wait for 600000 ms";
    process.wait_for(&path, has_line).await;
    path
}

#[tokio::test]
async fn what_a_crash_cuts_off_keeps_its_output_and_has_an_unknown_outcome() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = waiting(dir.path());
    let (data, args) = (dir.path().join("data"), ["--config", config.to_str().expect("text")]);
    let process = Process::serve(&data, &args).ready().await;
    let path = begun(&process).await;
    process.kill();
    let process = Process::serve(&data, &args).ready().await;
    let detail = process.get(&path).await;
    assert_eq!(detail["action"]["outcome"], "unknown");
    assert_eq!(detail["progress"][0]["line"], "step 1 of 1: wait for 600000 ms");
}

#[tokio::test]
async fn what_a_stop_cuts_off_is_cancelled_and_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = waiting(dir.path());
    let (data, args) = (dir.path().join("data"), ["--config", config.to_str().expect("text")]);
    let process = Process::serve(&data, &args).ready().await;
    let path = begun(&process).await;
    assert_eq!(process.terminate(), Some(0));
    let process = Process::serve(&data, &args).ready().await;
    let detail = process.get(&path).await;
    assert_eq!(detail["action"]["outcome"], "cancelled");
    let line = detail["progress"][0]["line"].as_str().expect("text");
    assert!(line.contains("cancelled by the recorder, which is stopping"), "{line}");
}
