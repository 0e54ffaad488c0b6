//! `Range`, `If-Range` and `If-Match`: which bytes of a download are wanted.

use hyper::{
    HeaderMap,
    header::{HeaderName, IF_MATCH, IF_RANGE, RANGE},
};

use super::error::Error;

/// Which bytes to send; both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them.
    Whole,
    /// One range that lies within.
    Part { first: u64, last: u64 },
}

/// Reads the headers of a request for `len` bytes whose strong entity tag, quotes included, is `etag`.
///
/// Several ranges get the whole, as the protocol allows. So does a unit other than bytes.
///
/// # Errors
/// `If-Match` names something else, or the range is none or lies outside.
pub(super) fn wanted(headers: &HeaderMap, len: u64, etag: &str) -> Result<Wanted, Error> {
    if text(headers, IF_MATCH).is_some_and(|tags| !names(tags, etag)) {
        return Err(Error::Changed { reason: "If-Match names another version" });
    }
    // A date in If-Range never equals an entity tag: it gets the whole.
    if text(headers, IF_RANGE).is_some_and(|tag| tag.trim() != etag) {
        return Ok(Wanted::Whole);
    }
    match text(headers, RANGE) {
        Some(range) => parse(range, len),
        None => Ok(Wanted::Whole),
    }
}

/// Whether a part is asked for without saying of which version: such a part may be put together
/// with parts of another.
pub(super) fn is_bare(headers: &HeaderMap) -> bool {
    headers.contains_key(RANGE) && !headers.contains_key(IF_RANGE)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}

/// Whether a list of entity tags names this one.
pub(super) fn names(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag)
}

fn parse(range: &str, len: u64) -> Result<Wanted, Error> {
    let Some((unit, ranges)) = range.split_once('=') else { return Err(Error::BadRange { len }) };
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return Ok(Wanted::Whole);
    }
    one(ranges.trim(), len).ok_or(Error::BadRange { len })
}

fn one(range: &str, len: u64) -> Option<Wanted> {
    let (first, last) = range.split_once('-')?;
    let end = len.checked_sub(1)?;
    let (first, last) = if first.is_empty() {
        let count = number(last)?.min(len);
        (len - count, end)
    } else if last.is_empty() {
        (number(first)?, end)
    } else {
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return None;
        }
        (first, last.min(end))
    };
    (first <= last).then_some(Wanted::Part { first, last })
}

/// Digits alone; more than fit are as good as endless.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, expected: Option<(u64, u64)>) {
        let got = match parse(range, 100) {
            Ok(Wanted::Part { first, last }) => Some((first, last)),
            Ok(Wanted::Whole) => panic!("{range} gave the whole"),
            Err(_) => None,
        };
        assert_eq!(got, expected, "{range}");
    }

    #[test]
    fn one_range_is_cut_to_the_length() {
        check("bytes=0-0", Some((0, 0)));
        check("bytes=0-", Some((0, 99)));
        check("bytes=99-", Some((99, 99)));
        check("bytes=-1", Some((99, 99)));
        check("bytes=-1000", Some((0, 99)));
        check("bytes=10-99999999999999999999999", Some((10, 99)));
        check("BYTES= 5-6", Some((5, 6)));
    }

    #[test]
    fn what_is_no_range_or_lies_outside_is_refused() {
        for range in [
            "bytes=100-",
            "bytes=-0",
            "bytes=6-5",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes",
            "bytes=+1-2",
        ] {
            check(range, None);
        }
        assert!(parse("bytes=0-", 0).is_err());
        assert!(parse("bytes=-5", 0).is_err());
    }

    #[test]
    fn several_ranges_and_other_units_get_the_whole() {
        assert_eq!(parse("bytes=0-1,5-6", 100).unwrap(), Wanted::Whole);
        assert_eq!(parse("lines=1-2", 100).unwrap(), Wanted::Whole);
    }

    #[test]
    fn a_range_of_another_version_gets_the_whole_or_is_refused() {
        let with = |name: HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, "bytes=1-2".parse().unwrap());
            headers.insert(name, value.parse().unwrap());
            wanted(&headers, 100, "\"a\"")
        };
        let part = Wanted::Part { first: 1, last: 2 };
        assert_eq!(with(IF_RANGE, "\"a\"").unwrap(), part);
        assert_eq!(with(IF_RANGE, "\"b\"").unwrap(), Wanted::Whole);
        assert_eq!(with(IF_RANGE, "W/\"a\"").unwrap(), Wanted::Whole);
        assert_eq!(with(IF_MATCH, "\"b\", \"a\"").unwrap(), part);
        assert_eq!(with(IF_MATCH, "*").unwrap(), part);
        assert!(matches!(with(IF_MATCH, "\"b\""), Err(Error::Changed { .. })));
    }
}
