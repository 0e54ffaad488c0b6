//! What volumes and processes use.

use serde::{Deserialize, Serialize};

use super::{Extensions, Millis};

/// A volume as it is now: how much of it is used.
///
/// The recorder's own volume has no namespace and the claim `recorder`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeUsage {
    /// The source that brought it, for example `volumes/kubelet`.
    pub source: String,
    /// The claim's namespace.
    pub namespace: String,
    /// The name of the persistent volume claim.
    pub claim: String,
    /// A pod that mounts it, where it was measured; empty for none.
    pub pod: String,
    /// The node where it was measured; empty where that is not known.
    pub node: String,
    /// Where it is mounted; `None` where the source does not tell.
    pub path: Option<String>,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes that it holds.
    pub capacity_bytes: u64,
    /// Bytes that can still be written; less than the rest where some are reserved.
    pub available_bytes: u64,
    /// Inodes in use.
    pub inodes_used: u64,
    /// Inodes that it has; 0 where that is not known.
    pub inodes: u64,
    /// When it was measured.
    pub observed: Millis,
    /// It is no longer there; the numbers are the last ones known.
    pub gone: bool,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// A process, or a group of them, as it is now.
///
/// Names: `app-server`, `recorder`, `node/NAME`, `pod/NAMESPACE/NAME` (all containers of it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// The source that brought it.
    pub source: String,
    /// Which process.
    pub name: String,
    /// Processors in use, as a share of one; `None` where that is not known.
    pub cpu_cores: Option<f64>,
    /// Memory in use that cannot be reclaimed at once, bytes; `None` where that is not known.
    pub memory_bytes: Option<u64>,
    /// What the source told of it, as it told it: JSON text; empty for nothing.
    pub body: String,
    /// When it was measured.
    pub observed: Millis,
    /// It is no longer there; the numbers are the last ones known.
    pub gone: bool,
    /// Fields of later versions.
    pub ext: Extensions,
}
