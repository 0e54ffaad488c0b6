//! What collectors hand to the recorder.

use super::{Event, Millis};

/// A message from a collector, tagged with the generation in which it was observed.
///
/// A generation ends with a wipe, and when records had to be dropped: every collector starts over.
/// The recorder discards what was still on the way.
#[derive(Debug)]
pub struct Observed {
    /// The generation that the collector knew when it observed this.
    pub generation: u64,
    /// The observation.
    pub what: Observation,
}

/// An observation.
#[derive(Debug)]
pub enum Observation {
    /// Events, in order.
    Events(Vec<Event>),
    /// A complete list ended; its objects were sent before it.
    Listed(Listed),
}

/// The end of a complete list of one kind. The recorder ends every living object of this source
/// that the list did not name, and stores the position.
#[derive(Debug)]
pub struct Listed {
    /// Which source listed.
    pub source: String,
    /// The uids that the list named.
    pub uids: Vec<String>,
    /// What the list did not name was last known to exist at this time.
    pub from: Millis,
    /// The time of the list.
    pub to: Millis,
    /// The list's resourceVersion: the watch goes on from here.
    pub resource_version: String,
}
