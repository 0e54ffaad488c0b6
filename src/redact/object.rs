//! Takes credentials out of JSON: objects of the cluster, whose names are chosen with care, and
//! what applications tell, whose fields may be named anything.

use serde_json::{Map, Value};

use super::{REDACTED, Rules, names::Care};

/// JSON inside of an annotation, inside of JSON: deeper is no object of anybody.
const NESTED_MAX: u8 = 4;

/// Redacts JSON in place; says whether anything was changed.
pub fn redact(value: &mut Value, rules: &Rules) -> bool {
    let is_of_cluster = value.get("apiVersion").is_some_and(Value::is_string)
        && value.get("kind").is_some_and(Value::is_string);
    let care = if is_of_cluster { Care::Chosen } else { Care::Anywhere };
    let mut walk = Walk { rules, care, nested: 0, is_changed: false };
    walk.value(value);
    walk.is_changed
}

struct Walk<'a> {
    rules: &'a Rules,
    /// Whose JSON it is.
    care: Care,
    nested: u8,
    is_changed: bool,
}

impl Walk<'_> {
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.value(item));
                self.flag_values(items);
            }
            Value::Object(fields) => self.fields(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &mut String) {
        self.is_changed |= self.rules.plain(text);
    }

    fn fields(&mut self, fields: &mut Map<String, Value>) {
        self.named_value(fields);
        if self.care == Care::Anywhere {
            self.values_by_name(fields, Care::Anywhere);
        }
        for (name, field) in fields.iter_mut() {
            match (name.as_str(), &mut *field) {
                ("annotations" | "data", Value::Object(named)) if self.care == Care::Chosen => {
                    self.values_by_name(named, Care::Chosen);
                    named.values_mut().for_each(|value| self.nested_json(value));
                }
                _ => {}
            }
            self.value(field);
        }
        if !self.rules.patterns.is_empty() {
            self.names_of(fields);
        }
    }

    /// What an admin names may stand in the name of a field.
    fn names_of(&mut self, fields: &mut Map<String, Value>) {
        let renamed = std::mem::take(fields).into_iter().map(|(mut name, field)| {
            self.text(&mut name);
            (name, field)
        });
        *fields = renamed.collect();
    }

    /// An environment variable, and whatever else has the form `{"name": ..., "value": ...}`.
    fn named_value(&mut self, fields: &mut Map<String, Value>) {
        let name = fields.get("name").and_then(Value::as_str);
        let is_telling = name.is_some_and(|name| self.rules.names.tell(name, Care::Chosen));
        if let (true, Some(Value::String(value))) = (is_telling, fields.get_mut("value")) {
            self.take_out(value);
        }
    }

    fn values_by_name(&mut self, fields: &mut Map<String, Value>, care: Care) {
        for (name, value) in fields {
            // The part before the slash is a domain, and says nothing about the value.
            let name = name.rsplit('/').next().unwrap_or(name);
            if let (Value::String(value), true) = (value, self.rules.names.tell(name, care)) {
                self.take_out(value);
            }
        }
    }

    /// JSON that stands as text in an annotation or in a file of a ConfigMap.
    fn nested_json(&mut self, value: &mut Value) {
        let Value::String(text) = value else { return };
        if self.nested == NESTED_MAX || !text.trim_start().starts_with(['{', '[']) {
            return;
        }
        let Ok(mut inner) = serde_json::from_str::<Value>(text) else { return };
        let is_of_cluster = inner.get("apiVersion").is_some_and(Value::is_string);
        let care = if is_of_cluster { Care::Chosen } else { Care::Anywhere };
        let nested = self.nested + 1;
        let mut walk = Walk { rules: self.rules, care, nested, is_changed: false };
        walk.value(&mut inner);
        if walk.is_changed {
            *text = inner.to_string();
            self.is_changed = true;
        }
    }

    /// `--password=x` and `--password x` among the items of a command line.
    fn flag_values(&mut self, items: &mut [Value]) {
        let mut is_value = false;
        for item in items {
            let Value::String(text) = item else { return };
            if is_value && !text.starts_with('-') {
                self.take_out(text);
                is_value = false;
                continue;
            }
            is_value = false;
            let Some(flag) = text.strip_prefix('-') else { continue };
            match flag.split_once('=') {
                Some((name, value)) if self.rules.names.tell(name, Care::Chosen) => {
                    if value != REDACTED {
                        // One dash was stripped.
                        *text = format!("-{name}={REDACTED}");
                        self.is_changed = true;
                    }
                }
                Some(_) => {}
                None => is_value = self.rules.names.tell(flag, Care::Chosen),
            }
        }
    }

    fn take_out(&mut self, value: &mut String) {
        if !value.is_empty() && value != REDACTED {
            REDACTED.clone_into(value);
            self.is_changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(mut value: Value) -> Value {
        Rules::default().value(&mut value);
        value
    }

    #[test]
    fn environment_annotations_and_flags_lose_their_values_by_name() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"annotations": {
                "example.com/token": "abc", "secret.example.com/owner": "me",
            }},
            "spec": {"containers": [{
                "args": ["--password=x", "--token", "y", "--verbose", "file", "--api-key", "--next"],
                "env": [
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                    {"name": "DB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "t"}}},
                    {"name": "LEVEL", "value": "info"},
                ],
            }]},
        });
        let expected = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"annotations": {
                "example.com/token": REDACTED, "secret.example.com/owner": "me",
            }},
            "spec": {"containers": [{
                "args": [
                    "--password=[redacted]", "--token", REDACTED, "--verbose", "file",
                    "--api-key", "--next",
                ],
                "env": [
                    {"name": "DB_PASSWORD", "value": REDACTED},
                    {"name": "DB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "t"}}},
                    {"name": "LEVEL", "value": "info"},
                ],
            }]},
        });
        assert_eq!(redacted(pod), expected);
    }

    #[test]
    fn json_in_an_annotation_is_redacted_inside() {
        let inner = json!({
            "apiVersion": "v1", "kind": "Pod",
            "spec": {"containers": [{"env": [{"name": "TOKEN", "value": "t0p"}], "image": "a"}]},
        });
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"annotations": {
                "example.com/spec": inner.to_string(),
                "example.com/config": r#"{"user":"me","password":"hunter2"}"#,
                "example.com/plain": "{not json",
            }},
        });
        let redacted = redacted(service);
        let annotations = &redacted["metadata"]["annotations"];
        assert!(!annotations.to_string().contains("t0p"), "{annotations}");
        assert_eq!(annotations["example.com/config"], r#"{"password":"[redacted]","user":"me"}"#);
        assert_eq!(annotations["example.com/plain"], "{not json");
    }

    #[test]
    fn fields_of_applications_lose_their_values_by_name() {
        let entry =
            json!([{"id": "7", "key": "map:7", "passwordHash": "x", "auth": {"apiKey": "k"}}]);
        let expected = json!([{
            "id": "7", "key": "map:7", "passwordHash": REDACTED, "auth": {"apiKey": REDACTED},
        }]);
        assert_eq!(redacted(entry), expected);
    }
}
