//! What a line of text says: its level, its message, its span, and what else its writer put in.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    level,
    place::Line,
    stamp::{SECOND_NS, StampNs},
};
use crate::{
    event::{Extensions, Level},
    redact,
};

/// A line goes on with the one above if it was written at most so much later.
const GOES_ON_NS: StampNs = SECOND_NS;

const LEVEL_FIELDS: [&str; 6] = ["level", "severity", "lvl", "levelname", "log.level", "@level"];
const MESSAGE_FIELDS: [&str; 6] = ["message", "msg", "log", "event", "@message", "body"];
const LOGGER_FIELDS: [&str; 3] = ["target", "logger", "logger_name"];

/// What a line says.
#[derive(Debug, PartialEq)]
pub struct Shaped {
    /// As it says, or as the line above that it goes on with; else `Info`.
    pub level: Level,
    /// The span that it was written in; empty for none.
    pub span_name: String,
    /// The text for a human.
    pub message: String,
    /// The other fields of a line in JSON, and how much of a line is missing.
    pub ext: Extensions,
}

/// Shapes the lines of one container, one after the other.
#[derive(Debug, Default)]
pub struct Shaper {
    above: Option<(Level, StampNs)>,
    /// A private key takes many lines, and only the first one says so.
    key: Option<redact::KeyBlock>,
}

impl Shaper {
    /// With or without an eye on private keys.
    pub fn new(is_redacting: bool) -> Shaper {
        Shaper { above: None, key: is_redacting.then(redact::KeyBlock::default) }
    }

    /// Shapes the next line.
    pub fn shape(&mut self, line: Line) -> Shaped {
        let Line { stamp_ns, text, cut_bytes, .. } = line;
        let text = without_colors(text);
        let text = match &mut self.key {
            Some(key) => key.line(text),
            None => text,
        };
        let mut shaped = of_json(&text).unwrap_or_else(|| self.of_plain(text, stamp_ns));
        self.above = Some((shaped.level, stamp_ns));
        if cut_bytes > 0 {
            let fields = shaped.ext.0.get_or_insert_default();
            fields.insert("cut_bytes".into(), cut_bytes.into());
        }
        shaped
    }

    fn of_plain(&self, message: String, stamp_ns: StampNs) -> Shaped {
        let above = self.above.filter(|(_, above_ns)| (stamp_ns - above_ns).abs() <= GOES_ON_NS);
        let inherited = above.filter(|_| level::goes_on(&message)).map(|(level, _)| level);
        let level = inherited.or_else(|| level::of_line(&message)).unwrap_or(Level::Info);
        Shaped { level, span_name: String::new(), message, ext: Extensions::default() }
    }
}

/// The line without the escape sequences by which a terminal is told colors.
fn without_colors(text: String) -> String {
    const START: &str = "\u{1b}[";
    if !text.contains(START) {
        return text;
    }
    let mut parts = text.split(START);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_parameter = |c: char| c.is_ascii_digit() || c == ';';
        match part.trim_start_matches(is_parameter).strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => {
                plain.push_str(START);
                plain.push_str(part);
            }
        }
    }
    plain
}

/// A line that is an object in JSON and has a message.
fn of_json(text: &str) -> Option<Shaped> {
    if !(text.starts_with('{') && text.trim_end().ends_with('}')) {
        return None;
    }
    let mut fields: Map<String, Value> = serde_json::from_str(text).ok()?;
    lift(&mut fields, "fields");
    let message = take_text(&mut fields, &MESSAGE_FIELDS)?;
    let level = take_level(&mut fields).or_else(|| level::of_line(&message));
    let span_name = take_span(&mut fields);
    let logger = take_text(&mut fields, &LOGGER_FIELDS);
    let mut rest: BTreeMap<String, Value> = fields.into_iter().collect();
    if let Some(logger) = logger {
        rest.insert("logger".into(), logger.into());
    }
    let level = level.unwrap_or(Level::Info);
    Some(Shaped { level, span_name, message, ext: Extensions((!rest.is_empty()).then_some(rest)) })
}

/// Moves the fields of an object inside up, as `tracing` has them in `fields`.
fn lift(fields: &mut Map<String, Value>, name: &str) {
    if !fields.get(name).is_some_and(Value::is_object) {
        return;
    }
    if let Some(Value::Object(inner)) = fields.remove(name) {
        for (name, value) in inner {
            fields.entry(name).or_insert(value);
        }
    }
}

