//! What is done about a step that failed, before it is tried again: room is made, removed files are
//! made up for, a segment that took a bad write is left behind.

use std::{
    io,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    error::{Attempt, Error},
    fs::Fs,
    retention::Because,
    rotation,
    segment::Segment,
    writer::Writer,
};

/// Retired segments that readers still hold when the volume is full: as many as past moments and
/// one download may need. Retiring more would take history and give no room.
const HELD_MAX: usize = 8;

/// Who answers a query lets go of its segments within moments; a download may take long. An append
/// waits for the former, and no longer than its readers can be kept waiting.
const HELD_WAIT_MAX: Duration = Duration::from_millis(100);

/// How often it is looked whether somebody has let go.
const HELD_LOOK: Duration = Duration::from_millis(1);

impl Writer {
    /// Attempts something, again after every remedy that there is for its error.
    ///
    /// # Errors
    /// That of the last attempt.
    pub(super) fn with_remedies<T>(
        &mut self,
        time_ns: i64,
        mut attempt: impl FnMut(&mut Writer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut looked, mut moved) = (false, false);
        // Attempts begin segments; those must not be what the next attempt retires.
        let newest = self.segment_number;
        let mut until = None;
        loop {
            let error = match attempt(self) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let is_remedied = if error.is_storage_full() {
                self.move_to_spare()
                    || self.retire_for_room(newest)
                    || self.wait_for_held(&mut until)
            } else if error.is_not_found() && !looked {
                looked = true;
                self.make_up_for_removed(time_ns)
            } else {
                // The segment that took a bad write is left behind by the next attempt.
                self.is_unsure() && !std::mem::replace(&mut moved, true)
            };
            if !is_remedied {
                return Err(error);
            }
        }
    }

    /// Lets the next attempt begin a segment in the spare: its places are taken already.
    fn move_to_spare(&mut self) -> bool {
        let has_spare = self.has_spare();
        let Some(open) = self.open.as_mut().filter(|open| !open.is_due) else { return false };
        open.is_due = has_spare;
        has_spare
    }

    /// Retires the oldest segment, if it is older than one.
    fn retire_for_room(&mut self, than_number: u64) -> bool {
        let state = self.shared.state.load();
        let number = |segment: &Arc<Segment>| rotation::segment_number(segment.header.salt);
        let is_older = state.segments.first().is_some_and(|s| number(s) < than_number);
        is_older
            && self.keeping.held_count() < HELD_MAX
            && self.retire_oldest(Because::Full).is_some()
    }

    /// Waits until a retired segment is let go, whose blocks come back then; until a time that is
    /// set at the first wait.
    fn wait_for_held(&mut self, until: &mut Option<Instant>) -> bool {
        let until = *until.get_or_insert_with(|| Instant::now() + HELD_WAIT_MAX);
        let held = self.keeping.held_count();
        while self.keeping.held_count() == held {
            if held == 0 || Instant::now() >= until {
                return false;
            }
            thread::sleep(HELD_LOOK);
        }
        true
    }

    /// Whether a write to the open segment failed.
    pub(super) fn is_unsure(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.unsure)
    }

    /// Whether anything may be recorded at all.
    ///
    /// # Errors
    /// Another process has taken over, or a file stands in the way that cannot be removed.
    pub(super) fn may_record(&mut self) -> Result<(), Error> {
        if self.is_ousted {
            return Err(Error::Ousted { dir: self.dir.clone() });
        }
        self.remove_leftover()
    }

    /// Takes away a segment that got its name but was never begun: after a crash it would count.
    pub(super) fn remove_leftover(&mut self) -> Result<(), Error> {
        let Some(path) = &self.leftover else { return Ok(()) };
        removed(&*self.fs, path).attempting("removing a segment that was never begun,", path)?;
        self.fs.sync_dir(&self.dir).attempting("syncing directory", &self.dir)?;
        self.leftover = None;
        Ok(())
    }
}

/// Unlinks a file; one that is not there is gone as well.
pub(super) fn removed(fs: &dyn Fs, path: &Path) -> io::Result<()> {
    match fs.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
