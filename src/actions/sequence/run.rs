//! Runs a test sequence, and counts what came of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Run,
    http::{Sender, method},
    plan::{Planned, plan},
};
use crate::{
    actions::{
        effect::Means,
        progress::Progress,
        secret::{self, Mask},
        template::{Form, Place, Values, fill, places},
    },
    recorder::LogCounts,
};

/// Steps that run on while the next ones begin; beyond that the next one waits for one of them.
const CONCURRENT_MAX: usize = 64;

/// What the app-server logs about the last step may arrive so much later.
const LOG_DELAY: Duration = Duration::from_secs(1);

/// What came of the steps.
#[derive(Debug, Default)]
struct Tally {
    run: usize,
    failed: usize,
}

impl Run {
    /// Sends every step, and says how many failed and what was logged meanwhile.
    pub async fn run(self, means: &Means, progress: &Progress) -> Result<String, String> {
        let (sender, mask) = self.sender(means).await?;
        let progress = progress.masking(mask);
        let steps = plan(&self.sequence.steps);
        progress.line(&format!("{} steps", steps.len())).await;
        let tally = run_all(steps, Arc::new(sender), &progress).await;
        sleep(LOG_DELAY).await;
        let logged = self.logged(means).await;
        let told = format!("{} steps were run, {} failed; {logged}", tally.run, tally.failed);
        if tally.failed == 0 { Ok(told) } else { Err(told) }
    }

    /// Says what would be sent.
    pub async fn would(&self, means: &Means) -> Result<Vec<String>, String> {
        self.sender(means).await?;
        let url = self.app_server.url.as_deref().unwrap_or_default();
        let steps = plan(&self.sequence.steps);
        let mut lines = vec![format!("{} steps, sent to {url}", steps.len())];
        for (step, n) in steps.iter().zip(1..).take(LINES_MAX) {
            lines.push(format!("step {n}: {}", told(step)));
        }
        if steps.len() > LINES_MAX {
            lines.push(format!("and {} steps more", steps.len() - LINES_MAX));
        }
        Ok(lines)
    }

    async fn sender(&self, means: &Means) -> Result<(Sender, Arc<Mask>), String> {
        let url = self.app_server.url.as_deref();
        let url = url.ok_or(
            "there is no app-server to test: set http_url in [app_server] of the configuration",
        )?;
        let headers = &self.app_server.headers;
        let secret = |place| match place {
            Place::Secret(name) => Some(name),
            Place::Arg(_) => None,
        };
        let names: BTreeSet<&str> =
            headers.values().flat_map(|text| places(text)).filter_map(secret).collect();
        let secrets = secret::read_all(&means.procedures.secrets, names).await?;
        let mask = Arc::new(Mask::of(&secrets));
        let values = Values { secrets, ..Values::default() };
        let filled = headers.iter();
        let filled = filled.map(|(name, text)| (name.clone(), fill(text, &values, Form::Plain)));
        Ok((Sender::new(url, filled.collect())?, mask))
    }

    /// What the app-server logged meanwhile, in words.
    async fn logged(&self, means: &Means) -> String {
        let (published, sources) =
            (Arc::clone(&means.published), self.sequence.log_sources.clone());
        let after = means.seq;
        let count = move || published.log_counts(after, &sources);
        match tokio::task::spawn_blocking(count).await {
            Ok(Ok(LogCounts { errors, warnings, is_whole })) => {
                let least = if is_whole { "" } else { "at least " };
                format!(
                    "meanwhile {} logged {least}{warnings} warnings and {least}{errors} errors",
                    self.sequence.log_sources.join(", ")
                )
            }
            Ok(Err(_)) | Err(_) => "what was logged meanwhile could not be read".into(),
        }
    }
}

/// A dry run tells so many steps one by one.
const LINES_MAX: usize = 100;

fn told(step: &Planned) -> String {
    let Planned { pre_wait, post_wait, wait_till_complete, duration_min, http } = step;
    let mut line = format!("{} {}", method(http), http.path);
    for (what, ms) in [("before it", pre_wait), ("after it", post_wait), ("in all", duration_min)] {
        if *ms > 0 {
            line.push_str(&format!(", {ms} ms {what}"));
        }
    }
    if !wait_till_complete {
        line.push_str(", not waited for");
    }
    line
}

async fn run_all(steps: Vec<Planned>, sender: Arc<Sender>, progress: &Progress) -> Tally {
    let mut tally = Tally::default();
    // Dropped with the action: what still runs then is ended.
    let mut running = JoinSet::new();
    for (step, n) in steps.into_iter().zip(1..) {
        let begun = Instant::now();
        sleep(Duration::from_millis(step.pre_wait)).await;
        if running.len() >= CONCURRENT_MAX {
            let ended = running.join_next().await;
            tally.count(ended.and_then(Result::ok), progress).await;
        }
        tally.run += 1;
        let request = send(n, step.clone(), Arc::clone(&sender));
        if step.wait_till_complete {
            tally.count(Some(request.await), progress).await;
        } else {
            running.spawn(request);
        }
        sleep(Duration::from_millis(step.post_wait)).await;
        sleep_until(begun + Duration::from_millis(step.duration_min)).await;
        while let Some(ended) = running.try_join_next() {
            tally.count(ended.ok(), progress).await;
        }
    }
    while let Some(ended) = running.join_next().await {
        tally.count(ended.ok(), progress).await;
    }
    tally
}

/// A step that was sent.
struct Sent {
    n: usize,
    what: String,
    took: Duration,
    result: Result<String, String>,
}

async fn send(n: usize, step: Planned, sender: Arc<Sender>) -> Sent {
    let begun = Instant::now();
    let result = sender.send(&step.http).await;
    let what = format!("{} {}", method(&step.http), step.http.path);
    Sent { n, what, took: begun.elapsed(), result }
}

impl Tally {
    /// Counts a step that has ended; one of which nothing is known has failed in itself.
    async fn count(&mut self, sent: Option<Sent>, progress: &Progress) {
        let Some(Sent { n, what, took, result }) = sent else {
            self.failed += 1;
            return progress.line("a step failed in itself; this is a bug").await;
        };
        let ms = took.as_millis();
        match result {
            Ok(done) => progress.line(&format!("step {n}, {what}: {done} after {ms} ms")).await,
            Err(problem) => {
                self.failed += 1;
                progress.line(&format!("step {n}, {what} failed after {ms} ms: {problem}")).await;
            }
        }
    }
}
