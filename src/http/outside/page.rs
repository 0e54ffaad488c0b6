//! The few pages of our own on the second port: why a tool's page is not there, and what to do.

use hyper::{
    StatusCode,
    header::{CONTENT_SECURITY_POLICY, HeaderValue},
};

use crate::{
    http::{answer, body::Response},
    outside::{Health, Tool},
};

/// A page that a browser asks for again by itself, so that a tool that is up again shows.
const AGAIN_SECS: u32 = 15;

/// A page with a title and paragraphs of plain text.
pub(super) fn page(status: StatusCode, title: &str, paragraphs: &[&str]) -> Response {
    html(status, title, paragraphs, "")
}

/// Says that a tool is down, why, and when it was last up.
pub(super) fn down(tool: Tool, reason: &str, health: &Health) -> Response {
    let title = format!("{} is not answering", tool.title());
    let why = format!("Why: {reason}.");
    let last = match health.last_up.and_then(time) {
        Some(at) => format!("It was last up at {at}."),
        None => "It has not been up since this recorder started.".into(),
    };
    let rest = format!(
        "Everything else works without it. This page asks again every {AGAIN_SECS} seconds."
    );
    let again = format!("<meta http-equiv=\"refresh\" content=\"{AGAIN_SECS}\">");
    html(StatusCode::BAD_GATEWAY, &title, &[&why, &last, &rest], &again)
}

/// To the second: nobody needs to know it better.
fn time(millis: f64) -> Option<String> {
    let at = jiff::Timestamp::from_second((millis / 1000.0) as i64).ok()?;
    Some(at.to_string())
}

fn html(status: StatusCode, title: &str, paragraphs: &[&str], head: &str) -> Response {
    let title = escaped(title);
    let body: String =
        paragraphs.iter().map(|text| format!("<p>{}</p>\n", escaped(text))).collect();
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n{head}<title>{title}</title>\n\
         <h1>{title}</h1>\n{body}</html>\n"
    );
    let mut response = answer::of_bytes(status, "text/html; charset=utf-8", text.into_bytes());
    let policy = HeaderValue::from_static("default-src 'none'");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_says_is_text() {
        assert_eq!(escaped("<b title=\"a\">'&"), "&lt;b title=&quot;a&quot;&gt;&#39;&amp;");
    }

    #[test]
    fn the_last_time_up_is_told_in_seconds() {
        assert_eq!(time(1_769_840_000_999.0).as_deref(), Some("2026-01-31T06:13:20Z"));
        assert_eq!(time(f64::INFINITY), None);
    }
}
