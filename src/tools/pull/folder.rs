//! The directory that a backup is in. A file appears under its name when it is whole and durable;
//! until then it is a part, from which a later run goes on. Nothing is deleted.

use std::{
    fs::{self, File},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};

use super::{Error, Listing};
use crate::{
    journal::{
        Reader,
        fs::{Disk, Fs, Lock},
    },
    tools::show,
};

/// Held while a pull runs.
const LOCK_NAME: &str = ".pull.lock";

const PART: &str = "part";

/// The directory of a backup.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    _lock: Lock,
}

/// What is there of a file that is not whole yet.
#[derive(Debug)]
pub struct Part {
    file: File,
    len: u64,
    path: PathBuf,
    /// Where it goes.
    whole: PathBuf,
}

/// Wraps an error of the system.
trait Attempt<T> {
    fn attempting(self, attempted: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempting(self, attempted: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Folder { attempted, path: path.to_owned(), source })
    }
}

impl Folder {
    /// Opens a directory; makes it if it does not exist.
    ///
    /// # Errors
    /// It cannot be made, or another pull has it.
    pub fn open(dir: &Path) -> Result<Folder, Error> {
        fs::create_dir_all(dir).attempting("creating directory", dir)?;
        let path = dir.join(LOCK_NAME);
        let lock = Disk.try_lock(&path).attempting("locking", &path)?;
        let lock = lock.ok_or_else(|| Error::Busy { path: dir.to_owned() })?;
        Ok(Folder { dir: dir.to_owned(), _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Where a segment stands.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Bytes that are here of a segment.
    pub fn length(&self, name: &str) -> u64 {
        fs::metadata(self.file(name)).map_or(0, |about| about.len())
    }

    /// Refuses a directory of another journal; sets aside the epochs before the server's.
    ///
    /// # Errors
    /// It is not the place for this backup.
    pub fn prepare_for(&self, listing: &Listing) -> Result<(), Error> {
        // What cannot be opened has nothing to contradict the server.
        if let Ok((reader, _)) = Reader::open(&self.dir) {
            let held = reader.positions();
            let (here, there) = (show::hex(&held.journal_id), listing.id.clone());
            if here != there {
                return Err(Error::OtherJournal { path: self.dir.clone(), here, there });
            }
            if held.epoch > listing.epoch {
                let (here, there) = (held.epoch, listing.epoch);
                return Err(Error::OlderEpoch { path: self.dir.clone(), here, there });
            }
        }
        for (name, epoch) in self.segments()? {
            if epoch < listing.epoch {
                self.set_aside(&format!("epoch-{epoch}"), &name)?;
            }
        }
        Ok(())
    }

    /// Sets aside what comes before the server's oldest segment, up to the event `until`.
    ///
    /// # Errors
    /// A file cannot be moved.
    pub fn set_aside_before(&self, listing: &Listing, until: u64) -> Result<(), Error> {
        let first = listing.segments.first().map_or("", |segment| segment.name.as_str());
        for (name, _) in self.segments()? {
            if *name < *first {
                self.set_aside(&format!("until-{until}"), &name)?;
            }
        }
        Ok(())
    }

    /// Names of segments, with the epoch that each name tells.
    fn segments(&self) -> Result<Vec<(String, u64)>, Error> {
        let entries = Disk.list(&self.dir).attempting("listing", &self.dir)?;
        let mut names: Vec<(String, u64)> = entries
            .into_iter()
            .filter(|entry| entry.is_file && entry.name.ends_with(".seg"))
            .filter_map(|e| {
                let epoch = e.name.split('-').next()?.parse().ok()?;
                Some((e.name, epoch))
            })
            .collect();
        names.sort();
        Ok(names)
    }

    /// Moves a file into a folder within this one.
    fn set_aside(&self, folder: &str, name: &str) -> Result<(), Error> {
        let folder = self.dir.join(folder);
        fs::create_dir_all(&folder).attempting("creating directory", &folder)?;
        let (from, to) = (self.file(name), folder.join(name));
        if to.exists() {
            let source = io::ErrorKind::AlreadyExists.into();
            return Err(Error::Folder { attempted: "moving a segment to", path: to, source });
        }
        eprintln!(
            "{name} no longer belongs to what the server has; it goes to {}",
            folder.display()
        );
        fs::rename(&from, &to).attempting("moving a segment to", &to)?;
        Disk.sync_dir(&folder).attempting("syncing directory", &folder)?;
        Disk.sync_dir(&self.dir).attempting("syncing directory", &self.dir)
    }

    /// The part of a segment that an earlier run left, or that grows from what is here.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn part_of(&self, name: &str) -> Result<Part, Error> {
        let (whole, path) = (self.file(name), self.part_path(name));
        let left = fs::metadata(&path).map_or(0, |about| about.len());
        if left < self.length(name) {
            fs::copy(&whole, &path).attempting("copying a segment to", &path)?;
        }
        Part::open(path, whole)
    }

    /// An empty part.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn part_from_scratch(&self, name: &str) -> Result<Part, Error> {
        let mut part = Part::open(self.part_path(name), self.file(name))?;
        part.restart()?;
        Ok(part)
    }

    fn part_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.{PART}"))
    }
}

impl Part {
    fn open(path: PathBuf, whole: PathBuf) -> Result<Part, Error> {
        let mut options = File::options();
        options.create(true).append(true).read(true);
        let mut file = options.open(&path).attempting("opening", &path)?;
        let len = file.seek(io::SeekFrom::End(0)).attempting("opening", &path)?;
        Ok(Part { file, len, path, whole })
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are there.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).attempting("writing to", &self.path)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Begins from nothing.
    ///
    /// # Errors
    /// It cannot be emptied.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.file.set_len(0).attempting("emptying", &self.path)?;
        self.len = 0;
        Ok(())
    }

    /// Makes it durable, and gives it its name.
    ///
    /// # Errors
    /// A step failed; the part stays.
    pub fn install(self) -> Result<(), Error> {
        self.file.sync_all().attempting("syncing", &self.path)?;
        fs::rename(&self.path, &self.whole).attempting("renaming a part to", &self.whole)?;
        let dir = self.whole.parent().unwrap_or(Path::new("."));
        Disk.sync_dir(dir).attempting("syncing directory", dir)
    }

    /// Removes it.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn discard(self) -> Result<(), Error> {
        fs::remove_file(&self.path).attempting("removing", &self.path)
    }
}
