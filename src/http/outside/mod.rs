//! Other tools on the main port: which there are, and the way onto the port that shows their pages.

use hyper::{HeaderMap, StatusCode, header::HOST};

use super::{Surface, answer, body::Response, wire};
use crate::outside::{Health, Kind, Outside, Tool, ToolConfig, Upstream};

/// Other tools, as the surface is given them.
#[derive(Debug)]
pub struct ToolsDesk {
    /// The tools.
    pub outside: Outside,
    /// The port that shows the pages of proxied tools; `None` where it is not served.
    pub port: Option<u16>,
    /// Where browsers reach that port, if not under the name of the main one.
    pub public_url: Option<Upstream>,
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
    if let Some(url) = &desk.public_url {
        return Some(url.to_string());
    }
    let name = host_name(headers.get(HOST)?.to_str().ok()?)?;
    desk.port.map(|port| format!("//{name}:{port}/"))
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
