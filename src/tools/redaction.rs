//! Takes credentials, and whatever else an admin names, out of every text of an event.

use std::borrow::Cow;

use regex::{NoExpand, Regex};
use serde_json::{Map, Value};

use crate::{
    event::{Event, Text},
    redact::{self, REDACTED},
};

/// What to take out beside credentials, and how much was taken out so far.
#[derive(Debug)]
pub struct Redaction {
    patterns: Vec<Regex>,
    /// Texts that were changed.
    pub changed: u64,
}

impl Redaction {
    /// Takes out what matches one of these, and what looks like a credential.
    pub fn new(patterns: Vec<Regex>) -> Redaction {
        Redaction { patterns, changed: 0 }
    }

    /// Redacts an event in place; says whether anything was changed.
    pub fn event(&mut self, event: &mut Event) -> bool {
        let before = self.changed;
        event.texts(&mut |text| match text {
            Text::Plain(text) => self.plain(text),
            Text::Json(text) => self.json(text),
            Text::Value(value) => self.value(value),
        });
        self.changed > before
    }

    fn plain(&mut self, text: &mut String) {
        if let Some(redacted) = self.redacted(text) {
            *text = redacted;
            self.changed += 1;
        }
    }

    /// Text that is no JSON after all is treated as what it is.
    fn json(&mut self, text: &mut String) {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return self.plain(text) };
        let before = self.changed;
        self.value(&mut value);
        if self.changed > before {
            *text = value.to_string();
        }
    }

    fn value(&mut self, value: &mut Value) {
        let mut redacted = value.clone();
        redact::object(&mut redacted);
        self.strings(&mut redacted);
        if redacted != *value {
            *value = redacted;
            self.changed += 1;
        }
    }

    fn strings(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(redacted) = self.redacted(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.strings(item)),
            Value::Object(fields) => {
                let redacted = std::mem::take(fields).into_iter().map(|(name, mut field)| {
                    self.strings(&mut field);
                    (self.redacted(&name).unwrap_or(name), field)
                });
                *fields = redacted.collect::<Map<String, Value>>();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The text without what is to be taken out; `None` where nothing is.
    fn redacted(&self, text: &str) -> Option<String> {
        let mut redacted = redact::text(text);
        for pattern in &self.patterns {
            if let Cow::Owned(replaced) = pattern.replace_all(&redacted, NoExpand(REDACTED)) {
                redacted = Cow::Owned(replaced);
            }
        }
        match redacted {
            Cow::Owned(redacted) if redacted != text => Some(redacted),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Extensions, Level, LogLine, ObjectObserved, ObjectRef};

    fn redaction(pattern: &str) -> Redaction {
        Redaction::new(vec![Regex::new(pattern).expect("the pattern is one")])
    }

    #[test]
    fn names_values_and_fields_are_redacted_wherever_they_stand() {
        let uid = "uid-1".to_owned();
        let mut event = Event::ObjectObserved(ObjectObserved {
            object: ObjectRef {
                api_version: "v1".into(),
                kind: "Pod".into(),
                namespace: "acme".into(),
                name: "acme-web".into(),
                uid,
            },
            source: "cluster/Pod".into(),
            resource_version: "1".into(),
            body: json!({"acme": ["x acme y", 1.5], "env": [{"name": "TOKEN", "value": "t"}]})
                .to_string(),
            ext: Extensions(Some([("more".to_owned(), json!({"a": "acme"}))].into())),
        });
        assert!(redaction("(?i)ACME").event(&mut event));
        let Event::ObjectObserved(event) = event else { panic!("it stays what it is") };
        assert_eq!(event.object.name, "[redacted]-web");
        let body: Value = serde_json::from_str(&event.body).expect("it stays JSON");
        let expected = json!({
            "[redacted]": ["x [redacted] y", 1.5],
            "env": [{"name": "TOKEN", "value": "[redacted]"}],
        });
        assert_eq!(body, expected);
        assert_eq!(event.ext.0.expect("it stays")["more"], json!({"a": "[redacted]"}));
    }

    #[test]
    fn what_is_not_touched_stays_byte_for_byte() {
        let mut event = Event::LogLine(LogLine {
            source: "app-server".into(),
            time: 1.0,
            level: Level::Error,
            target: "$1".into(),
            span_name: String::new(),
            message: "ERROR".into(),
            ext: Extensions::default(),
        });
        let before = event.clone();
        assert!(!redaction("nothing").event(&mut event));
        assert_eq!(event, before);
        let mut json = r#"{ "b": 1.0,  "a": 2 }"#.to_owned();
        redaction("nothing").json(&mut json);
        assert_eq!(json, r#"{ "b": 1.0,  "a": 2 }"#);
        assert!(redaction("ERROR").event(&mut event), "the message, not the level");
    }
}
