//! Every text of an event, one after the other: for redaction, which must not miss one.
//!
//! Each type is taken apart field by field, without `..`: whoever adds a field has to say here
//! whether it holds text.

use serde_json::Value;

use super::{
    ActionIntent, ActionOutcome, ActionProgress, Boot, ClusterEvent, Degraded, Event, Extensions,
    FilesRemoved, Gap, LiveQuery, LiveQueryDropped, LogLine, ObjectDeleted, ObjectObserved,
    ObjectRef, PodLogPosition, ProbeResult, ProcessUsage, Retention, Section, SourceState, Trace,
    VolumeUsage, WatchPosition,
};

/// A text of an event.
#[derive(Debug)]
pub enum Text<'a> {
    /// Plain text.
    Plain(&'a mut String),
    /// A text that names the entity or its source: another name is another entity.
    Name(&'a mut String),
    /// JSON text, or nothing.
    Json(&'a mut String),
    /// JSON that is not a text yet.
    Value(&'a mut Value),
}

type Visit<'a> = dyn FnMut(Text<'_>) + 'a;

impl Event {
    /// Visits every text, also those that name the entity.
    pub fn texts(&mut self, f: &mut Visit<'_>) {
        match self {
            Event::ObjectObserved(e) => e.texts(f),
            Event::ObjectDeleted(e) => e.texts(f),
            Event::ClusterEvent(e) => e.texts(f),
            Event::LogLine(e) => e.texts(f),
            Event::Trace(e) => e.texts(f),
            Event::LiveQuery(e) => e.texts(f),
            Event::LiveQueryDropped(e) => e.texts(f),
            Event::SourceState(e) => e.texts(f),
            Event::Gap(e) => e.texts(f),
            Event::WatchPosition(e) => e.texts(f),
            Event::ProbeResult(e) => e.texts(f),
            Event::VolumeUsage(e) => e.texts(f),
            Event::ProcessUsage(e) => e.texts(f),
            Event::PodLogPosition(e) => e.texts(f),
            Event::ActionIntent(e) => e.texts(f),
            Event::ActionProgress(e) => e.texts(f),
            Event::ActionOutcome(e) => e.texts(f),
            Event::Boot(e) => e.texts(f),
            Event::Retention(e) => e.texts(f),
            Event::FilesRemoved(e) => e.texts(f),
            Event::Degraded(e) => e.texts(f),
        }
    }
}

fn plain<const N: usize>(texts: [&mut String; N], f: &mut Visit<'_>) {
    texts.into_iter().for_each(|text| f(Text::Plain(text)));
}

fn names<const N: usize>(texts: [&mut String; N], f: &mut Visit<'_>) {
    texts.into_iter().for_each(|text| f(Text::Name(text)));
}

impl Extensions {
    fn texts(&mut self, f: &mut Visit<'_>) {
        self.0.iter_mut().flat_map(|fields| fields.values_mut()).for_each(|v| f(Text::Value(v)));
    }
}

impl ObjectRef {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ObjectRef { api_version, kind, namespace, name, uid } = self;
        names([api_version, kind, namespace, name, uid], f);
    }
}

impl ObjectObserved {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ObjectObserved { object, source, resource_version, body, ext } = self;
        object.texts(f);
        names([source, resource_version], f);
        f(Text::Json(body));
        ext.texts(f);
    }
}

impl ObjectDeleted {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ObjectDeleted { object, source, because: _, from: _, to: _, body, ext } = self;
        object.texts(f);
        names([source], f);
        f(Text::Json(body));
        ext.texts(f);
    }
}

impl ClusterEvent {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ClusterEvent {
            uid,
            source,
            resource_version,
            regarding,
            event_type,
            reason,
            message,
            reporter,
            count: _,
            first: _,
            last: _,
            ext,
        } = self;
        regarding.texts(f);
        names([uid, source, resource_version], f);
        plain([event_type, reason, message, reporter], f);
        ext.texts(f);
    }
}

impl LogLine {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let LogLine { source, time: _, level: _, target, span_name, message, ext } = self;
        names([source], f);
        plain([target, span_name, message], f);
        ext.texts(f);
    }
}

