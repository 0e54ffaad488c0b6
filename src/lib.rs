//! # monitor-backend
//!
//! The flight recorder and admin desk of a Kubernetes cluster and its app-server.
//!
//! The modules stand in the order of the flow:
//!
//! ```text
//!  collect --events--> recorder --> journal (volume)
//!                         |   `---> views (memory) --> http --> frontend
//!                         `-------> live feed -------> http
//!                         ^
//!  actions --intent, progress, outcome
//! ```

pub mod event;

pub mod journal;

pub mod redact;

pub mod cluster;

pub mod peer;

pub mod process;

pub mod collect;

pub mod views;

pub mod recorder;

pub mod actions;

pub mod outside;

pub mod http;

pub mod sim;

pub mod tools;

pub mod config;

pub mod cli;

pub mod app;
