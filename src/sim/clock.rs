//! Times as the cluster API writes them.

use crate::event::Millis;

/// A time as the cluster API writes it: RFC 3339 in whole seconds.
pub(super) fn rfc3339(time: Millis) -> String {
    let seconds = (time / 1000.0).floor() as i64;
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_whole_seconds() {
        assert_eq!(rfc3339(0.0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_700_000_000_999.0), "2023-11-14T22:13:20Z");
    }
}
