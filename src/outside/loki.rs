//! Log lines of Loki, asked for with `query_range`; its answer is bounded, and its errors are values.
//!
//! Source: <https://grafana.com/docs/loki/latest/reference/loki-http-api/>.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{StatusCode, header::HeaderName};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::{Outside, Reached, Tool};
use crate::peer;

/// Lines of one answer at most: what Loki allows by default (`max_entries_limit_per_query`).
pub const LINES_MAX: usize = 5000;

/// Bytes of one answer: the most lines with some kilobytes each.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Queries at once, as each answer is in memory as a whole; further ones wait their turn.
pub(super) const AT_ONCE_MAX: usize = 2;

/// A person waits for it.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Characters of what Loki says about a query that it refuses.
const REFUSAL_CHARS_MAX: usize = 500;

const TENANT: HeaderName = HeaderName::from_static("x-scope-orgid");

/// Which lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// LogQL, a selection of streams with or without filters.
    pub query: String,
    /// From here on, nanoseconds since 1970.
    pub start_ns: i64,
    /// Before this, nanoseconds since 1970.
    pub end_ns: i64,
    /// So many at most.
    pub limit: usize,
    /// Newest first.
    pub backward: bool,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The time that it claims, nanoseconds since 1970.
    pub time_ns: i64,
    /// The text.
    pub text: String,
    /// The labels of its stream, and what Loki keeps beside the line.
    pub labels: BTreeMap<String, String>,
}

/// Why there are no lines.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoLines {
    /// No Loki is configured.
    #[error("no Loki is configured: set url in [outside.loki]")]
    NotConfigured,
    /// Loki does not take the query.
    #[error("Loki refused the query: {0}")]
    Refused(String),
    /// The query asks for numbers.
    #[error("this query gives numbers and no lines: leave out what counts them")]
    Numbers,
    /// It cannot be reached, or answers what is no answer.
    #[error("Loki gave no lines: {0}")]
    Down(String),
}

/// The answer, as far as it is read.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    result_type: String,
    result: Value,
}

#[derive(Deserialize)]
struct Stream {
    stream: BTreeMap<String, String>,
    /// Time, text, and in some versions an object of what is kept beside it.
    values: Vec<Vec<Value>>,
}

impl Outside {
    /// Asks Loki for lines.
    ///
    /// # Errors
    /// There are none to be had, and why.
    pub async fn lines(&self, lines: &Lines) -> Result<Vec<Line>, NoLines> {
        let loki = self.tools.iter().find(|one| one.tool == Tool::Loki);
        let loki = loki.ok_or(NoLines::NotConfigured)?;
        match timeout(ANSWER_TIME_MAX.min(self.limits.first_byte), ask(loki, lines)).await {
            Ok(answer) => answer,
            Err(_) => Err(NoLines::Down("its answer was not complete in time".into())),
        }
    }
}

async fn ask(loki: &Reached, lines: &Lines) -> Result<Vec<Line>, NoLines> {
    let turn = loki.slots.acquire().await;
    let _turn = turn.map_err(|_| NoLines::Down("the process is shutting down".into()))?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("query", &lines.query)
        .append_pair("start", &lines.start_ns.to_string())
        .append_pair("end", &lines.end_ns.to_string())
        .append_pair("limit", &lines.limit.min(LINES_MAX).to_string())
        .append_pair("direction", if lines.backward { "backward" } else { "forward" })
        .finish();
    let url = loki.config.url.below("/loki/api/v1/query_range", Some(&query));
    let mut request = loki.client.get(url.map_err(|error| NoLines::Down(error.to_string()))?);
    if let Some(tenant) = &loki.config.tenant {
        request = request.header(TENANT, tenant);
    }
    let down = |error: reqwest::Error| NoLines::Down(peer::explain(&error));
    let mut response = request.send().await.map_err(down)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(down)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            let mebibytes = ANSWER_BYTES_MAX >> 20;
            let text = format!("its answer is larger than {mebibytes} MiB; ask for fewer lines");
            return Err(NoLines::Down(text));
        }
    }
    if status == StatusCode::OK { read(&body, lines) } else { Err(refusal(status, &body)) }
}

fn read(body: &[u8], lines: &Lines) -> Result<Vec<Line>, NoLines> {
    let odd = || NoLines::Down("its answer is not what the documentation says".into());
    let Answer { data } = serde_json::from_slice(body).map_err(|_| odd())?;
    match data.result_type.as_str() {
        "streams" => {}
        "matrix" | "vector" | "scalar" => return Err(NoLines::Numbers),
        _ => return Err(odd()),
    }
    let streams: Vec<Stream> = serde_json::from_value(data.result).map_err(|_| odd())?;
    let mut found = Vec::new();
    for Stream { stream, values } in streams {
        for value in values {
            found.push(line(&stream, value).ok_or_else(odd)?);
        }
    }
    // Each stream is sorted by itself; a sort that is stable keeps lines of one time in order.
    found.sort_by_key(|line| if lines.backward { -line.time_ns } else { line.time_ns });
    found.truncate(lines.limit.min(LINES_MAX));
    Ok(found)
}

