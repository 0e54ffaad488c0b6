//! File access, as one small trait, so that tests can play faults and power cuts. Knows paths and
//! bytes, no format.

use std::{
    fmt, fs, io,
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
    sync::Arc,
};

use rustix::{fs::FallocateFlags, io::Errno};

use super::map::Map;

/// Zeros are written in pieces of this size where the file system cannot allocate.
const ZEROS_BYTES: usize = 1 << 20;

/// What the kernel counts a file's blocks in, whatever the file system's own block is.
const STAT_BLOCK_BYTES: u64 = 512;

/// How large a volume is, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Everything, used or not.
    pub total: u64,
    /// What this process may still use.
    pub free: u64,
}

/// A directory's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; what is not UTF-8 is replaced.
    pub name: String,
    /// A regular file, as opposed to a directory or something stranger.
    pub is_file: bool,
}

/// What the journal asks of a file system.
pub trait Fs: fmt::Debug + Send + Sync {
    /// Creates a directory and its parents, if absent.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Everything in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Opens an existing file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Creates a file of `len` zeros for reading and writing; one that exists is emptied first.
    /// The zeros need not have a place on the volume yet.
    fn create(&self, path: &Path, len: u64) -> io::Result<Arc<dyn File>>;
    /// Renames a file within its directory.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Unlinks a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the lock file; `None` while another process holds it.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>>;
    /// The size of the volume that a directory is on; an error where it does not say.
    fn space(&self, dir: &Path) -> io::Result<Space>;
    /// Bytes that a file takes on the volume.
    fn allocated(&self, path: &Path) -> io::Result<u64>;
    /// The id of the machine's present boot; zeros where unknown.
    fn boot_id(&self) -> [u8; 16];
}

/// What the journal asks of an open file.
pub trait File: fmt::Debug + Send + Sync {
    /// The file's length.
    fn length(&self) -> io::Result<u64>;
    /// Reads up to `buf.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes some of `bytes`, as the system likes it; says how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Gives bytes that nobody has written yet their place on the volume; they stay zero.
    fn allocate(&self, range: Range<u64>) -> io::Result<()>;
    /// Gives back the places of bytes that nobody reads, where the file system can; they read as
    /// zeros afterwards.
    fn release(&self, _range: Range<u64>) -> io::Result<()> {
        Ok(())
    }
    /// Makes everything written durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Whether this is still the file that `path` names.
    fn is_at(&self, path: &Path) -> io::Result<bool>;
    /// Maps `len` bytes at `offset`, of which `end` are final.
    fn map(&self, offset: u64, len: u64, end: u64) -> io::Result<Map>;

    /// Reads exactly `buf.len()` bytes.
    fn read_exact_at(&self, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buf.is_empty() {
            match self.read_at(buf, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buf = &mut buf[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes all of `bytes`: a short write goes on, an interrupted one is tried again.
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A held lock; dropping it lets go.
#[derive(Debug, Default)]
pub struct Lock {
    file: Option<fs::File>,
}

impl Lock {
    /// Whether the lock file is still the one that `path` names. Otherwise another process can
    /// take a lock of its own.
    pub fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.file.as_ref().map_or(Ok(true), |file| file.is_at(path))
    }
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Disk;

impl Fs for Disk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let entry = |entry: fs::DirEntry| Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            is_file: entry.file_type().is_ok_and(|kind| kind.is_file()),
        };
        fs::read_dir(dir)?.map(|found| found.map(entry)).collect()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(fs::File::open(path)?))
    }

    fn create(&self, path: &Path, len: u64) -> io::Result<Arc<dyn File>> {
        let mut options = fs::File::options();
        let file = options.read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(len)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = fs::File::options().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file: Some(file) })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let volume = rustix::fs::statvfs(dir)?;
        if volume.f_blocks == 0 {
            // Some network and user-space file systems do not say.
            return Err(io::ErrorKind::Unsupported.into());
        }
        let bytes = |blocks: u64| blocks.saturating_mul(volume.f_frsize);
        Ok(Space { total: bytes(volume.f_blocks), free: bytes(volume.f_bavail) })
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.blocks() * STAT_BLOCK_BYTES)
    }

    fn boot_id(&self) -> [u8; 16] {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: Vec<u8> =
            text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        let mut id = [0; 16];
        if digits.len() == 32 {
            for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
                *byte = pair[0] << 4 | pair[1];
            }
        }
        id
    }
}

impl File for fs::File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buf, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn allocate(&self, range: Range<u64>) -> io::Result<()> {
        let flags = FallocateFlags::empty();
        loop {
            return match rustix::fs::fallocate(self, flags, range.start, range.end - range.start) {
                Err(Errno::INTR) => continue,
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => write_zeros(self, range),
                other => Ok(other?),
            };
        }
    }

    fn release(&self, range: Range<u64>) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::fs::fallocate(self, flags, range.start, range.end - range.start)?)
    }

    fn sync_data(&self) -> io::Result<()> {
        fs::File::sync_data(self)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let open = self.metadata()?;
        match fs::metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn map(&self, offset: u64, len: u64, end: u64) -> io::Result<Map> {
        Map::of_file(self, offset, len, end)
    }
}

fn write_zeros(file: &fs::File, range: Range<u64>) -> io::Result<()> {
    let zeros = vec![0; ZEROS_BYTES];
    let mut offset = range.start;
    while offset < range.end {
        let piece = (range.end - offset).min(ZEROS_BYTES as u64);
        FileExt::write_all_at(file, &zeros[..piece as usize], offset)?;
        offset += piece;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_can_be_allocated_zeros_are_written_and_nothing_else_is_touched() {
        let file = tempfile::tempfile().expect("a file");
        let around = [7; 100];
        let to = 300 + 2 * ZEROS_BYTES as u64;
        for at in [0, to] {
            FileExt::write_all_at(&file, &around, at).expect("it is written");
        }
        write_zeros(&file, 100..to).expect("it is written");
        let mut bytes = vec![1; to as usize + 100];
        FileExt::read_exact_at(&file, &mut bytes, 0).expect("it is read");
        assert_eq!((&bytes[..100], &bytes[to as usize..]), (&around[..], &around[..]));
        assert!(bytes[100..to as usize].iter().all(|byte| *byte == 0));
    }
}
