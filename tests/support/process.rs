//! Runs the real binary, waits until it serves, asks it over HTTP, and ends it by its id.

#![allow(dead_code, reason = "each test binary uses its part")]

#[path = "client.rs"]
pub mod client;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The key of every process that a test starts.
pub const KEY: &str = "the-admin-key-of-the-tests";

/// Nothing that a test waits for takes longer, also on a busy machine.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// A running binary; killed when dropped.
pub struct Process {
    child: Child,
    address: String,
    metrics: Option<String>,
    client: reqwest::Client,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
}

/// The binary with the test's key and none of the surrounding settings.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitor-backend"));
    command
        .args(args)
        .env_clear()
        .env("MONITOR_BACKEND_ADMIN_KEY", KEY)
        .env("HOME", "/nonexistent");
    command
}

/// `serve` on a free port, not yet started.
pub fn serve_command(data_dir: &Path, args: &[&str]) -> Command {
    let dir = data_dir.to_str().expect("temporary paths are text");
    let fixed = ["serve", "--data-dir", dir, "--listen", "127.0.0.1:0"];
    command(&[&fixed, args].concat())
}

/// Runs the binary to its end.
pub fn output(args: &[&str]) -> Output {
    command(args).stdin(Stdio::null()).output().expect("the binary runs")
}

impl Process {
    /// `serve` on a free port.
    pub fn serve(data_dir: &Path, args: &[&str]) -> Process {
        Process::start(serve_command(data_dir, args))
    }

    /// `replay` on a free port.
    pub fn replay(path: &Path) -> Process {
        let path = path.to_str().expect("temporary paths are text");
        Process::start(command(&["replay", path, "--listen", "127.0.0.1:0"]))
    }

    /// Starts it, and waits until it says where it listens.
    pub fn start(mut command: Command) -> Process {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut metrics = None;
        let address = lines.find_map(|line| {
            let line = line.expect("it prints text");
            metrics = metrics.take().or(line.strip_prefix("metrics on ").map(str::to_owned));
            line.strip_prefix("listening on ").map(str::to_owned)
        });
        // Whatever it prints later must find a reader.
        let said = Arc::<Mutex<Vec<_>>>::default();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().expect("nobody panics with it").push((Instant::now(), line));
            }
        });
        let address = address.expect("it ended before it listened");
        Process { child, address, metrics, client: client::plain(), said }
    }

    /// The address of `/metrics`, where it was asked for.
    pub fn metrics(&self) -> Option<&str> {
        self.metrics.as_deref()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it has printed since it listens, and when.
    pub fn said(&self) -> Vec<(Instant, String)> {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A request with the key.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address)).bearer_auth(KEY)
    }

    /// A JSON answer that must be a success.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.request(reqwest::Method::GET, path).send().await.expect("it answers");
        let status = answer.status();
        let text = answer.text().await.expect("the answer is text");
        assert!(status.is_success(), "GET {path} gave {status}: {text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    /// Posts JSON; gives the status and the JSON of the answer.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(reqwest::Method::POST, path).json(body);
        let answer = request.send().await.expect("it answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("the answer is JSON"))
    }

    /// Asks again until the answer is what it should become; panics with the last answer.
    pub async fn wait_for(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            let answer = self.request(reqwest::Method::GET, path).send().await;
            let answer = match answer {
                Ok(answer) if answer.status().is_success() => {
                    answer.json().await.expect("the answer is JSON")
                }
                Ok(answer) => Value::from(answer.status().as_u16()),
                Err(error) => Value::from(error.to_string()),
            };
            if is_there(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} stayed at {answer:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the views are complete.
    pub async fn ready(self) -> Process {
        self.wait_for("/api/status", |status| status["replay"]["done"] == true).await;
        self
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("it is ours to kill");
        self.child.wait().expect("it has ended");
    }

    /// SIGTERM; gives the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it did not end on SIGTERM");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
