//! The journal itself: its segments, how far it reaches, what recovery found, and the volume that it
//! is on.

use std::{path::Path, time::Instant};

use serde_json::Value;

use super::ok;
use crate::{
    event::{Millis, now},
    http::{
        Surface,
        body::Response,
        convert,
        error::Error,
        limits::LIST_TIME,
        wire::{self, Reach},
    },
    journal::{Reader, Recovery},
    recorder::Health,
    views::read::{self, Window},
};

/// Events about the journal's upkeep that are shown.
const UPKEEP_MAX: usize = 20;

/// The present rate is that of the segments started within this time.
const RATE_MS: Millis = 6.0 * HOUR_MS;

/// A rate over less than this says nothing.
const RATE_MIN_MS: Millis = 60_000.0;

const HOUR_MS: Millis = 3_600_000.0;

/// Segments, positions, reach, recovery report and volume. Needs no views: it answers during a
/// replay.
#[utoipa::path(get, path = "/api/journal", responses((status = 200, body = wire::Journal)))]
pub(in crate::http) async fn journal(surface: &Surface) -> Result<Response, Error> {
    let reader = surface.journal()?;
    let health = surface.desk.published.health.load_full();
    let data_dir = surface.desk.data_dir.clone();
    let answer = move || ok(&shape(&reader, &health, data_dir.as_deref())?);
    surface.queries.run(answer).await?
}

fn shape(
    reader: &Reader,
    health: &Health,
    data_dir: Option<&Path>,
) -> Result<wire::Journal, Error> {
    let volume = data_dir.and_then(|dir| rustix::fs::statvfs(dir).ok());
    let recovery = health.recovery.as_deref();
    let left_alone = recovery.map_or(&[][..], |found| &found.left_alone);
    let segments: Vec<_> = reader.segments().into_iter().map(convert::segment).collect();
    let limits = data_dir.map_or_else(wire::Limits::default, |_| convert::limits(&health.limits));
    let until = Some(Instant::now() + LIST_TIME);
    let window = Window { until, ..Window::newest(UPKEEP_MAX) };
    let upkeep = read::upkeep(reader, window)?;
    Ok(wire::Journal {
        journal: convert::journal(&reader.positions()),
        reach: reach(&segments, &limits, now()),
        limits,
        segments,
        left_alone: left_alone.iter().map(convert::left_alone).collect(),
        recovery: recovery.map_or(Value::Null, |found| report(found, &health.passed_over)),
        volume_bytes: volume.as_ref().map(|v| v.f_blocks.saturating_mul(v.f_frsize)),
        volume_free_bytes: volume.as_ref().map(|v| v.f_bavail.saturating_mul(v.f_frsize)),
        upkeep: upkeep.rows.into_iter().filter_map(convert::upkeep).collect(),
    })
}

/// What recovery found in the files, and what the views found in the records.
fn report(recovery: &Recovery, passed_over: &[String]) -> Value {
    let mut report = serde_json::to_value(recovery).unwrap_or_default();
    if let Some(fields) = report.as_object_mut() {
        fields.insert("passed_over".into(), passed_over.into());
    }
    report
}

/// How far back the segments reach, and how far they will if it goes on like this.
fn reach(segments: &[wire::Segment], limits: &wire::Limits, now: Millis) -> Reach {
    // A damaged header tells no time.
    let from = segments.iter().map(|segment| segment.created).find(|at| *at > 0.0);
    let bytes_per_hour = rate(segments, now);
    let by_bytes = limits.bytes_max.zip(bytes_per_hour.filter(|rate| *rate > 0.0));
    let by_bytes = by_bytes.map(|(bytes, rate)| bytes as f64 / rate * HOUR_MS);
    let duration = match (by_bytes, limits.age_max) {
        (Some(by_bytes), Some(by_age)) => Some(by_bytes.min(by_age)),
        (by_bytes, by_age) => by_bytes.or(by_age),
    };
    Reach { from, bytes_per_hour, duration, retires_at: retires_at(segments, limits, from, now) }
}

fn retires_at(
    segments: &[wire::Segment],
    limits: &wire::Limits,
    from: Option<Millis>,
    now: Millis,
) -> Option<Millis> {
    let used: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let rate = rate(segments, now).filter(|rate| *rate > 0.0);
    let by_bytes = limits.bytes_max.zip(rate);
    let by_bytes =
        by_bytes.map(|(max, rate)| now + max.saturating_sub(used) as f64 / rate * HOUR_MS);
    let by_age = limits.age_max.zip(from).map(|(age, from)| (from + age).max(now));
    match (by_bytes, by_age) {
        (Some(by_bytes), Some(by_age)) => Some(by_bytes.min(by_age)),
        (by_bytes, by_age) => by_bytes.or(by_age),
    }
}

/// Bytes an hour since the first segment that was started within the last hours, or since the
/// newest one.
fn rate(segments: &[wire::Segment], now: Millis) -> Option<f64> {
    let first = segments.iter().position(|segment| segment.created >= now - RATE_MS);
    let recent = &segments[first.unwrap_or(segments.len().saturating_sub(1))..];
    let elapsed = now - recent.first()?.created;
    let bytes: u64 = recent.iter().map(|segment| segment.bytes).sum();
    (elapsed >= RATE_MIN_MS).then(|| bytes as f64 / elapsed * HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(created: Millis, bytes: u64) -> wire::Segment {
        wire::Segment {
            name: String::new(),
            epoch: 1,
            first_seq: None,
            last_seq: None,
            bytes,
            sealed: true,
            created,
            damaged: 0,
        }
    }

    const NOW: Millis = 100.0 * HOUR_MS;

    fn bytes_max(bytes_max: u64) -> wire::Limits {
        wire::Limits { bytes_max: Some(bytes_max), ..wire::Limits::default() }
    }

    #[test]
    fn the_reach_follows_from_the_rate_of_the_last_hours() {
        let segments = [
            segment(NOW - 50.0 * HOUR_MS, 999),
            segment(NOW - 4.0 * HOUR_MS, 400),
            segment(NOW, 0),
        ];
        let expected = Reach {
            from: Some(NOW - 50.0 * HOUR_MS),
            bytes_per_hour: Some(100.0),
            duration: Some(20.0 * HOUR_MS),
            retires_at: Some(NOW + 6.01 * HOUR_MS),
        };
        assert_eq!(reach(&segments, &bytes_max(2000), NOW), expected);
        let limits = wire::Limits { age_max: Some(HOUR_MS), ..bytes_max(2000) };
        assert_eq!(reach(&segments, &limits, NOW).duration, Some(HOUR_MS));
        assert_eq!(reach(&segments, &limits, NOW).retires_at, Some(NOW));
    }

    #[test]
    fn too_little_known_is_not_guessed() {
        assert_eq!(reach(&[], &bytes_max(2000), NOW), Reach::default());
        let fresh = reach(&[segment(NOW - 5.0, 100)], &bytes_max(2000), NOW);
        assert_eq!((fresh.bytes_per_hour, fresh.duration, fresh.retires_at), (None, None, None));
        let old = [segment(NOW - 10.0 * HOUR_MS, 1000)];
        assert_eq!(reach(&old, &wire::Limits::default(), NOW).bytes_per_hour, Some(100.0));
    }
}
