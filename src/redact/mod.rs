//! Takes out what looks like a credential: before anything is sent to the recorder, and once more
//! before a part of the journal is given away.
//!
//! It looks at names (of environment variables, annotations and command line flags) and at values
//! that are credentials wherever they stand: bearer tokens, private keys, passwords in URLs. It can
//! only catch what looks like one; it never changes the shape of an object.

mod key_block;

mod names;

mod object;

mod pairs;

mod text;

use std::borrow::Cow;

use regex::{NoExpand, Regex};
use serde_json::Value;

pub use self::key_block::KeyBlock;
use self::names::Names;
use crate::event::{Event, Text};

/// What stands in the place of a credential.
pub const REDACTED: &str = "[redacted]";

/// What is taken out.
#[derive(Debug, Clone)]
pub struct Rules {
    is_on: bool,
    names: Names,
    patterns: Vec<Regex>,
}

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadRule {
    /// It would match everything.
    #[error("an empty name or pattern matches everything; take it out")]
    Empty,
    /// The pattern is no regular expression.
    #[error("the pattern {pattern:?} is no regular expression: {}", one_line(source))]
    Pattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
}

fn one_line(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim().to_owned()
}

impl Default for Rules {
    /// What looks like a credential.
    fn default() -> Rules {
        Rules { is_on: true, names: Names::default(), patterns: Vec::new() }
    }
}

impl Rules {
    /// What looks like a credential, what one of these names names, and what matches one of these
    /// patterns; but nothing by a name that is exempt.
    ///
    /// # Errors
    /// A name or a pattern is empty, or a pattern is no regular expression.
    pub fn new(names: &[String], patterns: &[String], exempt: &[String]) -> Result<Rules, BadRule> {
        let names = Names::new(names, exempt).ok_or(BadRule::Empty)?;
        let patterns =
            patterns.iter().map(|pattern| compiled(pattern)).collect::<Result<_, _>>()?;
        Ok(Rules { is_on: true, names, patterns })
    }

    /// What looks like a credential, and what matches one of these patterns.
    pub fn with_patterns(patterns: Vec<Regex>) -> Rules {
        Rules { patterns, ..Rules::default() }
    }

    /// Nothing is taken out.
    pub fn off() -> Rules {
        Rules { is_on: false, ..Rules::default() }
    }

    /// Whether anything is taken out.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Redacts every text of an event but the names of entities and sources: under another name it
    /// would be about another entity.
    pub fn event(&self, event: &mut Event) {
        if !self.is_on {
            return;
        }
        event.texts(&mut |text| match text {
            Text::Name(_) => {}
            Text::Plain(text) => _ = self.plain(text),
            Text::Json(text) => _ = self.json(text),
            Text::Value(value) => _ = self.value(value),
        });
    }

    /// The text without what is to be taken out.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.is_on {
            return Cow::Borrowed(text);
        }
        let mut redacted = text::redacted(text, &self.names);
        for pattern in &self.patterns {
            if let Cow::Owned(replaced) = pattern.replace_all(&redacted, NoExpand(REDACTED)) {
                redacted = Cow::Owned(replaced);
            }
        }
        redacted
    }

    /// Redacts a text in place; says whether anything was changed.
    pub fn plain(&self, text: &mut String) -> bool {
        match self.text(text) {
            Cow::Owned(redacted) if redacted != *text => {
                *text = redacted;
                true
            }
            _ => false,
        }
    }

    /// Redacts JSON text in place; says whether anything was changed. Text that is no JSON after all
    /// is treated as what it is.
    pub fn json(&self, text: &mut String) -> bool {
        if text.is_empty() {
            return false;
        }
        let is_of_cluster = text.starts_with("{\"apiVersion\"");
        let is_plain = self.seems_free(text);
        if self.patterns.is_empty() && is_plain && !is_of_cluster {
            return false;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return self.plain(text) };
        let is_changed = self.value(&mut value);
        if is_changed {
            *text = value.to_string();
        }
        is_changed
    }

    /// Whether JSON text holds nothing that is to be taken out, as far as can be seen from outside.
    fn seems_free(&self, text: &str) -> bool {
        let has_odd_form = ["\\u", "\"value\"", "\"--"].iter().any(|form| text.contains(form));
        !has_odd_form && matches!(text::redacted(text, &self.names), Cow::Borrowed(_))
    }

    /// Redacts JSON in place, names of fields included; says whether anything was changed.
    pub fn value(&self, value: &mut Value) -> bool {
        self.is_on && object::redact(value, self)
    }
}

fn compiled(pattern: &str) -> Result<Regex, BadRule> {
    if pattern.is_empty() {
        return Err(BadRule::Empty);
    }
    Regex::new(pattern).map_err(|source| BadRule::Pattern {
        pattern: pattern.to_owned(),
        source: Box::new(source),
    })
}

/// A text for a log or a message, without what looks like a credential.
pub fn text(text: &str) -> Cow<'_, str> {
    text::redacted(text, &Names::default())
}
