//! What the application tells: log lines, requests, live queries.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Gap;

/// A log line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogEntry {
    /// Its number in the journal.
    pub seq: u64,
    /// The time that the line claims.
    pub time: f64,
    /// The time at which it was learned.
    pub learned: f64,
    /// ERROR, WARN, INFO, DEBUG or TRACE.
    pub level: String,
    /// The module that wrote it.
    pub target: String,
    /// The span it was written in; empty for none.
    pub span_name: String,
    /// The text.
    pub message: String,
    /// The source that brought it.
    pub source: String,
}

/// `GET /api/logs`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Logs {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Newest first.
    pub entries: Vec<LogEntry>,
    /// Gaps of log sources recorded within the range of this page, newest first.
    pub gaps: Vec<Gap>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// Whether a request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestEnd {
    /// It goes on.
    Open,
    /// It ended.
    Ended,
    /// The source went down before the end was seen.
    NotObserved,
}

/// A request trace.
#[derive(Debug, Serialize, ToSchema)]
pub struct Request {
    /// The id that the application gave.
    pub id: String,
    /// The source that brought it.
    pub source: String,
    /// The record that this state is from.
    pub seq: u64,
    /// The earliest start of its sections.
    pub start: f64,
    /// From there to the latest end; null while a section is open.
    pub duration: Option<f64>,
    /// Open, ended, or end not observed.
    pub end: RequestEnd,
    /// Sorted by start, then path.
    pub sections: Vec<Section>,
    /// False while this state is kept in memory, for a journal that takes no records.
    pub saved: bool,
}

/// A timed part of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Section {
    /// The nesting, parts joined by `/`.
    pub path: String,
    /// When it began.
    pub start_time: f64,
    /// How long it took; null while it runs.
    pub duration: Option<f64>,
    /// What the application added.
    #[schema(value_type = Value)]
    pub extra_info: Value,
}

/// `GET /api/requests` (and, with one entry, `GET /api/requests/{id}`).
#[derive(Debug, Serialize, ToSchema)]
pub struct Requests {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Newest record first.
    pub requests: Vec<Request>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// A live query.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveQuery {
    /// Stable while it lives: 16 hex digits of its key.
    pub id: String,
    /// The source that brought it.
    pub source: String,
    /// The record that this state is from.
    pub seq: u64,
    /// When that record was learned.
    pub time: f64,
    /// The table that it watches.
    pub table_name: String,
    /// Its filter.
    #[schema(value_type = Value)]
    pub filter: Value,
    /// The entries of its last answer.
    #[schema(value_type = Vec<Value>)]
    pub last_entries: Value,
    /// How many clients watch it.
    pub watchers_count: u64,
    /// False after its source went down, until it is sent again or dropped.
    pub observed: bool,
    /// False while this state is kept in memory, for a journal that takes no records.
    pub saved: bool,
    /// True only in the live feed: it is gone.
    pub removed: bool,
}

/// `GET /api/live-queries`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveQueries {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Sorted by table, then filter.
    pub live_queries: Vec<LiveQuery>,
}
