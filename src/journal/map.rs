//! The only unsafe code: slices of memory-mapped files.
//!
//! The contract that makes them sound:
//!
//! - Slices are made of bytes below `end` only, and bytes below `end` never change: a segment is
//!   appended to and never rewritten, truncated or used again, and the lock keeps a second writer
//!   out. Whoever edits a segment's file by hand while it is open breaks this contract.
//! - `end` is stored with release after the bytes were written and loaded with acquire before a
//!   slice is made, so that a reader sees the bytes that the number promises.
//! - Nothing is ever stored through a file's map, so a full disk is an error of a write and never
//!   a SIGBUS. Only memory without a file, private to one `Map`, is written to, above `end`.
//! - The map keeps the file's blocks alive after the file was unlinked.
//! - A page that cannot be read, because the volume fails or somebody cut the file short, would end
//!   the process when it is touched. [`Map::guard`] asks the kernel before the touch and puts a
//!   page of zeros in its place. That is the one change that a mapped byte can see, and only where
//!   reading it again was deadly.

#![expect(unsafe_code, reason = "the one place where mapped memory becomes slices")]

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::MetadataExt,
    slice,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use memmap2::{Advice, MmapMut, MmapOptions, MmapRaw};
use rustix::{
    io::Errno,
    mm::{MapFlags, ProtFlags, mmap_anonymous},
    param::page_size,
    process::geteuid,
};

/// Pages that are asked about in one call: 4 MiB of the usual ones, as much as walks ask about.
const RESIDENTS_ASKED: usize = 1024;

/// The bytes of a segment, in a map of its file or in plain memory.
#[derive(Debug)]
pub struct Map {
    memory: MmapRaw,
    /// Bytes below are written, published and final.
    end: AtomicU64,
    /// Bytes below were read in at least once: most of them will still be there.
    read_in: AtomicU64,
    /// The kernel tells this process which pages of the file are in memory; to who may not write to
    /// a file it says that all are.
    tells_residents: bool,
    /// Held while plain memory is written; `None` for a map of a file.
    writing: Option<Mutex<()>>,
}

impl Map {
    /// Maps `len` bytes of `file` at `offset`; the first `end` of them are final.
    ///
    /// # Errors
    /// The file does not reach that far, or the file system has no maps.
    pub(super) fn of_file(file: &File, offset: u64, len: u64, end: u64) -> io::Result<Map> {
        // Touching a page behind the end of the file would be a SIGBUS.
        if offset.checked_add(len).is_none_or(|to| to > file_bytes(file)) || end > len {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter"));
        }
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let memory = MmapOptions::new().offset(offset).len(len).map_raw_read_only(file)?;
        let tells_residents = file.metadata().is_ok_and(|m| m.uid() == geteuid().as_raw());
        Ok(Map {
            memory,
            end: AtomicU64::new(end),
            read_in: AtomicU64::new(0),
            tells_residents,
            writing: None,
        })
    }

    /// Plain memory for `len` bytes, none of them written yet: for file systems without maps.
    ///
    /// # Errors
    /// There is not that much address space.
    pub fn in_memory(len: u64) -> io::Result<Map> {
        let memory = MmapMut::map_anon(usize::try_from(len).map_err(io::Error::other)?)?;
        Ok(Map {
            memory: MmapRaw::from(memory),
            end: AtomicU64::new(0),
            read_in: AtomicU64::new(0),
            tells_residents: false,
            writing: Some(Mutex::new(())),
        })
    }

    /// How many bytes are final.
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// The bytes from `from` up to `to`, which is at most [`Map::end`].
    pub(super) fn slice(&self, from: u64, to: u64) -> &[u8] {
        assert!(from <= to && to <= self.end(), "only published bytes are read");
        let len = (to - from) as usize;
        // SAFETY: `from` is at most `end`, which lies within the map: `of_file` and `extend` see
        // to it.
        let start = unsafe { self.memory.as_ptr().add(from as usize) };
        // SAFETY: `start..start + len` lies below `end`: within the map, written, and never
        // changed again (contract above). The lifetime is that of the map.
        unsafe { slice::from_raw_parts(start, len) }
    }

