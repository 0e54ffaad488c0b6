//! How one event looks: as a line for people, and as a row of NDJSON in the words of the HTTP
//! surface.

use std::{borrow::Cow, fmt::Write, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    event::{Event, Millis, TraceEnd, millis, word_of},
    journal::{Flags, Place, Record},
    views::{Body, objects},
};

/// These hold JSON text, which is shown as JSON.
const JSON_TEXTS: [&str; 6] = ["body", "filter", "last_entries", "args", "recovery", "extra_info"];

/// Width of the longest word of a kind.
const WORD_CHARS: usize = 18;

/// A record as a row.
#[derive(Debug, Serialize)]
struct Row<'a> {
    seq: u64,
    /// When it was learned, milliseconds since 1970.
    learned: Millis,
    /// The kind's word, or its number in hex.
    kind: String,
    /// 16 hex digits; null for none.
    key: Option<String>,
    /// `history`, `state` (it replaces what was known of the key) or `end` (the key is gone).
    role: &'static str,
    /// Repeated from before the first row: the state at the start.
    restated: bool,
    /// The event's fields; null where this version cannot decode it.
    event: Value,
    /// The bytes in hex, where they cannot be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
}

/// What a record's payload says.
#[derive(Debug)]
pub enum Decoded {
    /// An event.
    Event(Box<Event>),
    /// Bytes that this version cannot decode, in hex.
    Bytes(String),
}

impl Decoded {
    /// Decodes a record.
    pub fn of(record: &Record<'_>) -> Decoded {
        match Event::decode(record.kind, record.payload) {
            Ok(Some(event)) => Decoded::Event(Box::new(event)),
            _ => Decoded::Bytes(hex(record.payload)),
        }
    }

    /// What it says, in one line.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Decoded::Event(event) => text(event).into(),
            Decoded::Bytes(hex) => hex.into(),
        }
    }
}

/// A record as one line of NDJSON.
pub fn row(record: &Record<'_>, decoded: &Decoded, restated: bool) -> String {
    let (event, payload) = match decoded {
        Decoded::Event(event) => (fields(event), None),
        Decoded::Bytes(hex) => (Value::Null, Some(hex.as_str())),
    };
    let row = Row {
        seq: record.seq,
        learned: millis(record.time_ns),
        kind: kind(record.kind),
        key: (record.key != 0).then(|| format!("{:016x}", record.key)),
        role: role(record.flags),
        restated,
        event,
        payload,
    };
    serde_json::to_string(&row).expect("plain data with text keys is JSON")
}

/// A record as one line for people.
pub fn line(record: &Record<'_>, decoded: &Decoded) -> String {
    let (time, kind, text) = (time(record.time_ns), kind(record.kind), decoded.text());
    printable(&format!("{:>9} {time} {kind:<WORD_CHARS$} {text}", record.seq))
}

fn text(event: &Event) -> String {
    match event {
        Event::ObjectObserved(e) => {
            // A line shows no payload, so it needs no place of one.
            let body = Body { seq: 0, learned: 0.0, place: Place::Heap(Arc::from([])) };
            let object = objects::living(e, body);
            let detail = format!("{} {}", object.phase, object.detail);
            format!("{} {}", named(&e.object), detail.trim_end())
        }
        Event::ObjectDeleted(e) => format!("{} is gone", named(&e.object)),
        Event::ClusterEvent(e) => {
            let times = if e.count > 1 { format!(" ({} times)", e.count) } else { String::new() };
            let about = named(&e.regarding);
            format!("{} {} {about}: {}{times}", e.event_type, e.reason, e.message)
        }
        Event::LogLine(e) => {
            let span =
                if e.span_name.is_empty() { String::new() } else { format!(" {}", e.span_name) };
            format!("{} {} {}{span}: {}", e.level.as_str(), e.source, e.target, e.message)
        }
        Event::Gap(e) => {
            let dropped = e.dropped.map_or("?".to_owned(), |count| count.to_string());
            let (from, to) = (time_of(e.from), time_of(e.to));
            format!(
                "{} not observed from {from} to {to}, dropped {dropped}: {}",
                e.source, e.reason
            )
        }
        Event::SourceState(e) => {
            let reason = if e.reason.is_empty() { "" } else { ": " };
            format!("{} {}{reason}{}", e.name, e.state.as_str(), e.reason)
        }
        Event::Trace(e) => {
            let path = e.sections.first().map_or("", |section| section.path.as_str());
            let took = e.duration().map_or(String::new(), |duration| format!(" {duration:.1} ms"));
            format!("{} {} {}{took} {path}", e.source, e.id, end(e.end))
        }
        Event::LiveQuery(e) => {
            let ended = if e.deleting { ", ended" } else { "" };
            format!(
                "{} {} {}, {} watchers{ended}",
                e.source, e.table_name, e.filter, e.watchers_count
            )
        }
        Event::ActionIntent(e) => format!("{} {} by {}: {}", e.id, e.action, e.actor, e.args),
        Event::ActionProgress(e) => format!("{} {}", e.id, e.line),
        Event::ActionOutcome(e) => {
            let outcome = e.word();
            format!("{} {} by {} {outcome}: {} {}", e.id, e.action, e.actor, e.args, e.detail)
        }
        Event::Boot(e) => format!("{} on {}, {}", e.version, e.host, e.mode),
        other => fields(other).to_string(),
    }
}

