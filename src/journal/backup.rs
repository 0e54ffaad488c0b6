//! The journal as a tar. Every byte follows from epoch, first segment and `to`, so that a download
//! can be resumed after a restart and two downloads can be compared.

use std::{io, sync::OnceLock};

use super::{
    download::{Cut, Download, Part},
    error::{Attempt, Error},
    header::SEGMENT_HEADER_BYTES,
    index::{Index, Wanted},
    reader::Reader,
    record::Seq,
    segment::Segment,
    state::State,
};

/// The folder within the tar.
pub const FOLDER: &str = "monitor-backend-journal";
/// The last file in it: one line a segment with CRC-32, length and name.
pub const CHECKSUMS_NAME: &str = "CHECKSUMS";

const TAR_BLOCK_BYTES: u64 = 512;
/// Two blocks of zeros end a tar.
const TAR_END_BYTES: u64 = 2 * TAR_BLOCK_BYTES;

impl Reader {
    /// One segment's raw bytes as they are now.
    pub fn segment_file(&self, name: &str) -> Option<Download> {
        let state = self.state();
        let index = state.segments.iter().position(|segment| segment.name == name)?;
        let (segment, end) = (state.segments[index].clone(), state.data_end(index));
        let etag = format!("{}-{end}", name.trim_end_matches(".seg"));
        let cut = Part::Segment(Cut::new(segment, end));
        Some(Download::new(name.to_owned(), etag, vec![cut]))
    }

    /// The whole journal up to `to` as a tar: a pure function of epoch, first segment and `to`.
    ///
    /// # Errors
    /// `to` lies before the oldest event or is not durable yet.
    pub fn backup(&self, to: Seq) -> Result<Download, Error> {
        let state = self.state();
        if !state.positions.can_back_up(to) {
            let (first, last) = (state.positions.first_seq, state.positions.durable_seq);
            return Err(Error::OutOfReach { seq: to, first, last });
        }
        let cuts = cuts(&state, to).attempting("reading", &self.path)?;
        let mut parts = Vec::new();
        for cut in &cuts {
            push_file(&mut parts, &cut.segment.name, Part::Segment(cut.clone()), cut.end);
        }
        let checksums = Part::Checksums { of: cuts, text: OnceLock::new() };
        let len = checksums.len();
        push_file(&mut parts, CHECKSUMS_NAME, checksums, len);
        parts.push(Part::Zeros(TAR_END_BYTES));
        let epoch = state.positions.epoch;
        let name = format!("{FOLDER}-{}-{epoch}-{to}.tar", &hex(&state.positions.journal_id)[..8]);
        Ok(Download::new(name, etag(&state, to), parts))
    }
}

/// Whole segments up to the one that holds `to`, which is cut behind it.
fn cuts(state: &State, to: Seq) -> io::Result<Vec<Cut>> {
    let Some(holding) = state.holding(to).or((!state.segments.is_empty()).then_some(0)) else {
        return Ok(Vec::new());
    };
    let mut cuts = Vec::with_capacity(holding + 1);
    for (index, segment) in state.segments.iter().enumerate().take(holding + 1) {
        let end = if index < holding { state.data_end(index) } else { end_of(segment, to)? };
        cuts.push(Cut::new(segment.clone(), end));
    }
    Ok(cuts)
}

/// Behind the last event up to `to`; where there is none, behind all that comes before events.
fn end_of(segment: &Segment, to: Seq) -> io::Result<u64> {
    let runs = Index::of(segment)?.runs(segment.end(), Wanted::All);
    for run in runs.iter().rev().filter(|run| run.first_seq <= to) {
        let mut last = None;
        let mut walk = segment.walk(run.from);
        while let Some(frame) = walk.next_frame_before(run.to)? {
            if frame.header.is_event() && frame.header.seq <= to {
                last = Some(frame.end());
            }
        }
        if let Some(end) = last {
            return Ok(end.min(segment.end()));
        }
    }
    let mut end = SEGMENT_HEADER_BYTES;
    let mut walk = segment.walk(0);
    while let Some(frame) = walk.next_frame_before(segment.end())? {
        if frame.header.is_event() {
            break;
        }
        end = frame.end();
    }
    Ok(end.min(segment.end()))
}

fn push_file(parts: &mut Vec<Part>, name: &str, content: Part, len: u64) {
    parts.push(Part::Bytes(tar_header(name, len)));
    parts.push(content);
    parts.push(Part::Zeros(len.next_multiple_of(TAR_BLOCK_BYTES) - len));
}

/// A ustar header without anything that could differ from download to download.
fn tar_header(name: &str, len: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(format!("{FOLDER}/{name}")).expect("names of segments are short and relative");
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(len);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn etag(state: &State, to: Seq) -> String {
    let first = state.segments.first().map_or("empty", |s| s.name.trim_end_matches(".seg"));
    format!("{}-{first}-{to}", hex(&state.positions.journal_id))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
