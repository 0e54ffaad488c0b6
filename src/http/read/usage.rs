//! What volumes and processes use.

use super::{Call, ok};
use crate::{
    event::{Event, Key, ProcessUsage, kind},
    http::{
        body::Response,
        convert,
        error::Error,
        moment::Moment,
        openapi::{AtQuery, PageQuery},
        wire,
    },
    views::{
        self,
        read::{self, Recorded},
    },
};

/// Volumes and processes as they were last measured.
#[utoipa::path(get, path = "/api/volumes", params(AtQuery),
    responses((status = 200, body = wire::Volumes)))]
pub(in crate::http) fn volumes(moment: &Moment, _: &Call) -> Result<Response, Error> {
    let state = &moment.snapshot.state;
    let mut volumes: Vec<&views::Volume> = state.volumes.values().collect();
    volumes.sort_by_key(|volume| (&volume.usage.namespace, &volume.usage.claim));
    let mut processes: Vec<&views::Process> = state.processes.values().collect();
    processes.sort_by_key(|process| &process.name);
    ok(&wire::Volumes {
        seq: moment.seq(),
        volumes: volumes.into_iter().map(volume).collect(),
        processes: processes.into_iter().filter_map(process).collect(),
    })
}

fn volume(volume: &views::Volume) -> wire::Volume {
    let row =
        Recorded { seq: volume.seq, learned: volume.usage.observed, value: volume.usage.clone() };
    wire::Volume { saved: volume.is_saved, ..convert::volume(row) }
}

fn process(process: &views::Process) -> Option<wire::Process> {
    let body = &process.body;
    let Event::ProcessUsage(value) = body.event(kind::PROCESS_USAGE)? else { return None };
    let row: Recorded<ProcessUsage> = Recorded { seq: body.seq, learned: body.learned, value };
    Some(wire::Process { saved: body.is_saved(), ..convert::process(row) })
}

/// The recorded states of one volume, newest first.
#[utoipa::path(get, path = "/api/volumes/{key}/history",
    params(("key" = String, Path, description = "The volume's key."), PageQuery),
    responses((status = 200, body = wire::VolumeHistory)))]
pub(in crate::http) fn volume_history(moment: &Moment, call: &Call) -> Result<Response, Error> {
    let key = u64::from_str_radix(call.place(), 16);
    let key = key.map_err(|_| Error::NotFound { what: "this volume".into() })?;
    let window = moment.window(&call.params)?;
    let page = read::volume_history(&moment.reader, Key(key), window)?;
    ok(&wire::VolumeHistory {
        seq: moment.seq(),
        next: page.next,
        volumes: page.rows.into_iter().map(convert::volume).collect(),
    })
}
