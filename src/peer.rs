//! HTTP clients for peers other than the cluster API: bounded in time, TLS always verified.
//!
//! Knows nothing of what the peers are; collectors, actions and outside tools share it.

use std::{error::Error as StdError, time::Duration};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// A peer that cannot be connected to in this time is down.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy)]
pub enum Trust<'a> {
    /// Those that the system trusts.
    System,
    /// Those that this authority has signed: PEM text.
    Authority(&'a [u8]),
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The authority's certificates cannot be read.
    #[error("reading the certificates of the authority failed; is the file PEM text?")]
    Authority,
    /// TLS cannot be set up.
    #[error("setting up TLS failed: {source}")]
    Tls {
        /// What failed.
        source: rustls::Error,
    },
    /// The client cannot be made.
    #[error("preparing the HTTP client failed: {}", explain(source))]
    Client {
        /// What failed.
        #[from]
        source: reqwest::Error,
    },
}

/// A client that follows no redirect, uses no proxy and keeps no cookies. A request whose answer
/// does not stand still for `still_max` may take as long as it likes; a caller that wants an end
/// sets a time-out on the request.
///
/// # Errors
/// The authority cannot be read, or TLS cannot be set up.
pub fn client(trust: Trust<'_>, still_max: Duration) -> Result<reqwest::Client, Error> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(trust)?)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(AGENT)
        .connect_timeout(CONNECT_TIME_MAX)
        .read_timeout(still_max)
        .build()?;
    Ok(client)
}

fn tls(trust: Trust<'_>) -> Result<ClientConfig, Error> {
    let failed = |source| Error::Tls { source };
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = match trust {
        Trust::System => builder.with_platform_verifier().map_err(failed)?,
        Trust::Authority(pem) => builder.with_root_certificates(roots(pem)?),
    };
    Ok(builder.with_no_client_auth())
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| Error::Authority)?;
        roots.add(certificate).map_err(|_| Error::Authority)?;
    }
    if roots.is_empty() { Err(Error::Authority) } else { Ok(roots) }
}

/// What a failed request means, in one line without its URL, which may hold a password.
pub fn explain(error: &reqwest::Error) -> String {
    if error.is_connect() && error.is_timeout() {
        return format!("no connection within {} s", CONNECT_TIME_MAX.as_secs());
    }
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_refused_connection_is_told_without_the_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let client = client(Trust::System, STILL).expect("a client");
        let url = format!("http://user:pass@127.0.0.1:{port}/");
        let error = client.get(url).send().await.expect_err("nobody listens");
        let told = explain(&error);
        assert!(told.contains("refused") && !told.contains("pass"), "{told}");
    }

    #[tokio::test]
    async fn a_peer_that_hangs_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let client = client(Trust::System, STILL).expect("a client");
        let error = client.get(format!("http://127.0.0.1:{port}/")).send().await;
        assert_eq!(explain(&error.expect_err("nobody answers")), "no answer in time");
        drop(listener);
    }

    #[test]
    fn an_authority_that_is_no_pem_is_refused() {
        for pem in
            [&b""[..], b"no", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            assert!(matches!(client(Trust::Authority(pem), STILL), Err(Error::Authority)));
        }
    }
}
