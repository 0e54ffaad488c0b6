//! The parts of the crate that read bytes of others, and what the fuzz targets do with them.

// The targets name the crate as every test does.
extern crate self as monitor_backend;

#[path = "../../../src/event/mod.rs"]
pub mod event;

#[path = "../../../src/journal/mod.rs"]
pub mod journal;

#[path = "../../../src/views/mod.rs"]
pub mod views;

pub mod files;

pub mod targets;
