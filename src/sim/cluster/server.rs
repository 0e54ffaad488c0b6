//! The API's HTTP side: list, watch, get, delete, patch, exec and logs, for the kinds of `resources`.
//!
//! Any bearer token is accepted, and none is needed.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{
    Shared,
    exec::{exec, pod_of},
    list::list,
    logs,
    patch::{mark_deleted, patched},
    query::Query,
    resources::{ObjectKey, Target},
    scale,
    status::{Refusal, deleted},
    watch::watch,
};
use crate::event::now;

/// As the real API: what etcd would take, and some.
const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Answer = Result<Response<Body>, Refusal>;

/// Serves one connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move {
            let answer = route(&shared, request).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|refusal| refused(&refusal)))
        }
    });
    // A connection that breaks is the client's to notice.
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.with_upgrades().await;
}

async fn route(shared: &Arc<Shared>, request: Request<Incoming>) -> Answer {
    if let Some(pod) = pod_of(request.uri().path()) {
        let switched = exec(shared, &pod, request)?;
        return Ok(switched.map(|()| Full::new(Bytes::new()).boxed_unsync()));
    }
    if let Some(pod) = logs::pod_of(request.uri().path()) {
        let frames = logs::log(shared, pod, request.uri().query().unwrap_or_default())?;
        let mut answer = response(StatusCode::OK, StreamBody::new(frames).boxed_unsync());
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        return Ok(answer);
    }
    if let Some(target) = scale::target_of(request.uri().path()) {
        return scaled(shared, &target, request).await;
    }
    let target = Target::parse(request.uri().path()).ok_or_else(Refusal::unknown_path)?;
    match (request.method(), target.key()) {
        (&Method::GET, None) => list_or_watch(shared, target, request.uri().query()),
        (&Method::GET, Some(key)) => get(shared, &key),
        (&Method::DELETE, Some(key)) => delete(shared, &target, &key, request).await,
        (&Method::PATCH, Some(key)) => patch(shared, &target, &key, request).await,
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn list_or_watch(shared: &Arc<Shared>, target: Target, query: Option<&str>) -> Answer {
    let query = Query::parse(query.unwrap_or_default())?;
    if query.watch {
        let lines = watch(shared, target, query)?;
        return Ok(response(StatusCode::OK, StreamBody::new(lines).boxed_unsync()));
    }
    let answer = list(&shared.store(), &target, &query)?;
    Ok(json_response(StatusCode::OK, &answer))
}

/// Reads or changes how many pods a workload is to have.
async fn scaled(shared: &Shared, target: &Target, request: Request<Incoming>) -> Answer {
    let key = target.key().ok_or_else(Refusal::unknown_path)?;
    let workload = match *request.method() {
        Method::GET => Value::clone(&*shared.store().get(&key).ok_or_else(|| missing(&key))?),
        Method::PATCH => {
            let is_dry_run = is_dry_run(request.uri().query());
            let change = scale::change_of(&read_patch(request).await?);
            apply(shared, target, &key, &change, is_dry_run)?
        }
        _ => return Err(Refusal::method_not_allowed()),
    };
    Ok(json_response(StatusCode::OK, &scale::scale_of(&workload)))
}

fn get(shared: &Shared, key: &ObjectKey) -> Answer {
    let object = shared.store().get(key).ok_or_else(|| missing(key))?;
    Ok(json_response(StatusCode::OK, &object))
}

async fn delete(
    shared: &Shared,
    target: &Target,
    key: &ObjectKey,
    request: Request<Incoming>,
) -> Answer {
    let asked_by_query = is_dry_run(request.uri().query());
    let body = read_body(request).await?;
    let options = if body.is_empty() { Value::Null } else { parse_json(&body)? };
    let now = now();
    let mut store = shared.store();
    let object = store.get(key).ok_or_else(|| missing(key))?;
    let uid = &options["preconditions"]["uid"];
    if !uid.is_null() && *uid != object["metadata"]["uid"] {
        return Err(Refusal::conflict(key.plural, &key.name, "the uid is another one"));
    }
    if asked_by_query || options["dryRun"] == json!(["All"]) {
        return Ok(json_response(StatusCode::OK, &object));
    }
    shared.count_intervention();
    let grace_seconds = options["gracePeriodSeconds"].as_u64();
    if target.resource.kind == "Pod" && grace_seconds != Some(0) {
        let mark = |pod: &mut Value| mark_deleted(pod, grace_seconds, now);
        let marked = store.edit(target.resource, key, now, mark).ok_or_else(|| missing(key))?;
        return Ok(json_response(StatusCode::OK, &marked));
    }
    store.remove(key);
    let answer = deleted(key.plural, &key.name, &object["metadata"]["uid"]);
    Ok(json_response(StatusCode::OK, &answer))
}

async fn patch(
    shared: &Shared,
    target: &Target,
    key: &ObjectKey,
    request: Request<Incoming>,
) -> Answer {
    let is_dry_run = is_dry_run(request.uri().query());
    let change = read_patch(request).await?;
    Ok(json_response(StatusCode::OK, &apply(shared, target, key, &change, is_dry_run)?))
}

async fn read_patch(request: Request<Incoming>) -> Result<Value, Refusal> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    if !matches!(
        content_type.as_str(),
        "application/merge-patch+json" | "application/strategic-merge-patch+json"
    ) {
        return Err(Refusal::unsupported_media_type(&content_type));
    }
    parse_json(&read_body(request).await?)
}

/// Applies a client's change, and keeps it unless that is only a dry run.
fn apply(
    shared: &Shared,
    target: &Target,
    key: &ObjectKey,
    change: &Value,
    is_dry_run: bool,
) -> Result<Value, Refusal> {
    let mut store = shared.store();
    let before = store.get(key).ok_or_else(|| missing(key))?;
    let expected = &change["metadata"]["resourceVersion"];
    if !expected.is_null() && *expected != before["metadata"]["resourceVersion"] {
        return Err(Refusal::conflict(key.plural, &key.name, "the object has been modified"));
    }
    let after = patched(&before, change);
    if is_dry_run {
        return Ok(after);
    }
    shared.count_intervention();
    Ok(Value::clone(&store.put(target.resource, after, now())))
}

/// Whether a request is to change nothing.
fn is_dry_run(query: Option<&str>) -> bool {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.into_iter().any(|(name, value)| name == "dryRun" && value == "All")
}

async fn read_body(request: Request<Incoming>) -> Result<Bytes, Refusal> {
    // What goes wrong on the way is the client's connection; too long is the usual error.
    let read = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    read.map(|body| body.to_bytes()).map_err(|_| Refusal::too_large(BODY_BYTES_MAX))
}

fn parse_json(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("the body is not JSON: {error}")))
}

fn missing(key: &ObjectKey) -> Refusal {
    Refusal::no_such_object(key.plural, &key.name)
}

fn refused(refusal: &Refusal) -> Response<Body> {
    json_response(refusal.code, &refusal.to_json())
}

fn json_response(code: StatusCode, value: &Value) -> Response<Body> {
    let text = serde_json::to_vec(value).expect("JSON into memory has no way to fail");
    response(code, Full::new(Bytes::from(text)).boxed_unsync())
}

fn response(code: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
