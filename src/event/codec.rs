//! Events to payload bytes and back: MessagePack, positional fields, one last slot for extensions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Event, kind};

/// The last slot of every payload: named fields that the positional part does not have.
///
/// Always written, as nil when empty, so that neighbouring versions read each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extensions(pub Option<BTreeMap<String, serde_json::Value>>);

/// A payload whose bytes are not what its kind promises.
#[derive(Debug, thiserror::Error)]
#[error("payload of kind {kind:#06x} cannot be decoded")]
pub struct DecodeError {
    /// The kind that the record's header names.
    pub kind: u16,
    /// What the decoder found.
    pub source: rmp_serde::decode::Error,
}

impl Event {
    /// Appends the payload to `out`.
    pub fn encode_to(&self, out: &mut Vec<u8>) {
        let written = match self {
            Event::ObjectObserved(e) => write(out, e),
            Event::ObjectDeleted(e) => write(out, e),
            Event::ClusterEvent(e) => write(out, e),
            Event::LogLine(e) => write(out, e),
            Event::Trace(e) => write(out, e),
            Event::LiveQuery(e) => write(out, e),
            Event::LiveQueryDropped(e) => write(out, e),
            Event::SourceState(e) => write(out, e),
            Event::Gap(e) => write(out, e),
            Event::WatchPosition(e) => write(out, e),
            Event::ProbeResult(e) => write(out, e),
            Event::VolumeUsage(e) => write(out, e),
            Event::ProcessUsage(e) => write(out, e),
            Event::PodLogPosition(e) => write(out, e),
            Event::ActionIntent(e) => write(out, e),
            Event::ActionProgress(e) => write(out, e),
            Event::ActionOutcome(e) => write(out, e),
            Event::Boot(e) => write(out, e),
            Event::Retention(e) => write(out, e),
            Event::FilesRemoved(e) => write(out, e),
            Event::Degraded(e) => write(out, e),
        };
        written.expect("plain data into memory has no way to fail");
    }

    /// Reads a payload; `Ok(None)` for a kind that this version does not know.
    ///
    /// # Errors
    /// The bytes are not a payload of that kind. Depth and declared lengths are bounded by the
    /// decoder, so hostile bytes cost no more memory than their own length.
    pub fn decode(kind: u16, payload: &[u8]) -> Result<Option<Event>, DecodeError> {
        let event = match kind {
            kind::OBJECT_OBSERVED => Event::ObjectObserved(read(kind, payload)?),
            kind::OBJECT_DELETED => Event::ObjectDeleted(read(kind, payload)?),
            kind::CLUSTER_EVENT => Event::ClusterEvent(read(kind, payload)?),
            kind::LOG_LINE => Event::LogLine(read(kind, payload)?),
            kind::TRACE => Event::Trace(read(kind, payload)?),
            kind::LIVE_QUERY => Event::LiveQuery(read(kind, payload)?),
            kind::LIVE_QUERY_DROPPED => Event::LiveQueryDropped(read(kind, payload)?),
            kind::SOURCE_STATE => Event::SourceState(read(kind, payload)?),
            kind::GAP => Event::Gap(read(kind, payload)?),
            kind::WATCH_POSITION => Event::WatchPosition(read(kind, payload)?),
            kind::PROBE_RESULT => Event::ProbeResult(read(kind, payload)?),
            kind::VOLUME_USAGE => Event::VolumeUsage(read(kind, payload)?),
            kind::PROCESS_USAGE => Event::ProcessUsage(read(kind, payload)?),
            kind::POD_LOG_POSITION => Event::PodLogPosition(read(kind, payload)?),
            kind::ACTION_INTENT => Event::ActionIntent(read(kind, payload)?),
            kind::ACTION_PROGRESS => Event::ActionProgress(read(kind, payload)?),
            kind::ACTION_OUTCOME => Event::ActionOutcome(read(kind, payload)?),
            kind::BOOT => Event::Boot(read(kind, payload)?),
            kind::RETENTION => Event::Retention(read(kind, payload)?),
            kind::FILES_REMOVED => Event::FilesRemoved(read(kind, payload)?),
            kind::DEGRADED => Event::Degraded(read(kind, payload)?),
            _ => return Ok(None),
        };
        Ok(Some(event))
    }
}

fn write(out: &mut Vec<u8>, fields: &impl Serialize) -> Result<(), rmp_serde::encode::Error> {
    rmp_serde::encode::write(out, fields)
}

fn read<T: DeserializeOwned>(kind: u16, payload: &[u8]) -> Result<T, DecodeError> {
    rmp_serde::from_slice(payload).map_err(|source| DecodeError { kind, source })
}
