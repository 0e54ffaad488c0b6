//! Which files are segments of the journal that goes on, and which are left alone. Looks at names
//! and headers; touches nothing.

use std::{
    cmp::Reverse,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    breadcrumb::MARK_NAME,
    control::{Control, Wipe},
    draft::NEXT_NAME,
    error::{Attempt, Error},
    format::Salt,
    fs::{File, Fs},
    header::{self, SEGMENT_HEADER_BYTES, SegmentHeader, Unreadable},
    reserve::RESERVE_NAME,
    spare::SPARE_NAME,
    walk::{Step, Walk, Windows},
};

/// The lock file.
pub const LOCK_NAME: &str = "LOCK";

/// Names beside the segments that need no mention: the journal's own, and what the program and the
/// volume keep in the same directory.
const EXPECTED: [&str; 9] = [
    LOCK_NAME,
    MARK_NAME,
    NEXT_NAME,
    SPARE_NAME,
    RESERVE_NAME,
    "admin-key",
    "wipe-on-start",
    "wipe-on-start.new",
    "lost+found",
];

/// A file that was left alone, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftAlone {
    /// The file's name.
    pub name: String,
    /// Why it is no part of the journal.
    pub reason: String,
}

/// A file, or a part of one, that may be a segment.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Name in the directory or in the tar.
    pub name: String,
    /// The file that it stands in.
    pub path: PathBuf,
    /// Where in the file it begins.
    pub base: u64,
    /// Its length.
    pub len: u64,
}

/// A segment.
#[derive(Debug, Clone)]
pub struct Found {
    /// The file.
    pub candidate: Candidate,
    /// Its header, or what its name tells of it.
    pub header: SegmentHeader,
    /// Both copies of the header are damaged.
    pub header_lost: bool,
}

/// What a directory or a backup holds.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The journal's segments, oldest first: one journal id, one epoch.
    pub segments: Vec<Found>,
    /// Segments of epochs that were wiped, still to be unlinked.
    pub wiped: Vec<Found>,
    /// Everything else.
    pub left_alone: Vec<LeftAlone>,
}

impl Found {
    /// Opens the file.
    pub fn open(&self, fs: &dyn Fs) -> Result<Arc<dyn File>, Error> {
        fs.open(&self.candidate.path).attempting("opening", &self.candidate.path)
    }

    /// Walks the file as it is, by reading it.
    pub fn walk(&self, file: Arc<dyn File>) -> Walk<Windows> {
        let windows = Windows::new(file, self.candidate.base, self.candidate.len);
        Walk::new(windows, Salt::new(self.header.salt), 0)
    }
}

