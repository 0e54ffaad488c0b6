//! Pure folds of events into answers.
//!
//! [`State`] is everything that is alive at one moment: a fold of state records alone, so that a
//! keyframe and the events after it give what a fold from the beginning gives. It keeps the
//! [`Place`] of each body, not the body. History is not folded: [`read`] answers it from the journal.

pub mod fold;

pub mod objects;

pub mod problems;

pub mod read;

pub mod trouble;

use imbl::OrdMap;

use self::trouble::Trouble;
use crate::{
    event::{self, Event, Key, Millis, ObjectRef},
    journal::{Place, Seq},
};

/// The record that a state is from: its number, its time and where its payload is.
#[derive(Debug, Clone)]
pub struct Body {
    /// The record's number.
    pub seq: Seq,
    /// When it was learned.
    pub learned: Millis,
    /// Where its payload is.
    pub place: Place,
}

/// The same number is the same record, wherever its bytes lie.
impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        self.seq == other.seq && self.learned == other.learned
    }
}

impl Body {
    /// Whether the journal holds it. While it takes no records, present states are kept on the heap.
    pub fn is_saved(&self) -> bool {
        matches!(self.place, Place::Map { .. })
    }

    /// Reads the event again; `None` where the bytes cannot be read any more.
    ///
    /// Touches the map: for reader threads and the recorder.
    pub fn event(&self, kind: u16) -> Option<Event> {
        Event::decode(kind, self.place.payload()).ok().flatten()
    }
}

/// A living cluster object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Which object.
    pub object: ObjectRef,
    /// The source that watches it.
    pub source: String,
    /// One word of its state.
    pub phase: String,
    /// Whether that is as it should be.
    pub healthy: bool,
    /// More about its state; may be empty.
    pub detail: String,
    /// When the cluster says that it was created.
    pub created: Option<Millis>,
    /// What is wrong with it; `None` for most.
    pub trouble: Option<Box<Trouble>>,
    /// Its present state.
    pub body: Body,
}

/// An open request trace.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTrace {
    /// The source that brought it.
    pub source: String,
    /// The id that the source gave it.
    pub id: String,
    /// When its first section started, as the source says.
    pub started: Millis,
    /// The path of that section: what is asked for.
    pub path: String,
    /// Its present state.
    pub body: Body,
}

/// A living live query.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveQuery {
    /// The source that brought it.
    pub source: String,
    /// The table that it watches.
    pub table_name: String,
    /// JSON text with sorted keys.
    pub filter: String,
    /// How many clients watch it.
    pub watchers_count: u64,
    /// Its present state, entries included.
    pub body: Body,
}

/// A probe as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// What it found last.
    pub result: event::ProbeResult,
    /// The record of it.
    pub body: Body,
}

/// A source as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// What the collector told last.
    pub state: event::SourceState,
    /// The record of it.
    pub seq: Seq,
}

/// How far a watch has come.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchPosition {
    /// The resourceVersion to watch from.
    pub resource_version: String,
    /// Everything up to it had been observed by this time.
    pub learned: Millis,
}

/// A volume as it was last measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// What it uses.
    pub usage: event::VolumeUsage,
    /// The record of it.
    pub seq: Seq,
    /// Whether the journal holds that record.
    pub is_saved: bool,
}

impl Volume {
    /// The key of the volume.
    pub fn key(&self) -> Key {
        Key::volume(&self.usage.namespace, &self.usage.claim)
    }
}

/// A process as it was last measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// The source that measured it.
    pub source: String,
    /// Which process.
    pub name: String,
    /// Processors in use.
    pub cpu_cores: Option<f64>,
    /// Memory in use, bytes.
    pub memory_bytes: Option<u64>,
    /// When it was measured.
    pub observed: Millis,
    /// Its present state, with what the source told.
    pub body: Body,
}

/// A running action.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningAction {
    /// What was intended.
    pub intent: event::ActionIntent,
    /// The record of the intent.
    pub seq: Seq,
    /// Whether the journal holds that record.
    pub is_saved: bool,
}

/// Everything that is alive at one moment. A clone shares its structure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Cluster objects.
    pub objects: OrdMap<Key, Object>,
    /// Requests that have not ended.
    pub open_traces: OrdMap<Key, OpenTrace>,
    /// Live queries.
    pub live_queries: OrdMap<Key, LiveQuery>,
    /// Sources, by name.
    pub sources: OrdMap<String, Source>,
    /// How far each watch has come, by source.
    pub watch_positions: OrdMap<String, WatchPosition>,
    /// Probes.
    pub probes: OrdMap<Key, Probe>,
    /// Volumes.
    pub volumes: OrdMap<Key, Volume>,
    /// Processes.
    pub processes: OrdMap<Key, Process>,
    /// How far the log of each container was read.
    pub pod_log_positions: OrdMap<Key, event::PodLogPosition>,
    /// Actions without an outcome, by id.
    pub running_actions: OrdMap<String, RunningAction>,
}

