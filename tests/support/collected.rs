//! Collectors under test, and what they send, one observation after another.

#![allow(dead_code, reason = "every test binary compiles this file and uses its own part of it")]

use std::{collections::VecDeque, time::Duration};

use monitor_backend::{
    collect::{self, Collectors, Config, Outlet, Pace, Resume},
    event::{Event, Gap, Listed, Observation, Observed, ProbeResult, SourceState, State},
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// No observation takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pace at which failures, silence and refusals are over within a moment.
pub fn fast() -> Pace {
    Pace {
        retry_first: Duration::from_millis(20),
        retry_max: Duration::from_millis(100),
        retry_refused: Duration::from_millis(50),
        first_frame_max: Duration::from_millis(50),
        link_tick: Duration::from_millis(20),
        watch_min: Duration::from_millis(20),
        ..Pace::default()
    }
}

/// What was sent.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are events")]
pub enum Seen {
    /// An event.
    Event(Event),
    /// The end of a list.
    Listed(Listed),
}

impl Seen {
    fn source(&self) -> &str {
        match self {
            Seen::Listed(e) => &e.source,
            Seen::Event(Event::ObjectObserved(e)) => &e.source,
            Seen::Event(Event::ObjectDeleted(e)) => &e.source,
            Seen::Event(Event::ClusterEvent(e)) => &e.source,
            Seen::Event(Event::LogLine(e)) => &e.source,
            Seen::Event(Event::Trace(e)) => &e.source,
            Seen::Event(Event::LiveQuery(e)) => &e.source,
            Seen::Event(Event::SourceState(e)) => &e.name,
            Seen::Event(Event::Gap(e)) => &e.source,
            Seen::Event(Event::WatchPosition(e)) => &e.source,
            Seen::Event(Event::ProbeResult(_)) => ProbeResult::SOURCE,
            Seen::Event(Event::VolumeUsage(e)) => &e.source,
            Seen::Event(Event::ProcessUsage(e)) => &e.source,
            Seen::Event(Event::PodLogPosition(e)) => &e.source,
            Seen::Event(other) => panic!("no collector sends {other:?}"),
        }
    }
}

/// Running collectors and the queue that they fill.
pub struct Collected {
    queue: Option<mpsc::Receiver<Observed>>,
    waiting: VecDeque<(u64, Seen)>,
    /// Only what is of this source is looked at; empty for all.
    pub only: &'static str,
    /// What was looked at and passed over by the last wait.
    pub passed: Vec<Seen>,
    /// The generation of what was returned last.
    pub last_generation: u64,
    generation: watch::Sender<u64>,
    shutdown: watch::Sender<bool>,
    collectors: Collectors,
}

impl Collected {
    /// Starts collectors in generation 1 with a queue of `queue_messages`.
    pub fn start(config: &Config, resume: &Resume, queue_messages: usize) -> Collected {
        let (sender, queue) = mpsc::channel(queue_messages);
        let (generation, generation_seen) = watch::channel(1);
        let (shutdown, stop) = watch::channel(false);
        let outlet = Outlet::new(sender, generation_seen);
        let collectors = collect::start(config, &outlet, resume, &stop);
        Collected {
            queue: Some(queue),
            waiting: VecDeque::new(),
            only: "",
            passed: vec![],
            last_generation: 0,
            generation,
            shutdown,
            collectors,
        }
    }

    /// Tells the collectors that the journal was wiped.
    pub fn wipe(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// The next observation.
    pub async fn next(&mut self) -> Seen {
        loop {
            while self.waiting.is_empty() {
                self.receive().await;
            }
            let (generation, seen) = self.waiting.pop_front().expect("it is not empty");
            if self.only.is_empty() || seen.source() == self.only {
                self.last_generation = generation;
                return seen;
            }
        }
    }

    async fn receive(&mut self) {
        let queue = self.queue.as_mut().expect("the recorder listens");
        let observed = timeout(PATIENCE, queue.recv())
            .await
            .unwrap_or_else(|_| panic!("nothing came; before: {:#?}", self.passed))
            .expect("the collectors run");
        let generation = observed.generation;
        match observed.what {
            Observation::Events(events) => {
                assert!(!events.is_empty(), "an empty message is a waste");
                self.waiting.extend(events.into_iter().map(|e| (generation, Seen::Event(e))));
            }
            Observation::Listed(listed) => {
                self.waiting.push_back((generation, Seen::Listed(listed)))
            }
        }
    }

    /// Waits for an observation that `find` wants; what comes before it is in [`Self::passed`].
    pub async fn wait<T>(&mut self, mut find: impl FnMut(&Seen) -> Option<T>) -> T {
        self.passed.clear();
        loop {
            let seen = self.next().await;
            if let Some(found) = find(&seen) {
                return found;
            }
            self.passed.push(seen);
        }
    }

    /// Waits until a source is told to be in a state.
    pub async fn state(&mut self, name: &str, state: State) -> SourceState {
        self.wait(|seen| match seen {
            Seen::Event(Event::SourceState(s)) if s.name == name && s.state == state => {
                Some(s.clone())
            }
            _ => None,
        })
        .await
    }

    /// Waits for a gap of a source.
    pub async fn gap(&mut self, name: &str) -> Gap {
        self.wait(|seen| match seen {
            Seen::Event(Event::Gap(gap)) if gap.source == name => Some(gap.clone()),
            _ => None,
        })
        .await
    }

    /// Stops the collectors in good order; they must end. Returns what they still sent.
    pub async fn stop(mut self) -> Vec<Observed> {
        self.shutdown.send_replace(true);
        timeout(PATIENCE, self.collectors.stopped()).await.expect("the collectors end");
        let mut last = vec![];
        while let Some(observed) = self.queue.as_mut().and_then(|queue| queue.try_recv().ok()) {
            last.push(observed);
        }
        last
    }

    /// Stops to listen, as a recorder that ended; the collectors must end by themselves.
    pub async fn stop_listening(mut self) {
        self.queue = None;
        timeout(PATIENCE, self.collectors.stopped()).await.expect("the collectors end");
    }
}
