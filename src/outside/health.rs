//! How a tool is: a light question at a steady pace, its answer kept in memory.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};

use super::{Limits, Tool, Upstream};
use crate::peer;

/// Between two questions at least, however many requests fail.
const PACE_MIN: Duration = Duration::from_secs(1);

/// How a tool is. Times are fractional milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// `None` until it was asked for the first time.
    pub up: Option<bool>,
    /// Since when it is so.
    pub since: f64,
    /// When it was last up, as far as this process knows.
    pub last_up: Option<f64>,
    /// Why it is down; empty while it is up.
    pub reason: String,
}

impl Health {
    fn unknown() -> Health {
        Health { up: None, since: now(), last_up: None, reason: String::new() }
    }

    /// Takes in an answer; says whether it is news. The time of the last answer is none.
    fn learn(&mut self, answer: Result<(), String>, now: f64) -> bool {
        let up = answer.is_ok();
        let reason = answer.err().unwrap_or_default();
        let is_news = self.up != Some(up) || self.reason != reason;
        if self.up != Some(up) {
            self.since = now;
        }
        if up {
            self.last_up = Some(now);
        }
        self.up = Some(up);
        self.reason = reason;
        is_news
    }
}

fn now() -> f64 {
    jiff::Timestamp::now().as_nanosecond() as f64 / 1e6
}

/// What is asked, of whom.
pub(super) struct Question {
    pub(super) tool: Tool,
    pub(super) url: Upstream,
    pub(super) client: reqwest::Client,
    /// Asks at once; questions never follow each other faster than [`PACE_MIN`].
    pub(super) now: Arc<Notify>,
}

/// Asks for as long as somebody holds the answer.
pub(super) fn watch(question: Question, limits: &Limits) -> watch::Receiver<Health> {
    let (sender, receiver) = watch::channel(Health::unknown());
    let (pace, time) = (limits.health_pace, limits.health_time);
    tokio::spawn(async move {
        while !sender.is_closed() {
            let answer = question.ask(time).await;
            sender.send_if_modified(|health| health.learn(answer, now()));
            tokio::select! {
                () = tokio::time::sleep(pace) => {}
                () = async {
                    tokio::time::sleep(PACE_MIN).await;
                    question.now.notified().await;
                } => {}
                () = sender.closed() => {}
            }
        }
    });
    receiver
}

impl Question {
    async fn ask(&self, time: Duration) -> Result<(), String> {
        let url = self.url.below(self.tool.health_path(), None).map_err(|e| e.to_string())?;
        let answer = self.client.get(url).timeout(time).send().await;
        let status = answer.map_err(|error| peer::explain(&error))?.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("it answered {status} when asked how it is"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_and_the_last_time_up_are_kept() {
        let mut health = Health::unknown();
        assert!(health.learn(Ok(()), 10.0));
        assert!(!health.learn(Ok(()), 20.0), "nothing changed");
        assert_eq!((health.since, health.last_up), (10.0, Some(20.0)));
        assert!(health.learn(Err("refused".into()), 30.0));
        assert!(health.learn(Err("no answer in time".into()), 40.0), "another reason");
        assert_eq!((health.since, health.last_up), (30.0, Some(20.0)));
        assert_eq!((health.up, health.reason.as_str()), (Some(false), "no answer in time"));
    }
}
