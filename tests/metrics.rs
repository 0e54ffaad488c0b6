//! `/metrics` of the real binary: what a real parser says of it, that its numbers move, and that it
//! holds nothing that was recorded.

#[path = "support/app_server.rs"]
mod app_server;
#[path = "support/monitoring_assets.rs"]
mod monitoring_assets;
#[path = "support/process.rs"]
mod process;

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use app_server::{AppServer, log, now};
use monitoring_assets::assets;
use process::{Process, WAIT_MAX, client, command};

/// Values by name and labels, as they stand in the page.
type Values = BTreeMap<String, f64>;

fn values(page: &str) -> Values {
    let samples = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

async fn page(url: &str) -> String {
    let answer = client::plain().get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().expect("a text").to_owned();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.expect("a text")
}

/// Fetches pages until one is as wanted.
async fn wait(url: &str, is_wanted: impl Fn(&Values) -> bool) -> Values {
    let began = Instant::now();
    loop {
        let text = page(url).await;
        let values = values(&text);
        if is_wanted(&values) {
            return values;
        }
        assert!(began.elapsed() < WAIT_MAX, "it never came: {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What Prometheus's own parser and linter say.
fn complaints(page: &str) -> String {
    let mut promtool = Command::new(assets().join("promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it comes with Prometheus");
    let mut stdin = promtool.stdin.take().expect("it is piped");
    stdin.write_all(page.as_bytes()).expect("it reads");
    drop(stdin);
    let ended = promtool.wait_with_output().expect("it ends");
    let told = [ended.stdout, ended.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert_eq!(ended.status.success(), told.is_empty(), "{told}");
    told
}

#[tokio::test]
async fn the_numbers_are_sound_for_prometheus_and_move() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let server = AppServer::start().await;
    let data = dir.path().to_str().expect("temporary paths are text");
    let config = dir.path().join("config.toml");
    let probe = format!(
        "[cluster]\nenabled = false\n[[probes]]\nname = \"odd \\\" \\\\ name\"\n\
         tcp = \"{}\"\ninterval_seconds = 1\n",
        server.url().trim_start_matches("ws://")
    );
    std::fs::write(&config, probe).expect("the folder is writable");
    let config = config.to_str().expect("temporary paths are text");
    let args = ["serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--config", config];
    let more = ["--metrics-listen", "127.0.0.1:0", "--app-server-url"];
    let asked = command(&[&args[..], &more[..], &[&server.url()]].concat());
    let process = Process::start(asked).ready().await;
    let url = process.metrics().expect("it was asked for").to_owned();
    let up = "monitor_backend_source_up{source=\"app-server\"}";

    let mut connection = loop {
        // Probes and the basic info come to this port too, and speak no WebSocket.
        if let Some(connection) = server.try_accept().await {
            break connection;
        }
    };
    let before = wait(&url, |values| values.get(up) == Some(&1.0)).await;
    connection.say(&log(now(), "the-secret-of-the-line")).await;
    connection.say(r#"{"Unheard":{}}"#).await;
    connection.say("not json").await;
    let last = "monitor_backend_journal_last_sequence";
    let malformed = "monitor_backend_source_malformed_messages_total{source=\"app-server\"}";
    let unknown = "monitor_backend_source_unknown_messages_total{source=\"app-server\"}";
    let after = wait(&url, |values| {
        values[last] > before[last] && values[malformed] == 1.0 && values[unknown] == 1.0
    })
    .await;
    for name in ["monitor_backend_journal_events_total", "monitor_backend_journal_batches_total"] {
        assert!(after[name] > before[name], "{name}");
    }
    assert_eq!(after["monitor_backend_journal_segments"], 1.0);
    assert_eq!(after["monitor_backend_ready"], 1.0);
    assert_eq!(after["monitor_backend_queue_capacity_messages"], 64.0);
    assert!(after["process_cpu_seconds_total"] > 0.0);
    let count = "monitor_backend_journal_sync_duration_seconds_count";
    assert!(after[count] >= 1.0);
    let below =
        |bound| format!("monitor_backend_journal_sync_duration_seconds_bucket{{le=\"{bound}\"}}");
    assert_eq!(after[&below("+Inf")], after[count]);
    let buckets: Vec<f64> =
        ["0.001", "0.01", "0.1", "10", "+Inf"].map(|bound| after[&below(bound)]).to_vec();
    assert!(buckets.is_sorted(), "buckets hold those before them: {buckets:?}");

    let status = "monitor_backend_http_requests_total{method=\"GET\",route=\"/api/status\",\
                  status=\"2xx\"}";
    let before = after.get(status).copied().unwrap_or(0.0);
    process.get("/api/status").await;
    let text = page(&url).await;
    assert_eq!(values(&text)[status], before + 1.0);
    assert!(!text.contains("the-secret-of-the-line"), "{text}");
    assert!(!text.contains(process::KEY), "{text}");
    assert_eq!(complaints(&text), "");
    assert_ne!(complaints("a b c\n"), "");
}

#[tokio::test]
async fn there_is_nothing_else_and_a_taken_port_costs_no_start() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let process = Process::serve(dir.path(), &["--metrics-listen", "127.0.0.1:0"]).ready().await;
    let url = process.metrics().expect("it was asked for").to_owned();
    let root = url.trim_end_matches("/metrics").to_owned();
    for path in ["/", "/api/status", "/metrics/x"] {
        let answer = client::plain().get(format!("{root}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
    let posted = client::plain().post(&url).send().await.expect("an answer");
    assert_eq!(posted.status(), 405);
    let on_main = client::plain().get(format!("{}/metrics", process.address()));
    let answer = on_main.send().await.expect("an answer");
    assert!(!answer.text().await.expect("a text").contains("monitor_backend_"));

    let other = tempfile::tempdir().expect("a temporary folder");
    let taken = root.trim_start_matches("http://");
    let second = Process::serve(other.path(), &["--metrics-listen", taken]).ready().await;
    let status = second.get("/api/status").await;
    assert!(status["degraded"].to_string().contains("/metrics is off"), "{status}");
}
