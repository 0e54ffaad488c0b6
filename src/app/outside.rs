//! Other tools: their port, and the record of how they were. Whatever fails here is a fault that
//! is shown; nothing of it keeps the process from starting.

use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::serve::stopped;
use crate::{
    config::Config,
    event::{Event, Extensions, SourceState, State},
    http::ToolsDesk,
    outside::{Health, Limits, Outside, Tool},
    recorder::Recorder,
};

/// Prepares the configured tools, and binds their port where one needs it.
pub async fn prepare(config: &Config, faults: &mut Vec<String>) -> Option<ToolsDesk> {
    if config.outside.tools.is_empty() {
        return None;
    }
    let outside = match Outside::start(config.outside.clone(), Limits::default()) {
        Ok(outside) => outside,
        Err(error) => {
            faults.push(format!("other tools are off: {error}"));
            return None;
        }
    };
    let listener = listen(config, faults).await;
    let port = listener.as_ref().and_then(|bound| bound.local_addr().ok()).map(|at| at.port());
    Some(ToolsDesk { outside, port, listener, public_url: config.tools_url.clone() })
}

async fn listen(config: &Config, faults: &mut Vec<String>) -> Option<TcpListener> {
    let address = config.tools_listen?;
    match TcpListener::bind(address).await {
        Ok(listener) => Some(listener),
        Err(error) => {
            faults.push(format!(
                "the pages of proxied tools are off: listening on {address} failed: {error}; is \
                 another process there? choose one by --tools-listen"
            ));
            None
        }
    }
}

/// The names of the sources that the tools are.
pub fn sources(outside: &Outside) -> Vec<String> {
    outside.tools().map(|(tool, ..)| source(tool)).collect()
}

fn source(tool: Tool) -> String {
    format!("outside/{}", tool.name())
}

/// Records how the tools are, each change of it, until the stop. A wipe empties that too, so all of
/// it is said again then.
pub async fn record(
    outside: Outside,
    recorder: Recorder,
    generation: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
) {
    let mut tools = JoinSet::new();
    for (tool, _, health) in outside.tools() {
        tools.spawn(record_one(tool, health, recorder.clone(), generation.clone()));
    }
    stopped(stopping).await;
    tools.shutdown().await;
}

async fn record_one(
    tool: Tool,
    mut health: watch::Receiver<Health>,
    recorder: Recorder,
    mut generation: watch::Receiver<u64>,
) {
    loop {
        let now = health.borrow_and_update().clone();
        if let Some(event) = told(tool, now) {
            // A recorder that takes nothing now is told again with the next change.
            let _ = recorder.record_or_keep(vec![event]).await;
        }
        let changed = tokio::select! {
            changed = health.changed() => changed,
            changed = generation.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

fn told(tool: Tool, health: Health) -> Option<Event> {
    let state = if health.up? { State::Up } else { State::Down };
    Some(Event::SourceState(SourceState {
        name: source(tool),
        state,
        reason: health.reason,
        since: health.since,
        malformed: 0,
        last_malformed: String::new(),
        ext: Extensions::default(),
    }))
}
