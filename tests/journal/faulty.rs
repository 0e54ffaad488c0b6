//! A file system that fails or stops where a test says so. What it did before is on the disk: this
//! plays errors and the end of the process, not power cuts.

use std::{
    io,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex},
};

use monitor_backend::journal::{
    self, Map, Options, Reader, Recovery, Retention, Writer,
    fs::{Disk, Entry, File, Fs, Lock, Space},
};

/// What changes something on the disk, or makes it durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Create,
    Allocate,
    /// Any write.
    Write,
    /// A write to a segment that is in its place.
    Append,
    Sync,
    Rename,
    Remove,
    SyncDir,
}

/// What goes wrong.
#[derive(Debug, Default)]
pub struct Plan {
    /// Operations so far.
    pub steps: u64,
    /// How many of them were syncs of a file.
    pub syncs: u64,
    /// From this operation on nothing happens any more.
    pub stop_at: Option<u64>,
    /// These operations fail in this way, so many times.
    pub failing: Vec<(Op, io::ErrorKind, u64)>,
    /// Writes are interrupted or short, turn by turn.
    pub writes_are_short: bool,
    /// Another boot of the machine.
    pub boot_id: [u8; 16],
    /// The file system has no maps.
    pub no_maps: bool,
    /// What the volume says of its size; the machine's own where `None`.
    pub space: Option<Space>,
    /// The volume does not say how large it is.
    pub space_is_unknown: bool,
    /// Reads that touch these bytes of a file fail.
    pub unreadable: Option<Range<u64>>,
}

#[derive(Debug, Clone)]
pub struct Faulty {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug)]
struct FaultyFile {
    inner: Arc<dyn File>,
    fs: Faulty,
}

impl Faulty {
    pub fn new() -> Faulty {
        let plan = Plan { boot_id: [7; 16], ..Plan::default() };
        Faulty { plan: Arc::new(Mutex::new(plan)) }
    }

    pub fn set(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap());
    }

    pub fn fail(&self, op: Op, kind: io::ErrorKind) {
        self.fail_times(op, kind, u64::MAX);
    }

    pub fn fail_times(&self, op: Op, kind: io::ErrorKind, times: u64) {
        self.set(|plan| plan.failing.push((op, kind, times)));
    }

    /// How many failures of [`Faulty::fail_times`] have still to come.
    pub fn failures_left(&self) -> u64 {
        self.plan.lock().unwrap().failing.iter().map(|(_, _, times)| times).sum()
    }

    pub fn mend(&self) {
        self.set(|plan| plan.failing.clear());
    }

    pub fn steps(&self) -> u64 {
        self.plan.lock().unwrap().steps
    }

    pub fn open(&self, dir: &Path, segment_bytes: u64) -> (Writer, Reader, Recovery) {
        self.open_keeping(dir, segment_bytes, Retention::default())
    }

    pub fn open_keeping(
        &self,
        dir: &Path,
        segment_bytes: u64,
        keep: Retention,
    ) -> (Writer, Reader, Recovery) {
        let options = Options { dir: dir.to_owned(), segment_bytes, keep };
        journal::open_with(options, Arc::new(self.clone())).expect("the journal opens")
    }

    fn step(&self, op: Op) -> io::Result<()> {
        let mut plan = self.plan.lock().unwrap();
        plan.steps += 1;
        plan.syncs += u64::from(op == Op::Sync);
        if plan.stop_at.is_some_and(|stop| plan.steps > stop) {
            return Err(io::Error::other("the process has ended"));
        }
        let is_meant = |failing: Op| failing == op || (failing == Op::Write && op == Op::Append);
        let mut failing = plan.failing.iter_mut();
        let failing = failing.find(|(failing, _, times)| is_meant(*failing) && *times > 0);
        let Some((_, kind, times)) = failing else { return Ok(()) };
        *times -= 1;
        Err((*kind).into())
    }

    fn has_stopped(&self) -> bool {
        let plan = self.plan.lock().unwrap();
        plan.stop_at.is_some_and(|stop| plan.steps > stop)
    }

    fn file(&self, inner: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(FaultyFile { inner, fs: self.clone() })
    }
}

impl Fs for Faulty {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        Disk.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        Disk.list(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.file(Disk.open(path)?))
    }

    fn create(&self, path: &Path, len: u64) -> io::Result<Arc<dyn File>> {
        self.step(Op::Create)?;
        Ok(self.file(Disk.create(path, len)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Op::Rename)?;
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Op::Remove)?;
        Disk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(Op::SyncDir)?;
        Disk.sync_dir(dir)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        Disk.try_lock(path)
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let plan = self.plan.lock().unwrap();
        if plan.space_is_unknown {
            return Err(io::ErrorKind::Unsupported.into());
        }
        plan.space.map_or_else(|| Disk.space(dir), Ok)
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        Disk.allocated(path)
    }

    fn boot_id(&self) -> [u8; 16] {
        self.plan.lock().unwrap().boot_id
    }
}

impl File for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let wanted = offset..offset + buf.len() as u64;
        let overlaps = |bad: &Range<u64>| bad.start < wanted.end && wanted.start < bad.end;
        if self.fs.plan.lock().unwrap().unreadable.as_ref().is_some_and(overlaps) {
            return Err(io::Error::other("the sector cannot be read"));
        }
        self.inner.read_at(buf, offset)
    }

    /// A write that fails has written half, as a full disk or a dying one may.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let op = if offset == 0 { Op::Write } else { Op::Append };
        let Err(error) = self.fs.step(op) else {
            let plan = self.fs.plan.lock().unwrap();
            return match plan.writes_are_short {
                true if plan.steps.is_multiple_of(2) => Err(io::ErrorKind::Interrupted.into()),
                true => self.inner.write_at(&bytes[..bytes.len().min(100)], offset),
                false => self.inner.write_at(bytes, offset),
            };
        };
        if !self.fs.has_stopped() {
            self.inner.write_all_at(&bytes[..bytes.len() / 2], offset)?;
        }
        Err(error)
    }

    fn allocate(&self, range: Range<u64>) -> io::Result<()> {
        self.fs.step(Op::Allocate)?;
        self.inner.allocate(range)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fs.step(Op::Sync)?;
        self.inner.sync_data()
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.inner.is_at(path)
    }

    fn map(&self, offset: u64, len: u64, end: u64) -> io::Result<Map> {
        if self.fs.plan.lock().unwrap().no_maps {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.inner.map(offset, len, end)
    }
}
