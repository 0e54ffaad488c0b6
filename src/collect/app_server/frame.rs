//! Frames of the link to events: JSON, externally tagged.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::NAME;
use crate::{
    event::{Event, Extensions, Level, LiveQuery, LogLine, Millis, Section, Trace, TraceEnd},
    redact,
};

/// How much of a malformed frame is shown.
const EXCERPT_CHARS_MAX: usize = 120;

/// How much of the name of an unknown message is kept.
const NAME_CHARS_MAX: usize = 60;

/// How much of what is wrong with it is told.
const COMPLAINT_CHARS_MAX: usize = 160;

/// What came.
#[derive(Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once; a box would cost an allocation a line"
)]
pub enum Said {
    /// Something that this version knows.
    Known(Frame),
    /// A message of a sort that it does not know: its name, without credentials.
    Unknown(String),
}

/// What a frame says.
#[derive(Debug, PartialEq)]
pub struct Frame {
    /// As an event.
    pub event: Event,
    /// The time that it claims to be of, if it claims one.
    pub claimed: Option<Millis>,
}

/// Reads a frame.
///
/// # Errors
/// Says what is wrong, and shows how the frame begins.
pub fn read(text: &str) -> Result<Said, String> {
    match serde_json::from_str::<Message>(text) {
        Ok(message) => Ok(message.into()),
        Err(e) => Err(format!(
            "{}: {}",
            shortened(&e.to_string(), COMPLAINT_CHARS_MAX),
            shortened(text, EXCERPT_CHARS_MAX)
        )),
    }
}

/// The beginning of a text, without credentials.
fn shortened(text: &str, chars_max: usize) -> String {
    // A credential that the cut would make unrecognizable is recognized in twice the length.
    let long: String = text.chars().take(2 * chars_max).collect();
    redact::text(&long).chars().take(chars_max).collect()
}

/// A message: one name, and what it tells.
enum Message {
    Log(LogAddedJson),
    Trace(TraceDoneJson),
    LiveQuery(LiveQueryJson),
    Unknown(String),
}

/// By hand, because a derived enum refuses a name that it does not know.
impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Message, D::Error> {
        deserializer.deserialize_map(MessageVisitor)
    }
}

struct MessageVisitor;

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = Message;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a message: an object with its name as the only field")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Message, A::Error> {
        let Some(Text(name)) = fields.next_key()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        let message = match &*name {
            "LogEntryAdded" => Message::Log(fields.next_value()?),
            "MtxEntryDone" => Message::Trace(fields.next_value()?),
            "LQInstanceUpdated" => Message::LiveQuery(fields.next_value()?),
            _ => {
                fields.next_value::<IgnoredAny>()?;
                Message::Unknown(shortened(&name, NAME_CHARS_MAX))
            }
        };
        match fields.next_key::<IgnoredAny>()? {
            None => Ok(message),
            Some(_) => Err(A::Error::invalid_length(2, &self)),
        }
    }
}

/// Fields that this version does not know.
type Rest = BTreeMap<String, Value>;

fn extensions(rest: Rest) -> Extensions {
    Extensions(if rest.is_empty() { None } else { Some(rest) })
}

struct LogAddedJson {
    entry: LogLine,
    rest: Rest,
}

#[derive(Deserialize)]
struct TraceDoneJson {
    mtx: TraceJson,
    #[serde(flatten)]
    rest: Rest,
}

struct LogEntryJson(LogLine);

