//! The next segment's file, made ready in the background: real zeros, so that appending to it
//! takes no places on the volume and a sync writes nothing but data. It makes rotation cheap, and
//! on a full volume it is what recording goes on in.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use super::{
    draft::{OpenSegment, Site, remove_quietly},
    error::{Attempt, Error},
    fs::Fs,
    writer::Writer,
};

/// The file.
pub const SPARE_NAME: &str = "spare.tmp";

/// Zeros are written and synced in pieces, with a pause after each that lasts as long: the syncs
/// of the open segment never wait for more than one piece, and have half of the volume's time.
const PIECE_BYTES: u64 = 1 << 20;

/// A spare may be smaller than the next segment wants to be by one part in so many: the state grows
/// a little in the meantime.
const SMALLER_BY: u64 = 4;

/// The first spare is begun after so many calls of [`Writer::maintain`], or when the open segment
/// has taken one part in [`BEGUN_AT`]: a process that dies over and over, or lives for a moment,
/// writes no zeros for nothing.
const PATIENCE_CALLS: u32 = 30;
const BEGUN_AT: u64 = 8;

/// The next segment's file, where there is one.
#[derive(Debug, Default)]
pub struct Spare {
    /// How often it was asked whether to begin one.
    asked: u32,
    ready: Option<Site>,
    making: Option<Making>,
}

/// A spare that is being made, one at a time.
#[derive(Debug)]
struct Making {
    /// Takes part in [`Drop`]; there until then.
    thread: Option<JoinHandle<Option<Site>>>,
    stop: Arc<AtomicBool>,
    len: u64,
}

impl Spare {
    /// Takes what the background has made.
    fn collect(&mut self) {
        if let Some(mut making) = self.making.take_if(|making| making.is_finished()) {
            self.ready = making.join();
        }
    }

    /// What it takes on the volume, or is about to take; 0 where there is none.
    pub fn bytes(&self) -> u64 {
        let ready = self.ready.as_ref().map(|site| site.len);
        ready.or(self.making.as_ref().map(|making| making.len)).unwrap_or(0)
    }

    /// Whether [`Spare::take`] would give one.
    pub fn is_ready(&mut self, len_min: u64) -> bool {
        self.collect();
        self.ready.as_ref().is_some_and(|site| site.len >= len_min && site.is_in_place())
    }

    /// The spare, if it is ready and has at least this length.
    pub fn take(&mut self, len_min: u64) -> Option<Site> {
        if self.is_ready(len_min) { self.ready.take() } else { None }
    }

    /// Gives its blocks back; says whether there was one.
    pub fn discard(&mut self, fs: &dyn Fs) -> bool {
        let site = self.ready.take();
        if let Some(site) = &site {
            remove_quietly(fs, &site.path);
        }
        site.is_some()
    }
}

/// The least length of a spare for a segment that should have `capacity`.
pub fn len_min(capacity: u64) -> u64 {
    capacity - capacity / SMALLER_BY
}

impl Writer {
    /// Whether the next segment's file is ready. On a full volume recording goes on in it.
    pub fn has_spare(&mut self) -> bool {
        let needed = self.next_needed();
        self.spare.is_ready(needed)
    }

    /// Looks after the spare: begins one where there is none and the volume has room for it beside
    /// what is to stay free.
    pub(super) fn make_spare(&mut self) {
        self.spare.collect();
        let len = self.next_capacity();
        let fits = |site: &Site| site.len >= len_min(len) && site.is_in_place();
        if self.spare.ready.as_ref().is_some_and(|site| !fits(site)) {
            self.spare.discard(&*self.fs);
        }
        self.spare.asked = self.spare.asked.saturating_add(1);
        if self.spare.bytes() == 0 && self.expects_rotation() && self.has_room_for_spare(len) {
            let path = self.dir.join(SPARE_NAME);
            self.spare.making = Making::begin(self.fs.clone(), path, len);
        }
    }

    fn expects_rotation(&self) -> bool {
        let is_begun = |open: &OpenSegment| {
            let segment = &open.segment;
            segment.end() >= segment.header.capacity / BEGUN_AT
        };
        self.spare.asked > PATIENCE_CALLS || self.open.as_ref().is_some_and(is_begun)
    }
}

impl Making {
    /// `None` where the system has no thread to give: a later call tries again.
    fn begin(fs: Arc<dyn Fs>, path: PathBuf, len: u64) -> Option<Making> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let make = move || filled(&*fs, path, len, &stopped).ok();
        let thread = thread::Builder::new().name("journal-spare".to_owned()).spawn(make).ok()?;
        Some(Making { thread: Some(thread), stop, len })
    }

    fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for it. Nothing came of it where the volume had no room or it was stopped.
    fn join(&mut self) -> Option<Site> {
        self.thread.take()?.join().ok()?
    }
}

/// Nothing writes to the directory after the writer is gone.
impl Drop for Making {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            // It may be in a pause.
            thread.thread().unpark();
        }
        self.join();
    }
}

/// A file of zeros that have their places on the volume, durable as they are.
fn filled(fs: &dyn Fs, path: PathBuf, len: u64, stop: &AtomicBool) -> Result<Site, Error> {
    let mut site = Site::create(fs, path, len, 0)?;
    if let Err(error) = fill(&site, stop) {
        remove_quietly(fs, &site.path);
        return Err(error).attempting("writing zeros to", &site.path);
    }
    site.allocated = len;
    Ok(site)
}

fn fill(site: &Site, stop: &AtomicBool) -> io::Result<()> {
    let zeros = vec![0; PIECE_BYTES.min(site.len) as usize];
    let mut offset = 0;
    while offset < site.len {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let started = Instant::now();
        let piece = (site.len - offset).min(zeros.len() as u64);
        site.file.write_all_at(&zeros[..piece as usize], offset)?;
        site.file.sync_data()?;
        offset += piece;
        thread::park_timeout(started.elapsed());
    }
    Ok(())
}
