//! Objects of the cluster, as they are recorded.

use serde_json::Value;

use super::Kind;
use crate::event::{Extensions, ObjectObserved, ObjectRef};

/// A copy of the whole object in an annotation of itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object without what changes though nothing happened.
///
/// # Errors
/// It lacks what every object has.
pub fn read(kind: &Kind, mut object: Value) -> Result<ObjectObserved, String> {
    // A list leaves these out of its items; the same object must have the same body.
    let Some(fields) = object.as_object_mut() else {
        return Err(format!("a {} that is not an object", kind.kind));
    };
    fields.insert("apiVersion".into(), kind.api_version().into());
    fields.insert("kind".into(), kind.kind.clone().into());
    let reference = reference(kind, &object)?;
    let resource_version =
        version(&object).ok_or_else(|| lacks(kind, "resourceVersion"))?.to_owned();
    strip(&mut object);
    Ok(ObjectObserved {
        object: reference,
        source: kind.source.clone(),
        resource_version,
        body: object.to_string(),
        ext: Extensions::default(),
    })
}

/// The object's version.
pub fn version(object: &Value) -> Option<&str> {
    object.pointer("/metadata/resourceVersion")?.as_str()
}

fn reference(kind: &Kind, object: &Value) -> Result<ObjectRef, String> {
    let metadata = |name| object.get("metadata")?.get(name)?.as_str().map(str::to_owned);
    Ok(ObjectRef {
        api_version: kind.api_version(),
        kind: kind.kind.clone(),
        namespace: metadata("namespace").unwrap_or_default(),
        name: metadata("name").ok_or_else(|| lacks(kind, "name"))?,
        uid: metadata("uid").ok_or_else(|| lacks(kind, "uid"))?,
    })
}

/// What to tell of an object that lacks something.
pub fn lacks(kind: &Kind, what: &str) -> String {
    format!("a {} without metadata.{what}", kind.kind)
}

fn strip(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.remove("managedFields");
    metadata.remove("resourceVersion");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::kinds::usual, *};

    #[test]
    fn an_object_is_recorded_sorted_and_without_noise() {
        let deployment = json!({
            "spec": {"z": 1, "a": {"y": [1], "b": null}},
            "metadata": {
                "uid": "u", "name": "n", "namespace": "ns", "resourceVersion": "7",
                "managedFields": [{"manager": "m"}],
                "annotations": {LAST_APPLIED: "{}", "note": "x"},
            },
        });
        let read = read(&usual("Deployment"), deployment).expect("a good object");
        assert_eq!(
            read.body,
            concat!(
                r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":"#,
                r#"{"note":"x"},"name":"n","namespace":"ns","uid":"u"},"#,
                r#""spec":{"a":{"b":null,"y":[1]},"z":1}}"#
            )
        );
        assert_eq!(read.resource_version, "7");
        assert_eq!((&*read.object.namespace, &*read.object.name), ("ns", "n"));
        assert_eq!((&*read.object.api_version, &*read.object.uid), ("apps/v1", "u"));
    }

    #[test]
    fn what_is_no_object_is_told() {
        let check = |object, complaint: &str| {
            assert_eq!(read(&usual("Pod"), object).expect_err(complaint), complaint);
        };
        check(json!([]), "a Pod that is not an object");
        check(json!({}), "a Pod without metadata.name");
        check(json!({"metadata": 1}), "a Pod without metadata.name");
        check(json!({"metadata": {"name": "a"}}), "a Pod without metadata.uid");
        check(
            json!({"metadata": {"name": "a", "uid": "b", "resourceVersion": 1}}),
            "a Pod without metadata.resourceVersion",
        );
    }
}
