//! What went wrong with the cluster, as an admin wants to read it.

use std::time::Duration;

use super::Kind;
use crate::{
    cluster,
    collect::supervisor::{Failure, Retry},
};

/// What was attempted: which verb on which kind, and where.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// `list` or `watch`, as a permission names it, or `discover`.
    pub verb: &'static str,
    /// Which kind.
    pub kind: &'a Kind,
    /// The path of its objects, or of its group while that is not known.
    pub path: &'a str,
    /// The address of the API server.
    pub address: &'a str,
}

impl Attempt<'_> {
    /// A request that failed.
    pub fn failed(self, error: &kube::Error) -> Failure {
        match error {
            kube::Error::Api(status) => self.refused(status),
            _ => self.down(&cluster::explain(error), "is the API server running and reachable?"),
        }
    }

    /// An answer that says no.
    pub fn refused(self, status: &kube::core::Status) -> Failure {
        let explained = cluster::explain(&kube::Error::Api(status.clone().boxed()));
        match status.code {
            403 => self.rarely(&explained, &self.permission()),
            404 => self.not_served(),
            401 => self
                .down(&explained, "renew the credentials; they are read again with each attempt"),
            _ => self.down(&explained, "is the API server well?"),
        }
    }

    /// The cluster has no such kind now; it may get one.
    pub fn not_served(self) -> Failure {
        let api_version = self.kind.api_version();
        let explained = format!("this cluster does not serve {} of {api_version}", self.kind.kind);
        let advice = "it is looked for again now and then; leave it out of the configuration if it \
                      is not to come";
        self.rarely(&explained, advice)
    }

    fn permission(self) -> String {
        let Kind { group, .. } = self.kind;
        match self.verb {
            "discover" => {
                format!("grant get on the non-resource URL {}", self.kind.group_path())
            }
            verb => {
                format!("grant {verb} on the resource {} of {}", self.resource(), group_name(group))
            }
        }
    }

    /// No answer came in time.
    pub fn silent(self, waited: Duration) -> Failure {
        let explained = format!("nothing came for {} s", waited.as_secs());
        self.down(&explained, "does the API server hang, or did the network fail?")
    }

    /// Something failed that time may heal.
    pub fn down(self, explained: &str, advice: &str) -> Failure {
        Failure::Down { reason: self.reason(explained, advice), retry: Retry::BackOff }
    }

    fn rarely(self, explained: &str, advice: &str) -> Failure {
        Failure::Down { reason: self.reason(explained, advice), retry: Retry::Rarely }
    }

    fn reason(self, explained: &str, advice: &str) -> String {
        let Attempt { verb, address, .. } = self;
        format!("{verb} {} at {address} failed: {explained}; {advice}", self.resource())
    }

    /// The resource as a permission names it.
    fn resource(&self) -> &str {
        match self.verb {
            "discover" => &self.kind.kind,
            _ => self.path.rsplit('/').next().unwrap_or_default(),
        }
    }
}

fn group_name(group: &str) -> String {
    if group.is_empty() { "the core API group (\"\")".into() } else { format!("API group {group}") }
}
