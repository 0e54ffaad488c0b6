//! Small volumes in memory that a test can fill, cover and take away.

use std::{
    fs::{self, File},
    io::{Error, ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use tempfile::TempDir;

/// A mounted tmpfs; unmounted when dropped, also when the test fails.
pub struct Volume {
    folder: TempDir,
}

/// Somebody else on a volume who takes all room as soon as there is some.
pub struct Neighbour {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A read-only view of a directory, mounted over it; uncovered when dropped.
pub struct Cover {
    dir: PathBuf,
}

impl Volume {
    /// A volume of so many MiB.
    pub fn mount(mib: u64) -> Volume {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let size = format!("size={mib}m,mode=755");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path());
        Volume { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Mounts it again, with another option such as `ro`.
    pub fn remount(&self, option: &str) {
        mount(&["-o", &format!("remount,{option}")], self.path());
    }

    /// Fills it to the last block with something foreign, as a neighbour on the same volume may do.
    pub fn fill(&self) {
        fill(&self.foreign());
    }

    /// Takes each block that becomes free, until the neighbour is dropped.
    pub fn keep_full(&self) -> Neighbour {
        let ended = Arc::new(AtomicBool::new(false));
        let foreign = self.foreign();
        let is_over = ended.clone();
        let thread = thread::spawn(move || {
            while !is_over.load(Relaxed) {
                fill(&foreign);
                thread::yield_now();
            }
        });
        Neighbour { ended, thread: Some(thread) }
    }

    /// Gives the room back that was taken.
    pub fn clear(&self) {
        fs::remove_file(self.foreign()).expect("it was filled");
    }

    fn foreign(&self) -> PathBuf {
        self.path().join("foreign")
    }

    /// Free bytes.
    pub fn free(&self) -> u64 {
        let volume = rustix::fs::statvfs(self.path()).expect("the volume is there");
        volume.f_bavail * volume.f_frsize
    }
}

fn fill(path: &Path) {
    let file = File::options().append(true).create(true).open(path);
    let mut file = file.expect("the volume is there");
    for size in [64 << 10, 4 << 10] {
        let zeros = vec![0; size];
        let error = write_until_error(&mut file, &zeros);
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    }
}

fn write_until_error(file: &mut File, bytes: &[u8]) -> Error {
    loop {
        if let Err(error) = file.write_all(bytes) {
            return error;
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        let ended = self.thread.take().map(|thread| thread.join());
        // A second panic would hide the first one.
        if !std::thread::panicking() {
            ended.transpose().expect("it found no other error than a full volume");
        }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        unmount(self.path());
    }
}

impl Cover {
    /// From now on nothing can be created, renamed or removed in the directory, and no file in it
    /// can be opened for writing; whoever has one open can go on.
    ///
    /// The whole volume cannot be made read-only while a file is open for writing: the kernel
    /// refuses.
    pub fn over(dir: &Path) -> Cover {
        mount(&["--bind", dir.to_str().expect("temporary paths are text")], dir);
        let cover = Cover { dir: dir.to_owned() };
        mount(&["-o", "remount,bind,ro"], dir);
        cover
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        unmount(&self.dir);
    }
}

fn mount(args: &[&str], at: &Path) {
    let ended = Command::new("mount").args(args).arg(at).output().expect("there is `mount`");
    assert!(
        ended.status.success(),
        "these tests mount volumes, which needs root, or a user namespace as `unshare \
         --map-root-user --mount` gives it: {}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

/// Lazily, so that it goes even while something in it is still open.
fn unmount(at: &Path) {
    let ended = Command::new("umount").arg("--lazy").arg(at).output().expect("there is `umount`");
    // A second panic would hide the first one.
    if !ended.status.success() && !std::thread::panicking() {
        panic!("unmounting failed: {}", String::from_utf8_lossy(&ended.stderr));
    }
}
