//! What a record is, before it is written and after it was read. Plain data; no bytes, no files.

/// The number of an event; strictly +1, never reused.
pub type Seq = u64;

/// Behind the largest number: whoever reads JSON as floating point reads all smaller ones exactly.
pub const SEQ_END: Seq = 1 << 53;

/// The largest payload: four times the largest object that a cluster accepts, with room to spare.
pub const PAYLOAD_BYTES_MAX: usize = 8 << 20;

/// Kinds below this are the journal's own control records.
pub const EVENT_KIND_MIN: u16 = 0x0100;

/// What a record's header says about its entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The whole present state of the entity: it replaces, never amends.
    pub const STATE: Flags = Flags(1);
    /// The entity is gone.
    pub const END: Flags = Flags(2);
    /// Repeated in a keyframe; takes no sequence number of its own.
    pub const RESTATED: Flags = Flags(4);
    /// A reader that does not know the kind must say that its picture is incomplete.
    pub const MUST_UNDERSTAND: Flags = Flags(0x80);

    /// Whether every flag of `other` is set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// A record to be appended.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// At least [`EVENT_KIND_MIN`]; lower ones are the journal's own.
    pub kind: u16,
    /// State, end and must-understand at most; the journal sets the others.
    pub flags: Flags,
    /// When it was learned, nanoseconds since 1970.
    pub time_ns: i64,
    /// The entity that it is about; 0 for none.
    pub key: u64,
    /// Sorts the records of one kind, as that kind defines it; 0 for none. The journal only sees to
    /// it that a scan for some classes skips the others.
    pub class: u8,
    /// 1 byte to [`PAYLOAD_BYTES_MAX`].
    pub payload: &'a [u8],
}

/// A record as it was read; both checksums have been verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The kind.
    pub kind: u16,
    /// The flags.
    pub flags: Flags,
    /// The sequence number; for a restated record that of the original.
    pub seq: Seq,
    /// When it was learned, nanoseconds since 1970.
    pub time_ns: i64,
    /// The entity that it is about; 0 for none.
    pub key: u64,
    /// Its class among the records of its kind; 0 for none.
    pub class: u8,
    /// The payload.
    pub payload: &'a [u8],
}

impl NewRecord<'_> {
    /// Why the journal cannot take this record; `None` where it can.
    pub(super) fn refusal(&self) -> Option<String> {
        let allowed = Flags::STATE.with(Flags::END).with(Flags::MUST_UNDERSTAND);
        let names_entity = self.flags.0 & Flags::STATE.with(Flags::END).0 != 0;
        if self.kind < EVENT_KIND_MIN {
            Some(format!("kind {:#06x} belongs to the journal itself", self.kind))
        } else if !allowed.has(self.flags) {
            Some(format!("flags {:#04x} are not for events", self.flags.0))
        } else if names_entity && self.key == 0 {
            Some("a state or an end needs the key of its entity".to_owned())
        } else if self.payload.is_empty() {
            Some("the payload is empty".to_owned())
        } else if self.payload.len() > PAYLOAD_BYTES_MAX {
            Some(format!("{} bytes exceed {PAYLOAD_BYTES_MAX}", self.payload.len()))
        } else {
            None
        }
    }
}
