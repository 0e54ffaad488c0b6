//! An admin's side: follows the live feed over every restart, asks for lists, starts actions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    process::{KEY, client},
    told::number_of,
};

/// How soon a refused connection is tried again, and how often lines are polled.
const RETRY: Duration = Duration::from_millis(10);
const POLL: Duration = Duration::from_millis(50);
/// Between two actions.
const ACT: Duration = Duration::from_millis(10);
/// Longer than the feed's heartbeat: a feed that is silent for so long is no longer there.
const SILENCE_MAX: Duration = Duration::from_secs(40);
/// Rows that the desk gives at most in one answer.
pub const ROWS: usize = 1000;

/// A log line as it was shown.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Line {
    pub seq: u64,
    /// The running number in its message.
    pub number: u64,
    /// When it was sent, as it claims.
    pub time: f64,
    /// When it was learned.
    pub learned: f64,
}

/// Everything that an admin has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// By the feed, in its order.
    pub fed: Vec<Line>,
    /// In `/api/logs`, by sequence number.
    pub polled: BTreeMap<u64, Line>,
    /// The ids of the actions that were accepted.
    pub accepted: Vec<String>,
    /// What the feed should never say here: `reset` and `shed`, or that it knows less than before.
    pub complaints: Vec<String>,
    /// The feed's last message id.
    last_id: u64,
    /// How far the journal is durable, as the feed said.
    durable_seq: u64,
}

/// A client with the admin key. It knows the recorder's present address, or that there is none.
#[derive(Clone)]
pub struct Desk {
    client: Client,
    url: watch::Receiver<Option<String>>,
}

impl Desk {
    pub fn new(url: watch::Receiver<Option<String>>) -> Desk {
        Desk { client: client::plain(), url }
    }

    /// The answer of a GET, if there is a recorder that gives one.
    async fn try_get(&self, path: &str) -> Option<Value> {
        let url = self.url.borrow().clone()?;
        let request = self.client.get(format!("{url}{path}")).bearer_auth(KEY);
        let answer = request.send().await.ok()?;
        // While the recorder starts it says so with 503.
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// The answer of a GET of a recorder that is ready.
    pub async fn get(&self, path: &str) -> Value {
        self.try_get(path).await.unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    /// All rows of a list in pages, newest first.
    pub async fn all(&self, path: &str, rows: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut before = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit={ROWS}{before}")).await;
            let Value::Array(found) = page[rows].take() else { panic!("{path} has no {rows}") };
            all.extend(found);
            match page["next"].as_u64() {
                Some(next) => before = format!("&before={next}"),
                None => return all,
            }
        }
    }

    /// All log lines, oldest first.
    pub async fn lines(&self) -> Vec<Line> {
        let rows = self.all("/api/logs", "entries").await;
        rows.iter().rev().map(line).collect()
    }

    /// Asks for the newest lines again and again.
    pub async fn poll(self, seen: Arc<Mutex<Seen>>) {
        loop {
            if let Some(page) = self.try_get("/api/logs?limit=200").await {
                let rows = page["entries"].as_array().expect("entries");
                let lines = rows.iter().map(line).map(|line| (line.seq, line));
                seen.lock().expect("no panic").polled.extend(lines);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Follows the live feed, and goes on after each restart where it was cut.
    pub async fn follow(mut self, seen: Arc<Mutex<Seen>>) {
        loop {
            let url = self.url.wait_for(Option::is_some).await.expect("the test goes on").clone();
            if let Some(url) = url {
                self.follow_once(&url, &seen).await;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Starts actions. They have no effect: there is no cluster.
    pub async fn act(mut self, seen: Arc<Mutex<Seen>>) {
        let args =
            json!({"kind": "Deployment", "namespace": "none", "name": "n", "method": "rollout"});
        let action = json!({"action": "restart-workload", "args": args});
        loop {
            let url = self.url.wait_for(Option::is_some).await.expect("the test goes on").clone();
            let url = url.expect("it was waited for");
            let request = self.client.post(format!("{url}/api/actions")).bearer_auth(KEY);
            let answer = request.json(&action).send().await;
            // An answer that was cut off says nothing.
            if let Ok(answer) = answer
                && answer.status() == StatusCode::ACCEPTED
                && let Ok(started) = answer.json::<Value>().await
            {
                let id = started["id"].as_str().expect("an id").to_owned();
                seen.lock().expect("no panic").accepted.push(id);
            }
            tokio::time::sleep(ACT).await;
        }
    }

    async fn follow_once(&self, url: &str, seen: &Mutex<Seen>) {
        let last_id = seen.lock().expect("no panic").last_id;
        // The first time with a number too, so that nothing is missed before the feed is open.
        let request = self.client.get(format!("{url}/api/live?topics=logs&after={last_id}"));
        let request = request.bearer_auth(KEY).header("Last-Event-ID", last_id.to_string());
        let Ok(answer) = request.send().await else { return };
        if !answer.status().is_success() {
            return;
        }
        let mut body = answer.bytes_stream();
        let mut text = Vec::new();
        while let Ok(Some(Ok(bytes))) = tokio::time::timeout(SILENCE_MAX, body.next()).await {
            text.extend_from_slice(&bytes);
            while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                let message: Vec<u8> = text.drain(..end + 2).collect();
                let message = String::from_utf8(message).expect("UTF-8");
                seen.lock().expect("no panic").take(&message);
            }
        }
    }
}

impl Seen {
    fn take(&mut self, message: &str) {
        let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name));
        let data = field("data: ").unwrap_or_default();
        let number = |name: &str| {
            let data: Value = serde_json::from_str(data).expect("JSON");
            data[name].as_u64().expect("a number")
        };
        match field("event: ").unwrap_or_default() {
            "hello" => {
                let known = self.last_id.max(self.durable_seq);
                if number("last_seq") < known {
                    self.complaints.push(format!("{message}, but {known} was announced"));
                }
            }
            "durable" => self.durable_seq = self.durable_seq.max(number("durable_seq")),
            "batch" => {
                let batch: Value = serde_json::from_str(data).expect("JSON");
                self.fed.extend(batch["logs"].as_array().into_iter().flatten().map(line));
            }
            "reset" | "shed" => self.complaints.push(message.to_owned()),
            _ => {}
        }
        if let Some(id) = field("id: ") {
            self.last_id = id.parse().expect("a sequence number");
        }
    }
}

fn line(row: &Value) -> Line {
    let message = row["message"].as_str().expect("a message");
    Line {
        seq: row["seq"].as_u64().expect("a sequence number"),
        number: number_of(message).expect("a line of the test"),
        time: row["time"].as_f64().expect("a time"),
        learned: row["learned"].as_f64().expect("a time"),
    }
}
