//! The complete list of a kind, page by page.

use std::time::Duration;

use kube::{
    api::ListParams,
    core::{ListMeta, Request},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{Watcher, failure::Attempt};
use crate::{
    cluster::Cluster,
    collect::{report::Report, supervisor::Failure},
    event::{Event, Listed, Millis, now},
};

/// Objects a page. One of large objects is a MiB, and some pages may wait for the recorder.
const PAGE_OBJECTS: u32 = 200;

/// A page that takes longer is not coming.
const PAGE_TIME_MAX: Duration = Duration::from_secs(30);

/// A page, its objects not yet read: as trees they take many times their text.
#[derive(Deserialize)]
struct Page<'a> {
    metadata: ListMeta,
    /// The server writes null for none.
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

impl Watcher {
    /// Lists everything, sends it, and returns the version to watch from.
    pub(super) async fn list(
        &mut self,
        cluster: &Cluster,
        report: &mut Report,
    ) -> Result<String, Failure> {
        let mut uids = Vec::new();
        let mut text = self.page(cluster, None).await?;
        // All pages show the moment of the first one.
        let listed_at = now();
        let mut first_version = None;
        let version = loop {
            let attempt = self.attempt(cluster);
            let Page { metadata, items } = serde_json::from_str(&text)
                .map_err(|e| attempt.failed(&kube::Error::SerdeError(e)))?;
            let version = metadata.resource_version.unwrap_or_default();
            let version = first_version.get_or_insert(version);
            let events = self.take_page(items.unwrap_or_default(), &mut uids, report);
            report.send(events).await?;
            let Some(token) = metadata.continue_.filter(|token| !token.is_empty()) else {
                break std::mem::take(version);
            };
            text = self.page(cluster, Some(&token)).await?;
        };
        self.end_list(uids, listed_at, &version, report).await?;
        Ok(version)
    }

    fn attempt<'a>(&'a self, cluster: &'a Cluster) -> Attempt<'a> {
        let (path, address) = (&self.path, &cluster.address);
        Attempt { verb: "list", kind: &self.kind, path, address }
    }

    /// The text of a page.
    async fn page(&self, cluster: &Cluster, token: Option<&str>) -> Result<String, Failure> {
        let attempt = self.attempt(cluster);
        let mut params = ListParams::default().limit(PAGE_OBJECTS);
        params.continue_token = token.map(str::to_owned);
        let request = Request::new(&self.path)
            .list(&params)
            .map_err(|e| attempt.failed(&kube::Error::BuildRequest(e)))?;
        // As text, because the client would log the whole answer where it cannot be read.
        match timeout(PAGE_TIME_MAX, cluster.client.request_text(request)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(e)) => Err(attempt.failed(&e)),
            Err(_) => Err(attempt.silent(PAGE_TIME_MAX)),
        }
    }

    fn take_page(
        &self,
        items: Vec<&RawValue>,
        uids: &mut Vec<String>,
        report: &mut Report,
    ) -> Vec<Event> {
        let mut events = Vec::with_capacity(items.len());
        for item in items {
            let object = serde_json::from_str(item.get()).map_err(|e| e.to_string());
            match object.and_then(|object| self.observed(object)) {
                Ok(event) => events.extend(event),
                Err(malformed) => report.malformed(malformed),
            }
        }
        uids.extend(events.iter().filter_map(|event| match event {
            Event::ObjectObserved(e) => Some(e.object.uid.clone()),
            _ => None,
        }));
        events.extend(report.malformed_due());
        events
    }

    async fn end_list(
        &mut self,
        uids: Vec<String>,
        listed_at: Millis,
        version: &str,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if self.kind.is_history {
            report.send(vec![self.position_event(version)]).await?;
        } else {
            let listed = Listed {
                source: self.kind.source.clone(),
                uids,
                from: report.heard_until().unwrap_or(listed_at),
                to: listed_at,
                resource_version: version.into(),
            };
            report.send_listed(listed).await?;
        }
        self.sent_until(version);
        self.position_sent();
        self.listed_at = Some(listed_at);
        self.is_fresh = true;
        Ok(())
    }
}
