//! What the cluster API tells: objects and Events.

use serde::{Deserialize, Serialize};

use super::{Extensions, Key, Level, Millis};

/// Names one cluster object, for good: a uid is never given twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Group and version, for example `apps/v1` or `v1`.
    pub api_version: String,
    /// For example `Pod`.
    pub kind: String,
    /// Empty for objects of the whole cluster.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The object's uid.
    pub uid: String,
}

impl ObjectRef {
    /// The key of this object.
    pub fn key(&self) -> Key {
        Key::object(&self.uid)
    }
}

/// A cluster object as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectObserved {
    /// Which object.
    pub object: ObjectRef,
    /// The source that saw it, for example `cluster/Pod`.
    pub source: String,
    /// `metadata.resourceVersion`, which the body lacks.
    pub resource_version: String,
    /// JSON text with sorted keys, without `managedFields`, the last-applied annotation and
    /// `resourceVersion`, so that equal bodies are equal states.
    pub body: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// How it is known that an object is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletedBecause {
    /// The watch reported the deletion.
    Deleted,
    /// A new list did not name it: gone at some time between `from` and `to`.
    GoneUnobserved,
}

/// A cluster object is gone. Repeats what is needed to list it without its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectDeleted {
    /// Which object.
    pub object: ObjectRef,
    /// The source that learned it.
    pub source: String,
    /// How it was learned.
    pub because: DeletedBecause,
    /// The object was last known to exist at this time.
    pub from: Millis,
    /// The object was known to be gone at this time.
    pub to: Millis,
    /// The last body, as in [`ObjectObserved::body`]; empty where it was not known.
    pub body: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

impl ClusterEvent {
    /// The class of a type of Event, on the scale of log levels.
    pub fn class_of(event_type: &str) -> u8 {
        match event_type {
            "Warning" => Level::Warn as u8,
            "Normal" => Level::Info as u8,
            _ => 0,
        }
    }
}

/// An Event of the cluster, kept as the range that it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterEvent {
    /// The uid of the Event object: later reports of the same uid replace earlier ones on screen.
    pub uid: String,
    /// The source that saw it.
    pub source: String,
    /// The Event's own resourceVersion.
    pub resource_version: String,
    /// The object that it is about.
    pub regarding: ObjectRef,
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// For example `BackOff`.
    pub reason: String,
    /// Human text.
    pub message: String,
    /// The component that reported it.
    pub reporter: String,
    /// How often it happened between `first` and `last`.
    pub count: u64,
    /// First time.
    pub first: Millis,
    /// Last time.
    pub last: Millis,
    /// Fields of later versions.
    pub ext: Extensions,
}
