//! Other tools on the main port: which there are, and the way onto the port that shows their pages.

pub(super) mod grafana;

pub(super) mod loki;

mod page;

mod pass;

mod port;

mod tokens;

mod writes;

use std::sync::Arc;

use hyper::{
    HeaderMap, StatusCode,
    body::Incoming,
    header::{HOST, ORIGIN},
};
use tokio::{net::TcpListener, sync::watch};

use self::pass::Pass;
pub(super) use self::pass::Passes;
use super::{
    Surface,
    access::Caller,
    answer,
    body::{Response, read_json},
    error::Error,
    server, wire,
};
use crate::outside::{Health, Kind, Outside, Tool, ToolConfig, Upstream};

/// Other tools, as the surface is given them.
#[derive(Debug)]
pub struct ToolsDesk {
    /// The tools.
    pub outside: Outside,
    /// The port that shows the pages of proxied tools; `None` where it is not served.
    pub port: Option<u16>,
    /// Its listener.
    pub listener: Option<TcpListener>,
    /// Where browsers reach that port, if not under the name of the main one.
    pub public_url: Option<Upstream>,
}

/// Serves the second port until the first one closes.
pub(super) async fn serve(
    listener: TcpListener,
    surface: Arc<Surface>,
    mut closing: watch::Receiver<bool>,
) {
    let answering = surface.clone();
    let answer = move |request| {
        let surface = answering.clone();
        async move { port::answer(&surface, request).await }
    };
    let closed = async move {
        // A sender that is gone can say nothing else.
        let _ = closing.wait_for(|closing| *closing).await;
    };
    server::run(listener, &surface.desk.limits, answer, closed, || ()).await;
}

/// Other tools, and how they are.
#[utoipa::path(get, path = "/api/outside", responses((status = 200, body = wire::Outside)))]
pub(super) fn outside(surface: &Surface, headers: &HeaderMap) -> Response {
    let seq = surface.desk.published.snapshot.load().seq;
    let tools = surface.desk.outside.as_ref().map(|desk| {
        let rows = desk.outside.tools();
        let rows = rows.map(|(tool, config, health)| {
            let url = address(desk, tool, config, headers);
            let has_password = tool == Tool::Grafana && desk.outside.grafana_secret().is_some();
            row(tool, config.kind(tool), url, health.borrow().clone(), has_password)
        });
        rows.collect()
    });
    answer::json(StatusCode::OK, &wire::Outside { seq, tools: tools.unwrap_or_default() })
}

fn row(
    tool: Tool,
    kind: Kind,
    url: Option<String>,
    health: Health,
    has_password: bool,
) -> wire::Tool {
    wire::Tool {
        name: tool.name().into(),
        kind: match kind {
            Kind::Proxy => wire::ToolKind::Proxy,
            Kind::Link => wire::ToolKind::Link,
            Kind::Logs => wire::ToolKind::Logs,
        },
        url,
        up: health.up,
        since: health.since,
        last_up: health.last_up,
        reason: health.reason,
        has_password,
    }
}

/// Where a browser finds a tool.
fn address(
    desk: &ToolsDesk,
    tool: Tool,
    config: &ToolConfig,
    headers: &HeaderMap,
) -> Option<String> {
    match config.kind(tool) {
        Kind::Logs => None,
        Kind::Link => Some(config.link().to_string()),
        Kind::Proxy => Some(format!("{}{}/", tools_root(desk, headers)?, tool.name())),
    }
}

/// Where a browser finds the second port: as configured, else under the name by which it found the
/// main one, with the scheme of the page. Ends with a slash.
fn tools_root(desk: &ToolsDesk, headers: &HeaderMap) -> Option<String> {
    let port = desk.port?;
    if let Some(url) = &desk.public_url {
        return Some(url.to_string());
    }
    let name = host_name(headers.get(HOST)?.to_str().ok()?)?;
    Some(format!("//{name}:{port}/"))
}

/// The origins, beside its own, whose pages a page of ours may frame.
pub(super) fn frame_sources(surface: &Surface, headers: &HeaderMap) -> Option<String> {
    let desk = surface.desk.outside.as_ref()?;
    if let (Some(url), Some(_)) = (&desk.public_url, desk.port) {
        return Some(url.origin());
    }
    let root = tools_root(desk, headers)?;
    let root = root.trim_end_matches('/');
    Some(format!("http:{root} https:{root}"))
}

