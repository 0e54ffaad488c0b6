//! A sparse list of places within one segment, so that a scan can begin near its first event.
//! Kept in memory, built by walking headers when first asked for, and walked on from there.

use std::io;

use super::{record::Seq, segment::Segment, walk::Step};

/// Records between two places: small enough to be collected before they are fed newest first.
const BLOCK_BYTES: u64 = 256 << 10;

/// A run of records that begins with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Where it begins.
    pub offset: u64,
    /// Its first event.
    pub first_seq: Seq,
    /// The earliest time of its events.
    pub time_min_ns: i64,
}

/// The blocks of one segment, oldest first.
#[derive(Debug, Default)]
pub struct Blocks {
    list: Vec<Block>,
    walked_to: u64,
}

impl Blocks {
    /// The blocks of everything that is published now.
    pub fn of(segment: &Segment) -> io::Result<Vec<Block>> {
        let mut blocks = segment.blocks();
        blocks.walk_on(segment)?;
        Ok(blocks.list.clone())
    }

    /// Where a scan for events from `seq` on begins.
    pub fn seek(segment: &Segment, seq: Seq) -> io::Result<u64> {
        let mut blocks = segment.blocks();
        blocks.walk_on(segment)?;
        let behind = blocks.list.partition_point(|block| block.first_seq <= seq);
        let block = blocks.list.get(behind.saturating_sub(1));
        Ok(block.map_or_else(|| segment.end(), |block| block.offset))
    }

    fn walk_on(&mut self, segment: &Segment) -> io::Result<()> {
        let mut walk = segment.walk(self.walked_to);
        loop {
            match walk.next()? {
                Step::Frame(frame) if frame.header.is_event() => {
                    let (seq, time_ns) = (frame.header.seq, frame.header.time_ns);
                    match self.list.last_mut() {
                        Some(block) if frame.offset < block.offset + BLOCK_BYTES => {
                            block.time_min_ns = block.time_min_ns.min(time_ns);
                        }
                        _ => self.list.push(Block {
                            offset: frame.offset,
                            first_seq: seq,
                            time_min_ns: time_ns,
                        }),
                    }
                    self.walked_to = frame.end();
                }
                Step::Frame(frame) => self.walked_to = frame.end(),
                Step::Damage { from, to } => {
                    segment.note_damage(from);
                    self.walked_to = to;
                }
                Step::End { at, torn } => {
                    if torn {
                        segment.note_damage(at);
                    }
                    return Ok(());
                }
            }
        }
    }
}