#[derive(Deserialize)]
struct TraceJson {
    id: String,
    #[serde(default)]
    section_lifetimes: HashMap<String, SectionJson>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
struct SectionJson {
    path: Option<String>,
    extra_info: Option<Value>,
    start_time: Millis,
    duration: Option<Millis>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
struct LiveQueryJson {
    table_name: String,
    #[serde(default)]
    filter: Value,
    #[serde(default)]
    last_entries: Option<Vec<Value>>,
    #[serde(default)]
    watchers_count: u64,
    #[serde(default)]
    deleting: bool,
    #[serde(flatten)]
    rest: Rest,
}

impl From<Message> for Said {
    fn from(message: Message) -> Said {
        let known = |event, claimed| Said::Known(Frame { event, claimed });
        match message {
            Message::Log(LogAddedJson { mut entry, rest }) => {
                add_rest(&mut entry.ext, rest);
                let claimed = Some(entry.time);
                known(Event::LogLine(entry), claimed)
            }
            Message::Trace(TraceDoneJson { mtx, rest }) => {
                let mut trace = Trace::from(mtx);
                add_rest(&mut trace.ext, rest);
                let claimed = latest(&trace);
                known(Event::Trace(trace), claimed)
            }
            Message::LiveQuery(query) => known(Event::LiveQuery(query.into()), None),
            Message::Unknown(name) => Said::Unknown(name),
        }
    }
}

/// Adds what stood beside an entry; what stood in it has its name first.
fn add_rest(ext: &mut Extensions, rest: Rest) {
    if rest.is_empty() {
        return;
    }
    let fields = ext.0.get_or_insert_default();
    for (name, value) in rest {
        fields.entry(name).or_insert(value);
    }
}

/// The latest time that a trace tells of.
fn latest(trace: &Trace) -> Option<Millis> {
    let times = trace.sections.iter().map(|s| s.start_time + s.duration.unwrap_or(0.0));
    times.reduce(Millis::max)
}

impl From<TraceJson> for Trace {
    fn from(json: TraceJson) -> Trace {
        let TraceJson { id, mut section_lifetimes, mut rest } = json;
        let of_sections = rest_of_sections(&mut section_lifetimes);
        if !of_sections.is_empty() {
            rest.insert(SECTIONS.into(), Value::Object(of_sections));
        }
        let mut sections: Vec<Section> =
            section_lifetimes.into_iter().map(|(key, section)| section.named(&key)).collect();
        sections.sort_by(|a, b| {
            a.start_time.total_cmp(&b.start_time).then_with(|| a.path.cmp(&b.path))
        });
        let ended = !sections.is_empty() && sections.iter().all(|s| s.duration.is_some());
        Trace {
            source: NAME.into(),
            id,
            end: if ended { TraceEnd::Ended } else { TraceEnd::Open },
            sections,
            ext: extensions(rest),
        }
    }
}

/// The extension of a trace that holds what this version does not know of its sections, by their
/// keys: a recorded section has no room for more.
const SECTIONS: &str = "section_lifetimes";

fn rest_of_sections(sections: &mut HashMap<String, SectionJson>) -> Map<String, Value> {
    let rest = sections.iter_mut().filter(|(_, section)| !section.rest.is_empty());
    rest.map(|(key, section)| {
        let fields = std::mem::take(&mut section.rest);
        (key.clone(), Value::Object(fields.into_iter().collect()))
    })
    .collect()
}

impl SectionJson {
    /// The key is the path and a start; the path also stands in the section.
    fn named(self, key: &str) -> Section {
        let from_key = || key.split_once('#').map_or(key, |(path, _)| path).to_owned();
        Section {
            path: self.path.unwrap_or_else(from_key),
            start_time: self.start_time,
            duration: self.duration,
            extra_info: self.extra_info.map(|info| info.to_string()),
        }
    }
}

impl From<LiveQueryJson> for LiveQuery {
    fn from(json: LiveQueryJson) -> LiveQuery {
        LiveQuery {
            source: NAME.into(),
            table_name: json.table_name,
            filter: json.filter.to_string(),
            last_entries: Value::Array(json.last_entries.unwrap_or_default()).to_string(),
            watchers_count: json.watchers_count,
            deleting: json.deleting,
            ext: extensions(json.rest),
        }
    }
}

/// By hand, as the entry in it.
impl<'de> Deserialize<'de> for LogAddedJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LogAddedJson, D::Error> {
        deserializer.deserialize_map(LogAddedVisitor)
    }
}

struct LogAddedVisitor;

impl<'de> Visitor<'de> for LogAddedVisitor {
    type Value = LogAddedJson;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an added log entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<LogAddedJson, A::Error> {
        let (mut entry, mut rest) = (None, Rest::new());
        while let Some(Text(name)) = fields.next_key()? {
            if name == "entry" {
                entry = Some(fields.next_value::<LogEntryJson>()?);
            } else {
                rest.insert(name.into_owned(), fields.next_value()?);
            }
        }
        let LogEntryJson(entry) = entry.ok_or_else(|| A::Error::missing_field("entry"))?;
        Ok(LogAddedJson { entry, rest })
    }
}

/// By hand, because a flattened rest would buffer every line of the busiest frame.
impl<'de> Deserialize<'de> for LogEntryJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LogEntryJson, D::Error> {
        deserializer.deserialize_map(LogEntryVisitor)
    }
}

struct LogEntryVisitor;

impl<'de> Visitor<'de> for LogEntryVisitor {
    type Value = LogEntryJson;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a log entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<LogEntryJson, A::Error> {
        let (mut time, mut level, mut message) = (None, Level::Info, None);
        let (mut target, mut span_name) = (None, None);
        let mut rest = Rest::new();
        while let Some(Text(name)) = fields.next_key()? {
            match &*name {
                "time" => time = Some(fields.next_value()?),
                "message" => message = Some(fields.next_value()?),
                "target" => target = fields.next_value()?,
                "span_name" => span_name = fields.next_value()?,
                "level" => {
                    if let Some(Text(word)) = fields.next_value()? {
                        level = Level::from_word(&word);
                    }
                }
                _ => {
                    rest.insert(name.into_owned(), fields.next_value()?);
                }
            }
        }
        Ok(LogEntryJson(LogLine {
            source: NAME.into(),
            time: time.ok_or_else(|| A::Error::missing_field("time"))?,
            level,
            target: target.unwrap_or_default(),
            span_name: span_name.unwrap_or_default(),
            message: message.ok_or_else(|| A::Error::missing_field("message"))?,
            ext: extensions(rest),
        }))
    }
}

