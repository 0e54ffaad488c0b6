//! The objects, their versions and a bounded history, from which watches and pages are answered.
//!
//! Nothing here knows what an object means.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::resources::{ObjectKey, Resource};
use crate::{
    event::Millis,
    sim::{clock::rfc3339, rng::uuid_of},
};

/// Changes that a watch can still go back to. The real one keeps five minutes; at the pace of the
/// demo this is about as much.
const HISTORY_CHANGES_MAX: usize = 4096;

/// One change of one object.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The version that it made.
    pub(crate) version: u64,
    pub(crate) key: ObjectKey,
    /// `None` for a creation.
    pub(crate) before: Option<Arc<Value>>,
    /// `None` for a deletion.
    pub(crate) after: Option<Arc<Value>>,
    /// The object as a watch reports it: with a deletion, the last state under the new version.
    pub(crate) reported: Arc<Value>,
}

/// The version asked for is older than the history.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expired;

/// The objects of the cluster.
#[derive(Debug)]
pub(crate) struct Store {
    objects: BTreeMap<ObjectKey, Arc<Value>>,
    history: VecDeque<Change>,
    /// Every change after this version is in the history.
    history_start: u64,
    /// The newest version; readers wait on it.
    versions: watch::Sender<u64>,
    created: u64,
    run: u64,
}

impl Store {
    /// An empty store whose versions follow `start`, the time in milliseconds.
    ///
    /// So a client that kept a version of an earlier run is told that it has expired; counting from
    /// 1 would give one version to two states. For the same reason uids contain the start.
    pub(crate) fn new(start: Millis) -> Store {
        let start = start.max(1.0) as u64;
        Store {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            history_start: start,
            versions: watch::Sender::new(start),
            created: 0,
            run: start,
        }
    }

    /// The newest version.
    pub(crate) fn version(&self) -> u64 {
        *self.versions.borrow()
    }

    /// Changes with every change; ends with the store.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.versions.subscribe()
    }

    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    /// All objects of a resource, by namespace and name.
    pub(crate) fn all(&self, plural: &str) -> impl Iterator<Item = (&ObjectKey, &Arc<Value>)> {
        self.objects.iter().filter(move |(key, _)| key.plural == plural)
    }

    /// Creates or replaces an object. A replacement that changes nothing makes no version.
    pub(crate) fn put(
        &mut self,
        resource: &Resource,
        mut object: Value,
        now: Millis,
    ) -> Arc<Value> {
        object["apiVersion"] = json!(resource.group_version);
        object["kind"] = json!(resource.kind);
        let key = key_of(resource, &object);
        let before = self.get(&key);
        match &before {
            Some(before) => {
                for field in ["uid", "creationTimestamp", "resourceVersion"] {
                    object["metadata"][field] = before["metadata"][field].clone();
                }
                if **before == object {
                    return before.clone();
                }
            }
            None => {
                self.created += 1;
                object["metadata"]["uid"] = json!(uuid_of(self.run, self.created));
                object["metadata"]["creationTimestamp"] = json!(rfc3339(now));
            }
        }
        let version = self.version() + 1;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        let after = Arc::new(object);
        self.objects.insert(key.clone(), after.clone());
        let reported = after.clone();
        self.remember(Change { version, key, before, after: Some(after.clone()), reported });
        after
    }

    /// Applies `change` to an object; `None` if there is no such object.
    pub(crate) fn edit(
        &mut self,
        resource: &Resource,
        key: &ObjectKey,
        now: Millis,
        change: impl FnOnce(&mut Value),
    ) -> Option<Arc<Value>> {
        let mut object = (*self.get(key)?).clone();
        change(&mut object);
        Some(self.put(resource, object, now))
    }

    /// Removes an object; `None` if there is no such object.
    pub(crate) fn remove(&mut self, key: &ObjectKey) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        let version = self.version() + 1;
        let mut last = (*before).clone();
        last["metadata"]["resourceVersion"] = json!(version.to_string());
        let reported = Arc::new(last);
        self.remember(Change {
            version,
            key: key.clone(),
            before: Some(before),
            after: None,
            reported: reported.clone(),
        });
        Some(reported)
    }

    /// The changes after a version, oldest first.
    pub(crate) fn since(&self, version: u64) -> Result<impl Iterator<Item = &Change>, Expired> {
        if version < self.history_start {
            return Err(Expired);
        }
        let first = self.history.partition_point(|change| change.version <= version);
        Ok(self.history.range(first..))
    }

    /// The objects of a resource as they were at a version, which is not newer than the newest.
    pub(crate) fn at(
        &self,
        plural: &str,
        version: u64,
    ) -> Result<BTreeMap<ObjectKey, Arc<Value>>, Expired> {
        let of_resource = |(key, object): (&ObjectKey, &Arc<Value>)| (key.clone(), object.clone());
        let mut objects: BTreeMap<_, _> = self.all(plural).map(of_resource).collect();
        let later: Vec<&Change> = self.since(version)?.collect();
        for change in later.into_iter().rev().filter(|change| change.key.plural == plural) {
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), before.clone()),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects)
    }

    /// Forgets the history, as a compaction does: every older version has expired.
    pub(crate) fn compact(&mut self) {
        self.history.clear();
        self.history_start = self.version();
    }

    fn remember(&mut self, change: Change) {
        let version = change.version;
        self.history.push_back(change);
        while self.history.len() > HISTORY_CHANGES_MAX
            && let Some(forgotten) = self.history.pop_front()
        {
            self.history_start = forgotten.version;
        }
        self.versions.send_replace(version);
    }
}

