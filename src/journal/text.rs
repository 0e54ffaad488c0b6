//! A text to search for, in any case, in raw bytes and in decoded strings alike. Knows no records.

use regex::bytes::{Regex, RegexBuilder};

/// The longest text that is searched for: a line that somebody pastes, not a document.
const TEXT_BYTES_MAX: usize = 1024;

/// Room for the compiled form of the longest text; each letter stands for all of its cases.
const COMPILED_BYTES_MAX: usize = 64 << 20;

/// A text to search for, upper and lower case being the same.
///
/// Case is folded one character at a time, as Unicode's simple case folding does, so that the same
/// rule holds for bytes that have not been decoded.
#[derive(Debug, Clone)]
pub struct Text(Regex);

impl Text {
    /// Prepares a search; `None` where the text is empty or too long to search for.
    pub fn new(text: &str) -> Option<Text> {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let mut regex = RegexBuilder::new(&regex::escape(text));
        regex.case_insensitive(true).size_limit(COMPILED_BYTES_MAX).build().ok().map(Text)
    }

    /// Whether it stands in these bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    /// Where it first stands in these bytes.
    pub(super) fn find_in(&self, bytes: &[u8]) -> Option<usize> {
        self.0.find(bytes).map(|found| found.start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count_and_signs_mean_themselves() {
        let found = |text: &str, line: &str| Text::new(text).unwrap().is_in(line.as_bytes());
        assert!(found("Time-Out", "a TIME-OUT of 3 s"));
        assert!(found("\u{e4}rger", "\u{c4}RGER"));
        assert!(found("a.b[", "A.B[0]"));
        assert!(!found("a.b", "axb"));
    }

    #[test]
    fn bytes_that_are_no_text_are_searched_too() {
        let text = Text::new("Needle").unwrap();
        assert_eq!(text.find_in(b"\xff\x00\x93needle\xff"), Some(3));
        assert_eq!(text.find_in(b"\xff\xfeneedl"), None);
    }

    #[test]
    fn the_longest_text_can_be_searched_for_and_a_longer_one_is_refused() {
        assert!(Text::new(&"\u{3c3}".repeat(TEXT_BYTES_MAX / 2)).is_some());
        assert!(Text::new(&"k".repeat(TEXT_BYTES_MAX)).is_some());
        assert!(Text::new(&"k".repeat(TEXT_BYTES_MAX + 1)).is_none());
        assert!(Text::new("").is_none());
    }
}
