//! The JSON shapes of the HTTP surface, each with its OpenAPI description.
//!
//! Times and durations are fractional milliseconds (times since 1970-01-01T00:00:00Z). `seq` is an
//! integer below 2^53. Nothing here computes: shapes only.

mod session;

mod source;

mod probe;

mod app;

mod cluster;

mod action;

mod overview;

mod problem;

mod journal;

mod outside;

mod live;

mod usage;

pub use action::{
    Action, ActionDetail, ActionProgress, Actions, CancelledAction, DeclaredAction, DeclaredArg,
    DryRun, Runbook, RunbookStep, Runbooks, StartAction, StartedAction, TestSequence, WipeRequest,
    Wiped,
};
pub use app::{LiveQueries, LiveQuery, LogEntry, Logs, Request, RequestEnd, Requests, Section};
pub use cluster::{
    ClusterEvent, Deleted, ObjectDetail, ObjectHistory, ObjectRow, ObjectVersion, Objects, Timeline,
};
pub use journal::{Journal, LeftAlone, Limits, Reach, Segment, Upkeep};
pub use live::{LiveBatch, LiveDurable, LiveHeartbeat, LiveHello, LiveReset, LiveShed};
pub use outside::{
    GrafanaPassword, LokiEntry, LokiLogs, Outside, Tool, ToolKind, ToolsSession,
    ToolsSessionRequest,
};
pub use overview::{KindCount, Overview};
pub use probe::{Probe, Probes};
pub use problem::{
    ObjectName, Problem, ProblemClock, ProblemKind, ProblemSubject, Problems, Severity,
};
pub use session::{ErrorBody, JournalStatus, LogIn, Mode, ReplayStatus, Session, Status, Unsaved};
pub use source::{Gap, Source, SourceState, Sources, UnknownMessages};
pub use usage::{Process, Volume, VolumeHistory, Volumes};
