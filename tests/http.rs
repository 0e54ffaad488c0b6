//! The HTTP surface over real sockets, with a real recorder and journal behind it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says what it found")]

#[path = "support/http.rs"]
mod support;

#[path = "support/feed.rs"]
mod feed;

#[path = "http/access.rs"]
mod access;

#[path = "http/actions.rs"]
mod actions;

#[path = "journal/faulty.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests of the journal")]
mod faulty;

#[path = "http/degraded.rs"]
mod degraded;

#[path = "http/connections.rs"]
mod connections;

#[path = "http/downloads.rs"]
mod downloads;

#[path = "http/live.rs"]
mod live;

#[path = "http/openapi.rs"]
mod openapi;

#[path = "http/problems.rs"]
mod problems;

#[path = "http/reads.rs"]
mod reads;

#[path = "http/refusals.rs"]
mod refusals;

#[path = "http/replay.rs"]
mod replay;

#[path = "http/site.rs"]
mod site;

#[path = "http/usage.rs"]
mod usage;