fn end(end: TraceEnd) -> &'static str {
    match end {
        TraceEnd::Open => "open",
        TraceEnd::Ended => "ended",
        TraceEnd::NotObserved => "end not observed",
    }
}

fn named(object: &crate::event::ObjectRef) -> String {
    let slash = if object.namespace.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", object.kind, object.namespace, object.name)
}

/// An event's fields by the names that the HTTP surface gives them.
fn fields(event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or(Value::Null);
    json_texts(&mut value);
    let Some(fields) = value.as_object_mut() else { return value };
    flatten(fields, "object", "uid");
    flatten(fields, "regarding", "object_uid");
    if let Some(because) = fields.remove("because") {
        fields.insert("deleted_because".into(), because);
    }
    if let Event::Trace(trace) = event {
        fields.insert("start".into(), trace.start().into());
        fields.insert("duration".into(), trace.duration().into());
    }
    fields.retain(|name, value| name != "ext" || !value.is_null());
    value
}

/// The object that an event is about stands among its other fields.
fn flatten(fields: &mut Map<String, Value>, name: &str, uid: &str) {
    let Some(Value::Object(object)) = fields.remove(name) else { return };
    for (name, value) in object {
        let name = if name == "uid" { uid.to_owned() } else { name };
        fields.insert(name, value);
    }
}

/// What is no JSON stays a text, so that nothing is hidden; no text is null.
fn json_texts(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(json_texts),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if JSON_TEXTS.contains(&name.as_str()) => {
                        if text.is_empty() {
                            *field = Value::Null;
                        } else if let Ok(json) = serde_json::from_str(text) {
                            *field = json;
                        }
                    }
                    other => json_texts(other),
                }
            }
        }
        _ => {}
    }
}

/// A kind's word; of a kind that this version does not know, its number.
pub fn kind(kind: u16) -> String {
    word_of(kind).map_or_else(|| format!("{kind:#06x}"), str::to_owned)
}

fn role(flags: Flags) -> &'static str {
    if flags.has(Flags::END) {
        "end"
    } else if flags.has(Flags::STATE) {
        "state"
    } else {
        "history"
    }
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

/// RFC 3339 with milliseconds; the number itself where it lies beyond the calendar.
pub fn time(time_ns: i64) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(time_ns)) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{time_ns}ns"),
    }
}

/// As [`time`]; a float beyond the range of times ends at it.
pub fn time_of(at: Millis) -> String {
    time((at * 1e6) as i64)
}

/// A terminal obeys control characters; here they are told, not obeyed.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Extensions, Level, LogLine};

    #[test]
    fn a_line_cannot_speak_to_the_terminal() {
        let event = Event::LogLine(LogLine {
            source: "app-server".into(),
            time: 0.0,
            level: Level::Warn,
            target: "main".into(),
            span_name: String::new(),
            message: "a\nb\u{1b}[2Jc \u{e9}".into(),
            ext: Extensions::default(),
        });
        assert_eq!(printable(&text(&event)), "WARN app-server main: a\\nb\\u{1b}[2Jc \u{e9}");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_told_as_it_is() {
        assert_eq!(time(1_700_000_000_123_456_789), "2023-11-14T22:13:20.123Z");
        assert!(!time(i64::MIN).is_empty());
        assert!(!time_of(f64::NAN).is_empty());
        assert!(!time_of(f64::INFINITY).is_empty());
    }
}
