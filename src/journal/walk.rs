//! From record to record through a segment's bytes, past damage. The one reading of the rules that
//! `journal-format.md` gives as a decision table; recovery, scans and keyframes all walk this way.

use std::{io, sync::Arc};

use super::{
    format::{self, ALIGN, HEADER_BYTES, Header, Salt},
    fs::File,
    header::SEGMENT_HEADER_BYTES,
    pages::{self, Withheld},
    record::Seq,
};

/// Files are read in windows of at least this size.
const WINDOW_BYTES: usize = 1 << 20;

/// Bytes of a segment, wherever they are.
pub trait Source {
    /// How many there are, counted from the segment's start.
    fn len(&self) -> u64;
    /// Exactly `len` bytes at `offset`, all of them below [`Source::len`]. What cannot be read is
    /// zeros, and told once by [`Source::withheld`].
    fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]>;
    /// What could not be read since this was asked last.
    fn withheld(&mut self) -> Vec<Withheld>;
}

/// What stands at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A record whose header holds; its payload has not been looked at.
    Frame(Frame),
    /// Bytes that are no record, with a record behind them.
    Damage {
        /// Where they begin.
        from: u64,
        /// Where the next record begins.
        to: u64,
    },
    /// No record follows.
    End {
        /// Behind the last record.
        at: u64,
        /// Bytes that are neither record nor zero stand there: a write that did not get through.
        torn: bool,
    },
}

/// A record's header and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Counted from the segment's start.
    pub offset: u64,
    /// The header.
    pub header: Header,
}

impl Frame {
    /// Where the payload begins.
    pub fn payload_offset(&self) -> u64 {
        self.offset + HEADER_BYTES as u64
    }

    /// Where the next record begins.
    pub fn end(&self) -> u64 {
        self.offset + self.header.frame_bytes()
    }
}

/// Walks the records of one segment.
#[derive(Debug)]
pub struct Walk<S> {
    source: S,
    salt: Salt,
    offset: u64,
    /// Numbers never fall within a segment; a search for the next header uses that.
    seq_min: Seq,
}

impl<S: Source> Walk<S> {
    /// Starts at a record, or at the first one where `offset` is smaller.
    pub fn new(source: S, salt: Salt, offset: u64) -> Walk<S> {
        Walk { source, salt, offset: offset.max(SEGMENT_HEADER_BYTES), seq_min: 0 }
    }

    /// Where the next step begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next step. After an end it is that end again.
    ///
    /// # Errors
    /// The file cannot be read there.
    pub fn next(&mut self) -> io::Result<Step> {
        if let Some(frame) = self.frame_at(self.offset)? {
            // The last record's padding may be missing.
            self.offset = frame.end().min(self.source.len());
            // Restated records keep the numbers of their originals, in any order.
            if frame.header.is_event() {
                self.seq_min = frame.header.seq;
            }
            return Ok(Step::Frame(frame));
        }
        let from = self.offset;
        let Some(rubble) = self.first_not_zero(from)? else {
            return Ok(Step::End { at: from, torn: false });
        };
        match self.next_whole_record(rubble)? {
            Some(to) => {
                self.offset = to;
                Ok(Step::Damage { from, to })
            }
            None => Ok(Step::End { at: from, torn: true }),
        }
    }

    /// Whether nothing has been written at this place yet.
    ///
    /// # Errors
    /// The file cannot be read there.
    pub fn is_blank(&mut self) -> io::Result<bool> {
        let rest = self.source.len().saturating_sub(self.offset);
        let len = rest.min(HEADER_BYTES as u64) as usize;
        Ok(len == 0 || not_zero(self.source.get(self.offset, len)?).is_none())
    }

    /// The next record that begins before `end`, past damage; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read there.
    pub fn next_frame_before(&mut self, end: u64) -> io::Result<Option<Frame>> {
        loop {
            match self.next()? {
                Step::Frame(frame) => return Ok((frame.offset < end).then_some(frame)),
                Step::Damage { .. } => {}
                Step::End { .. } => return Ok(None),
            }
        }
    }

