//! Other tools' data: Prometheus and Alertmanager behind a relay, Loki as a source of log lines, a
//! link to Grafana. Each is optional, and its failure is a value that touches nothing else.
//!
//! Knows no event, no journal and no caller: who may ask, and for what, is the business of whoever
//! calls.

mod health;

mod tool;

mod upstream;

use std::sync::Arc;

use tokio::sync::watch;

pub use self::{
    health::Health,
    tool::{Config, GrafanaSecret, Kind, Tool, ToolConfig},
    upstream::{Escapes, NoUpstream, Upstream},
};
use crate::peer::{self, Trust};

/// The tools of one process. Clones share their states.
#[derive(Debug, Clone)]
pub struct Outside {
    tools: Arc<Vec<Reached>>,
    secret: Option<GrafanaSecret>,
}

/// A configured tool, and how it is.
#[derive(Debug)]
struct Reached {
    tool: Tool,
    config: ToolConfig,
    client: reqwest::Client,
    health: watch::Receiver<Health>,
}

impl Outside {
    /// Prepares the tools, and asks each how it is for as long as the result lives. Needs a runtime.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn start(config: Config) -> Result<Outside, peer::Error> {
        let mut tools = Vec::new();
        for (tool, config) in config.tools {
            let client = peer::client(Trust::System, upstream::STILL_MAX)?;
            let health = health::watch(tool, config.url.clone(), client.clone());
            tools.push(Reached { tool, config, client, health });
        }
        Ok(Outside { tools: Arc::new(tools), secret: config.grafana_secret })
    }

    /// The configured tools, in the order of [`Tool`].
    pub fn tools(&self) -> impl Iterator<Item = (Tool, &ToolConfig, watch::Receiver<Health>)> {
        self.tools.iter().map(|one| (one.tool, &one.config, one.health.clone()))
    }

    /// Whether any tool is shown through the relay, for which a second port is needed.
    pub fn has_relayed(&self) -> bool {
        self.tools.iter().any(|one| one.config.kind(one.tool) == Kind::Proxy)
    }

    /// Where Grafana's admin password is.
    pub fn grafana_secret(&self) -> Option<&GrafanaSecret> {
        self.secret.as_ref()
    }
}
