//! Lines of Loki, in the shape of our own.

use hyper::StatusCode;

use crate::{
    event::Level,
    http::{
        Surface, answer,
        body::Response,
        error::Error,
        params::{Params, bad},
        wire,
    },
    outside::{LINES_MAX, Line, Lines, NoLines},
};

/// How far back is looked where no start is named, nanoseconds: an hour, as Loki has it.
const BACK_NS: i64 = 3_600_000_000_000;

/// Lines where the query names no limit.
const LIMIT_DEFAULT: usize = 100;

/// Characters of a query; Loki's own bound is smaller by default.
const QUERY_CHARS_MAX: usize = 8192;

/// The labels by which shippers tell a level; Loki finds the first one out by itself.
const LEVEL_LABELS: [&str; 5] = ["detected_level", "level", "severity", "lvl", "loglevel"];

/// The labels that tell what wrote a line, the plainest first.
const TARGET_LABELS: [&str; 6] = ["service_name", "app", "container", "job", "pod", "filename"];

/// Log lines that Loki has; they are asked for now, and stand in no journal.
#[utoipa::path(get, path = "/api/outside/loki", params(
    ("query" = String, Query, description = "LogQL that gives lines."),
    ("start" = Option<String>, Query, description = "From here on: RFC 3339, or milliseconds since \
        1970. An hour before the end when absent."),
    ("end" = Option<String>, Query, description = "Before this. Now when absent."),
    ("limit" = Option<u64>, Query, description = "Lines at most, up to 5000; 100 when absent."),
    ("direction" = Option<String>, Query, description = "`backward` (newest first, the default) or \
        `forward`."),
), responses((status = 200, body = wire::LokiLogs)))]
pub(in crate::http) async fn lines(surface: &Surface, params: &Params) -> Result<Response, Error> {
    let lines = wanted(params)?;
    let desk = surface.desk.outside.as_ref();
    let desk = desk.ok_or_else(|| Error::from(NoLines::NotConfigured))?;
    let seq = surface.desk.published.snapshot.load().seq;
    let found = desk.outside.lines(&lines).await?;
    let is_full = found.len() >= lines.limit;
    let entries = found.into_iter().map(entry).collect();
    Ok(answer::json(StatusCode::OK, &wire::LokiLogs { seq, entries, is_full }))
}

fn wanted(params: &Params) -> Result<Lines, Error> {
    let query = params.text("query").ok_or_else(|| bad("query", "is missing: it is LogQL"))?;
    if query.chars().count() > QUERY_CHARS_MAX {
        return Err(bad("query", "is too long"));
    }
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let end_ns = time(params, "end")?.unwrap_or(now);
    let start_ns = time(params, "start")?.unwrap_or_else(|| end_ns.saturating_sub(BACK_NS));
    if start_ns >= end_ns {
        return Err(bad("start", "must lie before the end"));
    }
    let backward = match params.get("direction") {
        None | Some("backward") => true,
        Some("forward") => false,
        Some(_) => return Err(bad("direction", "must be backward or forward")),
    };
    let limit = params.limit_or(LIMIT_DEFAULT)?.min(LINES_MAX);
    Ok(Lines { query, start_ns, end_ns, limit, backward })
}

/// Nanoseconds since 1970.
fn time(params: &Params, name: &'static str) -> Result<Option<i64>, Error> {
    const RULE: &str = "must be milliseconds since 1970 or an RFC 3339 time";
    let Some(value) = params.get(name) else { return Ok(None) };
    if let Ok(millis) = value.parse::<f64>() {
        let ns = millis * 1e6;
        let is_sound = ns.is_finite() && (0.0..i64::MAX as f64).contains(&ns);
        return if is_sound { Ok(Some(ns as i64)) } else { Err(bad(name, RULE)) };
    }
    // A plus sign that was not encoded has become a space; a time has no other use for one.
    let at: Result<jiff::Timestamp, _> = value.replace(' ', "+").parse();
    let ns = at.ok().and_then(|at| i64::try_from(at.as_nanosecond()).ok());
    ns.map(Some).ok_or_else(|| bad(name, RULE))
}

fn entry(line: Line) -> wire::LokiEntry {
    let Line { time_ns, text, labels } = line;
    let first = |names: &[&str]| names.iter().find_map(|name| labels.get(*name));
    let level = first(&LEVEL_LABELS).map_or(Level::Info, |word| Level::from_word(word));
    wire::LokiEntry {
        // A double holds the microseconds of this century, and no nanoseconds.
        time: (time_ns / 1000) as f64 / 1000.0,
        time_ns: time_ns.to_string(),
        level: level.as_str().into(),
        target: first(&TARGET_LABELS).cloned().unwrap_or_default(),
        span_name: String::new(),
        message: text,
        source: "outside/loki".into(),
        labels,
    }
}

impl From<NoLines> for Error {
    fn from(error: NoLines) -> Error {
        match error {
            NoLines::NotConfigured => Error::NotConfigured(error.to_string()),
            NoLines::Refused(_) | NoLines::Numbers => Error::Invalid(error.to_string()),
            NoLines::Down(_) => Error::Outside(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_or_rfc_3339() {
        let of = |query: &str| wanted(&Params::parse(query)).map(|l| (l.start_ns, l.end_ns));
        assert_eq!(of("query=x&start=1.5&end=2").unwrap(), (1_500_000, 2_000_000));
        let end = of("query=x&end=1970-01-01T02:00:00%2B01:00").unwrap();
        assert_eq!(end, (0, BACK_NS));
        for query in [
            "",
            "query=",
            "query=x&start=5&end=5",
            "query=x&end=yesterday",
            "query=x&end=-1",
            "query=x&end=1e30",
            "query=x&end=NaN",
            "query=x&direction=up",
            "query=x&limit=0",
        ] {
            assert!(of(query).is_err(), "{query}");
        }
        let limit = wanted(&Params::parse("query=x&limit=9999")).unwrap().limit;
        assert_eq!(limit, LINES_MAX);
    }

    #[test]
    fn a_level_is_told_by_a_label() {
        let of = |pairs: &[(&str, &str)]| {
            let labels = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let entry = entry(Line { time_ns: 1_500_000, text: "t".into(), labels });
            (entry.time, entry.level, entry.target)
        };
        assert_eq!(of(&[("level", "warning"), ("app", "web")]), (1.5, "WARN".into(), "web".into()));
        assert_eq!(of(&[("detected_level", "error"), ("level", "info")]).1, "ERROR");
        assert_eq!(of(&[("detected_level", "unknown")]).1, "INFO");
    }
}
