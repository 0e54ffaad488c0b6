//! The tools with the real binary, on real files: what they say of sound, damaged, live and foreign
//! journals, and with which exit code.

#[path = "support/process.rs"]
mod process;

#[path = "tools/relay.rs"]
mod relay;
#[path = "tools/support.rs"]
mod support;

#[path = "tools/cat.rs"]
mod cat;
#[path = "tools/cut.rs"]
mod cut;
#[path = "tools/export.rs"]
mod export;
#[path = "tools/live.rs"]
mod live;
#[path = "tools/pull.rs"]
mod pull;
#[path = "tools/verify.rs"]
mod verify;
