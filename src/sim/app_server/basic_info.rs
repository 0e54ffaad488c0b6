//! `GET /basic-info`: what the app-server tells of its own process, on the port of the link.

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};

use crate::event::now;

/// How a request for it begins; one for the link begins otherwise.
const BEGINNING: &[u8] = b"GET /basic-info ";

/// A client that sends no whole beginning in this time is taken for one of the link.
const BEGINNING_TIME_MAX: Duration = Duration::from_secs(5);

/// Whether a connection asks for it. Takes nothing from the stream.
pub(super) async fn is_asked(stream: &TcpStream) -> bool {
    let seen = timeout(BEGINNING_TIME_MAX, async {
        let mut beginning = [0; BEGINNING.len()];
        loop {
            let length = stream.peek(&mut beginning).await?;
            let is_whole = length == beginning.len();
            if length == 0 || is_whole || !BEGINNING.starts_with(&beginning[..length]) {
                return io::Result::Ok(beginning == BEGINNING);
            }
            // What was seen stays readable, so nothing tells when more has come.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    matches!(seen.await, Ok(Ok(true)))
}

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
