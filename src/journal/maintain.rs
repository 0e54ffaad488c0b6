//! What the writer looks after once a second, beside appending.

use super::{presence::Removed, retention::Retired, writer::Writer};

/// What changed without having been asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Segments that retention took, in order; those that made room for an append included.
    pub retired: Vec<Retired>,
    /// Segments that somebody else took away.
    pub removed: Vec<Removed>,
}

impl Writer {
    /// Looks after the directory: retires segments by policy, notices removed files, keeps a spare
    /// ready. To be called about once a second, with the present time, nanoseconds since 1970.
    /// Gives what happened since the last call. What fails is tried again at the next call.
    pub fn maintain(&mut self, now_ns: i64) -> Maintained {
        self.make_up_for_removed(now_ns);
        if self.may_record().is_ok() {
            self.close_by_age(now_ns);
            self.retire_by_policy(now_ns);
            self.make_reserve();
            self.make_spare();
        }
        std::mem::take(&mut self.keeping.news)
    }
}
