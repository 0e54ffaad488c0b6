//! The cluster's own Events: equal ones are counted, and only so many are kept.

use serde_json::{Value, json};

use super::{
    resources::{ObjectKey, Resource},
    store::Store,
};
use crate::{
    event::Millis,
    sim::{clock::rfc3339, rng::fnv1a},
};

/// Events kept; the real cluster forgets them after an hour.
const EVENTS_MAX: usize = 400;

/// What to report of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note<'a> {
    /// `Normal` or `Warning`.
    pub(super) event_type: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
    /// Who reports it, for example `kubelet`.
    pub(super) component: &'a str,
}

/// Reports something of `about`; the same again raises the count of the first.
pub(super) fn report(store: &mut Store, about: &Value, note: Note<'_>, now: Millis) {
    let Some(events) = Resource::of_kind("Event") else { return };
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    let metadata = &about["metadata"];
    let (name, uid) = (text(&metadata["name"]), text(&metadata["uid"]));
    // Events of objects of the whole cluster stand in `default`.
    let namespace = metadata["namespace"].as_str().unwrap_or("default");
    let hash = fnv1a(&[&uid, note.reason, note.message]);
    let key = events.key(namespace, &format!("{name}.{hash:016x}"));
    let again = store.edit(events, &key, now, |event| {
        event["count"] = json!(event["count"].as_u64().unwrap_or(0) + 1);
        event["lastTimestamp"] = json!(rfc3339(now));
    });
    if again.is_some() {
        return;
    }
    store.put(events, new_event(&key, about, note, now), now);
    forget_oldest(store);
}

fn new_event(key: &ObjectKey, about: &Value, note: Note<'_>, now: Millis) -> Value {
    let mut source = json!({"component": note.component});
    if note.component == "kubelet" {
        source["host"] = about["spec"]["nodeName"].clone();
    }
    let metadata = &about["metadata"];
    json!({
        "metadata": {"namespace": key.namespace, "name": key.name},
        "involvedObject": {
            "apiVersion": about["apiVersion"], "kind": about["kind"],
            "namespace": metadata["namespace"], "name": metadata["name"],
            "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
        },
        "type": note.event_type, "reason": note.reason, "message": note.message,
        "source": source,
        "reportingComponent": note.component, "reportingInstance": "",
        "count": 1, "firstTimestamp": rfc3339(now), "lastTimestamp": rfc3339(now),
    })
}

fn forget_oldest(store: &mut Store) {
    if store.all("events").count() > EVENTS_MAX {
        let age = |event: &Value| event["lastTimestamp"].as_str().unwrap_or_default().to_owned();
        let oldest = store.all("events").min_by_key(|(_, event)| age(event));
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            store.remove(&key);
        }
    }
}
