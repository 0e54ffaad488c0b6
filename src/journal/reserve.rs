//! A few blocks kept back, so that a wipe works on a full volume after everything else was used.

use super::{draft::Site, sizes, writer::Writer};

/// The file that keeps the blocks.
pub const RESERVE_NAME: &str = "reserve.tmp";

/// Enough for the first segment of an epoch: a wipe record and what is recorded with it. The wipe
/// frees everything else, so the next segment is of the usual size again.
pub const RESERVE_BYTES: u64 = 1 << 20;

impl Writer {
    /// Makes the reserve where there is none. Made anew at every start: one that a crash left may
    /// have been written to, and a segment must begin as zeros.
    pub(super) fn make_reserve(&mut self) {
        if !self.reserve.as_ref().is_some_and(Site::is_in_place) {
            let path = self.dir.join(RESERVE_NAME);
            // Without it everything works but a wipe at 100 % full.
            self.reserve = Site::create(&*self.fs, path, RESERVE_BYTES, RESERVE_BYTES).ok();
        }
    }

    /// The reserve, if so many bytes fit into it and leave room to go on.
    pub(super) fn reserve_for(&mut self, bytes: u64) -> Option<Site> {
        let fits = |site: &mut Site| site.is_in_place() && bytes <= sizes::needed(0, site.len / 2);
        self.reserve.take_if(fits)
    }
}