/// The key that an object's own metadata gives.
pub(crate) fn key_of(resource: &Resource, object: &Value) -> ObjectKey {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    resource.key(field("namespace"), field("name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> &'static Resource {
        Resource::of_kind("Pod").expect("served")
    }

    fn pod(name: &str, phase: &str) -> Value {
        json!({"metadata": {"namespace": "a", "name": name}, "status": {"phase": phase}})
    }

    fn phases(objects: &BTreeMap<ObjectKey, Arc<Value>>) -> Vec<(String, String)> {
        let phase = |object: &Value| object["status"]["phase"].as_str().unwrap().to_owned();
        objects.iter().map(|(key, object)| (key.name.clone(), phase(object))).collect()
    }

    #[test]
    fn versions_grow_by_one_a_change_and_equal_states_make_none() {
        let mut store = Store::new(1000.0);
        let first = store.put(pods(), pod("x", "Pending"), 0.0);
        assert_eq!(first["metadata"]["resourceVersion"], "1001");
        let same = store.put(pods(), (*first).clone(), 0.0);
        assert_eq!(same["metadata"]["resourceVersion"], "1001");
        let changed = store.put(pods(), pod("x", "Running"), 0.0);
        assert_eq!(changed["metadata"]["resourceVersion"], "1002");
        assert_eq!(changed["metadata"]["uid"], first["metadata"]["uid"]);
        let gone = store.remove(&pods().key("a", "x")).expect("present");
        assert_eq!(gone["metadata"]["resourceVersion"], "1003");
        let again = store.put(pods(), pod("x", "Pending"), 0.0);
        assert_ne!(again["metadata"]["uid"], first["metadata"]["uid"], "a uid is given once");
    }

    #[test]
    fn a_past_version_is_rebuilt_from_the_history() {
        let mut store = Store::new(0.0);
        store.put(pods(), pod("x", "Pending"), 0.0);
        store.put(pods(), pod("y", "Pending"), 0.0);
        let version = store.version();
        store.put(pods(), pod("x", "Running"), 0.0);
        store.remove(&pods().key("a", "y"));
        store.put(pods(), pod("z", "Pending"), 0.0);

        let then = store.at("pods", version).expect("in the history");
        let expected = [("x", "Pending"), ("y", "Pending")];
        assert_eq!(phases(&then), expected.map(|(n, p)| (n.to_owned(), p.to_owned())));
        assert_eq!(store.since(version).expect("in the history").count(), 3);
    }

    #[test]
    fn what_the_history_has_lost_is_expired() {
        let mut store = Store::new(0.0);
        let start = store.version();
        for number in 0..=HISTORY_CHANGES_MAX {
            store.put(pods(), pod("x", &number.to_string()), 0.0);
        }
        assert!(store.since(start).is_err());
        assert!(store.since(start + 1).is_ok());
        store.compact();
        assert!(store.since(start + 1).is_err());
        assert_eq!(store.since(store.version()).expect("the present").count(), 0);
    }
}
