//! The journal's own records: fixed binary payloads, drawn in `journal-format.md`.

use super::{
    format::{self, Header, u32_at, u64_at},
    record::{Flags, Seq},
};

/// Numbers of the control kinds.
pub mod kind {
    /// Everything up to a sequence number has been synced.
    pub const SYNC_MARK: u16 = 1;
    /// A keyframe ends: how many records it has, and the state's hash.
    pub const KEYFRAME_END: u16 = 2;
    /// What is where in the segment.
    pub const INDEX: u16 = 3;
    /// The segment ends here; nothing follows.
    pub const SEAL: u16 = 4;
    /// Sequence numbers that were left out.
    pub const LEAP: u16 = 5;
    /// An older epoch was wiped.
    pub const WIPE: u16 = 6;
}

/// The longest text that a wipe record repeats: an admin's reason, not a document.
const WIPE_TEXT_BYTES_MAX: usize = 16 << 10;

/// A control record, other than an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Everything up to here has been synced.
    SyncMark { durable_seq: Seq },
    /// A keyframe ends.
    KeyframeEnd { count: u64, state_hash: u64 },
    /// The segment was closed in order.
    Seal(Seal),
    /// The numbers between `from` and `to`, both exclusive, were never given.
    Leap { from: Seq, to: Seq },
    /// An older epoch was wiped.
    Wipe(Wipe),
}

/// How a segment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The journal's last event.
    pub last_seq: Seq,
    /// Events in this segment.
    pub events: u64,
    /// Living keys.
    pub living: u64,
    /// Their hash: the next keyframe has the same.
    pub state_hash: u64,
    /// Where the index record stands; 0 for none.
    pub index_offset: u64,
}

/// What a wipe took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wipe {
    /// This epoch and all before it are gone.
    pub old_epoch: u64,
    /// The oldest event that went.
    pub first_seq: Seq,
    /// The newest event that went.
    pub last_seq: Seq,
    /// Recorded bytes that went.
    pub bytes: u64,
    /// Segments that went.
    pub segments: u32,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Length of a seal in a segment; every segment keeps room for one.
pub const SEAL_BYTES: u64 = control_bytes(40);
/// Length of a sync mark in a segment.
pub const SYNC_MARK_BYTES: u64 = control_bytes(8);

const fn control_bytes(payload: u64) -> u64 {
    format::HEADER_BYTES as u64 + payload
}

impl Control {
    fn kind(&self) -> u16 {
        match self {
            Control::SyncMark { .. } => kind::SYNC_MARK,
            Control::KeyframeEnd { .. } => kind::KEYFRAME_END,
            Control::Seal(_) => kind::SEAL,
            Control::Leap { .. } => kind::LEAP,
            Control::Wipe(_) => kind::WIPE,
        }
    }

    /// The record's header and payload; `seq` is that of the last event before it.
    pub fn encode(&self, seq: Seq, time_ns: i64) -> (Header, Vec<u8>) {
        let payload = match self {
            Control::SyncMark { durable_seq } => words(&[*durable_seq]),
            Control::KeyframeEnd { count, state_hash } => words(&[*count, *state_hash]),
            Control::Seal(s) => {
                words(&[s.last_seq, s.events, s.living, s.state_hash, s.index_offset])
            }
            Control::Leap { from, to } => words(&[*from, *to]),
            Control::Wipe(wipe) => wipe.encode(),
        };
        (header(self.kind(), &payload, seq, time_ns), payload)
    }

    /// Reads a verified payload; `None` for kinds that this version does not know, and for
    /// payloads that are too short. Longer ones are of a later version: the rest is ignored.
    pub fn decode(kind: u16, payload: &[u8]) -> Option<Control> {
        let word =
            |index: usize| (payload.len() >= 8 * index + 8).then(|| u64_at(payload, 8 * index));
        Some(match kind {
            kind::SYNC_MARK => Control::SyncMark { durable_seq: word(0)? },
            kind::KEYFRAME_END => Control::KeyframeEnd { count: word(0)?, state_hash: word(1)? },
            kind::SEAL => Control::Seal(Seal {
                last_seq: word(0)?,
                events: word(1)?,
                living: word(2)?,
                state_hash: word(3)?,
                index_offset: word(4)?,
            }),
            kind::LEAP => Control::Leap { from: word(0)?, to: word(1)? },
            kind::WIPE => Control::Wipe(Wipe::decode(payload)?),
            _ => return None,
        })
    }
}

impl Wipe {
    fn encode(&self) -> Vec<u8> {
        let (actor, reason) = (shortened(&self.actor), shortened(&self.reason));
        let mut out = words(&[self.old_epoch, self.first_seq, self.last_seq, self.bytes]);
        for number in [self.segments, actor.len() as u32, reason.len() as u32, 0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(actor.as_bytes());
        out.extend_from_slice(reason.as_bytes());
        out
    }

    fn decode(payload: &[u8]) -> Option<Wipe> {
        const TEXTS: usize = 48;
        if payload.len() < TEXTS {
            return None;
        }
        let actor_end = TEXTS.checked_add(u32_at(payload, 36) as usize)?;
        let reason_end = actor_end.checked_add(u32_at(payload, 40) as usize)?;
        let text = |range| payload.get(range).map(|b| String::from_utf8_lossy(b).into_owned());
        Some(Wipe {
            old_epoch: u64_at(payload, 0),
            first_seq: u64_at(payload, 8),
            last_seq: u64_at(payload, 16),
            bytes: u64_at(payload, 24),
            segments: u32_at(payload, 32),
            actor: text(TEXTS..actor_end)?,
            reason: text(actor_end..reason_end)?,
        })
    }
}

/// The header of a record of the journal's own; `seq` is that of the last event before it.
pub fn header(kind: u16, payload: &[u8], seq: Seq, time_ns: i64) -> Header {
    Header {
        payload_crc: format::payload_crc(payload),
        len: payload.len() as u32,
        kind,
        flags: Flags::default(),
        class: 0,
        seq,
        time_ns,
        key: 0,
    }
}

fn words(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(WIPE_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
