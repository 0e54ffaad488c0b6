//! Arguments of actions: read, checked, and complained of by name.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::Error;

/// What the cluster allows for a name.
const NAME_BYTES_MAX: usize = 253;

/// A free text among the arguments stands in every list of actions.
const TEXT_BYTES_MAX: usize = 1000;

/// A refusal of one part of a request.
pub fn invalid(field: &str, problem: impl Into<String>) -> Error {
    Error::Invalid { field: field.into(), problem: problem.into() }
}

/// The arguments of an action, of which only the named ones are allowed.
pub struct Args<'a>(&'a Map<String, Value>);

impl<'a> Args<'a> {
    /// Takes a JSON object that has no other fields than `known`.
    ///
    /// # Errors
    /// It is not an object, or it has another field.
    pub fn of(args: &'a Value, known: &[&str]) -> Result<Args<'a>, Error> {
        let Some(fields) = args.as_object() else {
            return Err(invalid("args", "must be an object"));
        };
        // An argument that is misunderstood must not be ignored.
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(invalid(
                &name.chars().take(NAME_BYTES_MAX).collect::<String>(),
                format!("is not an argument of this action; it takes {}", known.join(", ")),
            )),
            None => Ok(Args(fields)),
        }
    }

    /// One of some words.
    ///
    /// # Errors
    /// It is missing, or another word.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, Error> {
        let word = self.text(name)?;
        let found = choices.iter().find(|(choice, _)| *choice == word);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
            invalid(name, format!("must be one of: {}", words.join(", ")))
        })
    }

    /// The name of an object of the cluster.
    ///
    /// # Errors
    /// It is missing, or no object can have it.
    pub fn object_name(&self, name: &str) -> Result<String, Error> {
        let text = self.text(name)?;
        let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_name = text.bytes().all(|b| is_inner(b) || b == b'-' || b == b'.')
            && text.bytes().next().is_some_and(is_inner)
            && text.bytes().last().is_some_and(is_inner)
            && text.len() <= NAME_BYTES_MAX;
        if !is_name {
            let rule = "must be a name of the cluster: lower-case letters, digits, - and .";
            return Err(invalid(name, rule));
        }
        Ok(text.to_owned())
    }

    /// A whole number within bounds, as a number or in digits.
    ///
    /// # Errors
    /// It is missing, no whole number, or out of bounds.
    pub fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<u64, Error> {
        self.optional_number(name, range)?.ok_or_else(|| invalid(name, "is missing"))
    }

    /// As [`Args::number`], if it is there.
    ///
    /// # Errors
    /// It is no whole number, or out of bounds.
    pub fn optional_number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Error> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        match number.filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let (from, to) = (range.start(), range.end());
                Err(invalid(name, format!("must be a whole number from {from} to {to}")))
            }
        }
    }

    /// A text, if it is there.
    ///
    /// # Errors
    /// It is no text, or too long.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| invalid(name, "must be a string"))?;
        if text.len() > TEXT_BYTES_MAX {
            return Err(invalid(name, format!("must not be longer than {TEXT_BYTES_MAX} bytes")));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Any JSON, if it is there.
    pub fn optional_value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<&'a str, Error> {
        match self.0.get(name) {
            None => Err(invalid(name, "is missing")),
            Some(value) => value.as_str().ok_or_else(|| invalid(name, "must be a string")),
        }
    }
}
