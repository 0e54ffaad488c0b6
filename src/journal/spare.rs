//! A few blocks kept back, so that a wipe works on a full volume.

use super::{
    draft::Site,
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
    site: Option<Site>,
}

impl Writer {
    /// Makes a spare where there is none. Made anew at every start: one that a crash left may have
    /// been written to, and a segment must begin as zeros.
    pub(super) fn make_spare(&mut self) {
        if self.spare.site.is_none() {
            let path = self.dir.join(SPARE_NAME);
            // Without it everything works but a wipe at 100 % full.
            self.spare.site = Site::create(&*self.fs, path, SPARE_BYTES, SPARE_BYTES).ok();
        }
    }

    /// The spare, for a start that may use it and fits into it.
    pub(super) fn spare_for(&mut self, start: &Start<'_>, bytes: u64) -> Option<Site> {
        if start.wipe.is_none() || bytes > SPARE_BYTES / 2 {
            return None;
        }
        self.spare.site.take()
    }
}