fn take_text(fields: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let name = names.iter().find(|name| fields.get(**name).is_some_and(Value::is_string))?;
    match fields.remove(*name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The level, in words or in numbers; a field that says none stays.
fn take_level(fields: &mut Map<String, Value>) -> Option<Level> {
    let of = |value: &Value| match value {
        Value::String(word) => level::of_word(word),
        Value::Number(number) => level::of_number(number.as_f64()?),
        _ => None,
    };
    let (name, level) =
        LEVEL_FIELDS.iter().find_map(|name| Some((*name, of(fields.get(*name)?)?)))?;
    fields.remove(name);
    Some(level)
}

/// `"span": "name"`, or `"span": {"name": ...}` with more, which stays.
fn take_span(fields: &mut Map<String, Value>) -> String {
    match fields.get_mut("span") {
        Some(Value::String(_)) => take_text(fields, &["span"]).unwrap_or_default(),
        Some(Value::Object(span)) => {
            let name = take_text(span, &["name"]).unwrap_or_default();
            if span.is_empty() {
                fields.remove("span");
            }
            name
        }
        _ => take_text(fields, &["span_name"]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(stamp_ns: StampNs, text: &str) -> Line {
        Line { stamp_ns, check: 0, text: text.into(), cut_bytes: 0 }
    }

    fn shaped(text: &str) -> Shaped {
        Shaper::new(true).shape(line(0, text))
    }

    fn check(text: &str, level: Level, span_name: &str, message: &str, rest: Value) {
        let Value::Object(rest) = rest else { panic!("fields") };
        let rest: BTreeMap<String, Value> = rest.into_iter().collect();
        let ext = Extensions((!rest.is_empty()).then_some(rest));
        let (span_name, message) = (span_name.into(), message.into());
        assert_eq!(shaped(text), Shaped { level, span_name, message, ext }, "{text}");
    }

    #[test]
    fn lines_in_json_are_read_and_nothing_of_them_is_lost() {
        check(
            r#"{"timestamp":"2026-11-24T13:37:32Z","level":"WARN","fields":{"message":"slow","ms":7},"target":"app::db","span":{"name":"add_node","id":3}}"#,
            Level::Warn,
            "add_node",
            "slow",
            json!({
                "timestamp": "2026-11-24T13:37:32Z", "ms": 7, "logger": "app::db",
                "span": {"id": 3},
            }),
        );
        check(r#"{"level":50,"msg":"no","pid":1}"#, Level::Error, "", "no", json!({"pid": 1}));
        check(r#"{"severity":"ERROR","message":"no"}"#, Level::Error, "", "no", json!({}));
        check(r#"{"msg":"x","level":"odd"}"#, Level::Info, "", "x", json!({"level": "odd"}));
        check(r#"{"a":1}"#, Level::Info, "", r#"{"a":1}"#, json!({}));
        check(r#"{"msg":"cut o"#, Level::Info, "", r#"{"msg":"cut o"#, json!({}));
    }

    #[test]
    fn what_goes_on_has_the_level_of_what_it_goes_on_with() {
        let mut shaper = Shaper::new(true);
        let mut level = |stamp_ns, text| shaper.shape(line(stamp_ns, text)).level;
        assert_eq!(level(0, "ERROR no"), Level::Error);
        assert_eq!(level(1, "  at a"), Level::Error);
        assert_eq!(level(2, "Caused by: x"), Level::Error);
        assert_eq!(level(3, "fine"), Level::Info);
        assert_eq!(level(4, "  fine too"), Level::Info);
        assert_eq!(level(5, "WARN odd"), Level::Warn);
        assert_eq!(level(5 + 2 * SECOND_NS, "  much later"), Level::Info);
    }

    #[test]
    fn colors_are_no_part_of_a_line() {
        let colored =
            shaped("\u{1b}[2m2026-11-24T13:37:32Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m odd \u{1b}[x");
        assert_eq!(colored.message, "2026-11-24T13:37:32Z  WARN odd \u{1b}[x");
        assert_eq!(colored.level, Level::Warn);
    }

    #[test]
    fn a_line_that_was_cut_says_how_much_is_missing() {
        let cut = Shaper::new(true).shape(Line { cut_bytes: 7, ..line(0, "x") });
        assert_eq!(cut.ext.0.expect("a field")["cut_bytes"], 7);
    }

    #[test]
    fn a_private_key_over_many_lines_is_taken_out() {
        let mut shaper = Shaper::new(true);
        let mut message = |text| shaper.shape(line(0, text)).message;
        assert_eq!(message("-----BEGIN RSA PRIVATE KEY-----"), redact::REDACTED);
        assert_eq!(message("MIIEowIBAAKCAQEA7"), redact::REDACTED);
        assert_eq!(message("-----END RSA PRIVATE KEY-----"), redact::REDACTED);
        assert_eq!(message("done"), "done");
    }
}
