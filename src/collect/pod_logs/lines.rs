//! Bytes of a log into lines: each has the node's time in front, and ends with a newline.

use super::{
    place::Line,
    stamp::{self, StampNs},
};

/// So much of a line is kept. A node stores longer ones in pieces of 16 KiB, which come joined.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// A line, or what stands where one should.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A line.
    Line(Line),
    /// Text without a time: the node tells what went wrong.
    Odd(String),
}

/// Cuts what comes into lines.
#[derive(Debug, Default)]
pub struct Splitter {
    kept: Vec<u8>,
    cut_bytes: u64,
    check: crc32fast::Hasher,
}

impl Splitter {
    /// Takes the next bytes, and hands out the lines that end in them.
    pub fn take(&mut self, mut bytes: &[u8], out: &mut impl Extend<Piece>) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.add(&bytes[..end]);
            out.extend(self.end());
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    /// Nothing more comes: what has no newline is a line too.
    pub fn end(&mut self) -> Option<Piece> {
        let kept = std::mem::take(&mut self.kept);
        let cut_bytes = std::mem::take(&mut self.cut_bytes);
        let check = std::mem::take(&mut self.check).finalize();
        if kept.is_empty() {
            return None;
        }
        Some(match stamp::split(&kept) {
            Some((stamp_ns, text)) => Piece::Line(line(stamp_ns, check, text, cut_bytes)),
            None => Piece::Odd(lossy(&kept)),
        })
    }

    fn add(&mut self, bytes: &[u8]) {
        self.check.update(bytes);
        let room = LINE_BYTES_MAX - self.kept.len();
        let taken = bytes.len().min(room);
        self.kept.extend_from_slice(&bytes[..taken]);
        self.cut_bytes += (bytes.len() - taken) as u64;
    }
}

fn line(stamp_ns: StampNs, check: u32, text: &[u8], cut_bytes: u64) -> Line {
    Line { stamp_ns, check, text: lossy(text.strip_suffix(b"\r").unwrap_or(text)), cut_bytes }
}

/// Bytes that are no UTF-8 are shown as such.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<Piece> {
        let (mut splitter, mut out) = (Splitter::default(), Vec::new());
        chunks.iter().for_each(|chunk| splitter.take(chunk, &mut out));
        out.extend(splitter.end());
        out
    }

    fn texts(pieces: &[Piece]) -> Vec<&str> {
        let mut texts = Vec::new();
        for piece in pieces {
            texts.push(match piece {
                Piece::Line(line) => line.text.as_str(),
                Piece::Odd(odd) => odd.as_str(),
            });
        }
        texts
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let log = b"1970-01-01T00:00:01Z one\r\n1970-01-01T00:00:02Z \n\
                    1970-01-01T00:00:03Z \xffnul\0\nrpc error: x\n1970-01-01T00:00:04Z end";
        let whole = split(&[log]);
        let expected = ["one", "", "\u{fffd}nul\0", "rpc error: x", "end"];
        assert_eq!(texts(&whole), expected);
        assert!(matches!(&whole[3], Piece::Odd(_)));
        for at in 0..log.len() {
            assert_eq!(split(&[&log[..at], &log[at..]]), whole, "cut at {at}");
        }
    }

    #[test]
    fn a_line_is_kept_up_to_its_bound_and_the_rest_is_counted() {
        let mut log = b"1970-01-01T00:00:01Z ".to_vec();
        let more = 100 << 10;
        log.resize(LINE_BYTES_MAX + more, b'x');
        log.extend_from_slice(b"\n1970-01-01T00:00:02Z next\n");
        let pieces = split(&[&log]);
        let [Piece::Line(long), Piece::Line(next)] = &pieces[..] else { panic!("two lines") };
        assert_eq!((long.text.len(), long.cut_bytes), (LINE_BYTES_MAX - 21, more as u64));
        assert_eq!((next.text.as_str(), next.cut_bytes), ("next", 0));
        let check = crc32fast::hash(&log[..LINE_BYTES_MAX + more]);
        assert_eq!(long.check, check, "of the whole line, so that it is known again");
    }
}
