//! Takes credentials, and whatever else an admin names, out of every text of an event, names of
//! entities included.

use regex::Regex;

use crate::{
    event::{Event, Text},
    redact::Rules,
};

/// What to take out beside credentials, and how much was taken out so far.
#[derive(Debug)]
pub struct Redaction {
    rules: Rules,
    /// Texts that were changed.
    pub changed: u64,
}

impl Redaction {
    /// Takes out what matches one of these, and what looks like a credential.
    pub fn new(patterns: Vec<Regex>) -> Redaction {
        Redaction { rules: Rules::with_patterns(patterns), changed: 0 }
    }

    /// Redacts an event in place; says whether anything was changed.
    pub fn event(&mut self, event: &mut Event) -> bool {
        let before = self.changed;
        let Redaction { rules, changed } = self;
        event.texts(&mut |text| {
            let is_changed = match text {
                Text::Plain(text) | Text::Name(text) => rules.plain(text),
                Text::Json(text) => rules.json(text),
                Text::Value(value) => rules.value(value),
            };
            *changed += u64::from(is_changed);
        });
        self.changed > before
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
        redaction("nothing").rules.json(&mut json);
        assert_eq!(json, r#"{ "b": 1.0,  "a": 2 }"#);
        assert!(redaction("ERROR").event(&mut event), "the message, not the level");
    }
}
