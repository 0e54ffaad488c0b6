//! The real binary on volumes that fill up, turn read-only, lose files or are shared, and what it
//! says and keeps then.
//!
//! Mounting needs root. Where that is not to be had, `unshare --map-root-user --mount cargo test
//! --test volume` gives the tests a user namespace of their own.

#[path = "volume/download.rs"]
mod download;

#[path = "volume/full.rs"]
mod full;

#[path = "support/log.rs"]
mod log;

#[path = "volume/memory.rs"]
mod memory;

#[path = "volume/mount.rs"]
mod mount;

#[path = "support/process.rs"]
mod process;

#[path = "volume/refused.rs"]
mod refused;

#[path = "volume/removed.rs"]
mod removed;

#[path = "volume/second.rs"]
mod second;

#[path = "volume/site.rs"]
mod site;

#[path = "volume/stopped.rs"]
mod stopped;

#[path = "volume/truncated.rs"]
mod truncated;

#[path = "volume/zoo.rs"]
mod zoo;
