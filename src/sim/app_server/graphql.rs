//! `POST /graphql`: the app-server's own requests, as far as test sequences send them. On the port of
//! the link.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{Frame, LogEntry, Shared, deliver};
use crate::event::now;

/// How such a request begins; one for the link begins otherwise.
pub(super) const BEGINNING: &[u8] = b"POST ";

/// A larger request is none of those that are answered here.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Answers the connection's requests.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    // A client that goes away is no news.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.method() != Method::POST || request.uri().path() != "/graphql" {
        return json_answer(StatusCode::NOT_FOUND, &json!({}));
    }
    if !request.headers().contains_key(header::AUTHORIZATION) {
        let error = json!({"errors": [{"message": "sign in first"}]});
        return json_answer(StatusCode::UNAUTHORIZED, &error);
    }
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        let error = json!({"errors": [{"message": "the body is no JSON"}]});
        return json_answer(StatusCode::BAD_REQUEST, &error);
    };
    json_answer(StatusCode::OK, &answered(shared, &asked).await)
}

/// Adds a revision, unless the node is called `missing`: then it logs an error too.
async fn answered(shared: &Shared, asked: &Value) -> Value {
    let node = &asked["variables"]["input"]["revision"]["node"];
    if node != "missing" {
        return json!({"data": {"addNodeRevision": {"id": format!("{:x}", now().to_bits())}}});
    }
    let message = "addNodeRevision failed: there is no node missing";
    let entry = LogEntry {
        time: now(),
        level: "ERROR".into(),
        target: "app_server::graphql".into(),
        span_name: String::new(),
        message: message.into(),
    };
    let frame = Frame::LogEntryAdded { entry };
    let text = frame.to_text();
    deliver(&shared.note(&frame), text.into()).await;
    json!({"errors": [{"message": message}]})
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
