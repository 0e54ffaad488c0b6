//! Events and views to wire shapes. Reads no journal and decides nothing.

use std::sync::Arc;

use serde_json::Value;

use super::wire;
use crate::{
    event::{
        self, DeletedBecause, Event, Key, ObjectDeleted, ObjectObserved, State, TraceEnd, millis,
    },
    journal::{LeftAlone, Place, Positions, SegmentInfo},
    recorder::Limits,
    views::{
        self, Body, objects,
        read::{Action, Recorded},
    },
};

/// JSON text as JSON. What is none stays a text, so that nothing is hidden.
pub(super) fn json_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// As [`json_text`]; no text is null.
pub(super) fn json_body(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json_text(text) }
}

pub(super) fn journal(positions: &Positions) -> wire::JournalStatus {
    wire::JournalStatus {
        id: id(&positions.journal_id),
        epoch: positions.epoch,
        first_seq: positions.first_seq,
        last_seq: positions.last_seq,
        durable_seq: positions.durable_seq,
        bytes: positions.bytes,
    }
}

/// All zeros is no journal yet.
pub(super) fn id(journal_id: &[u8; 16]) -> String {
    if *journal_id == [0; 16] {
        return String::new();
    }
    journal_id.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn segment(info: SegmentInfo) -> wire::Segment {
    wire::Segment {
        name: info.name,
        epoch: info.epoch,
        first_seq: info.first_seq,
        last_seq: info.last_seq,
        bytes: info.bytes,
        sealed: info.sealed,
        created: millis(info.created_ns),
        damaged: info.damaged,
    }
}

pub(super) fn source(source: event::SourceState) -> wire::Source {
    let unknown = source
        .unknown()
        .map(|(name, count)| wire::UnknownMessages { name: name.to_owned(), count });
    wire::Source {
        unknown: unknown.collect(),
        name: source.name,
        state: match source.state {
            State::Up => wire::SourceState::Up,
            State::Down => wire::SourceState::Down,
            State::Connecting => wire::SourceState::Connecting,
            State::Off => wire::SourceState::Off,
        },
        reason: source.reason,
        since: source.since,
        malformed: source.malformed,
        last_malformed: source.last_malformed,
    }
}

pub(super) fn gap(row: Recorded<event::Gap>) -> wire::Gap {
    let gap = row.value;
    wire::Gap {
        seq: row.seq,
        source: gap.source,
        reason: gap.reason,
        from: gap.from,
        to: gap.to,
        dropped: gap.dropped,
    }
}

pub(super) fn log(row: Recorded<event::LogLine>) -> wire::LogEntry {
    let line = row.value;
    wire::LogEntry {
        seq: row.seq,
        time: line.time,
        learned: row.learned,
        level: line.level.as_str().into(),
        target: line.target,
        span_name: line.span_name,
        message: line.message,
        source: line.source,
    }
}

pub(super) fn request(row: Recorded<event::Trace>) -> wire::Request {
    let trace = row.value;
    wire::Request {
        start: trace.start(),
        duration: trace.duration(),
        id: trace.id,
        source: trace.source,
        seq: row.seq,
        end: match trace.end {
            TraceEnd::Open => wire::RequestEnd::Open,
            TraceEnd::Ended => wire::RequestEnd::Ended,
            TraceEnd::NotObserved => wire::RequestEnd::NotObserved,
        },
        sections: trace.sections.into_iter().map(section).collect(),
        saved: true,
    }
}

fn section(section: event::Section) -> wire::Section {
    wire::Section {
        path: section.path,
        start_time: section.start_time,
        duration: section.duration,
        extra_info: section.extra_info.as_deref().map_or(Value::Null, json_text),
    }
}

pub(super) fn live_query(row: Recorded<event::LiveQuery>, observed: bool) -> wire::LiveQuery {
    let query = row.value;
    wire::LiveQuery {
        id: key_text(Key::live_query(&query.source, &query.table_name, &query.filter)),
        seq: row.seq,
        time: row.learned,
        filter: json_text(&query.filter),
        last_entries: json_text(&query.last_entries),
        source: query.source,
        table_name: query.table_name,
        watchers_count: query.watchers_count,
        observed,
        saved: true,
        removed: query.deleting,
    }
}

/// A live query that is gone: what identified it, and nothing else.
pub(super) fn dropped_live_query(row: Recorded<event::LiveQueryDropped>) -> wire::LiveQuery {
    let event::LiveQueryDropped { source, table_name, filter, ext } = row.value;
    let value = event::LiveQuery {
        source,
        table_name,
        filter,
        last_entries: "[]".into(),
        watchers_count: 0,
        deleting: true,
        ext,
    };
    live_query(Recorded { seq: row.seq, learned: row.learned, value }, false)
}

pub(super) fn probe(row: Recorded<event::ProbeResult>) -> wire::Probe {
    let result = row.value;
    wire::Probe {
        name: result.name,
        target: result.target,
        ok: result.ok,
        latency: result.latency,
        status: result.status,
        detail: result.detail,
        since: result.since,
        observed: result.observed,
        seq: row.seq,
        saved: true,
        removed: result.gone,
    }
}

fn key_text(key: Key) -> String {
    format!("{:016x}", key.0)
}

pub(super) fn object(object: &views::Object) -> wire::ObjectRow {
    wire::ObjectRow {
        uid: object.object.uid.clone(),
        api_version: object.object.api_version.clone(),
        kind: object.object.kind.clone(),
        namespace: object.object.namespace.clone(),
        name: object.object.name.clone(),
        phase: object.phase.clone(),
        healthy: object.healthy,
        detail: object.detail.clone(),
        deleted: wire::Deleted::No(false),
        deleted_because: None,
        created: object.created,
        changed: object.body.learned,
        seq: object.body.seq,
        saved: object.body.is_saved(),
    }
}

pub(super) fn observed_object(row: &Recorded<ObjectObserved>) -> wire::ObjectRow {
    wire::ObjectRow { saved: true, ..object(&objects::living(&row.value, without_place(row))) }
}

pub(super) fn deleted_object(row: &Recorded<ObjectDeleted>) -> wire::ObjectRow {
    let gone = &row.value;
    wire::ObjectRow {
        deleted: wire::Deleted::At(gone.to),
        deleted_because: Some(because(gone.because)),
        saved: true,
        ..object(&objects::gone(gone, without_place(row)))
    }
}

/// A row shows no payload, so it needs no place of one.
fn without_place<T>(row: &Recorded<T>) -> Body {
    Body { seq: row.seq, learned: row.learned, place: Place::Heap(Arc::from([])) }
}

pub(super) fn because(because: DeletedBecause) -> String {
    match because {
        DeletedBecause::Deleted => "deleted".into(),
        DeletedBecause::GoneUnobserved => "gone_unobserved".into(),
    }
}

pub(super) fn cluster_event(row: Recorded<event::ClusterEvent>) -> wire::ClusterEvent {
    let event = row.value;
    wire::ClusterEvent {
        seq: row.seq,
        uid: event.uid,
        learned: row.learned,
        event_type: event.event_type,
        reason: event.reason,
        message: event.message,
        reporter: event.reporter,
        kind: event.regarding.kind,
        namespace: event.regarding.namespace,
        name: event.regarding.name,
        object_uid: event.regarding.uid,
        count: event.count,
        first: event.first,
        last: event.last,
    }
}

pub(super) fn action(row: Recorded<Action>) -> wire::Action {
    match row.value {
        Action::Running(intent) => wire::Action {
            id: intent.id,
            seq: row.seq,
            actor: intent.actor,
            action: intent.action,
            args: json_text(&intent.args),
            started: intent.started,
            ended: None,
            outcome: None,
            detail: String::new(),
            saved: true,
        },
        Action::Ended(outcome) => wire::Action {
            outcome: Some(outcome.word().into()),
            id: outcome.id,
            seq: row.seq,
            actor: outcome.actor,
            action: outcome.action,
            args: json_text(&outcome.args),
            started: outcome.started,
            ended: Some(outcome.ended),
            detail: outcome.detail,
            saved: true,
        },
    }
}

pub(super) fn action_progress(row: Recorded<event::ActionProgress>) -> wire::ActionProgress {
    wire::ActionProgress {
        id: row.value.id,
        seq: row.seq,
        learned: row.learned,
        line: row.value.line,
    }
}

pub(super) fn volume(row: Recorded<event::VolumeUsage>) -> wire::Volume {
    let usage = row.value;
    let key = Key::volume(&usage.namespace, &usage.claim);
    wire::Volume {
        key: key_text(key),
        ratio: ratio(&usage),
        namespace: usage.namespace,
        claim: usage.claim,
        source: usage.source,
        pod: usage.pod,
        node: usage.node,
        path: usage.path,
        used_bytes: usage.used_bytes,
        capacity_bytes: usage.capacity_bytes,
        available_bytes: usage.available_bytes,
        inodes_used: usage.inodes_used,
        inodes: usage.inodes,
        observed: usage.observed,
        gone: usage.gone,
        seq: row.seq,
        saved: true,
    }
}

/// As `df` counts it: what is reserved counts neither as used nor as room.
fn ratio(usage: &event::VolumeUsage) -> Option<f64> {
    let usable = usage.used_bytes.saturating_add(usage.available_bytes);
    (usage.capacity_bytes > 0 && usable > 0).then(|| usage.used_bytes as f64 / usable as f64)
}

pub(super) fn process(row: Recorded<event::ProcessUsage>) -> wire::Process {
    let usage = row.value;
    wire::Process {
        name: usage.name,
        source: usage.source,
        cpu_cores: usage.cpu_cores,
        memory_bytes: usage.memory_bytes,
        body: json_body(&usage.body),
        observed: usage.observed,
        gone: usage.gone,
        seq: row.seq,
        saved: true,
    }
}

pub(super) fn left_alone(file: &LeftAlone) -> wire::LeftAlone {
    wire::LeftAlone { name: file.name.clone(), reason: file.reason.clone() }
}

pub(super) fn limits(limits: &Limits) -> wire::Limits {
    wire::Limits {
        bytes_max: limits.bytes_max,
        age_max: limits.age_max.map(|age| age.as_secs_f64() * 1000.0),
        free_min_bytes: Some(limits.free_min),
        source_bytes_per_day: limits.source_bytes_per_day,
    }
}

/// `None` for an event that is no upkeep.
pub(super) fn upkeep(row: Recorded<Event>) -> Option<wire::Upkeep> {
    let what = event::word_of(row.value.kind())?;
    let detail = match row.value {
        Event::Retention(e) => format!(
            "events {} to {} were given up, {} segments of {} MiB: {}",
            e.first_seq,
            e.last_seq,
            e.segments,
            e.bytes >> 20,
            because_of(&e.because),
        ),
        Event::FilesRemoved(e) => format!("{}: {}", e.detail, e.files.join(", ")),
        Event::Degraded(e) => format!(
            "nothing was recorded for {:.0} s, {} records were lost and {} recorded late: {}",
            (e.to - e.from) / 1000.0,
            e.dropped,
            e.kept,
            e.reason,
        ),
        _ => return None,
    };
    Some(wire::Upkeep { seq: row.seq, time: row.learned, what: what.into(), detail })
}

fn because_of(word: &str) -> &str {
    match word {
        "bytes" => "the journal took all that it may",
        "age" => "they were older than is kept",
        "free" => "the volume had too little left free",
        "full" => "the volume was full",
        other => other,
    }
}
