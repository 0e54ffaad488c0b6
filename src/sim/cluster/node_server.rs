//! The kubelets' HTTP side: each node listens by itself, on loopback, with TLS.
//!
//! Serves `/stats/summary` to whoever brings a token. A lost node accepts and stays silent.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Shared, objects::has_condition, resources::Resource, summary::summary};
use crate::event::now;

/// A slow kubelet sends so many bytes at a time.
const SLOW_BYTES: usize = 256;

const SLOW_PAUSE: Duration = Duration::from_millis(50);

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What is wrong with a kubelet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubeletFault {
    /// It accepts and never answers.
    Silent,
    /// It answers with this status.
    Status(u16),
    /// Its answer is not JSON.
    Garbage,
    /// Its answer ends in the middle.
    BreaksOff,
    /// Its answer comes drop by drop.
    Slow,
    /// Its certificate is signed by somebody else.
    OtherAuthority,
}

/// A kubelet's two certificates.
pub(super) struct Tls {
    pub(super) own: TlsAcceptor,
    pub(super) other: TlsAcceptor,
}

/// Serves one connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, node: String, tls: Arc<Tls>, stream: TcpStream) {
    let acceptor = match shared.kubelet_fault(&node) {
        Some(KubeletFault::OtherAuthority) => &tls.other,
        _ => &tls.own,
    };
    // A client that does not trust us says so by going.
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let (shared, node) = (shared.clone(), node.clone());
        async move { Ok::<_, Infallible>(answer(&shared, &node, &request).await) }
    });
    // A connection that breaks is the client's to notice.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(shared: &Shared, node: &str, request: &Request<Incoming>) -> Response<Body> {
    let fault = shared.kubelet_fault(node);
    if fault == Some(KubeletFault::Silent) || !is_ready(shared, node) {
        return std::future::pending().await;
    }
    if let Some(KubeletFault::Status(code)) = fault {
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return whole(status, "refused by order");
    }
    if !request.headers().contains_key(AUTHORIZATION) {
        return whole(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    if request.uri().path() != "/stats/summary" {
        return whole(StatusCode::NOT_FOUND, "404 page not found");
    }
    let text = summary(&shared.store(), &shared.volumes(), node, now()).to_string();
    match fault {
        Some(KubeletFault::Garbage) => whole(StatusCode::OK, "<html>no summary</html>"),
        Some(KubeletFault::BreaksOff) => parts(&text[..text.len() / 2], true, Duration::ZERO),
        Some(KubeletFault::Slow) => parts(&text, false, SLOW_PAUSE),
        _ => whole(StatusCode::OK, &text),
    }
}

fn is_ready(shared: &Shared, node: &str) -> bool {
    let key = Resource::of_kind("Node").map(|nodes| nodes.key("", node));
    let node = key.and_then(|key| shared.store().get(&key));
    node.is_some_and(|node| has_condition(&node, "Ready"))
}

fn whole(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes()));
    response(status, body.map_err(|never| match never {}).boxed_unsync())
}

fn parts(text: &str, breaks: bool, pause: Duration) -> Response<Body> {
    let parts = text.as_bytes().chunks(SLOW_BYTES).map(Bytes::copy_from_slice).map(Ok);
    let end = breaks.then(|| Err(io::Error::other("broken off by order")));
    let parts: Vec<_> = parts.chain(end).collect();
    let stream = futures_util::stream::iter(parts).then(move |part| async move {
        tokio::time::sleep(pause).await;
        part.map(Frame::data)
    });
    response(StatusCode::OK, StreamBody::new(stream).boxed_unsync())
}

fn response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
