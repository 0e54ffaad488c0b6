//! What volumes and processes use.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A volume as it was last measured.
#[derive(Debug, Serialize, ToSchema)]
pub struct Volume {
    /// Stands for the volume in paths.
    pub key: String,
    /// The claim's namespace; empty for the recorder's own volume.
    pub namespace: String,
    /// The name of the claim; `recorder` for the recorder's own volume.
    pub claim: String,
    /// The source that measured it.
    pub source: String,
    /// A pod that mounts it; empty for none.
    pub pod: String,
    /// The node where it was measured; empty where that is not known.
    pub node: String,
    /// Where it is mounted; null where that is not known.
    pub path: Option<String>,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes that it holds.
    pub capacity_bytes: u64,
    /// Bytes that can still be written.
    pub available_bytes: u64,
    /// Share that is used of what can be used, 0 to 1; null where the capacity is not known.
    pub ratio: Option<f64>,
    /// Inodes in use.
    pub inodes_used: u64,
    /// Inodes that it has; 0 where that is not known.
    pub inodes: u64,
    /// When it was measured.
    pub observed: f64,
    /// It is no longer there.
    pub gone: bool,
    /// The record of it.
    pub seq: u64,
    /// Whether the journal holds that record.
    pub saved: bool,
}

/// A process, or a group of them, as it was last measured.
#[derive(Debug, Serialize, ToSchema)]
pub struct Process {
    /// `app-server`, `recorder`, `node/NAME` or `pod/NAMESPACE/NAME`.
    pub name: String,
    /// The source that measured it.
    pub source: String,
    /// Processors in use, as a share of one; null where that is not known.
    pub cpu_cores: Option<f64>,
    /// Memory in use, bytes; null where that is not known.
    pub memory_bytes: Option<u64>,
    /// What the source told of it, as it told it; null for nothing.
    pub body: Value,
    /// When it was measured.
    pub observed: f64,
    /// It is no longer there.
    pub gone: bool,
    /// The record of it.
    pub seq: u64,
    /// Whether the journal holds that record.
    pub saved: bool,
}

/// `GET /api/volumes`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Volumes {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Volumes: the recorder's own first, then by namespace and claim.
    pub volumes: Vec<Volume>,
    /// Processes, by name.
    pub processes: Vec<Process>,
}

/// `GET /api/volumes/{key}/history`.
#[derive(Debug, Serialize, ToSchema)]
pub struct VolumeHistory {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Its recorded states, newest first.
    pub volumes: Vec<Volume>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}
