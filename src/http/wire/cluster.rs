//! Objects of the cluster, their history, and Events.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// `false` while it lives, else the time of the deletion.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Deleted {
    /// Always `false`.
    No(bool),
    /// When it was known to be gone.
    At(f64),
}

/// A cluster object, one row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectRow {
    /// Its uid.
    pub uid: String,
    /// For example `v1`.
    pub api_version: String,
    /// For example `Pod`.
    pub kind: String,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// One word of its state, for example `Running` or `CrashLoopBackOff`.
    pub phase: String,
    /// Whether that state is as it should be.
    pub healthy: bool,
    /// More about its state, for example `ready 1/2, restarts 3`; may be empty.
    pub detail: String,
    /// False, or when it was known to be gone.
    pub deleted: Deleted,
    /// How the deletion is known: `deleted`, `gone_unobserved`, or null.
    pub deleted_because: Option<String>,
    /// When it was created, as the cluster says; null where it does not.
    pub created: Option<f64>,
    /// When its present state was learned.
    pub changed: f64,
    /// The record that this state is from.
    pub seq: u64,
    /// False while this state is kept in memory, for a journal that takes no records.
    pub saved: bool,
}

/// `GET /api/objects`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Objects {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Living ones by kind, namespace and name; then deleted ones, newest first.
    pub objects: Vec<ObjectRow>,
    /// Objects that were deleted before this event are left out; null where none are.
    pub deleted_from: Option<u64>,
}

/// `GET /api/objects/{uid}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectDetail {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// The row.
    pub object: ObjectRow,
    /// The whole body; null where it was not known.
    #[schema(value_type = Value)]
    pub body: Value,
    /// The newest cluster events about it, newest first.
    pub events: Vec<ClusterEvent>,
    /// Cluster events before this event are left out; null where none are.
    pub events_from: Option<u64>,
}

/// One recorded state of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectVersion {
    /// The record.
    pub seq: u64,
    /// When it was learned.
    pub time: f64,
    /// Whether this record is the object's end.
    pub deleted: bool,
    /// How the deletion is known: `deleted`, `gone_unobserved`, or null.
    pub deleted_because: Option<String>,
    /// The whole body; null where it was not known.
    #[schema(value_type = Value)]
    pub body: Value,
}

/// `GET /api/objects/{uid}/history`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectHistory {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Newest first.
    pub versions: Vec<ObjectVersion>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}

/// An Event of the cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterEvent {
    /// The record.
    pub seq: u64,
    /// The Event's uid: a later record of the same uid replaces an earlier one.
    pub uid: String,
    /// When this state of it was learned.
    pub learned: f64,
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// For example `BackOff`.
    pub reason: String,
    /// Human text.
    pub message: String,
    /// The component that reported it.
    pub reporter: String,
    /// The kind of the object that it is about.
    pub kind: String,
    /// That object's namespace.
    pub namespace: String,
    /// That object's name.
    pub name: String,
    /// That object's uid.
    pub object_uid: String,
    /// How often between first and last.
    pub count: u64,
    /// First time.
    pub first: f64,
    /// Last time.
    pub last: f64,
}

/// `GET /api/timeline`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// The sequence number that this answer is of.
    pub seq: u64,
    /// Cluster events, newest record first, one per uid.
    pub events: Vec<ClusterEvent>,
    /// The `before` of the next page, or null.
    pub next: Option<u64>,
}
