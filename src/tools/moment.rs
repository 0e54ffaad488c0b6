//! A moment on the command line, in the words of `at=`: digits are a sequence number, RFC 3339 is a
//! time.

use std::str::FromStr;

use crate::journal::{Reader, Seq};

/// A moment as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An event's number.
    Seq(Seq),
    /// Nanoseconds since 1970.
    TimeNs(i64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seq = text.parse().map_err(|_| "is no sequence number: it is too large")?;
            return Ok(Moment::Seq(seq));
        }
        let time: Option<jiff::Timestamp> = text.parse().ok();
        let time_ns = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        time_ns.map(Moment::TimeNs).ok_or_else(|| {
            "is neither a sequence number nor a time such as 2026-01-31T06:12:03Z".to_owned()
        })
    }
}

impl Moment {
    /// The first event at or after it.
    pub fn first(self, reader: &Reader) -> Seq {
        match self {
            Moment::Seq(seq) => seq,
            Moment::TimeNs(time_ns) => match reader.seq_at(time_ns.saturating_sub(1)) {
                Some(before) => before.saturating_add(1),
                None => reader.positions().first_seq,
            },
        }
    }

    /// The last event at or before it.
    pub fn last(self, reader: &Reader) -> Seq {
        match self {
            Moment::Seq(seq) => seq,
            Moment::TimeNs(time_ns) => {
                let before_all = || reader.positions().first_seq.saturating_sub(1);
                reader.seq_at(time_ns).unwrap_or_else(before_all)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_number_or_a_time() {
        assert_eq!("17".parse(), Ok(Moment::Seq(17)));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Moment::TimeNs(1_000_000_000)));
        assert_eq!("1970-01-01T02:00:01+02:00".parse(), Ok(Moment::TimeNs(1_000_000_000)));
        for text in ["", "yesterday", "-1", "99999999999999999999", "9999-12-31T00:00:00Z"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
