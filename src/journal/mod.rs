//! Records on disk and back. Knows no Kubernetes, no HTTP and no event type.
//!
//! A record is (kind, flags, time, key, payload bytes). The bytes are drawn in `journal-format.md`.
//! From the inside out:
//!
//! - `record`, `format`, `control` and `header` are the bytes;
//! - `fs`, `map` and `pages` are the files, `walk` goes from record to record, past damage;
//! - `segment` is one file as readers see it, `place` a payload in it, `note` and `index` what is
//!   where;
//! - `keymap` is what lives, `replay` the state at a moment, `breadcrumb` where a start died;
//! - `draft` builds a segment, `writer` appends, `rotation` goes to the next,
//!   `rescue` and `wipe` begin anew;
//! - `sizes`, `spare` and `reserve` see to room, `remedy` to steps that failed, `retention` takes
//!   the oldest segments, `presence` notices what others took, `maintain` calls them;
//! - `catalog`, `survey`, `account` and `load` say what a directory holds, `recovery` opens it;
//! - `reader`, `scan`, `text` and `verify` answer, `backup` and `download` give the journal away,
//!   `open_backup` reads what they gave, `checksums` holds a tar to what it says of itself;
//! - `tally` counts, `follow` looks at what another process appends, `transcript` writes a part anew.

mod record;

mod format;

mod control;

mod header;

pub mod fs;

mod map;

mod pages;

mod walk;

mod segment;

mod place;

mod note;

mod index;

mod keymap;

mod breadcrumb;

mod replay;

mod sizes;

mod draft;

mod spare;

mod reserve;

mod writer;

mod rotation;

mod rescue;

mod wipe;

mod remedy;

mod retention;

mod presence;

mod maintain;

mod catalog;

mod survey;

mod account;

mod load;

mod recovery;

mod state;

mod reader;

mod scan;

mod text;

mod download;

mod backup;

mod open_backup;

mod deep;

mod verify;

mod checksums;

mod tally;

mod follow;

mod transcript;

mod error;

#[cfg(test)]
mod document;

pub use account::{Account, Lost};
pub use catalog::LeftAlone;
pub use checksums::{Mismatch, checksum_mismatches};
pub use download::{Chunk, Download};
pub use error::Error;
pub use follow::{Follower, Looked};
pub use maintain::Maintained;
pub use map::Map;
pub use place::{Place, Places};
pub use presence::Removed;
pub use reader::{Reader, SegmentInfo};
pub use record::{EVENT_KIND_MIN, Flags, NewRecord, PAYLOAD_BYTES_MAX, Record, Seq};
pub use recovery::{Damaged, Leap, Options, Recovery, SEGMENT_BYTES, open, open_with};
pub use retention::{Because, Retention, Retired};
pub use scan::Range;
pub use segment::Segment;
pub use state::Positions;
pub use tally::{Count, Tally};
pub use text::Text;
pub use transcript::Transcript;
pub use verify::Verification;
pub use wipe::WipeNote;
pub use writer::{Appended, BATCH_BYTES_MAX, Writer};