impl Catalog {
    /// Looks at everything in a directory.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn of_dir(fs: &dyn Fs, dir: &Path) -> Result<Catalog, Error> {
        let mut entries = fs.list(dir).attempting("listing", dir)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let mut left_alone = Vec::new();
        let mut candidates = Vec::new();
        for entry in entries {
            let path = dir.join(&entry.name);
            let reason = if EXPECTED.contains(&entry.name.as_str()) || entry.name.starts_with('.') {
                continue;
            } else if !header::is_segment_name(&entry.name) {
                "not a segment"
            } else if !entry.is_file {
                "not a file"
            } else {
                candidates.push(Candidate { name: entry.name, path, base: 0, len: 0 });
                continue;
            };
            left_alone.push(LeftAlone { name: entry.name, reason: reason.to_owned() });
        }
        for candidate in &mut candidates {
            let length = fs.open(&candidate.path).and_then(|file| file.length());
            candidate.len = length.unwrap_or(0);
        }
        Ok(Catalog::of(fs, candidates, left_alone))
    }

    /// Sorts candidates into the journal that goes on and the rest.
    pub fn of(fs: &dyn Fs, candidates: Vec<Candidate>, left_alone: Vec<LeftAlone>) -> Catalog {
        let mut catalog = Catalog { left_alone, ..Catalog::default() };
        let mut found = Vec::new();
        for candidate in candidates {
            match look_at(fs, &candidate) {
                Ok(segment) => found.push(segment),
                Err(reason) => catalog.leave(&candidate, reason),
            }
        }
        let found = catalog.keep_one_journal(found);
        catalog.keep_one_epoch(fs, found);
        catalog
    }

    fn leave(&mut self, candidate: &Candidate, reason: String) {
        self.left_alone.push(LeftAlone { name: candidate.name.clone(), reason });
    }

    /// Of several journals the one with the newest segment goes on. A segment whose header is lost
    /// cannot say whose it is; its name and its salted records say enough.
    fn keep_one_journal(&mut self, found: Vec<Found>) -> Vec<Found> {
        let named = found.iter().filter(|f| !f.header_lost);
        let newest = named.max_by_key(|f| (f.header.created_ns, f.header.order()));
        let Some(journal_id) = newest.map(|f| f.header.journal_id) else { return found };
        let (mut kept, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|f| f.header_lost || f.header.journal_id == journal_id);
        for other in others {
            self.leave(&other.candidate, "of another journal, which ended earlier".to_owned());
        }
        for lost in kept.iter_mut().filter(|f| f.header_lost) {
            lost.header.journal_id = journal_id;
        }
        kept.sort_by_key(|f| (f.header.order(), Reverse(f.candidate.len)));
        kept
    }

    fn keep_one_epoch(&mut self, fs: &dyn Fs, found: Vec<Found>) {
        let Some(epoch) = found.last().map(|f| f.header.epoch) else { return };
        let first = found.iter().find(|f| f.header.epoch == epoch);
        let wiped_to = first.and_then(|f| wipe_record(fs, f)).map_or(0, |wipe| wipe.old_epoch + 1);
        // By salt alone: a copy need not stand beside its original.
        let mut originals = HashMap::new();
        for segment in found {
            if let Some(original) = originals.get(&segment.header.salt) {
                let reason = format!("a copy of {original}");
                self.leave(&segment.candidate, reason);
            } else if segment.header.epoch == epoch {
                originals.insert(segment.header.salt, segment.candidate.name.clone());
                self.segments.push(segment);
            } else if segment.header.epoch < wiped_to {
                self.wiped.push(segment);
            } else {
                let reason =
                    format!("of epoch {}, whose wipe is not on record", segment.header.epoch);
                self.leave(&segment.candidate, reason);
            }
        }
    }
}

/// Reads a candidate's header. The error is the reason to leave it alone.
fn look_at(fs: &dyn Fs, candidate: &Candidate) -> Result<Found, String> {
    if candidate.len == 0 {
        return Err("empty".to_owned());
    }
    let file = fs.open(&candidate.path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut start = vec![0; candidate.len.min(SEGMENT_HEADER_BYTES) as usize];
    let read = file.read_exact_at(&mut start, candidate.base);
    match read.map_or(Err(Unreadable::NoHeader), |()| SegmentHeader::decode(&start)) {
        Ok(header) => Ok(Found { candidate: candidate.clone(), header, header_lost: false }),
        Err(Unreadable::OtherVersion(reason)) => Err(reason),
        Err(Unreadable::NoHeader) => from_name(candidate, file),
    }
}

/// Takes the header from the name, if a record proves that name and bytes belong together.
fn from_name(candidate: &Candidate, file: Arc<dyn File>) -> Result<Found, String> {
    let none = || "no header and no record of a segment".to_owned();
    let header = SegmentHeader::from_name(&candidate.name).ok_or_else(none)?;
    let found = Found { candidate: candidate.clone(), header, header_lost: true };
    match found.walk(file).next() {
        Ok(Step::Frame(_) | Step::Damage { .. }) => Ok(found),
        Ok(Step::End { .. }) => Err(none()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// The wipe record that an epoch begins with.
fn wipe_record(fs: &dyn Fs, first: &Found) -> Option<Wipe> {
    let mut walk = first.walk(first.open(fs).ok()?);
    let Ok(Step::Frame(frame)) = walk.next() else { return None };
    let payload = walk.payload(&frame).ok()??;
    match Control::decode(frame.header.kind, payload) {
        Some(Control::Wipe(wipe)) => Some(wipe),
        _ => None,
    }
}
