//! The tools that are known, and what is configured of each.

use super::Upstream;

/// A tool. The order is that in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// Metrics.
    Prometheus,
    /// Alerts and silences.
    Alertmanager,
    /// Dashboards.
    Grafana,
    /// Log lines.
    Loki,
}

/// How a tool is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its own pages, through the relay on the second port.
    Proxy,
    /// A link to its own address.
    Link,
    /// No pages: its log lines stand beside ours.
    Logs,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Tool; 4] = [Tool::Prometheus, Tool::Alertmanager, Tool::Grafana, Tool::Loki];

    /// Its name, also the first word of its paths on the second port.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Prometheus => "prometheus",
            Tool::Alertmanager => "alertmanager",
            Tool::Grafana => "grafana",
            Tool::Loki => "loki",
        }
    }

    /// Its name as its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            Tool::Prometheus => "Prometheus",
            Tool::Alertmanager => "Alertmanager",
            Tool::Grafana => "Grafana",
            Tool::Loki => "Loki",
        }
    }

    /// The tool of a name.
    pub fn named(name: &str) -> Option<Tool> {
        Tool::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Where it says how it is: 200 when it is well.
    pub(super) fn health_path(self) -> &'static str {
        match self {
            // https://prometheus.io/docs/prometheus/latest/management_api/, the same for Alertmanager
            Tool::Prometheus | Tool::Alertmanager => "/-/healthy",
            // https://grafana.com/docs/grafana/latest/developers/http_api/other/#health-api
            Tool::Grafana => "/api/health",
            // https://grafana.com/docs/loki/latest/reference/loki-http-api/#readiness-probe
            Tool::Loki => "/ready",
        }
    }
}

/// What is configured of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolConfig {
    /// Where this process reaches it.
    pub url: Upstream,
    /// Where browsers reach it, if they can.
    pub public_url: Option<Upstream>,
    /// Where the tool believes to be, if a gateway strips a path from what it passes on to it: empty,
    /// or beginning with a slash and ending without one.
    pub external_path: String,
    /// The tenant of Loki, sent as `X-Scope-OrgID`.
    pub tenant: Option<String>,
}

impl ToolConfig {
    /// How the tool is shown.
    pub fn kind(&self, tool: Tool) -> Kind {
        match tool {
            Tool::Loki => Kind::Logs,
            Tool::Grafana => Kind::Link,
            Tool::Prometheus | Tool::Alertmanager if self.public_url.is_some() => Kind::Link,
            Tool::Prometheus | Tool::Alertmanager => Kind::Proxy,
        }
    }

    /// A path as the tool writes it, below its own root: without where it believes to be.
    pub fn inside<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(self.external_path.as_str()) {
            Some("") => "/",
            Some(below) if below.starts_with('/') => below,
            _ => path,
        }
    }

    /// Where a browser finds a tool that is a link.
    pub fn link(&self) -> &Upstream {
        self.public_url.as_ref().unwrap_or(&self.url)
    }
}

/// Where the cluster keeps Grafana's admin password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrafanaSecret {
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub name: String,
    /// Which of its keys holds the password.
    pub key: String,
}

/// Which tools there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The configured ones, in the order of [`Tool`].
    pub tools: Vec<(Tool, ToolConfig)>,
    /// Where Grafana's admin password is.
    pub grafana_secret: Option<GrafanaSecret>,
}

impl Config {
    /// Whether any tool is shown through the relay, for which a second port is needed.
    pub fn has_relayed(&self) -> bool {
        self.tools.iter().any(|(tool, config)| config.kind(*tool) == Kind::Proxy)
    }
}
