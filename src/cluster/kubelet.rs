//! Kubelets, asked directly: with the credentials of the cluster API, verified with the cluster's
//! own authority.
//!
//! Never without verification: a kubelet whose certificate the cluster has not signed is told as
//! such. <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/>

use std::{error::Error as StdError, fmt::Write, io};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Request, StatusCode};
use kube::{Config, client::Body};
use tokio_rustls::rustls;

use super::{Access, Error as ClusterError, cause, client_of};

/// A summary is some 5 kB a pod; the most pods that a node may have by default are 110.
const SUMMARY_BYTES_MAX: usize = 16 << 20;

/// What a kubelet says of an error is cut after so many characters.
const SAID_CHARS_MAX: usize = 200;

/// How to reach every kubelet of the cluster.
pub struct Kubelets {
    config: Config,
}

/// Why a kubelet told nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is none.
    #[error("its address {address:?} is no address")]
    Address {
        /// As the node tells it.
        address: String,
    },
    /// No client.
    #[error(transparent)]
    Client(#[from] ClusterError),
    /// Nobody answers.
    #[error("{}", cause(source.as_ref()))]
    Unreachable {
        /// What failed.
        source: Box<kube::Error>,
    },
    /// Its certificate is not from the cluster's authority.
    #[error(
        "its certificate is not verified by the cluster's authority ({reason}); set \
         serverTLSBootstrap in the kubelet's configuration and approve its request, or measure \
         volumes by df through exec ([[volumes.df]])"
    )]
    Certificate {
        /// What is wrong with it.
        reason: String,
    },
    /// It said no.
    #[error("it answered {status}{said}; {}", advice(*status))]
    Refused {
        /// The status.
        status: StatusCode,
        /// The beginning of its answer, after a colon.
        said: String,
    },
    /// Its answer ended too early.
    #[error("its answer broke off: {}", cause(source.as_ref()))]
    Broken {
        /// What failed.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Its answer is too large.
    #[error("its answer is larger than {} MiB", SUMMARY_BYTES_MAX >> 20)]
    TooLarge,
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "does the kubelet ask the cluster who a token is (authentication.webhook)?"
        }
        StatusCode::FORBIDDEN => "grant get on nodes/stats to the recorder",
        StatusCode::NOT_FOUND => "does this kubelet serve its summary?",
        _ => "is the kubelet well?",
    }
}

impl Access {
    /// The kubelets, with credentials that are read now.
    ///
    /// # Errors
    /// As [`Access::cluster`].
    pub async fn kubelets(&self) -> Result<Kubelets, ClusterError> {
        Ok(Kubelets { config: self.config().await? })
    }
}

impl Kubelets {
    /// The summary of one kubelet: JSON text, see
    /// <https://kubernetes.io/docs/reference/instrumentation/node-metrics/>. Sets no time limit.
    ///
    /// # Errors
    /// The kubelet cannot be reached or verified, refuses, or its answer is no whole one.
    pub async fn summary(&self, host: &str, port: u16) -> Result<Bytes, Error> {
        // Addresses of version 6 stand in brackets.
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let url = format!("https://{host}:{port}");
        let wrong = || Error::Address { address: url.clone() };
        let mut config = self.config.clone();
        config.cluster_url = url.parse().map_err(|_| wrong())?;
        config.accept_invalid_certs = false;
        // Those are the API server's.
        config.tls_server_name = None;
        config.proxy_url = None;
        let client = client_of(config).await?.client;
        let request = Request::get("/stats/summary").body(Body::empty()).map_err(|_| wrong())?;
        let answer = client.send(request).await.map_err(unreachable)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, SUMMARY_BYTES_MAX).collect().await.map_err(broken)?;
        let body = body.to_bytes();
        if head.status != StatusCode::OK {
            return Err(Error::Refused { status: head.status, said: beginning(&body) });
        }
        Ok(body)
    }
}

fn unreachable(source: kube::Error) -> Error {
    match certificate_fault(&source) {
        Some(reason) => Error::Certificate { reason },
        None => Error::Unreachable { source: Box::new(source) },
    }
}

fn broken(source: Box<dyn StdError + Send + Sync>) -> Error {
    if source.is::<LengthLimitError>() { Error::TooLarge } else { Error::Broken { source } }
}

/// What is wrong with the certificate, where that is what failed.
fn certificate_fault(error: &kube::Error) -> Option<String> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
            return Some(reason.to_string());
        }
        // An input error hides what it wraps from `source`.
        let wrapped = error.downcast_ref().and_then(|error: &io::Error| error.get_ref());
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// The first line of what a kubelet says, which is plain text.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * SAID_CHARS_MAX)]);
    let line = text.lines().next().unwrap_or_default().trim();
    let mut said = String::new();
    if !line.is_empty() {
        let line: String = line.chars().take(SAID_CHARS_MAX).collect();
        let _ = write!(said, ": {line}");
    }
    said
}
