//! Files that somebody removed under the running process. It goes on in new ones: what was not
//! durable yet is written again, and the keyframe has everything that lives.

use std::{collections::HashSet, io, path::Path, sync::Arc};

use super::{
    catalog::LOCK_NAME,
    error::{Attempt, Error},
    fs::Fs,
    record::Seq,
    segment::Segment,
    writer::Writer,
};

/// A segment that somebody removed. Its events are gone, but for those that were not durable yet:
/// these were written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub segment: String,
    /// Its first event.
    pub first_seq: Seq,
    /// Its last event that is gone; `first_seq - 1` where none is.
    pub last_seq: Seq,
}

/// Creates the journal's directory, so that a power cut does not take it.
///
/// # Errors
/// It can be neither created nor used.
pub fn make_dir(fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
    fs.create_dir_all(dir).attempting("creating directory", dir)?;
    // It may be the root of a volume, or its parent be another's: then it was there before.
    let _: Option<io::Result<()>> = dir.parent().map(|parent| fs.sync_dir(parent));
    Ok(())
}

impl Writer {
    /// Looks whether everything is in its place and makes up for what is not; says whether
    /// something was missing. Where that fails, the next call finds the same missing.
    pub(super) fn make_up_for_removed(&mut self, now_ns: i64) -> bool {
        if self.is_ousted {
            return false;
        }
        let Ok(missing) = self.missing() else { return false };
        let lock_is_gone = self.lock_is_gone();
        if missing.is_empty() && !lock_is_gone {
            return false;
        }
        let made_up = make_dir(&*self.fs, &self.dir)
            .and_then(|()| if lock_is_gone { self.lock_anew() } else { Ok(()) })
            .and_then(|()| self.go_on_without(&missing, now_ns));
        made_up.is_ok()
    }

    /// Published segments whose names are gone, and the open one if its name is another file's.
    fn missing(&self) -> io::Result<Vec<Arc<Segment>>> {
        let names: HashSet<String> = match self.fs.list(&self.dir) {
            Ok(entries) => entries.into_iter().map(|entry| entry.name).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashSet::new(),
            Err(error) => return Err(error),
        };
        let is_missing = |segment: &Arc<Segment>| {
            let open = self.open.as_ref().filter(|open| Arc::ptr_eq(&open.segment, segment));
            !names.contains(&segment.name)
                || self.tells_files_apart
                    && open.is_some_and(|open| !open.file.is_at(&segment.path).unwrap_or(true))
        };
        Ok(self.published_segments().into_iter().filter(is_missing).collect())
    }

    fn lock_is_gone(&self) -> bool {
        let Some(lock) = &self.lock else { return true };
        self.tells_files_apart && !lock.is_at(&self.dir.join(LOCK_NAME)).unwrap_or(true)
    }

    /// Without the lock file another process could take a lock of its own. If one has, this writer
    /// is done: two would write over each other's numbers.
    fn lock_anew(&mut self) -> Result<(), Error> {
        let path = self.dir.join(LOCK_NAME);
        // Let go first: if the file was in its place after all, this writer can lock it again.
        self.lock = None;
        self.lock = self.fs.try_lock(&path).attempting("locking", &path)?;
        self.is_ousted = self.lock.is_none();
        Ok(())
    }

    fn go_on_without(&mut self, missing: &[Arc<Segment>], now_ns: i64) -> Result<(), Error> {
        let is_missing = |segment: &Arc<Segment>| missing.iter().any(|m| Arc::ptr_eq(m, segment));
        let removed: Vec<Removed> = missing.iter().map(|segment| self.removed(segment)).collect();
        let published = self.published_segments();
        let newest_is_missing = published.last().is_some_and(is_missing);
        if newest_is_missing {
            match &mut self.open {
                Some(open) => {
                    open.doubt.get_or_insert_with(|| "its file was removed".to_owned());
                    self.heal()?;
                }
                None => self.make_room(0, now_ns)?,
            }
        }
        let left = self.published_segments().into_iter().filter(|s| !is_missing(s)).collect();
        self.publish(Arc::new(left));
        self.keeping.news.removed.extend(removed);
        Ok(())
    }

    fn removed(&self, segment: &Arc<Segment>) -> Removed {
        let state = self.shared.state.load();
        let index = state.segments.iter().position(|s| Arc::ptr_eq(s, segment));
        let limit = index.map_or(Seq::MAX, |index| state.limit(index));
        let is_open = self.open.as_ref().is_some_and(|open| Arc::ptr_eq(&open.segment, segment));
        let last_seq = segment.last_seq().min(limit);
        let gone = if is_open { last_seq.min(self.durable_seq) } else { last_seq };
        let first_seq = segment.header.base_seq;
        Removed {
            segment: segment.name.clone(),
            first_seq,
            last_seq: gone.max(first_seq.saturating_sub(1)),
        }
    }
}
