//! The cluster client: how the cluster API is reached, and what its errors mean to an admin.
//!
//! Knows nothing of events, of collectors or of actions; they share it.

pub mod exec;

mod review;

pub mod kubelet;

mod lines;

use std::{error::Error as StdError, io, path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

pub use review::{ReviewError, Reviewer, Verdict};

/// A cluster API that cannot be reached in this time is down.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Where the address and the credentials of the cluster API come from.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// A kubeconfig file, or several in the form of `KUBECONFIG`. `None`: the user's own file,
    /// else the service account of the pod.
    pub kubeconfig: Option<PathBuf>,
}

/// The cluster API, ready to be asked.
pub struct Cluster {
    /// The client.
    pub client: Client,
    /// Its address, for messages.
    pub address: String,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a kubeconfig nor a service account.
    #[error(
        "no cluster is configured: set --kubeconfig or KUBECONFIG, or run in a pod with a service \
         account"
    )]
    NotConfigured,
    /// A kubeconfig that was asked for, or that was found, cannot be used.
    #[error(
        "reading the kubeconfig {path} failed: {}; correct the file or --kubeconfig",
        cause(source)
    )]
    Kubeconfig {
        /// Which file or files.
        path: String,
        /// What failed.
        source: Box<KubeconfigError>,
    },
    /// The pod's service account cannot be used.
    #[error(
        "reading the service account of the pod failed: {}; does the pod set \
         automountServiceAccountToken to false?",
        cause(source)
    )]
    ServiceAccount {
        /// What failed.
        source: Box<InClusterError>,
    },
    /// The credentials cannot be used.
    #[error(
        "preparing the cluster client failed: {}; check the certificates and the user of the \
         kubeconfig",
        cause(source)
    )]
    Credentials {
        /// What failed.
        source: Box<kube::Error>,
    },
    /// The work of making a client was given up, or failed in itself.
    #[error("preparing the cluster client did not finish; the process may be stopping")]
    Unfinished,
}

impl Access {
    /// Reads the configuration and makes a client; nothing is sent yet.
    ///
    /// Files are read again each time, so that renewed credentials and a kubeconfig that appears
    /// later need no restart.
    ///
    /// # Errors
    /// There is no configuration, or it cannot be used.
    pub async fn cluster(&self) -> Result<Cluster, Error> {
        client_of(self.config().await?).await
    }

    /// Reads the configuration.
    async fn config(&self) -> Result<Config, Error> {
        let mut config = match &self.kubeconfig {
            Some(paths) => from_files(paths).await?,
            None => infer().await?,
        };
        config.connect_timeout = Some(CONNECT_TIME_MAX);
        // The caller retries, and shows what it waits for.
        config.default_retry = false;
        Ok(config)
    }
}

async fn client_of(config: Config) -> Result<Cluster, Error> {
    let address = config.cluster_url.to_string();
    // A kubeconfig may name a program that fetches the credentials, and it takes its time.
    let client = tokio::task::spawn_blocking(move || Client::try_from(config))
        .await
        .map_err(|_| Error::Unfinished)?
        .map_err(|source| Error::Credentials { source: Box::new(source) })?;
    Ok(Cluster { client, address: address.trim_end_matches('/').into() })
}

async fn from_files(paths: &PathBuf) -> Result<Config, Error> {
    let failed =
        |source| Error::Kubeconfig { path: paths.display().to_string(), source: Box::new(source) };
    let mut merged = Kubeconfig::default();
    for path in std::env::split_paths(paths) {
        let next = Kubeconfig::read_from(path).map_err(failed)?;
        merged = merged.merge(next).map_err(failed)?;
    }
    Config::from_custom_kubeconfig(merged, &KubeConfigOptions::default()).await.map_err(failed)
}

async fn infer() -> Result<Config, Error> {
    match Config::from_kubeconfig(&KubeConfigOptions::default()).await {
        Ok(config) => Ok(config),
        Err(source) if is_absent(&source) => in_cluster(),
        Err(source) => {
            Err(Error::Kubeconfig { path: "of this user".into(), source: Box::new(source) })
        }
    }
}

fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(e, _) => e.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

fn in_cluster() -> Result<Config, Error> {
    Config::incluster().map_err(|source| match source {
        InClusterError::ReadEnvironmentVariable(_) => Error::NotConfigured,
        source => Error::ServiceAccount { source: Box::new(source) },
    })
}

/// What a failed request means, in one line.
pub fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => {
            format!("the API server answered {} {}: {}", status.code, status.reason, status.message)
        }
        kube::Error::Auth(e) => format!("getting credentials failed: {}", cause(e)),
        other => cause(other),
    }
}

/// The innermost cause: the outer ones only say in which layer it happened.
fn cause(error: &dyn StdError) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
