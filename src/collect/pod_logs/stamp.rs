//! The time in front of each line, as the node noted it.

use jiff::Timestamp;

use crate::event::Millis;

/// Nanoseconds since 1970.
pub type StampNs = i64;

/// One second.
pub const SECOND_NS: StampNs = 1_000_000_000;

/// A time takes 20 bytes at least and 35 at most.
const STAMP_BYTES_MAX: usize = 35;

/// The time (RFC 3339, up to nanoseconds) in front of a line, and the line behind it.
pub fn split(line: &[u8]) -> Option<(StampNs, &[u8])> {
    let end = line.iter().take(STAMP_BYTES_MAX + 1).position(|b| *b == b' ');
    // An empty line may come without its blank.
    let end = end.or_else(|| (line.len() <= STAMP_BYTES_MAX).then_some(line.len()))?;
    let text = std::str::from_utf8(&line[..end]).ok()?;
    let stamp: Timestamp = text.parse().ok()?;
    let stamp_ns = i64::try_from(stamp.as_nanosecond()).ok()?;
    Some((stamp_ns, line.get(end + 1..).unwrap_or_default()))
}

/// The time of an object's field; `None` where it is none.
pub fn of_text(text: &str) -> Option<StampNs> {
    let stamp: Timestamp = text.parse().ok()?;
    i64::try_from(stamp.as_nanosecond()).ok()
}

/// As the events tell times.
pub fn millis(stamp_ns: StampNs) -> Millis {
    stamp_ns as Millis / 1e6
}

/// As the events tell times, to nanoseconds.
pub fn from_millis(time: Millis) -> StampNs {
    (time * 1e6) as StampNs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_to_the_nanosecond_and_in_any_zone() {
        let check = |line: &str, expected: Option<(StampNs, &str)>| {
            let found = split(line.as_bytes());
            assert_eq!(found, expected.map(|(ns, rest)| (ns, rest.as_bytes())), "{line}");
        };
        check("1970-01-01T00:00:01.000000002Z a b", Some((1_000_000_002, "a b")));
        check("1970-01-01T02:00:01+02:00 ", Some((SECOND_NS, "")));
        check("1970-01-01T00:00:01Z", Some((SECOND_NS, "")));
        check("unable to retrieve container logs for x", None);
        check("1970-01-01 a", None);
        check("", None);
    }
}
