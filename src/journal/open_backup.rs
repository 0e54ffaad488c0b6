//! Opening a backup to read it: a directory, a tar or one segment. Takes no lock, writes nothing.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    account::Account,
    breadcrumb::Breadcrumb,
    catalog::{Candidate, Catalog, LeftAlone},
    error::{Attempt, Error},
    fs::{Disk, Fs},
    header,
    load::Loaded,
    reader::Reader,
    recovery::Recovery,
    segment::Segment,
    state::{Positions, Shared, State},
};

impl Reader {
    /// Opens a backup read-only: a directory, a `.tar`, or one segment. Takes no lock, writes
    /// nothing. A directory that is being appended to is read as it is now.
    ///
    /// # Errors
    /// It cannot be read, or nothing in it is a segment.
    pub fn open(path: &Path) -> Result<(Reader, Recovery), Error> {
        let started = Instant::now();
        let fs: &dyn Fs = &Disk;
        let about = std::fs::metadata(path).attempting("opening", path)?;
        let catalog = if about.is_dir() {
            Catalog::of_dir(fs, path)?
        } else if is_tar(path).attempting("reading", path)? {
            let (candidates, left_alone) = members(path).attempting("reading", path)?;
            Catalog::of(fs, candidates, left_alone)
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let whole = Candidate { name, path: path.to_owned(), base: 0, len: about.len() };
            Catalog::of(fs, vec![whole], Vec::new())
        };
        let Some(newest) = catalog.segments.last().map(|found| found.header) else {
            return Err(Error::NoJournal { path: path.to_owned(), reason: reasons(&catalog) });
        };
        let mut loaded = Loaded::of(fs, catalog, &Breadcrumb::default());
        loaded.recovery.duration_ms = started.elapsed().as_secs_f64() * 1e3;
        let state = state(loaded.segments, newest.journal_id, newest.epoch, &loaded.account);
        let shared = Arc::new(Shared::default());
        shared.state.store(Arc::new(state));
        Ok((Reader { shared, path: Arc::new(path.to_owned()) }, loaded.recovery))
    }
}

fn state(
    segments: Vec<Arc<Segment>>,
    journal_id: [u8; 16],
    epoch: u64,
    account: &Account,
) -> State {
    let mut state = State { segments: Arc::new(segments), ..State::default() };
    let count = state.segments.len();
    state.older_bytes = (0..count.saturating_sub(1)).map(|index| state.data_end(index)).sum();
    state.positions = Positions {
        journal_id,
        epoch,
        first_seq: account.first_seq,
        last_seq: account.last_seq,
        durable_seq: account.last_seq,
        bytes: state.older_bytes + state.segments.last().map_or(0, |segment| segment.end()),
    };
    state
}

/// Whether the format's mark stands where a tar has it; names of downloads can be anything.
pub(super) fn is_tar(path: &Path) -> io::Result<bool> {
    const MARK: &[u8] = b"ustar";
    const MARK_AT: u64 = 257;
    let mut found = [0; MARK.len()];
    match File::open(path)?.read_exact_at(&mut found, MARK_AT) {
        Ok(()) => Ok(found == MARK),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The segments within a tar, where they stand; nothing is unpacked. A tar that was cut off gives
/// what it has.
fn members(path: &Path) -> io::Result<(Vec<Candidate>, Vec<LeftAlone>)> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let available = std::fs::metadata(path)?.len();
    let (mut candidates, mut left_alone) = (Vec::new(), Vec::new());
    for entry in archive.entries_with_seek()? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let name = path.display().to_string();
                let reason = format!("the tar cannot be read any further: {error}");
                left_alone.push(LeftAlone { name, reason });
                break;
            }
        };
        let member: PathBuf = entry.path()?.into_owned();
        let name = member.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !header::is_segment_name(&name) {
            continue;
        }
        let base = entry.raw_file_position();
        let len = entry.size().min(available.saturating_sub(base));
        candidates.push(Candidate { name, path: path.to_owned(), base, len });
    }
    Ok((candidates, left_alone))
}

fn reasons(catalog: &Catalog) -> String {
    let reasons: Vec<String> =
        catalog.left_alone.iter().map(|l| format!("{} ({})", l.name, l.reason)).collect();
    if reasons.is_empty() { "it is empty".to_owned() } else { reasons.join(", ") }
}
