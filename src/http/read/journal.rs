//! The journal itself: its segments, what recovery found, and the volume that it is on.

use std::path::Path;

use serde_json::Value;

use super::ok;
use crate::{
    http::{Surface, body::Response, convert, error::Error, wire},
    journal::{Reader, Recovery},
};

/// Segments, positions, recovery report and volume. Needs no views: it answers during a replay.
#[utoipa::path(get, path = "/api/journal", responses((status = 200, body = wire::Journal)))]
pub(in crate::http) async fn journal(surface: &Surface) -> Result<Response, Error> {
    let reader = surface.journal()?;
    let recovery = surface.desk.published.health.load().recovery.clone();
    let data_dir = surface.desk.data_dir.clone();
    let answer = move || ok(&shape(&reader, recovery.as_deref(), data_dir.as_deref()));
    surface.queries.run(answer).await?
}

fn shape(reader: &Reader, recovery: Option<&Recovery>, data_dir: Option<&Path>) -> wire::Journal {
    let volume = data_dir.and_then(|dir| rustix::fs::statvfs(dir).ok());
    let left_alone = recovery.map_or(&[][..], |found| &found.left_alone);
    wire::Journal {
        journal: convert::journal(&reader.positions()),
        segments: reader.segments().into_iter().map(convert::segment).collect(),
        left_alone: left_alone.iter().map(convert::left_alone).collect(),
        recovery: recovery.and_then(|r| serde_json::to_value(r).ok()).unwrap_or(Value::Null),
        volume_bytes: volume.as_ref().map(|v| v.f_blocks.saturating_mul(v.f_frsize)),
        volume_free_bytes: volume.as_ref().map(|v| v.f_bavail.saturating_mul(v.f_frsize)),
    }
}
