//! What the collectors tell of themselves: up, down, gaps and how far they have come.

use serde::{Deserialize, Serialize};

use super::{Extensions, Millis};

/// Whether a source is being observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Observed.
    Up,
    /// Not observed; the reason says why, and it is being retried.
    Down,
    /// The first attempt is under way.
    Connecting,
    /// Not configured.
    Off,
}

impl State {
    /// The word on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Down => "down",
            State::Connecting => "connecting",
            State::Off => "off",
        }
    }
}

/// A source as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// For example `app-server` or `cluster/Pod`.
    pub name: String,
    /// Up, down, connecting or off.
    pub state: State,
    /// What was attempted, what failed and what to do; when up, what of it is not observed, and empty
    /// where all is.
    pub reason: String,
    /// When it came into this state.
    pub since: Millis,
    /// Malformed messages since the recorder started.
    pub malformed: u64,
    /// What was wrong with the last malformed message; empty for none.
    pub last_malformed: String,
    /// Fields of later versions, and [`SourceState::UNKNOWN`].
    pub ext: Extensions,
}

impl SourceState {
    /// The extension that counts messages of sorts that this version does not know, by name.
    pub const UNKNOWN: &str = "unknown_messages";

    /// Messages of sorts that this version does not know, since the recorder started, by name.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, u64)> {
        let fields = self.ext.0.as_ref().and_then(|ext| ext.get(Self::UNKNOWN)?.as_object());
        let counts = fields.into_iter().flatten();
        counts.filter_map(|(name, count)| Some((name.as_str(), count.as_u64()?)))
    }
}

/// A stretch of time in which a source was not observed, or in which records were dropped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Which source.
    pub source: String,
    /// Why.
    pub reason: String,
    /// Everything before was observed.
    pub from: Millis,
    /// Everything after is observed again.
    pub to: Millis,
    /// How many records were dropped; `None` where nobody can know.
    pub dropped: Option<u64>,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// How far the log of a container was read, so that the next start goes on behind the last line.
///
/// A log is asked for from a second on, and comes in the order in which it was written: what comes
/// after the line that this names was not recorded yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PodLogPosition {
    /// Which source.
    pub source: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub uid: String,
    /// Which of its containers.
    pub container: String,
    /// Which run of the container: the start of the id that the node gave it.
    pub run: String,
    /// The time that the node noted for the last line, nanoseconds since 1970; 0 before the first.
    pub stamp_ns: i64,
    /// How many lines of this time were read.
    pub of_stamp: u64,
    /// CRC-32 of the last line as it came.
    pub check: u32,
    /// The run has ended, and its log was read to the end.
    pub ended: bool,
    /// The pod is gone, or is not followed any more.
    pub gone: bool,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// How far a watch has come, so that the next start can go on from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchPosition {
    /// Which source.
    pub source: String,
    /// The resourceVersion to watch from.
    pub resource_version: String,
    /// Fields of later versions.
    pub ext: Extensions,
}
