//! Small responders, and the headers that every answer carries.

use hyper::{
    HeaderMap, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
        HeaderValue, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use serde::Serialize;

use super::body::{Body, Response};

/// Everything from this origin alone; no inline script or style, no frame around it, no form that
/// leads elsewhere.
const CSP: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
                   frame-ancestors 'none'";

/// Other origins may not even load it as an image or a script.
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).expect("wire types have string keys and finite depth");
    of_bytes(status, "application/json", bytes)
}

/// Plain text, for probes and people.
pub(super) fn text(status: StatusCode, text: &str) -> Response {
    of_bytes(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
}

/// Bytes of a type.
pub(super) fn of_bytes(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let length = bytes.len();
    let mut response = empty(status);
    *response.body_mut() = bytes.into();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Said here and not left to hyper, so that HEAD says it too.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// No body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::Whole(None));
    *response.status_mut() = status;
    response
}

/// A redirect to a relative place, so that it holds behind a gateway that rewrites paths.
pub(super) fn redirect(status: StatusCode, relative: &str) -> Response {
    let mut response = empty(status);
    let location = HeaderValue::try_from(relative).expect("built from ASCII words and digits");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Adds the headers that every answer carries. `frames` are the origins, beside our own, whose pages
/// may stand in ours.
pub(super) fn harden(headers: &mut HeaderMap, frames: Option<&str>) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let policy = frames.map(|frames| format!("{CSP}; frame-src {frames}"));
    let policy = policy.and_then(|policy| HeaderValue::try_from(policy).ok());
    let policy = policy.unwrap_or(HeaderValue::from_static(CSP));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CORP, HeaderValue::from_static("same-origin"));
}
