//! What an application tells: log lines, request traces and live queries.

use serde::{Deserialize, Serialize};

use super::{Extensions, Millis};

/// The level of a log line; a smaller one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is odd.
    Warn = 2,
    /// Ordinary news.
    Info = 3,
    /// For developers.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

impl Level {
    /// Reads a level's usual names in any case; unknown words are `Info`.
    pub fn from_word(word: &str) -> Level {
        Level::parse(word).unwrap_or(Level::Info)
    }

    /// Reads a level's usual names in any case.
    pub fn parse(word: &str) -> Option<Level> {
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        if is(&["error", "fatal", "critical", "panic"]) {
            Some(Level::Error)
        } else if is(&["warn", "warning"]) {
            Some(Level::Warn)
        } else if is(&["info", "notice"]) {
            Some(Level::Info)
        } else if is(&["debug"]) {
            Some(Level::Debug)
        } else if is(&["trace"]) {
            Some(Level::Trace)
        } else {
            None
        }
    }

    /// The level's word in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "ERROR",
            Level::Warn => "WARN",
            Level::Info => "INFO",
            Level::Debug => "DEBUG",
            Level::Trace => "TRACE",
        }
    }
}

/// A line of an application's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The source that brought it, for example `app-server`.
    pub source: String,
    /// The time that the line claims; the time it was learned is the record's.
    pub time: Millis,
    /// The line's level.
    pub level: Level,
    /// The module or component that wrote it.
    pub target: String,
    /// The span that it was written in; empty for none.
    pub span_name: String,
    /// The text.
    pub message: String,
    /// Fields of later versions, and fields of the source that this version does not know.
    pub ext: Extensions,
}

/// Whether a trace has ended, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceEnd {
    /// It goes on.
    Open,
    /// Every section has a duration.
    Ended,
    /// The source went down before the end was seen.
    NotObserved,
}

/// A request trace as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The source that brought it.
    pub source: String,
    /// The id that the source gave it.
    pub id: String,
    /// Open or ended.
    pub end: TraceEnd,
    /// Sorted by start, then path.
    pub sections: Vec<Section>,
    /// Fields of later versions.
    pub ext: Extensions,
}

impl Trace {
    /// The earliest start of its sections; 0 where it has none.
    pub fn start(&self) -> Millis {
        self.sections.iter().map(|s| s.start_time).reduce(Millis::min).unwrap_or(0.0)
    }

    /// The path of the section that starts first: what the request is; empty where it has none.
    pub fn path(&self) -> &str {
        let first = self.sections.iter().min_by(|a, b| a.start_time.total_cmp(&b.start_time));
        first.map_or("", |section| section.path.as_str())
    }

    /// From the earliest start to the latest end; `None` while a section is open.
    pub fn duration(&self) -> Option<Millis> {
        let mut last_end = self.start();
        for section in &self.sections {
            last_end = last_end.max(section.start_time + section.duration?);
        }
        Some(last_end - self.start())
    }
}

/// A timed part of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The nesting, parts joined by `/`.
    pub path: String,
    /// When it began.
    pub start_time: Millis,
    /// How long it took; `None` while it runs.
    pub duration: Option<Millis>,
    /// What the application added: JSON text.
    pub extra_info: Option<String>,
}

/// A live query as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveQuery {
    /// The source that brought it.
    pub source: String,
    /// The table that it watches.
    pub table_name: String,
    /// JSON text with sorted keys.
    pub filter: String,
    /// The entries of its last answer: JSON text of an array.
    pub last_entries: String,
    /// How many clients watch it.
    pub watchers_count: u64,
    /// The application is removing it.
    pub deleting: bool,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// A live query was not sent again after its source came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveQueryDropped {
    /// The source that had brought it.
    pub source: String,
    /// The table that it watched.
    pub table_name: String,
    /// JSON text with sorted keys.
    pub filter: String,
    /// Fields of later versions.
    pub ext: Extensions,
}