    /// A record's payload, if its checksum holds.
    ///
    /// # Errors
    /// The file cannot be read there.
    pub fn payload(&mut self, frame: &Frame) -> io::Result<Option<&[u8]>> {
        let payload = self.source.get(frame.payload_offset(), frame.header.len as usize)?;
        Ok((format::payload_crc(payload) == frame.header.payload_crc).then_some(payload))
    }

    /// What could not be read on the way since this was asked last.
    pub fn withheld(&mut self) -> Vec<Withheld> {
        self.source.withheld()
    }

    fn frame_at(&mut self, offset: u64) -> io::Result<Option<Frame>> {
        let len = self.source.len();
        if offset + HEADER_BYTES as u64 > len {
            return Ok(None);
        }
        let bytes = self.source.get(offset, HEADER_BYTES)?;
        let bytes = bytes.try_into().expect("a source gives as many bytes as it was asked for");
        let header = Header::decode(bytes, self.salt);
        let frame = header.map(|header| Frame { offset, header });
        let in_bounds = |f: &Frame| f.payload_offset() + u64::from(f.header.len) <= len;
        Ok(frame.filter(in_bounds))
    }

    /// The aligned place of the first byte that is not zero.
    fn first_not_zero(&mut self, from: u64) -> io::Result<Option<u64>> {
        let len = self.source.len();
        let mut offset = from;
        while offset < len {
            let piece = (len - offset).min(WINDOW_BYTES as u64) as usize;
            let bytes = self.source.get(offset, piece)?;
            if let Some(index) = not_zero(bytes) {
                return Ok(Some((offset + index as u64) / ALIGN * ALIGN));
            }
            offset += piece as u64;
        }
        Ok(None)
    }

    /// The next place where a whole record of this segment stands, payload included: a header
    /// alone could be a lucky hit.
    fn next_whole_record(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut offset = from;
        while offset + HEADER_BYTES as u64 <= self.source.len() {
            if let Some(frame) = self.frame_at(offset)? {
                let header = frame.header;
                let in_order = !header.is_event() || header.seq >= self.seq_min;
                if in_order && self.payload(&frame)?.is_some() {
                    return Ok(Some(offset));
                }
            }
            offset += ALIGN;
        }
        Ok(None)
    }
}

/// Compares page by page, since nearly all pages that are asked about are zeros.
fn not_zero(bytes: &[u8]) -> Option<usize> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let page = bytes.chunks(ZEROS.len()).position(|page| page != &ZEROS[..page.len()])?;
    let start = page * ZEROS.len();
    bytes[start..].iter().position(|&byte| byte != 0).map(|index| start + index)
}

/// A file, read in windows: for bytes that nobody has published yet, and for files that may be
/// appended to by another process meanwhile.
#[derive(Debug)]
pub struct Windows {
    file: Arc<dyn File>,
    /// Where the segment begins within the file.
    base: u64,
    len: u64,
    window: Vec<u8>,
    window_start: u64,
    withheld: Vec<Withheld>,
}

impl Windows {
    /// A segment of `len` bytes that begins `base` bytes into a file.
    pub fn new(file: Arc<dyn File>, base: u64, len: u64) -> Windows {
        let (window, withheld) = (Vec::new(), Vec::new());
        Windows { file, base, len, window, window_start: 0, withheld }
    }
}

impl Source for Windows {
    fn len(&self) -> u64 {
        self.len
    }

    fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let window_end = self.window_start + self.window.len() as u64;
        if offset < self.window_start || offset + len as u64 > window_end {
            let bytes = (self.len - offset).min(len.max(WINDOW_BYTES) as u64) as usize;
            self.window.resize(bytes, 0);
            self.window_start = offset;
            let lacks = pages::read(&*self.file, self.base, offset, &mut self.window);
            self.withheld.extend(lacks);
        }
        let start = (offset - self.window_start) as usize;
        Ok(&self.window[start..start + len])
    }

    fn withheld(&mut self) -> Vec<Withheld> {
        std::mem::take(&mut self.withheld)
    }
}