/// Text that is borrowed from the frame where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(text: &str) -> Frame {
        match read(text).expect("a good frame") {
            Said::Known(frame) => frame,
            Said::Unknown(name) => panic!("{name} is known"),
        }
    }

    fn event(frame: Value) -> Event {
        known(&frame.to_string()).event
    }

    #[test]
    fn a_log_entry_keeps_what_is_known_and_what_is_not() {
        let frame = json!({"LogEntryAdded": {"entry": {
            "time": 1.5, "level": "WARN", "target": "a::b", "span_name": "s",
            "message": "say \"hi\"", "thread": 7,
        }}});
        let read = known(&frame.to_string());
        let ext = BTreeMap::from([("thread".to_owned(), json!(7))]);
        assert_eq!(read.claimed, Some(1.5));
        assert_eq!(
            read.event,
            Event::LogLine(LogLine {
                source: "app-server".into(),
                time: 1.5,
                level: Level::Warn,
                target: "a::b".into(),
                span_name: "s".into(),
                message: "say \"hi\"".into(),
                ext: Extensions(Some(ext)),
            })
        );
    }

    #[test]
    fn a_log_entry_needs_no_more_than_a_time_and_a_message() {
        for more in [json!({}), json!({"level": null, "target": null, "span_name": null})] {
            let mut entry = json!({"time": 2, "message": "m"});
            let fields = entry.as_object_mut().expect("an object");
            fields.extend(more.as_object().expect("an object").clone());
            let Event::LogLine(line) = event(json!({"LogEntryAdded": {"entry": entry}})) else {
                panic!("a log line");
            };
            assert_eq!((line.level, line.time), (Level::Info, 2.0));
            assert_eq!((&*line.target, &*line.span_name, line.ext.0), ("", "", None));
        }
    }

    #[test]
    fn a_time_is_kept_to_the_last_bit() {
        let time: Millis = 1_795_507_532_268.908_7;
        for step in 0..1000 {
            let time = Millis::from_bits(time.to_bits() + step);
            let frame = json!({"LogEntryAdded": {"entry": {"time": time, "message": ""}}});
            assert_eq!(known(&frame.to_string()).claimed, Some(time));
        }
    }

    #[test]
    fn a_trace_is_sorted_and_ends_when_every_section_has_a_duration() {
        let section = |path, start, duration: Value| {
            json!({
                "path": path, "extra_info": {"b": 1, "a": [2]},
                "start_time": start, "duration": duration,
            })
        };
        let frame = |last: Value| {
            json!({"MtxEntryDone": {"mtx": {"id": "u", "section_lifetimes": {
                "b#1": section("b", 1.0, json!(4.0)),
                "a#1": section("a", 1.0, json!(2.0)),
                "z#0": section("z", 0.5, last),
            }}}})
        };
        let Event::Trace(trace) = event(frame(Value::Null)) else { panic!("a trace") };
        let paths: Vec<_> = trace.sections.iter().map(|s| s.path.as_str()).collect();
        assert_eq!(paths, ["z", "a", "b"]);
        assert_eq!(trace.end, TraceEnd::Open);
        assert_eq!(trace.sections[0].extra_info.as_deref(), Some(r#"{"a":[2],"b":1}"#));
        let read = known(&frame(json!(1.0)).to_string());
        assert_eq!(read.claimed, Some(5.0));
        let Event::Trace(trace) = read.event else { panic!("a trace") };
        assert_eq!(trace.end, TraceEnd::Ended);
        let empty = json!({"MtxEntryDone": {"mtx": {"id": "u", "section_lifetimes": {}}}});
        let Event::Trace(trace) = event(empty) else { panic!("a trace") };
        assert_eq!(trace.end, TraceEnd::Open);
    }

    #[test]
    fn a_section_without_a_path_is_named_by_its_key() {
        let frame = json!({"MtxEntryDone": {"mtx": {"id": "u", "section_lifetimes": {
            "f/1:part#17": {"start_time": 17},
        }}}});
        let Event::Trace(trace) = event(frame) else { panic!("a trace") };
        assert_eq!(trace.sections[0].path, "f/1:part");
        assert_eq!(trace.sections[0].extra_info, None);
    }

    #[test]
    fn a_live_query_is_the_same_however_its_filter_is_ordered() {
        let a = known(
            r#"{"LQInstanceUpdated":{"table_name":"t","filter":{"b":1,"a":{"d":2,"c":3}},
               "last_entries":[{"y":1,"x":2}],"watchers_count":2,"deleting":false}}"#,
        );
        let b = known(
            r#"{"LQInstanceUpdated":{"table_name":"t","filter":{"a":{"c":3,"d":2},"b":1},
               "last_entries":[{"x":2,"y":1}],"watchers_count":2}}"#,
        );
        assert_eq!(a, b);
        let Event::LiveQuery(query) = a.event else { panic!("a query") };
        assert_eq!(query.filter, r#"{"a":{"c":3,"d":2},"b":1}"#);
        assert_eq!(query.last_entries, r#"[{"x":2,"y":1}]"#);
    }

    #[test]
    fn a_message_of_an_unknown_sort_is_told_by_its_name() {
        let unknown = |text: &str| match read(text).expect("it is a message") {
            Said::Unknown(name) => name,
            Said::Known(frame) => panic!("{frame:?}"),
        };
        assert_eq!(unknown(r#"{"Heartbeat":{"a":[1,{"b":2}]}}"#), "Heartbeat");
        assert_eq!(unknown(r#"{"log_entry_added":null}"#), "log_entry_added");
        let long = format!("{{\"{}\":1}}", "\u{e9}".repeat(5000));
        assert_eq!(unknown(&long).chars().count(), NAME_CHARS_MAX);
        assert!(!unknown(r#"{"Bearer abcdefghijkl":1}"#).contains("abcdefghijkl"));
    }

    #[test]
    fn unknown_fields_are_kept_wherever_they_stand() {
        let ext = |frame: Value| match event(frame) {
            Event::LogLine(line) => line.ext.0.expect("extensions"),
            Event::Trace(trace) => trace.ext.0.expect("extensions"),
            Event::LiveQuery(query) => query.ext.0.expect("extensions"),
            other => panic!("{other:?}"),
        };
        let entry = json!({"time": 1, "message": "m", "thread": 7});
        let line = ext(json!({"LogEntryAdded": {"host": "h", "entry": entry, "thread": 8}}));
        assert_eq!(json!(line), json!({"host": "h", "thread": 7}));
        let trace = ext(json!({"MtxEntryDone": {"host": "h", "mtx": {
            "id": "u", "user": null, "section_lifetimes": {
                "a#1": {"start_time": 1, "duration": 2, "cpu": {"ns": 5}},
                "b#1": {"start_time": 1, "duration": 2},
            },
        }}}));
        let sections = json!({"a#1": {"cpu": {"ns": 5}}});
        let expected = json!({"host": "h", "user": null, "section_lifetimes": sections});
        assert_eq!(json!(trace), expected);
        let query = ext(json!({"LQInstanceUpdated": {"table_name": "t", "cost": 1.5}}));
        assert_eq!(json!(query), json!({"cost": 1.5}));
    }

    #[test]
    fn malformed_frames_are_told_apart_and_shown_shortened() {
        let check = |text: &str, complaint: &str| {
            let told = read(text).expect_err(text);
            assert!(told.contains(complaint), "{told}");
            assert!(told.chars().count() <= EXCERPT_CHARS_MAX + COMPLAINT_CHARS_MAX + 2, "{told}");
        };
        check("", "EOF");
        check("not json", "expected");
        check("[]", "expected");
        check("{}", "its name as the only field");
        check(r#""LogEntryAdded""#, "a message");
        check(r#"{"Unknown":{"a":1},"LogEntryAdded":{}}"#, "its name as the only field");
        check(r#"{"Unknown":{"a":1}"#, "EOF");
        check(r#"{"LogEntryAdded":{"entry":{"time":1}}}"#, "missing field `message`");
        check(r#"{"LogEntryAdded":{"entry":{"message":""}}}"#, "missing field `time`");
        check(r#"{"LogEntryAdded":{"entry":{"time":"x","message":""}}}"#, "invalid type");
        check(r#"{"LogEntryAdded":{"entry":7}}"#, "a log entry");
        check(r#"{"LogEntryAdded":{}} {"#, "missing field `entry`");
        check(r#"{"LQInstanceUpdated":{"table_name":"t","watchers_count":-1}}"#, "invalid value");
        check(&format!("{{\"{}\":}}", "\u{e9}".repeat(5000)), "expected value");
        check(&"[".repeat(100_000), "expected");
        check(
            &format!(
                r#"{{"LogEntryAdded":{{"entry":{{"time":1,"message":"m","deep":{}"#,
                "[".repeat(100_000)
            ),
            "recursion",
        );
        let told = read("{\"x\": \"Bearer abcdefghijkl\"").expect_err("malformed");
        assert!(!told.contains("abcdefghijkl"), "{told}");
    }
}
