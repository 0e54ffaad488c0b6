//! The followers of a selection: one for each container of its pods.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, Semaphore, mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    PodLogs, Positions,
    failure::Error,
    follower::{Follower, Shared, Told},
    pods::{Container, Pod},
    stamp,
};
use crate::{
    cluster::Cluster,
    collect::{pace::Pace, report::Report},
    event::{Event, Extensions, Gap, PodLogPosition, now},
};

/// So many logs of a selection are open at once: each is a connection to the API server, and from
/// there to a node.
pub const FOLLOWED_MAX: usize = 200;

/// So many containers of a selection are looked after; a follower takes some kilobytes.
pub const CONTAINERS_MAX: usize = 2000;

/// One connection is opened in this time, so that a start is no storm.
const OPENING_INTERVAL: Duration = Duration::from_millis(20);

/// Messages of followers that may wait; each is up to 256 KiB of lines.
const TOLD_MAX: usize = 16;

/// A log that was never read is read from so long ago on: what led to the present, and no flood.
const REACH_MS: f64 = 10.0 * 60.0 * 1000.0;

/// Uid of the pod, and name of the container.
type Key = (String, String);

/// The followers of a selection. Dropping it ends them.
pub struct Flock {
    /// What they share.
    shared: Arc<Shared>,
    /// Containers beyond the bound.
    beyond: HashSet<Key>,
    states: HashMap<Key, watch::Sender<Container>>,
    followers: JoinSet<()>,
    told_in: mpsc::Receiver<Told>,
    told: mpsc::Sender<Told>,
    failure: Option<Error>,
    since: Instant,
}

impl Flock {
    /// Nobody is followed yet.
    pub fn new(selection: PodLogs, cluster: Cluster, pace: Pace, report: &Report) -> Flock {
        let (told, told_in) = mpsc::channel(TOLD_MAX);
        let mut opening = interval(OPENING_INTERVAL);
        opening.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = Shared {
            source: selection.source(),
            selection,
            cluster,
            pace,
            is_redacting: report.is_redacting(),
            reach_ns: stamp::from_millis(now() - REACH_MS),
            permits: Arc::new(Semaphore::new(FOLLOWED_MAX)),
            crowded: AtomicU64::new(0),
            opening: Mutex::new(opening),
        };
        Flock {
            shared: Arc::new(shared),
            beyond: HashSet::new(),
            states: HashMap::new(),
            followers: JoinSet::new(),
            told_in,
            told,
            failure: None,
            since: Instant::now(),
        }
    }

    /// The cluster that is asked.
    pub fn cluster(&self) -> &Cluster {
        &self.shared.cluster
    }

    /// What a follower tells next.
    pub async fn told(&mut self) -> Told {
        match self.told_in.recv().await {
            Some(told) => told,
            // This holds a sender itself.
            None => std::future::pending().await,
        }
    }

    /// Takes a complete list: what it does not name is gone, and the events say so.
    pub fn listed(&mut self, pods: BTreeMap<String, Pod>, positions: &mut Positions) -> Vec<Event> {
        let followed = &self.states;
        let unseen = positions
            .extract_if(.., |key, _| !pods.contains_key(&key.0) && !followed.contains_key(key));
        let gone = unseen.flat_map(|(_, position)| gone_unobserved(position)).collect();
        // Their followers tell it themselves.
        self.states.retain(|(uid, _), _| pods.contains_key(uid));
        self.beyond.retain(|(uid, _)| pods.contains_key(uid));
        for (uid, pod) in pods {
            self.is(uid, pod, positions);
        }
        gone
    }

    /// A pod as it is now.
    pub fn is(&mut self, uid: String, pod: Pod, positions: &Positions) {
        let Pod { namespace, name, containers } = pod;
        for (container, now) in containers {
            let key = (uid.clone(), container);
            if let Some(state) = self.states.get(&key) {
                state.send_if_modified(|state| {
                    let is_new = *state != now;
                    *state = now;
                    is_new
                });
                continue;
            }
            if self.states.len() >= CONTAINERS_MAX {
                self.beyond.insert(key);
                continue;
            }
            self.beyond.remove(&key);
            let position = positions.get(&key).cloned();
            let position = position.unwrap_or_else(|| PodLogPosition {
                source: self.shared.source.clone(),
                namespace: namespace.clone(),
                pod: name.clone(),
                uid: key.0.clone(),
                container: key.1.clone(),
                run: String::new(),
                stamp_ns: 0,
                of_stamp: 0,
                check: 0,
                ended: false,
                gone: false,
                ext: Extensions::default(),
            });
            let (state, state_in) = watch::channel(now);
            let follower =
                Follower::new(Arc::clone(&self.shared), self.told.clone(), state_in, position);
            self.followers.spawn(follower.run());
            self.states.insert(key, state);
        }
    }

    /// A pod is gone: its followers read to the end and tell it.
    pub fn gone(&mut self, uid: &str) {
        self.states.retain(|(of, _), _| of != uid);
        self.beyond.retain(|(of, _)| of != uid);
    }

    /// Notes that a log could not be opened.
    pub fn note_failure(&mut self, error: Error) {
        self.failure = Some(error);
    }

    /// Why a log could not be opened.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Since when it follows.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether no container has a log that is to be read.
    pub fn has_nothing_to_read(&self, positions: &Positions) -> bool {
        self.states.iter().all(|(key, state)| {
            let is_read = |run: &str| positions.get(key).is_some_and(|p| p.ended && p.run == run);
            state.borrow().run.as_ref().is_none_or(|run| is_read(&run.id))
        })
    }

    /// How many containers match that are not followed.
    pub fn crowd(&self) -> u64 {
        self.shared.crowded.load(Ordering::Relaxed) + self.beyond.len() as u64
    }

    /// Whether a follower ended by a panic.
    pub fn has_died(&mut self) -> bool {
        let mut has_died = false;
        while let Some(ended) = self.followers.try_join_next() {
            has_died |= ended.is_err();
        }
        has_died
    }
}

/// The pod went while nobody looked.
fn gone_unobserved(position: PodLogPosition) -> Vec<Event> {
    let mut events = Vec::new();
    if !position.ended {
        let PodLogPosition { source, namespace, pod, container, stamp_ns, .. } = &position;
        let to = now();
        let from = if *stamp_ns == 0 { to } else { stamp::millis(*stamp_ns) };
        events.push(Event::Gap(Gap {
            source: source.clone(),
            reason: format!(
                "{namespace}/{pod}/{container}: the pod was deleted while it was not observed; \
                 what it wrote after its last recorded line is lost"
            ),
            from: from.min(to),
            to,
            dropped: None,
            ext: Extensions::default(),
        }));
    }
    events.push(Event::PodLogPosition(PodLogPosition { gone: true, ..position }));
    events
}
