//! The journal on real files: what is written comes back, whatever happens to the files between.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

#[path = "journal/support.rs"]
mod support;

#[path = "journal/faulty.rs"]
mod faulty;

#[path = "journal/basics.rs"]
mod basics;

#[path = "journal/damage.rs"]
mod damage;

#[path = "journal/sim_fs.rs"]
mod sim_fs;

#[path = "journal/power.rs"]
mod power;

#[path = "journal/bytes.rs"]
mod bytes;

#[path = "journal/crafted.rs"]
mod crafted;

#[path = "journal/extremes.rs"]
mod extremes;

#[path = "journal/unreadable.rs"]
mod unreadable;

#[path = "journal/starts.rs"]
mod starts;

#[path = "journal/faults.rs"]
mod faults;

#[path = "journal/retention.rs"]
mod retention;

#[path = "journal/spare.rs"]
mod spare;

#[path = "journal/removed.rs"]
mod removed;

#[path = "journal/backups.rs"]
mod backups;

#[path = "journal/together.rs"]
mod together;

#[path = "journal/index.rs"]
mod index;

#[path = "journal/golden.rs"]
mod golden;

#[path = "journal/stranger.rs"]
mod stranger;

#[path = "journal/laws.rs"]
mod laws;
