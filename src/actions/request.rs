//! Requests that steps send: their parts checked, and their answers read within bounds.

use bytes::Bytes;
use reqwest::Method;

use super::progress::LINE_BYTES_MAX;

/// The method of a word.
///
/// # Errors
/// It is none that a step may use.
pub fn method(word: &str) -> Result<Method, String> {
    const KNOWN: [Method; 6] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let known = KNOWN.into_iter().find(|known| known.as_str() == word);
    known.ok_or_else(|| "has a method that is none of GET, HEAD, POST, PUT, PATCH, DELETE".into())
}

/// Whether a text is the address of something on HTTP; what follows the host may have places.
pub fn is_http(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains(['{', '@', ' '])
    })
}

/// What is wrong with the name of a header.
pub fn header_fault(name: &str) -> Option<String> {
    let is_name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
    (!is_name).then(|| format!("has a header whose name no header can have: {name:?}"))
}

/// Lines from bytes that come in pieces; of a line that is too long the beginning.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

/// What is kept of a line: enough for a secret at the cut to be known before the line is cut.
const BEGUN_BYTES_MAX: usize = 16 * LINE_BYTES_MAX;

impl Lines {
    /// The lines that a piece ends.
    pub fn take(&mut self, piece: &Bytes) -> Vec<String> {
        let mut ended = Vec::new();
        let mut parts = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let room = BEGUN_BYTES_MAX.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&part[..part.len().min(room)]);
            if parts.peek().is_some() {
                ended.push(self.end());
            }
        }
        ended
    }

    /// What stands behind the last line break, if anything does.
    pub fn rest(&mut self) -> Option<String> {
        (!self.begun.is_empty()).then(|| self.end())
    }

    fn end(&mut self) -> String {
        let line = String::from_utf8_lossy(&self.begun).trim_end_matches('\r').to_owned();
        self.begun.clear();
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_wherever_the_pieces_end() {
        let mut lines = Lines::default();
        let mut told = Vec::new();
        for piece in ["on", "e\ntw", "o\r\n\nthr", "ee"] {
            told.extend(lines.take(&Bytes::from(piece)));
        }
        told.extend(lines.rest());
        assert_eq!(told, ["one", "two", "", "three"]);
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_line_without_end_costs_bounded_memory() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            assert!(lines.take(&Bytes::from(vec![b'x'; 10_000])).is_empty());
        }
        assert_eq!(lines.rest().map(|line| line.len()), Some(BEGUN_BYTES_MAX));
    }

    #[test]
    fn only_an_address_with_a_fixed_host_is_one() {
        for url in ["http://a", "https://a:1/x?{args.y}", "http://127.0.0.1:1/"] {
            assert!(is_http(url), "{url}");
        }
        for url in ["ftp://a", "http://", "http:///x", "http://{args.h}/", "http://u:p@a/", "a"] {
            assert!(!is_http(url), "{url}");
        }
    }
}
