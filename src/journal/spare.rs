//! A few blocks kept back, so that a wipe works on a full volume.

use std::{path::PathBuf, sync::Arc};

use super::{
    draft,
    fs::File,
    writer::{Start, Writer},
};

/// The file that keeps the blocks.
pub const SPARE_NAME: &str = "spare.tmp";

/// Enough for the first segment of an epoch: a wipe record and what is recorded with it. The wipe
/// frees everything else, so the next segment is of the usual size again.
pub const SPARE_BYTES: u64 = 1 << 20;

/// The kept blocks, if the volume had room for them.
#[derive(Debug, Default)]
pub struct Spare {
    file: Option<Arc<dyn File>>,
}

impl Writer {
    /// Makes a spare where there is none. Made anew at every start: one that a crash left may have
    /// been written to, and a segment must begin as zeros.
    pub(super) fn make_spare(&mut self) {
        if self.spare.file.is_none() {
            let path = self.dir.join(SPARE_NAME);
            // Without it everything works but a wipe at 100 % full.
            self.spare.file = draft::allocated(&*self.fs, &path, SPARE_BYTES).ok();
        }
    }

    /// The spare, for a start that may use it and fits into it.
    pub(super) fn spare_for(
        &mut self,
        start: &Start<'_>,
        bytes: u64,
    ) -> Option<(Arc<dyn File>, PathBuf)> {
        if start.wipe.is_none() || bytes > SPARE_BYTES / 2 {
            return None;
        }
        let file = self.spare.file.take()?;
        Some((file, self.dir.join(SPARE_NAME)))
    }
}
