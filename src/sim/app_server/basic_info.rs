//! `GET /basic-info`: what the app-server tells of its own process, on the port of the link.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::event::now;

/// How a request for it begins; one for the link begins otherwise.
pub(super) const BEGINNING: &[u8] = b"GET /basic-info ";

/// Answers the connection's requests. `clients`: how many there are of the link.
pub(super) async fn serve(stream: TcpStream, clients: usize) {
    let answer = |request: Request<Incoming>| async move {
        Ok::<_, Infallible>(if request.uri().path() == "/basic-info" {
            let text = text(clients);
            let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
            answer.body(Full::new(Bytes::from(text))).unwrap_or_default()
        } else {
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = hyper::StatusCode::NOT_FOUND;
            answer
        })
    };
    // A client that goes away is no news.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

/// Memory and processor go slowly up and down, as of a server with traffic.
fn text(clients: usize) -> String {
    let swing = (now() / 60_000.0).sin();
    let memory_bytes = (420.0 + 60.0 * swing) as u64 * (1 << 20);
    json!({
        "version": "1.40.0",
        "memory_bytes": memory_bytes,
        "cpu_cores": (40.0 + 20.0 * swing).round() / 100.0,
        "link_clients": clients,
    })
    .to_string()
}