/// Opens the second port for the browser that asks: a place that is good for one visit, within half
/// a minute, and gives it a cookie of that port for an hour.
#[utoipa::path(post, path = "/api/outside/tools-session", request_body = wire::ToolsSessionRequest,
    responses((status = 200, body = wire::ToolsSession)))]
pub(super) async fn tools_session(
    surface: &Surface,
    caller: Caller,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Response, Error> {
    let expected = r#"{"tool": its name, "path": a path within it or nothing}"#;
    let wanted: wire::ToolsSessionRequest =
        read_json(body, surface.desk.limits.body_time, expected).await?;
    let (desk, tool, config) = proxied(surface, &wanted.tool)?;
    let path = wanted.path.as_deref().unwrap_or("/");
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    let inside = config.url.below(path, query);
    inside.map_err(|escapes| Error::Invalid(format!("`path`: {escapes}")))?;
    let (root, framed_by) = places(desk, headers)?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let place = format!("/{}{path}{query}", tool.name());
    let can_act = caller.can_act();
    let pass = Pass { actor: caller.actor, can_act, framed_by };
    let ticket = surface.passes.ticket(pass, place);
    let ticket = ticket.map_err(|error| Error::Internal(error.to_string().into()))?;
    let url = format!("{root}{}?ticket={ticket}", port::ENTRANCE);
    Ok(answer::json(StatusCode::OK, &wire::ToolsSession { url }))
}

/// A tool that is shown on the second port.
fn proxied<'a>(
    surface: &'a Surface,
    name: &str,
) -> Result<(&'a ToolsDesk, Tool, &'a ToolConfig), Error> {
    let desk = surface.desk.outside.as_ref();
    let found = desk.and_then(|desk| {
        let mut tools = desk.outside.tools();
        let (tool, config, _) = tools.find(|(tool, ..)| tool.name() == name)?;
        (config.kind(tool) == Kind::Proxy).then_some((desk, tool, config))
    });
    found.ok_or_else(|| {
        let text = "no tool of this name is configured to be shown on the second port";
        Error::NotConfigured(text.into())
    })
}

/// The root of the second port, and the origin of the page that asks, which may frame it.
fn places(desk: &ToolsDesk, headers: &HeaderMap) -> Result<(String, String), Error> {
    let unknown =
        || Error::Invalid("the request needs a `Host`, to find the second port by".into());
    let root = tools_root(desk, headers).ok_or_else(|| {
        if desk.port.is_none() {
            let text = "the second port is not served; /api/status says why";
            return Error::NotConfigured(text.into());
        }
        unknown()
    })?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // A browser names the origin in every POST; a script has no frame.
    let origin = match text(ORIGIN).map(Upstream::parse) {
        Some(Ok(origin)) => origin.origin(),
        Some(Err(_)) => return Err(Error::CrossOrigin),
        None => {
            let host = text(HOST).ok_or_else(unknown)?;
            Upstream::parse(&format!("http://{host}")).map_err(|_| unknown())?.origin()
        }
    };
    let scheme = if origin.starts_with("https:") { "https:" } else { "http:" };
    let root = if root.starts_with("//") { format!("{scheme}{root}") } else { root };
    Ok((root.trim_end_matches('/').to_owned(), origin))
}

/// The name or address in a `Host`, without its port; `None` for what is none.
fn host_name(host: &str) -> Option<&str> {
    let end = match host.strip_prefix('[') {
        Some(inside) => inside.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let name = &host[..end];
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_loses_its_port_and_odd_ones_are_none() {
        assert_eq!(host_name("localhost:5130"), Some("localhost"));
        assert_eq!(host_name("10.0.0.1"), Some("10.0.0.1"));
        assert_eq!(host_name("[::1]:5130"), Some("[::1]"));
        for host in ["", ":1", "a b", "a;b", "[::1", "a'b", "a/b", "u@h"] {
            assert_eq!(host_name(host), None, "{host:?}");
        }
    }
}
