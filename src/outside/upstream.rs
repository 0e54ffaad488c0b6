//! The address of a tool, which may hold a path, and the paths below it, none of which leads out.

use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::Url;

/// A part of a path that is encoded more often than this hides something.
const DECODED_MAX: usize = 3;

/// Where a tool is: scheme, host, port and a path that ends without a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    root: Url,
    /// Empty, or beginning with a slash and ending without one.
    path: String,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoUpstream {
    /// It is none.
    #[error("it is no address such as http://prometheus:9090")]
    NoUrl,
    /// It has parts that would not be used, or that would be shown.
    #[error("it may hold a scheme (http or https), a host, a port and a path, and nothing else")]
    Parts,
}

/// Why a path is not sent to a tool.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the path may lead out of the tool, or is encoded in a way that hides where it leads")]
pub struct Escapes;

impl Upstream {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none, or it holds a user, a password, a query or a fragment.
    pub fn parse(text: &str) -> Result<Upstream, NoUpstream> {
        let url: Url = text.trim().parse().map_err(|_| NoUpstream::NoUrl)?;
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        let has_more = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        let path = url.path().trim_end_matches('/').to_owned();
        if !is_http || has_more || (!path.is_empty() && is_inside(&path).is_err()) {
            return Err(NoUpstream::Parts);
        }
        let mut root = url;
        root.set_path("/");
        Ok(Upstream { root, path })
    }

    /// The address of a path below, as it was sent, with its query.
    ///
    /// # Errors
    /// The path might lead out.
    pub fn below(&self, path: &str, query: Option<&str>) -> Result<Url, Escapes> {
        is_inside(path)?;
        let whole = format!("{}{path}", self.path);
        let mut url = self.root.clone();
        url.set_path(&whole);
        url.set_query(query);
        // What the parser would have made of it is not what was asked for.
        let stays = url.path().starts_with(&self.path) && url.origin() == self.root.origin();
        if stays { Ok(url) } else { Err(Escapes) }
    }

    /// What a place that the tool names means here: the path below the address, its query and its
    /// fragment. `at` is where the tool was asked.
    ///
    /// # Errors
    /// It leads to another host, or out of the path.
    pub fn inside(&self, at: &Url, place: &str) -> Result<String, Escapes> {
        let url = at.join(place).map_err(|_| Escapes)?;
        if url.origin() != self.root.origin() {
            return Err(Escapes);
        }
        let below = self.strip(url.path()).ok_or(Escapes)?;
        is_inside(below)?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
        Ok(format!("{below}{query}{fragment}"))
    }

    /// The part of a path below the tool's own; `None` where it is not below it.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        match path.strip_prefix(self.path.as_str())? {
            "" => Some("/"),
            below => below.starts_with('/').then_some(below),
        }
    }

    /// Whether it is more than an origin.
    pub fn has_path(&self) -> bool {
        !self.path.is_empty()
    }

    /// Scheme, host and port, as a browser names an origin.
    pub fn origin(&self) -> String {
        self.root.origin().ascii_serialization()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/", self.origin(), self.path)
    }
}

/// Whether a path begins at the root and stays below it, however a server decodes it: no `.`, `..`
/// or empty part but the last, no slash, backslash or control character in any encoding.
fn is_inside(path: &str) -> Result<(), Escapes> {
    let parts: Vec<&str> = path.strip_prefix('/').ok_or(Escapes)?.split('/').collect();
    let last = parts.len() - 1;
    let is_sound = parts.iter().enumerate().all(|(at, part)| {
        let may_be_empty = at == last;
        (!part.is_empty() || may_be_empty) && is_plain(part)
    });
    if is_sound { Ok(()) } else { Err(Escapes) }
}

fn is_plain(part: &str) -> bool {
    let mut part = part.to_owned();
    for _ in 0..DECODED_MAX {
        let hides = part.contains(['/', '\\', '?', '#']) || part.chars().any(char::is_control);
        if hides || part == "." || part == ".." {
            return false;
        }
        let Ok(decoded) = percent_decode_str(&part).decode_utf8() else { return false };
        if decoded == part {
            return true;
        }
        part = decoded.into_owned();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(text: &str) -> Upstream {
        Upstream::parse(text).expect(text)
    }

    #[test]
    fn an_address_may_hold_a_path_and_nothing_else() {
        assert_eq!(upstream("http://prom:9090").to_string(), "http://prom:9090/");
        assert_eq!(upstream("https://h/a/b/").to_string(), "https://h/a/b/");
        for text in ["", "prom:9090", "/prom", "ftp://h", "mailto:x"] {
            assert!(Upstream::parse(text).is_err(), "{text}");
        }
        for text in ["http://u:p@h/", "http://u@h", "http://h/?x", "http://h/#x", "http://h/%2f"] {
            assert_eq!(Upstream::parse(text), Err(NoUpstream::Parts), "{text}");
        }
    }

    #[test]
    fn what_is_below_is_sent_as_it_came() {
        let of = |base: &str, path: &str, query: Option<&str>| {
            upstream(base).below(path, query).map(|url| url.to_string())
        };
        let graph = of("http://h:1", "/graph", Some("g0.expr=up%20%2B%201&x"));
        assert_eq!(graph.as_deref(), Ok("http://h:1/graph?g0.expr=up%20%2B%201&x"));
        let label = of("http://h:1/prom", "/api/v1/label/a%20b/values", None);
        assert_eq!(label.as_deref(), Ok("http://h:1/prom/api/v1/label/a%20b/values"));
        assert_eq!(of("http://h:1/prom", "/", None).as_deref(), Ok("http://h:1/prom/"));
        assert_eq!(of("http://h:1", "/a...b/..c", None).as_deref(), Ok("http://h:1/a...b/..c"));
    }

    #[test]
    fn no_path_leads_out() {
        for path in [
            "",
            "graph",
            "//evil/",
            "/a//b",
            "/..",
            "/../x",
            "/a/..",
            "/a/../../x",
            "/.",
            "/./x",
            "/%2e%2e",
            "/%2E%2e/x",
            "/.%2e/x",
            "/%252e%252e/x",
            "/%25252525252e",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/\\evil",
            "/a%00",
            "/a%0d%0ab",
            "/a%3fb",
            "/a%23b",
            "/%ff",
            "/a?b",
            "/a%252f..",
            "http://evil/",
            "*",
            "@evil/",
        ] {
            assert_eq!(upstream("http://h/base").below(path, None), Err(Escapes), "{path}");
        }
    }

    #[test]
    fn a_redirect_stays_within_the_tool_or_is_none() {
        let tool = upstream("http://h:9/prom");
        let at = tool.below("/a/b", None).expect("it is below");
        let inside = |place: &str| tool.inside(&at, place);
        assert_eq!(inside("/prom/graph?x=1#y").as_deref(), Ok("/graph?x=1#y"));
        assert_eq!(inside("http://h:9/prom").as_deref(), Ok("/"));
        assert_eq!(inside("c").as_deref(), Ok("/a/c"));
        for place in [
            "/",
            "/promotion",
            "/prom/../x",
            "../../x",
            "//evil/prom/",
            "http://evil/prom/",
            "https://h:9/prom/",
            "http://h:8/prom/",
            "http://h:9\\@evil/prom",
            "javascript:1",
            "/prom//evil",
            "/prom/%2e%2e/%2e%2e/x",
            "",
        ] {
            let place_inside = inside(place);
            let is_itself = place.is_empty() && place_inside.as_deref() == Ok("/a/b");
            assert!(place_inside == Err(Escapes) || is_itself, "{place}: {place_inside:?}");
        }
    }
}
