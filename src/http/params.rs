//! Queries of requests: decoded once, read by name, refused by name.
//!
//! An empty value counts as absent, so that a form may send all of its fields. Names that nobody
//! reads are ignored.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{
    error::Error,
    limits::{ROWS_DEFAULT, ROWS_MAX},
};
use crate::{
    event::Level,
    journal::{Seq, Text},
};

/// The largest number that JSON readers hold exactly; `seq` stays below it.
const SEQ_MAX: u64 = (1 << 53) - 1;

/// A moment, as `at=` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The state after this event.
    Seq(Seq),
    /// The state at this time, nanoseconds since 1970.
    TimeNs(i64),
}

/// The parameters of one request.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query; what is not UTF-8 is replaced, never refused.
    pub(super) fn parse(query: &str) -> Params {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Params(pairs.collect())
    }

    /// A parameter that has a value; the first where it is given more than once.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, value)| given == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter as an owned text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A sequence number.
    pub(super) fn seq(&self, name: &'static str) -> Result<Option<Seq>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let refusal = || bad(name, "must be a sequence number: digits, below 2^53");
        seq_of(value).map(Some).ok_or_else(refusal)
    }

    /// How many rows. A larger number than [`ROWS_MAX`] gets that many, and `next` says that there
    /// are more.
    pub(super) fn limit(&self) -> Result<usize, Error> {
        self.limit_or(ROWS_DEFAULT)
    }

    /// How many rows, where a list has a default of its own.
    pub(super) fn limit_or(&self, default: usize) -> Result<usize, Error> {
        let Some(value) = self.get("limit") else { return Ok(default) };
        match value.parse::<usize>() {
            Ok(limit) if limit > 0 => Ok(limit.min(ROWS_MAX)),
            _ => Err(bad("limit", "must be a number of rows, at least 1")),
        }
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| bad(name, "must be true or false"))
    }

    /// A level.
    pub(super) fn level(&self) -> Result<Option<Level>, Error> {
        let Some(value) = self.get("level") else { return Ok(None) };
        let level = Level::parse(value);
        level
            .map(Some)
            .ok_or_else(|| bad("level", "must be one of error, warn, info, debug, trace"))
    }

    /// A text to search for.
    pub(super) fn search(&self, name: &'static str) -> Result<Option<Text>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = Text::new(value);
        text.map(Some).ok_or_else(|| bad(name, "is too long to search for"))
    }

    /// The moment that is asked for; `None` for the present.
    pub(super) fn at(&self) -> Result<Option<At>, Error> {
        let Some(value) = self.get("at") else { return Ok(None) };
        if value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(self.seq("at")?.map(At::Seq));
        }
        // A plus sign that was not encoded has become a space; a time has no other use for one.
        let time: Result<jiff::Timestamp, _> = value.replace(' ', "+").parse();
        let time_ns = time.ok().and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        let refusal = "must be a sequence number or an RFC 3339 time such as 2026-01-31T06:12:03Z";
        time_ns.map(|ns| Some(At::TimeNs(ns))).ok_or_else(|| bad("at", refusal))
    }

    /// Whether `at` is given at all, sensible or not.
    pub(super) fn names_a_moment(&self) -> bool {
        self.0.iter().any(|(name, _)| name == "at")
    }
}

/// A sequence number: digits, below 2^53.
pub(super) fn seq_of(text: &str) -> Option<Seq> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|seq| plain && *seq <= SEQ_MAX)
}

/// A refusal that names the parameter.
pub(super) fn bad(name: &'static str, reason: &str) -> Error {
    Error::BadParameter { name, reason: reason.to_owned() }
}

/// Decodes a part of a query.
fn decode(part: &str) -> String {
    let spaced: Cow<'_, str> =
        if part.contains('+') { part.replace('+', " ").into() } else { part.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Decodes one segment of a path.
pub(super) fn decode_path(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_absent_and_odd_bytes_do_no_harm() {
        let params = Params::parse("limit=&q=a%00%ff%2&&=x&level=Warn&before=7&%71=later");
        assert_eq!(params.limit().unwrap(), ROWS_DEFAULT);
        assert_eq!(params.get("q"), Some("a\0\u{fffd}%2"));
        assert_eq!(params.level().unwrap(), Some(Level::Warn));
        assert_eq!(params.seq("before").unwrap(), Some(7));
        assert!(Params::parse("").get("q").is_none());
    }

    #[test]
    fn a_page_is_no_larger_than_its_bound() {
        assert_eq!(Params::parse("limit=7").limit().unwrap(), 7);
        assert_eq!(Params::parse("limit=1000000").limit().unwrap(), ROWS_MAX);
        assert_eq!(Params::parse("").limit_or(5).unwrap(), 5);
    }

    #[test]
    fn a_bad_value_is_refused_by_name() {
        let check = |query: &str| {
            let params = Params::parse(query);
            let refused = params.limit().err().or(params.seq("before").err());
            let refused = refused.or(params.level().err()).or(params.at().err());
            match refused {
                Some(Error::BadParameter { name, .. }) => name,
                other => panic!("{query}: {other:?}"),
            }
        };
        assert_eq!(check("limit=0"), "limit");
        assert_eq!(check("limit=many"), "limit");
        assert_eq!(check("limit=-1"), "limit");
        assert_eq!(check("before=9007199254740992"), "before");
        assert_eq!(check("before=1.5"), "before");
        assert_eq!(check("level=loud"), "level");
        assert_eq!(check("at=yesterday"), "at");
        assert_eq!(check("at=99999999999999999999"), "at");
        assert_eq!(check("at=9999-12-31T00:00:00Z"), "at");
    }

    #[test]
    fn a_moment_is_a_number_or_a_time() {
        let at = |query: &str| Params::parse(query).at().unwrap();
        assert_eq!(at("at=0"), Some(At::Seq(0)));
        assert_eq!(at("at=1970-01-01T00:00:01Z"), Some(At::TimeNs(1_000_000_000)));
        assert_eq!(at("at=1970-01-01T02:00:01+02:00"), Some(At::TimeNs(1_000_000_000)));
        assert_eq!(at("at=1970-01-01T02:00:01%2B02:00"), Some(At::TimeNs(1_000_000_000)));
        assert_eq!(at("at="), None);
    }
}
