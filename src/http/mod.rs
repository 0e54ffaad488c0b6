//! The HTTP surface.

pub mod wire;
