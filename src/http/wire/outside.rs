//! Other tools: which there are, how they are, and what Loki has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a tool is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// Its own pages, in a frame from the second port; `POST /api/outside/tools-session` leads there.
    Proxy,
    /// A link.
    Link,
    /// No pages: `GET /api/outside/loki` has its lines.
    Logs,
}

/// A tool.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tool {
    /// `prometheus`, `alertmanager`, `grafana` or `loki`.
    pub name: String,
    /// How it is shown.
    pub kind: ToolKind,
    /// Where a browser finds it, maybe with the scheme of the page (`//host`); null for a tool without pages, and where no second port is served.
    pub url: Option<String>,
    /// Whether it is well; null until it was asked for the first time.
    pub up: Option<bool>,
    /// Since when it is so.
    pub since: f64,
    /// When it was last up, as far as this process knows.
    pub last_up: Option<f64>,
    /// Why it is down; empty while it is up.
    pub reason: String,
    /// Whether `POST /api/outside/grafana/password` can show its admin password.
    pub has_password: bool,
}

/// `GET /api/outside`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outside {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// The configured tools; none is no fault.
    pub tools: Vec<Tool>,
}

/// Body of `POST /api/outside/tools-session`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ToolsSessionRequest {
    /// Which tool to open.
    pub tool: String,
    /// A path within the tool, with its query, for example `/graph?g0.expr=up`.
    #[serde(default)]
    pub path: Option<String>,
}

/// Answer of `POST /api/outside/tools-session`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToolsSession {
    /// Opens the tool once, within half a minute, in a frame or a tab.
    pub url: String,
}

/// A log line that Loki has. It is not in the journal, so it has no number.
#[derive(Debug, Serialize, ToSchema)]
pub struct LokiEntry {
    /// The time that the line claims.
    pub time: f64,
    /// The same in nanoseconds since 1970, in digits.
    pub time_ns: String,
    /// ERROR, WARN, INFO, DEBUG or TRACE, by the labels of its stream; INFO where they do not tell.
    pub level: String,
    /// What wrote it, by the labels of its stream.
    pub target: String,
    /// Empty: Loki knows no spans.
    pub span_name: String,
    /// The text.
    pub message: String,
    /// `outside/loki`.
    pub source: String,
    /// The labels of its stream, and what Loki keeps beside the line.
    pub labels: BTreeMap<String, String>,
}

/// `GET /api/outside/loki`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LokiLogs {
    /// The sequence number that was the last when this was asked.
    pub seq: u64,
    /// In the direction that was asked for.
    pub entries: Vec<LokiEntry>,
    /// True where there may be more lines than the limit lets through.
    pub is_full: bool,
}

/// Answer of `POST /api/outside/grafana/password`. Cannot be printed.
#[derive(Serialize, ToSchema)]
pub struct GrafanaPassword {
    /// The admin password, as the Secret has it.
    pub password: String,
    /// The action that stands in the journal, without the password.
    pub action: String,
}
