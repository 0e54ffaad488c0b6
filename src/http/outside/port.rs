//! The second port: `/{tool}/…` is the tool's own page, for whoever came with a ticket.
//!
//! It is an origin of its own, so that a tool's script cannot press the buttons of the desk. A tool
//! may write links that begin at its own root (`/static/x.js`): such a path belongs to no tool, and
//! a page of a tool that asks for it is sent to the same path below that tool.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::{
    HeaderMap, Method, Request, StatusCode, Uri,
    body::Incoming,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION, REFERER,
        REFERRER_POLICY, SET_COOKIE, UPGRADE, X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{ToolsDesk, page, pass::Pass, writes};
use crate::{
    http::{
        Surface,
        access::{self, Provenance},
        answer,
        body::{Body, Response},
        limits::TOOL_BODY_BYTES_MAX,
        params::Params,
    },
    outside::{Answer, Ask, Failure, Kind, Tool},
};

/// Where a ticket is taken. No tool has this page.
pub(super) const ENTRANCE: &str = "/monitor-backend-enter";

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers a request; every refusal is a page.
pub(in crate::http) async fn answer(
    surface: &Arc<Surface>,
    request: Request<Incoming>,
) -> Response {
    let is_head = request.method() == Method::HEAD;
    let pass = surface.passes.of(request.headers());
    let mut response = match &surface.desk.outside {
        Some(desk) => dispatch(surface, desk, pass.as_ref(), request).await,
        None => no_such_page(),
    };
    if is_head {
        *response.body_mut() = Body::Whole(None);
    }
    harden(response.headers_mut(), pass.as_ref());
    response
}

async fn dispatch(
    surface: &Arc<Surface>,
    desk: &ToolsDesk,
    pass: Option<&Pass>,
    request: Request<Incoming>,
) -> Response {
    let uri = request.uri();
    if uri.authority().is_some() || !uri.path().starts_with('/') {
        let why = "This port passes requests on to its own tools alone, by their paths.";
        return page::page(StatusCode::BAD_REQUEST, "Not a path", &[why]);
    }
    if uri.path() == ENTRANCE {
        return enter(surface, uri);
    }
    let Some(pass) = pass else { return no_pass() };
    if request.headers().contains_key(UPGRADE) {
        let why = "The pages of tools are shown over plain HTTP; WebSockets are not passed on.";
        return page::page(StatusCode::NOT_IMPLEMENTED, "No upgrade", &[why]);
    }
    match tool_of(desk, uri.path()) {
        Some((_, "")) => redirect(&format!("{}/{}", uri.path(), query_of(uri))),
        Some((tool, path)) => {
            let path = path.to_owned();
            shown(surface, desk, pass, tool, path, request).await
        }
        None => from_a_page(desk, &request).unwrap_or_else(no_such_page),
    }
}

/// The proxied tool that a path begins with, and the path within it; empty where not even its slash
/// is there.
fn tool_of<'a>(desk: &ToolsDesk, path: &'a str) -> Option<(Tool, &'a str)> {
    let below = path.strip_prefix('/')?;
    let (name, inside) = below.split_at(below.find('/').unwrap_or(below.len()));
    let tool = Tool::named(name)?;
    let is_shown =
        |one: Tool| desk.outside.tools().any(|(t, c, _)| t == one && c.kind(t) == Kind::Proxy);
    is_shown(tool).then_some((tool, inside))
}

fn query_of(uri: &Uri) -> String {
    uri.query().map(|query| format!("?{query}")).unwrap_or_default()
}

/// A path at the root that a page of a tool asks for is meant within that tool.
fn from_a_page(desk: &ToolsDesk, request: &Request<Incoming>) -> Option<Response> {
    let referer: Uri = request.headers().get(REFERER)?.to_str().ok()?.parse().ok()?;
    let (tool, _) = tool_of(desk, referer.path())?;
    let (_, config, _) = desk.outside.tools().find(|(one, ..)| *one == tool)?;
    let path = request.uri().path();
    let inside = config.inside(config.url.strip(path).unwrap_or(path));
    config.url.below(inside, None).ok()?;
    Some(redirect(&format!("/{}{inside}{}", tool.name(), query_of(request.uri()))))
}

/// Keeps the method, also that of a query that is sent as a form.
fn redirect(place: &str) -> Response {
    let Ok(place) = HeaderValue::try_from(place) else { return no_such_page() };
    let mut response = answer::empty(StatusCode::TEMPORARY_REDIRECT);
    response.headers_mut().insert(LOCATION, place);
    response
}

