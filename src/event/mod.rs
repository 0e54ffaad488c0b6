//! The vocabulary: every event that the journal can hold, as plain data.
//!
//! An event knows its [kind](Event::kind), the [key](Event::key) of the entity that it is about and
//! what it means for that entity ([`Event::role`]). It knows nothing of files, HTTP or Kubernetes
//! clients. The byte form is in [`codec`].

mod codec;

mod key;

mod object;

mod app;

mod source;

mod probe;

mod action;

mod upkeep;

mod usage;

mod observed;

mod texts;

mod time;

mod word;

#[cfg(test)]
mod document;

pub use action::{ActionIntent, ActionOutcome, ActionProgress, Boot, Outcome, Wiped};
pub use app::{Level, LiveQuery, LiveQueryDropped, LogLine, Section, Trace, TraceEnd};
pub use codec::{DecodeError, Extensions};
pub use key::Key;
pub use object::{ClusterEvent, DeletedBecause, ObjectDeleted, ObjectObserved, ObjectRef};
pub use observed::{Listed, Observation, Observed};
pub use probe::ProbeResult;
pub use source::{Gap, PodLogPosition, SourceState, State, WatchPosition};
pub use texts::Text;
pub use time::{Millis, millis, now, now_ns};
pub use upkeep::{Degraded, FilesRemoved, Retention};
pub use usage::{ProcessUsage, VolumeUsage};
pub use word::{WORDS, kind_of, word_of};

use serde::Serialize;

/// One fact: something that was observed, or something that an admin did. As JSON it is its
/// fields by name, for printing; the bytes of the journal are another form.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// A cluster object as it is now.
    ObjectObserved(ObjectObserved),
    /// A cluster object is gone.
    ObjectDeleted(ObjectDeleted),
    /// The cluster reported an Event.
    ClusterEvent(ClusterEvent),
    /// A line of an application's log.
    LogLine(LogLine),
    /// A request trace as it is now, open or ended.
    Trace(Trace),
    /// A live query as it is now.
    LiveQuery(LiveQuery),
    /// A live query is no longer known to exist.
    LiveQueryDropped(LiveQueryDropped),
    /// A source went up or down, or counted something.
    SourceState(SourceState),
    /// A source was not observed for a while, or records were dropped.
    Gap(Gap),
    /// How far a watch has come.
    WatchPosition(WatchPosition),
    /// What a probe found, as it is now.
    ProbeResult(ProbeResult),
    /// What a volume uses now.
    VolumeUsage(VolumeUsage),
    /// What a process uses now.
    ProcessUsage(ProcessUsage),
    /// How far the log of a container was read.
    PodLogPosition(PodLogPosition),
    /// An admin is about to do something.
    ActionIntent(ActionIntent),
    /// A line of output of a running action.
    ActionProgress(ActionProgress),
    /// An action ended.
    ActionOutcome(ActionOutcome),
    /// The recorder started.
    Boot(Boot),
    /// Old segments were given up for room.
    Retention(Retention),
    /// Somebody else removed files of the journal.
    FilesRemoved(FilesRemoved),
    /// The journal took no records for a while.
    Degraded(Degraded),
}

/// What a record means for the entity that its key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// History: nothing living is changed.
    History,
    /// The whole present state of the entity; it replaces what was known.
    State,
    /// The last state of the entity, which is gone after it.
    End,
}

/// Numbers of the event kinds, as they stand in a record's header.
///
/// Kinds below `0x0100` are the journal's own control records. From `0x0160` on they tell what an
/// admin or the recorder itself did.
pub mod kind {
    #![allow(missing_docs)]
    pub const OBJECT_OBSERVED: u16 = 0x0100;
    pub const OBJECT_DELETED: u16 = 0x0101;
    pub const CLUSTER_EVENT: u16 = 0x0110;
    pub const LOG_LINE: u16 = 0x0120;
    pub const TRACE: u16 = 0x0130;
    pub const LIVE_QUERY: u16 = 0x0140;
    pub const LIVE_QUERY_DROPPED: u16 = 0x0141;
    pub const SOURCE_STATE: u16 = 0x0150;
    pub const GAP: u16 = 0x0151;
    pub const WATCH_POSITION: u16 = 0x0152;
    pub const PROBE_RESULT: u16 = 0x0156;
    pub const VOLUME_USAGE: u16 = 0x0154;
    pub const PROCESS_USAGE: u16 = 0x0155;
    pub const POD_LOG_POSITION: u16 = 0x0157;
    pub const ACTION_INTENT: u16 = 0x0160;
    pub const ACTION_PROGRESS: u16 = 0x0161;
    pub const ACTION_OUTCOME: u16 = 0x0162;
    pub const BOOT: u16 = 0x0170;
    pub const RETENTION: u16 = 0x0171;
    pub const FILES_REMOVED: u16 = 0x0172;
    pub const DEGRADED: u16 = 0x0173;
}

