//! A file system in memory that remembers what is durable and what is not, and makes images of what
//! a power cut may leave: of every page that was written since the last sync any of its versions, of
//! the pages of the last write any mix of sectors, of the directory's operations any that a file
//! system may have got to. What was synced is always there.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use monitor_backend::journal::{
    Map,
    fs::{Entry, File, Fs, Lock, Space},
};

const PAGE: usize = 4096;
const SECTOR: usize = 512;

type Page = Arc<[u8; PAGE]>;

/// Random numbers that a seed makes again: splitmix64.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides
    }

    /// True in `percent` of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

#[derive(Debug, Clone, Default)]
struct Content {
    len: u64,
    /// Pages that are not there are zeros.
    pages: BTreeMap<u64, Page>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    now: Content,
    durable: Content,
    /// What pages looked like after each write since the last sync.
    versions: BTreeMap<u64, Vec<Page>>,
    /// Pages of the last write.
    last_write: Range<u64>,
}

#[derive(Debug, Clone)]
enum Op {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf, usize),
    Remove(PathBuf),
}

#[derive(Debug, Clone, Default)]
struct Volume {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Directory operations since the last sync of the directory.
    ops: Vec<Op>,
    steps: u64,
    /// After so many steps the power is off.
    cut_at: Option<u64>,
    boot: u8,
    /// What it says is free.
    free: u64,
}

/// The file system.
#[derive(Debug, Clone, Default)]
pub struct SimFs {
    volume: Arc<Mutex<Volume>>,
}

#[derive(Debug)]
struct SimFile {
    volume: Arc<Mutex<Volume>>,
    inode: usize,
}

impl Inode {
    fn write(&mut self, bytes: &[u8], offset: u64) {
        let (mut at, mut rest) = (offset as usize, bytes);
        self.last_write = offset / PAGE as u64..(offset + bytes.len() as u64).div_ceil(PAGE as u64);
        while !rest.is_empty() {
            let (index, within) = ((at / PAGE) as u64, at % PAGE);
            let count = rest.len().min(PAGE - within);
            let mut page = self.now.pages.get(&index).map_or([0; PAGE], |page| **page);
            page[within..within + count].copy_from_slice(&rest[..count]);
            let page = Arc::new(page);
            self.now.pages.insert(index, page.clone());
            self.versions.entry(index).or_default().push(page);
            (at, rest) = (at + count, &rest[count..]);
        }
        self.now.len = self.now.len.max(at as u64);
    }

    fn sync(&mut self) {
        self.durable = self.now.clone();
        self.versions.clear();
        self.last_write = 0..0;
    }

    /// What a power cut may leave of it.
    fn cut(&self, dice: &mut Dice, percent_new: u64) -> Inode {
        let mut left = self.durable.clone();
        if dice.chance(percent_new.max(20)) {
            left.len = self.now.len;
        }
        for (index, versions) in &self.versions {
            if !dice.chance(percent_new) {
                continue;
            }
            let older = dice.roll(versions.len() as u64) as usize;
            let chosen = if dice.chance(60) { versions.len() - 1 } else { older };
            let mut page = *versions[chosen];
            if self.last_write.contains(index) && dice.chance(50) {
                let before = match chosen.checked_sub(1) {
                    Some(before) => *versions[before],
                    None => self.durable.pages.get(index).map_or([0; PAGE], |page| **page),
                };
                tear(&mut page, &before, dice);
            }
            left.pages.insert(*index, Arc::new(page));
        }
        left.pages.retain(|index, _| index * (PAGE as u64) < left.len);
        Inode { now: left.clone(), durable: left, ..Inode::default() }
    }
}

/// Some sectors as they were before.
fn tear(page: &mut [u8; PAGE], before: &[u8; PAGE], dice: &mut Dice) {
    for start in (0..PAGE).step_by(SECTOR) {
        if dice.chance(50) {
            page[start..start + SECTOR].copy_from_slice(&before[start..start + SECTOR]);
        }
    }
}

impl Volume {
    /// Counts a step. The first one after the cut is under way when the power goes off: it may
    /// have been done, but nobody is told so.
    fn step(&mut self, change: impl FnOnce(&mut Volume)) -> io::Result<()> {
        self.steps += 1;
        let cut = self.cut_at.unwrap_or(u64::MAX);
        if self.steps <= cut.saturating_add(1) {
            change(self);
        }
        match self.steps > cut {
            true => Err(io::Error::other("the power is off")),
            false => Ok(()),
        }
    }

    /// Counts a step that makes something durable: one under way may have done nothing at all.
    fn sync_step(&mut self, change: impl FnOnce(&mut Volume)) -> io::Result<()> {
        self.step(|_| {})?;
        change(self);
        Ok(())
    }

    /// The names that a power cut may leave: those of a prefix of what was done, as a file system
    /// with one journal has it, or of any of it.
    fn names_left(&self, dice: &mut Dice) -> BTreeMap<PathBuf, usize> {
        let in_order = dice.chance(50);
        let prefix = dice.roll(self.ops.len() as u64 + 1) as usize;
        let mut names = self.durable_names.clone();
        for (index, op) in self.ops.iter().enumerate() {
            let is_done = if in_order { index < prefix } else { dice.chance(50) };
            match op {
                _ if !is_done => {}
                Op::Create(path, inode) => drop(names.insert(path.clone(), *inode)),
                Op::Rename(from, to, inode) => {
                    names.retain(|path, other| path != from || other != inode);
                    names.insert(to.clone(), *inode);
                }
                Op::Remove(path) => drop(names.remove(path)),
            }
        }
        names
    }
}

