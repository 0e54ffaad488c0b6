//! Changes that clients ask for: merge patches, and the marks of a deletion.

use serde_json::{Value, json};

use crate::{event::Millis, sim::clock::rfc3339};

/// How long a pod is given to stop where the request does not say.
const GRACE_SECONDS_DEFAULT: u64 = 30;

/// Merges `patch` into `target` by RFC 7396: null removes, objects merge, the rest replaces.
///
/// Strategic merge patches are treated the same: for what is patched here (annotations, replicas)
/// both mean the same, since no list is involved.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if !value.is_null() {
            merge(&mut target[name], value);
        } else if let Some(fields) = target.as_object_mut() {
            fields.remove(name);
        }
    }
}

/// Applies a client's patch to an object: what belongs to the server stays as it is.
pub(super) fn patched(before: &Value, patch: &Value) -> Value {
    let mut after = before.clone();
    merge(&mut after, patch);
    for field in ["name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation"]
    {
        restore(&mut after["metadata"], &before["metadata"], field);
    }
    restore(&mut after, before, "status");
    restore(&mut after, before, "kind");
    restore(&mut after, before, "apiVersion");
    if after["spec"] != before["spec"] {
        let generation = before["metadata"]["generation"].as_u64().unwrap_or(0);
        after["metadata"]["generation"] = json!(generation + 1);
    }
    after
}

/// Marks a pod as being deleted, as the first half of a graceful deletion does.
pub(super) fn mark_deleted(pod: &mut Value, grace_seconds: Option<u64>, now: Millis) {
    if pod["metadata"]["deletionTimestamp"].is_null() {
        let grace = grace_seconds.unwrap_or(GRACE_SECONDS_DEFAULT);
        pod["metadata"]["deletionTimestamp"] = json!(rfc3339(now + grace as f64 * 1000.0));
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
    }
}

fn restore(after: &mut Value, before: &Value, field: &str) {
    let Some(fields) = after.as_object_mut() else { return };
    match before.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_merges_replaces_and_removes() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1, 2]});
        merge(&mut target, &json!({"a": {"b": null, "e": {"f": 3}}, "d": [4]}));
        assert_eq!(target, json!({"a": {"c": 2, "e": {"f": 3}}, "d": [4]}));
    }

    #[test]
    fn a_client_changes_the_spec_but_not_what_is_the_servers() {
        let before = json!({
            "metadata": {"name": "x", "uid": "u", "generation": 4},
            "spec": {"replicas": 1},
            "status": {"replicas": 1},
        });
        let patch = json!({
            "metadata": {"name": "y", "uid": null, "labels": {"a": "b"}},
            "spec": {"replicas": 2},
            "status": null,
        });
        let expected = json!({
            "metadata": {"name": "x", "uid": "u", "generation": 5, "labels": {"a": "b"}},
            "spec": {"replicas": 2},
            "status": {"replicas": 1},
        });
        assert_eq!(patched(&before, &patch), expected);
        let labels_only = json!({"metadata": {"labels": {"a": "b"}}});
        assert_eq!(patched(&before, &labels_only)["metadata"]["generation"], 4);
    }
}
