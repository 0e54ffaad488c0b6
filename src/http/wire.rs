//! The JSON shapes of the HTTP surface, each with its OpenAPI description.
//!
//! Times and durations are fractional milliseconds (times since 1970-01-01T00:00:00Z). `seq` is an
//! integer below 2^53. Nothing here computes: shapes only.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Every error answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// A stable word for programs, for example `not_found`.
    pub code: String,
    /// What was attempted, what failed and what to do.
    pub message: String,
}

/// Body of `POST /api/session`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LogIn {
    /// The admin key.
    pub key: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The name that stands in the audit.
    pub actor: String,
    /// Whether this session may act, or only see.
    pub can_act: bool,
}

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Recording a cluster and an app-server.
    Live,
    /// Recording the simulated cluster and app-server.
    Demo,
    /// Showing a backup, read-only.
    Replay,
}

/// `GET /api/status`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Live, demo or replay.
    pub mode: Mode,
    /// The program's version.
    pub version: String,
    /// The process's own clock, now.
    pub now: f64,
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// The journal's positions.
    pub journal: JournalStatus,
    /// How far the start has come.
    pub replay: ReplayStatus,
    /// Every source, by name.
    pub sources: Vec<Source>,
    /// Why something does not work as it should; empty when all is well.
    pub degraded: Vec<String>,
}

/// The positions of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub struct JournalStatus {
    /// The journal's id, 32 hex digits; empty while it is not open.
    pub id: String,
    /// Counts wipes.
    pub epoch: u64,
    /// The oldest event's number.
    pub first_seq: u64,
    /// The newest event's number.
    pub last_seq: u64,
    /// Everything up to here survives a power cut.
    pub durable_seq: u64,
    /// Bytes of recorded data.
    pub bytes: u64,
}

/// Whether the views are complete.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayStatus {
    /// The views can answer.
    pub done: bool,
    /// Events applied so far.
    pub applied: u64,
}

/// Whether a source is being observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Observed.
    Up,
    /// Not observed; the reason says why.
    Down,
    /// The first attempt is under way.
    Connecting,
    /// Not configured.
    Off,
}

/// A source as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    /// For example `app-server` or `cluster/Pod`.
    pub name: String,
    /// Up, down, connecting or off.
    pub state: SourceState,
    /// What was attempted, what failed and what to do; empty when up.
    pub reason: String,
    /// When it came into this state.
    pub since: f64,
    /// Malformed messages since the recorder started.
    pub malformed: u64,
    /// What was wrong with the last one; empty for none.
    pub last_malformed: String,
}

/// A stretch in which a source was not observed, or in which records were dropped.
#[derive(Debug, Serialize, ToSchema)]
pub struct Gap {
    /// The record of the gap.
    pub seq: u64,
    /// Which source.
    pub source: String,
    /// Why.
    pub reason: String,
    /// Everything before was observed.
    pub from: f64,
    /// Everything after is observed again.
    pub to: f64,
    /// Records dropped; null where nobody can know.
    pub dropped: Option<u64>,
}

/// `GET /api/sources`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sources {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Every source, by name.
    pub sources: Vec<Source>,
    /// The newest gaps, newest first.
    pub gaps: Vec<Gap>,
}

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

/// `false` while it lives, else the time of the deletion.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Deleted {
    /// Always `false`.
    No(bool),
    /// When it was known to be gone.
    At(f64),
}

/// A cluster object, one row.
#[derive(Debug, Serialize, ToSchema)]
pub struct Object {
    /// Its uid.
    pub uid: String,
    /// For example `v1`.
    pub api_version: String,
    /// For example `Pod`.
    pub kind: String,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// One word of its state, for example `Running` or `CrashLoopBackOff`.
    pub phase: String,
    /// Whether that state is as it should be.
    pub healthy: bool,
    /// More about its state, for example `ready 1/2, restarts 3`; may be empty.
    pub detail: String,
    /// False, or when it was known to be gone.
    pub deleted: Deleted,
    /// How the deletion is known: `deleted`, `gone_unobserved`, or null.
    pub deleted_because: Option<String>,
    /// When it was created, as the cluster says; null where it does not.
    pub created: Option<f64>,
    /// When its present state was learned.
    pub changed: f64,
    /// The record that this state is from.
    pub seq: u64,
}

/// `GET /api/objects`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Objects {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Living ones by kind, namespace and name; then deleted ones, newest first.
    pub objects: Vec<Object>,
}

/// `GET /api/objects/{uid}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectDetail {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// The row.
    pub object: Object,
    /// The whole body; null where it was not known.
    #[schema(value_type = Value)]
    pub body: Value,
    /// The newest cluster events about it, newest first.
    pub events: Vec<ClusterEvent>,
}

/// One recorded state of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectVersion {
    /// The record.
    pub seq: u64,
    /// When it was learned.
    pub time: f64,
    /// Whether this record is the object's end.
    pub deleted: bool,
    /// How the deletion is known: `deleted`, `gone_unobserved`, or null.
    pub deleted_because: Option<String>,
    /// The whole body; null where it was not known.
    #[schema(value_type = Value)]
    pub body: Value,
}

/// `GET /api/objects/{uid}/history`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectHistory {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Newest first.
    pub versions: Vec<ObjectVersion>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// An Event of the cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterEvent {
    /// The record.
    pub seq: u64,
    /// The Event's uid: a later record of the same uid replaces an earlier one.
    pub uid: String,
    /// When this state of it was learned.
    pub learned: f64,
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// For example `BackOff`.
    pub reason: String,
    /// Human text.
    pub message: String,
    /// The component that reported it.
    pub reporter: String,
    /// The kind of the object that it is about.
    pub kind: String,
    /// That object's namespace.
    pub namespace: String,
    /// That object's name.
    pub name: String,
    /// That object's uid.
    pub object_uid: String,
    /// How often between first and last.
    pub count: u64,
    /// First time.
    pub first: f64,
    /// Last time.
    pub last: f64,
}

