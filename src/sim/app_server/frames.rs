//! What the app-server tells over its link, in the form in which it tells it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::event::Millis;

/// One frame of the link; its JSON is one text message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Frame {
    /// A line of the log.
    LogEntryAdded {
        /// The line.
        entry: LogEntry,
    },
    /// A request as it is now; comes again until the request has ended.
    MtxEntryDone {
        /// The request.
        mtx: Mtx,
    },
    /// A live query as it is now.
    LQInstanceUpdated(LiveQuery),
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogEntry {
    /// When it was written.
    pub time: Millis,
    /// For example `INFO`.
    pub level: String,
    /// The module that wrote it.
    pub target: String,
    /// The span that it was written in.
    pub span_name: String,
    /// The text.
    pub message: String,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mtx {
    /// A UUID.
    pub id: String,
    /// Its parts, by `path#start`.
    pub section_lifetimes: BTreeMap<String, Section>,
}

/// A timed part of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// The nesting, parts joined by `/`.
    pub path: String,
    /// What the code added.
    pub extra_info: Option<String>,
    /// When it began.
    pub start_time: Millis,
    /// How long it took; `None` while it runs.
    pub duration: Option<Millis>,
}

/// A query whose answer is sent again to its watchers whenever it changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveQuery {
    /// The table that it reads.
    pub table_name: String,
    /// What it asks for.
    pub filter: Value,
    /// Its last answer.
    pub last_entries: Vec<Value>,
    /// How many clients watch it.
    pub watchers_count: u64,
    /// It is being removed.
    pub deleting: bool,
}

impl Frame {
    /// The text message.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("string keys and plain data have no way to fail")
    }
}

impl Mtx {
    /// A request without parts.
    pub fn new(id: impl Into<String>) -> Mtx {
        Mtx { id: id.into(), section_lifetimes: BTreeMap::new() }
    }

    /// Adds or replaces the part with this path and start.
    pub fn set(&mut self, section: Section) {
        let key = format!("{}#{}", section.path, section.start_time);
        self.section_lifetimes.insert(key, section);
    }

    /// Whether every part has ended.
    pub fn has_ended(&self) -> bool {
        self.section_lifetimes.values().all(|section| section.duration.is_some())
    }
}

impl LiveQuery {
    /// What tells it from other live queries.
    pub(super) fn identity(&self) -> (String, String) {
        (self.table_name.clone(), self.filter.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(frame: &Frame, expected: &Value) {
        let sent: Value = serde_json::from_str(&frame.to_text()).expect("JSON");
        assert_eq!(sent, *expected);
    }

    #[test]
    fn frames_have_the_form_of_the_link() {
        let text = |text: &str| text.to_owned();
        check(
            &Frame::LogEntryAdded {
                entry: LogEntry {
                    time: 1.5,
                    level: text("INFO"),
                    target: text("t"),
                    span_name: text("s"),
                    message: text("m"),
                },
            },
            &json!({"LogEntryAdded": {"entry": {
                "time": 1.5, "level": "INFO", "target": "t", "span_name": "s", "message": "m",
            }}}),
        );
        let mut mtx = Mtx::new("id");
        let path = text("f/1:part");
        mtx.set(Section { path, extra_info: None, start_time: 2.5, duration: None });
        assert!(!mtx.has_ended());
        check(
            &Frame::MtxEntryDone { mtx },
            &json!({"MtxEntryDone": {"mtx": {"id": "id", "section_lifetimes": {
                "f/1:part#2.5":
                    {"path": "f/1:part", "extra_info": null, "start_time": 2.5, "duration": null},
            }}}}),
        );
        check(
            &Frame::LQInstanceUpdated(LiveQuery {
                table_name: text("maps"),
                filter: json!({"id": {"equalTo": "x"}}),
                last_entries: vec![json!({"id": "x"})],
                watchers_count: 2,
                deleting: false,
            }),
            &json!({"LQInstanceUpdated": {
                "table_name": "maps", "filter": {"id": {"equalTo": "x"}},
                "last_entries": [{"id": "x"}], "watchers_count": 2, "deleting": false,
            }}),
        );
    }
}
