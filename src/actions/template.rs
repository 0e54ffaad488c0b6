//! Texts with places: `{args.NAME}` is an argument of the runbook, `{secret.NAME}` a secret. Every
//! other brace is itself, so that JSON needs no escaping.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a part of a URL as it is.
const KEPT_IN_URL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What fills the places.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// Arguments by name.
    pub args: BTreeMap<String, String>,
    /// Secrets by name; in a text that is only shown, their masks.
    pub secrets: BTreeMap<String, String>,
}

/// How a value is written where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// In a part of a URL.
    Url,
    /// Inside of a JSON string.
    Json,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// `{args.NAME}`
    Arg(&'a str),
    /// `{secret.NAME}`
    Secret(&'a str),
}

/// The places of a text, in order.
pub fn places(text: &str) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    visit(text, |_| {}, |place| places.push(place));
    places
}

/// Fills the places of a text. What has no value stays as it is written.
pub fn fill(text: &str, values: &Values, form: Form) -> String {
    let out = std::cell::RefCell::new(String::with_capacity(text.len()));
    visit(
        text,
        |plain| out.borrow_mut().push_str(plain),
        |place| {
            let value = match place {
                Place::Arg(name) => values.args.get(name),
                Place::Secret(name) => values.secrets.get(name),
            };
            let written = value.map(|value| written(value, form));
            out.borrow_mut().push_str(&written.unwrap_or_else(|| format!("{place}")));
        },
    );
    out.into_inner()
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Arg(name) => write!(f, "{{args.{name}}}"),
            Place::Secret(name) => write!(f, "{{secret.{name}}}"),
        }
    }
}

fn visit<'a>(text: &'a str, mut plain: impl FnMut(&'a str), mut place: impl FnMut(Place<'a>)) {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let found = place_at(&rest[at..]);
        let end = found.map_or(at + 1, |(_, length)| at + length);
        match found {
            Some((found, _)) => {
                plain(&rest[..at]);
                place(found);
            }
            None => plain(&rest[..end]),
        }
        rest = &rest[end..];
    }
    plain(rest);
}

/// The place that a text begins with, and how long it is.
fn place_at(text: &str) -> Option<(Place<'_>, usize)> {
    let end = text.find('}')?;
    let (sort, name) = text[1..end].split_once('.')?;
    if !is_name(name) {
        return None;
    }
    let place = match sort {
        "args" => Place::Arg(name),
        "secret" => Place::Secret(name),
        _ => return None,
    };
    Some((place, end + 1))
}

/// Whether arguments, secrets and procedures may have this name.
pub fn is_name(name: &str) -> bool {
    /// It stands in lists and on buttons.
    const NAME_BYTES_MAX: usize = 64;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(fits)
}

fn written(value: &str, form: Form) -> String {
    match form {
        Form::Plain => value.to_owned(),
        Form::Url => utf8_percent_encode(value, KEPT_IN_URL).to_string(),
        Form::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let pair = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Values { args: pair("who", "a \"b\"/c"), secrets: pair("key", "s3cret") }
    }

    #[test]
    fn places_are_filled_in_the_form_that_their_text_has() {
        let values = values();
        let text = r#"{"who": "{args.who}", "k": "{secret.key}"}"#;
        let filled = fill(text, &values, Form::Json);
        let json: serde_json::Value = serde_json::from_str(&filled).unwrap();
        assert_eq!(
            (&json["who"], &json["k"]),
            (&values.args["who"].clone().into(), &"s3cret".into())
        );
        assert_eq!(fill("/x/{args.who}", &values, Form::Url), "/x/a%20%22b%22%2Fc");
        assert_eq!(fill("-u{args.who}", &values, Form::Plain), "-ua \"b\"/c");
    }

    #[test]
    fn other_braces_stay() {
        for text in ["{", "}", "{}", "{{args.x", "{args}", "{other.x}", "{args.}", "{args.a b}"] {
            assert_eq!(fill(text, &values(), Form::Plain), text);
            assert_eq!(places(text), []);
        }
        assert_eq!(places("{{args.a}{secret.b}"), [Place::Arg("a"), Place::Secret("b")]);
    }

    #[test]
    fn a_value_is_not_looked_at_for_places() {
        let args = BTreeMap::from([("a".to_owned(), "{secret.key}".to_owned())]);
        let filled = fill("{args.a}", &Values { args, ..values() }, Form::Plain);
        assert_eq!(filled, "{secret.key}");
    }
}
