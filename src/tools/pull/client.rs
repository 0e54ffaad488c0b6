//! One request, one connection: HTTP/1.1 with or without TLS. Follows no redirect, so that the key
//! goes nowhere else.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{AUTHORIZATION, HOST, HeaderValue, RANGE, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, crypto::ring, pki_types::ServerName},
};

use super::{Address, Error};

/// Longer than this no connection takes, and no answer to begin.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A body that stands still for so long has ended.
const STILL_TIME_MAX: Duration = Duration::from_secs(30);

const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A client of one server. Cannot be printed: it holds the key.
pub struct Client {
    pub address: Address,
    /// `Bearer KEY`.
    authorization: Option<HeaderValue>,
    tls: Option<TlsConnector>,
}

impl Client {
    /// A client with a key, or without one for a server that asks for none.
    ///
    /// # Errors
    /// The key is none, or TLS cannot be had.
    pub fn new(address: Address, key: Option<&str>) -> Result<Client, Error> {
        let authorization = key.filter(|key| !key.is_empty()).map(|key| {
            let mut value =
                HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| Error::BadKey)?;
            value.set_sensitive(true);
            Ok(value)
        });
        let tls = address.is_https.then(tls).transpose().map_err(|source| Error::Tls { source })?;
        Ok(Client { address, authorization: authorization.transpose()?, tls })
    }

    /// Asks for a route, from a byte of it on up to another, both inclusive, where a range is given.
    ///
    /// # Errors
    /// The server cannot be reached, or gives no answer in time.
    pub async fn get(
        &self,
        route: &str,
        range: Option<(u64, u64)>,
    ) -> io::Result<Response<Incoming>> {
        timeout(ANSWER_TIME_MAX, self.answer(route, range)).await?
    }

    async fn answer(
        &self,
        route: &str,
        range: Option<(u64, u64)>,
    ) -> io::Result<Response<Incoming>> {
        let request = self.request(route, range).map_err(io::Error::other)?;
        let address = &self.address;
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        let Some(tls) = &self.tls else { return exchange(stream, request).await };
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        exchange(tls.connect(name, stream).await?, request).await
    }

    fn request(
        &self,
        route: &str,
        range: Option<(u64, u64)>,
    ) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
        let mut request = Request::get(self.address.path(route))
            .header(HOST, &self.address.authority)
            .header(USER_AGENT, AGENT);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some((first, last)) = range {
            request = request.header(RANGE, format!("bytes={first}-{last}"));
        }
        request.body(Empty::new())
    }
}

/// Sends a request over a new connection, which lives as long as the answer's body.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Empty<Bytes>>,
) -> io::Result<Response<Incoming>> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Its failure is also that of the answer, where it is told.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(io::Error::other)
}

/// The next piece of a body; `None` at its end.
///
/// # Errors
/// It broke off, or stood still.
pub async fn piece(body: &mut Incoming) -> io::Result<Option<Bytes>> {
    loop {
        match timeout(STILL_TIME_MAX, body.frame()).await? {
            None => return Ok(None),
            Some(Err(error)) => return Err(io::Error::other(error)),
            Some(Ok(frame)) => {
                // Trailers are no data.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Trusts whom the system trusts.
fn tls() -> io::Result<TlsConnector> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(io::Error::other)?
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
