//! Opening a journal. Only reads: a file that was open at a crash is never truncated, rewritten or
//! appended to. What is wrong is reported; nothing that a directory holds keeps it from opening.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    account::Lost,
    breadcrumb::Breadcrumb,
    catalog::{Catalog, Found, LOCK_NAME, LeftAlone},
    draft::{NEXT_NAME, OpenSegment, remove_quietly},
    error::{Attempt, Error},
    fs::{Disk, Fs, Lock},
    header::Previous,
    index::Index,
    keymap::KeyMap,
    load::Loaded,
    presence,
    reader::Reader,
    record::Seq,
    replay,
    reserve::RESERVE_NAME,
    retention::{Keeping, Retention},
    rotation,
    segment::Segment,
    sizes::Sizes,
    spare::{SPARE_NAME, Spare},
    state::Shared,
    walk::Frame,
    writer::{self, Scratch, Writer},
};

/// Size of a new segment, bytes: replay of one takes a tenth of a second, and an hour of a busy
/// cluster fits into a few.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Left out after a start on another boot of the machine, or on another machine: more events than
/// can have been announced and lost between two syncs.
const LEAP: u64 = 1 << 20;

/// How to open a journal.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; created when absent.
    pub dir: PathBuf,
    /// Size of a new segment, bytes; [`SEGMENT_BYTES`] unless there is a reason. It is larger where
    /// the state is large, and smaller on a small volume.
    pub segment_bytes: u64,
    /// How much is kept.
    pub keep: Retention,
}

/// What recovery found; part of the boot record and shown on screen.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Recovery {
    /// Segments of the journal.
    pub segments: u64,
    /// Recorded bytes in them.
    pub bytes: u64,
    /// Records that were read and checked; older segments are checked when they are read.
    pub records_checked: u64,
    /// What was found damaged among them.
    pub damaged: Vec<Damaged>,
    /// Events that had a number and cannot be read.
    pub lost: Vec<Lost>,
    /// The last segment ends in a write that did not get through.
    pub torn_tail: bool,
    /// Segments in which the last start died; they were read into memory, without a map.
    pub read_with_care: Vec<String>,
    /// Segments in which the last two starts died; they were left alone, and what they hold is not
    /// in the picture.
    pub skipped: Vec<String>,
    /// Bytes that the volume would not give. What stood there is lost as long as it does not.
    pub unreadable_bytes: u64,
    /// Everything up to here is said to be durable: what is lost of it was acknowledged.
    pub durable_seq: Seq,
    /// Kinds that a reader must know to see the whole picture, among the records that were read.
    pub must_understand: BTreeSet<u16>,
    /// Files whose name is that of another segment; what their headers say counts.
    pub misnamed: Vec<String>,
    /// Files that are no part of the journal, and why.
    pub left_alone: Vec<LeftAlone>,
    /// Numbers left out because the machine had another boot.
    pub leap: Option<Leap>,
    /// Segments of a wiped epoch that had still to be unlinked.
    pub wiped_segments: u64,
    /// Why the last segment could not be synced; what it holds is written again.
    pub sync_failure: Option<String>,
    /// How long it took, milliseconds.
    pub duration_ms: f64,
}

/// A damaged place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Damaged {
    /// The segment's name.
    pub segment: String,
    /// Where, counted from the segment's start.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

/// Numbers that were never given, both ends exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Leap {
    /// The last event before.
    pub from: Seq,
    /// The next event.
    pub to: Seq,
}

/// Opens the journal in a directory for appending: takes the lock, recovers by reading, starts a
/// new segment lazily at the first append.
///
/// # Errors
/// Another process has the lock, or the directory cannot be used at all. Damaged and foreign files
/// are no error.
pub fn open(options: Options) -> Result<(Writer, Reader, Recovery), Error> {
    open_with(options, Arc::new(Disk))
}

/// As [`open`], on any file system.
///
/// # Errors
/// As [`open`].
pub fn open_with(options: Options, fs: Arc<dyn Fs>) -> Result<(Writer, Reader, Recovery), Error> {
    let started = Instant::now();
    let dir = &options.dir;
    presence::make_dir(&*fs, dir)?;
    let lock = lock(&*fs, dir)?;
    for unfinished in [NEXT_NAME, SPARE_NAME, RESERVE_NAME] {
        remove_quietly(&*fs, &dir.join(unfinished));
    }
    let shared = Arc::new(Shared::new(Breadcrumb::of_dir(&fs, dir)));
    let opened = recovered(options, fs, lock, &shared);
    if opened.is_err() {
        shared.breadcrumb.give_up();
    }
    let (writer, mut recovery) = opened?;
    recovery.duration_ms = started.elapsed().as_secs_f64() * 1e3;
    let reader = Reader { path: Arc::new(writer.dir.clone()), shared };
    Ok((writer, reader, recovery))
}

