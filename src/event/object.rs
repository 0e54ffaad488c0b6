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
    /// `resourceVersion`, so that equal bodies are equal states. See also
    /// [`ObjectObserved::is_same_state`].
    pub body: String,
    /// Fields of later versions.
    pub ext: Extensions,
}

/// What a node's kubelet writes anew though nothing changed
/// ([heartbeats](https://kubernetes.io/docs/reference/node/node-status/#heartbeats)), as it stands
/// before the time. In a string, the quotes would be escaped.
const HEARTBEAT: &str = r#""lastHeartbeatTime":""#;

impl ObjectObserved {
    /// Whether this tells nothing that an earlier state of the same object did not. A node's
    /// heartbeat is no news: its status is told every few seconds, and that it stopped is told by a
    /// condition. So the heartbeat in a recorded node is as old as the state around it.
    pub fn is_same_state(&self, earlier: &ObjectObserved) -> bool {
        if self.object.kind != "Node" || self.object.api_version != "v1" {
            return self.body == earlier.body;
        }
        self.body.len() == earlier.body.len()
            && between_heartbeats(&self.body).eq(between_heartbeats(&earlier.body))
    }
}

/// The text without the times of heartbeats. What follows a time begins with its closing quote.
fn between_heartbeats(body: &str) -> impl Iterator<Item = &str> {
    let mut parts = body.split(HEARTBEAT);
    let first = parts.next();
    first.into_iter().chain(parts.map(|part| &part[part.find('"').unwrap_or(0)..]))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(kind: &str, body: &str) -> ObjectObserved {
        ObjectObserved {
            object: ObjectRef {
                api_version: "v1".into(),
                kind: kind.into(),
                namespace: String::new(),
                name: "n".into(),
                uid: "u".into(),
            },
            source: "s".into(),
            resource_version: "1".into(),
            body: body.into(),
            ext: Extensions::default(),
        }
    }

    #[test]
    fn a_heartbeat_alone_is_no_news_of_a_node() {
        let body = |first: &str, second: &str, ready: &str| {
            format!(
                r#"{{"c":[{{"lastHeartbeatTime":"{first}","s":"{ready}"}},{{"lastHeartbeatTime":"{second}"}}]}}"#
            )
        };
        let early = body("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "True");
        let late = body("2026-01-01T00:00:10Z", "2026-01-01T00:00:09Z", "True");
        let lost = body("2026-01-01T00:00:10Z", "2026-01-01T00:00:09Z", "Fals");
        let is_same = |kind: &str, one: &str, other: &str| {
            observed(kind, one).is_same_state(&observed(kind, other))
        };
        assert!(is_same("Node", &early, &late));
        assert!(!is_same("Node", &early, &lost));
        assert!(!is_same("Pod", &early, &late), "only of nodes it is known what that means");
        let escaped = |time: &str| format!(r#"{{"a":"\"lastHeartbeatTime\":\"{time}\""}}"#);
        assert!(!is_same("Node", &escaped("1"), &escaped("2")), "text of somebody is a state");
        assert!(!is_same("Node", r#"{"lastHeartbeatTime":""#, r#"{"lastHeartbeatTime":1"#));
    }
}
