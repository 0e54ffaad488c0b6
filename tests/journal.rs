//! The journal on real files: what is written comes back, whatever happens to the files between.

#[path = "journal/support.rs"]
mod support;

#[path = "journal/basics.rs"]
mod basics;
