//! The collectors against peers that misbehave: what they send to the recorder, and when.
//!
//! The recorder's side of the queue is read directly.

#[path = "support/api_server.rs"]
mod api_server;
#[path = "support/app_server.rs"]
mod app_server;
#[path = "support/collected.rs"]
mod collected;
#[path = "support/pod_log.rs"]
mod pod_log;

#[path = "collect/basic_info.rs"]
mod basic_info;
#[path = "collect/cluster.rs"]
mod cluster;
#[path = "collect/link.rs"]
mod link;
#[path = "collect/pod_logs.rs"]
mod pod_logs;
#[path = "collect/probes.rs"]
mod probes;
#[path = "collect/volumes.rs"]
mod volumes;