impl Event {
    /// The number of this event's kind.
    pub fn kind(&self) -> u16 {
        match self {
            Event::ObjectObserved(_) => kind::OBJECT_OBSERVED,
            Event::ObjectDeleted(_) => kind::OBJECT_DELETED,
            Event::ClusterEvent(_) => kind::CLUSTER_EVENT,
            Event::LogLine(_) => kind::LOG_LINE,
            Event::Trace(_) => kind::TRACE,
            Event::LiveQuery(_) => kind::LIVE_QUERY,
            Event::LiveQueryDropped(_) => kind::LIVE_QUERY_DROPPED,
            Event::SourceState(_) => kind::SOURCE_STATE,
            Event::Gap(_) => kind::GAP,
            Event::WatchPosition(_) => kind::WATCH_POSITION,
            Event::ProbeResult(_) => kind::PROBE_RESULT,
            Event::VolumeUsage(_) => kind::VOLUME_USAGE,
            Event::ProcessUsage(_) => kind::PROCESS_USAGE,
            Event::PodLogPosition(_) => kind::POD_LOG_POSITION,
            Event::ActionIntent(_) => kind::ACTION_INTENT,
            Event::ActionProgress(_) => kind::ACTION_PROGRESS,
            Event::ActionOutcome(_) => kind::ACTION_OUTCOME,
            Event::Boot(_) => kind::BOOT,
            Event::Retention(_) => kind::RETENTION,
            Event::FilesRemoved(_) => kind::FILES_REMOVED,
            Event::Degraded(_) => kind::DEGRADED,
        }
    }

    /// The entity that the event is about; [`Key::NONE`] where there is none.
    pub fn key(&self) -> Key {
        match self {
            Event::ObjectObserved(e) => e.object.key(),
            Event::ObjectDeleted(e) => e.object.key(),
            Event::Trace(e) => Key::trace(&e.source, &e.id),
            Event::LiveQuery(e) => Key::live_query(&e.source, &e.table_name, &e.filter),
            Event::LiveQueryDropped(e) => Key::live_query(&e.source, &e.table_name, &e.filter),
            Event::SourceState(e) => Key::source(&e.name),
            Event::WatchPosition(e) => Key::watch_position(&e.source),
            Event::ProbeResult(e) => Key::probe(&e.name),
            Event::VolumeUsage(e) => Key::volume(&e.namespace, &e.claim),
            Event::ProcessUsage(e) => Key::process(&e.name),
            Event::PodLogPosition(e) => Key::pod_log_position(&e.source, &e.uid, &e.container),
            Event::ActionIntent(e) => Key::action(&e.id),
            Event::ActionProgress(e) => Key::action(&e.id),
            Event::ActionOutcome(e) => Key::action(&e.id),
            Event::ClusterEvent(e) if !e.regarding.uid.is_empty() => e.regarding.key(),
            Event::ClusterEvent(_)
            | Event::LogLine(_)
            | Event::Gap(_)
            | Event::Boot(_)
            | Event::Retention(_)
            | Event::FilesRemoved(_)
            | Event::Degraded(_) => Key::NONE,
        }
    }

    /// How bad it is, where its kind has a scale: the number of a [`Level`], a cluster's `Warning`
    /// being a `WARN` and its `Normal` an `INFO`; 0 where there is none.
    pub fn class(&self) -> u8 {
        match self {
            Event::LogLine(line) => line.level as u8,
            Event::ClusterEvent(event) => ClusterEvent::class_of(&event.event_type),
            _ => 0,
        }
    }

    /// What the event means for its entity.
    pub fn role(&self) -> Role {
        match self {
            Event::ObjectObserved(_)
            | Event::SourceState(_)
            | Event::WatchPosition(_)
            | Event::ActionIntent(_) => Role::State,
            Event::Trace(e) if e.end == TraceEnd::Open => Role::State,
            Event::LiveQuery(e) if !e.deleting => Role::State,
            Event::ProbeResult(e) if !e.gone => Role::State,
            Event::VolumeUsage(e) if !e.gone => Role::State,
            Event::ProcessUsage(e) if !e.gone => Role::State,
            Event::PodLogPosition(e) if !e.gone => Role::State,
            Event::ObjectDeleted(_)
            | Event::Trace(_)
            | Event::LiveQuery(_)
            | Event::LiveQueryDropped(_)
            | Event::ProbeResult(_)
            | Event::VolumeUsage(_)
            | Event::ProcessUsage(_)
            | Event::PodLogPosition(_)
            | Event::ActionOutcome(_) => Role::End,
            Event::ClusterEvent(_)
            | Event::LogLine(_)
            | Event::Gap(_)
            | Event::ActionProgress(_)
            | Event::Boot(_)
            | Event::Retention(_)
            | Event::FilesRemoved(_)
            | Event::Degraded(_) => Role::History,
        }
    }

    /// Whether it tells what an admin or the recorder itself did, as opposed to what was observed.
    pub fn is_audit(&self) -> bool {
        self.kind() >= kind::ACTION_INTENT
    }
}
