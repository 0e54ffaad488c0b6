//! How large a segment is made. Pure arithmetic.

use std::ops::RangeInclusive;

use super::{
    control::{SEAL_BYTES, SYNC_MARK_BYTES},
    header::SEGMENT_HEADER_BYTES,
    index,
};

/// More in one segment makes retention coarse and replay slow.
const SEGMENT_BYTES_MAX: u64 = 256 << 20;

/// A segment has room for this many keyframes, so that most of it is events.
pub const KEYFRAMES: u64 = 5;

/// What even a huge keyframe gets: otherwise every batch would begin a segment and restate it.
const KEYFRAMES_MIN: u64 = 2;

/// At least so many segments fit into the room of a journal, so that retention takes it in slices.
const SEGMENTS_MIN: u64 = 8;

/// Places on the volume are taken in steps: a segment that a crash cuts short wastes one step. They
/// grow with the segment, so that a process that dies over and over on a full volume does not push
/// out the history with empty segments.
const STEP_BYTES: RangeInclusive<u64> = (256 << 10)..=(4 << 20);

/// Lengths of files are multiples of a page.
pub const PAGE_BYTES: u64 = 4096;

/// What the size of a segment follows from.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// The size that was configured.
    pub segment_bytes: u64,
    /// What the journal may take on the volume, bytes.
    pub room: u64,
}

impl Sizes {
    /// How large a segment is made that must hold this keyframe and so many bytes beside it.
    pub fn capacity(&self, keyframe_bytes: u64, other_bytes: u64) -> u64 {
        let holding = |keyframes| needed(keyframes * keyframe_bytes, other_bytes);
        let most = SEGMENT_BYTES_MAX.min(self.room / SEGMENTS_MIN);
        let wanted = self.segment_bytes.max(holding(KEYFRAMES)).min(most);
        wanted.max(holding(KEYFRAMES_MIN)).next_multiple_of(PAGE_BYTES)
    }
}

/// The least that a segment takes with this keyframe and so many bytes beside it: they, header,
/// index, seal, marks and a leap.
pub fn needed(keyframe_bytes: u64, other_bytes: u64) -> u64 {
    let noted = SEGMENT_HEADER_BYTES + 4 * SYNC_MARK_BYTES + keyframe_bytes + other_bytes;
    noted + index::bytes_max(noted) + SEAL_BYTES
}

/// How far places are taken for a segment that must reach to `end`.
pub fn allocation(end: u64, capacity: u64) -> u64 {
    let needed = needed(0, end);
    let step = needed.next_power_of_two().clamp(*STEP_BYTES.start(), *STEP_BYTES.end());
    needed.next_multiple_of(step).min(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn check(room: u64, keyframe: u64, other: u64, expected: u64) {
        let sizes = Sizes { segment_bytes: 64 * MIB, room };
        let capacity = sizes.capacity(keyframe, other);
        assert_eq!(capacity / MIB, expected / MIB, "room {room}, keyframe {keyframe}");
        assert!(capacity >= needed(keyframe, other) && capacity.is_multiple_of(PAGE_BYTES));
    }

    #[test]
    fn a_segment_grows_to_five_keyframes_within_its_bounds() {
        check(u64::MAX, 0, 0, 64 * MIB);
        check(u64::MAX, 12 * MIB, 0, 64 * MIB);
        check(u64::MAX, 20 * MIB, 0, 100 * MIB);
        check(u64::MAX, 20 * MIB, 8 * MIB, 108 * MIB);
        check(u64::MAX, 100 * MIB, 0, 256 * MIB);
    }

    #[test]
    fn an_eighth_of_the_room_is_enough() {
        check(256 * MIB, 0, 0, 32 * MIB);
        check(256 * MIB, 10 * MIB, 0, 32 * MIB);
    }

    #[test]
    fn what_must_be_held_is_held_in_any_room() {
        check(256 * MIB, 20 * MIB, 3 * MIB, 43 * MIB);
        check(u64::MAX, 200 * MIB, 0, 400 * MIB);
        check(0, 0, 100 * MIB, 100 * MIB);
    }

    #[test]
    fn places_are_taken_in_steps() {
        assert_eq!(allocation(1, 64 * MIB), MIB / 4);
        assert_eq!(allocation(MIB, 64 * MIB), 2 * MIB);
        assert_eq!(allocation(4 * MIB, 64 * MIB), 8 * MIB);
        assert_eq!(allocation(63 * MIB, 64 * MIB), 64 * MIB);
        assert_eq!(allocation(1, 8192), 8192);
    }
}
