//! Other tools' data: Prometheus and Alertmanager behind a relay, Loki as a source of log lines, a
//! link to Grafana. Each is optional, and its failure is a value that touches nothing else.
//!
//! Knows no event, no journal and no caller: who may ask, and for what, is the business of whoever
//! calls.

mod headers;

mod health;

mod loki;

mod relay;

mod tool;

mod upstream;

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, Semaphore, watch};

pub use self::{
    health::Health,
    loki::{LINES_MAX, Line, Lines, NoLines},
    relay::{Answer, Ask, Failure},
    tool::{Config, GrafanaSecret, Kind, Tool, ToolConfig},
    upstream::{Escapes, NoUpstream, Upstream},
};
use crate::peer::{self, Trust};

/// Requests to one tool at once: a page asks for a handful, and each holds a connection.
const AT_ONCE_MAX: usize = 32;

/// Until a tool begins to answer. Prometheus gives a query two minutes by default.
const FIRST_BYTE_TIME_MAX: Duration = Duration::from_secs(125);

/// An answer that stands still for so long has lost its other end.
const STILL_TIME_MAX: Duration = Duration::from_secs(30);

/// Bytes of one answer through the relay: a large graph takes some megabytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Between two questions how a tool is: an admin learns soon enough, and the tool does not notice.
const HEALTH_PACE: Duration = Duration::from_secs(15);

/// A tool that takes longer to say that it is well is not.
const HEALTH_TIME_MAX: Duration = Duration::from_secs(5);

/// The bounds that a test has to reach; everyone else takes the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests to one tool at once.
    pub at_once: usize,
    /// Until a tool begins to answer.
    pub first_byte: Duration,
    /// Between two parts of an answer.
    pub still: Duration,
    /// Bytes of one answer through the relay.
    pub answer_bytes: u64,
    /// Between two questions how a tool is.
    pub health_pace: Duration,
    /// For the answer to it.
    pub health_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            at_once: AT_ONCE_MAX,
            first_byte: FIRST_BYTE_TIME_MAX,
            still: STILL_TIME_MAX,
            answer_bytes: ANSWER_BYTES_MAX,
            health_pace: HEALTH_PACE,
            health_time: HEALTH_TIME_MAX,
        }
    }
}

/// The tools of one process. Clones share their states.
#[derive(Debug, Clone)]
pub struct Outside {
    tools: Arc<Vec<Reached>>,
    secret: Option<GrafanaSecret>,
    limits: Limits,
}

/// A configured tool, and how it is.
#[derive(Debug)]
struct Reached {
    tool: Tool,
    config: ToolConfig,
    client: reqwest::Client,
    health: watch::Receiver<Health>,
    /// Has it asked how it is at once.
    ask_now: Arc<Notify>,
    /// Bounds the requests at once.
    slots: Arc<Semaphore>,
}

impl Outside {
    /// Prepares the tools, and asks each how it is for as long as the result lives. Needs a runtime.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn start(config: Config, limits: Limits) -> Result<Outside, peer::Error> {
        let mut tools = Vec::new();
        for (tool, config) in config.tools {
            // Longer than every other bound, each of which says more about what was waited for.
            let client = peer::client(Trust::System, limits.first_byte + limits.still)?;
            let ask_now = Arc::new(Notify::new());
            let at_once = match config.kind(tool) {
                Kind::Logs => loki::AT_ONCE_MAX.min(limits.at_once),
                Kind::Proxy | Kind::Link => limits.at_once,
            };
            let slots = Arc::new(Semaphore::new(at_once));
            let question = health::Question {
                tool,
                url: config.url.clone(),
                client: client.clone(),
                now: Arc::clone(&ask_now),
            };
            let health = health::watch(question, &limits);
            tools.push(Reached { tool, config, client, health, ask_now, slots });
        }
        Ok(Outside { tools: Arc::new(tools), secret: config.grafana_secret, limits })
    }

    /// The configured tools, in the order of [`Tool`].
    pub fn tools(&self) -> impl Iterator<Item = (Tool, &ToolConfig, watch::Receiver<Health>)> {
        self.tools.iter().map(|one| (one.tool, &one.config, one.health.clone()))
    }

    /// Asks a tool on behalf of a browser; `None` where it is not configured, or is no [`Kind::Proxy`].
    ///
    /// # Errors
    /// It gave no answer that may be passed on.
    pub async fn relay(&self, tool: Tool, ask: Ask) -> Option<Result<Answer, Failure>> {
        let to = self.tools.iter().find(|one| one.tool == tool)?;
        if to.config.kind(tool) != Kind::Proxy {
            return None;
        }
        Some(relay::relay(to, &self.limits, ask).await)
    }

    /// How a tool is; `None` where it is not configured.
    pub fn health(&self, tool: Tool) -> Option<Health> {
        let found = self.tools.iter().find(|one| one.tool == tool);
        found.map(|one| one.health.borrow().clone())
    }

    /// Where Grafana's admin password is.
    pub fn grafana_secret(&self) -> Option<&GrafanaSecret> {
        self.secret.as_ref()
    }
}
