//! The collectors against peers that misbehave: what they send to the recorder, and when.
//!
//! The recorder's side of the queue is read directly.

#[path = "support/app_server.rs"]
mod app_server;
#[path = "support/collected.rs"]
mod collected;

#[path = "collect/link.rs"]
mod link;
