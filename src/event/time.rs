//! Times: how they are told, and what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// A time in milliseconds since 1970-01-01T00:00:00Z, or a duration in milliseconds; fractional.
pub type Millis = f64;

/// The present time, nanoseconds since 1970; 0 for a clock before that.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The present time.
pub fn now() -> Millis {
    millis(now_ns())
}

/// A time in nanoseconds since 1970, as a record's header tells it.
pub fn millis(time_ns: i64) -> Millis {
    time_ns as f64 / 1e6
}