/// Recovers by reading.
fn recovered(
    options: Options,
    fs: Arc<dyn Fs>,
    lock: Lock,
    shared: &Arc<Shared>,
) -> Result<(Writer, Recovery), Error> {
    let dir = options.dir;
    let catalog = Catalog::of_dir(&*fs, &dir)?;
    let newest = catalog.segments.last().cloned();
    let last_number = catalog.segments.iter().chain(&catalog.wiped).map(|f| f.header.salt).max();
    let wiped = catalog.wiped.clone();
    let mut loaded = Loaded::of(&*fs, catalog, &shared.breadcrumb);
    loaded.recovery.wiped_segments = finish_wipe(&*fs, &dir, &wiped);
    let mut writer = Writer {
        boot_id: fs.boot_id(),
        journal_id: match &newest {
            // Zeros where every header is lost.
            Some(newest) if newest.header.journal_id != [0; 16] => newest.header.journal_id,
            _ => writer::random(&dir)?,
        },
        epoch: newest.as_ref().map_or(1, |newest| newest.header.epoch),
        sizes: Sizes { segment_bytes: options.segment_bytes, room: u64::MAX },
        segment_number: last_number.map_or(0, rotation::segment_number),
        shared: shared.clone(),
        fs,
        open: None,
        prev: Previous::default(),
        last_seq: loaded.account.last_seq,
        next_seq: loaded.account.last_seq + 1,
        durable_seq: loaded.account.last_seq,
        marked_seq: loaded.account.last_seq,
        last_time_ns: newest.as_ref().map_or(0, |newest| newest.header.created_ns),
        living: KeyMap::default(),
        spare: Spare::default(),
        reserve: None,
        keeping: Keeping::new(options.keep),
        segments_started: 0,
        scratch: Scratch::default(),
        tells_files_apart: lock.is_at(&dir.join(LOCK_NAME)).unwrap_or(false),
        lock: Some(lock),
        is_ousted: false,
        leftover: None,
        dir,
    };
    writer.recover(newest.as_ref(), &mut loaded)?;
    let Loaded { segments, recovery, .. } = loaded;
    writer.publish(Arc::new(segments));
    writer.look_at_volume();
    writer.make_reserve();
    Ok((writer, recovery))
}

fn lock(fs: &dyn Fs, dir: &Path) -> Result<Lock, Error> {
    let path = dir.join(LOCK_NAME);
    let lock = fs.try_lock(&path).attempting("locking", &path)?;
    lock.ok_or_else(|| Error::Locked { dir: dir.to_owned() })
}

/// Unlinks what a wipe that a crash cut short has left.
fn finish_wipe(fs: &dyn Fs, dir: &Path, wiped: &[Found]) -> u64 {
    for segment in wiped {
        remove_quietly(fs, &segment.candidate.path);
    }
    if !wiped.is_empty() {
        let _: std::io::Result<()> = fs.sync_dir(dir);
    }
    wiped.len() as u64
}

impl Writer {
    /// Takes in what the segments hold.
    fn recover(&mut self, newest: Option<&Found>, loaded: &mut Loaded) -> Result<(), Error> {
        let Some(newest) = newest else { return Ok(()) };
        let other_boot = newest.header.boot_id != self.boot_id || self.boot_id == [0; 16];
        if loaded.newest_unknown || (!loaded.sealed && other_boot) {
            self.next_seq += LEAP;
            loaded.recovery.leap = Some(Leap { from: self.last_seq, to: self.next_seq });
        }
        let Some(segment) = loaded.segments.last() else { return Ok(()) };
        self.prev = rotation::previous(segment, self.last_seq);
        let living = &mut self.living;
        let breadcrumb = &self.shared.breadcrumb;
        let mut apply = |segment: &Arc<Segment>, frame: &Frame, _: &[u8]| {
            living.apply(segment, frame);
        };
        let replayed = replay::replay_on(breadcrumb, &loaded.segments, self.last_seq, &mut apply);
        replayed.attempting("replaying", &self.dir)?;
        self.sync_newest(segment, loaded.account.durable_seq, &mut loaded.recovery)
    }

    /// What was read may be in the page cache alone; nothing is built on it before it is durable.
    fn sync_newest(
        &mut self,
        segment: &Arc<Segment>,
        durable_seq: Seq,
        recovery: &mut Recovery,
    ) -> Result<(), Error> {
        let file = self.fs.open(&segment.path).attempting("opening", &segment.path)?;
        let synced = file.sync_data().and_then(|()| self.fs.sync_dir(&self.dir));
        let Err(error) = synced else { return Ok(()) };
        recovery.sync_failure = Some(error.to_string());
        let durable_seq = durable_seq.max(segment.header.base_seq.saturating_sub(1));
        if let Some(synced_end) = first_event_after(segment, durable_seq) {
            self.durable_seq = durable_seq;
            self.open = Some(OpenSegment {
                segment: segment.clone(),
                file,
                synced_end,
                events: 0,
                // It takes no more, so it gets no seal and no index either.
                index: Index::new(segment.header.base_seq),
                allocated: segment.end(),
                is_due: false,
                unsure: true,
                doubt: recovery.sync_failure.clone(),
            });
        }
        Ok(())
    }
}

fn first_event_after(segment: &Segment, seq: Seq) -> Option<u64> {
    let mut walk = segment.walk(0);
    while let Ok(Some(frame)) = walk.next_frame_before(segment.end()) {
        if frame.header.is_event() && frame.header.seq > seq {
            return Some(frame.offset);
        }
    }
    None
}