impl Trace {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let Trace { source, id, end: _, sections, ext } = self;
        names([source, id], f);
        for Section { path, start_time: _, duration: _, extra_info } in sections {
            plain([path], f);
            extra_info.iter_mut().for_each(|json| f(Text::Json(json)));
        }
        ext.texts(f);
    }
}

impl LiveQuery {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let LiveQuery {
            source,
            table_name,
            filter,
            last_entries,
            watchers_count: _,
            deleting: _,
            ext,
        } = self;
        names([source, table_name], f);
        f(Text::Json(filter));
        f(Text::Json(last_entries));
        ext.texts(f);
    }
}

impl LiveQueryDropped {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let LiveQueryDropped { source, table_name, filter, ext } = self;
        names([source, table_name], f);
        f(Text::Json(filter));
        ext.texts(f);
    }
}

impl SourceState {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let SourceState { name, state: _, reason, since: _, malformed: _, last_malformed, ext } =
            self;
        names([name], f);
        plain([reason, last_malformed], f);
        ext.texts(f);
    }
}

impl Gap {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let Gap { source, reason, from: _, to: _, dropped: _, ext } = self;
        names([source], f);
        plain([reason], f);
        ext.texts(f);
    }
}

impl WatchPosition {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let WatchPosition { source, resource_version, ext } = self;
        names([source, resource_version], f);
        ext.texts(f);
    }
}

impl PodLogPosition {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let PodLogPosition {
            source,
            namespace,
            pod,
            uid,
            container,
            run,
            stamp_ns: _,
            of_stamp: _,
            check: _,
            ended: _,
            gone: _,
            ext,
        } = self;
        names([source, namespace, pod, uid, container, run], f);
        ext.texts(f);
    }
}

impl ProbeResult {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ProbeResult {
            name,
            target,
            ok: _,
            latency: _,
            status: _,
            detail,
            since: _,
            observed: _,
            gone: _,
            ext,
        } = self;
        names([name], f);
        plain([target, detail], f);
        ext.texts(f);
    }
}

impl VolumeUsage {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let VolumeUsage {
            source,
            namespace,
            claim,
            pod,
            node,
            path,
            used_bytes: _,
            capacity_bytes: _,
            available_bytes: _,
            inodes_used: _,
            inodes: _,
            observed: _,
            gone: _,
            ext,
        } = self;
        names([source, namespace, claim, pod, node], f);
        path.iter_mut().for_each(|path| f(Text::Plain(path)));
        ext.texts(f);
    }
}

impl ProcessUsage {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ProcessUsage {
            source,
            name,
            cpu_cores: _,
            memory_bytes: _,
            body,
            observed: _,
            gone: _,
            ext,
        } = self;
        names([source, name], f);
        f(Text::Json(body));
        ext.texts(f);
    }
}

impl ActionIntent {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ActionIntent { id, actor, action, args, started: _, ext } = self;
        names([id, actor, action], f);
        f(Text::Json(args));
        ext.texts(f);
    }
}

impl ActionProgress {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ActionProgress { id, line, ext } = self;
        names([id], f);
        plain([line], f);
        ext.texts(f);
    }
}

impl ActionOutcome {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let ActionOutcome {
            id,
            actor,
            action,
            args,
            started: _,
            ended: _,
            outcome: _,
            detail,
            ext,
        } = self;
        names([id, actor, action], f);
        plain([detail], f);
        f(Text::Json(args));
        ext.texts(f);
    }
}

impl Boot {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let Boot { version, host, mode, recovery, ext } = self;
        plain([version, host, mode], f);
        f(Text::Json(recovery));
        ext.texts(f);
    }
}

impl Retention {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let Retention { segments: _, bytes: _, first_seq: _, last_seq: _, because, ext } = self;
        plain([because], f);
        ext.texts(f);
    }
}

impl FilesRemoved {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let FilesRemoved { files, detail, ext } = self;
        files.iter_mut().for_each(|file| f(Text::Plain(file)));
        plain([detail], f);
        ext.texts(f);
    }
}

impl Degraded {
    fn texts(&mut self, f: &mut Visit<'_>) {
        let Degraded { reason, from: _, to: _, dropped: _, kept: _, ext } = self;
        plain([reason], f);
        ext.texts(f);
    }
}
