//! What happens on the app-server by itself: log lines, requests and live queries, as its mood is.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    AppServer,
    content::{self, LineKind, PlannedSection},
    frames::{Frame, LiveQuery, LogEntry, Mtx, Section},
};
use crate::{
    event::{Millis, now},
    sim::rng::{Rng, uuid_of},
};

/// How often something may happen.
const TICK: Duration = Duration::from_millis(100);
/// Open requests at a time; more are not started.
const REQUESTS_MAX: usize = 64;
/// An open request is told again this often.
const REPEAT_MS: Millis = 1000.0;
/// Live queries that there are at least and at most.
const LIVE_QUERIES: (usize, usize) = (8, 20);

/// How the app-server feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Mood {
    /// As usual.
    Calm,
    /// Slow; it complains.
    Strained,
    /// Very slow; many requests fail.
    Failing,
}

impl Mood {
    /// Log lines per tick, on average.
    fn lines(self) -> f64 {
        match self {
            Mood::Calm => 0.35,
            Mood::Strained => 0.7,
            Mood::Failing => 2.5,
        }
    }

    fn kinds(self) -> &'static [LineKind] {
        match self {
            Mood::Calm => content::CALM_LINES,
            Mood::Strained => content::STRAINED_LINES,
            Mood::Failing => content::FAILING_LINES,
        }
    }

    /// How likely a request hangs, and how much longer it takes then.
    fn hanging(self) -> (f64, f64) {
        match self {
            Mood::Calm => (0.06, 15.0),
            Mood::Strained => (0.03, 3.0),
            Mood::Failing => (0.7, 6.0),
        }
    }

    /// How much longer a request takes than usual.
    fn slowness(self) -> f64 {
        match self {
            Mood::Calm => 1.0,
            Mood::Strained => 8.0,
            Mood::Failing => 25.0,
        }
    }
}

/// Plays the traffic until it is aborted.
pub(in crate::sim) async fn run(
    app_server: Arc<AppServer>,
    seed: u64,
    mood: watch::Receiver<Mood>,
) {
    let mut traffic =
        Traffic { rng: Rng::new(seed, "traffic"), requests: Vec::new(), live_queries: Vec::new() };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mood = *mood.borrow();
        for frame in traffic.step(mood, now()) {
            app_server.send(&frame).await;
        }
    }
}

struct Traffic {
    rng: Rng,
    requests: Vec<Request>,
    live_queries: Vec<LiveQuery>,
}

struct Request {
    id: String,
    plan: Vec<PlannedSection>,
    next_told: Millis,
}

impl Traffic {
    fn step(&mut self, mood: Mood, now: Millis) -> Vec<Frame> {
        let mut frames = Vec::new();
        self.write_lines(mood, now, &mut frames);
        self.run_requests(mood, now, &mut frames);
        self.change_live_queries(now, &mut frames);
        frames
    }

    fn write_lines(&mut self, mood: Mood, now: Millis, frames: &mut Vec<Frame>) {
        let mut lines = mood.lines();
        while self.rng.chance(lines) {
            lines -= 1.0;
            // Even a failing server goes on saying ordinary things.
            let usual = self.rng.chance(0.3);
            let kind = self.rng.pick(if usual { content::CALM_LINES } else { mood.kinds() });
            let entry = LogEntry {
                time: now,
                level: kind.0.to_owned(),
                target: kind.1.to_owned(),
                span_name: kind.2.to_owned(),
                message: content::message(kind, &mut self.rng),
            };
            frames.push(Frame::LogEntryAdded { entry });
        }
    }

    fn run_requests(&mut self, mood: Mood, now: Millis, frames: &mut Vec<Frame>) {
        if self.rng.chance(0.14) && self.requests.len() < REQUESTS_MAX {
            let usual = self.rng.between((20.0, 180.0));
            let (likely, slower) = mood.hanging();
            let slow = if self.rng.chance(likely) { slower } else { 1.0 };
            let plan = content::request(&mut self.rng, now, usual * slow * mood.slowness());
            // With the time in it no id comes again in the next run of the same story.
            let id = uuid_of(self.rng.bits(), now.to_bits());
            self.requests.push(Request { id, plan, next_told: now });
        }
        self.requests.retain_mut(|request| {
            let mtx = request.at(now);
            let ended = mtx.has_ended() && mtx.section_lifetimes.len() == request.plan.len();
            if ended || now >= request.next_told {
                request.next_told = now + REPEAT_MS;
                frames.push(Frame::MtxEntryDone { mtx });
            }
            !ended
        });
    }

    fn change_live_queries(&mut self, now: Millis, frames: &mut Vec<Frame>) {
        let (at_least, at_most) = LIVE_QUERIES;
        let count = self.live_queries.len();
        if count < at_least || (count < at_most && self.rng.chance(0.01)) {
            let query = content::live_query(&mut self.rng);
            frames.push(Frame::LQInstanceUpdated(query.clone()));
            self.live_queries.push(query);
        } else if self.rng.chance(0.01) {
            let chosen = self.rng.below(count as u64) as usize;
            let query = self.live_queries.swap_remove(chosen);
            let removed = LiveQuery { watchers_count: 0, deleting: true, ..query };
            frames.push(Frame::LQInstanceUpdated(removed));
        } else if self.rng.chance(0.06) {
            let chosen = self.rng.below(count as u64) as usize;
            let query = &mut self.live_queries[chosen];
            query.watchers_count = 1 + self.rng.below(5);
            let mut entry = content::entry(&query.table_name, &mut self.rng);
            entry["updatedAt"] = serde_json::json!(now.floor());
            query.last_entries = vec![entry];
            frames.push(Frame::LQInstanceUpdated(query.clone()));
        }
    }
}

impl Request {
    /// What has been seen of it by now.
    fn at(&self, now: Millis) -> Mtx {
        let mut mtx = Mtx::new(self.id.clone());
        for part in self.plan.iter().filter(|part| part.start <= now) {
            mtx.set(Section {
                path: part.path.clone(),
                extra_info: part.extra_info.clone(),
                start_time: part.start,
                duration: (part.start + part.duration <= now).then_some(part.duration),
            });
        }
        mtx
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute of traffic of one mood.
    fn minute(mood: Mood) -> Vec<Frame> {
        let rng = Rng::new(3, "traffic");
        let mut traffic = Traffic { rng, requests: Vec::new(), live_queries: Vec::new() };
        (0..600).flat_map(|tick| traffic.step(mood, f64::from(tick) * 100.0)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_traffic() {
        assert_eq!(minute(Mood::Strained), minute(Mood::Strained));
    }

    #[test]
    fn a_request_is_told_until_it_has_ended_and_not_after() {
        let mut open = std::collections::HashSet::new();
        let mut ended = std::collections::HashSet::new();
        for frame in minute(Mood::Strained) {
            let Frame::MtxEntryDone { mtx } = frame else { continue };
            assert!(!ended.contains(&mtx.id), "told after its end: {}", mtx.id);
            if mtx.has_ended() {
                ended.insert(mtx.id);
            } else {
                open.insert(mtx.id);
            }
        }
        assert!(ended.len() > 20 && open.intersection(&ended).count() > 10);
    }

    #[test]
    fn a_failing_server_writes_errors() {
        let errors = |frames: &[Frame]| {
            let is_error = |frame: &&Frame| matches!(frame, Frame::LogEntryAdded { entry } if entry.level == "ERROR");
            frames.iter().filter(is_error).count()
        };
        assert_eq!(errors(&minute(Mood::Calm)), 0);
        assert!(errors(&minute(Mood::Failing)) > 100);
    }
}
