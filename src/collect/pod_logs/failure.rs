//! What went wrong while logs were read, as an admin wants to read it.

use std::{io, time::Duration};

use crate::{
    cluster,
    collect::supervisor::{Failure, Retry},
};

/// Why there is no answer, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client or the server says why.
    #[error("{}", cluster::explain(.0))]
    Kube(#[from] kube::Error),
    /// Nothing came in time.
    #[error("nothing came for {} s", .0.as_secs())]
    Silent(Duration),
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    BrokenOff(#[from] io::Error),
    /// The node says in the log's place what went wrong.
    #[error("the node says: {0}")]
    Node(String),
}

impl Error {
    /// The status of the answer, where there was one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Error::Kube(kube::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// Why the whole source is down.
    pub fn failure(&self, attempted: &str, permission: &str) -> Failure {
        let (advice, retry) = match self.code() {
            Some(403) => {
                (format!("grant {permission} in the core API group (\"\")"), Retry::Rarely)
            }
            Some(401) => (
                "renew the credentials; they are read again with each attempt".into(),
                Retry::BackOff,
            ),
            Some(400) => {
                ("is the label selector of [[pod_logs]] well formed?".into(), Retry::Rarely)
            }
            _ => ("is the API server running and reachable?".into(), Retry::BackOff),
        };
        Failure::Down { reason: format!("{attempted} failed: {self}; {advice}"), retry }
    }
}
