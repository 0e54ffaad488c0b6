//! Other tools behind the second port and beside the first one: against doubles that record what
//! reaches them, and against the real Prometheus and Alertmanager.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what it found")]

#[path = "support/http.rs"]
#[allow(dead_code, reason = "shared with the tests of the surface")]
mod support;

#[path = "support/monitoring.rs"]
mod monitoring;

#[path = "outside/double.rs"]
mod double;

#[path = "outside/visitor.rs"]
mod visitor;

#[path = "outside/entrance.rs"]
mod entrance;

#[path = "outside/failures.rs"]
mod failures;

#[path = "outside/loki.rs"]
mod loki;

#[path = "outside/relay.rs"]
mod relay;

#[path = "outside/real.rs"]
mod real;