fn line(stream: &BTreeMap<String, String>, value: Vec<Value>) -> Option<Line> {
    let mut parts = value.into_iter();
    let time_ns = parts.next()?.as_str()?.parse().ok()?;
    let Value::String(text) = parts.next()? else { return None };
    let mut labels = stream.clone();
    if let Some(beside) = parts.next() {
        add(&mut labels, beside);
    }
    Some(Line { time_ns, text, labels })
}

/// Either names and texts, or groups of them (`structuredMetadata`, `parsed`).
fn add(labels: &mut BTreeMap<String, String>, beside: Value) {
    let Value::Object(beside) = beside else { return };
    for (name, value) in beside {
        match value {
            Value::String(text) => {
                labels.entry(name).or_insert(text);
            }
            Value::Object(group) => {
                for (name, value) in group {
                    if let Value::String(text) = value {
                        labels.entry(name).or_insert(text);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What Loki says of a query that it does not take is for the admin who wrote it.
fn refusal(status: StatusCode, body: &[u8]) -> NoLines {
    if !status.is_client_error() {
        return NoLines::Down(format!("it answered {status}"));
    }
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(|json| {
        ["message", "error"].iter().find_map(|name| json.get(name).and_then(Value::as_str))
    });
    let text = said.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let text: String =
        text.trim().chars().filter(|c| !c.is_control()).take(REFUSAL_CHARS_MAX).collect();
    NoLines::Refused(if text.is_empty() { format!("it answered {status}") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: Lines =
        Lines { query: String::new(), start_ns: 0, end_ns: 9, limit: 3, backward: true };

    fn texts(body: &str, lines: &Lines) -> Result<Vec<String>, NoLines> {
        let found = read(body.as_bytes(), lines)?;
        Ok(found.into_iter().map(|line| line.text).collect())
    }

    #[test]
    fn lines_of_several_streams_stand_in_one_order() {
        let body = r#"{"status":"success","data":{"resultType":"streams","result":[
            {"stream":{"app":"a"},"values":[["5","five"],["2","two"]]},
            {"stream":{"app":"b"},"values":[["4","four"],["1","one"]]}],"stats":{}}}"#;
        assert_eq!(texts(body, &LINES).unwrap(), ["five", "four", "two"]);
        let forward = Lines { backward: false, limit: 9, ..LINES };
        assert_eq!(texts(body, &forward).unwrap(), ["one", "two", "four", "five"]);
    }

    #[test]
    fn what_is_kept_beside_a_line_becomes_labels() {
        let body = r#"{"data":{"resultType":"streams","result":[{"stream":{"app":"a"},"values":[
            ["1","x",{"trace":"t"}],
            ["1","y",{"structuredMetadata":{"pod":"p"},"parsed":{"app":"never","level":"warn"}}]
        ]}]}}"#;
        let found = read(body.as_bytes(), &LINES).unwrap();
        let label = |at: usize, name: &str| found[at].labels.get(name).map(String::as_str);
        assert_eq!((label(0, "app"), label(0, "trace")), (Some("a"), Some("t")));
        assert_eq!((label(1, "app"), label(1, "pod")), (Some("a"), Some("p")));
        assert_eq!(label(1, "level"), Some("warn"));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let matrix = r#"{"data":{"resultType":"matrix","result":[]}}"#;
        assert_eq!(texts(matrix, &LINES), Err(NoLines::Numbers));
        for body in [
            "",
            "<html>",
            "[]",
            r#"{"data":{"resultType":"streams","result":5}}"#,
            r#"{"data":{"resultType":"streams","result":[{"stream":{},"values":[["x","y"]]}]}}"#,
            r#"{"data":{"resultType":"streams","result":[{"stream":{},"values":[["1"]]}]}}"#,
            r#"{"data":{"resultType":"other","result":[]}}"#,
        ] {
            assert!(matches!(texts(body, &LINES), Err(NoLines::Down(_))), "{body}");
        }
    }

    #[test]
    fn a_refusal_says_what_loki_said() {
        let said = |status, body: &[u8]| refusal(status, body).to_string();
        let bad = StatusCode::BAD_REQUEST;
        assert!(said(bad, b"parse error at line 1\n").ends_with(": parse error at line 1"));
        assert!(said(bad, br#"{"code":400,"message":"too many"}"#).ends_with(": too many"));
        assert!(said(bad, b"").contains("400"));
        assert!(said(bad, &[b'x'; 5000]).len() < 600);
        assert!(matches!(refusal(StatusCode::BAD_GATEWAY, b"x"), NoLines::Down(_)));
    }
}