/// `GET /api/timeline`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Cluster events, newest record first, one per uid.
    pub events: Vec<ClusterEvent>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// An action.
#[derive(Debug, Serialize, ToSchema)]
pub struct Action {
    /// Its id.
    pub id: String,
    /// The newest record of it.
    pub seq: u64,
    /// Who.
    pub actor: String,
    /// Which action.
    pub action: String,
    /// Its arguments.
    #[schema(value_type = Value)]
    pub args: Value,
    /// When it was asked for.
    pub started: f64,
    /// When it ended; null while running.
    pub ended: Option<f64>,
    /// `succeeded`, `failed`, `unknown`, or null while running.
    pub outcome: Option<String>,
    /// What was done or what failed.
    pub detail: String,
}

/// `GET /api/actions`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Actions {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Running ones, then ended ones, newest first.
    pub actions: Vec<Action>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// Body of `POST /api/actions`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct StartAction {
    /// Which action, for example `restart-workload`.
    pub action: String,
    /// Its arguments.
    #[schema(value_type = Value)]
    pub args: Value,
}

/// Answer of `POST /api/actions`: the intent is durable, the outcome follows in the live feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedAction {
    /// Its id.
    pub id: String,
    /// The record of the intent.
    pub seq: u64,
}

/// How many objects of a kind there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct KindCount {
    /// For example `Pod`.
    pub kind: String,
    /// All living ones.
    pub total: u64,
    /// Those whose state is not as it should be.
    pub unhealthy: u64,
}

/// `GET /api/overview`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Every source, by name.
    pub sources: Vec<Source>,
    /// Objects by kind.
    pub kinds: Vec<KindCount>,
    /// Living objects whose state is not as it should be, newest change first; at most 100.
    pub unhealthy: Vec<Object>,
    /// The newest warnings of the cluster; at most 20.
    pub warnings: Vec<ClusterEvent>,
    /// The newest error lines; at most 20.
    pub errors: Vec<LogEntry>,
    /// The newest actions; at most 5.
    pub actions: Vec<Action>,
    /// The newest gaps; at most 5.
    pub gaps: Vec<Gap>,
    /// Live queries known now.
    pub live_queries: u64,
    /// Requests open now.
    pub open_requests: u64,
}

/// One segment file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Segment {
    /// Its file name.
    pub name: String,
    /// The epoch that it belongs to.
    pub epoch: u64,
    /// Its first event's number; null where it holds none.
    pub first_seq: Option<u64>,
    /// Its last event's number; null where it holds none.
    pub last_seq: Option<u64>,
    /// Bytes of data, without the unused rest of the file.
    pub bytes: u64,
    /// Whether it is complete.
    pub sealed: bool,
    /// When it was created.
    pub created: f64,
    /// Records in it that are damaged.
    pub damaged: u64,
}

/// A file in the data directory that is not part of this journal.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftAlone {
    /// Its name.
    pub name: String,
    /// Why it was left alone.
    pub reason: String,
}

/// `GET /api/journal`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Journal {
    /// The positions.
    pub journal: JournalStatus,
    /// Oldest first.
    pub segments: Vec<Segment>,
    /// Files that are not part of this journal.
    pub left_alone: Vec<LeftAlone>,
    /// What recovery found at the start.
    #[schema(value_type = Value)]
    pub recovery: Value,
    /// Size of the volume in bytes; null where it is not known.
    pub volume_bytes: Option<u64>,
    /// Free bytes on the volume; null where it is not known.
    pub volume_free_bytes: Option<u64>,
}

/// Body of `POST /api/journal/wipe`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WipeRequest {
    /// Must be `wipe`.
    pub confirm: String,
    /// Why; recorded.
    pub reason: String,
}

/// Answer of `POST /api/journal/wipe`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Wiped {
    /// The new epoch.
    pub epoch: u64,
    /// The record of the wipe.
    pub seq: u64,
}

/// `hello`: the first message of `GET /api/live`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveHello {
    /// The journal's id.
    pub journal_id: String,
    /// Counts wipes.
    pub epoch: u64,
    /// The oldest event's number.
    pub first_seq: u64,
    /// The newest event's number.
    pub last_seq: u64,
    /// Everything up to here survives a power cut.
    pub durable_seq: u64,
}

/// `batch`: events after `from` up to and including `to`, of the topics that were asked for.
///
/// Rows have the same shape as in the lists; a row with a known id replaces the earlier one.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LiveBatch {
    /// Exclusive.
    pub from: u64,
    /// Inclusive; also the message's id.
    pub to: u64,
    /// Topic `logs`, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogEntry>,
    /// Topic `requests`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// Topic `live-queries`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub live_queries: Vec<LiveQuery>,
    /// Topic `objects`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// Topic `events`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ClusterEvent>,
    /// Topic `sources`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Every topic: gaps are always told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Topic `actions`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// `durable`: how far the journal is durable.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveDurable {
    /// Everything up to here survives a power cut.
    pub durable_seq: u64,
}

/// `shed`: records that were left out because this client is too slow.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveShed {
    /// Exclusive.
    pub from: u64,
    /// Inclusive; also the message's id.
    pub to: u64,
    /// Records left out.
    pub count: u64,
}

/// `reset`: what the client knows is no longer a beginning of what is true; it fetches again.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveReset {
    /// `wiped`, `retired`, `lost` or `too_far_behind`.
    pub reason: String,
    /// Go on after this number.
    pub last_seq: u64,
}
