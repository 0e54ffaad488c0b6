//! Watches: a line of JSON a change, from a version on, with bookmarks and a time limit.
//!
//! A watch holds no queue: it keeps its position and reads the history, so a slow client costs
//! nothing and is told that its version has expired once it falls out of the history.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::{sync::watch::Receiver, time::Instant};

use super::{
    Shared,
    query::Query,
    resources::{ObjectKey, Resource, Target},
    selector::Selector,
    status::Refusal,
    store::{Change, Expired},
};

/// How long a watch lasts whose client names no limit.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30 * 60);
/// How long a watch lasts at most, whatever its client says.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a client that wants bookmarks gets one, if there is news. The real one takes a minute;
/// here a short run is to show them.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(1);

struct Watch {
    shared: Arc<Shared>,
    scope: Scope,
    versions: Receiver<u64>,
    /// Everything up to here has been told; `None` before the objects of the start.
    position: Option<u64>,
    bookmarked: u64,
    next_bookmark: Option<Instant>,
    deadline: Instant,
    ended: bool,
}

struct Scope {
    resource: &'static Resource,
    namespace: Option<String>,
    selector: Selector,
}

/// Answers a watch: the body's frames.
pub(super) fn watch(
    shared: &Arc<Shared>,
    target: Target,
    query: Query,
) -> Result<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + use<>, Refusal> {
    let versions = shared.store().versions();
    let newest = *versions.borrow();
    // No version and version 0 ask for the present objects first.
    let position = query.resource_version.filter(|version| *version != 0);
    if let Some(version) = position.filter(|version| *version > newest) {
        return Err(Refusal::too_new(version, newest));
    }
    let timeout = query.timeout_seconds.map_or(TIMEOUT_DEFAULT, Duration::from_secs);
    let now = Instant::now();
    let watch = Watch {
        shared: shared.clone(),
        scope: Scope {
            resource: target.resource,
            namespace: target.namespace,
            selector: query.selector,
        },
        versions,
        position,
        bookmarked: position.unwrap_or(0),
        next_bookmark: query.bookmarks.then(|| now + BOOKMARK_INTERVAL),
        deadline: now + timeout.min(TIMEOUT_MAX),
        ended: false,
    };
    Ok(unfold(watch, |mut watch| async move {
        let lines = watch.next_lines().await?;
        Some((Ok(Frame::data(Bytes::from(lines))), watch))
    }))
}

impl Watch {
    /// Waits for something to tell; `None` at the end.
    async fn next_lines(&mut self) -> Option<Vec<u8>> {
        while !self.ended {
            let mut lines = Vec::new();
            self.versions.mark_unchanged();
            self.tell_changes(&mut lines);
            if lines.is_empty() {
                self.wait(&mut lines).await;
            }
            if !lines.is_empty() {
                return Some(lines);
            }
        }
        None
    }

    fn tell_changes(&mut self, lines: &mut Vec<u8>) {
        let shared = self.shared.clone();
        let store = shared.store();
        let newest = store.version();
        let Some(position) = self.position.replace(newest) else {
            for (key, object) in store.all(self.scope.resource.plural) {
                if self.scope.covers(key) && self.scope.selector.matches(object) {
                    write_line(lines, "ADDED", object);
                }
            }
            return;
        };
        match store.since(position) {
            Ok(changes) => {
                for change in changes {
                    if let Some(word) = self.scope.word_for(change) {
                        write_line(lines, word, &change.reported);
                    }
                }
            }
            Err(Expired) => {
                let status = Refusal::expired(position, newest).to_json();
                write_line(lines, "ERROR", &status);
                self.ended = true;
            }
        }
    }

    /// Until there is a new version, a bookmark is due, or the time is over.
    async fn wait(&mut self, lines: &mut Vec<u8>) {
        let due = self.next_bookmark.map_or(self.deadline, |due| due.min(self.deadline));
        tokio::select! {
            changed = self.versions.changed() => self.ended = changed.is_err(),
            () = tokio::time::sleep_until(due) => {
                self.ended = Instant::now() >= self.deadline;
                self.tell_bookmark(lines);
            }
        }
    }

    fn tell_bookmark(&mut self, lines: &mut Vec<u8>) {
        if self.next_bookmark.is_none() {
            return;
        }
        self.next_bookmark = Some(Instant::now() + BOOKMARK_INTERVAL);
        if let Some(position) = self.position.filter(|position| *position > self.bookmarked) {
            self.bookmarked = position;
            let bookmark = json!({
                "kind": self.scope.resource.kind,
                "apiVersion": self.scope.resource.group_version,
                "metadata": {"resourceVersion": position.to_string(), "creationTimestamp": null},
            });
            write_line(lines, "BOOKMARK", &bookmark);
        }
    }
}

impl Scope {
    fn covers(&self, key: &ObjectKey) -> bool {
        key.plural == self.resource.plural
            && self.namespace.as_deref().is_none_or(|namespace| namespace == key.namespace)
    }

    /// What a change is for this watch: an object that stops matching the selector is gone for it.
    fn word_for(&self, change: &Change) -> Option<&'static str> {
        if !self.covers(&change.key) {
            return None;
        }
        let seen = |state: &Option<Arc<Value>>| {
            state.as_ref().is_some_and(|object| self.selector.matches(object))
        };
        match (seen(&change.before), seen(&change.after)) {
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
            (false, false) => None,
        }
    }
}

fn write_line(lines: &mut Vec<u8>, word: &str, object: &Value) {
    let line = json!({"type": word, "object": object});
    serde_json::to_writer(&mut *lines, &line).expect("JSON into memory has no way to fail");
    lines.push(b'\n');
}