impl SimFs {
    /// An empty one. Where it says that nothing is free the journal keeps no spare, whose thread
    /// makes every run another one; writes succeed all the same.
    pub fn new(has_room: bool) -> SimFs {
        let free = if has_room { 1 << 40 } else { 0 };
        SimFs { volume: Arc::new(Mutex::new(Volume { free, ..Volume::default() })) }
    }

    fn volume(&self) -> MutexGuard<'_, Volume> {
        self.volume.lock().unwrap()
    }

    /// What a power cut now, or when the power went off, may leave; on the next boot.
    pub fn image(&self, dice: &mut Dice) -> SimFs {
        let volume = self.volume();
        let percent_new = [0, 10, 50, 90, 100][dice.roll(5) as usize];
        let names = volume.names_left(dice);
        let inodes = volume.inodes.iter().map(|inode| inode.cut(dice, percent_new)).collect();
        let durable_names = names.clone();
        let boot = volume.boot + 1;
        let free = volume.free;
        let left = Volume { inodes, names, durable_names, boot, free, ..Volume::default() };
        SimFs { volume: Arc::new(Mutex::new(left)) }
    }

    /// The power goes off after so many more steps.
    pub fn cut_in(&self, steps: u64) {
        let mut volume = self.volume();
        volume.cut_at = Some(volume.steps + steps);
    }

    pub fn is_off(&self) -> bool {
        let volume = self.volume();
        volume.cut_at.is_some_and(|cut| volume.steps > cut)
    }

    fn file(&self, inode: usize) -> Arc<dyn File> {
        Arc::new(SimFile { volume: self.volume.clone(), inode })
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Fs for SimFs {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let volume = self.volume();
        Ok(volume.names.keys().map(|path| Entry { name: name(path), is_file: true }).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let inode = self.volume().names.get(path).copied();
        inode.map(|inode| self.file(inode)).ok_or_else(not_found)
    }

    fn create(&self, path: &Path, len: u64) -> io::Result<Arc<dyn File>> {
        let mut volume = self.volume();
        let inode = volume.inodes.len();
        volume.step(|volume| {
            let now = Content { len, ..Content::default() };
            volume.inodes.push(Inode { now, ..Inode::default() });
            volume.names.insert(path.to_owned(), inode);
            volume.ops.push(Op::Create(path.to_owned(), inode));
        })?;
        drop(volume);
        Ok(self.file(inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut volume = self.volume();
        let inode = volume.names.get(from).copied().ok_or_else(not_found)?;
        volume.step(|volume| {
            volume.names.remove(from);
            volume.names.insert(to.to_owned(), inode);
            volume.ops.push(Op::Rename(from.to_owned(), to.to_owned(), inode));
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut volume = self.volume();
        volume.names.get(path).ok_or_else(not_found)?;
        volume.step(|volume| {
            volume.names.remove(path);
            volume.ops.push(Op::Remove(path.to_owned()));
        })
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        self.volume().sync_step(|volume| {
            volume.durable_names = volume.names.clone();
            volume.ops.clear();
        })
    }

    fn try_lock(&self, _: &Path) -> io::Result<Option<Lock>> {
        Ok(Some(Lock::default()))
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(Space { total: 1 << 40, free: self.volume().free })
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        self.open(path)?.length()
    }

    fn boot_id(&self) -> [u8; 16] {
        [self.volume().boot + 1; 16]
    }
}

impl SimFile {
    fn change(&self, change: impl FnOnce(&mut Inode)) -> io::Result<()> {
        self.volume.lock().unwrap().step(|volume| change(&mut volume.inodes[self.inode]))
    }
}

impl File for SimFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.volume.lock().unwrap().inodes[self.inode].now.len)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let volume = self.volume.lock().unwrap();
        let content = &volume.inodes[self.inode].now;
        let count = content.len.saturating_sub(offset).min(buf.len() as u64) as usize;
        buf[..count].fill(0);
        let (first, last) = (offset / PAGE as u64, (offset + count as u64) / PAGE as u64);
        for (index, page) in content.pages.range(first..=last) {
            let start = index * PAGE as u64;
            let (from, to) = (start.max(offset), (start + PAGE as u64).min(offset + count as u64));
            if from < to {
                buf[(from - offset) as usize..(to - offset) as usize]
                    .copy_from_slice(&page[(from - start) as usize..(to - start) as usize]);
            }
        }
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.change(|inode| inode.write(bytes, offset))?;
        Ok(bytes.len())
    }

    fn allocate(&self, range: Range<u64>) -> io::Result<()> {
        self.change(|inode| inode.now.len = inode.now.len.max(range.end))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.volume.lock().unwrap().sync_step(|volume| volume.inodes[self.inode].sync())
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        Ok(self.volume.lock().unwrap().names.get(path) == Some(&self.inode))
    }

    /// A copy, which the writer keeps up with its file.
    fn map(&self, offset: u64, len: u64, end: u64) -> io::Result<Map> {
        let map = Map::in_memory(len)?;
        let mut bytes = vec![0; end as usize];
        self.read_exact_at(&mut bytes, offset)?;
        map.extend(&bytes);
        Ok(map)
    }
}