impl State {
    /// Takes one event in; `body` is the record that it is from. History changes nothing.
    pub fn apply(&mut self, event: &Event, body: Body) {
        match event {
            Event::ObjectObserved(e) => {
                self.objects.insert(e.object.key(), objects::living(e, body));
            }
            Event::ObjectDeleted(e) => {
                self.objects.remove(&e.object.key());
            }
            Event::Trace(e) => self.apply_trace(event.key(), e, body),
            Event::LiveQuery(e) => self.apply_live_query(event.key(), e, body),
            Event::LiveQueryDropped(_) => {
                self.live_queries.remove(&event.key());
            }
            Event::SourceState(e) => {
                let source = Source { state: e.clone(), seq: body.seq };
                self.sources.insert(e.name.clone(), source);
            }
            Event::WatchPosition(e) => {
                let resource_version = e.resource_version.clone();
                let position = WatchPosition { resource_version, learned: body.learned };
                self.watch_positions.insert(e.source.clone(), position);
            }
            Event::ProbeResult(e) if e.gone => {
                self.probes.remove(&event.key());
            }
            Event::ProbeResult(e) => {
                self.probes.insert(event.key(), Probe { result: e.clone(), body });
            }
            Event::VolumeUsage(e) => self.apply_volume(event.key(), e, &body),
            Event::ProcessUsage(e) => self.apply_process(event.key(), e, body),
            Event::PodLogPosition(e) if e.gone => {
                self.pod_log_positions.remove(&event.key());
            }
            Event::PodLogPosition(e) => {
                self.pod_log_positions.insert(event.key(), e.clone());
            }
            Event::ActionIntent(e) => {
                let running =
                    RunningAction { intent: e.clone(), seq: body.seq, is_saved: body.is_saved() };
                self.running_actions.insert(e.id.clone(), running);
            }
            Event::ActionOutcome(e) => {
                self.running_actions.remove(&e.id);
            }
            Event::ClusterEvent(_)
            | Event::LogLine(_)
            | Event::Gap(_)
            | Event::ActionProgress(_)
            | Event::Boot(_)
            | Event::Retention(_)
            | Event::FilesRemoved(_)
            | Event::Degraded(_) => {}
        }
    }

    fn apply_trace(&mut self, key: Key, trace: &event::Trace, body: Body) {
        if trace.end == event::TraceEnd::Open {
            let open = OpenTrace {
                source: trace.source.clone(),
                id: trace.id.clone(),
                started: trace.start(),
                path: trace.path().to_owned(),
                body,
            };
            self.open_traces.insert(key, open);
        } else {
            self.open_traces.remove(&key);
        }
    }

    fn apply_live_query(&mut self, key: Key, query: &event::LiveQuery, body: Body) {
        if query.deleting {
            self.live_queries.remove(&key);
            return;
        }
        let live = LiveQuery {
            source: query.source.clone(),
            table_name: query.table_name.clone(),
            filter: query.filter.clone(),
            watchers_count: query.watchers_count,
            body,
        };
        self.live_queries.insert(key, live);
    }

    fn apply_volume(&mut self, key: Key, usage: &event::VolumeUsage, body: &Body) {
        if usage.gone {
            self.volumes.remove(&key);
            return;
        }
        let (seq, is_saved) = (body.seq, body.is_saved());
        self.volumes.insert(key, Volume { usage: usage.clone(), seq, is_saved });
    }

    fn apply_process(&mut self, key: Key, usage: &event::ProcessUsage, body: Body) {
        if usage.gone {
            self.processes.remove(&key);
            return;
        }
        let process = Process {
            source: usage.source.clone(),
            name: usage.name.clone(),
            cpu_cores: usage.cpu_cores,
            memory_bytes: usage.memory_bytes,
            observed: usage.observed,
            body,
        };
        self.processes.insert(key, process);
    }

    /// Whether something that can end has this key: an object, an open trace, a live query, a
    /// probe, a volume or a process.
    pub fn is_living(&self, key: Key) -> bool {
        self.objects.contains_key(&key)
            || self.open_traces.contains_key(&key)
            || self.live_queries.contains_key(&key)
            || self.probes.contains_key(&key)
            || self.volumes.contains_key(&key)
            || self.processes.contains_key(&key)
    }

    /// Lets every saved body lie where its latest copy is, so that no file is held for an older one.
    pub fn refresh_places(&mut self, place_of: impl Fn(Key) -> Option<Place>) {
        refresh(&mut self.objects, |row| &mut row.body, &place_of);
        refresh(&mut self.open_traces, |row| &mut row.body, &place_of);
        refresh(&mut self.live_queries, |row| &mut row.body, &place_of);
        refresh(&mut self.probes, |row| &mut row.body, &place_of);
        refresh(&mut self.processes, |row| &mut row.body, &place_of);
    }

    /// Whether a live query has been sent since its source came up.
    ///
    /// After a source went down, its live queries are kept as they were last known, but they are
    /// not observed; they are dropped unless the source sends them again.
    pub fn is_observed(&self, query: &LiveQuery) -> bool {
        self.sources.get(&query.source).is_some_and(|source| {
            source.state.state == event::State::Up && query.body.learned >= source.state.since
        })
    }
}

fn refresh<T: Clone>(
    rows: &mut OrdMap<Key, T>,
    body: impl Fn(&mut T) -> &mut Body,
    place_of: impl Fn(Key) -> Option<Place>,
) {
    let keys: Vec<Key> = rows.keys().copied().collect();
    for key in keys {
        let body = rows.get_mut(&key).map(&body).filter(|body| body.is_saved());
        if let Some((body, place)) = body.zip(place_of(key)) {
            body.place = place;
        }
    }
}
