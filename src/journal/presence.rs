//! Files that somebody removed under the running process.

use super::record::Seq;

/// A segment that somebody removed. Its events are gone, but for those that were not durable yet:
/// these were written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub segment: String,
    /// Its first event.
    pub first_seq: Seq,
    /// Its last event that is gone; `first_seq - 1` where none is.
    pub last_seq: Seq,
}