    /// Makes the bytes of `range` safe to touch; gives the stretches that cannot be read and are
    /// zeros from now on.
    ///
    /// The answer holds for the moment: a page that the kernel drops afterwards can fail when it is
    /// read again. So it is asked right before the touch, each time. Kernels before Linux 5.14
    /// cannot answer, and nothing is guarded there.
    pub(super) fn guard(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let is_plain = self.writing.is_some() || range.is_empty();
        if is_plain || self.is_resident(&range) || self.can_be_read(&range) {
            return Vec::new();
        }
        let mut unreadable: Vec<Range<u64>> = Vec::new();
        for page in self.pages(range) {
            if self.can_be_read(&page) || !self.put_zeros(&page) {
                continue;
            }
            match unreadable.last_mut() {
                Some(last) if last.end == page.start => last.end = page.end,
                _ => unreadable.push(page),
            }
        }
        unreadable
    }

    /// Reads the pages of a range in, without a touch.
    fn can_be_read(&self, range: &Range<u64>) -> bool {
        let (from, len) = (range.start as usize, (range.end - range.start) as usize);
        match self.memory.advise_range(Advice::PopulateRead, from, len) {
            Ok(()) => {
                self.read_in.fetch_max(range.end, Ordering::Relaxed);
                true
            }
            // Any other error is about the question, not about the pages.
            Err(error) => {
                !matches!(Errno::from_io_error(&error), Some(Errno::FAULT | Errno::HWPOISON))
            }
        }
    }

    /// Whether all pages of a range are in memory, so that no touch has to read: a hundred times
    /// cheaper to ask than to read them in again, where most are.
    fn is_resident(&self, range: &Range<u64>) -> bool {
        if !self.tells_residents || range.end > self.read_in.load(Ordering::Relaxed) {
            return false;
        }
        let mut pages = [0u8; RESIDENTS_ASKED];
        let start = self.page_start(range.start);
        let behind = self.memory.as_ptr() as usize + range.end as usize;
        (start..behind).step_by(RESIDENTS_ASKED * page_size()).all(|from| {
            let len = (behind - from).min(RESIDENTS_ASKED * page_size());
            // SAFETY: `from` is the start of a page of the map, `len` bytes from there are within
            // it up to the end of a page, and `pages` has a byte for each of their pages.
            let asked = unsafe { libc::mincore(from as *mut _, len, pages.as_mut_ptr()) };
            asked == 0 && pages[..len.div_ceil(page_size())].iter().all(|state| state & 1 == 1)
        })
    }

    /// The address of the page that a byte stands in.
    fn page_start(&self, at: u64) -> usize {
        let address = self.memory.as_ptr() as usize + at as usize;
        address - address % page_size()
    }

    /// The pages that a range touches, counted from the start of the map and cut at its ends: a
    /// segment within a tar does not begin with a page.
    fn pages(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let (page, len) = (page_size() as u64, self.memory.len() as u64);
        let before = self.memory.as_ptr() as u64 % page;
        let first = (range.start + before) / page;
        let behind = (range.end + before).div_ceil(page);
        (first..behind).map(move |index| {
            (index * page).saturating_sub(before)..((index + 1) * page - before).min(len)
        })
    }

    /// Puts zeros in the place of one page that cannot be read. Where that fails, for want of
    /// address space, the touch ends the process, and the next start reads the file differently.
    fn put_zeros(&self, page: &Range<u64>) -> bool {
        // SAFETY: the page lies within the map, which lasts as long as `self`: `pages` sees to it.
        // Nothing can be read there (`can_be_read`), and what is put there is as readable as the
        // rest, private to this process, and unmapped together with it.
        let placed = unsafe {
            mmap_anonymous(
                self.memory.as_mut_ptr().with_addr(self.page_start(page.start)).cast(),
                page_size(),
                ProtFlags::READ,
                MapFlags::PRIVATE | MapFlags::FIXED,
            )
        };
        placed.is_ok()
    }

    /// Publishes `bytes`, which were just written to the file at [`Map::end`].
    ///
    /// Plain memory gets a copy. Called by the one writer of the segment.
    pub fn extend(&self, bytes: &[u8]) {
        let writing = self.writing.as_ref();
        let guard = writing.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner));
        let end = self.end.load(Ordering::Relaxed);
        let end_new = end + bytes.len() as u64;
        assert!(end_new <= self.memory.len() as u64, "the segment has room for what it is given");
        if guard.is_some() {
            // SAFETY: `end` lies within the map, by the assertion above.
            let target = unsafe { self.memory.as_mut_ptr().add(end as usize) };
            // SAFETY: the target lies within memory that is writable (`in_memory`), above `end`,
            // so no slice of it exists, and the lock keeps out another call.
            unsafe { target.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
        self.end.store(end_new, Ordering::Release);
    }
}

fn file_bytes(file: &File) -> u64 {
    file.metadata().map_or(0, |m| m.len())
}
