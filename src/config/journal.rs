//! `[journal]`: how much is kept, and in files of what size.

use std::{ops::RangeInclusive, time::Duration};

use serde::Deserialize;

use crate::journal::Retention;

/// A segment holds at least a few large records, and no more than a quick replay allows.
const SEGMENT_BYTES_RANGE: RangeInclusive<u64> = (1 << 20)..=(256 << 20);

/// What a journal may take at least, bytes: a few segments, the one that is written to included.
const BYTES_MAX_RANGE: RangeInclusive<u64> = (8 << 20)..=u64::MAX;

/// How long events may be kept, hours: up to a century.
const AGE_MAX_HOURS_RANGE: RangeInclusive<u64> = 1..=(100 * 366 * 24);

/// What may be kept free, bytes.
const FREE_MIN_RANGE: RangeInclusive<u64> = 0..=(1 << 50);

/// What a source of log lines and traces may record a day, bytes; a line takes some hundred.
const SOURCE_BYTES_RANGE: RangeInclusive<u64> = (1 << 20)..=u64::MAX;

/// The section.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSection {
    pub segment_bytes: Option<u64>,
    bytes_max: Option<u64>,
    age_max_hours: Option<u64>,
    free_min_bytes: Option<u64>,
    pub source_bytes_per_day: Option<u64>,
}

impl JournalSection {
    /// What is wrong with its numbers.
    pub fn fault(&self) -> Option<String> {
        let numbers = [
            ("segment_bytes", self.segment_bytes, SEGMENT_BYTES_RANGE),
            ("bytes_max", self.bytes_max, BYTES_MAX_RANGE),
            ("age_max_hours", self.age_max_hours, AGE_MAX_HOURS_RANGE),
            ("free_min_bytes", self.free_min_bytes, FREE_MIN_RANGE),
            ("source_bytes_per_day", self.source_bytes_per_day, SOURCE_BYTES_RANGE),
        ];
        let is_off = |(_, given, range): &(&str, Option<u64>, RangeInclusive<u64>)| {
            given.is_some_and(|given| !range.contains(&given))
        };
        let (name, _, range) = numbers.into_iter().find(is_off)?;
        Some(match *range.end() {
            u64::MAX => format!("{name} must be at least {}", range.start()),
            end => format!("{name} must lie between {} and {end}", range.start()),
        })
    }

    /// How much is kept.
    pub fn keep(&self) -> Retention {
        Retention {
            bytes_max: self.bytes_max,
            age_max: self.age_max_hours.map(|hours| Duration::from_secs(hours * 3600)),
            free_min: self.free_min_bytes,
        }
    }
}
