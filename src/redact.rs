//! Takes out what looks like a credential: before anything is sent to the recorder, and once more
//! before a part of the journal is given away.
//!
//! It looks at names (of environment variables, annotations and command line flags) and at values
//! that are credentials wherever they stand: bearer tokens, private keys, passwords in URLs. It can
//! only catch what looks like one; it never changes the shape of an object.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What stands in the place of a credential.
pub const REDACTED: &str = "[redacted]";

/// Whoever has these letters in their name holds a credential.
const TELLING_LETTERS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "authorization",
];

/// These only where they are a word of the name: `TLS_KEY`, but not `MONKEY`.
const TELLING_WORDS: [&str; 7] = ["key", "keys", "pass", "pwd", "auth", "pat", "creds"];

/// A name that ends in one of these is about a credential and holds none: `TOKEN_FILE`.
const HARMLESS_ENDS: [&str; 9] =
    ["file", "path", "dir", "mode", "name", "type", "ttl", "version", "url"];

/// A shorter word after `Bearer` is prose.
const BEARER_CHARS_MIN: usize = 8;

/// Redacts a whole object in place.
pub fn object(value: &mut Value) {
    match value {
        Value::String(text) => replace(text),
        Value::Array(items) => {
            items.iter_mut().for_each(object);
            flag_values(items);
        }
        Value::Object(fields) => {
            named_value(fields);
            for (name, field) in fields.iter_mut() {
                if name == "annotations" {
                    values_by_name(field);
                }
                object(field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Redacts what is a credential wherever it stands.
pub fn text(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for find in [private_key, bearer_token, url_password] {
        let mut from = 0;
        while let Some((start, end)) = find(&text, from) {
            text.to_mut().replace_range(start..end, REDACTED);
            from = start + REDACTED.len();
        }
    }
    text
}

fn replace(text: &mut String) {
    if let Cow::Owned(redacted) = self::text(text) {
        *text = redacted;
    }
}

/// An environment variable, and whatever else has the form `{"name": ..., "value": ...}`.
fn named_value(fields: &mut Map<String, Value>) {
    let telling = fields.get("name").and_then(Value::as_str).is_some_and(is_telling);
    if let (true, Some(Value::String(value))) = (telling, fields.get_mut("value")) {
        REDACTED.clone_into(value);
    }
}

fn values_by_name(annotations: &mut Value) {
    let Some(fields) = annotations.as_object_mut() else { return };
    for (name, value) in fields {
        // The part before the slash is a domain, and says nothing about the value.
        let name = name.rsplit('/').next().unwrap_or(name);
        if let (true, Value::String(value)) = (is_telling(name), value) {
            REDACTED.clone_into(value);
        }
    }
}

/// `--password=x` and `--password x` among the items of a command line.
fn flag_values(items: &mut [Value]) {
    let mut is_value = false;
    for item in items {
        let Value::String(text) = item else { return };
        if is_value && !text.starts_with('-') {
            REDACTED.clone_into(text);
            is_value = false;
            continue;
        }
        is_value = false;
        let Some(flag) = text.strip_prefix('-') else { continue };
        match flag.split_once('=') {
            Some((name, _)) if is_telling(name) => {
                // One dash was stripped.
                *text = format!("-{name}={REDACTED}");
            }
            Some(_) => {}
            None => is_value = is_telling(flag),
        }
    }
}

/// Whether a thing of this name is likely to hold a credential.
fn is_telling(name: &str) -> bool {
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let words: Vec<String> = words(name).collect();
    let is_harmless = words.last().is_some_and(|end| HARMLESS_ENDS.contains(&end.as_str()));
    let is_telling = TELLING_LETTERS.iter().any(|telling| letters.contains(telling))
        || words.iter().any(|word| TELLING_WORDS.contains(&word.as_str()));
    is_telling && !is_harmless
}

/// The words of `some_name`, `some-name`, `SOME_NAME` and `someName`, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|part| {
        let mut words = vec![String::new()];
        let mut after_lower = false;
        for c in part.chars() {
            if c.is_ascii_uppercase() && after_lower {
                words.push(String::new());
            }
            after_lower = c.is_ascii_lowercase();
            let word = words.last_mut().expect("it starts with one word");
            word.push(c.to_ascii_lowercase());
        }
        words
    })
}

/// A PEM block whose label ends in `PRIVATE KEY`; to the end of the text where it is cut off.
fn private_key(text: &str, from: usize) -> Option<(usize, usize)> {
    const BEGIN: &str = "-----BEGIN ";
    const LABEL: &str = "PRIVATE KEY-----";
    const END: &str = "-----END ";
    let mut from = from;
    loop {
        let start = from + text[from..].find(BEGIN)?;
        let label = start + BEGIN.len();
        from = label;
        // The label ends with the first dashes.
        let label_end = label + text[label..].find("-----")? + 5;
        if !text[label..label_end].ends_with(LABEL) {
            continue;
        }
        let end = match text[label_end..].find(END) {
            Some(at) => {
                let after = label_end + at + END.len();
                text[after..].find("-----").map_or(text.len(), |at| after + at + 5)
            }
            None => text.len(),
        };
        return Some((start, end));
    }
}

/// The token after `Bearer `, in any case.
fn bearer_token(text: &str, from: usize) -> Option<(usize, usize)> {
    const WORD: &[u8] = b"bearer ";
    let bytes = text.as_bytes();
    let mut at = from;
    while at + WORD.len() <= bytes.len() {
        let found = bytes[at..].windows(WORD.len()).position(|w| w.eq_ignore_ascii_case(WORD))?;
        let start = at + found + WORD.len();
        let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b);
        let length = bytes[start..].iter().take_while(|b| is_token(b)).count();
        if length >= BEARER_CHARS_MIN {
            return Some((start, start + length));
        }
        at = start;
    }
    None
}

/// The password of `scheme://user:password@host`.
fn url_password(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(found) = text[at..].find("://") {
        let authority = at + found + 3;
        at = authority;
        let is_end = |c: char| c.is_whitespace() || "/?#\"'<>".contains(c);
        let end = text[authority..].find(is_end).map_or(text.len(), |found| authority + found);
        let Some(host) = text[authority..end].rfind('@').map(|found| authority + found) else {
            continue;
        };
        let Some(colon) = text[authority..host].find(':').map(|found| authority + found) else {
            continue;
        };
        let password = (colon + 1, host);
        if password.0 < password.1 && &text[password.0..password.1] != REDACTED {
            return Some(password);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_tell_of_a_credential() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "dbPassword",
            "GITHUB_TOKEN",
            "githubToken",
            "API_KEY",
            "apiKey",
            "APIKEY",
            "TLS_KEY",
            "aws-secret-access-key",
            "CREDENTIALS",
            "BASIC_AUTH",
            "Authorization",
        ] {
            assert!(is_telling(name), "{name}");
        }
        for name in
            ["PATH", "MONKEY", "keyboard", "AUTHOR", "HOSTNAME", "COMPASS", "TOKEN_FILE", ""]
        {
            assert!(!is_telling(name), "{name}");
        }
    }

    #[test]
    fn environment_annotations_and_flags_lose_their_values_by_name() {
        let mut pod = json!({
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
        object(&mut pod);
        let expected = json!({
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
        assert_eq!(pod, expected);
    }

    #[test]
    fn credentials_in_text_are_taken_out_wherever_they_stand() {
        let check = |input: &str, expected: &str| assert_eq!(text(input), expected);
        check("Authorization: Bearer abc.def-123 end", "Authorization: Bearer [redacted] end");
        check("BEARER abcdefgh", "BEARER [redacted]");
        check("the bearer of news", "the bearer of news");
        check("bearer ", "bearer ");
        check("postgres://me:pw@db:5432/x", "postgres://me:[redacted]@db:5432/x");
        check("a://u:p@h b://u:p@h", "a://u:[redacted]@h b://u:[redacted]@h");
        check("http://host:80/a@b", "http://host:80/a@b");
        check(
            "x -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- y",
            "x [redacted] y",
        );
        check("-----BEGIN PRIVATE KEY-----\nMII", "[redacted]");
        check("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII");
        check(
            "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nb",
            "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\n[redacted]",
        );
        check("-----BEGIN ", "-----BEGIN ");
        check("plain \u{e9}\u{4e16} text", "plain \u{e9}\u{4e16} text");
    }

    #[test]
    fn redacting_again_changes_nothing() {
        let once = text("Bearer abcdefgh1 postgres://a:b@c").into_owned();
        assert_eq!(text(&once), once);
    }
}