fn enter(surface: &Surface, uri: &Uri) -> Response {
    let params = Params::parse(uri.query().unwrap_or(""));
    let entered = surface.passes.enter(params.get("ticket").unwrap_or_default());
    let Ok(Some((place, cookie))) = entered else { return no_pass() };
    let (Ok(place), Ok(cookie)) = (HeaderValue::try_from(place), HeaderValue::try_from(cookie))
    else {
        return no_pass();
    };
    let mut response = answer::empty(StatusCode::SEE_OTHER);
    response.headers_mut().insert(LOCATION, place);
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

fn no_pass() -> Response {
    let why = "The way here leads through the desk. What it gave before was used already, or its \
               hour is over.";
    page::page(StatusCode::UNAUTHORIZED, "Open this tool from the desk", &[why])
}

fn no_such_page() -> Response {
    let why = "No tool that is shown here has this path.";
    page::page(StatusCode::NOT_FOUND, "No such page", &[why])
}

/// The tool's own answer.
async fn shown(
    surface: &Arc<Surface>,
    desk: &ToolsDesk,
    pass: &Pass,
    tool: Tool,
    path: String,
    request: Request<Incoming>,
) -> Response {
    let (head, body) = request.into_parts();
    let is_write = !writes::only_reads(tool, &head.method, &path);
    if let Some(refusal) = refusal(pass, &head.method, &head.headers, is_write) {
        return refusal;
    }
    let body = match read(surface, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let query = head.uri.query().map(str::to_owned);
    let ask = Ask { method: head.method, path, query, headers: head.headers, body };
    let answered = if is_write {
        match writes::recorded(surface, desk, pass, tool, ask).await {
            Ok(answered) => answered,
            Err(refusal) => return refusal,
        }
    } else {
        desk.outside.relay(tool, ask).await
    };
    match answered {
        Some(Ok(answered)) => passed_on(tool, answered),
        Some(Err(failure)) => refused(desk, tool, &failure),
        None => no_such_page(),
    }
}

/// Only a caller who may act changes something, and only a page of this port sends more than a GET.
fn refusal(pass: &Pass, method: &Method, headers: &HeaderMap, is_write: bool) -> Option<Response> {
    let is_plain = matches!(*method, Method::GET | Method::HEAD);
    if !is_plain && access::provenance(headers) != Provenance::Here {
        let why = "A request that may change something has to come from a page of this port.";
        return Some(page::page(StatusCode::FORBIDDEN, "From another site", &[why]));
    }
    if is_write && !pass.can_act {
        let why = "You may see, but not act; this request would change something in the tool.";
        return Some(page::page(StatusCode::FORBIDDEN, "Not allowed", &[why]));
    }
    None
}

async fn read(surface: &Surface, body: Incoming) -> Result<bytes::Bytes, Response> {
    let whole = Limited::new(body, TOOL_BODY_BYTES_MAX).collect();
    match tokio::time::timeout(surface.desk.limits.body_time, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => {
            let why = format!("It is larger than {TOOL_BODY_BYTES_MAX} bytes, or broke off.");
            Err(page::page(StatusCode::PAYLOAD_TOO_LARGE, "The request was not taken", &[&why]))
        }
        Err(_) => {
            let why = "It did not arrive in time.";
            Err(page::page(StatusCode::REQUEST_TIMEOUT, "The request was not taken", &[why]))
        }
    }
}

fn passed_on(tool: Tool, answered: Answer) -> Response {
    let mut response = answer::empty(answered.status);
    *response.body_mut() = Body::Stream(answered.body);
    *response.headers_mut() = answered.headers;
    let headers = response.headers_mut();
    for policy in answered.policies {
        headers.append(CONTENT_SECURITY_POLICY, policy);
    }
    if let Some(place) = answered.place {
        match HeaderValue::try_from(format!("/{}{place}", tool.name())) {
            Ok(place) => headers.insert(LOCATION, place),
            Err(_) => return no_such_page(),
        };
    }
    response
}

fn refused(desk: &ToolsDesk, tool: Tool, failure: &Failure) -> Response {
    let why = failure.to_string();
    let title = tool.title();
    match failure {
        Failure::Down(_) => match desk.outside.health(tool) {
            Some(health) => page::down(tool, &why, &health),
            None => no_such_page(),
        },
        Failure::Escapes(_) => {
            page::page(StatusCode::BAD_REQUEST, "Not a path of this tool", &[&why])
        }
        Failure::Busy(_) => {
            page::page(StatusCode::SERVICE_UNAVAILABLE, &format!("{title} is busy"), &[&why])
        }
        Failure::LedAway => {
            page::page(StatusCode::BAD_GATEWAY, &format!("{title} leads elsewhere"), &[&why])
        }
    }
}

/// The headers that every answer of this port carries.
fn harden(headers: &mut HeaderMap, pass: Option<&Pass>) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CORP, HeaderValue::from_static("same-origin"));
    // The whole address, since a path at the root is told by the page that asks for it.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // Without a pass there is only text for anyone, in a frame of the desk that is not known here.
    let frames = pass.map(|pass| format!("frame-ancestors 'self' {}", pass.framed_by));
    if let Some(Ok(frames)) = frames.map(HeaderValue::try_from) {
        headers.append(CONTENT_SECURITY_POLICY, frames);
    }
}
