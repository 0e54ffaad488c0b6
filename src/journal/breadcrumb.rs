//! What is left behind while the start reads a segment, so that the start after one that died knows
//! where it died: a bad sector under a map, memory that does not suffice, a slip in this program.
//! After the first death the segment is read into plain memory; after the second it is left alone.
//! A power cut is no fault of a segment, so a mark of another boot of the machine says nothing.
//! Knows no bytes of segments. Without it, or where it cannot be written, everything else works.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::{
    draft::remove_quietly,
    fs::{File, Fs},
    writer::Writer,
};

/// The file, beside the segments.
pub const MARK_NAME: &str = "replay.mark";

/// Its length: one write of one page, and room for some eighty segments that starts died in.
const MARK_BYTES: usize = 4096;

/// How to read a segment, after what happened to those who read it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Nothing is known against it.
    None,
    /// The last start died in it: no maps.
    Copy,
    /// The last two starts died in it.
    Skip,
}

/// The mark of a start. After the start, and without one, it does nothing.
#[derive(Debug, Default)]
pub struct Breadcrumb {
    trail: Mutex<Option<Trail>>,
}

#[derive(Debug)]
struct Trail {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    /// How often each segment was being read when the process died.
    deaths: BTreeMap<String, u32>,
    /// The segment that is being read.
    current: Option<String>,
    /// The mark, once there was something to write. Rewritten where it stands: a file that is
    /// emptied and written again costs a sync on some file systems.
    file: Option<Arc<dyn File>>,
}

impl Breadcrumb {
    /// Takes up the trail of the last start.
    pub fn of_dir(fs: &Arc<dyn Fs>, dir: &Path) -> Breadcrumb {
        let path = dir.join(MARK_NAME);
        let deaths = read(&**fs, &path).unwrap_or_default();
        let trail = Trail { fs: fs.clone(), path, deaths, current: None, file: None };
        Breadcrumb { trail: Mutex::new(Some(trail)) }
    }

    /// How to read a segment.
    pub fn care(&self, segment: &str) -> Care {
        let trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        match trail.as_ref().and_then(|trail| trail.deaths.get(segment)) {
            None => Care::None,
            Some(1) => Care::Copy,
            Some(_) => Care::Skip,
        }
    }

    /// Leaves word that a segment is being read from now on.
    pub fn enter(&self, segment: &str) {
        let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trail) = trail.as_mut()
            && trail.current.as_deref() != Some(segment)
        {
            trail.current = Some(segment.to_owned());
            // It has to survive this process, not the machine.
            let _: io::Result<()> = trail.write();
        }
    }

    /// This start gave up without dying: what is known stays as it was.
    pub fn give_up(&self) {
        let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trail) = trail.take_if(|trail| trail.deaths.is_empty()) {
            remove_quietly(&*trail.fs, &trail.path);
        } else if let Some(mut trail) = trail.take() {
            trail.current = None;
            let _: io::Result<()> = trail.write();
        }
    }

    /// The start is done: nothing of it remains.
    pub fn finish(&self) {
        let trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(trail) = trail {
            remove_quietly(&*trail.fs, &trail.path);
        }
    }
}

impl Trail {
    /// The machine's boot, then one line a segment: how often the process has died in it if it dies now, and its name.
    fn write(&mut self) -> io::Result<()> {
        let boot = boot_line(&*self.fs);
        let mut deaths = self.deaths.clone();
        if let Some(current) = &self.current {
            *deaths.entry(current.clone()).or_default() += 1;
        }
        let line = |(name, count): (&String, &u32)| format!("{count} {name}\n");
        let lines: String = deaths.iter().map(line).collect();
        let mut text = (boot + &lines).into_bytes();
        text.resize(MARK_BYTES, b'\n');
        let file = match self.file.take() {
            Some(file) => file,
            None => self.fs.create(&self.path, MARK_BYTES as u64)?,
        };
        self.file.insert(file).write_all_at(&text, 0)
    }
}

fn boot_line(fs: &dyn Fs) -> String {
    format!("boot {:032x}\n", u128::from_be_bytes(fs.boot_id()))
}

/// What the last start left. A line that makes no sense says nothing.
fn read(fs: &dyn Fs, path: &Path) -> io::Result<BTreeMap<String, u32>> {
    let file = fs.open(path)?;
    let mut bytes = vec![0; file.length()?.min(MARK_BYTES as u64) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix(&boot_line(fs)).unwrap_or_default();
    let death = |line: &str| {
        let (count, name) = line.split_once(' ')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    Ok(text.lines().filter_map(death).collect())
}

impl Writer {
    /// Says that the start is done: whatever had to be read has been read. Until then a death of
    /// this process counts against the segment that it was reading.
    pub fn started(&mut self) {
        self.shared.breadcrumb.finish();
    }
}

impl Drop for Writer {
    /// Ending in order is not dying, whether or not the start was done.
    fn drop(&mut self) {
        if !thread::panicking() {
            self.shared.breadcrumb.finish();
        }
    }
}
