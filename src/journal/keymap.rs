//! The map from every living key to its latest state record, and the hash of that state. Knows
//! where bodies are, never what they mean.

use std::{collections::HashMap, sync::Arc};

use super::{
    format::Header,
    record::{Flags, Seq},
    segment::Segment,
    walk::Frame,
};

/// Everything that is alive.
#[derive(Debug, Default)]
pub struct KeyMap {
    living: HashMap<u64, Living>,
    hash: u64,
    frame_bytes: u64,
}

/// The latest state of one key.
#[derive(Debug, Clone)]
pub struct Living {
    /// Where it stands now: the original or the last keyframe's copy.
    pub segment: Arc<Segment>,
    /// Its place there, and its header.
    pub frame: Frame,
}

impl KeyMap {
    /// Takes in an event, or a record of a keyframe.
    pub fn apply(&mut self, segment: &Arc<Segment>, frame: &Frame) {
        let (flags, key) = (frame.header.flags, frame.header.key);
        if key == 0 {
            return;
        }
        if flags.has(Flags::END) {
            let gone = self.living.remove(&key);
            self.uncount(gone);
        } else if flags.has(Flags::STATE) {
            self.count(&frame.header);
            let living = Living { segment: segment.clone(), frame: *frame };
            let replaced = self.living.insert(key, living);
            self.uncount(replaced);
        }
    }

    fn count(&mut self, header: &Header) {
        self.hash = self.hash.wrapping_add(state_hash(header));
        self.frame_bytes += header.frame_bytes();
    }

    fn uncount(&mut self, gone: Option<Living>) {
        if let Some(Living { frame, .. }) = gone {
            self.hash = self.hash.wrapping_sub(state_hash(&frame.header));
            self.frame_bytes -= frame.header.frame_bytes();
        }
    }

    /// Where the latest state of a key stands.
    pub fn get(&self, key: u64) -> Option<&Living> {
        self.living.get(&key)
    }

    /// How many keys live.
    pub fn len(&self) -> u64 {
        self.living.len() as u64
    }

    /// The state's hash.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Length of a keyframe of this state, without its end.
    pub fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    /// Every living record, by sequence number, so that equal states give equal keyframes.
    pub fn in_order(&self) -> Vec<&Living> {
        let mut living: Vec<&Living> = self.living.values().collect();
        living.sort_unstable_by_key(|living: &&Living| living.frame.header.seq as Seq);
        living
    }
}

/// What one living key adds to the state's hash: the sum does not depend on their order.
pub fn state_hash(header: &Header) -> u64 {
    let hash = mixed(header.key.wrapping_add(0x9e37_79b9_7f4a_7c15));
    let hash = mixed(hash ^ header.seq);
    mixed(hash ^ u64::from(header.payload_crc))
}

/// The finalizer of splitmix64: every bit of the input changes about half of the output.
pub fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
