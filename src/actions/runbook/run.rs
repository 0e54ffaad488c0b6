//! Runs a runbook: one step after the other, each within its time, its output as it comes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{OnFailure, Run, Step, Work};
use crate::actions::{
    effect::Means,
    progress::Progress,
    secret::{self, Mask},
    template::Values,
};

/// What a step is given.
pub(super) struct Scene<'a> {
    pub means: &'a Means,
    pub progress: &'a Progress,
    pub values: &'a Values,
    /// How long the step may take.
    pub time_max: Duration,
}

impl Run {
    /// Does every step, and says how many failed.
    pub async fn run(self, means: &Means, progress: &Progress) -> Result<String, String> {
        let values = self.values(means).await?;
        let mask = Arc::new(Mask::of(&values.secrets));
        let progress = progress.masking(Arc::clone(&mask));
        let count = self.runbook.steps.len();
        let mut failed = Vec::new();
        for (step, n) in self.runbook.steps.iter().zip(1..) {
            let about = format!("step {n} of {count}");
            progress.line(&format!("{about}: {}", step.what(&self.shown()))).await;
            let begun = Instant::now();
            let result = self.bounded(step, means, &progress, &values).await;
            let took = begun.elapsed().as_millis();
            match result.map_err(|problem| mask.apply(&problem)) {
                Ok(done) => progress.line(&format!("{about} is done in {took} ms: {done}")).await,
                Err(problem) => {
                    progress.line(&format!("{about} failed after {took} ms: {problem}")).await;
                    failed.push(format!("{about} ({}) failed: {problem}", step.kind()));
                    if step.on_failure == OnFailure::Stop {
                        break;
                    }
                }
            }
        }
        if failed.is_empty() {
            return Ok(format!("all {count} steps of {} were done", self.runbook.name));
        }
        Err(failed.join("; "))
    }

    /// Says what each step would do.
    pub async fn would(&self, means: &Means) -> Vec<String> {
        let values = self.values(means).await;
        let mask = values.as_ref().map(|values| Mask::of(&values.secrets)).unwrap_or_default();
        let mut lines = Vec::new();
        lines.extend(values.err().map(|problem| format!("this would fail: {problem}")));
        for (step, n) in self.runbook.steps.iter().zip(1..) {
            lines.push(format!("step {n}: {}", step.what(&self.shown())));
            let checked = self.check(step, means).await;
            let checked = checked.unwrap_or_else(|problem| vec![format!("would fail: {problem}")]);
            lines.extend(checked.iter().map(|line| format!("step {n}: {}", mask.apply(line))));
        }
        lines
    }

    /// What can be known of a step without doing it.
    async fn check(&self, step: &Step, means: &Means) -> Result<Vec<String>, String> {
        match &step.work {
            Work::Http(step) => Ok(step.told(&self.shown())),
            Work::Exec(step) => step.would(&means.cluster().await?).await,
            Work::Restart(step) => {
                step.restart()?.would(&means.cluster().await?, means.started).await
            }
            Work::Wait(step) => step.would(means).await,
        }
    }

    async fn bounded(
        &self,
        step: &Step,
        means: &Means,
        progress: &Progress,
        values: &Values,
    ) -> Result<String, String> {
        let time_max = step.timeout_ms.unwrap_or(self.runbook.timeout_ms);
        let time_max = Duration::from_millis(time_max);
        let scene = Scene { means, progress, values, time_max };
        let done = timeout(time_max, step.run(&scene)).await;
        done.unwrap_or_else(|_| Err(format!("it did not end within {} ms", time_max.as_millis())))
    }

    /// Arguments, and secrets as they are.
    async fn values(&self, means: &Means) -> Result<Values, String> {
        let names: BTreeSet<&str> = self.runbook.steps.iter().flat_map(Step::secrets).collect();
        let secrets = secret::read_all(&means.procedures.secrets, names).await?;
        Ok(Values { args: self.args.clone(), secrets })
    }

    /// Arguments alone: the places of secrets stay.
    fn shown(&self) -> Values {
        Values { args: self.args.clone(), ..Values::default() }
    }
}

impl Step {
    async fn run(&self, scene: &Scene<'_>) -> Result<String, String> {
        match &self.work {
            Work::Http(step) => step.run(scene).await,
            Work::Exec(step) => step.run(scene).await,
            Work::Restart(step) => {
                step.restart()?.run(&scene.means.cluster().await?, scene.means.started).await
            }
            Work::Wait(step) => step.run(scene).await,
        }
    }
}
