//! A private key in a log: it takes many lines, and only the first one says what it is.

use super::{REDACTED, text};

/// No private key has more lines.
const LINES_MAX: u32 = 200;

/// Looks at the lines of one log, one after the other.
#[derive(Debug, Default)]
pub struct KeyBlock {
    lines_left: u32,
}

impl KeyBlock {
    /// The line, unless it is a part of a private key that began above it.
    pub fn line(&mut self, line: String) -> String {
        if self.lines_left > 0 {
            self.lines_left -= 1;
            let is_end = line.contains("-----END ");
            if is_end {
                self.lines_left = 0;
            }
            if is_end || is_of_key(&line) {
                return REDACTED.into();
            }
            self.lines_left = 0;
        }
        let Some((start, end)) = text::private_key(&line, 0) else { return line };
        if end == line.len() && !line[start..].contains("-----END ") {
            self.lines_left = LINES_MAX;
        }
        format!("{}{REDACTED}{}", &line[..start], &line[end..])
    }
}

/// Base64, the fields in front of it, or the empty line between.
fn is_of_key(line: &str) -> bool {
    let line = line.trim();
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    line.bytes().all(is_base64) || line.starts_with("Proc-Type:") || line.starts_with("DEK-Info:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_with_its_end_or_with_what_is_no_key() {
        let mut block = KeyBlock::default();
        let mut check = |line: &str, expected: &str| assert_eq!(block.line(line.into()), expected);
        check("before", "before");
        check("x -----BEGIN EC PRIVATE KEY-----", "x [redacted]");
        check("DEK-Info: AES-128-CBC,00", REDACTED);
        check("", REDACTED);
        check("MIIEowIBAAKCAQEA7+/=", REDACTED);
        check("-----END EC PRIVATE KEY-----", REDACTED);
        check("abc", "abc");
        check("-----BEGIN PRIVATE KEY-----", REDACTED);
        check("it was not logged after all", "it was not logged after all");
        check("abc", "abc");
        let whole = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- y";
        check(whole, "[redacted] y");
        check("abc", "abc");
        check("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----");
        check("abc", "abc");
    }
}
