//! What the app-server tells of its own process, over HTTP beside the link.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use reqwest::{Client, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::url;
use crate::{
    collect::{
        report::Report,
        supervisor::{Failure, Retry, Source},
    },
    event::{Event, Extensions, ProcessUsage, now},
    peer::{self, Trust},
    redact,
};

/// The name of this source.
pub const NAME: &str = "app-server/basic-info";

/// It is asked this often.
const ASK_INTERVAL: Duration = Duration::from_secs(15);

/// What did not change is recorded this often, so that its age tells that it was looked at.
const RECORD_INTERVAL: Duration = Duration::from_secs(60);

/// It answers from its memory: one that takes longer hangs.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

/// Some numbers and names; more is something else.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Names under which the memory in use is evidently told in bytes.
const MEMORY_FIELDS: [&str; 3] = ["memory_bytes", "memoryBytes", "rss_bytes"];

/// Names under which the processors in use are evidently told.
const CPU_FIELDS: [&str; 2] = ["cpu_cores", "cpuCores"];

/// The app-server's answers to `GET /basic-info`.
pub struct BasicInfo {
    url: Option<String>,
    link: Option<String>,
    client: Option<Client>,
    recorded: Option<(Instant, String)>,
}

impl BasicInfo {
    /// Asks at `url`; where there is none, beside the link.
    pub fn new(url: Option<&str>, link: Option<&str>) -> BasicInfo {
        let (url, link) = (url.map(str::to_owned), link.map(str::to_owned));
        BasicInfo { url, link, client: None, recorded: None }
    }

    fn address(&self) -> Result<String, Failure> {
        match (&self.url, &self.link) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(link)) => url::basic_info(link)
                .map_err(|reason| Failure::Down { reason, retry: Retry::Rarely }),
            (None, None) => {
                let reason = "not configured: set --app-server-url, or basic_info_url in the \
                              section [app_server]";
                Err(Failure::NotConfigured { reason: reason.into() })
            }
        }
    }

    fn client(&mut self) -> Result<Client, Failure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let made = peer::client(Trust::System, ANSWER_TIME_MAX);
        let client = made.map_err(|error| down(error.to_string(), Retry::Rarely))?;
        Ok(self.client.insert(client).clone())
    }

    /// The usage to record now; `None` where it was recorded a moment ago.
    fn news(&mut self, body: &str) -> Option<Event> {
        let is_news = self
            .recorded
            .as_ref()
            .is_none_or(|(at, recorded)| recorded != body || at.elapsed() >= RECORD_INTERVAL);
        if !is_news {
            return None;
        }
        self.recorded = Some((Instant::now(), body.to_owned()));
        Some(Event::ProcessUsage(usage(body)))
    }
}

impl Source for BasicInfo {
    async fn observe(&mut self, report: &mut Report) -> Result<Infallible, Failure> {
        let url = self.address()?;
        let client = self.client()?;
        report.connecting().await?;
        loop {
            let body = ask(&client, &url).await.map_err(|why| {
                let (why, retry) = why;
                down(format!("asking {} failed: {why}", redact::text(&url)), retry)
            })?;
            report.up().await?;
            report.heard(now());
            report.send(self.news(&body).into_iter().collect()).await?;
            tokio::time::sleep(ASK_INTERVAL).await;
        }
    }

    fn forget(&mut self) {
        self.recorded = None;
    }
}

fn down(reason: String, retry: Retry) -> Failure {
    Failure::Down { reason, retry }
}

async fn ask(client: &Client, url: &str) -> Result<String, (String, Retry)> {
    let soon = |why: String| (why, Retry::BackOff);
    let answer = timeout(ANSWER_TIME_MAX, async {
        let answer = client.get(url).send().await;
        let answer = answer.map_err(|e| soon(format!("{}; does it run?", peer::explain(&e))))?;
        if !answer.status().is_success() {
            let hint = "does this app-server tell of itself, and at this address? basic_info_url \
                        in the section [app_server] names another";
            return Err((format!("it answered {}; {hint}", answer.status()), Retry::Rarely));
        }
        read(answer).await.map_err(soon)
    });
    let late = |_| soon(format!("no whole answer within {} s", ANSWER_TIME_MAX.as_secs()));
    let body = answer.await.map_err(late)??;
    match serde_json::from_str::<Value>(&body) {
        Ok(Value::Object(_)) => Ok(body),
        Ok(_) | Err(_) => Err(("its answer is no JSON object".into(), Retry::Rarely)),
    }
}

async fn read(mut answer: Response) -> Result<String, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| peer::explain(&e))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(format!("its answer is longer than {} KiB", ANSWER_BYTES_MAX >> 10));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| "its answer is no text".into())
}

fn usage(body: &str) -> ProcessUsage {
    let fields: Value = serde_json::from_str(body).unwrap_or_default();
    let first = |names: &[&str]| names.iter().find_map(|name| fields.get(name)?.as_f64());
    let is_sound = |value: &f64| value.is_finite() && *value >= 0.0;
    ProcessUsage {
        source: NAME.into(),
        name: "app-server".into(),
        cpu_cores: first(&CPU_FIELDS).filter(is_sound),
        memory_bytes: first(&MEMORY_FIELDS).filter(is_sound).map(|bytes| bytes as u64),
        body: body.to_owned(),
        observed: now(),
        gone: false,
        ext: Extensions::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_evident_is_read_and_all_is_kept() {
        let check = |body: &str, cpu, memory| {
            let usage = usage(body);
            assert_eq!((usage.cpu_cores, usage.memory_bytes), (cpu, memory), "{body}");
            assert_eq!(usage.body, body);
        };
        check(r#"{"memory_bytes": 12, "cpu_cores": 0.5}"#, Some(0.5), Some(12));
        check(r#"{"memoryBytes": 1e3}"#, None, Some(1000));
        check(r#"{"memUsed": 12, "cpu": 3}"#, None, None);
        check(r#"{"memory_bytes": "12", "cpu_cores": -1}"#, None, None);
    }

    #[test]
    fn what_did_not_change_is_no_news_for_a_while() {
        let mut info = BasicInfo::new(None, None);
        assert!(info.news("{}").is_some());
        assert!(info.news("{}").is_none());
        assert!(info.news(r#"{"a":1}"#).is_some());
        let ago = Instant::now().checked_sub(RECORD_INTERVAL).expect("the clock ran for a minute");
        info.recorded = Some((ago, "{}".into()));
        assert!(info.news("{}").is_some());
    }
}
