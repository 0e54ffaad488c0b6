//! The complete list of a kind, page by page.

use std::time::Duration;

use kube::{
    api::ListParams,
    core::{ListMeta, Request},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::{Watcher, failure::Attempt};
use crate::{
    cluster::Cluster,
    collect::{report::Report, supervisor::Failure},
    event::{Event, Listed, Millis, now},
};

/// Objects a page: a page of large objects is a few MiB.
const PAGE_OBJECTS: u32 = 500;

/// A page that takes longer is not coming.
const PAGE_TIME_MAX: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Page {
    metadata: ListMeta,
    /// The server writes null for none.
    items: Option<Vec<Value>>,
}

impl Watcher {
    /// Lists everything, sends it, and returns the version to watch from.
    pub(super) async fn list(
        &mut self,
        cluster: &Cluster,
        report: &mut Report,
    ) -> Result<String, Failure> {
        let mut uids = Vec::new();
        let mut page = self.page(cluster, None).await?;
        // All pages show the moment of the first one.
        let listed_at = now();
        let version = page.metadata.resource_version.clone().unwrap_or_default();
        loop {
            let events = self.take_page(page.items.unwrap_or_default(), &mut uids, report);
            report.send(events).await?;
            let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) else {
                break;
            };
            page = self.page(cluster, Some(&token)).await?;
        }
        self.end_list(uids, listed_at, &version, report).await?;
        Ok(version)
    }

    async fn page(&self, cluster: &Cluster, token: Option<&str>) -> Result<Page, Failure> {
        let attempt = Attempt { verb: "list", kind: &self.kind, address: &cluster.address };
        let mut params = ListParams::default().limit(PAGE_OBJECTS);
        params.continue_token = token.map(str::to_owned);
        let request = Request::new(&self.path)
            .list(&params)
            .map_err(|e| attempt.failed(&kube::Error::BuildRequest(e)))?;
        // As text, because the client would log the whole answer where it cannot be read.
        match timeout(PAGE_TIME_MAX, cluster.client.request_text(request)).await {
            Ok(Ok(text)) => {
                serde_json::from_str(&text).map_err(|e| attempt.failed(&kube::Error::SerdeError(e)))
            }
            Ok(Err(e)) => Err(attempt.failed(&e)),
            Err(_) => Err(attempt.silent(PAGE_TIME_MAX)),
        }
    }

    fn take_page(
        &self,
        items: Vec<Value>,
        uids: &mut Vec<String>,
        report: &mut Report,
    ) -> Vec<Event> {
        let mut events = Vec::with_capacity(items.len());
        for item in items {
            match self.observed(item) {
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
